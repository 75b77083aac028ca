//! Whether to deal with an issuer, and how its cards are verified.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use vouchsafe_credentials::jws::{TokenType, Unverified};
use vouchsafe_credentials::sd_jwt::SdJwt;
use vouchsafe_credentials::sd_jwt_vc::{IssuerMethod, StatusMethod, VcError};
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_protocol::http::HttpResponse;
use vouchsafe_protocol::vci::metadata::MetadataError;
use vouchsafe_protocol::vci::metadata::signed::{self, SignedBy};
use vouchsafe_protocol::vci::{CredentialIssuerId, CredentialOffer, IssuerMetadata};
use zeroize::Zeroizing;

use super::exchange::fetch_issuer;
use super::session::Session;
use super::{IssuanceError, Step};
use crate::WalletError;
use crate::storage::{Collection, RecordId, RecordName, StorageError};
use crate::trust::{KnownIssuer, UnknownIssuers};
use crate::wallet::Wallet;

/// Why an issuer is dealt with.
#[derive(Debug, Clone)]
pub(super) enum Standing {
    /// It is on the wallet's list.
    Listed(KnownIssuer),
    /// The person confirmed it earlier; its cards have this DID.
    Remembered(String),
    /// The person has just confirmed it.
    Confirmed,
    /// It is on no list.
    Unknown,
}

/// A record to be sealed, with its name.
type PlainRecord = (RecordName, Zeroizing<Vec<u8>>);

/// What is remembered of a confirmed issuer.
#[derive(Serialize, Deserialize)]
struct Remembered {
    credential_issuer: String,
    did: String,
    confirmed_at: UnixTime,
}

impl Standing {
    /// Looks an issuer up; refuses it where the wallet deals with its list only.
    pub(super) fn of(wallet: &Wallet, offer: &CredentialOffer) -> Result<Self, WalletError> {
        let id = offer.credential_issuer.as_str();
        if let Some(known) = wallet.trust().issuer(id) {
            return Ok(Self::Listed(known.clone()));
        }
        if let Some(did) = remembered(wallet, id)? {
            return Ok(Self::Remembered(did));
        }
        match wallet.trust().unknown_issuers {
            UnknownIssuers::Ask => Ok(Self::Unknown),
            UnknownIssuers::Refuse => Err(IssuanceError::UnknownIssuer.into()),
        }
    }

    /// Whether the issuer is asked for signed metadata.
    pub(super) fn wants_signed_metadata(&self, wallet: &Wallet) -> bool {
        // Only whom the wallet knows beforehand can prove anything with a signature.
        matches!(self, Self::Listed(_)) && wallet.config().issuance.signed_metadata
    }

    /// Reads metadata; a signature counts where it is of who is trusted to sign.
    pub(super) fn read_metadata(
        &self,
        wallet: &Wallet,
        issuer: &CredentialIssuerId,
        response: &HttpResponse,
    ) -> Result<IssuerMetadata, MetadataError> {
        let own = wallet.config().issuance.metadata_anchors.as_ref();
        let by = match (self, own) {
            (Self::Listed(_), Some(anchors)) => SignedBy::Authorities(anchors),
            (Self::Listed(known), None) => match &known.method {
                IssuerMethod::X509 { anchors, .. } => SignedBy::Authorities(anchors),
                IssuerMethod::Did(did) => SignedBy::Did(did),
                IssuerMethod::Iaca { .. } => SignedBy::Nobody,
            },
            (Self::Remembered(did), _) => SignedBy::Did(did),
            (Self::Confirmed | Self::Unknown, _) => SignedBy::Nobody,
        };
        let demanded = self.wants_signed_metadata(wallet);
        let (urls, now) = (wallet.urls(), wallet.now());
        signed::from_response(response, issuer, urls, demanded, by, now, wallet.crypto())
    }

    /// How a credential of this issuer must prove where it comes from.
    pub(super) fn known(
        &self,
        offer: &CredentialOffer,
        compact: &str,
    ) -> Result<KnownIssuer, IssuanceError> {
        let by_did = |did: String| by_did(offer.credential_issuer.as_str(), did);
        match self {
            Self::Listed(known) => Ok(known.clone()),
            Self::Remembered(did) => Ok(by_did(did.clone())),
            // The site that the person confirmed handed the card out over TLS;
            // the key it is signed with is remembered with that site.
            Self::Confirmed => Ok(by_did(did_of(compact)?)),
            Self::Unknown => Err(IssuanceError::UnknownIssuer),
        }
    }

