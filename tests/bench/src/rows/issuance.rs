//! P4: the issuer, from a pre-authorized code to a credential (OpenID4VCI 1.0).

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use url::Url;
use vouchsafe_credentials::crypto::{
    Algorithm, AwsLc, AwsLcSigningKey, PublicKey, Signer, SigningKey,
};
use vouchsafe_credentials::sd_jwt_vc::{
    IssuancePolicy, IssuerMethod, IssuerTrust, StatusMethod, TrustedIssuer, verify_issued,
};
use vouchsafe_credentials::time::Clock;
use vouchsafe_credentials::x509::Role;
use vouchsafe_protocol::http::{HttpRequest, Method};
use vouchsafe_protocol::oauth::dpop::{self, ProofFor};
use vouchsafe_protocol::oauth::token::{ReceivedToken, TokenRequest, TokenType};
use vouchsafe_protocol::oauth::values::Secret;
use vouchsafe_protocol::vci::nonce::NonceResponse;
use vouchsafe_protocol::vci::proof;
use vouchsafe_protocol::vci::request::{CredentialRequest, Proofs, Requested};
use vouchsafe_protocol::vci::response::ReceivedCredentials;
use vouchsafe_service::clock::SystemClock;
use vouchsafe_service::random::OsRandom;

use crate::floor::{Exchange, Primitives, Row};
use crate::load::{Load, Scenario};
use crate::report::{Floor, Goal, Line, Results};
use crate::services::Services;
use crate::slices::{Here, Plan};
use crate::web::{self, Web};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:pre-authorized_code";

/// An offer and the keys of a wallet.
pub struct Prepared {
    code: Secret,
    dpop: AwsLcSigningKey,
    holder: AwsLcSigningKey,
}

/// A credential and the key that it must be bound to.
pub struct Outcome {
    /// The SD-JWT VC.
    pub credential: String,
    /// The key.
    pub holder: PublicKey,
}

/// Scripted wallets at the issuer.
pub struct Issuance<'a> {
    services: &'a Services,
    web: Web,
    trust: IssuerTrust,
}

impl<'a> Issuance<'a> {
    /// Wallets that trust the issuer.
    pub fn new(services: &'a Services) -> Result<Self> {
        let anchors = Arc::new(services.anchors(Role::Issuer)?);
        let trust = IssuerTrust::new(vec![TrustedIssuer {
            id: services.issuer_url.clone(),
            method: IssuerMethod::X509 {
                anchors,
                subject: None,
            },
            types: vec![vct("membership"), vct("age")],
            status: StatusMethod::SameIssuer,
        }])?;
        Ok(Self {
            services,
            web: Web::new()?,
            trust,
        })
    }

    fn url(&self, path: &str) -> Result<Url> {
        Ok(format!("{}{path}", self.services.issuer_url).parse()?)
    }

    async fn with_dpop(
        &self,
        request: HttpRequest,
        key: &AwsLcSigningKey,
        access_token: Option<&str>,
    ) -> Result<HttpRequest> {
        let proof_for = ProofFor {
            method: request.method,
            url: &request.url,
            access_token,
            nonce: None,
        };
        let proof = dpop::build(&proof_for, key, SystemClock.now(), &OsRandom).await?;
        Ok(request.header("dpop", proof))
    }

    /// The services.
    pub const fn services(&self) -> &'a Services {
        self.services
    }

    /// The way to them.
    pub const fn web(&self) -> &Web {
        &self.web
    }

    /// The issuer's identifier.
    pub fn issuer(&self) -> &'a str {
        &self.services.issuer_url
    }

    /// Redeems a pre-authorized code.
    pub async fn token(&self, code: Secret, key: &AwsLcSigningKey) -> Result<ReceivedToken> {
        let form = TokenRequest::PreAuthorizedCode {
            code,
            tx_code: None,
        };
        let request = HttpRequest::post_form(self.url("/token")?, &form.to_fields());
        let request = self.with_dpop(request, key, None).await?;
        let answer = self.web.expect(200, request).await?;
        Ok(ReceivedToken::parse(&answer.body, TokenType::Dpop)?)
    }
}

impl Issuance<'_> {
    /// A fresh `c_nonce`.
    pub async fn nonce(&self) -> Result<String> {
        let request = HttpRequest::new(Method::Post, self.url("/nonce")?);
        let nonce = self.web.expect(200, request).await?;
        Ok(NonceResponse::parse(&nonce.body)?.c_nonce)
    }

    /// Asks for as many credentials of a type as the proofs have keys.
    pub async fn credentials(
        &self,
        token: &ReceivedToken,
        dpop: &AwsLcSigningKey,
        kind: &str,
        proofs: Proofs,
        count: usize,
    ) -> Result<Vec<String>> {
        let body = CredentialRequest {
            requested: Requested::Configuration(kind.to_owned()),
            proofs: Some(proofs),
        };
        let access = token.access_token.expose();
        let request = HttpRequest::post_json(self.url("/credential")?, &body.to_json())?
            .header("authorization", format!("DPoP {access}"));
        let request = self.with_dpop(request, dpop, Some(access)).await?;
        let answer = self.web.expect(200, request).await?;
        Ok(ReceivedCredentials::from_response(&answer, count)?.credentials)
    }

    /// Whether a credential is one of a type, for its key.
    pub fn verify(&self, outcome: &Outcome, kind: &str) -> Result<()> {
        let vct = vct(kind);
        let policy = IssuancePolicy {
            trust: &self.trust,
            vct: &vct,
            holder_key: Some(&outcome.holder),
            now: SystemClock.now(),
        };
        let held = verify_issued(&outcome.credential, &policy, &AwsLc)?;
        let claims = held.get().claims();
        let right = match kind {
            "age" => claims["age_equal_or_over"]["18"] == true,
            _ => claims["tier"] == "gold",
        };
        ensure!(right, "something else was issued");
        Ok(())
    }
}

