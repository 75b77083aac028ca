//! What streams tell of logins and of verifications.

use serde::Deserialize;

use super::State;
use crate::domain::verification::Status;

/// Which page waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum View {
    /// The page with the button.
    Choose,
    /// The page with the QR code.
    Qr,
    /// The page with the field for the number.
    Number,
}

impl View {
    /// Its name in the address.
    pub fn name(self) -> &'static str {
        match self {
            Self::Choose => "choose",
            Self::Qr => "qr",
            Self::Number => "number",
        }
    }
}

/// What a waiting page is told, in one word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word(
    /// The word.
    pub String,
);

impl State for Word {
    fn is_final(&self) -> bool {
        matches!(self.0.as_str(), "finished" | "failed" | "expired")
    }
}

/// What a caller is told of a verification.
#[derive(Debug, Clone)]
pub struct Told {
    /// How it stands.
    pub status: Status,
    /// The same as JSON, with the reason.
    pub data: String,
}

impl PartialEq for Told {
    // Where the status is the same, so is the reason.
    fn eq(&self, other: &Self) -> bool {
        self.status == other.status
    }
}

impl State for Told {
    fn is_final(&self) -> bool {
        self.status.is_final()
    }
}
