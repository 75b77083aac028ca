//! An authorization code: made when a person opens a prepared record, redeemed by the wallet.

use serde::{Deserialize, Serialize};
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_protocol::oauth::pkce::{self, CodeChallenge};
use vouchsafe_service::db::{DbError, Tx};
use vouchsafe_service::dpop;
use vouchsafe_service::jti::Identifier;
use vouchsafe_service::seal::{Place, Sealer};
use vouchsafe_service::single_use::{self, Consumed, Kind, NewObject};

use super::fresh::{Basis, FreshTokens, granted_scope, narrow};
use super::{
    Granted, RedeemError, Refused, TokenHolder, compare, pending, sealed_claims, still_open, take,
};
use crate::claims::{ClaimsError, Origin};
use crate::core::Core;
use crate::domain::ids::{OfferId, RecordId};
use crate::domain::offer::{Decision, GrantKind, Offer};
use crate::domain::secret::{Secret, SecretHash};
use crate::store::offers::{self, Redeemable};
use crate::store::{decisions, refresh_tokens, tokens};

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
    /// The attested key that the token request must prove.
    pub instance: Option<String>,
    /// Configurations of `authorization_details`.
    pub details: Vec<String>,
    /// The scopes that were asked for.
    pub scopes: Vec<String>,
    /// The pushed request that brought the browser: used up with this code.
    pub pushed: Option<Secret>,
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
    issue_code(core, found, Some(typed), order).await
}

/// Opens the prepared record that a long one-time code finds, if it is of one of these types, and
/// makes an authorization code.
pub async fn authorize_by_code(
    core: &Core,
    code: &str,
    types: &[String],
    order: CodeOrder,
) -> Result<Secret, RedeemError> {
    let found = offers::find_by_code(&core.db, &core.keys.code_lookup(code)).await?;
    let found = found.ok_or(RedeemError::Grant)?;
    // A card that the wallet did not ask for stays where it is.
    if !types.contains(&found.offer.credential_type) {
        return Err(RedeemError::Grant);
    }
    let found = still_open(core, found).await?;
    issue_code(core, found, None, order).await
}

async fn issue_code(
    core: &Core,
    found: Redeemable,
    typed: Option<SecretHash>,
    mut order: CodeOrder,
) -> Result<Secret, RedeemError> {
    let pushed = order.pushed.take();
    let claims = sealed_claims(core, &found)?;
    let offer = found.offer.id.clone();
    let now = core.clock.now();
    let fresh = FreshCode::make(core, found.offer, order, &claims);
    let (row, told) = (fresh.clone(), core.clone());
    let refused = core
        .db
        .write(async move |tx| {
            if let Some(typed) = &typed
                && let Some(refused) = compare(tx, &offer, typed, now).await?
            {
                return Ok(Some(refused));
            }
            if !use_up_pushed(tx, pushed.as_ref(), now).await? {
                return Ok(Some(Refused::Dead));
            }
            if let Some(refused) = take(&told, tx, &offer, now).await? {
                return Ok(Some(refused));
            }
            row.insert(tx).await?;
            Ok::<_, DbError>(None)
        })
        .await?;
    match refused {
        None => Ok(fresh.code),
        Some(refused) => Err(refused.into()),
    }
}

/// Uses up the pushed request that brought the browser, if one did. False: it was used before.
pub(super) async fn use_up_pushed(
    tx: &mut Tx,
    pushed: Option<&Secret>,
    now: UnixTime,
) -> Result<bool, DbError> {
    let Some(pushed) = pushed else {
        return Ok(true);
    };
    let used = single_use::consume(tx, Kind::PushedRequest, pushed.expose(), now);
    Ok(used.await?.taken().is_some())
}

/// An authorization code that was just made.
#[derive(Clone)]
pub(super) struct FreshCode {
    pub(super) code: Secret,
    object: NewObject,
}

impl FreshCode {
    /// A code for an offer.
    pub(super) fn make(core: &Core, offer: Offer, mut order: CodeOrder, claims: &Origin) -> Self {
        let kind = &offer.credential_type;
        order
            .details
            .retain(|one| core.is_configuration_of(one, kind));
        let code = Secret::generate(&*core.rng);
        let family = core.ids.next_text();
        let scope = granted_scope(core, kind, &order.scopes);
        let payload = CodePayload {
            scope,
            ..CodePayload::new(offer, order, claims, family.clone())
        };
        let object = NewObject {
            payload: payload.seal(core, &code),
            family,
            expires_at: core.clock.now().plus(core.settings.lifetimes.code_s),
        };
        Self { code, object }
    }

