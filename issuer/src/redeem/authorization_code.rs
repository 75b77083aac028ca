//! An authorization code: made when a person opens a prepared record, redeemed by the wallet.

use serde::{Deserialize, Serialize};
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_protocol::oauth::pkce::{self, CodeChallenge};
use vouchsafe_service::db::DbError;
use vouchsafe_service::seal::{Place, Sealer};
use vouchsafe_service::single_use::{self, Consumed, Kind, NewObject};

use super::{FreshToken, Granted, RedeemError, open_offer, pending, sealed_claims};
use crate::claims::{self, Claims, ClaimsError};
use crate::core::Core;
use crate::domain::ids::{OfferId, RecordId};
use crate::domain::offer::{GrantKind, Offer};
use crate::domain::secret::{Purpose, Secret};
use crate::store::tokens::{self, TokenGrant};

/// What the browser brought to the code page, checked.
#[derive(Debug, Clone)]
pub struct CodeOrder {
    /// The wallet.
    pub client_id: String,
    /// Where the answer goes.
    pub redirect_uri: String,
    /// PKCE challenge.
    pub code_challenge: String,
    /// The DPoP key that the token request must prove.
    pub dpop_jkt: Option<String>,
}

/// Opens a prepared record with the one-time code and makes an authorization code.
pub async fn authorize(
    core: &Core,
    issuer_state: &Secret,
    typed: &str,
    order: CodeOrder,
) -> Result<Secret, RedeemError> {
    let found = pending(core, GrantKind::AuthorizationCode, issuer_state).await?;
    let typed = issuer_state.hash_typed(typed);
    let claims = sealed_claims(core, &found)?;
    let code = Secret::generate(&*core.rng);
    let offer = found.offer.id.clone();
    let now = core.clock.now();
    let object = NewObject {
        payload: CodePayload::new(found.offer, order, claims).seal(core, &code),
        family: offer.as_str().to_owned(),
        expires_at: now.plus(core.settings.lifetimes.code_s),
    };
    let (secret, told) = (code.clone(), core.clone());
    let refused = core
        .db
        .write(async move |tx| {
            let refused = open_offer(&told, tx, &offer, Some(&typed), now).await?;
            if refused.is_none() {
                single_use::put(tx, Kind::AuthorizationCode, secret.expose(), &object).await?;
            }
            Ok::<_, DbError>(refused)
        })
        .await?;
    match refused {
        None => Ok(code),
        Some(refused) => Err(refused.into()),
    }
}

/// What a token request says about the code it redeems.
#[derive(Debug)]
pub struct CodeRedemption<'a> {
    /// The wallet.
    pub client_id: &'a str,
    /// `redirect_uri` of the token request.
    pub redirect_uri: Option<&'a str>,
    /// `code_verifier`.
    pub code_verifier: Option<&'a str>,
    /// Thumbprint of the DPoP proof's key.
    pub dpop_jkt: Option<String>,
}

/// Redeems an authorization code.
pub async fn authorization_code(
    core: &Core,
    code: &Secret,
    redemption: CodeRedemption<'_>,
) -> Result<Granted, RedeemError> {
    let now = core.clock.now();
    let kind = Kind::AuthorizationCode;
    let Some(sealed) = single_use::peek(&core.db, kind, code.expose(), now).await? else {
        return Err(refuse_used_code(core, code, now).await?);
    };
    let payload = CodePayload::open(code, &sealed)?;
    payload.check(&redemption)?;
    let token = Secret::generate(&*core.rng);
    let grant = payload.grant(core, &token, redemption.dpop_jkt)?;
    let fresh = FreshToken {
        hash: token.hash(Purpose::AccessToken),
        token,
        grant,
    };
    let (hash, grant, secret) = (fresh.hash.clone(), fresh.grant.clone(), code.clone());
    let taken = core
        .db
        .write(
            async move |tx| match single_use::consume(tx, kind, secret.expose(), now).await? {
                Consumed::Taken {
                    payload: _,
                    family: _,
                } => {
                    tokens::insert(tx, &hash, &grant).await?;
                    Ok::<_, DbError>(true)
                }
                Consumed::Replayed { family: _ } | Consumed::Unknown => Ok(false),
            },
        )
        .await?;
    if taken {
        Ok(fresh.granted(core))
    } else {
        Err(refuse_used_code(core, code, now).await?)
    }
}

