//! Mistakes of a file that only a service finds, with their places: the file is right by itself.

use toml::Spanned;

use super::file::JourneyFile;
use super::mistake::{Code, Findings, Mistake};

/// A file that was read without mistakes, and what somebody who knows more finds wrong with it.
#[derive(Debug)]
pub struct Places<'t> {
    file: JourneyFile,
    findings: Findings<'t>,
}

impl<'t> Places<'t> {
    /// Reads the file again; `None` where it cannot be read.
    #[must_use]
    pub fn of(text: &'t str) -> Option<Self> {
        let file = toml::from_str(text).ok()?;
        let findings = Findings::new(text);
        Some(Self { file, findings })
    }

    /// A mistake at a key of the file, or at its `id` where the key is not written.
    pub fn at_top(&mut self, key: &str, code: Code, message: impl Into<String>, hint: &str) {
        let file = &self.file;
        let start = |text: &Spanned<String>| text.span().start;
        let written = match key {
            "clients" => file.clients.first().map(start),
            "match" => file.matches.as_ref().map(start),
            "subject" => file.subject.as_ref().map(start),
            "after" => file.after.first().map(start),
            "limits" => {
                let limit = file.limits.per_account_per_day.as_ref();
                limit.map(|limit| limit.span().start)
            }
            _ => None,
        };
        let at = written.unwrap_or_else(|| file.id.span().start);
        self.findings.at(at, code, message, hint);
    }

    /// A mistake at one of the applications.
    pub fn at_client(&mut self, client: &str, code: Code, message: impl Into<String>, hint: &str) {
        let named = self.file.clients.iter().find(|one| one.get_ref() == client);
        let at = named.map_or(0, |one| one.span().start);
        self.findings.at(at, code, message, hint);
    }

    /// A mistake at a key of a step, or at its `kind` where the key is not written.
    pub fn at_step(
        &mut self,
        step: usize,
        key: &str,
        code: Code,
        message: impl Into<String>,
        hint: &str,
    ) {
        let Some(file) = self.file.step.get(step).map(Spanned::get_ref) else {
            return self.at_top("id", code, message, hint);
        };
        let written = file.written();
        let known = written.iter().find(|(name, _)| *name == key);
        let at = match key {
            "when" => file.when.as_ref().map(|when| when.span().start),
            "on" => file.on.values().next().map(|target| target.span().start),
            _ => known.map(|(_, at)| *at),
        };
        let at = at.unwrap_or_else(|| file.kind.span().start);
        self.findings.at(at, code, message, hint);
    }

    /// The mistakes, in the order of the file.
    #[must_use]
    pub fn mistakes(self) -> Vec<Mistake> {
        self.findings.sorted()
    }
}
