//! JSON-LD for credentials: expansion with bundled contexts, RDFC-1.0, and the Data Integrity
//! suites that need them. Pure: nothing here reads a file, a socket or the clock.
//!
//! - [`bbs`]: the BBS signature scheme
//! - [`bbs_2023`], [`ecdsa_sd`]: the cryptosuites with selective disclosure
//! - [`contexts`]: the context documents that exist for us, each with its hash; an unknown one is refused
//! - [`jsonld`]: JSON-LD 1.1 expansion in safe mode (nothing is ever dropped), RDF, skolemization
//! - [`rdf`]: quads, N-Quads, RDF Dataset Canonicalization (RDFC-1.0)
//! - [`rdfc`]: the cryptosuites `eddsa-rdfc-2022` and `ecdsa-rdfc-2019`
//! - [`sd`]: selecting parts of a document, shared by the suites with selective disclosure
//! - `second_opinion` (feature `ssi`): the rdfc suites by another implementation
//!
//! [`suites`] is the table of every cryptosuite of this crate and of `vouchsafe-credentials`.

mod agreement;
pub mod bbs;
pub mod bbs_2023;
pub mod contexts;
pub mod ecdsa_sd;
pub mod jsonld;
pub mod rdf;
pub mod rdfc;
pub mod sd;
#[cfg(feature = "ssi")]
pub mod second_opinion;

use vouchsafe_credentials::data_integrity::Suites;

/// Every cryptosuite: those without JSON-LD, and those of this crate, which read documents with
/// `transformation`.
#[must_use]
pub fn suites(transformation: &rdfc::Transformation) -> Suites {
    Suites::jcs()
        .with(rdfc::EddsaRdfc2022(transformation.clone()))
        .with(rdfc::EcdsaRdfc2019(transformation.clone()))
        .with(ecdsa_sd::EcdsaSd2023::new(transformation.clone()))
        .with(bbs_2023::Bbs2023::new(transformation.clone()))
}
