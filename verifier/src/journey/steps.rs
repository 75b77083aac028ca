//! The steps of a file.

use std::collections::{BTreeMap, BTreeSet};

use toml::Spanned;
use vouchsafe_protocol::http::UrlRule;

use super::cel::Known;
use super::file::{CaseFile, FieldFile, StepFile, Text, Texts};
use super::keys::{ACCEPT, MEANS, REVOKE};
use super::mistake::{Code, nearest};
use super::model::{Ask, Case, Field, Outcome, Question, Step, StepKind, Target};
use super::read::Reader;

/// Reads the steps with what they know of each other.
pub(super) struct Steps<'s> {
    ids: Vec<&'s str>,
    pub(super) known: Known<'s>,
}

impl<'s> Steps<'s> {
    /// The steps; `None` where one of them could not be read.
    pub fn read(files: &'s [Spanned<StepFile>], reader: &mut Reader<'_, '_>) -> Option<Vec<Step>> {
        let mut ids: Vec<&str> = Vec::with_capacity(files.len());
        for file in files {
            let id = &file.get_ref().id;
            reader.name("id", id);
            if ids.contains(&id.get_ref().as_str()) {
                let message = format!("there is another step `{}`", id.get_ref());
                let hint = "each step has a name of its own";
                reader
                    .findings
                    .at(id.span().start, Code::DuplicateStep, message, hint);
            }
            ids.push(id.get_ref());
        }
        let known = Known {
            steps: ids.iter().copied().collect(),
            cards: Some(BTreeSet::new()),
        };
        let mut steps = Self { ids, known };
        // Queries first: a condition may stand before the step that it knows the card from.
        let queries: Vec<Option<Question>> = files
            .iter()
            .map(|file| steps.question(file.get_ref(), reader))
            .collect();
        let mut all = Some(Vec::with_capacity(files.len()));
        for (file, query) in files.iter().zip(queries) {
            let step = steps.step(file.get_ref(), query, reader);
            all = all.zip(step).map(|(mut all, step)| {
                all.push(step);
                all
            });
        }
        all
    }

    fn step(
        &self,
        file: &StepFile,
        question: Option<Question>,
        reader: &mut Reader<'_, '_>,
    ) -> Option<Step> {
        reader.keys(file);
        let when = file.when.as_ref();
        let when = when.map(|text| reader.condition(text, &self.known));
        let mut on = BTreeMap::new();
        for (outcome, target) in &file.on {
            let found = Outcome::ALL
                .into_iter()
                .find(|known| known.as_str() == outcome.get_ref().as_str());
            let Some(known) = found else {
                let message = format!("there is no outcome `{}`", outcome.get_ref());
                let names = Outcome::ALL.map(Outcome::as_str);
                let hint = match nearest(outcome.get_ref(), names) {
                    Some(near) => format!("`{near}` is meant perhaps"),
                    None => format!("the outcomes are {}", names.join(", ")),
                };
                let at = outcome.span().start;
                reader.findings.at(at, Code::UnknownKey, message, hint);
                continue;
            };
            on.extend(self.target(target, reader).map(|target| (known, target)));
        }
        let kind = self.kind(file, question, reader)?;
        if matches!(when, Some(None)) {
            return None;
        }
        let when = when.flatten();
        let id = file.id.get_ref().clone();
        Some(Step { id, when, on, kind })
    }

    fn target(&self, text: &Text, reader: &mut Reader<'_, '_>) -> Option<Target> {
        let target = text.get_ref().as_str();
        if let Some(code) = target.strip_prefix("deny:") {
            let good = !code.is_empty()
                && code.len() <= 64
                && code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
            if !good {
                let hint = "`deny:` and a code of small letters and `_`";
                reader.bad(text.span().start, "this is no code", hint);
            }
            return good.then(|| Target::Deny(code.to_owned()));
        }
        let found = self.ids.iter().position(|id| *id == target);
        if found.is_none() {
            let message = format!("there is no step `{target}`");
            let hint = match nearest(target, self.ids.iter().copied()) {
                Some(near) => format!("`{near}` is meant perhaps"),
                None => format!("the steps are {}; or `deny:CODE`", self.ids.join(", ")),
            };
            let at = text.span().start;
            reader.findings.at(at, Code::MissingTarget, message, hint);
        }
        found.map(Target::Step)
    }