impl Scenario for Issuance<'_> {
    type Prepared = Prepared;
    type Outcome = Outcome;

    async fn prepare(&self) -> Result<Prepared> {
        Ok(Prepared {
            code: Secret::new(offer(&self.web, self.services, "membership").await?.code),
            dpop: fresh_key()?,
            holder: fresh_key()?,
        })
    }

    async fn run(&self, prepared: Prepared) -> Result<Outcome> {
        let Prepared { code, dpop, holder } = prepared;
        let token = self.token(code, &dpop).await?;
        let nonce = self.nonce().await?;
        let proof_for = proof::ProofFor {
            issuer: self.issuer(),
            client_id: None,
            nonce: Some(&nonce),
        };
        let proof = proof::build(&proof_for, &holder, SystemClock.now()).await?;
        let proofs = Proofs::Jwt(vec![proof]);
        let received = self.credentials(&token, &dpop, "membership", proofs, 1);
        let mut credentials = received.await?.into_iter();
        Ok(Outcome {
            credential: credentials.next().context("no credential")?,
            holder: holder.public_key().clone(),
        })
    }

    fn check(&self, outcome: Outcome) -> Result<()> {
        self.verify(&outcome, "membership")
    }
}

/// What a type of the distribution is called in credentials.
fn vct(kind: &str) -> String {
    format!("urn:vouchsafe:{kind}:1")
}

/// A key of a wallet.
pub fn fresh_key() -> Result<AwsLcSigningKey> {
    let key = SigningKey::generate(Algorithm::Es256, &OsRandom);
    Ok(AwsLcSigningKey::new(&key)?)
}

/// A prepared offer.
pub struct Offer {
    /// The pre-authorized code.
    pub code: String,
    /// What a wallet would open.
    pub link: String,
}

/// Prepares an offer, as the organisation's own system does.
pub async fn offer(web: &Web, services: &Services, kind: &str) -> Result<Offer> {
    let claims = match kind {
        "age" => json!({"age_equal_or_over": {"16": true, "18": true, "21": false}}),
        _ => json!({"member_id": "M-4711", "tier": "gold", "valid_until": "2030-12-31"}),
    };
    let body = json!({
        "record_id": "bench",
        "credential_type": kind,
        "claims": claims,
        "grant": "pre_authorized_code",
    });
    let url = format!("{}/v1/offers", services.issuer_url).parse()?;
    let request = HttpRequest::post_json(url, &body)?
        .header("authorization", format!("Bearer {}", services.api_key));
    let created: Value = web::json(&web.expect(201, request).await?)?;
    let link = created["link_by_value"].as_str().context("no link")?;
    let (_, offer) = Url::parse(link)?
        .query_pairs()
        .find(|(name, _)| name == "credential_offer")
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .context("no offer in the link")?;
    let offer: Value = serde_json::from_str(&offer)?;
    let code = offer["grants"][GRANT]["pre-authorized_code"].as_str();
    Ok(Offer {
        code: code.context("no code in the offer")?.to_owned(),
        link: link.to_owned(),
    })
}

/// P4.
pub fn measure(plan: &Plan) -> Result<Results> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let services = runtime.block_on(Services::start())?;
    let primitives = Primitives::new()?;
    let figures = plan.race(&mut [
        &mut Load::new(
            &runtime,
            services.issuer_process()?,
            Issuance::new(&services)?,
        ),
        &mut Here(|| primitives.sign()),
        &mut Here(|| primitives.verify()),
        &mut Exchange::new()?,
        &mut Row::new()?,
    ])?;
    let [ours, sign, verify, exchange, row] = figures[..] else {
        anyhow::bail!("a figure is missing")
    };
    let line = Line {
        name: "P4",
        what: "OpenID4VCI pre-authorized issuance, DPoP, SQLite".to_owned(),
        ours,
        floor: Some(Floor {
            us: sign.median_us
                + 3.0 * verify.median_us
                + 3.0 * exchange.median_us
                + 2.0 * row.median_us,
            of: format!(
                "1 ES256 signature (credential) {:.1} + 3 verifications (2 DPoP, 1 key proof) x {:.1} \
                 + 3 bare HTTP exchanges x {:.1} + 2 bare SQLite rows x {:.1}, same run; Credo 0.6.3 \
                 without DPoP, in memory, was measured elsewhere at 11900 us (goal: times>=40)",
                sign.median_us, verify.median_us, exchange.median_us, row.median_us
            ),
        }),
        peer: None,
        goals: &[Goal::Limit(0.45)],
    };
    Ok(Results::of(vec![line]))
}
