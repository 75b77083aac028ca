//! From the text of a file to a [`Journey`].

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};
use toml::Spanned;
use vouchsafe_protocol::oidc::acr::Acr;

use super::cel::{Expression, Known, Type};
use super::file::{JourneyFile, LimitsFile, OutcomeFile, StepFile, Text, Texts};
use super::keys::{KEYS, KINDS, STAGES, SUBJECTS, TIMEOUT_S};
use super::lint;
use super::mistake::{Code, Findings, Mistake, nearest};
use super::model::{Journey, Limits, MOST_STEPS, Stage, Subject};
use super::steps::Steps;

/// The longest file, in bytes.
const LONGEST_FILE: usize = 256 * 1024;

/// Reads a file and checks all that can be said without running it.
///
/// # Errors
/// Every [`Mistake`] that was found, in the order of the file.
pub fn read(text: &str) -> Result<Journey, Vec<Mistake>> {
    let mut findings = Findings::new(text);
    let journey = journey(text, &mut findings);
    match journey {
        Some(journey) if findings.is_empty() => Ok(journey),
        _ => Err(findings.sorted()),
    }
}

fn journey(text: &str, findings: &mut Findings<'_>) -> Option<Journey> {
    if text.len() > LONGEST_FILE {
        findings.at(
            0,
            Code::BadValue,
            "the file is too large",
            "one file is one journey",
        );
        return None;
    }
    let file = parse(text, findings)?;
    let JourneyFile {
        id,
        version,
        stage,
        clients,
        matches,
        subject,
        after,
        require_acr,
        timeout_s,
        limits,
        step,
        outcome,
    } = file;
    if step.is_empty() {
        let hint = "add `[[step]]`; the last one is a `finish` or a `deny`";
        findings.at(0, Code::MissingKey, "the journey has no step", hint);
        return None;
    }
    if let Some(first_too_many) = step.get(MOST_STEPS) {
        let message = format!("{} steps: more than {MOST_STEPS}", step.len());
        let hint = "split it: a journey runs `after` another one";
        findings.at(
            first_too_many.span().start,
            Code::TooManySteps,
            message,
            hint,
        );
        return None;
    }
    let mut reader = Reader { findings };
    reader.name("id", &id);
    let version = reader.number("version", Some(&version), (1, 1, i64::from(u32::MAX)));
    let stage = stage.as_ref().and_then(|text| reader.stage(text));
    let subject = subject.as_ref().and_then(|text| reader.subject(text));
    let level = require_acr.as_ref().and_then(|text| reader.level(text));
    let timeout_s = reader.number("timeout_s", timeout_s.as_ref(), TIMEOUT_S);
    let limits = reader.limits(&limits);
    let known = Known {
        cards: Some(BTreeSet::new()),
        ..Known::default()
    };
    let matches = matches.and_then(|text| reader.condition(&text, &known));
    let shown = outcome
        .into_iter()
        .map(|(code, OutcomeFile { show })| (code.into_inner(), show))
        .collect();
    let read = Steps::read(&step, &mut reader);
    let journey = Journey {
        id: id.into_inner(),
        version,
        hash: hex::encode(Sha256::digest(text.as_bytes())),
        stage,
        clients: plain(clients),
        matches,
        subject,
        after: plain(after),
        require_acr: level,
        timeout_s,
        limits,
        steps: read?,
        shown,
    };
    lint::lint(&journey, &step, require_acr.as_ref(), findings);
    Some(journey)
}

fn parse(text: &str, findings: &mut Findings<'_>) -> Option<JourneyFile> {
    if let Err(error) = toml::from_str::<toml::Table>(text) {
        let at = error.span().map_or(0, |span| span.start);
        let hint = "journeys are written in TOML 1.0";
        findings.at(at, Code::NotToml, error.message(), hint);
        return None;
    }
    let error = match toml::from_str::<JourneyFile>(text) {
        Ok(file) => return Some(file),
        Err(error) => error,
    };
    let at = error.span().map_or(0, |span| span.start);
    let message = error.message();
    let quoted = message.split('`').nth(1).unwrap_or_default();
    let (code, hint) = if message.starts_with("unknown field") {
        let known: Vec<&str> = message.split('`').skip(3).step_by(2).collect();
        let hint = match nearest(quoted, known.iter().copied()) {
            Some(near) => format!("`{near}` is meant perhaps"),
            None => format!("the keys are {}", known.join(", ")),
        };
        (Code::UnknownKey, hint)
    } else if message.starts_with("missing field") {
        (Code::MissingKey, format!("write `{quoted} = …`"))
    } else {
        let hint = "specs/journey.schema.json says what each key takes";
        (Code::BadValue, hint.to_owned())
    };
    findings.at(at, code, message, hint);
    None
}

/// The texts alone.
pub(super) fn plain(texts: Texts) -> Vec<String> {
    texts.into_iter().map(Spanned::into_inner).collect()
}

/// Reads values and says what is wrong with them.
pub(super) struct Reader<'f, 't> {
    pub findings: &'f mut Findings<'t>,
}

impl Reader<'_, '_> {
    pub fn bad(&mut self, at: usize, message: impl Into<String>, hint: impl Into<String>) {
        self.findings.at(at, Code::BadValue, message, hint);
    }

    /// Letters, digits, `_` and `-`, a letter first.
    pub fn name(&mut self, key: &str, text: &Text) {
        let name = text.get_ref();
        let good = name.len() <= 64
            && name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        if !good {
            let hint = "up to 64 letters, digits, `_` and `-`, a letter first";
            self.bad(text.span().start, format!("`{key}` is no name"), hint);
        }
    }

