//! What the service knows about a person, with where it comes from.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use vouchsafe_credentials::time::UnixTime;

use super::ids::{ClientId, ConsentId};

/// What a value looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    Text {
        /// Characters at most.
        longest: usize,
    },
    /// One of these.
    Choice {
        /// The values.
        options: Vec<String>,
    },
    /// Yes or no.
    Bool,
    /// A day.
    Date {
        /// The first one.
        first: Option<String>,
        /// The last one.
        last: Option<String>,
    },
}

/// Why a value is not taken. The value is not in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// Nothing was said.
    Empty,
    /// It is longer than it may be.
    TooLong,
    /// It is none of the options.
    NoOption,
    /// It is no day, or not one of those that may be.
    NoDate,
    /// It has characters that nobody sees, or is of another type.
    Unusable,
    /// The person did not say that it may be kept.
    NotAgreed,
    /// Only a card may say it.
    OnlyCard,
}

impl Wrong {
    /// The end of the key of its text.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLong => "too-long",
            Self::NoOption => "no-option",
            Self::NoDate => "no-date",
            Self::Unusable => "unusable",
            Self::NotAgreed => "not-agreed",
            Self::OnlyCard => "only-card",
        }
    }
}

impl Kind {
    /// Its name for pages.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Text { .. } => "text",
            Self::Choice { .. } => "choice",
            Self::Bool => "bool",
            Self::Date { .. } => "date",
        }
    }

    /// What somebody typed or chose.
    pub fn typed(&self, text: &str) -> Result<Value, Wrong> {
        let text = text.trim();
        match (self, text) {
            (_, "") => Err(Wrong::Empty),
            (Self::Bool, "yes") => Ok(Value::Bool(true)),
            (Self::Bool, "no") => Ok(Value::Bool(false)),
            (Self::Bool, _) => Err(Wrong::NoOption),
            (Self::Text { .. } | Self::Choice { .. } | Self::Date { .. }, text) => {
                self.taken(&Value::from(text))
            }
        }
    }

    /// What a card says. The same limits hold.
    pub fn taken(&self, value: &Value) -> Result<Value, Wrong> {
        let text = match (self, value) {
            (Self::Bool, Value::Bool(_)) => return Ok(value.clone()),
            (Self::Bool, _) => return Err(Wrong::Unusable),
            (_, Value::String(text)) => text.trim(),
            (_, _) => return Err(Wrong::Unusable),
        };
        match self {
            _ if text.is_empty() => Err(Wrong::Empty),
            Self::Text { longest } if text.chars().count() > *longest => Err(Wrong::TooLong),
            Self::Text { .. } if text.chars().any(is_unseen) => Err(Wrong::Unusable),
            Self::Choice { options } if !options.iter().any(|option| option == text) => {
                Err(Wrong::NoOption)
            }
            Self::Date { first, last } => {
                // Days of this form compare as texts.
                let early = first.as_deref().is_some_and(|first| text < first);
                let late = last.as_deref().is_some_and(|last| text > last);
                match is_date(text) && !early && !late {
                    true => Ok(Value::from(text)),
                    false => Err(Wrong::NoDate),
                }
            }
            Self::Text { .. } | Self::Choice { .. } | Self::Bool => Ok(Value::from(text)),
        }
    }
}

/// Whether nobody sees a character: control characters, and those of Unicode that join, separate or turn
/// the direction of a text (UAX 9, section 2).
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// Whether a text is a day of the calendar, as `full-date` of RFC 3339, section 5.6.
#[must_use]
pub fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts.as_slice() else {
        return false;
    };
    let number = |part: &str, digits: usize| {
        let fits = part.len() == digits && part.bytes().all(|b| b.is_ascii_digit());
        part.parse::<u32>().ok().filter(|_| fits)
    };
    let (Some(year), Some(month), Some(day)) = (number(year, 4), number(month, 2), number(day, 2))
    else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 0,
    };
    (1..=days).contains(&day)
}

/// Where a value comes from; a later one outranks those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The person said it.
    #[serde(rename = "self")]
    Said,
    /// Another provider said it.
    Upstream,
    /// A card of a trusted issuer said it.
    Wallet,
}

