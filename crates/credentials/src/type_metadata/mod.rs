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
//!
//! ```
//! use serde_json::json;
//! use vouchsafe_credentials::sd_jwt::ClaimPath;
//! use vouchsafe_credentials::type_metadata::*;
//!
//! /// Serves one document; a program fetches it with guards and keeps it.
//! struct Published(Vec<u8>);
//!
//! #[async_trait::async_trait]
//! impl TypeMetadataFetch for Published {
//!     async fn fetch(&self, _vct: &str, _: Option<&Integrity>) -> Result<Vec<u8>, FetchFailed> {
//!         Ok(self.0.clone())
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // Issue: publish the type, and give its hash to every credential as `vct#integrity`.
//! let vct = "https://issuer.example/card";
//! let document = json!({
//!     "vct": vct,
//!     "display": [{"locale": "en", "name": "Card"}],
//!     "claims": [{"path": ["over18"], "sd": "always"}],
//! });
//! let mut published = Published(document.to_string().into_bytes());
//! let integrity = Integrity::parse(&Integrity::of(&published.0))?;
//!
//! // Present: what a credential of this type says, and what of it came as a Disclosure.
//! let payload = json!({"vct": vct, "over18": true});
//! let disclosed = [ClaimPath::of_keys(&["over18"])];
//!
//! // Verify: the document is the one that the issuer meant, and the credential fits it.
//! let kind = resolve(vct, Some(&integrity), &published).await?;
//! check_claims(&kind, &payload, &disclosed, Party::Verifier)?;
//! let name = kind.display_for("de-AT").map(|texts| texts.name.to_string());
//! assert_eq!(name.as_deref(), Some("Card"));
//!
//! // Refuse: a claim in the clear that must be disclosable, and a document that was changed since.
//! let error = check_claims(&kind, &payload, &[], Party::Verifier).unwrap_err();
//! assert_eq!(error.code(), "type_metadata_disclosability");
//! published.0.push(b' ');
//! let error = resolve(vct, Some(&integrity), &published).await.unwrap_err();
//! assert_eq!(error.code(), "type_metadata_integrity");
//! # Ok(())
//! # }
//! ```

#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::string_slice,
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
