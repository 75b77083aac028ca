//! Preparing an offer: check the claims, make the secrets, write one row.

use serde_json::{Map, Value};
use vouchsafe_credentials::credential_type::{ClaimProblems, CredentialType, Format, Prepared};
use vouchsafe_credentials::encoding::b64url;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{DbError, Tx};
use vouchsafe_service::seal::Place;

use crate::author::Author;
use crate::claims::{Claims, Origin, seal_for_offer};
use crate::core::Core;
use crate::domain::ids::{CredentialId, OfferId, RecordId};
use crate::domain::offer::{Decision, GrantKind, Offer};
use crate::domain::secret::{
    Purpose, Secret, SecretHash, long_one_time_code, normalise_one_time_code, one_time_code,
    tx_code,
};
use crate::store::offers::{self, NewOffer};
use crate::store::records;

/// How often one offer may be redeemed at most.
pub const MAX_REDEMPTIONS: i64 = 1000;
/// Longest identifier of a subject record, in bytes.
pub const MAX_RECORD_ID: usize = 256;

/// What an organisation asks for.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The organisation's identifier of the person's record.
    pub record_id: String,
    /// Id of the credential type.
    pub credential_type: String,
    /// What the credential will say; nothing where the claims source says it.
    pub claims: Option<Map<String, Value>>,
    /// How it is redeemed.
    pub grant: GrantKind,
    /// Whether a pre-authorized code needs a transaction code.
    pub tx_code: bool,
    /// Whether the person may begin in the wallet: the one-time code is then long enough to find
    /// the offer by itself.
    pub wallet_initiated: bool,
    /// How often the offer may be redeemed, 1 to [`MAX_REDEMPTIONS`].
    pub redemptions: i64,
    /// How long the offer is open, in seconds.
    pub expires_in_s: Option<i64>,
    /// Whether the organisation looks at it once more before it issues.
    pub hold: bool,
}

/// An offer to be stored, and its secrets for the one answer that shows them.
#[derive(Debug, Clone)]
pub struct PreparedOffer {
    /// The row.
    pub new: NewOffer,
    /// The token of the by-reference URL.
    pub reference: Secret,
    /// What the person types: a transaction code or a one-time code.
    pub code: Option<String>,
    record_hash: Vec<u8>,
    record_sealed: Vec<u8>,
}

impl PreparedOffer {
    /// The same in the place of an issued credential.
    pub fn in_place_of(mut self, old: &CredentialId) -> Self {
        self.new.offer.renews = Some(old.clone());
        self
    }

    /// The keyed hash of its record.
    pub fn record_hash(&self) -> &[u8] {
        &self.record_hash
    }
}

/// Why an offer cannot be prepared.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// No such credential type.
    #[error("no such credential type")]
    UnknownType,
    /// The claims do not fit the type.
    #[error("the claims do not fit the type")]
    Claims(#[from] ClaimProblems),
    /// Claims are left out though no source has them.
    #[error("claims may be left out where the type has a claims source alone")]
    ClaimsMissing,
    /// The identifier of the record is empty, too long or has control characters.
    #[error("record_id must be 1 to 256 bytes without control characters")]
    RecordId,
    /// A transaction code belongs to a pre-authorized code alone.
    #[error("tx_code is for pre-authorized codes; the other grant always has a one-time code")]
    TxCode,
    /// Who begins in the wallet has no pre-authorized code.
    #[error("wallet_initiated is for authorization codes")]
    WalletInitiated,
    /// No wallet is registered, so nobody could use an authorization code.
    #[error("no wallet is registered that could use an authorization code")]
    Grant,
    /// The number of redemptions is out of range.
    #[error("redemptions must be 1 to 1000")]
    Redemptions,
    /// What waits for a decision is for one.
    #[error("hold is for offers that are redeemed once")]
    Hold,
    /// The lifetime is out of range.
    #[error("expires_in_s is out of range")]
    Expiry,
}

/// The grant's secret follows from the reference, so an offer by reference needs no secret in
/// the database: who has the URL has the grant anyway.
pub fn grant_secret(kind: GrantKind, reference: &Secret) -> Secret {
    reference.derive(grant_purpose(kind))
}

/// What the grant's secret is for.
pub const fn grant_purpose(kind: GrantKind) -> Purpose {
    match kind {
        GrantKind::PreAuthorizedCode => Purpose::PreAuthorizedCode,
        GrantKind::AuthorizationCode => Purpose::IssuerState,
    }
}

