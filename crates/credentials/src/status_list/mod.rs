//! Token Status List: encode, sign, read.