    /// A number between bounds, or its default.
    pub fn number(
        &mut self,
        key: &str,
        number: Option<&Spanned<i64>>,
        (default, least, most): (i64, i64, i64),
    ) -> u32 {
        let value = number.map_or(default, |number| *number.get_ref());
        match (u32::try_from(value), number) {
            (Ok(value), _) if (least..=most).contains(&i64::from(value)) => value,
            (_, number) => {
                let at = number.map_or(0, |number| number.span().start);
                self.bad(
                    at,
                    format!("`{key}` is out of bounds"),
                    format!("{least} to {most}"),
                );
                0
            }
        }
    }

    /// One of the words that a key takes.
    pub fn word(
        &mut self,
        key: &str,
        text: &Text,
        words: &'static [&'static str],
    ) -> Option<&'static str> {
        let found = words.iter().find(|word| **word == text.get_ref().as_str());
        if found.is_none() {
            let message = format!("`{key}` is never \"{}\"", text.get_ref());
            let hint = match nearest(text.get_ref(), words.iter().copied()) {
                Some(near) => format!("\"{near}\" is meant perhaps"),
                None => format!("one of {}", words.join(", ")),
            };
            self.bad(text.span().start, message, hint);
        }
        found.copied()
    }

    fn stage(&mut self, text: &Text) -> Option<Stage> {
        Some(match self.word("stage", text, STAGES)? {
            "awareness" => Stage::Awareness,
            "consideration" => Stage::Consideration,
            "decision" => Stage::Decision,
            _ => Stage::Retention,
        })
    }

    fn subject(&mut self, text: &Text) -> Option<Subject> {
        Some(match self.word("subject", text, SUBJECTS)? {
            "asserted_lookup" => Subject::AssertedLookup,
            "issuer_scoped_claim" => Subject::IssuerScopedClaim,
            "session_binding" => Subject::SessionBinding,
            _ => Subject::Guest,
        })
    }

    fn level(&mut self, text: &Text) -> Option<Acr> {
        let level = Acr::from_wire(text.get_ref());
        if level.is_none() {
            let values = Acr::ALL.map(Acr::as_str).join(", ");
            self.bad(
                text.span().start,
                "`require_acr` is no level of this service",
                format!("one of {values}"),
            );
        }
        level
    }

    fn limits(&mut self, limits: &LimitsFile) -> Limits {
        let LimitsFile {
            max_visits,
            per_account_per_day,
        } = limits;
        let most = i64::try_from(MOST_STEPS).unwrap_or(i64::MAX);
        let mut limit = |key, number: &Option<Spanned<i64>>, most| {
            let number = number.as_ref()?;
            Some(self.number(key, Some(number), (1, 1, most)))
        };
        Limits {
            max_visits: limit("max_visits", max_visits, most),
            per_account_per_day: limit("per_account_per_day", per_account_per_day, 1000),
        }
    }

    /// A condition: an expression that is true or false.
    pub fn condition(&mut self, text: &Text, known: &Known<'_>) -> Option<Expression> {
        let expression = self.expression(text, known)?;
        if !matches!(expression.yields(), Type::Bool | Type::Any) {
            let message = format!(
                "a condition is true or false, this is {}",
                expression.yields().one()
            );
            let hint = "compare it: `… == …`, `… > 0`, `\"x\" in …`";
            self.findings
                .at(text.span().start, Code::WrongType, message, hint);
            return None;
        }
        Some(expression)
    }

    /// An expression.
    pub fn expression(&mut self, text: &Text, known: &Known<'_>) -> Option<Expression> {
        match Expression::read(text.get_ref(), known) {
            Ok(expression) => Some(expression),
            Err(problems) => {
                for problem in problems {
                    let at = self
                        .findings
                        .inside(&text.span(), text.get_ref(), problem.offset);
                    self.findings
                        .at(at, problem.code, problem.message, problem.hint);
                }
                None
            }
        }
    }

    /// Whether the keys of a step belong to its kind.
    pub fn keys(&mut self, step: &StepFile) {
        let kind = step.kind.get_ref().as_str();
        if !KINDS.iter().any(|(known, _)| *known == kind) {
            let kinds = KINDS.map(|(kind, _)| kind);
            let hint = match nearest(kind, kinds) {
                Some(near) => format!("\"{near}\" is meant perhaps"),
                None => format!("one of {}", kinds.join(", ")),
            };
            let message = format!("there is no kind of step \"{kind}\"");
            self.bad(step.kind.span().start, message, hint);
            return;
        }
        let written: BTreeMap<&str, usize> = step.written().into_iter().collect();
        for (key, at) in &written {
            let entry = KEYS.iter().find(|entry| entry.name == *key);
            let kinds = entry.map_or(&[][..], |entry| entry.kinds);
            if !kinds.contains(&kind) {
                let message = format!("a `{kind}` step has no key `{key}`");
                let hint = format!("it belongs to {}", kinds.join(", "));
                self.findings.at(*at, Code::UnknownKey, message, hint);
            }
        }
        for key in super::keys::required(kind) {
            if !written.contains_key(key) {
                let message = format!("a `{kind}` step needs `{key}`");
                let entry = KEYS.iter().find(|entry| entry.name == *key);
                let meaning = entry.map_or("", |entry| entry.meaning);
                let at = step.kind.span().start;
                self.findings
                    .at(at, Code::MissingKey, message, format!("`{key}`: {meaning}"));
            }
        }
    }
}
