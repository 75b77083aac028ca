//! A journey file as it is written. What a key means stands in `keys.rs`.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

pub(super) type Text = Spanned<String>;
pub(super) type Texts = Vec<Spanned<String>>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct JourneyFile {
    pub id: Text,
    pub version: Spanned<i64>,
    pub stage: Option<Text>,
    #[serde(default)]
    pub clients: Texts,
    #[serde(rename = "match")]
    pub matches: Option<Text>,
    pub subject: Option<Text>,
    #[serde(default)]
    pub after: Texts,
    pub require_acr: Option<Text>,
    pub timeout_s: Option<Spanned<i64>>,
    #[serde(default)]
    pub limits: LimitsFile,
    #[serde(default)]
    pub step: Vec<Spanned<StepFile>>,
    #[serde(default)]
    pub outcome: BTreeMap<Spanned<String>, OutcomeFile>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LimitsFile {
    pub max_visits: Option<Spanned<i64>>,
    pub per_account_per_day: Option<Spanned<i64>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OutcomeFile {
    pub show: String,
}

/// Keys of all kinds together; which of them a kind has is checked afterwards.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StepFile {
    pub id: Text,
    pub kind: Text,
    pub when: Option<Text>,
    #[serde(default)]
    pub on: BTreeMap<Spanned<String>, Text>,
    pub accept: Option<Spanned<Texts>>,
    pub query: Option<Text>,
    pub dcql: Option<Text>,
    pub channels: Option<Spanned<Texts>>,
    pub purpose: Option<Spanned<BTreeMap<String, String>>>,
    pub bind: Option<Text>,
    pub check: Option<Text>,
    pub transaction_data: Option<Spanned<bool>>,
    pub mode: Option<Text>,
    pub providers: Option<Spanned<Texts>>,
    pub max_fields: Option<Spanned<i64>>,
    pub prefer_credential: Option<Spanned<bool>>,
    pub cooldown_days: Option<Spanned<i64>>,
    pub field: Option<Spanned<Vec<FieldFile>>>,
    pub receipt: Option<Text>,
    pub model: Option<Text>,
    pub case: Option<Spanned<Vec<CaseFile>>>,
    pub url: Option<Text>,
    pub timeout_s: Option<Spanned<i64>>,
    pub challenge: Option<Text>,
    pub means: Option<Text>,
    #[serde(rename = "type")]
    pub credential_type: Option<Text>,
    pub notify: Option<Spanned<Texts>>,
    pub revoke: Option<Spanned<Texts>>,
    pub emit: Option<Spanned<Texts>>,
    pub seconds: Option<Spanned<i64>>,
    pub cancel_link: Option<Spanned<bool>>,
    pub code: Option<Text>,
    pub show: Option<Text>,
    pub claims: Option<Spanned<BTreeMap<Spanned<String>, Text>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FieldFile {
    pub name: Text,
    pub purpose: Text,
    pub query: Option<Text>,
    #[serde(default)]
    pub options: Vec<String>,
    #[serde(default)]
    pub optional: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CaseFile {
    pub when: Text,
    pub to: Text,
}

impl StepFile {
    /// The keys that are written beside those of every step, with their places.
    pub fn written(&self) -> Vec<(&'static str, usize)> {
        let at = |key, span: Option<std::ops::Range<usize>>| span.map(|span| (key, span.start));
        [
            at("accept", self.accept.as_ref().map(Spanned::span)),
            at("query", self.query.as_ref().map(Spanned::span)),
            at("dcql", self.dcql.as_ref().map(Spanned::span)),
            at("channels", self.channels.as_ref().map(Spanned::span)),
            at("purpose", self.purpose.as_ref().map(Spanned::span)),
            at("bind", self.bind.as_ref().map(Spanned::span)),
            at("check", self.check.as_ref().map(Spanned::span)),
            at(
                "transaction_data",
                self.transaction_data.as_ref().map(Spanned::span),
            ),
            at("mode", self.mode.as_ref().map(Spanned::span)),
            at("providers", self.providers.as_ref().map(Spanned::span)),
            at("max_fields", self.max_fields.as_ref().map(Spanned::span)),
            at(
                "prefer_credential",
                self.prefer_credential.as_ref().map(Spanned::span),
            ),
            at(
                "cooldown_days",
                self.cooldown_days.as_ref().map(Spanned::span),
            ),
            at("field", self.field.as_ref().map(Spanned::span)),
            at("receipt", self.receipt.as_ref().map(Spanned::span)),
            at("model", self.model.as_ref().map(Spanned::span)),
            at("case", self.case.as_ref().map(Spanned::span)),
            at("url", self.url.as_ref().map(Spanned::span)),
            at("timeout_s", self.timeout_s.as_ref().map(Spanned::span)),
            at("challenge", self.challenge.as_ref().map(Spanned::span)),
            at("means", self.means.as_ref().map(Spanned::span)),
            at("type", self.credential_type.as_ref().map(Spanned::span)),
            at("notify", self.notify.as_ref().map(Spanned::span)),
            at("revoke", self.revoke.as_ref().map(Spanned::span)),
            at("emit", self.emit.as_ref().map(Spanned::span)),
            at("seconds", self.seconds.as_ref().map(Spanned::span)),
            at("cancel_link", self.cancel_link.as_ref().map(Spanned::span)),
            at("code", self.code.as_ref().map(Spanned::span)),
            at("show", self.show.as_ref().map(Spanned::span)),
            at("claims", self.claims.as_ref().map(Spanned::span)),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}