impl Source {
    /// Its name in the database, in exports and of the texts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Said => "self",
            Self::Upstream => "upstream",
            Self::Wallet => "wallet",
        }
    }

    /// How much it counts for.
    #[must_use]
    pub const fn rank(self) -> i64 {
        match self {
            Self::Said => 1,
            Self::Upstream => 2,
            Self::Wallet => 3,
        }
    }

    /// The source of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Said, Self::Upstream, Self::Wallet]
            .into_iter()
            .find(|source| source.name() == name)
    }
}

/// A value with where it comes from.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Known {
    /// Name of the attribute.
    pub name: String,
    /// The value.
    pub value: Value,
    /// Where it comes from.
    pub source: Source,
    /// Why it is believed: the trusted issuer of the card. Nothing for what the person said.
    pub assurance: Option<String>,
    /// When it was said or shown.
    pub verified_at: UnixTime,
    /// What for, in the words that the person read.
    pub purpose: String,
    /// When the person agreed that it is kept.
    pub agreed_at: UnixTime,
    /// It is deleted then.
    pub expires_at: UnixTime,
    /// The consent with an application that was given with it, in the step that asked.
    #[serde(default)]
    pub consent: Option<ConsentId>,
    /// Applications that do not learn it: the person said so where they were asked.
    #[serde(default)]
    pub not_for: Vec<NotFor>,
}

/// An application that does not learn a value, until a later consent names the attribute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotFor {
    /// The application.
    pub client: ClientId,
    /// When it was asked for.
    pub at: UnixTime,
}

impl Known {
    /// Whether an application may learn it by a consent of this time.
    #[must_use]
    pub fn is_for(&self, client: &ClientId, given_at: UnixTime) -> bool {
        let mut noes = self.not_for.iter().filter(|one| one.client == *client);
        noes.all(|one| given_at > one.at)
    }
}

/// Neither value nor purpose reaches a log.
impl std::fmt::Debug for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Known({}, {})", self.name, self.source.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_value_keeps_to_the_limits_of_its_type() {
        let text = Kind::Text { longest: 3 };
        assert_eq!(text.typed(" äbc "), Ok(json!("äbc")));
        assert_eq!(text.typed("abcd"), Err(Wrong::TooLong));
        assert_eq!(text.typed(" "), Err(Wrong::Empty));
        assert_eq!(text.typed("a\u{7}"), Err(Wrong::Unusable));
        assert_eq!(text.taken(&json!(5)), Err(Wrong::Unusable));
        let options = vec!["road".to_owned(), "city".to_owned()];
        let choice = Kind::Choice { options };
        assert_eq!(choice.typed("road"), Ok(json!("road")));
        assert_eq!(choice.typed("Road"), Err(Wrong::NoOption));
        assert_eq!(Kind::Bool.typed("yes"), Ok(json!(true)));
        assert_eq!(Kind::Bool.typed("true"), Err(Wrong::NoOption));
        assert_eq!(Kind::Bool.taken(&json!("yes")), Err(Wrong::Unusable));
        let (first, last) = (Some("1900-01-01".to_owned()), Some("2026-12-31".to_owned()));
        let date = Kind::Date { first, last };
        assert_eq!(date.typed("2024-02-29"), Ok(json!("2024-02-29")));
        for wrong in [
            "2023-02-29",
            "1899-12-31",
            "2027-01-01",
            "24-2-9",
            "+024-02-29",
            "x",
        ] {
            assert_eq!(date.typed(wrong), Err(Wrong::NoDate), "{wrong}");
        }
    }

    #[test]
    fn no_value_is_in_what_is_printed() {
        let known = Known {
            name: "n".to_owned(),
            value: json!("canary"),
            source: Source::Said,
            assurance: None,
            verified_at: UnixTime(0),
            purpose: "canary".to_owned(),
            agreed_at: UnixTime(0),
            expires_at: UnixTime(0),
            consent: None,
            not_for: Vec::new(),
        };
        assert_eq!(format!("{known:?}"), "Known(n, self)");
        assert!(Source::Said < Source::Upstream && Source::Upstream < Source::Wallet);
    }
}
