//! Our credentials against software that we did not write and against the
//! vectors of the specifications.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "all of this binary is tests; the helpers between them are not marked as such"
)]

mod bbs_zkryptium;
mod data_integrity_affinidi;
mod did_webvh;
mod jsonld_documents;
mod jsonld_npm;
mod mdoc_affinidi;
#[cfg(feature = "isomdl")]
mod mdoc_isomdl;
mod mdoc_npm;
mod mdoc_parties;
mod sd_jwt_affinidi;
mod sd_jwt_cases;
mod sd_jwt_iota;
mod sd_jwt_npm;
mod sd_jwt_vectors;
mod selective_npm;
