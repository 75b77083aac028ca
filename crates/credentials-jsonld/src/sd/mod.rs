//! Selective disclosure of JSON-LD documents: what `ecdsa-sd-2023` and `bbs-2023` share
//! (Data Integrity ECDSA Cryptosuites 1.0, section 3.4).
//!
//! A document becomes a sorted list of statements whose blank nodes have labels that only
//! the issuer and the holder can compute ([`Labelled`]). JSON pointers ([`Pointer`]) choose
//! parts of the document ([`Selection`]), and a part is a set of indexes into that list
//! ([`Processor::select`]).
//!
//! Where the specification replaces text in N-Quads, this works on terms: a literal that
//! looks like a blank node stays as it is.

mod error;
#[cfg(test)]
pub(crate) mod fixtures;
mod labels;
mod plan;
mod pointer;
mod process;
mod required;
mod select;
#[cfg(test)]
mod tests;
mod value;

pub use error::SdError;
pub use labels::{LabelMap, hmac_labels, shuffled_labels};
pub use plan::{Disclosed, Disclosure, Parted};
pub use pointer::Pointer;
pub use process::{Labelled, Processor, Selected, hash_mandatory};
pub use required::{disclosed_pointers, mandatory_pointers};
pub use select::Selection;
pub(crate) use value::{
    base_header, byte_array, bytes_list, components, compress_labels, compressed_labels,
    derived_header, indexes, pointers, write_indexes, write_pointers,
};

/// Most JSON pointers of one kind.
pub const MAX_POINTERS: usize = 1024;
