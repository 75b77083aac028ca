//! `[[attribute]]`: what the service may know about a person who wants it to.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use vouchsafe_pages::Locale;
use vouchsafe_protocol::vp::values::LocalizedText;

use super::claims::{RESERVED, localized};
use super::error::ConfigError;
use super::query::Query;
use crate::domain::attribute::{Kind, Known, Source, is_date};
use crate::domain::ids::QueryId;
use crate::domain::request::{OFFLINE_ACCESS, OPENID};

/// Longest text that may be kept, in characters.
const LONGEST: usize = 500;
/// Nothing is kept longer than ten years.
const MOST_DAYS: u32 = 3660;

/// An attribute, as written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttributeConfig {
    /// Its name.
    pub name: String,
    /// How it is called in front of the person, in every language of the pages.
    pub label: BTreeMap<String, String>,
    /// What it is kept for, in every language of the pages.
    pub purpose: BTreeMap<String, String>,
    /// What a value looks like.
    #[serde(rename = "type")]
    pub kind: KindConfig,
    /// Longest text in characters; 100 without it.
    pub max_length: Option<usize>,
    /// The values of a choice.
    #[serde(default)]
    pub options: Vec<String>,
    /// How they are called, in every language of the pages; by their values without it.
    #[serde(default)]
    pub option_labels: BTreeMap<String, BTreeMap<String, String>>,
    /// First day of a date.
    pub not_before: Option<String>,
    /// Last day of a date.
    pub not_after: Option<String>,
    /// Name of its claim; as `name` without it.
    pub claim: Option<String>,
    /// The scope value that asks for it, beside the `claims` parameter.
    pub scope: Option<String>,
    /// The question whose card fills it.
    pub query: Option<String>,
    /// The claim of that question; as `name` without it.
    pub query_claim: Option<String>,
    /// Whether people may say it themselves; `false` where only a card may.
    #[serde(default = "yes")]
    pub typed: bool,
    /// It is deleted so many days after it was said or shown.
    pub keep_days: u32,
}

const fn yes() -> bool {
    true
}

/// `type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum KindConfig {
    Text,
    Choice,
    Bool,
    Date,
}

/// A checked attribute.
#[derive(Debug, Clone)]
pub struct Attribute {
    /// Its name.
    pub name: String,
    /// How it is called.
    pub label: LocalizedText,
    /// What it is kept for.
    pub purpose: LocalizedText,
    /// What a value looks like.
    pub kind: Kind,
    /// How the values of a choice are called.
    pub option_labels: BTreeMap<String, LocalizedText>,
    /// Name of its claim.
    pub claim: String,
    /// The scope value that asks for it.
    pub scope: Option<String>,
    /// The card that fills it.
    pub card: Option<FromCard>,
    /// Whether people may say it themselves.
    pub typed: bool,
    /// How long it is kept, in seconds.
    pub keep_s: i64,
}

/// Which claim of which question fills an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FromCard {
    /// The question.
    pub query: QueryId,
    /// Name of its claim.
    pub claim: String,
}

impl Attribute {
    /// Checks an attribute against the questions.
    pub fn parse(config: &AttributeConfig, queries: &[Query]) -> Result<Self, ConfigError> {
        let AttributeConfig {
            name,
            label,
            purpose,
            kind: _,
            max_length: _,
            options: _,
            option_labels,
            not_before: _,
            not_after: _,
            claim,
            scope,
            query,
            query_claim,
            typed,
            keep_days,
        } = config;
        let refuse = |reason: &str| ConfigError::attribute(name, reason);
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        if name.is_empty() || name.len() > 64 || !name.bytes().all(plain) {
            return Err(refuse("a name is small letters, digits and _"));
        }
        let claim = claim.clone().unwrap_or_else(|| name.clone());
        if claim.is_empty() || RESERVED.contains(&claim.as_str()) {
            return Err(refuse("the claim name is reserved"));
        }
        if let Some(scope) = scope {
            let known = queries.iter().flat_map(Query::scope_names);
            let mut taken = known.chain([OPENID, OFFLINE_ACCESS]);
            if scope.is_empty() || scope.contains(' ') || taken.any(|other| other == scope) {
                return Err(refuse("the scope is empty, reserved or that of a query"));
            }
        }
        if !(1..=MOST_DAYS).contains(keep_days) {
            return Err(refuse("keep_days must be between 1 and 3660"));
        }
        if !typed && query.is_none() {
            return Err(refuse("typed = false needs a query: nobody could say it"));
        }
        let kind = kind(config).map_err(refuse)?;
        let mut labels = BTreeMap::new();
        for (option, texts) in option_labels {
            if !matches!(&kind, Kind::Choice { options } if options.contains(option)) {
                return Err(refuse("option_labels names no option"));
            }
            let text = every_language(texts).ok_or_else(|| refuse(LANGUAGES))?;
            labels.insert(option.clone(), text);
        }
        Ok(Self {
            name: name.clone(),
            label: every_language(label).ok_or_else(|| refuse(LANGUAGES))?,
            purpose: every_language(purpose).ok_or_else(|| refuse(LANGUAGES))?,
            kind,
            option_labels: labels,
            claim,
            scope: scope.clone(),
            card: card(name, (query, query_claim), queries).map_err(refuse)?,
            typed: *typed,
            keep_s: i64::from(*keep_days) * 86_400,
        })
    }

