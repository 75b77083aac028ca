//! Secrets that pass through persons and wallets, and the digests that the database keeps.
//!
//! Bearer secrets carry 256 bits, so a plain hash under a label is enough. Codes that a
//! person types carry 20 to 40 bits: they are hashed together with the bearer secret of the
//! same offer, which the database does not hold, so a copy of the database is no oracle.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use vouchsafe_credentials::random::{self, Rng};
use zeroize::Zeroizing;

/// How often a typed code may be tried before the offer is dead.
pub const MAX_TRIES: i64 = 5;

/// Characters of the one-time code: no letter that looks like a digit, 32 in all.
const CODE_ALPHABET: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
const ONE_TIME_CODE_CHARS: usize = 8;
/// Characters of a long one-time code, which finds its offer by itself: 80 bits.
const LONG_CODE_CHARS: usize = 16;
/// Characters between two hyphens.
const GROUP: usize = 4;
/// Digits of a transaction code.
pub const TX_CODE_DIGITS: usize = 6;

/// What a bearer secret is for. The label keeps the digests of one kind from being
/// accepted as another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The token in the URL of an offer by reference.
    OfferReference,
    /// A pre-authorized code.
    PreAuthorizedCode,
    /// An `issuer_state`.
    IssuerState,
    /// An access token.
    AccessToken,
    /// A refresh token.
    RefreshToken,
    /// The cookie of a browser on the code page.
    Browser,
    /// A `transaction_id`.
    Transaction,
}

impl Purpose {
    const fn label(self) -> &'static str {
        match self {
            Self::OfferReference => "vouchsafe offer reference",
            Self::PreAuthorizedCode => "vouchsafe pre-authorized code",
            Self::IssuerState => "vouchsafe issuer state",
            Self::AccessToken => "vouchsafe access token",
            Self::RefreshToken => "vouchsafe refresh token",
            Self::Browser => "vouchsafe browser",
            Self::Transaction => "vouchsafe transaction",
        }
    }
}

/// A digest as the database keeps it: 32 bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretHash(Vec<u8>);

impl SecretHash {
    /// A digest that was read from the database.
    pub fn from_stored(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes, to bind to a query.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether a stored digest is this one, in constant time.
    pub fn matches(&self, stored: &[u8]) -> bool {
        self.0.ct_eq(stored).into()
    }
}

/// A bearer secret in the clear. Not printable, wiped when dropped.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Draws 256 bits.
    pub fn generate(rng: &dyn Rng) -> Self {
        Self(Zeroizing::new(random::token(rng)))
    }

    /// Takes what a caller sent.
    pub fn received(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }

    /// The text, for the one answer that hands it out.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The digest of this secret for a purpose.
    pub fn hash(&self, purpose: Purpose) -> SecretHash {
        SecretHash(digest(&[purpose.label().as_bytes(), self.0.as_bytes()]))
    }

    /// Another secret that follows from this one, and tells nothing about it.
    pub fn derive(&self, purpose: Purpose) -> Secret {
        let bytes = digest(&[
            b"vouchsafe derive",
            purpose.label().as_bytes(),
            self.0.as_bytes(),
        ]);
        Secret(Zeroizing::new(vouchsafe_credentials::encoding::b64url(
            &bytes,
        )))
    }

    /// The digest of a code that a person types, bound to this secret.
    pub fn hash_typed(&self, code: &str) -> SecretHash {
        SecretHash(digest(&[
            b"vouchsafe typed code",
            self.0.as_bytes(),
            code.as_bytes(),
        ]))
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

fn digest(parts: &[&[u8]]) -> Vec<u8> {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    hasher.finalize().to_vec()
}

/// Draws a transaction code: six digits, each value equally likely.
pub fn tx_code(rng: &dyn Rng) -> String {
    draw(rng, TX_CODE_DIGITS, b"0123456789")
}

/// Draws a one-time code, eight characters in two groups.
pub fn one_time_code(rng: &dyn Rng) -> String {
    grouped(&draw(rng, ONE_TIME_CODE_CHARS, CODE_ALPHABET))
}

/// Draws a long one-time code, sixteen characters in four groups.
pub fn long_one_time_code(rng: &dyn Rng) -> String {
    grouped(&draw(rng, LONG_CODE_CHARS, CODE_ALPHABET))
}

fn grouped(plain: &str) -> String {
    let groups: Vec<&str> = (0..plain.len())
        .step_by(GROUP)
        .filter_map(|at| plain.get(at..(at + GROUP).min(plain.len())))
        .collect();
    groups.join("-")
}

/// Whether a normalised code is a long one.
pub fn is_long(normalised: &str) -> bool {
    normalised.len() == LONG_CODE_CHARS
}

/// What a person typed as a one-time code, in the form that is hashed: without spaces
/// and hyphens, in capitals. None when it cannot be such a code.
pub fn normalise_one_time_code(typed: &str) -> Option<String> {
    let plain: String = typed
        .chars()
        .filter(|c| !c.is_ascii_whitespace() && *c != '-')
        .map(|c| c.to_ascii_uppercase())
        .take(LONG_CODE_CHARS + 1)
        .collect();
    let known = plain.bytes().all(|b| CODE_ALPHABET.contains(&b));
    let length = [ONE_TIME_CODE_CHARS, LONG_CODE_CHARS].contains(&plain.len());
    (known && length).then_some(plain)
}

/// Draws characters without bias: bytes above the last whole multiple are thrown away.
fn draw(rng: &dyn Rng, count: usize, alphabet: &[u8]) -> String {
    let limit = 256 - 256 % alphabet.len();
    let mut out = String::with_capacity(count);
    while out.len() < count {
        let mut byte = [0u8; 1];
        rng.fill(&mut byte);
        let value = usize::from(byte[0]);
        if value < limit {
            out.push(char::from(alphabet[value % alphabet.len()]));
        }
    }
    out
}
