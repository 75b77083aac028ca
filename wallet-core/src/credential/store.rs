//! Cards in the vault.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use vouchsafe_credentials::sd_jwt_vc::IssuerIdentity;
use vouchsafe_credentials::time::UnixTime;
use zeroize::Zeroizing;

use super::facts::Facts;
use super::{Card, CardFormat, CredentialId, Fact, Held, facts_of};
use crate::WalletError;
use crate::display::{CardDisplay, choose};
use crate::error::CredentialError;
use crate::picture::Picture;
use crate::secure_area::KeyId;
use crate::status::CardStatus;
use crate::storage::{Collection, RecordId, RecordName, StorageError, Vault};
use crate::text::PlainText;

/// A card that ends within 30 days may end soon.
const SOON_S: i64 = 30 * 24 * 60 * 60;
/// It does in the last quarter of its life.
const LAST_PART: i64 = 4;

/// What is stored of a card.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Record {
    /// Name of the card in this wallet.
    pub id: CredentialId,
    /// The credential issuer's identifier, where it came from.
    pub credential_issuer: String,
    /// The validated issuer.
    pub issuer: IssuerIdentity,
    /// `vct`, or `docType` of an mdoc.
    pub vct: String,
    /// The format of its copies.
    #[serde(default)]
    pub format: CardFormat,
    /// How it looks.
    pub display: CardDisplay,
    /// When it was added.
    pub added_at: UnixTime,
    /// The same card, each time with another key; at least one.
    pub copies: Vec<Copy>,
    /// It came out of a backup, and nobody checked here that its issuer signed it: its owner sees
    /// it, and nobody else.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unchecked: bool,
}

/// One copy of a card.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Copy {
    /// The credential with all that it can disclose: a compact SD-JWT, or `IssuerSigned` of an mdoc in
    /// base64url.
    pub compact: String,
    /// The key it is bound to.
    pub key: KeyId,
    /// The one verifier who may see this copy again.
    pub shown_to: Option<String>,
    /// It came out of a backup: whom it was shown to since the backup was made, nobody knows here.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unsure: bool,
}

/// The copy that a verifier will see.
#[derive(Debug)]
pub(crate) struct Chosen {
    /// Its place among the copies.
    pub place: usize,
    /// Whether somebody else has seen it, or may have.
    pub linkable: bool,
    held: Held,
}

impl Copy {
    /// Whether nobody has seen it, for sure.
    pub(crate) fn is_fresh(&self) -> bool {
        self.shown_to.is_none() && !self.unsure
    }

    /// A backup does not know to whom a copy was shown after it was made. One that nobody had seen
    /// then may have been seen; one that was shown was shown to nobody else.
    pub(crate) fn restored(&mut self) {
        self.unsure |= self.shown_to.is_none();
    }
}

impl Record {
    /// The copy for a verifier: one that it has seen before, else a fresh one, else one that
    /// somebody else may have seen, else one that somebody else has seen. A copy that has ended or not begun is none, whoever saw it; `None`:
    /// there is no other.
    pub(crate) fn copy_for(
        &self,
        verifier: &str,
        now: UnixTime,
    ) -> Result<Option<Chosen>, CredentialError> {
        let (mut soon, mut readable, mut broken) = (None, false, None);
        for (place, linkable) in self.order_for(verifier) {
            let held = match self.open_copy(place) {
                Ok(held) => held,
                Err(error) => {
                    broken.get_or_insert(error);
                    continue;
                }
            };
            readable = true;
            let (good, begins_soon) = (held.is_good(now), held.begins_soon(now));
            let chosen = Chosen {
                place,
                linkable,
                held,
            };
            if good {
                return Ok(Some(chosen));
            }
            if begins_soon {
                soon.get_or_insert(chosen);
            }
        }
        match broken {
            Some(error) if !readable => Err(error),
            _ => Ok(soon),
        }
    }

    /// Places of the copies in the order in which a verifier may see them, and whether somebody
    /// else has seen each, or may have.
    fn order_for(&self, verifier: &str) -> Vec<(usize, bool)> {
        let rank = |copy: &Copy| match copy.shown_to.as_deref() {
            Some(seen) if seen == verifier && !copy.unsure => (0, false),
            None if !copy.unsure => (1, false),
            Some(seen) if seen == verifier => (2, true),
            None => (3, true),
            Some(_) => (4, true),
        };
        let copies = self.copies.iter().enumerate();
        let mut order: Vec<_> = copies.map(|(place, copy)| (rank(copy), place)).collect();
        order.sort_by_key(|((rank, _), place)| (*rank, *place));
        let order = order.into_iter();
        order
            .map(|((_, linkable), place)| (place, linkable))
            .collect()
    }

