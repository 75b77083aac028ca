//! P12: a wallet with many cards is opened and answers a query, beside npm `dcql`.
//!
//! Deriving the key from the passphrase is not counted: it takes as long as it was chosen to.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, ensure};
use serde_json::{Map, Value, json};
use tokio::runtime::Runtime;
use vouchsafe_credentials::crypto::{
    Algorithm, AwsLc, AwsLcSigningKey, PublicKey, Signer, SigningKey,
};
use vouchsafe_credentials::did;
use vouchsafe_credentials::sd_jwt::{ClaimPath, Frame, HashAlg};
use vouchsafe_credentials::sd_jwt_vc::{
    IssueInput, IssuerAuthority, IssuerIdentity, IssuerKey, issue,
};
use vouchsafe_credentials::time::{Clock as _, UnixTime};
use vouchsafe_credentials::x509::{Role, TrustAnchors};
use vouchsafe_protocol::http::UrlRule;
use vouchsafe_protocol::vp::dcql::DcqlQuery;
use vouchsafe_service::clock::SystemClock;
use vouchsafe_service::random::OsRandom;
use vouchsafe_wallet_core::Wallet;
use vouchsafe_wallet_core::attestation::Attestations;
use vouchsafe_wallet_core::issuance::IssuancePolicy;
use vouchsafe_wallet_core::status::StatusPolicy;
use vouchsafe_wallet_core::storage::file::FileStorage;
use vouchsafe_wallet_core::storage::{KdfParams, VaultKey};
use vouchsafe_wallet_core::testing::{GivenCard, matching, new_key, put_cards};
use vouchsafe_wallet_core::trust::OtherVerifiers;
use vouchsafe_wallet_core::trust::{TrustList, UnknownIssuers};
use vouchsafe_wallet_core::wallet::{Config, Ports};

use crate::peer::{Operation, Peer};
use crate::report::{Fact, Goal, Line, Results};
use crate::slices::{Here, Plan};

const PASSPHRASE: &str = "the passphrase of the bench";
const PEER: &str = "npm dcql 3.0.0, matching alone";
/// Cards of each type: as many answer, however many cards there are.
const OF_A_TYPE: usize = 50;
const FEW: usize = 100;
const MANY: usize = 10_000;
/// Cards in one commit.
const AT_ONCE: usize = 500;
/// Opening and matching takes at most 3 ms, a hundredth of what the peer takes for matching.
const GOALS: &[Goal] = &[Goal::Micros(3000.0), Goal::Times(100.0)];

/// Wallets on disk.
struct Fixture {
    runtime: Runtime,
    folder: tempfile::TempDir,
    issuer: AwsLcSigningKey,
    did: String,
    query: DcqlQuery,
}

fn type_of(card: usize) -> String {
    format!("urn:vouchsafe:bench:{}", card / OF_A_TYPE)
}

/// Two facts of a card of the first type.
fn query() -> Value {
    json!({ "credentials": [{
        "id": "card",
        "format": "dc+sd-jwt",
        "multiple": true,
        "meta": { "vct_values": [type_of(0)] },
        "claims": [{ "path": ["claim_0"] }, { "path": ["claim_1"] }],
    }]})
}

fn claims() -> Map<String, Value> {
    let claim = |n| {
        let name = format!("claim_{n}");
        let value = format!("the value of {name}, of a usual length");
        (name, value.into())
    };
    (0..10).map(claim).collect()
}

impl Fixture {
    fn new() -> Result<Self> {
        let key = SigningKey::generate(Algorithm::Es256, &OsRandom);
        Ok(Self {
            runtime: tokio::runtime::Builder::new_current_thread().build()?,
            folder: tempfile::tempdir()?,
            did: did::jwk::encode(key.public_key()),
            issuer: AwsLcSigningKey::new(&key)?,
            query: DcqlQuery::parse(&query())?,
        })
    }

    fn card(&self, vct: &str, holder: &PublicKey) -> Result<String> {
        let kid = format!("{}#0", self.did);
        let claims = claims();
        let mut frame = Frame::new();
        for name in claims.keys() {
            frame = frame.hide(&ClaimPath::of_keys(&[name]))?;
        }
        let input = IssueInput {
            vct,
            issuer: Some(&self.did),
            key: IssuerKey::Did(&kid),
            issued_at: None,
            not_before: None,
            expires_at: None,
            holder_key: Some(holder),
            status: None,
            claims,
            frame: &frame,
            hash: HashAlg::Sha256,
        };
        Ok(self
            .runtime
            .block_on(issue(input, &self.issuer, &OsRandom))?)
    }

