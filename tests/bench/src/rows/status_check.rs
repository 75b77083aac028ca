//! P11: the status of a credential, where the verified list is at hand; and taking a list in.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use tokio::runtime::Runtime;
use url::Url;
use vouchsafe_credentials::crypto::{Algorithm, AwsLc, AwsLcSigningKey, SigningKey};
use vouchsafe_credentials::did;
use vouchsafe_credentials::sd_jwt_vc::{IssuerAuthority, IssuerIdentity, IssuerKey};
use vouchsafe_credentials::status_list::{
    Status, StatusCheck, StatusRef, StatusTokenInput, sign_status_list, verify_status_list,
};
use vouchsafe_credentials::time::{Clock as _, UnixTime};
use vouchsafe_protocol::oauth::values::Secret;
use vouchsafe_protocol::vp::verify::StatusSource as _;
use vouchsafe_service::clock::SystemClock;
use vouchsafe_service::random::OsRandom;
use vouchsafe_verifier::config::{Trust, TrustConfig, TrustedIssuerConfig};
use vouchsafe_verifier::outbound::{Outbound, OutboundError, Pushed, StatusToken};
use vouchsafe_verifier::status::{StatusLists, StatusPolicy, StatusPorts};

use super::status_publish::{ENTRIES, draw, token_list};
use crate::floor::Primitives;
use crate::report::{Floor, Goal, Line, Results};
use crate::slices::{Figure, Here, Plan};

const URI: &str = "https://issuer.example/status/0190a6f0-0000-7000-8000-000000000001";
/// Cards of an issuer whose cards are still counted, as those of most issuers are.
const FEW: u64 = 1000;
/// Checks between two looks at the clock, which would cost as much as one.
const BATCH: u64 = 1000;

/// Serves one token.
struct Served(String);

#[async_trait::async_trait]
impl Outbound for Served {
    async fn status_list(&self, _: &str) -> Result<StatusToken, OutboundError> {
        Ok(StatusToken::Jwt(self.0.clone()))
    }

    async fn key_set(&self, _: &Url) -> Result<Vec<u8>, OutboundError> {
        Err(OutboundError::Status(404))
    }

    async fn logout(&self, _: &Url, _: &str) -> Result<(), OutboundError> {
        Err(OutboundError::Status(404))
    }

    async fn security_event(
        &self,
        _: &Url,
        _: Option<&Secret>,
        _: String,
    ) -> Result<Pushed, OutboundError> {
        Err(OutboundError::Status(404))
    }
}

/// A verifier's cache, and the token that it took in.
struct Fixture {
    runtime: Runtime,
    lists: StatusLists,
    issuer: IssuerIdentity,
    trust: Trust,
    token: String,
}

impl Fixture {
    fn new() -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        let key = SigningKey::generate(Algorithm::Es256, &OsRandom);
        let did = did::jwk::encode(vouchsafe_credentials::crypto::Signer::public_key(&key));
        let trust = Trust::parse(&TrustConfig {
            issuer: vec![TrustedIssuerConfig {
                id: did.clone(),
                did: Some(did.clone()),
                types: vec!["urn:vouchsafe:bench:1".to_owned()],
                ..TrustedIssuerConfig::default()
            }],
        })?;
        let now = SystemClock.now();
        let signer = AwsLcSigningKey::new(&key)?;
        let revoked = draw(&OsRandom);
        let kid = format!("{did}#0");
        let token = runtime.block_on(sign_status_list(
            &StatusTokenInput {
                uri: URI,
                issuer: None,
                list: &token_list(&revoked)?,
                issued_at: now,
                expires_at: now.plus(86_400),
                ttl_s: 43_200,
                key: IssuerKey::Did(&kid),
            },
            &signer,
        ))?;
        let fixture = Self {
            runtime,
            lists: StatusLists::new(
                StatusPorts {
                    outbound: Arc::new(Served(token.clone())),
                    crypto: Arc::new(AwsLc),
                    clock: Arc::new(SystemClock),
                    rng: Arc::new(OsRandom),
                },
                trust.clone(),
                StatusPolicy {
                    min_refresh_s: 60,
                    stale_grace_s: 0,
                    most_lists: Some(1),
                },
            ),
            issuer: IssuerIdentity {
                trusted: did.clone(),
                authority: IssuerAuthority::Did(did),
            },
            trust,
            token,
        };
        let first = reference(*revoked.first().context("nothing is revoked")?);
        let list = fixture
            .runtime
            .block_on(fixture.lists.list(&first, &fixture.issuer))?;
        ensure!(
            list.status(&first, now)? == Status::Invalid,
            "a revoked credential is valid"
        );
        Ok(fixture)
    }

    /// What a verifier does for one credential.
    fn check(&self, reference: &StatusRef, now: UnixTime) -> Result<Status> {
        let list = self.lists.at_hand(reference, &self.issuer);
        let list = list.context("the list is not at hand")?;
        ensure!(list.issuer() == &self.issuer, "a list of somebody else");
        Ok(list.status(reference, now)?)
    }

    fn take_in(&self, now: UnixTime) -> Result<()> {
        let check = StatusCheck {
            uri: URI,
            issuer: &self.issuer,
            trust: self.trust.issuers(),
            newest_seen: None,
            min_refresh_s: 60,
            now,
        };
        std::hint::black_box(verify_status_list(&self.token, &check, &AwsLc)?);
        Ok(())
    }
}

fn reference(idx: u64) -> StatusRef {
    StatusRef {
        uri: URI.to_owned(),
        idx,
    }
}

/// Checks many times, of so many cards.
fn checks(fixture: &Fixture, cards: u64, now: UnixTime) -> impl FnMut() -> Result<()> {
    let (mut asked, mut card) = (reference(0), 0);
    move || {
        for _ in 0..BATCH {
            card = (card + 1) % cards;
            // Far from the one before, so that it is in no cache line.
            asked.idx = (card * 611_953) % ENTRIES;
            std::hint::black_box(fixture.check(&asked, now)?);
        }
        Ok(())
    }
}

/// P11.
pub fn measure(plan: &Plan) -> Result<Results> {
    let (many, few) = (Fixture::new()?, Fixture::new()?);
    let now = SystemClock.now();
    let primitives = Primitives::new()?;
    let figures = plan.race(&mut [
        &mut Here(checks(&many, ENTRIES, now)),
        &mut Here(checks(&few, FEW, now)),
        &mut Here(|| many.take_in(now)),
        &mut Here(|| primitives.verify()),
    ])?;
    let at_hand = |what: &str, figure: Figure| Line {
        name: "P11",
        what: what.to_owned(),
        ours: figure.per(BATCH),
        floor: None,
        peer: None,
        goals: &[Goal::Micros(0.2)],
    };
    let taken_in = Line {
        name: "P11",
        what: "list of 1 M taken in: verified, inflated".to_owned(),
        ours: figures[2],
        floor: Some(Floor {
            us: figures[3].median_us,
            of: "1 ES256 verification, aws-lc-rs, same run".to_owned(),
        }),
        peer: None,
        goals: &[],
    };
    let lines = vec![
        at_hand("status check, list of 1 M at hand", figures[0]),
        at_hand("the same, cards still counted", figures[1]),
        taken_in,
    ];
    Ok(Results::of(lines))
}
