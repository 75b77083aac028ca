//! How keys are proven to an issuer (OpenID4VCI 1.0, appendix F).

use std::sync::Arc;

use serde_json::Value;
use vouchsafe_credentials::crypto::Algorithm;
use vouchsafe_protocol::vci::metadata::{CredentialConfiguration, MSO_MDOC, ProofType};
use vouchsafe_protocol::vci::proof::{self, ProofFor};
use vouchsafe_protocol::vci::request::Proofs;

use super::IssuanceError;
use super::session::Session;
use crate::WalletError;
use crate::secure_area::{self, AreaSigner, AttestationRequest, AuthorizationHint, KeyHandle};
use crate::wallet::Wallet;

/// What proves the keys of one card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ProofPlan {
    /// A signature with each key.
    Jwt,
    /// One attestation of all keys, and no signature.
    Attestation(Levels),
    /// A signature with each key, and one attestation of all.
    AttestedJwt(Levels),
}

/// What `key_attestations_required` asks for; empty: anything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Levels {
    key_storage: Vec<String>,
    user_authentication: Vec<String>,
}

/// Whether the keys of this wallet are named as the issuer binds the card (OpenID4VCI 1.0, section
/// 12.2.4): proofs carry a JWK, from which the issuer of an mdoc makes its COSE key.
pub(super) fn binds(configuration: &CredentialConfiguration) -> bool {
    let methods = configuration
        .cryptographic_binding_methods_supported
        .as_deref();
    let mdoc = configuration.format == MSO_MDOC;
    let ours = |method: &String| method == "jwk" || (mdoc && method == "cose_key");
    methods.is_none_or(|methods| methods.iter().any(ours))
}

impl ProofPlan {
    /// The simplest way that the configuration takes; `None` where there is none, as for a card
    /// that is bound to no key. Keys that an area attests at once cost the person no signature.
    pub(super) fn of(configuration: &CredentialConfiguration, wallet: &Wallet) -> Option<Self> {
        let attests = wallet.secure_area().attests();
        let algorithm = wallet.config().issuance.keys.algorithm;
        let types = configuration.proof_types_supported.as_ref()?;
        let usable = |name: &str| types.get(name).filter(|kind| takes(kind, algorithm));
        let jwt = usable("jwt");
        if jwt.is_some_and(|kind| kind.key_attestations_required.is_none()) {
            return Some(Self::Jwt);
        }
        // HAIP 1.0, section 4.5.1: both forms.
        if let Some(kind) = usable("attestation").filter(|_| attests) {
            return Some(Self::Attestation(Levels::of(kind)?));
        }
        let kind = jwt.filter(|_| attests)?;
        Some(Self::AttestedJwt(Levels::of(kind)?))
    }

    /// Proofs of possession of these keys.
    pub(super) async fn prove(
        &self,
        session: &Session,
        request: &ProofFor<'_>,
        keys: &[KeyHandle],
    ) -> Result<Proofs, WalletError> {
        match self {
            Self::Jwt => jwts(session, request, keys, None).await,
            Self::Attestation(levels) => {
                let attestation = levels.attest(session, request, keys).await?;
                Ok(Proofs::Attestation(attestation))
            }
            Self::AttestedJwt(levels) => {
                let attestation = levels.attest(session, request, keys).await?;
                jwts(session, request, keys, Some(&attestation)).await
            }
        }
    }
}

impl Levels {
    /// `None` for a demand that cannot be read.
    fn of(kind: &ProofType) -> Option<Self> {
        let Some(demand) = &kind.key_attestations_required else {
            return Some(Self::default());
        };
        let demand = demand.as_object()?;
        let texts = |name: &str| -> Option<Vec<String>> {
            let Some(values) = demand.get(name) else {
                return Some(Vec::new());
            };
            let values = values.as_array()?.iter();
            values
                .map(|value| value.as_str().map(str::to_owned))
                .collect()
        };
        Some(Self {
            key_storage: texts("key_storage")?,
            user_authentication: texts("user_authentication")?,
        })
    }

    async fn attest(
        &self,
        session: &Session,
        request: &ProofFor<'_>,
        keys: &[KeyHandle],
    ) -> Result<String, WalletError> {
        let request = AttestationRequest {
            keys,
            nonce: request.nonce,
            key_storage: &self.key_storage,
            user_authentication: &self.user_authentication,
            now: session.sending_at(),
        };
        Ok(session.wallet.secure_area().attest(&request).await?)
    }
}

async fn jwts(
    session: &Session,
    request: &ProofFor<'_>,
    keys: &[KeyHandle],
    attestation: Option<&str>,
) -> Result<Proofs, WalletError> {
    let wallet = &session.wallet;
    let mut proofs = Vec::with_capacity(keys.len());
    for key in keys {
        let signer = AreaSigner {
            area: Arc::clone(wallet.secure_area()),
            key: key.clone(),
            hint: AuthorizationHint {
                title: session.host().to_owned(),
            },
        };
        let made = match attestation {
            None => proof::build(request, &signer, session.sending_at()).await,
            Some(text) => proof::build_attested(request, text, &signer, session.sending_at()).await,
        };
        proofs.push(made.map_err(|error| match secure_area::refusal(&error) {
            Some(refused) => WalletError::from(refused),
            None => IssuanceError::Proof.into(),
        })?);
    }
    Ok(Proofs::Jwt(proofs))
}

fn takes(kind: &ProofType, algorithm: Algorithm) -> bool {
    let mut algorithms = kind.proof_signing_alg_values_supported.iter();
    algorithms.any(|name: &Value| name == algorithm.name())
}
