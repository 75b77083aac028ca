//! A person's wallet with one card, for logins.

use std::sync::Arc;

use anyhow::{Result, bail};
use vouchsafe_credentials::crypto::AwsLc;
use vouchsafe_credentials::sd_jwt_vc::{IssuerMethod, StatusMethod};
use vouchsafe_credentials::x509::Role;
use vouchsafe_protocol::http::UrlRule;
use vouchsafe_service::clock::SystemClock;
use vouchsafe_service::random::OsRandom;
use vouchsafe_wallet_core::Wallet;
use vouchsafe_wallet_core::attestation::Attestations;
use vouchsafe_wallet_core::issuance::{IssuancePolicy, Step};
use vouchsafe_wallet_core::status::StatusPolicy;
use vouchsafe_wallet_core::storage::{KdfParams, MemoryStorage};
use vouchsafe_wallet_core::trust::{KnownIssuer, OtherVerifiers, TrustList, UnknownIssuers};
use vouchsafe_wallet_core::wallet::{Config, Ports};

use crate::rows::issuance::offer;
use crate::services::Services;
use crate::web::Web;

/// A wallet in memory that holds one card of this type.
pub async fn with_card(web: &Web, services: &Services, kind: &str) -> Result<Wallet> {
    let wallet = new(services)?;
    let mut step = wallet.add(&offer(web, services, kind).await?.link)?;
    loop {
        step = match step {
            Step::Send(exchange) => {
                let answer = web.send(exchange.request().clone()).await?;
                exchange.receive(&answer).await?
            }
            Step::Preview(preview) => preview.accept(None).await?,
            Step::Done(_) => return Ok(wallet),
            Step::ConfirmIssuer(_) | Step::Authorize(_) => bail!("the offer needs a person"),
        };
    }
}

fn new(services: &Services) -> Result<Wallet> {
    let issuer = KnownIssuer {
        credential_issuer: services.issuer_url.clone(),
        method: IssuerMethod::X509 {
            anchors: Arc::new(services.anchors(Role::Issuer)?),
            subject: None,
        },
        types: Vec::new(),
        status: StatusMethod::SameIssuer,
    };
    let config = Config {
        trust: TrustList {
            issuers: vec![issuer],
            verifiers: services.anchors(Role::VerifierAccess)?,
            unknown_issuers: UnknownIssuers::Refuse,
            other_verifiers: OtherVerifiers::default(),
        },
        urls: UrlRule::LoopbackAllowed,
        locales: vec!["en".to_owned()],
        redirect_uri: "http://127.0.0.1/callback".parse()?,
        client_id: "vouchsafe-wallet".to_owned(),
        batch_size: 1,
        issuance: IssuancePolicy::default(),
        status: StatusPolicy::default(),
        transactions: false,
    };
    let ports = Ports {
        storage: Arc::new(MemoryStorage::new()),
        clock: Arc::new(SystemClock),
        rng: Arc::new(OsRandom),
        crypto: Arc::new(AwsLc),
        secure_area: None,
        attestations: Attestations::default(),
    };
    Ok(Wallet::create(
        config,
        ports,
        "the passphrase of the bench",
        KdfParams::MINIMUM,
    )?)
}