    /// A wallet of so many cards, closed, and its key.
    fn fill(&self, name: &str, cards: usize) -> Result<VaultKey> {
        let ports = ports(&self.folder.path().join(name))?;
        let wallet = Wallet::create(config()?, ports.clone(), PASSPHRASE, KdfParams::MINIMUM)?;
        let now = SystemClock.now();
        let mut given = Vec::with_capacity(AT_ONCE);
        for number in 0..cards {
            let key = self.runtime.block_on(new_key(&wallet))?;
            given.push(self.given(number, &key.public_key, now, key.id)?);
            if given.len() == AT_ONCE || number + 1 == cards {
                put_cards(&wallet, given.drain(..))?;
            }
        }
        Ok(Wallet::unlock(&ports, PASSPHRASE)?)
    }

    fn given(
        &self,
        number: usize,
        holder: &PublicKey,
        now: UnixTime,
        key: vouchsafe_wallet_core::secure_area::KeyId,
    ) -> Result<GivenCard> {
        let vct = type_of(number);
        Ok(GivenCard {
            compact: self.card(&vct, holder)?,
            issuer: IssuerIdentity {
                trusted: self.did.clone(),
                authority: IssuerAuthority::Did(self.did.clone()),
            },
            credential_issuer: format!("https://issuer-{}.example", number % 20),
            vct,
            key,
            added_at: now,
        })
    }

    /// What the person waits for: the folder is opened, and the question has its cards.
    fn open_and_match(&self, name: &str, key: &VaultKey) -> Result<()> {
        let ports = ports(&self.folder.path().join(name))?;
        let wallet = Wallet::open_with_key(config()?, ports, key);
        let wallet = self.runtime.block_on(wallet)?;
        let found = matching(&wallet, &self.query, "https://verifier.example")?;
        ensure!(found.len() == OF_A_TYPE, "{} cards answer", found.len());
        Ok(())
    }

    /// Every card opened, as it was before there was an index.
    fn open_all(&self, name: &str, key: &VaultKey) -> Result<()> {
        let ports = ports(&self.folder.path().join(name))?;
        let wallet = Wallet::open_with_key(config()?, ports, key);
        let wallet = self.runtime.block_on(wallet)?;
        ensure!(wallet.cards(&[])?.len() == MANY, "cards are missing");
        Ok(())
    }
}

fn ports(folder: &Path) -> Result<Ports> {
    Ok(Ports {
        storage: Arc::new(FileStorage::open(folder)?),
        clock: Arc::new(SystemClock),
        rng: Arc::new(OsRandom),
        crypto: Arc::new(AwsLc),
        attestations: Attestations::default(),
        secure_area: None,
    })
}

fn config() -> Result<Config> {
    Ok(Config {
        trust: TrustList {
            issuers: Vec::new(),
            verifiers: TrustAnchors::new(Role::VerifierAccess),
            other_verifiers: OtherVerifiers::default(),
            unknown_issuers: UnknownIssuers::Refuse,
        },
        urls: UrlRule::PublicHttps,
        locales: vec!["en".to_owned()],
        redirect_uri: "http://127.0.0.1/callback".parse()?,
        client_id: "vouchsafe-wallet".to_owned(),
        issuance: IssuancePolicy::default(),
        status: StatusPolicy::default(),
        batch_size: 1,
        transactions: false,
    })
}

/// P12.
pub fn measure(plan: &Plan) -> Result<Results> {
    let fixture = Fixture::new()?;
    let few = fixture.fill("few", FEW)?;
    let many = fixture.fill("many", MANY)?;
    let mut peer = Peer::node("bench-dcql.mjs")?;
    let cards =
        json!({ "claims": claims(), "query": query(), "of_a_type": OF_A_TYPE, "cards": MANY });
    peer.tell(&cards)?;
    let figures = plan.race(&mut [
        &mut Here(|| fixture.open_and_match("many", &many)),
        &mut Here(|| fixture.open_and_match("few", &few)),
        &mut Here(|| fixture.open_all("many", &many)),
        &mut Operation {
            peer: &mut peer,
            name: "match",
        },
    ])?;
    let line = |what: &str, figure, peer, goals| Line {
        name: "P12",
        what: what.to_owned(),
        ours: figure,
        floor: None,
        peer,
        goals,
    };
    let lines = vec![
        line(
            "10 k cards: opened, 50 answer a query",
            figures[0],
            Some((PEER.to_owned(), figures[3])),
            GOALS,
        ),
        line("100 cards: opened, 50 answer", figures[1], None, &[]),
        line("10 k cards: opened, every card read", figures[2], None, &[]),
    ];
    let facts = vec![Fact {
        name: "P12",
        what: "cost of 10 k cards over that of 100, as many answers".to_owned(),
        value: figures[0].median_us / figures[1].median_us,
        most: 1.5,
    }];
    Ok(Results { lines, facts })
}
