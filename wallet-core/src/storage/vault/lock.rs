//! What a wallet is locked with.

use crate::storage::StorageError;

/// What a wallet is locked with from now on.
#[derive(Clone, Copy)]
pub enum Lock<'a> {
    /// A passphrase: wrong attempts make the next one wait, and there is no end to them.
    Passphrase(&'a str),
    /// A PIN, which is guessed soon by whoever may guess: after so many wrong attempts in a row the
    /// key is destroyed, and only a backup brings the cards back.
    Pin {
        /// 6 to 12 digits.
        digits: &'a str,
        /// 1 to 10.
        attempts: u8,
    },
}

impl Lock<'_> {
    /// The most wrong attempts in a row that a PIN allows.
    pub const MOST_PIN_ATTEMPTS: u8 = 10;

    /// The secret and its limit, where they are good enough.
    pub(super) fn checked(&self) -> Result<(&str, Option<u8>), StorageError> {
        match *self {
            Self::Passphrase(text) => {
                let pin_like = text.len() <= 12 && is_digits(text);
                if text.len() < super::Vault::MIN_PASSPHRASE || pin_like {
                    return Err(StorageError::WeakPassphrase);
                }
                Ok((text, None))
            }
            Self::Pin { digits, attempts } => {
                let long_enough = (6..=12).contains(&digits.len()) && is_digits(digits);
                let one_digit = digits.bytes().all(|b| digits.starts_with(char::from(b)));
                if !long_enough || one_digit {
                    return Err(StorageError::WeakPassphrase);
                }
                if !(1..=Self::MOST_PIN_ATTEMPTS).contains(&attempts) {
                    return Err(StorageError::PinLimit);
                }
                Ok((digits, Some(attempts)))
            }
        }
    }
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

impl<'a> From<&'a str> for Lock<'a> {
    fn from(passphrase: &'a str) -> Self {
        Self::Passphrase(passphrase)
    }
}

impl<'a> From<&'a String> for Lock<'a> {
    fn from(passphrase: &'a String) -> Self {
        Self::Passphrase(passphrase)
    }
}

impl std::fmt::Debug for Lock<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Passphrase(_) => "Passphrase(..)",
            Self::Pin { .. } => "Pin(..)",
        })
    }
}
