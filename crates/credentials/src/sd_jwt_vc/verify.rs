//! Verifying, RFC 9901, section 7, with the rules of SD-JWT VC.

use super::issuer_key::Candidates;
use super::kb::{self, Agreed};
use super::{
    HeldSdJwtVc, IssuerTrust, KbError, RegisteredClaims, SdJwtVc, StatusOwed, StatusPolicy,
    VcError, claims,
};
use crate::Verified;
use crate::crypto::{CryptoProvider, PublicKey};
use crate::jws::{TokenType, Unverified};
use crate::sd_jwt::{self, Processed, SdJwt};
use crate::time::UnixTime;

/// Tolerated difference between the issuer's clock and ours, in seconds.
pub const CLOCK_SKEW_S: i64 = 60;

/// What the Verifier wants to know about the Holder. It is decided before the
/// presentation is seen (RFC 9901, section 7.3, step 1).
#[derive(Debug, Clone, Copy)]
pub enum KeyBindingPolicy<'a> {
    /// A Key Binding JWT for this audience and nonce must be there.
    Required {
        /// The full client identifier with its prefix, or `origin:…`.
        audience: &'a str,
        /// `nonce` of the request.
        nonce: &'a str,
    },
    /// One may be missing; one that is there must be valid all the same.
    Optional {
        /// As above.
        audience: &'a str,
        /// As above.
        nonce: &'a str,
    },
    /// None may be there.
    Forbidden,
}

/// What a Verifier accepts.
#[derive(Debug, Clone, Copy)]
pub struct Policy<'a> {
    /// Issuers that are believed.
    pub trust: &'a IssuerTrust,
    /// Types (`vct`) that were asked for.
    pub types: &'a [String],
    /// Key binding.
    pub key_binding: KeyBindingPolicy<'a>,
    /// Status.
    pub status: StatusPolicy,
    /// The time now.
    pub now: UnixTime,
}

/// What a Holder accepts from an issuer.
#[derive(Debug, Clone, Copy)]
pub struct IssuancePolicy<'a> {
    /// Issuers that are believed.
    pub trust: &'a IssuerTrust,
    /// The type (`vct`) that was asked for.
    pub vct: &'a str,
    /// The key that `cnf` must hold; `None`: there must be no `cnf`.
    pub holder_key: Option<&'a PublicKey>,
    /// The time now.
    pub now: UnixTime,
}

/// Verifies a presentation but for its status.
///
/// # Errors
/// Each rule has its own [`VcError`].
pub fn verify_presented(
    compact: &str,
    policy: &Policy<'_>,
    provider: &dyn CryptoProvider,
) -> Result<StatusOwed, VcError> {
    match verify_agreeing(compact, policy, provider)? {
        (owed, None) => Ok(owed),
        // OpenID4VP 1.0, annex B.3.3: hashes answer `transaction_data` of the request. None was sent,
        // so whoever signed them agreed to something else than what is being asked.
        (_, Some(_)) => Err(VcError::KeyBinding(KbError::TransactionData)),
    }
}

/// The same for a request that may have asked about transaction data. What the Holder agrees to comes
/// beside: the caller compares it with what was asked.
///
/// # Errors
/// Each rule has its own [`VcError`].
pub fn verify_agreeing(
    compact: &str,
    policy: &Policy<'_>,
    provider: &dyn CryptoProvider,
) -> Result<(StatusOwed, Option<Agreed>), VcError> {
    let sd_jwt = SdJwt::parse(compact)?;
    refuse_wrong_form(&sd_jwt, policy.key_binding)?;
    let valid = validate(&sd_jwt, policy.trust, policy.now, provider)?;
    let accepted = accepted_type(&valid.registered, policy.types)?;
    let issuer = valid
        .candidates
        .decide(policy.trust, &valid.registered, accepted)?;
    check_times(&valid.registered, policy.now)?;
    let (holder_bound, agreed) = check_binding(
        &sd_jwt,
        &valid.registered,
        &valid.processed,
        policy,
        provider,
    )?;
    if policy.status == StatusPolicy::Required && valid.registered.status.is_none() {
        return Err(VcError::StatusMissing);
    }
    let owed = StatusOwed::new(SdJwtVc {
        issuer,
        registered: valid.registered,
        claims: valid.processed.claims,
        disclosed: valid.processed.disclosed,
        holder_bound,
    });
    Ok((owed, agreed))
}

