//! P1 and P2: SD-JWT VC as a library, beside npm `@sd-jwt/sd-jwt-vc`.

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value};
use tokio::runtime::Runtime;
use vouchsafe_credentials::crypto::{
    Algorithm, AwsLc, AwsLcSigningKey, PublicKey, Signer, SigningKey,
};
use vouchsafe_credentials::did;
use vouchsafe_credentials::sd_jwt::{ClaimPath, Frame, HashAlg};
use vouchsafe_credentials::sd_jwt_vc::kb::Binding;
use vouchsafe_credentials::sd_jwt_vc::{
    IssuancePolicy, IssueInput, IssuerKey, IssuerMethod, IssuerTrust, KeyBindingPolicy, Policy,
    StatusMethod, StatusPolicy, TrustedIssuer, issue as issue_credential, verify_issued,
    verify_presented,
};
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::random::OsRandom;

use crate::floor::Primitives;
use crate::peer::{Operation, Peer};
use crate::report::{Floor, Goal, Line, Results};
use crate::slices::{Here, Plan};

const NOW: UnixTime = UnixTime(1_795_000_000);
const VCT: &str = "urn:vouchsafe:bench:1";
const AUDIENCE: &str = "https://verifier.example";
const NONCE: &str = "the nonce of this bench";
const PEER: &str = "npm @sd-jwt/sd-jwt-vc 0.19.0 over WebCrypto";

/// Ten claims that a holder can show one by one, as the peer has them.
struct Fixture {
    runtime: Runtime,
    issuer: AwsLcSigningKey,
    kid: String,
    did: String,
    holder: AwsLcSigningKey,
    holder_public: PublicKey,
    frame: Frame,
    claims: Map<String, Value>,
}

impl Fixture {
    fn new() -> Result<Self> {
        let random = OsRandom;
        let key = SigningKey::generate(Algorithm::Es256, &random);
        let did = did::jwk::encode(key.public_key());
        let holder = SigningKey::generate(Algorithm::Es256, &random);
        let mut frame = Frame::new();
        let mut claims = Map::new();
        for name in names() {
            frame = frame.hide(&ClaimPath::of_keys(&[&name]))?;
            claims.insert(
                name.clone(),
                format!("the value of {name}, of a usual length").into(),
            );
        }
        Ok(Self {
            runtime: tokio::runtime::Builder::new_current_thread().build()?,
            issuer: AwsLcSigningKey::new(&key)?,
            kid: format!("{did}#0"),
            did,
            holder_public: holder.public_key().clone(),
            holder: AwsLcSigningKey::new(&holder)?,
            frame,
            claims,
        })
    }

    fn issue(&self) -> Result<String> {
        let input = IssueInput {
            vct: VCT,
            issuer: Some(&self.did),
            key: IssuerKey::Did(&self.kid),
            issued_at: Some(NOW),
            not_before: None,
            expires_at: None,
            holder_key: Some(&self.holder_public),
            status: None,
            claims: self.claims.clone(),
            frame: &self.frame,
            hash: HashAlg::Sha256,
        };
        Ok(self
            .runtime
            .block_on(issue_credential(input, &self.issuer, &OsRandom))?)
    }

    fn trust(&self) -> Result<IssuerTrust> {
        Ok(IssuerTrust::new(vec![TrustedIssuer {
            id: self.did.clone(),
            method: IssuerMethod::Did(self.did.clone()),
            types: vec![VCT.to_owned()],
            status: StatusMethod::SameIssuer,
        }])?)
    }

    fn present(&self, trust: &IssuerTrust) -> Result<String> {
        let policy = IssuancePolicy {
            trust,
            vct: VCT,
            holder_key: Some(&self.holder_public),
            now: NOW,
        };
        let held = verify_issued(&self.issue()?, &policy, &AwsLc)?;
        let paths: Vec<ClaimPath> = names()
            .take(3)
            .map(|name| ClaimPath::of_keys(&[&name]))
            .collect();
        let binding = Binding {
            audience: AUDIENCE,
            nonce: NONCE,
            issued_at: NOW,
        };
        let presentation = held.get().present(&paths)?;
        Ok(self
            .runtime
            .block_on(presentation.bind(&binding, &self.holder))?)
    }
}

fn names() -> impl Iterator<Item = String> {
    (0..10).map(|index| format!("claim_{index}"))
}

/// P1.
pub fn issue(plan: &Plan) -> Result<Results> {
    let fixture = Fixture::new()?;
    let primitives = Primitives::new()?;
    let mut peer = Peer::node("bench-sd-jwt.mjs")?;
    let figures = plan.race(&mut [
        &mut Here(|| fixture.issue().map(drop)),
        &mut Operation {
            peer: &mut peer,
            name: "issue",
        },
        &mut Here(|| primitives.sign()),
        &mut Here(|| primitives.hash()),
    ])?;
    let [ours, peer, sign, hash] = figures[..] else {
        anyhow::bail!("a figure is missing")
    };
    Ok(Results::of(vec![Line {
        name: "P1",
        what: "SD-JWT VC issue, 10 claims, ES256".to_owned(),
        ours,
        floor: Some(Floor {
            us: sign.median_us + 13.0 * hash.median_us,
            of: "1 ES256 signature and 13 SHA-256, aws-lc-rs, same run".to_owned(),
        }),
        peer: Some((PEER.to_owned(), peer)),
        goals: &[Goal::Limit(0.6), Goal::Times(6.0)],
    }]))
}

/// P2.
pub fn verify(plan: &Plan) -> Result<Results> {
    let fixture = Fixture::new()?;
    let trust = fixture.trust()?;
    let presentation = fixture.present(&trust)?;
    let types = [VCT.to_owned()];
    let policy = Policy {
        trust: &trust,
        types: &types,
        key_binding: KeyBindingPolicy::Required {
            audience: AUDIENCE,
            nonce: NONCE,
        },
        status: StatusPolicy::WhenPresent,
        now: NOW,
    };
    let check = || -> Result<()> {
        let accepted = verify_presented(&presentation, &policy, &AwsLc)?.settle(None, NOW)?;
        let claims = &accepted.get().claims;
        ensure!(
            claims.contains_key("claim_2") && !claims.contains_key("claim_3"),
            "something else was verified"
        );
        Ok(())
    };
    check().context("the fixture does not verify")?;
    let primitives = Primitives::new()?;
    let mut peer = Peer::node("bench-sd-jwt.mjs")?;
    let figures = plan.race(&mut [
        &mut Here(check),
        &mut Operation {
            peer: &mut peer,
            name: "verify",
        },
        &mut Here(|| primitives.verify()),
        &mut Here(|| primitives.hash()),
    ])?;
    let [ours, peer, verify, hash] = figures[..] else {
        anyhow::bail!("a figure is missing")
    };
    Ok(Results::of(vec![Line {
        name: "P2",
        what: "SD-JWT VC verify, 3 of 10 disclosed, key binding".to_owned(),
        ours,
        floor: Some(Floor {
            us: 2.0 * verify.median_us + 5.0 * hash.median_us,
            of: "2 ES256 verifications and 5 SHA-256, aws-lc-rs, same run".to_owned(),
        }),
        peer: Some((PEER.to_owned(), peer)),
        goals: &[Goal::Limit(0.85), Goal::Times(3.0)],
    }]))
}
