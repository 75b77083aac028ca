//! Whom the wallet believes, and how it is put together on a phone.

use std::path::Path;
use std::sync::Arc;

use vouchsafe_credentials::crypto::Portable;
use vouchsafe_credentials::sd_jwt_vc::IssuerMethod;
use vouchsafe_credentials::x509::{Role, TrustAnchors};
use vouchsafe_protocol::http::UrlRule;
use vouchsafe_wallet_core::WalletError;
use vouchsafe_wallet_core::attestation::Attestations;
use vouchsafe_wallet_core::issuance::IssuancePolicy;
use vouchsafe_wallet_core::storage::StorageError;
use vouchsafe_wallet_core::storage::file::FileStorage;
use vouchsafe_wallet_core::trust::{KnownIssuer, OtherVerifiers, TrustList, UnknownIssuers};
use vouchsafe_wallet_core::wallet::{Config, Ports};

use crate::error::BindingError;
use crate::platform::{SystemClock, SystemRandom};

/// Whom the wallet believes.
#[derive(Debug, Clone, uniffi::Record)]
pub struct TrustInput {
    /// Identifier of an issuer that needs no further question, with the PEM
    /// certificates of its authority; empty for none.
    pub issuer: String,
    /// PEM certificates of that issuer's authority.
    pub issuer_anchors: String,
    /// PEM certificates of the authorities that name verifiers; empty for none.
    pub verifier_anchors: String,
}

pub(crate) fn prepare(
    folder: &str,
    locale: &str,
    trust: &TrustInput,
) -> Result<(Config, Ports), BindingError> {
    let storage = FileStorage::open(Path::new(folder)).map_err(storage_error)?;
    let ports = Ports {
        storage: Arc::new(storage),
        clock: Arc::new(SystemClock),
        rng: Arc::new(SystemRandom),
        crypto: Arc::new(Portable),
        secure_area: None,
        attestations: Attestations::default(),
    };
    let config = Config {
        trust: trust_list(trust)?,
        urls: UrlRule::PublicHttps,
        locales: vec![locale.to_owned()],
        redirect_uri: "https://wallet.vouchsafe.example/callback"
            .parse()
            .map_err(|_| BindingError::Settings)?,
        client_id: "vouchsafe-wallet".to_owned(),
        batch_size: 10,
        issuance: IssuancePolicy::default(),
    };
    Ok((config, ports))
}

fn storage_error(error: StorageError) -> BindingError {
    WalletError::from(error).into()
}

fn trust_list(input: &TrustInput) -> Result<TrustList, BindingError> {
    let anchors = |role, pem: &str| {
        let mut anchors = TrustAnchors::new(role);
        if !pem.is_empty() {
            anchors.add_pem(pem).map_err(|_| BindingError::Settings)?;
        }
        Ok::<TrustAnchors, BindingError>(anchors)
    };
    let mut issuers = Vec::new();
    if !input.issuer.is_empty() {
        issuers.push(KnownIssuer {
            credential_issuer: input.issuer.clone(),
            method: IssuerMethod::X509 {
                anchors: Arc::new(anchors(Role::Issuer, &input.issuer_anchors)?),
                subject: None,
            },
            types: Vec::new(),
        });
    }
    Ok(TrustList {
        issuers,
        verifiers: anchors(Role::VerifierAccess, &input.verifier_anchors)?,
        unknown_issuers: UnknownIssuers::Ask,
        other_verifiers: OtherVerifiers::default(),
    })
}
