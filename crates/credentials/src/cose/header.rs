//! Headers: what is written, and what is read.

use coset::iana::{Algorithm as Iana, EnumI64 as _, HeaderParameter};

use super::{CoseError, CoseSignError};
use crate::cbor::{Entries, Item, Kind, Value, Writer};
use crate::crypto::Algorithm;
use crate::x509::Chain;

/// `typ` (RFC 9596, section 2).
const TYP: i64 = 16;

/// A header label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Label {
    /// A number, registered or private.
    Int(i64),
    /// A text.
    Text(String),
}

impl Label {
    /// `alg`
    pub const ALG: Self = Self::Int(HeaderParameter::Alg as i64);
    /// `crit`
    pub const CRIT: Self = Self::Int(HeaderParameter::Crit as i64);
    /// `content type`
    pub const CONTENT_TYPE: Self = Self::Int(HeaderParameter::ContentType as i64);
    /// `kid`
    pub const KID: Self = Self::Int(HeaderParameter::Kid as i64);
    /// `typ` (RFC 9596)
    pub const TYP: Self = Self::Int(TYP);
    /// `x5chain` (RFC 9360)
    pub const X5CHAIN: Self = Self::Int(HeaderParameter::X5Chain as i64);

    fn is(&self, key: Item<'_>) -> bool {
        match (self, key.kind()) {
            (Self::Int(own), Kind::Unsigned(_) | Kind::Negative(_)) => key.integer() == Ok(*own),
            (Self::Text(own), Kind::Text(text)) => own == text,
            _ => false,
        }
    }
}

/// Header parameters of a message that is made. `alg` is never among them: it is the signer's.
#[derive(Debug, Clone, Default)]
pub struct Header(Vec<(Label, Value)>);

impl Header {
    /// No parameters.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With one more parameter.
    #[must_use]
    pub fn with(mut self, label: Label, value: Value) -> Self {
        self.0.push((label, value));
        self
    }

    /// With a content type, a media type (RFC 9052, section 3.1).
    #[must_use]
    pub fn content_type(self, media_type: &str) -> Self {
        self.with(Label::CONTENT_TYPE, Value::Text(media_type.to_owned()))
    }

    /// With a type (RFC 9596), a media type.
    #[must_use]
    pub fn typ(self, media_type: &str) -> Self {
        self.with(Label::TYP, Value::Text(media_type.to_owned()))
    }

    /// With a key identifier.
    #[must_use]
    pub fn kid(self, kid: &[u8]) -> Self {
        self.with(Label::KID, Value::Bytes(kid.to_vec()))
    }

    /// With the certificate chain (RFC 9360, section 2): one certificate as a byte string, more as an array.
    #[must_use]
    pub fn x5chain(self, chain: &Chain) -> Self {
        let mut certificates: Vec<Value> = chain
            .to_der()
            .map(|der| Value::Bytes(der.to_vec()))
            .collect();
        let value = match (certificates.pop(), certificates.is_empty()) {
            (Some(only), true) => only,
            (last, _) => {
                certificates.extend(last);
                Value::Array(certificates)
            }
        };
        self.with(Label::X5CHAIN, value)
    }

    /// Writes the map, `alg` first where there is one.
    pub(super) fn write(&self, alg: Option<i64>, out: &mut Writer) {
        out.map(self.0.len().saturating_add(usize::from(alg.is_some())));
        if let Some(alg) = alg {
            out.integer(HeaderParameter::Alg.to_i64()).integer(alg);
        }
        for (label, value) in &self.0 {
            match label {
                Label::Int(number) => out.integer(*number),
                Label::Text(text) => out.text(text),
            };
            out.value(value);
        }
    }

    /// Refuses what is not the caller's to set, and labels that stand twice.
    pub(super) fn check(protected: &Self, unprotected: &Self) -> Result<(), CoseSignError> {
        let all: Vec<_> = protected.0.iter().chain(&unprotected.0).collect();
        let reserved = |label: &Label| matches!(*label, Label::ALG | Label::CRIT);
        let count = |label: &Label| all.iter().filter(|(other, _)| other == label).count();
        if (all.iter()).any(|(label, _)| reserved(label) || count(label) > 1) {
            return Err(CoseSignError::Header);
        }
        Ok(())
    }
}

/// Headers as received.
#[derive(Debug, Clone, Copy)]
pub(super) struct Received<'a> {
    /// The content of the byte string with the protected header; empty for no parameters.
    pub(super) protected_raw: &'a [u8],
    protected: Option<Entries<'a>>,
    unprotected: Entries<'a>,
    pub(super) alg: i64,
}

impl<'a> Received<'a> {
    pub(super) fn read(protected: Item<'a>, unprotected: Item<'a>) -> Result<Self, CoseError> {
        let protected_raw = protected.bytes().map_err(|_| CoseError::Structure)?;
        let unprotected = unprotected.map().map_err(|_| CoseError::Structure)?;
        // RFC 9052, section 3: the zero-length string stands for the empty map.
        let protected = match protected_raw {
            [] => None,
            raw => Some(Item::parse(raw)?.map().map_err(|_| CoseError::Structure)?),
        };
        let mut received = Self {
            protected_raw,
            protected,
            unprotected,
            alg: 0,
        };
        received.refuse_labels()?;
        received.check_critical()?;
        // RFC 9052, section 3.1: `alg` is authenticated where that is possible; here it always is.
        let alg = received.protected(&Label::ALG);
        received.alg = alg
            .ok_or(CoseError::AlgorithmMissing)?
            .integer()
            .map_err(|_| CoseError::Algorithm)?;
        Ok(received)
    }