    /// Whether a value is of a source that may say it.
    #[must_use]
    pub fn takes(&self, known: &Known) -> bool {
        self.typed || known.source != Source::Said
    }

    /// How a value is called in front of the person.
    #[must_use]
    pub fn shown(&self, value: &Value, locale: &str) -> String {
        let text = value.as_str().unwrap_or_default();
        let named = self.option_labels.get(text);
        named
            .map_or(text, |label| label.for_locale(locale))
            .to_owned()
    }
}

const LANGUAGES: &str = "label, purpose and option_labels need a text in each of en de fr es it ar";

fn every_language(texts: &BTreeMap<String, String>) -> Option<LocalizedText> {
    let said = |locale: Locale| texts.get(locale.tag()).is_some_and(|text| !text.is_empty());
    let all = Locale::ALL.into_iter().all(said);
    localized(texts).filter(|_| all)
}

fn kind(config: &AttributeConfig) -> Result<Kind, &'static str> {
    let text = config.max_length.is_some();
    let choice = !config.options.is_empty() || !config.option_labels.is_empty();
    let date = config.not_before.is_some() || config.not_after.is_some();
    Ok(match config.kind {
        KindConfig::Text if !choice && !date => {
            let longest = config.max_length.unwrap_or(100);
            if !(1..=LONGEST).contains(&longest) {
                return Err("max_length must be between 1 and 500");
            }
            Kind::Text { longest }
        }
        KindConfig::Choice if !text && !date => {
            let options = config.options.clone();
            let fits = |option: &String| {
                !option.is_empty() && option.trim() == option && option.chars().count() <= 100
            };
            let mut sorted = options.clone();
            sorted.sort();
            sorted.dedup();
            if !(2..=50).contains(&options.len()) || sorted.len() != options.len() {
                return Err("a choice has 2 to 50 options, each once");
            }
            if !options.iter().all(fits) {
                return Err("an option is empty, too long, or begins or ends with a space");
            }
            Kind::Choice { options }
        }
        KindConfig::Bool if !text && !choice && !date => Kind::Bool,
        KindConfig::Date if !text && !choice => {
            let ends = [&config.not_before, &config.not_after];
            if ends.into_iter().flatten().any(|day| !is_date(day)) {
                return Err("not_before and not_after are dates such as 1900-01-31");
            }
            Kind::Date {
                first: config.not_before.clone(),
                last: config.not_after.clone(),
            }
        }
        KindConfig::Text | KindConfig::Choice | KindConfig::Bool | KindConfig::Date => {
            return Err("a limit of another type");
        }
    })
}

fn card(
    name: &str,
    (query, claim): (&Option<String>, &Option<String>),
    queries: &[Query],
) -> Result<Option<FromCard>, &'static str> {
    let Some(query) = query else {
        return match claim {
            Some(_) => Err("query_claim without query"),
            None => Ok(None),
        };
    };
    let claim = claim.clone().unwrap_or_else(|| name.to_owned());
    let found = queries.iter().find(|one| one.id.as_str() == query);
    let found = found.ok_or("query names no [[query]]")?;
    if !found.claim_names().any(|known| known == claim) {
        return Err("query_claim is no claim of the query");
    }
    Ok(Some(FromCard {
        query: found.id.clone(),
        claim,
    }))
}
