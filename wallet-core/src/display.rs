//! How a card looks and what its facts are called.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::picture::Pictures;
use crate::text::PlainText;

/// A colour as `#rrggbb`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Colour {
    red: u8,
    green: u8,
    blue: u8,
}

impl Colour {
    /// Ink on the card colour of the house style.
    pub const DEFAULT_TEXT: Self = Self {
        red: 0xff,
        green: 0xff,
        blue: 0xff,
    };
    /// The card colour of the house style.
    pub const DEFAULT_BACKGROUND: Self = Self {
        red: 0x0b,
        green: 0x5d,
        blue: 0x5e,
    };

    /// Parses `#rrggbb`; every other notation is `None`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#')?;
        if digits.len() != 6 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        let part = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
        Some(Self {
            red: part(0)?,
            green: part(2)?,
            blue: part(4)?,
        })
    }

    /// Contrast of two colours, 1 to 21 (WCAG 2.2, "contrast ratio").
    #[must_use]
    pub fn contrast(self, other: Self) -> f64 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    fn luminance(self) -> f64 {
        let channel = |value: u8| {
            let value = f64::from(value) / 255.0;
            if value <= 0.04045 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * channel(self.red) + 0.7152 * channel(self.green) + 0.0722 * channel(self.blue)
    }
}

impl std::fmt::Display for Colour {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.red, self.green, self.blue)
    }
}

impl TryFrom<String> for Colour {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("not a colour")
    }
}

impl From<Colour> for String {
    fn from(colour: Colour) -> Self {
        colour.to_string()
    }
}

/// A text in one language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Localized {
    /// Language tag (BCP 47); `None` when the source gave none.
    pub locale: Option<String>,
    /// The text.
    pub text: PlainText,
}

/// The text in the first preferred language that is there: exact tag, then
/// same primary language, then the first of all.
#[must_use]
pub fn choose<'a>(texts: &'a [Localized], preferred: &[&str]) -> Option<&'a PlainText> {
    let primary = |tag: &str| tag.split('-').next().unwrap_or(tag).to_ascii_lowercase();
    let exact = preferred.iter().find_map(|want| {
        texts.iter().find(|t| {
            t.locale
                .as_deref()
                .is_some_and(|l| l.eq_ignore_ascii_case(want))
        })
    });
    let close = || {
        preferred.iter().find_map(|want| {
            texts
                .iter()
                .find(|t| t.locale.as_deref().map(primary) == Some(primary(want)))
        })
    };
    exact
        .or_else(close)
        .or_else(|| texts.first())
        .map(|found| &found.text)
}

/// The look of a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardDisplay {
    /// The name of the card.
    pub name: Vec<Localized>,
    /// The name of who issued it, as the issuer's metadata says.
    pub issuer: Vec<Localized>,
    /// Colour of the card.
    pub background: Colour,
    /// Colour of the text on it; contrast to the background at least 4.5.
    pub text: Colour,
    /// What its facts are called, in the order to show them.
    pub claims: Vec<ClaimDisplay>,
    /// Its pictures; cards that were added earlier have none.
    #[serde(default)]
    pub pictures: Pictures,
}

/// What a fact is called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimDisplay {
    /// Where it is: strings, places in arrays, `null` for every element
    /// (OpenID4VCI 1.0, appendix C).
    pub path: Vec<Value>,
    /// Its name.
    pub label: Vec<Localized>,
}

impl CardDisplay {
    /// The look from metadata. Colours that cannot be read together, or at
    /// all, give way to those of the house style.
    #[must_use]
    pub fn new(
        name: Vec<Localized>,
        issuer: Vec<Localized>,
        background: Option<&str>,
        text: Option<&str>,
        claims: Vec<ClaimDisplay>,
    ) -> Self {
        let colours = background.and_then(Colour::parse).and_then(|background| {
            let wanted = text.and_then(Colour::parse).into_iter();
            let readable = wanted
                .chain([
                    Colour::DEFAULT_TEXT,
                    Colour {
                        red: 0x1b,
                        green: 0x21,
                        blue: 0x30,
                    },
                ])
                .find(|text| text.contrast(background) >= 4.5)?;
            Some((background, readable))
        });
        let (background, text) =
            colours.unwrap_or((Colour::DEFAULT_BACKGROUND, Colour::DEFAULT_TEXT));
        Self {
            name,
            issuer,
            background,
            text,
            claims,
            pictures: Pictures::default(),
        }
    }

