//! Questions to wallets, in a file.

use std::collections::BTreeSet;

use vouchsafe_credentials::json;
use vouchsafe_protocol::vp::dcql::{DcqlQuery, require_login_profile};

use super::file::{StepFile, Text};
use super::keys::CHANNELS;
use super::mistake::Code;
use super::model::{Channel, Present, Question};
use super::read::Reader;
use super::steps::{Steps, several};

impl Steps<'_> {
    /// The question of a `present` step; notes the cards that it may bring.
    pub(super) fn question(
        &mut self,
        file: &StepFile,
        reader: &mut Reader<'_, '_>,
    ) -> Option<Question> {
        if file.kind.get_ref() != "present" {
            return None;
        }
        match (&file.query, &file.dcql) {
            (Some(query), None) => {
                reader.name("query", query);
                // The file does not say which cards a query of the configuration asks for.
                self.known.cards = None;
                Some(Question::Named(query.get_ref().clone()))
            }
            (None, Some(dcql)) => {
                let query = self.dcql(dcql, reader)?;
                let ids = query.credentials().iter();
                let ids = ids.map(|entry| entry.id().as_str().to_owned());
                if let Some(cards) = &mut self.known.cards {
                    cards.extend(ids);
                }
                Some(Question::Dcql(query))
            }
            _ => {
                self.known.cards = None;
                let hint = "`query` names a query of the configuration, `dcql` is one of its own";
                let message = "a `present` step has either `query` or `dcql`";
                let at = file.kind.span().start;
                reader.findings.at(at, Code::MissingKey, message, hint);
                None
            }
        }
    }

    fn dcql(&mut self, text: &Text, reader: &mut Reader<'_, '_>) -> Option<DcqlQuery> {
        let source = text.get_ref();
        let (inside, problem) = match json::parse_strict(source.as_bytes()) {
            Err(error) => (json_offset(source), format!("it is not JSON: {error}")),
            Ok(value) => match DcqlQuery::parse(&value) {
                Err(error) => (0, error.to_string()),
                Ok(query) => match require_login_profile(&query) {
                    Ok(()) => return Some(query),
                    Err(error) => (0, error.to_string()),
                },
            },
        };
        self.known.cards = None;
        let at = reader.findings.inside(&text.span(), source, inside);
        let hint = "OpenID4VP 1.0, section 6 says how a DCQL query is written";
        reader.findings.at(at, Code::BadDcql, problem, hint);
        None
    }

    pub(super) fn present(
        &self,
        file: &StepFile,
        question: Option<Question>,
        reader: &mut Reader<'_, '_>,
    ) -> Option<Present> {
        let channels = match &file.channels {
            None => BTreeSet::new(),
            channels => several(reader, "channels", channels, CHANNELS)?,
        };
        let channels = channels.into_iter().map(|channel| match channel {
            "dc_api" => Channel::DcApi,
            "same_device" => Channel::SameDevice,
            _ => Channel::Qr,
        });
        if let Some(purpose) = &file.purpose
            && !purpose.get_ref().contains_key("en")
        {
            let hint = "write `purpose = { en = \"…\" }` and other languages beside it";
            reader.bad(
                purpose.span().start,
                "`purpose` needs a text for `en`",
                hint,
            );
        }
        let bind = file.bind.as_ref();
        let bind = bind.map(|bind| reader.word("bind", bind, &["current_user"]));
        let check = match &file.check {
            Some(check) => Some(reader.condition(check, &self.known)?),
            None => None,
        };
        Some(Present {
            question: question?,
            channels: channels.collect(),
            purpose: file
                .purpose
                .as_ref()
                .map(|purpose| purpose.get_ref().clone())
                .unwrap_or_default(),
            bind: bind.is_some(),
            check,
            transaction_data: file.transaction_data.as_ref().is_some_and(|s| *s.get_ref()),
        })
    }
}

/// The byte where a text stops to be JSON.
fn json_offset(source: &str) -> usize {
    let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(source) else {
        return 0;
    };
    let lines = source.split_inclusive('\n').map(str::len);
    let before: usize = lines.take(error.line().saturating_sub(1)).sum();
    (before + error.column().saturating_sub(1)).min(source.len())
}
