//! What is wrong with a journey file, and where.

use std::ops::Range;

use serde::Serialize;

/// A mistake in a file, with its place and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mistake {
    /// What kind of mistake.
    pub code: Code,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: String,
}

/// Kinds of mistakes. The names are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The file is not TOML 1.0.
    NotToml,
    /// A key that the format does not have, or not for this kind of step.
    UnknownKey,
    /// A key that the step cannot do without.
    MissingKey,
    /// A value that its key does not take.
    BadValue,
    /// Two steps have one id.
    DuplicateStep,
    /// No way leads to the step.
    UnreachableStep,
    /// Steps follow each other in a circle without `limits.max_visits`.
    EndlessLoop,
    /// No way leads from the step to a `finish` or a `deny`.
    NoEnd,
    /// No way to a `finish` reaches `require_acr`.
    UnmetRequireAcr,
    /// The DCQL query is not one.
    BadDcql,
    /// The expression is not CEL.
    BadCel,
    /// The expression is larger than the budget of an evaluation.
    CelTooLarge,
    /// CEL that journeys do not use.
    UnsupportedCel,
    /// A variable or a field that does not exist.
    UnknownVariable,
    /// A value of the wrong type.
    WrongType,
    /// A route leads to a step that does not exist.
    MissingTarget,
    /// More than 64 steps.
    TooManySteps,
    /// A `notify` step tells nobody.
    NotifyWithoutChannel,
    /// The login service cannot hold this: the file is right, and is not loaded.
    NotHeld,
    /// The configuration has no such question.
    UnknownQuery,
    /// The configuration has no such application.
    UnknownClient,
    /// Two files would serve one request.
    AmbiguousClient,
}

impl Code {
    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotToml => "not_toml",
            Self::UnknownKey => "unknown_key",
            Self::MissingKey => "missing_key",
            Self::BadValue => "bad_value",
            Self::DuplicateStep => "duplicate_step",
            Self::UnreachableStep => "unreachable_step",
            Self::EndlessLoop => "endless_loop",
            Self::NoEnd => "no_end",
            Self::UnmetRequireAcr => "unmet_require_acr",
            Self::BadDcql => "bad_dcql",
            Self::BadCel => "bad_cel",
            Self::CelTooLarge => "cel_too_large",
            Self::UnsupportedCel => "unsupported_cel",
            Self::UnknownVariable => "unknown_variable",
            Self::WrongType => "wrong_type",
            Self::MissingTarget => "missing_target",
            Self::TooManySteps => "too_many_steps",
            Self::NotifyWithoutChannel => "notify_without_channel",
            Self::NotHeld => "not_held",
            Self::UnknownQuery => "unknown_query",
            Self::UnknownClient => "unknown_client",
            Self::AmbiguousClient => "ambiguous_client",
        }
    }
}

/// A file that is being read: collects mistakes with their places.
#[derive(Debug)]
pub(super) struct Findings<'t> {
    text: &'t str,
    found: Vec<Mistake>,
}

impl<'t> Findings<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let found = Vec::new();
        Self { text, found }
    }

    /// A mistake at a byte of the file.
    pub(super) fn at(
        &mut self,
        offset: usize,
        code: Code,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        let (line, column) = self.place(offset);
        self.found.push(Mistake {
            code,
            line,
            column,
            message: message.into(),
            hint: hint.into(),
        });
    }

    /// The byte of the file where byte `inside` of a text value stands: a value without escapes
    /// stands in the file as it is.
    pub(super) fn inside(&self, span: &Range<usize>, value: &str, inside: usize) -> usize {
        let raw = self.text.get(span.clone()).unwrap_or_default();
        match raw.find(value) {
            Some(start) if !value.is_empty() => span.start + start + inside,
            _ => span.start,
        }
    }

    /// The mistakes, in the order of the file.
    pub(super) fn sorted(mut self) -> Vec<Mistake> {
        self.found
            .sort_by_key(|mistake| (mistake.line, mistake.column, mistake.code));
        self.found.dedup();
        self.found
    }

    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    fn place(&self, offset: usize) -> (usize, usize) {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let before = &self.text[..offset];
        let line = before.matches('\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (line, before[start..].chars().count() + 1)
    }
}

/// The known name that is meant by `wrong`, if one is near.
pub(super) fn nearest<'k>(
    wrong: &str,
    known: impl IntoIterator<Item = &'k str>,
) -> Option<&'k str> {
    let near = known
        .into_iter()
        .map(|name| (distance(wrong, name), name))
        .min()?;
    (near.0 <= 2 && near.0 < wrong.chars().count()).then_some(near.1)
}

/// How many letters differ.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut left = i + 1;
        let mut diagonal = i;
        for (j, to) in b.iter().enumerate() {
            let above = row[j + 1];
            let changed = diagonal + usize::from(from != *to);
            diagonal = above;
            row[j] = left;
            left = changed.min(above + 1).min(left + 1);
        }
        row[b.len()] = left;
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_that_differ_are_counted() {
        assert_eq!(distance("when", "when"), 0);
        assert_eq!(distance("whne", "when"), 2);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(nearest("chanels", ["channels", "check"]), Some("channels"));
        assert_eq!(nearest("colour", ["channels", "check"]), None);
    }

    #[test]
    fn places_count_characters_not_bytes() {
        let mut findings = Findings::new("a\näöx");
        findings.at(6, Code::BadValue, "m", "h");
        let found = findings.sorted();
        assert_eq!((found[0].line, found[0].column), (2, 3));
    }
}
