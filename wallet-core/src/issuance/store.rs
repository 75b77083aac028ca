//! Checking what came.

use vouchsafe_credentials::sd_jwt_vc::{IssuerTrust, VcError};
use vouchsafe_protocol::vci::metadata::{CredentialConfiguration, DC_SD_JWT, MSO_MDOC};

use super::IssuanceError;
use super::readied::Readied;
use super::session::Session;
use crate::credential::{
    Acceptance, CardFormat, Copy, Held, Record, accept_mdoc, accept_sd_jwt_vc, facts_of,
};
use crate::display::{CardDisplay, choose};
use crate::secure_area::KeyHandle;
use crate::text::PlainText;
use crate::trust::KnownIssuer;

/// A copy that passed every check, with the key it is bound to.
struct CheckedCopy {
    held: Held,
    key: KeyHandle,
}

/// A card that passed every check, not stored yet.
pub(super) struct Checked {
    pub(super) record: Record,
    /// How its issuer was verified, where that is to be remembered.
    pub(super) known: Option<KnownIssuer>,
    /// Its name, for the history.
    pub(super) cards: Vec<PlainText>,
    /// What it says, for the history.
    pub(super) facts: Vec<PlainText>,
}

/// Verifies what came for one card. Nothing of a credential that fails is given on
/// (catalogue 292).
pub(super) fn check(
    session: &Session,
    readied: &Readied,
    configuration: &str,
    keys: &[KeyHandle],
    received: &[String],
) -> Result<Checked, IssuanceError> {
    let configuration = readied.configuration(configuration)?;
    let (format, kind) = kind_of(configuration).ok_or(IssuanceError::UnsupportedCard)?;
    let first = received.first().ok_or(IssuanceError::UnsupportedCard)?;
    let (known, trust) = match format {
        CardFormat::SdJwtVc => {
            let known = readied.standing.known(&readied.offer, first)?;
            let trust = known
                .for_type(kind)
                .ok_or(IssuanceError::IssuerNotForType)?
                .map_err(|_| IssuanceError::NotAcceptable(VcError::IssuerUntrusted))?;
            (Some(known), trust)
        }
        CardFormat::Mdoc => {
            let issuer = readied.offer.credential_issuer.as_str();
            let trust = session.wallet.trust().mdoc_issuer(issuer, kind);
            (None, trust.ok_or(IssuanceError::IssuerNotForType)?)
        }
    };
    let copies = check_all(session, received, &trust, (format, kind), keys)?;
    let display = readied.display(configuration);
    let held = &copies.first().ok_or(IssuanceError::UnsupportedCard)?.held;
    check_same(&copies, &display)?;

    let wallet = &session.wallet;
    let record = Record {
        id: wallet.store().new_id(),
        credential_issuer: readied.offer.credential_issuer.as_str().to_owned(),
        issuer: held.issuer().clone(),
        vct: kind.to_owned(),
        format,
        added_at: wallet.now(),
        copies: copies.iter().map(CheckedCopy::to_copy).collect(),
        unchecked: false,
        display,
    };
    let (cards, facts) = names(session, &record, held);
    Ok(Checked {
        record,
        known,
        cards,
        facts,
    })
}

fn check_all(
    session: &Session,
    received: &[String],
    trust: &IssuerTrust,
    (format, kind): (CardFormat, &str),
    keys: &[KeyHandle],
) -> Result<Vec<CheckedCopy>, IssuanceError> {
    let wanted = Acceptance {
        trust,
        kind,
        now: session.wallet.now(),
        crypto: session.wallet.crypto(),
    };
    let mut free: Vec<&KeyHandle> = keys.iter().collect();
    let mut copies = Vec::with_capacity(received.len());
    for text in received {
        let (held, position) = match format {
            CardFormat::SdJwtVc => {
                accept_sd_jwt_vc(text, &free, &wanted).map_err(IssuanceError::NotAcceptable)?
            }
            CardFormat::Mdoc => {
                accept_mdoc(text, &free, &wanted).map_err(IssuanceError::MdocNotAcceptable)?
            }
        };
        let key = free.remove(position).clone();
        copies.push(CheckedCopy { held, key });
    }
    Ok(copies)
}

/// The format and the type of a configuration, where it is one of those that this wallet holds.
pub(super) fn kind_of(configuration: &CredentialConfiguration) -> Option<(CardFormat, &str)> {
    match configuration.format.as_str() {
        DC_SD_JWT => Some((CardFormat::SdJwtVc, configuration.vct.as_deref()?)),
        MSO_MDOC => Some((CardFormat::Mdoc, configuration.doctype.as_deref()?)),
        _ => None,
    }
}

/// Copies of a card that say different things would show the person one thing
/// and a verifier another.
fn check_same(copies: &[CheckedCopy], display: &CardDisplay) -> Result<(), IssuanceError> {
    let mut all = copies
        .iter()
        .map(|copy| (copy.held.format(), copy.held.claims()));
    let Some((format, first)) = all.next() else {
        return Ok(());
    };
    let same = all.all(|(_, other)| {
        facts_of(&other, format, display).0 == facts_of(&first, format, display).0
    });
    if same {
        Ok(())
    } else {
        Err(IssuanceError::CopiesDiffer)
    }
}

fn names(session: &Session, record: &Record, held: &Held) -> (Vec<PlainText>, Vec<PlainText>) {
    let locales = session.wallet.locales();
    let title = choose(&record.display.name, &locales).cloned();
    let title = title.unwrap_or_else(|| PlainText::new(&record.vct));
    let claims = held.claims();
    let facts = facts_of(&claims, record.format, &record.display);
    let labels = facts
        .labelled(&record.display, &locales)
        .map(|(label, _)| label)
        .collect();
    (vec![title], labels)
}

impl CheckedCopy {
    fn to_copy(&self) -> Copy {
        Copy {
            compact: self.held.to_text(),
            key: self.key.id.clone(),
            shown_to: None,
            unsure: false,
        }
    }
}
