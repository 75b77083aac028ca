//! Text that came from somebody else, made safe to show.

#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::string_slice,
        clippy::unwrap_used
    )
)]

use serde::{Deserialize, Serialize};

/// One line of text to show to a person: without control characters, without
/// characters that reorder or hide text, and not too long. Hosts still escape
/// it for their medium.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct PlainText(String);

impl PlainText {
    /// The most characters kept; the rest becomes an ellipsis.
    pub const MAX_CHARS: usize = 120;

    /// Cleans a text. The result may be empty.
    // SD-JWT VC, "Textual information": displayed text must not mislead.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut line = String::new();
        let mut chars = text.chars().map(blank_to_space).filter(|c| !is_hidden(*c));
        for c in chars.by_ref().take(Self::MAX_CHARS) {
            if !(c == ' ' && (line.is_empty() || line.ends_with(' '))) {
                line.push(c);
            }
        }
        if chars.next().is_some() {
            line.push('…');
        }
        line.truncate(line.trim_end().len());
        Self(line)
    }

    /// As [`PlainText::new`]; `None` when nothing is left to show.
    #[must_use]
    pub fn non_empty(text: &str) -> Option<Self> {
        Some(Self::new(text)).filter(|clean| !clean.0.is_empty())
    }

    /// The text between isolates (U+2068, U+2069), so that its direction changes nothing around
    /// it (Unicode Standard Annex 9). For a medium without an element for that, such as a terminal.
    #[must_use]
    pub fn isolated(&self) -> String {
        format!("\u{2068}{}\u{2069}", self.0)
    }

    /// The text as HTML: escaped, its direction isolated by `<bdi>`.
    #[must_use]
    pub fn to_html(&self) -> String {
        let mut html = String::with_capacity(self.0.len().saturating_add(11));
        html.push_str("<bdi>");
        for c in self.0.chars() {
            match c {
                '&' => html.push_str("&amp;"),
                '<' => html.push_str("&lt;"),
                '>' => html.push_str("&gt;"),
                '"' => html.push_str("&quot;"),
                '\'' => html.push_str("&apos;"),
                c => html.push(c),
            }
        }
        html.push_str("</bdi>");
        html
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for PlainText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for PlainText {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self::new(&text))
    }
}

fn blank_to_space(c: char) -> char {
    if c.is_whitespace() { ' ' } else { c }
}

/// Controls, bidirectional controls, zero-width and other format characters,
/// variation selectors, tags, private use: what nobody sees, or what makes other text look otherwise.
#[must_use]
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}'
            | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{e000}'..='\u{f8ff}' | '\u{e0000}'..='\u{10ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cat_034_cat_443_hidden_and_reordering_characters_go() {
        let hostile =
            "\u{202e}knab\u{202c} My\u{200b} \u{2066}Bank\u{2069}\u{0000}\r\n\tLtd\u{e0041}";
        assert_eq!(PlainText::new(hostile).as_str(), "knab My Bank Ltd");
        assert_eq!(PlainText::non_empty(" \u{200b}\u{202e}\n "), None);
    }

    #[test]
    fn cat_034_cat_443_long_text_is_cut() {
        let long = PlainText::new(&"é".repeat(1 << 20));
        assert_eq!(long.as_str().chars().count(), PlainText::MAX_CHARS + 1);
        assert!(long.as_str().ends_with('…'));
    }

    #[test]
    fn cat_034_html_is_escaped_and_direction_isolated() {
        let text = PlainText::new("<img src=x onerror='alert(1)'> & \"\u{5d0}\"");
        assert_eq!(
            text.to_html(),
            "<bdi>&lt;img src=x onerror=&apos;alert(1)&apos;&gt; &amp; &quot;\u{5d0}&quot;</bdi>"
        );
        assert_eq!(
            PlainText::new("\u{2069}a\u{2068}").isolated(),
            "\u{2068}a\u{2069}"
        );
    }

    #[test]
    fn names_of_people_stay_as_they_are() {
        for name in ["Åsa Ödman", "محمد", "李雷", "O'Neil <b>"] {
            assert_eq!(PlainText::new(name).as_str(), name);
        }
    }
}
