//! What a person sees: one stylesheet, one catalogue of texts, one layout.
//!
//! Issuer, verifier, web wallet and demo shop render their pages here, so that
//! a person finds the same look and the same words in all of them.
//!
//! # To add a page
//! Put `templates/<service>/<page>.html` (it extends `base.html`), its texts
//! into `locales/<locale>/<service>.ftl` of **every** locale, and call
//! [`Pages::render`] with `"<service>/<page>"`. Templates are escaped; texts
//! come from the catalogue through `t("key", name = value)`. Nothing is loaded
//! from elsewhere, and scripts live in `assets/` (the content security policy
//! forbids inline ones).
//!
//! # To add a language
//! Add a variant to [`Locale`] and a folder to `locales/`; tests say what is
//! missing in it. Pages run in the direction of their language: the stylesheet
//! speaks of start and end, never of left and right, a value stands in `<bdi>`,
//! and what reads from left to right everywhere (a number to type, a host, a
//! code) has `dir="ltr"` or stands in `<code>`.

mod assets;
mod catalogue;
mod context;
mod locale;
mod pages;
pub mod qr;

pub use fluent_bundle::FluentArgs;

pub use assets::{asset_path, router as assets_router};
pub use catalogue::{Catalogue, CatalogueError};
pub use locale::Locale;
pub use pages::{Pages, PagesError};

/// The content security policy of every page: no inline script or style, no
/// foreign content, no framing. `form-action` is left open on purpose: a form
/// of ours may end in a redirect to a business's own page.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'none'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'";