    /// One copy.
    pub(crate) fn open_copy(&self, place: usize) -> Result<Held, CredentialError> {
        let copy = self.copies.get(place).ok_or(CredentialError::Damaged)?;
        Held::reopen(self.format, &copy.compact, self.issuer.clone())
    }

    /// From when no copy is valid any more; `None`: some copy has no end.
    pub(crate) fn ends_at(&self) -> Option<UnixTime> {
        let places = 0..self.copies.len();
        let ends = places.filter_map(|place| self.open_copy(place).ok());
        let mut latest = None;
        for held in ends {
            latest = latest.max(Some(held.expires_at()?));
        }
        latest
    }
}

/// A card read back from the vault.
#[derive(Debug)]
pub(crate) struct StoredCredential {
    pub record: Record,
    /// One copy: one that is valid, where there is such, or the one that a verifier will see.
    pub held: Held,
    /// The place of that copy.
    pub place: usize,
    /// Whether another verifier than the one that will see it has seen it, or may have.
    pub linkable: bool,
    /// Its claims as one value.
    pub claims: Value,
}

impl StoredCredential {
    /// By the first copy.
    pub(crate) fn open(record: Record) -> Result<Self, CredentialError> {
        let held = record.open_copy(0)?;
        Ok(Self::by(record, 0, false, held))
    }

    /// By the first copy that is valid at the time `now`, or the first of all where none is.
    pub(crate) fn open_at(record: Record, now: UnixTime) -> Result<Self, CredentialError> {
        let first = record.open_copy(0)?;
        if first.is_good(now) {
            return Ok(Self::by(record, 0, false, first));
        }
        let mut others = 1..record.copies.len();
        let good = others.find_map(|place| {
            let held = record.open_copy(place).ok()?;
            held.is_good(now).then_some((place, held))
        });
        let (place, held) = good.unwrap_or((0, first));
        Ok(Self::by(record, place, false, held))
    }

    fn by(record: Record, place: usize, linkable: bool, held: Held) -> Self {
        Self {
            claims: held.claims(),
            record,
            held,
            place,
            linkable,
        }
    }

    /// Copies that nobody has seen and that have not ended.
    pub(crate) fn fresh_copies(&self, now: UnixTime) -> usize {
        let copies = self.record.copies.iter().enumerate();
        let fresh = copies.filter(|(place, copy)| {
            copy.is_fresh()
                && match self.record.open_copy(*place) {
                    Ok(held) => held.expires_at().is_none_or(|end| end > now),
                    Err(_) => false,
                }
        });
        fresh.count()
    }

    /// The name of the card in a preferred language.
    pub(crate) fn title(&self, locales: &[&str]) -> PlainText {
        let named = choose(&self.record.display.name, locales).cloned();
        named.unwrap_or_else(|| PlainText::new(&self.record.vct))
    }

    /// The name of its issuer in a preferred language.
    pub(crate) fn issuer_name(&self, locales: &[&str]) -> PlainText {
        let named = choose(&self.record.display.issuer, locales).cloned();
        named.unwrap_or_else(|| PlainText::new(&self.record.credential_issuer))
    }

    /// Whether it is past its end at the time `now`.
    pub(crate) fn is_expired(&self, now: UnixTime) -> bool {
        self.held.expires_at().is_some_and(|end| end <= now)
    }

    /// Whether it ends within a month, and in the last quarter of its time here.
    pub(crate) fn ends_soon(&self, now: UnixTime) -> bool {
        self.held.expires_at().is_some_and(|end| {
            let (life, left) = (end.since(self.record.added_at), end.since(now));
            left > 0 && left < SOON_S && left.saturating_mul(LAST_PART) < life
        })
    }