    fn kind(
        &self,
        file: &StepFile,
        question: Option<Question>,
        reader: &mut Reader<'_, '_>,
    ) -> Option<StepKind> {
        let text = |text: &Option<Text>| text.as_ref().map(|text| text.get_ref().clone());
        let switch = |switch: &Option<Spanned<bool>>| switch.as_ref().is_some_and(|s| *s.get_ref());
        Some(match file.kind.get_ref().as_str() {
            "identify" => StepKind::Identify {
                accept: several(reader, "accept", &file.accept, ACCEPT)?,
            },
            "present" => StepKind::Present(Box::new(self.present(file, question, reader)?)),
            "passkey" => {
                let mode = file.mode.as_ref();
                let mode = mode.map(|mode| reader.word("mode", mode, &["use", "register"]));
                let register = mode.unwrap_or(Some("use"))? == "register";
                StepKind::Passkey { register }
            }
            "totp" => StepKind::Totp,
            "upstream" => {
                let written = file.providers.as_ref()?;
                let providers = texts(&file.providers);
                let distinct: BTreeSet<&String> = providers.iter().collect();
                if providers.is_empty() || distinct.len() != providers.len() {
                    let message = "`providers` names none, or one of them twice";
                    let hint = "each `id` of `[[providers]]` that people may choose, once";
                    reader.bad(written.span().start, message, hint);
                }
                StepKind::Upstream { providers }
            }
            "ask" => StepKind::Ask(self.ask(file, reader)?),
            "consent" => {
                let receipt = file.receipt.as_ref();
                let good = receipt.map(|text| reader.word("receipt", text, &["iso27560"]));
                StepKind::Consent {
                    receipt: good.unwrap_or_default().is_some(),
                }
            }
            "risk" => StepKind::Risk {
                model: text(&file.model)?,
            },
            "decide" => self.decide(file, reader)?,
            "webhook" => self.webhook(file, reader)?,
            "link" => StepKind::Link {
                means: reader
                    .word("means", file.means.as_ref()?, MEANS)?
                    .to_owned(),
            },
            "issue" => StepKind::Issue {
                credential_type: text(&file.credential_type)?,
            },
            "notify" => self.notify(file, reader)?,
            "wait" => {
                let seconds = file.seconds.as_ref()?;
                StepKind::Wait {
                    seconds: reader.number("seconds", Some(seconds), (1, 1, 2_592_000)),
                    notify: texts(&file.notify),
                    cancel_link: switch(&file.cancel_link),
                }
            }
            "deny" => {
                let code = file.code.as_ref()?;
                reader.name("code", code);
                StepKind::Deny {
                    code: code.get_ref().clone(),
                    show: text(&file.show),
                    notify: texts(&file.notify),
                }
            }
            "finish" => {
                let mut claims = BTreeMap::new();
                let written = file.claims.iter().flat_map(|claims| claims.get_ref());
                for (name, expression) in written {
                    reader.name("claims", name);
                    let expression = reader.expression(expression, &self.known)?;
                    claims.insert(name.get_ref().clone(), expression);
                }
                StepKind::Finish { claims }
            }
            _ => return None,
        })
    }

    fn ask(&self, file: &StepFile, reader: &mut Reader<'_, '_>) -> Option<Ask> {
        let mut fields: Vec<Field> = Vec::new();
        for field in file.field.as_ref()?.get_ref() {
            let FieldFile {
                name,
                purpose,
                query,
                options,
                optional,
            } = field;
            reader.name("name", name);
            if fields.iter().any(|known| known.name == *name.get_ref()) {
                reader.bad(name.span().start, "it is asked twice", "ask for it once");
            }
            fields.push(Field {
                name: name.get_ref().clone(),
                purpose: purpose.get_ref().clone(),
                query: query.as_ref().map(|query| query.get_ref().clone()),
                options: options.clone(),
                optional: *optional,
            });
        }
        Some(Ask {
            max_fields: reader.number("max_fields", file.max_fields.as_ref(), (1, 1, 10)),
            prefer_credential: file
                .prefer_credential
                .as_ref()
                .is_some_and(|s| *s.get_ref()),
            cooldown_days: reader.number(
                "cooldown_days",
                file.cooldown_days.as_ref(),
                (30, 0, 3650),
            ),
            fields,
        })
    }

