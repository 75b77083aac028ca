//! What the shop is told: where it is, who signs people in, which club it serves.

use std::fmt;

use url::Url;

/// A secret that never shows itself.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Settings of one shop.
#[derive(Clone, Debug)]
pub struct Config {
    /// What the shop calls itself on its pages.
    pub name: String,
    /// The shop's own origin, without a trailing slash: `https://shop.example`.
    pub public_url: Url,
    /// The issuer identifier of the OpenID Provider, exactly as it writes it.
    pub provider: Url,
    /// The client identifier that the provider knows the shop by.
    pub client_id: String,
    /// The client secret (`client_secret_basic`).
    pub client_secret: Secret,
    /// The club whose counter this shop keeps, if any.
    pub club: Option<Club>,
    /// Where a person finds the wallet in their browser, to be linked from the pages.
    pub wallet: Option<Url>,
    /// Whether visitors may pretend to be in another country: for demos whose login service believes them.
    pub pretends: bool,
}

/// How the club's counter reaches the issuer.
#[derive(Clone, Debug)]
pub struct Club {
    /// The issuer's origin.
    pub issuer: Url,
    /// An API key of the issuer.
    pub api_key: Secret,
}

impl Config {
    /// The link that opens an offer: in the wallet of the browser where there
    /// is one, otherwise by the scheme that wallet apps register.
    pub(crate) fn wallet_link(&self, offer: &str) -> String {
        let query = offer.split_once('?').map_or("", |(_, query)| query);
        match &self.wallet {
            Some(wallet) if !offer.starts_with("http") => {
                format!("{}/offer?{query}", wallet.as_str().trim_end_matches('/'))
            }
            Some(_) | None => offer.to_owned(),
        }
    }

    /// The address of a page of the shop.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.public_url.as_str().trim_end_matches('/'))
    }
}