    /// The row, for the transaction that makes the code good.
    pub(super) async fn insert(&self, tx: &mut Tx) -> Result<(), DbError> {
        let kind = Kind::AuthorizationCode;
        single_use::put(tx, kind, self.code.expose(), &self.object).await
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
    /// Thumbprint of the attested key of the wallet's instance.
    pub instance: Option<&'a str>,
    /// The DPoP proof, which is used up with the code.
    pub proof: Option<Identifier>,
    /// Configurations of `authorization_details` in the token request.
    pub details: Option<&'a [String]>,
}

/// Whether a request took its code.
enum Taken {
    Yes,
    No,
    ProofUsed,
}

/// Redeems an authorization code.
pub async fn authorization_code(
    core: &Core,
    code: &Secret,
    mut redemption: CodeRedemption<'_>,
) -> Result<Granted, RedeemError> {
    let proof = redemption.proof.take();
    let now = core.clock.now();
    let kind = Kind::AuthorizationCode;
    let Some(sealed) = single_use::peek(&core.db, kind, code.expose(), now).await? else {
        return Err(refuse_used_code(core, code, now).await?);
    };
    let payload = CodePayload::open(code, &sealed)?;
    payload.check(&redemption)?;
    let offer = OfferId::parse(&payload.offer).map_err(|_| RedeemError::Grant)?;
    let decision = decisions::decision(&core.db, &offer).await?;
    let waits = decision == Some(Decision::Waiting);
    let fresh = payload.tokens(core, redemption, waits)?;
    let (rows, secret) = (fresh.rows(), code.clone());
    let taken = core
        .db
        .write(async move |tx| {
            offers::lock(tx, &offer).await?;
            if !dpop::is_fresh(tx, proof.as_ref()).await? {
                return Ok(Taken::ProofUsed);
            }
            match single_use::consume(tx, kind, secret.expose(), now).await? {
                Consumed::Taken {
                    payload: _,
                    family: _,
                } if !offers::is_closed(tx, &offer).await? => {
                    rows.insert(tx).await?;
                    Ok::<_, DbError>(Taken::Yes)
                }
                Consumed::Taken { .. } | Consumed::Replayed { .. } | Consumed::Unknown => {
                    Ok(Taken::No)
                }
            }
        })
        .await?;
    match taken {
        Taken::Yes => Ok(fresh.granted(core)),
        Taken::No => Err(refuse_used_code(core, code, now).await?),
        Taken::ProofUsed => Err(RedeemError::ProofUsed),
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
            // A rotation in flight would leave its successor behind.
            if let Some(offer) = tokens::offer_of_family(tx, &family).await? {
                offers::lock(tx, &offer).await?;
            }
            tokens::revoke_family(tx, &family, now).await?;
            refresh_tokens::revoke_family(tx, &family, now).await?;
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
    instance: Option<String>,
    #[serde(default)]
    details: Vec<String>,
    #[serde(default)]
    scope: Option<String>,
    #[serde(default)]
    family: String,
    claims: serde_json::Value,
}

impl CodePayload {
    fn new(offer: Offer, order: CodeOrder, claims: &Origin, family: String) -> Self {
        let CodeOrder {
            client_id,
            redirect_uri,
            code_challenge,
            dpop_jkt,
            instance,
            details,
            scopes: _,
            pushed: _,
        } = order;
        Self {
            offer: offer.id.as_str().to_owned(),
            record: offer.record.as_str().to_owned(),
            credential_type: offer.credential_type,
            client_id,
            redirect_uri,
            code_challenge,
            dpop_jkt,
            instance,
            details,
            scope: None,
            family,
            claims: claims.to_value(),
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
        // Attestation-based client authentication, section 10.4: or to an instance of the wallet.
        let key = (self.dpop_jkt.is_none() || self.dpop_jkt == redemption.dpop_jkt)
            && (self.instance.is_none() || self.instance.as_deref() == redemption.instance);
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

    fn tokens(
        self,
        core: &Core,
        redemption: CodeRedemption<'_>,
        waits: bool,
    ) -> Result<FreshTokens, RedeemError> {
        let kind = self.credential_type;
        let details = narrow(core, &kind, self.details, redemption.details)?;
        let basis = Basis {
            granted: details.clone(),
            details,
            waits,
            scope: self.scope,
            offer: OfferId::parse(&self.offer).map_err(|_| RedeemError::Grant)?,
            record: RecordId::parse(&self.record).map_err(|_| RedeemError::Grant)?,
            credential_type: kind,
            family: self.family,
        };
        let holder = TokenHolder {
            client_id: Some(self.client_id),
            dpop_jkt: redemption.dpop_jkt,
            instance: redemption.instance.map(str::to_owned),
            proof: None,
        };
        let claims = Origin::from_value(self.claims)?;
        Ok(FreshTokens::make(core, &basis, &holder, &claims))
    }
}
