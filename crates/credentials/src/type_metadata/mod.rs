//! SD-JWT VC Type Metadata: how a type of credential is shown, which claims it has and how they
//! may be disclosed; and the metadata of issuers that publish their keys on the web.
//!
//! Wire format: draft 13 (the pin of HAIP 1.0) and the fields of later drafts; properties that
//! are not known, `schema` among them, are ignored as the drafts demand.
//!
//! Type metadata never decides whether an issuer is believed: a type that extends a trusted type
//! is another type ("Credential Type Extension and Issuer Authorization"). Nothing here feeds
//! [`crate::sd_jwt_vc::IssuerTrust`].
//!
//! Documents come through the port [`TypeMetadataFetch`]; nothing here opens a connection.
//! SVG templates are read but never rendered: [`image`] accepts pictures made of pixels alone.

#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used
    )
)]

mod claims;
mod display;
mod document;
mod error;
pub mod image;
mod integrity;
mod issuer;
mod resolve;
#[cfg(test)]
mod tests;

pub use claims::{Party, check_claims};
pub use display::{Resource, Simple, SvgTemplate, TypeDisplay};
pub use document::{
    ClaimMetadata, ClaimText, Disclosable, Extends, MAX_DOCUMENT_BYTES, TypeMetadata,
};
pub use error::{FetchFailed, TypeMetadataError};
pub use integrity::{Integrity, IntegrityError};
pub use issuer::{IssuerKeys, IssuerMetadataError, JwtVcIssuerMetadata, MAX_ISSUER_METADATA_BYTES};
pub use resolve::{EffectiveType, MAX_EXTENDS, TypeMetadataFetch, resolve};