/// Verifies a credential as the issuer sends it. An SD-JWT+KB is refused
/// (RFC 9901, section 7.2).
///
/// # Errors
/// Each rule has its own [`VcError`].
pub fn verify_issued(
    compact: &str,
    policy: &IssuancePolicy<'_>,
    provider: &dyn CryptoProvider,
) -> Result<Verified<HeldSdJwtVc>, VcError> {
    let sd_jwt = SdJwt::parse(compact)?;
    if sd_jwt.key_binding().is_some() {
        return Err(VcError::KeyBindingUnexpected);
    }
    let valid = validate(&sd_jwt, policy.trust, policy.now, provider)?;
    if valid.registered.vct != policy.vct {
        return Err(VcError::TypeNotAccepted);
    }
    let issuer = valid
        .candidates
        .decide(policy.trust, &valid.registered, policy.vct)?;
    check_times(&valid.registered, policy.now)?;
    match (policy.holder_key, &valid.registered.holder_key) {
        (Some(_), None) => return Err(VcError::HolderKeyMissing),
        (wanted, bound) if wanted == bound.as_ref() => {}
        _ => return Err(VcError::HolderKeyMismatch),
    }
    let held = HeldSdJwtVc::new(
        compact.to_owned(),
        issuer,
        valid.registered,
        valid.processed,
    );
    Ok(Verified::new(held))
}

/// RFC 9901, section 7.3, steps 1 and 2, before any cryptography.
fn refuse_wrong_form(sd_jwt: &SdJwt<'_>, policy: KeyBindingPolicy<'_>) -> Result<(), VcError> {
    match (policy, sd_jwt.key_binding()) {
        (KeyBindingPolicy::Required { .. }, None) => Err(VcError::KeyBindingMissing),
        (KeyBindingPolicy::Forbidden, Some(_)) => Err(VcError::KeyBindingUnexpected),
        (KeyBindingPolicy::Required { .. }, Some(_))
        | (KeyBindingPolicy::Optional { .. }, _)
        | (KeyBindingPolicy::Forbidden, None) => Ok(()),
    }
}

/// A credential whose signature holds and whose claims are well-formed.
struct Valid<'p> {
    candidates: Candidates<'p>,
    processed: Processed,
    registered: RegisteredClaims,
}

/// RFC 9901, section 7.1, but for the last step.
fn validate<'p>(
    sd_jwt: &SdJwt<'_>,
    trust: &'p IssuerTrust,
    now: UnixTime,
    provider: &dyn CryptoProvider,
) -> Result<Valid<'p>, VcError> {
    let token = Unverified::parse(sd_jwt.issuer_signed(), TokenType::SdJwtVc)
        .map_err(VcError::IssuerJwt)?;
    let candidates = Candidates::find(&token, trust, now, provider)?;
    let payload = token
        .verify(provider, &candidates.key)
        .map_err(VcError::IssuerJwt)?
        .into_inner();
    claims::refuse_digests_in_registered(&payload.claims)?;
    let processed = sd_jwt::process(payload.claims, sd_jwt.disclosures())?;
    claims::refuse_disclosed_registered(&processed.disclosed)?;
    let registered = RegisteredClaims::read(&processed.claims)?;
    Ok(Valid {
        candidates,
        processed,
        registered,
    })
}

/// The type under which the credential was asked for. `aka_vcts` is the
/// issuer's word, so [`Candidates::decide`] asks whether it may give it.
fn accepted_type<'r>(
    registered: &'r RegisteredClaims,
    wanted: &[String],
) -> Result<&'r str, VcError> {
    std::iter::once(&registered.vct)
        .chain(&registered.aka_vcts)
        .find(|vct| wanted.contains(vct))
        .map(String::as_str)
        .ok_or(VcError::TypeNotAccepted)
}

fn check_times(registered: &RegisteredClaims, now: UnixTime) -> Result<(), VcError> {
    if registered
        .expires_at
        .is_some_and(|exp| now.since(exp) >= CLOCK_SKEW_S)
    {
        return Err(VcError::Expired);
    }
    if registered
        .not_before
        .is_some_and(|nbf| nbf.since(now) > CLOCK_SKEW_S)
    {
        return Err(VcError::NotYetValid);
    }
    if registered
        .issued_at
        .is_some_and(|iat| iat.since(now) > CLOCK_SKEW_S)
    {
        return Err(VcError::IssuedInFuture);
    }
    Ok(())
}

/// RFC 9901, section 7.3, step 5. Gives whether the Holder is bound, and what they agree to.
fn check_binding(
    sd_jwt: &SdJwt<'_>,
    registered: &RegisteredClaims,
    processed: &Processed,
    policy: &Policy<'_>,
    provider: &dyn CryptoProvider,
) -> Result<(bool, Option<Agreed>), VcError> {
    let (audience, nonce) = match policy.key_binding {
        KeyBindingPolicy::Required { audience, nonce }
        | KeyBindingPolicy::Optional { audience, nonce } => (audience, nonce),
        KeyBindingPolicy::Forbidden => return Ok((false, None)),
    };
    let Some(jwt) = sd_jwt.key_binding() else {
        return Ok((false, None));
    };
    let holder = registered
        .holder_key
        .as_ref()
        .ok_or(VcError::HolderKeyMissing)?;
    let expected = kb::Expected {
        audience,
        nonce,
        now: policy.now,
    };
    let bound_text = sd_jwt.bound_text();
    let agreed = kb::check(jwt, bound_text, processed.hash, holder, &expected, provider)?;
    Ok((true, agreed))
}