    /// The facts in a set of its claims.
    pub(crate) fn facts<'v>(&self, claims: &'v Value) -> Facts<'v> {
        facts_of(claims, self.record.format, &self.record.display)
    }

    /// The card to show to its owner.
    pub(crate) fn card(&self, status: CardStatus, now: UnixTime, locales: &[&str]) -> Card {
        let display = &self.record.display;
        let facts = self.facts(&self.claims);
        Card {
            id: self.record.id.clone(),
            title: self.title(locales),
            issuer: self.issuer_name(locales),
            vct: self.record.vct.clone(),
            format: self.record.format,
            background: display.background,
            text: display.text,
            logo: display
                .pictures
                .logo
                .as_ref()
                .and_then(Picture::data_uri)
                .map(str::to_owned),
            logo_alt: choose(&display.pictures.logo_alt, locales).cloned(),
            background_image: display
                .pictures
                .background
                .as_ref()
                .and_then(Picture::data_uri)
                .map(str::to_owned),
            facts: facts
                .labelled(display, locales)
                .map(|(label, value)| Fact {
                    label,
                    value: value.clone(),
                })
                .collect(),
            added_at: self.record.added_at,
            expires_at: self.held.expires_at(),
            expired: self.is_expired(now),
            expires_soon: self.ends_soon(now),
            status,
            unchecked: self.record.unchecked,
            fresh_copies: (self.fresh_copies(now), self.record.copies.len()),
        }
    }
}

/// What was read, unless it is damaged or gone: one card must not keep the others away.
pub(crate) fn readable<T>(read: Result<T, WalletError>) -> Result<Option<T>, WalletError> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(WalletError::Credential(CredentialError::Unknown)) => Ok(None),
        Err(error) if error.is_unreadable_card() => Ok(None),
        Err(error) => Err(error),
    }
}

/// The cards of a wallet.
#[derive(Clone)]
pub(crate) struct CredentialStore {
    vault: Arc<Vault>,
}

impl CredentialStore {
    pub(crate) fn new(vault: Arc<Vault>) -> Self {
        Self { vault }
    }

    pub(crate) fn new_id(&self) -> CredentialId {
        CredentialId::from(self.vault.new_id())
    }

    pub(crate) fn name_of(id: &CredentialId) -> Result<RecordName, StorageError> {
        Ok(RecordName::new(
            Collection::Credentials,
            RecordId::parse(id.as_str())?,
        ))
    }

    pub(crate) fn encode(
        record: &Record,
    ) -> Result<(RecordName, Zeroizing<Vec<u8>>), StorageError> {
        let name = Self::name_of(&record.id)?;
        let json = serde_json::to_vec(record).map_err(|_| StorageError::Damaged(name.clone()))?;
        Ok((name, Zeroizing::new(json)))
    }

    pub(crate) fn record(&self, id: &CredentialId) -> Result<Record, WalletError> {
        let name = Self::name_of(id)?;
        let bytes = self.vault.get(&name)?.ok_or(CredentialError::Unknown)?;
        Ok(serde_json::from_slice(&bytes).map_err(|_| StorageError::Damaged(name))?)
    }

    pub(crate) fn get(
        &self,
        id: &CredentialId,
        now: UnixTime,
    ) -> Result<StoredCredential, WalletError> {
        Ok(StoredCredential::open_at(self.record(id)?, now)?)
    }

    /// A card by the copy that this verifier will see, where one may be seen now. Copies say the
    /// same, but an issuer may hide less in one of them, so what would leave is read from the one
    /// that leaves.
    pub(crate) fn get_for(
        &self,
        id: &CredentialId,
        verifier: &str,
        now: UnixTime,
    ) -> Result<Option<StoredCredential>, WalletError> {
        let record = self.record(id)?;
        let chosen = record.copy_for(verifier, now)?;
        Ok(chosen.map(|chosen| {
            let Chosen {
                place,
                linkable,
                held,
            } = chosen;
            StoredCredential::by(record, place, linkable, held)
        }))
    }

    /// All cards that can be read, the latest first.
    pub(crate) fn list(&self, now: UnixTime) -> Result<Vec<StoredCredential>, WalletError> {
        let mut cards = Vec::new();
        for id in self.vault.list(Collection::Credentials)? {
            cards.extend(readable(self.get(&CredentialId::from(id), now))?);
        }
        cards.sort_by_key(|card| std::cmp::Reverse(card.record.added_at));
        Ok(cards)
    }

    /// The cards that cannot be read.
    pub(crate) fn unreadable(&self, now: UnixTime) -> Result<Vec<CredentialId>, WalletError> {
        let mut ids = Vec::new();
        for id in self.vault.list(Collection::Credentials)? {
            let id = CredentialId::from(id);
            match self.get(&id, now) {
                Err(error) if error.is_unreadable_card() => ids.push(id),
                read => drop(readable(read)?),
            }
        }
        Ok(ids)
    }
}