    /// RFC 9052, sections 1.4 and 3: labels are integers and texts, each in one header.
    fn refuse_labels(&self) -> Result<(), CoseError> {
        let label = |(key, _): (Item<'a>, Item<'a>)| match key.kind() {
            Kind::Unsigned(_) | Kind::Negative(_) | Kind::Text(_) => Ok(key.raw()),
            _ => Err(CoseError::Header),
        };
        let protected = self.protected.into_iter().flatten().map(label);
        let mut seen = protected.collect::<Result<Vec<_>, _>>()?;
        seen.sort_unstable();
        for entry in self.unprotected {
            if seen.binary_search(&label(entry)?).is_ok() {
                return Err(CoseError::BothHeaders);
            }
        }
        Ok(())
    }

    /// RFC 9052, section 3.1, `crit`.
    fn check_critical(&self) -> Result<(), CoseError> {
        const UNDERSTOOD: [Label; 4] =
            [Label::CONTENT_TYPE, Label::KID, Label::TYP, Label::X5CHAIN];
        if self.unprotected(&Label::CRIT).is_some() {
            return Err(CoseError::Critical);
        }
        let Some(critical) = self.protected(&Label::CRIT) else {
            return Ok(());
        };
        let labels = critical.array().map_err(|_| CoseError::Critical)?;
        let mut seen = Vec::with_capacity(UNDERSTOOD.len());
        for item in labels {
            let label = UNDERSTOOD.iter().find(|label| label.is(item));
            let label = label.filter(|label| self.protected(label).is_some());
            let label = label.ok_or(CoseError::Critical)?;
            // Section 3.1 gives a label that stands twice no meaning, as section 1.4 does for
            // maps; whoever writes one made something else than we read.
            if seen.contains(&label) {
                return Err(CoseError::Critical);
            }
            seen.push(label);
        }
        // The CDDL of section 3.1: one label at least.
        if seen.is_empty() {
            return Err(CoseError::Critical);
        }
        Ok(())
    }

    pub(super) fn protected(&self, label: &Label) -> Option<Item<'a>> {
        find(self.protected?, label)
    }

    pub(super) fn unprotected(&self, label: &Label) -> Option<Item<'a>> {
        find(self.unprotected, label)
    }
}

fn find<'a>(mut entries: Entries<'a>, label: &Label) -> Option<Item<'a>> {
    entries
        .find(|(key, _)| label.is(*key))
        .map(|(_, value)| value)
}

/// The chain in `x5chain` (RFC 9360, section 2). An array of one is read too: it is in use.
pub(super) fn chain(item: Item<'_>) -> Result<Chain, CoseError> {
    let certificates = match item.kind() {
        Kind::Bytes(der) => vec![der.to_vec()],
        Kind::Array(items) => {
            if items.len() > crate::x509::MAX_CERTIFICATES {
                return Err(CoseError::Chain(crate::x509::X509Error::TooLong));
            }
            let ders = items.map(|item| item.bytes().map(<[u8]>::to_vec));
            ders.collect::<Result<_, _>>()
                .map_err(|_| CoseError::Header)?
        }
        _ => return Err(CoseError::Header),
    };
    Chain::from_der(certificates).map_err(CoseError::Chain)
}

/// The number that is written for an algorithm: the one that every reader knows
/// (ISO/IEC 18013-5:2021, section 9.1.2.4).
#[must_use]
pub const fn number(algorithm: Algorithm) -> i64 {
    match algorithm {
        Algorithm::Es256 => Iana::ES256 as i64,
        Algorithm::Es384 => Iana::ES384 as i64,
        Algorithm::Es512 => Iana::ES512 as i64,
        Algorithm::EdDsa => Iana::EdDSA as i64,
    }
}

/// Every number that is read, for metadata.
pub const ALGORITHM_NUMBERS: [i64; 8] = [
    Iana::ES256 as i64,
    Iana::ESP256 as i64,
    Iana::ES384 as i64,
    Iana::ESP384 as i64,
    Iana::ES512 as i64,
    Iana::ESP512 as i64,
    Iana::EdDSA as i64,
    Iana::Ed25519 as i64,
];

/// The algorithm of a number: RFC 9053, section 2, and the fully specified numbers of RFC 9864.
pub(super) fn algorithm(number: i64) -> Result<Algorithm, CoseError> {
    match Iana::from_i64(number) {
        Some(Iana::ES256 | Iana::ESP256) => Ok(Algorithm::Es256),
        Some(Iana::ES384 | Iana::ESP384) => Ok(Algorithm::Es384),
        Some(Iana::ES512 | Iana::ESP512) => Ok(Algorithm::Es512),
        Some(Iana::EdDSA | Iana::Ed25519) => Ok(Algorithm::EdDsa),
        _ => Err(CoseError::Algorithm),
    }
}
