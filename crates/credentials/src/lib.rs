//! What a credential is: keys, JOSE, SD-JWT VC, DIDs, status, trust. Pure, without I/O.