/// Checks what was asked for and makes the offer. Writes nothing.
pub fn prepare(core: &Core, wanted: Wanted) -> Result<PreparedOffer, PrepareError> {
    let Wanted {
        record_id,
        credential_type,
        claims,
        grant,
        tx_code,
        wallet_initiated,
        redemptions,
        expires_in_s,
        hold,
    } = wanted;
    let claims = match claims {
        Some(claims) => Origin::Here(Claims(claims)),
        None if core.settings.claims_source(&credential_type).is_some() => Origin::Source(None),
        None if core.types.current(&credential_type).is_none() => {
            return Err(PrepareError::UnknownType);
        }
        None => return Err(PrepareError::ClaimsMissing),
    };
    let type_version = check(core, &credential_type, &claims, &record_id)?;
    if wallet_initiated && grant != GrantKind::AuthorizationCode {
        return Err(PrepareError::WalletInitiated);
    }
    // OpenID4VCI 1.0, section 4.1.1: an offer names grants that the authorization server has. What its
    // metadata do not list no wallet can redeem.
    if grant == GrantKind::AuthorizationCode && core.settings.clients.is_empty() {
        return Err(PrepareError::Grant);
    }
    if !(1..=MAX_REDEMPTIONS).contains(&redemptions) {
        return Err(PrepareError::Redemptions);
    }
    // One decision is about one person: the offer is decided, not each redemption of it.
    if hold && redemptions > 1 {
        return Err(PrepareError::Hold);
    }
    let now = core.clock.now();
    let expires_at = expiry(core, grant, expires_in_s, now)?;
    let reference = Secret::generate(&*core.rng);
    let secret = grant_secret(grant, &reference);
    let code = match wallet_initiated {
        true => Some(long_one_time_code(&*core.rng)),
        false => typed_code(core, grant, tx_code)?,
    };
    let code_lookup = code.as_deref().filter(|_| wallet_initiated);
    let code_lookup = code_lookup
        .and_then(normalise_one_time_code)
        .map(|code| core.keys.code_lookup(&code));
    let code_hash = code.as_deref().map(|code| {
        let plain = match grant {
            GrantKind::PreAuthorizedCode => code.to_owned(),
            GrantKind::AuthorizationCode => normalise_one_time_code(code).unwrap_or_default(),
        };
        secret.hash_typed(&plain)
    });
    let offer = Offer {
        id: OfferId::new(core.ids.next()),
        record: RecordId::new(core.ids.next()),
        credential_type,
        type_version,
        grant,
        code_required: code.is_some(),
        tries: 0,
        redemptions,
        redeemed: 0,
        created_at: now,
        expires_at,
        redeemed_at: None,
        opened_at: None,
        decision: hold.then_some(Decision::Waiting),
        renews: None,
    };
    let codes = Codes {
        hash: code_hash,
        lookup: code_lookup,
        shown: code,
    };
    Ok(assemble(core, offer, &record_id, &claims, reference, codes))
}

/// An offer for a person who signed in: of one moment, without a code, redeemed by the page that
/// makes it.
pub fn prepare_signed_in(
    core: &Core,
    record_id: &str,
    credential_type: &str,
    claims: &Origin,
) -> Result<PreparedOffer, PrepareError> {
    let type_version = check(core, credential_type, claims, record_id)?;
    let now = core.clock.now();
    let offer = Offer {
        id: OfferId::new(core.ids.next()),
        record: RecordId::new(core.ids.next()),
        credential_type: credential_type.to_owned(),
        type_version,
        grant: GrantKind::AuthorizationCode,
        code_required: false,
        tries: 0,
        redemptions: 1,
        redeemed: 0,
        created_at: now,
        expires_at: now.plus(core.settings.lifetimes.page_s),
        redeemed_at: None,
        opened_at: Some(now),
        decision: None,
        renews: None,
    };
    let reference = Secret::generate(&*core.rng);
    let codes = Codes::default();
    Ok(assemble(core, offer, record_id, claims, reference, codes))
}