/// RFC 6749, section 4.1.2: a code used twice revokes what it bought.
async fn refuse_used_code(
    core: &Core,
    code: &Secret,
    now: UnixTime,
) -> Result<RedeemError, DbError> {
    let secret = code.clone();
    core.db
        .write(async move |tx| {
            let consumed =
                single_use::consume(tx, Kind::AuthorizationCode, secret.expose(), now).await?;
            let Consumed::Replayed { family } = consumed else {
                return Ok(RedeemError::Grant);
            };
            if let Ok(offer) = OfferId::parse(&family) {
                tokens::revoke_of_offer(tx, &offer, now).await?;
            }
            Ok(RedeemError::Replayed)
        })
        .await
}

/// What lies behind an authorization code, sealed under the code itself.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CodePayload {
    offer: String,
    record: String,
    credential_type: String,
    client_id: String,
    redirect_uri: String,
    code_challenge: String,
    dpop_jkt: Option<String>,
    claims: serde_json::Map<String, serde_json::Value>,
}

impl CodePayload {
    fn new(offer: Offer, order: CodeOrder, claims: Claims) -> Self {
        let CodeOrder {
            client_id,
            redirect_uri,
            code_challenge,
            dpop_jkt,
        } = order;
        Self {
            offer: offer.id.as_str().to_owned(),
            record: offer.record.as_str().to_owned(),
            credential_type: offer.credential_type,
            client_id,
            redirect_uri,
            code_challenge,
            dpop_jkt,
            claims: claims.0,
        }
    }

    fn sealer(code: &Secret) -> (Sealer, Place) {
        let sealer = Sealer::under_token("issuer authorization code", code.expose());
        (sealer, Place::new(&["authorization_code", "payload"]))
    }

    fn seal(&self, core: &Core, code: &Secret) -> Vec<u8> {
        let (sealer, place) = Self::sealer(code);
        let plain = serde_json::to_vec(self).expect("a struct of strings and JSON serialises");
        sealer.seal(&place, &zeroize::Zeroizing::new(plain), &*core.rng)
    }

    fn open(code: &Secret, sealed: &[u8]) -> Result<Self, ClaimsError> {
        let (sealer, place) = Self::sealer(code);
        Ok(serde_json::from_slice(&sealer.open(&place, sealed)?)?)
    }

    fn check(&self, redemption: &CodeRedemption<'_>) -> Result<(), RedeemError> {
        // RFC 6749, section 4.1.3: same client, same redirect URI.
        let same = self.client_id == redemption.client_id
            && redemption.redirect_uri == Some(self.redirect_uri.as_str());
        // RFC 9449, section 10: the code may be bound to a key.
        let key = self.dpop_jkt.is_none() || self.dpop_jkt == redemption.dpop_jkt;
        let challenge =
            CodeChallenge::parse(&self.code_challenge).map_err(|_| RedeemError::OtherRequest)?;
        pkce::verify(Some(&challenge), redemption.code_verifier)
            .map_err(|_| RedeemError::OtherRequest)?;
        if same && key {
            Ok(())
        } else {
            Err(RedeemError::OtherRequest)
        }
    }

    fn grant(
        self,
        core: &Core,
        token: &Secret,
        dpop_jkt: Option<String>,
    ) -> Result<TokenGrant, RedeemError> {
        let offer = OfferId::parse(&self.offer).map_err(|_| RedeemError::Grant)?;
        let record = RecordId::parse(&self.record).map_err(|_| RedeemError::Grant)?;
        Ok(TokenGrant {
            claims_sealed: claims::seal_under_token(core, token, &offer, &Claims(self.claims)),
            offer,
            record,
            credential_type: self.credential_type,
            client_id: Some(self.client_id),
            dpop_jkt,
            expires_at: core.clock.now().plus(core.settings.lifetimes.token_s),
        })
    }
}
