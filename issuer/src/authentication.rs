//! Who the person is: how somebody who begins in the wallet is known before a card is issued.
//!
//! A prepared offer keeps its one-time code, whatever is said here: it is about one record, and the
//! code proves the right to that record.
//!
//! To add a way: a variant of [`Method`], its section in `config::authentication`, and a page or a
//! redirection in `handlers` that ends in `redeem::authorize_signed_in`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use vouchsafe_credentials::crypto::hmac_sha256;
use vouchsafe_credentials::encoding::b64url;
use vouchsafe_service::upstream::{Ask, Identity, ProviderSettings};
use vouchsafe_service::webhooks::System;

use crate::claims::{Claims, Origin, Subject};
use crate::core::Core;
use crate::presentation::Presentation;

/// How persons are known, for some credential types.
#[derive(Debug, Clone)]
pub struct Authentication {
    /// Ids of the types; none: every type that no other rule names.
    pub credential_types: Vec<String>,
    /// How.
    pub method: Method,
}

/// A way to know a person.
#[derive(Debug, Clone)]
pub enum Method {
    /// A one-time code that the organisation handed over.
    Code,
    /// A sign-in at an OpenID Provider.
    OpenIdConnect(Box<OpenIdConnect>),
    /// Questions whose answers the organisation's system judges.
    Webhook(Box<Questions>),
    /// A card that the person shows.
    Presentation(Box<Presentation>),
}

/// A sign-in at an OpenID Provider.
#[derive(Debug, Clone)]
pub struct OpenIdConnect {
    /// Who we are there.
    pub provider: ProviderSettings,
    /// The claim that says who the person is.
    pub subject_claim: String,
    /// Claims of the card and where they come from; none: a claims source has them.
    pub claims: Vec<Mapped>,
    /// One of these must be the `acr`; none: any.
    pub acr_values: Vec<String>,
    /// How long ago the person may have authenticated, in seconds.
    pub max_age_s: Option<u32>,
}

/// A claim of the card and the claim of the provider that it takes its value from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapped {
    /// The path in the card.
    pub to: Vec<String>,
    /// The path in what the provider says.
    pub from: Vec<String>,
}

/// Questions to a person.
#[derive(Debug, Clone)]
pub struct Questions {
    /// Who judges the answers.
    pub system: System,
    /// What is asked.
    pub fields: Vec<Field>,
}

/// A field of the page.
#[derive(Debug, Clone)]
pub struct Field {
    /// Its name in the message to the organisation.
    pub name: String,
    /// Its label by language tag; holds at least one.
    pub labels: BTreeMap<String, String>,
    /// Whether what is typed is not shown.
    pub secret: bool,
}

impl Field {
    /// The label in a language, or in any.
    pub fn label(&self, locale: &str) -> &str {
        let labels = &self.labels;
        let found = labels.get(locale).or_else(|| labels.get("en"));
        found
            .or_else(|| labels.values().next())
            .map_or("", String::as_str)
    }
}

/// A person who is known.
#[derive(Debug, Clone)]
pub struct Person {
    /// The identifier of the record.
    pub record_id: String,
    /// Where the claims of the card come from.
    pub claims: Origin,
}

/// A provider that does not say who the person is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("nobody says `{0}` as text")]
pub struct NobodyKnown(pub String);

impl OpenIdConnect {
    /// What is asked of the provider.
    pub fn ask(&self, locale: &str) -> Ask {
        Ask {
            max_age_s: self.max_age_s,
            acr_values: self.acr_values.clone(),
            ui_locales: vec![locale.to_owned()],
            prompt: None,
            login_hint: None,
        }
    }

    /// The person whom the provider vouched for.
    pub fn person(&self, core: &Core, identity: &Identity) -> Result<Person, NobodyKnown> {
        let value = identity.claim(&self.subject_claim).and_then(Value::as_str);
        let value = value.filter(|value| !value.is_empty());
        let value = value.ok_or_else(|| NobodyKnown(self.subject_claim.clone()))?;
        let subject = Subject {
            issuer: identity.issuer().to_owned(),
            claim: self.subject_claim.clone(),
            value: value.to_owned(),
        };
        let claims = match self.claims.is_empty() {
            true => Origin::Source(Some(subject.clone())),
            false => Origin::Here(self.mapped(identity)),
        };
        Ok(Person {
            record_id: keyed_record(
                core,
                "oidc",
                &[&subject.issuer, &subject.claim, &subject.value],
            ),
            claims,
        })
    }

    /// Values go over as they are; one that is not there is left out, and the type decides.
    fn mapped(&self, identity: &Identity) -> Claims {
        let mut claims = Map::new();
        for Mapped { to, from } in &self.claims {
            let (first, rest) = match from.split_first() {
                Some((first, rest)) => (first, rest),
                None => continue,
            };
            let value = identity.claim(first);
            let value = rest.iter().fold(value, |value, name| value?.get(name));
            if let Some(value) = value {
                put(&mut claims, to, value.clone());
            }
        }
        Claims(claims)
    }
}

/// The record of a subject: a keyed hash over who vouches and who it is there. Nobody elsewhere can
/// become the same record, and the name of the record tells nothing (OpenID Connect Core 1.0,
/// section 5.7: `iss` and `sub` together, and nothing else, identify a person).
pub fn keyed_record(core: &Core, way: &str, parts: &[&str]) -> String {
    let key = core.keys.records.child("subject elsewhere").child(way);
    let mut content = Vec::new();
    for part in parts {
        content.extend_from_slice(&(part.len() as u64).to_be_bytes());
        content.extend_from_slice(part.as_bytes());
    }
    format!("{way}_{}", b64url(&hmac_sha256(key.expose(), &content)))
}

/// Puts a value at a path through objects.
pub fn put(claims: &mut Map<String, Value>, path: &[String], value: Value) {
    let Some((first, rest)) = path.split_first() else {
        return;
    };
    if rest.is_empty() {
        claims.insert(first.clone(), value);
        return;
    }
    let inner = claims.entry(first.clone());
    let inner = inner.or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(inner) = inner {
        put(inner, rest, value);
    }
}