/// What is checked of every offer; gives the version of the type.
fn check(
    core: &Core,
    credential_type: &str,
    claims: &Origin,
    record_id: &str,
) -> Result<i64, PrepareError> {
    let version = core.types.current(credential_type);
    let version = version.ok_or(PrepareError::UnknownType)?;
    if let Origin::Here(claims) = claims {
        fit(core, &version.kind, claims)?;
    }
    if record_id.is_empty()
        || record_id.len() > MAX_RECORD_ID
        || record_id.chars().any(char::is_control)
    {
        return Err(PrepareError::RecordId);
    }
    Ok(version.version)
}

/// Whether claims fit a type in every format in which it is offered: what cannot be an mdoc is
/// refused here, not in front of the wallet.
pub fn fit(core: &Core, kind: &CredentialType, claims: &Claims) -> Result<Prepared, ClaimProblems> {
    let prepared = kind.prepare(claims.0.clone())?;
    if let Some(mdoc) = kind.mdoc()
        && core.formats(kind).any(|format| format == Format::Mdoc)
    {
        mdoc.check(&prepared)?;
    }
    Ok(prepared)
}

/// What a person types, in three shapes.
#[derive(Default)]
struct Codes {
    hash: Option<SecretHash>,
    lookup: Option<Vec<u8>>,
    shown: Option<String>,
}

fn assemble(
    core: &Core,
    offer: Offer,
    record_id: &str,
    claims: &Origin,
    reference: Secret,
    codes: Codes,
) -> PreparedOffer {
    let record_hash = core.keys.record_hash(record_id);
    let secret = grant_secret(offer.grant, &reference);
    PreparedOffer {
        record_sealed: core.keys.columns.seal(
            &record_place(&record_hash),
            record_id.as_bytes(),
            &*core.rng,
        ),
        record_hash,
        new: NewOffer {
            reference: reference.hash(Purpose::OfferReference),
            grant: secret.hash(grant_purpose(offer.grant)),
            code: codes.hash,
            code_lookup: codes.lookup,
            claims_sealed: seal_for_offer(core, &offer.id, claims),
            offer,
        },
        reference,
        code: codes.shown,
    }
}

/// Where the name of a record is sealed: beside its keyed hash, as the row's id is only known
/// once it is stored.
pub fn record_place(record_hash: &[u8]) -> Place {
    Place::new(&["issuer_records", "record_id", &b64url(record_hash)])
}

/// Stores an offer and, if it is new, its record.
pub async fn store(tx: &mut Tx, prepared: &PreparedOffer) -> Result<Offer, DbError> {
    let mut new = prepared.new.clone();
    new.offer.record = records::ensure(
        tx,
        &new.offer.record,
        &prepared.record_hash,
        &prepared.record_sealed,
        new.offer.created_at,
    )
    .await?;
    offers::insert(tx, &new).await?;
    Ok(new.offer)
}

/// Stores an offer and reports it.
pub async fn create(
    core: &Core,
    tx: &mut Tx,
    author: &Author,
    prepared: &PreparedOffer,
) -> Result<Offer, DbError> {
    let offer = store(tx, prepared).await?;
    let (id, kind) = (offer.id.as_str(), &offer.credential_type);
    author.audit(core, tx, "offer.create", id, kind).await?;
    Ok(offer)
}

fn typed_code(
    core: &Core,
    grant: GrantKind,
    with_tx_code: bool,
) -> Result<Option<String>, PrepareError> {
    match (grant, with_tx_code) {
        (GrantKind::PreAuthorizedCode, true) => Ok(Some(tx_code(&*core.rng))),
        (GrantKind::PreAuthorizedCode, false) => Ok(None),
        (GrantKind::AuthorizationCode, false) => Ok(Some(one_time_code(&*core.rng))),
        (GrantKind::AuthorizationCode, true) => Err(PrepareError::TxCode),
    }
}

fn expiry(
    core: &Core,
    grant: GrantKind,
    asked_s: Option<i64>,
    now: UnixTime,
) -> Result<UnixTime, PrepareError> {
    let lifetimes = &core.settings.lifetimes;
    let seconds = asked_s.unwrap_or(match grant {
        GrantKind::PreAuthorizedCode => lifetimes.pre_authorized_s,
        GrantKind::AuthorizationCode => lifetimes.prepared_s,
    });
    if (1..=lifetimes.offer_max_s).contains(&seconds) {
        Ok(now.plus(seconds))
    } else {
        Err(PrepareError::Expiry)
    }
}