    /// The label of the fact at `path`: from the metadata, or made from the
    /// last name in the path.
    #[must_use]
    pub fn label(&self, path: &[Value], preferred: &[&str]) -> PlainText {
        let known = self
            .claims
            .iter()
            .find(|claim| same_path(&claim.path, path));
        known
            .and_then(|claim| choose(&claim.label, preferred).cloned())
            .unwrap_or_else(|| self.derived_label(path, preferred))
    }

    /// `["age_equal_or_over", "18"]` without a label of its own reads as the
    /// label of its parent and the last step.
    fn derived_label(&self, path: &[Value], preferred: &[&str]) -> PlainText {
        let parent = path.split_last().and_then(|(last, parent)| {
            let known = self
                .claims
                .iter()
                .find(|claim| same_path(&claim.path, parent))?;
            Some((choose(&known.label, preferred)?, last))
        });
        if let Some((label, last)) = parent {
            return match last {
                Value::String(key) => PlainText::new(&format!("{label} {}", words(key))),
                _ => label.clone(),
            };
        }
        let names = path
            .iter()
            .filter_map(Value::as_str)
            .map(words)
            .collect::<Vec<_>>();
        PlainText::new(&names.join(" "))
    }
}

fn words(key: &str) -> String {
    let spaced = key.replace(['_', '-'], " ");
    let mut chars = spaced.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => spaced,
    }
}

fn same_path(pattern: &[Value], path: &[Value]) -> bool {
    pattern.len() == path.len()
        && pattern
            .iter()
            .zip(path)
            .all(|(p, step)| p == step || (p.is_null() && step.is_u64()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn texts(entries: &[(&str, &str)]) -> Vec<Localized> {
        let localized = |(locale, text): &(&str, &str)| Localized {
            locale: (!locale.is_empty()).then(|| (*locale).to_owned()),
            text: PlainText::new(text),
        };
        entries.iter().map(localized).collect()
    }

    fn path(value: &Value) -> Vec<Value> {
        value.as_array().unwrap().clone()
    }

    #[test]
    fn unreadable_or_hostile_colours_fall_back() {
        for (background, text) in [
            (Some("red"), None),
            (Some("#fff;}body{display:none"), None),
            (Some("#fffff"), Some("#000000")),
            (None, Some("#000000")),
        ] {
            let card = CardDisplay::new(vec![], vec![], background, text, vec![]);
            assert_eq!(
                card.background,
                Colour::DEFAULT_BACKGROUND,
                "{background:?}"
            );
            assert_eq!(card.text, Colour::DEFAULT_TEXT);
        }
        let card = CardDisplay::new(vec![], vec![], Some("#ffffff"), Some("#fefefe"), vec![]);
        assert!(card.text.contrast(card.background) >= 4.5);
    }

    #[test]
    fn language_is_chosen_exactly_then_loosely_then_first() {
        let texts = texts(&[("en-US", "Age"), ("de", "Alter"), ("", "?")]);
        let pick = |preferred: &[&str]| choose(&texts, preferred).unwrap().as_str();
        assert_eq!(pick(&["fr", "de"]), "Alter");
        assert_eq!(pick(&["de-AT"]), "Alter");
        assert_eq!(pick(&["EN-us"]), "Age");
        assert_eq!(pick(&[]), "Age");
        assert!(choose(&[], &["en"]).is_none());
    }

    #[test]
    fn labels_come_from_metadata_or_the_path() {
        let claims = vec![
            ClaimDisplay {
                path: path(&json!(["age_equal_or_over"])),
                label: texts(&[("en", "Age at least")]),
            },
            ClaimDisplay {
                path: path(&json!(["nationalities", null])),
                label: texts(&[("en", "Nationality")]),
            },
        ];
        let card = CardDisplay::new(vec![], vec![], None, None, claims);
        let label = |value: Value| card.label(&path(&value), &["en"]).as_str().to_owned();
        assert_eq!(label(json!(["age_equal_or_over", "18"])), "Age at least 18");
        assert_eq!(label(json!(["nationalities", 1])), "Nationality");
        assert_eq!(label(json!(["member_id"])), "Member id");
        assert_eq!(label(json!(["address", "street"])), "Address Street");
    }
}