    fn decide(&self, file: &StepFile, reader: &mut Reader<'_, '_>) -> Option<StepKind> {
        let mut cases = Vec::new();
        for CaseFile { when, to } in file.case.as_ref()?.get_ref() {
            let condition = reader.condition(when, &self.known);
            let target = self.target(to, reader);
            cases.extend(condition.zip(target).map(|(when, to)| Case { when, to }));
        }
        Some(StepKind::Decide { cases })
    }

    fn webhook(&self, file: &StepFile, reader: &mut Reader<'_, '_>) -> Option<StepKind> {
        let url = file.url.as_ref()?;
        if !is_address(url.get_ref()) {
            reader.bad(url.span().start, "`url` is no https address", "https://…");
        }
        let challenge = file.challenge.as_ref();
        let sms = challenge.map(|text| reader.word("challenge", text, &["sms"]));
        Some(StepKind::Webhook {
            url: url.get_ref().clone(),
            timeout_s: reader.number("timeout_s", file.timeout_s.as_ref(), (3, 1, 3)),
            sms: sms.is_some(),
        })
    }

    fn notify(&self, file: &StepFile, reader: &mut Reader<'_, '_>) -> Option<StepKind> {
        let (notify, emit) = (texts(&file.notify), texts(&file.emit));
        if notify.is_empty() && emit.is_empty() {
            let message = "this step tells nobody";
            let hint = "add `notify = [\"user\"]` or `emit = [\"webhook:…\"]`";
            let at = file.kind.span().start;
            reader
                .findings
                .at(at, Code::NotifyWithoutChannel, message, hint);
        }
        for event in file.emit.iter().flat_map(|emit| emit.get_ref()) {
            let (kind, name) = event.get_ref().split_once(':').unwrap_or_default();
            if !["webhook", "caep"].contains(&kind) || name.is_empty() {
                let hint = "`webhook:NAME` or `caep:NAME`";
                reader.bad(event.span().start, "this is no event", hint);
            }
        }
        let revoke = match &file.revoke {
            None => BTreeSet::new(),
            revoke => several(reader, "revoke", revoke, REVOKE)?,
        };
        Some(StepKind::Notify {
            notify,
            revoke: revoke.into_iter().map(str::to_owned).collect(),
            emit,
        })
    }
}

pub(super) fn several(
    reader: &mut Reader<'_, '_>,
    key: &str,
    values: &Option<Spanned<Texts>>,
    words: &'static [&'static str],
) -> Option<BTreeSet<&'static str>> {
    let values = values.as_ref()?;
    if values.get_ref().is_empty() {
        let hint = format!("some of {}", words.join(", "));
        reader.bad(values.span().start, format!("`{key}` is empty"), hint);
    }
    let found = values.get_ref().iter();
    let found: Vec<Option<_>> = found.map(|value| reader.word(key, value, words)).collect();
    found.into_iter().collect()
}

fn texts(values: &Option<Spanned<Texts>>) -> Vec<String> {
    let values = values.iter().flat_map(|values| values.get_ref());
    values.map(|value| value.get_ref().clone()).collect()
}

/// Whether a system may be asked there: by https, or by http on this machine. Whether the service at
/// hand takes the second is for its configuration to say, where the address must stand, too.
fn is_address(text: &str) -> bool {
    let Ok(url) = url::Url::parse(text) else {
        return false;
    };
    match url.scheme() {
        "https" => true,
        "http" => UrlRule::LoopbackAllowed.parse(text).is_ok(),
        _ => false,
    }
}