    /// The record to keep when the person confirmed the issuer.
    pub(super) fn to_remember(
        &self,
        known: &KnownIssuer,
        now: UnixTime,
    ) -> Result<Option<PlainRecord>, WalletError> {
        let (Self::Confirmed, IssuerMethod::Did(did)) = (self, &known.method) else {
            return Ok(None);
        };
        let name = record_name(&known.credential_issuer);
        let record = Remembered {
            credential_issuer: known.credential_issuer.clone(),
            did: did.clone(),
            confirmed_at: now,
        };
        let json = serde_json::to_vec(&record).map_err(|_| StorageError::Damaged(name.clone()))?;
        Ok(Some((name, Zeroizing::new(json))))
    }
}

/// The DID of an issuer that the person confirmed.
pub(super) fn remembered(
    wallet: &Wallet,
    credential_issuer: &str,
) -> Result<Option<String>, WalletError> {
    let name = record_name(credential_issuer);
    let Some(bytes) = wallet.vault().get(&name)? else {
        return Ok(None);
    };
    let remembered: Remembered =
        serde_json::from_slice(&bytes).map_err(|_| StorageError::Damaged(name))?;
    Ok(Some(remembered.did))
}

/// An issuer whose cards are signed with a DID.
pub(super) fn by_did(credential_issuer: &str, did: String) -> KnownIssuer {
    KnownIssuer {
        credential_issuer: credential_issuer.to_owned(),
        method: IssuerMethod::Did(did),
        types: Vec::new(),
        // Nobody else is known of it.
        status: StatusMethod::SameIssuer,
    }
}

/// An id that stands for a text: 32 hexadecimal digits.
pub(super) fn digest_id(text: &str) -> RecordId {
    let digest: [u8; 32] = Sha256::digest(text.as_bytes()).into();
    let (half, _) = digest.split_first_chunk::<16>().unwrap_or((&[0; 16], &[]));
    RecordId::from_bytes(half)
}

/// The record of an issuer that the person confirmed.
pub(crate) fn record_name(credential_issuer: &str) -> RecordName {
    let digest: [u8; 32] = Sha256::digest(credential_issuer.as_bytes()).into();
    RecordName::new(Collection::Trust, RecordId::from_bytes(&digest))
}

/// The DID that a credential names its key with. Chooses a key, proves nothing.
fn did_of(compact: &str) -> Result<String, IssuanceError> {
    let refused = |error: VcError| IssuanceError::NotAcceptable(error);
    let sd_jwt = SdJwt::parse(compact).map_err(|error| refused(error.into()))?;
    let header = Unverified::parse(sd_jwt.issuer_signed(), TokenType::SdJwtVc)
        .map_err(|error| refused(VcError::IssuerJwt(error)))?;
    let did = header
        .kid()
        .and_then(|kid| kid.split('#').next())
        .filter(|did| did.starts_with("did:"));
    did.map(str::to_owned)
        .ok_or(refused(VcError::IssuerUntrusted))
}

/// An offer of an issuer that is on no list. Nothing was sent to it yet.
pub struct ConfirmIssuer {
    session: Session,
    offer: CredentialOffer,
}

impl ConfirmIssuer {
    pub(super) fn new(session: Session, offer: CredentialOffer) -> Self {
        Self { session, offer }
    }

    /// The host that would be dealt with: all there is to know so far.
    #[must_use]
    pub fn host(&self) -> &str {
        self.session.host()
    }

    /// Deals with this issuer from now on.
    pub async fn confirm(self) -> Result<Step, WalletError> {
        match fetch_issuer(&self.session.wallet, self.offer, Standing::Confirmed) {
            Ok(next) => Ok(next.with(self.session)),
            Err(error) => {
                self.session.fail(&error).await;
                Err(error)
            }
        }
    }

    /// Says no.
    pub fn decline(self) -> Result<(), WalletError> {
        self.session.decline()
    }
}
