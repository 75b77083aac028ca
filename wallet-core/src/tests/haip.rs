//! A wallet against an issuer that believes nothing.

use std::sync::Arc;

use vouchsafe_credentials::crypto::SigningKey;
use vouchsafe_credentials::jwks::JwkSet;
use vouchsafe_credentials::testing::FixedClock;
use vouchsafe_credentials::x509::Role;
use vouchsafe_protocol::oauth::wallet_provider::WalletProvider;

use super::strict::{INTERVAL, StrictIssuer};
use serde_json::json as value;

use super::issuer::link;
use super::{Authority, NOW, PASSPHRASE, issuer, ports, surroundings};
use crate::attestation::{Attestations, SoftwareWalletProvider};
use crate::credential::CredentialId;
use crate::issuance::{Added, AskBy, CopyPolicy, Step};
use crate::storage::{Collection, KdfParams, MemoryStorage, Storage};
use crate::wallet::{Config, Ports};
use crate::{Wallet, WalletError};

/// A wallet and a strict issuer.
pub(super) struct Land {
    pub(super) clock: Arc<FixedClock>,
    pub(super) storage: Arc<dyn Storage>,
    pub(super) attestations: Attestations,
    pub(super) config: Config,
    pub(super) wallet: Wallet,
    pub(super) issuer: StrictIssuer,
    pub(super) seed: u64,
}

impl Land {
    pub(super) fn new(seed: u64) -> Self {
        let (config, issuer, _) = surroundings();
        let clock = Arc::new(FixedClock::new(NOW));
        let issuer = StrictIssuer::new(issuer, Arc::clone(&clock), seed);
        Self::with(Arc::new(MemoryStorage::new()), clock, config, issuer, seed)
    }

    fn with(
        storage: Arc<dyn Storage>,
        clock: Arc<FixedClock>,
        config: Config,
        issuer: StrictIssuer,
        seed: u64,
    ) -> Self {
        let attestations = Attestations::default();
        let all = ports_of(&storage, &clock, &attestations, seed);
        let wallet = Wallet::create(config.clone(), all, PASSPHRASE, KdfParams::MINIMUM).unwrap();
        Self {
            clock,
            storage,
            attestations,
            config,
            wallet,
            issuer,
            seed,
        }
    }

    /// The wallet and its keys are attested, and the issuer demands it everywhere.
    pub(super) async fn attested(seed: u64) -> Self {
        let mut land = Self::new(seed);
        let authority = Authority::new("Wallets CA");
        let leaf = authority.leaf("Wallets", "wallets.example.com");
        let anchors = authority.anchors(Role::WalletProvider);
        let provider = WalletProvider::new("wallets", anchors, JwkSet::default()).unwrap();
        land.issuer.providers = [provider].into_iter().collect();
        let key: SigningKey = leaf.key;
        let provider = Arc::new(SoftwareWalletProvider {
            name: "https://wallets.example.com".to_owned(),
            signer: Arc::new(key),
            chain: leaf.chain,
            key_storage: vec!["iso_18045_basic".to_owned()],
            user_authentication: Vec::new(),
        });
        land.attestations = Attestations {
            wallet: Some(Arc::clone(&provider) as _),
            keys: Some(provider),
        };
        land.issuer.par = true;
        land.issuer.challenges = true;
        land.reopen().await;
        land
    }

    /// The wallet after a restart.
    pub(super) async fn reopen(&mut self) {
        self.wallet = self.open().await.unwrap();
    }

    pub(super) async fn open(&mut self) -> Result<Wallet, WalletError> {
        self.seed += 1000;
        let all = ports_of(&self.storage, &self.clock, &self.attestations, self.seed);
        Wallet::open(self.config.clone(), all, PASSPHRASE).await
    }

    /// Sends what there is to send; time passes as it is asked for.
    pub(super) async fn drive(&mut self, mut step: Step) -> Result<Step, WalletError> {
        loop {
            step = match step {
                Step::Send(exchange) => {
                    let wait = i64::try_from(exchange.wait_seconds()).unwrap();
                    self.clock.advance(wait);
                    let response = self.issuer.answer(exchange.request()).await;
                    exchange.receive(&response).await?
                }
                Step::Preview(preview) => preview.accept(None).await?,
                Step::Authorize(authorize) => {
                    let back = self.issuer.sign_in(authorize.url());
                    authorize.complete(&back).await?
                }
                other => return Ok(other),
            };
        }
    }

    pub(super) async fn done(&mut self, step: Step) -> Result<Added, WalletError> {
        match self.drive(step).await? {
            Step::Done(added) => Ok(added),
            other => panic!("{other:?}"),
        }
    }

    pub(super) async fn add(&mut self) -> Result<Added, WalletError> {
        let step = self.wallet.add(&self.issuer.scripted.link())?;
        self.done(step).await
    }

    pub(super) async fn request(&mut self) -> Result<Added, WalletError> {
        let step = self.wallet.request(issuer::URL, Some("membership"))?;
        self.done(step).await
    }

    /// Tells the issuer what there is to tell.
    pub(super) async fn tell(&mut self) {
        while let Some(step) = self.wallet.notify().await.unwrap() {
            self.drive(step).await.unwrap();
        }
    }

    pub(super) fn keys(&self) -> usize {
        self.storage.list(Collection::Keys).unwrap().len()
    }

    pub(super) fn fresh(&self, id: &CredentialId) -> (usize, usize) {
        self.wallet.card(id, &["en"]).unwrap().fresh_copies
    }
}

pub(super) fn ports_of(
    storage: &Arc<dyn Storage>,
    clock: &Arc<FixedClock>,
    attestations: &Attestations,
    seed: u64,
) -> Ports {
    Ports {
        storage: Arc::clone(storage),
        attestations: attestations.clone(),
        ..ports(&Arc::new(MemoryStorage::new()), clock, seed)
    }
}

#[tokio::test]
async fn cat_254_a_wallet_proves_itself_wherever_it_is_asked() {
    let mut land = Land::attested(1).await;
    let added = land.request().await.unwrap();
    assert_eq!(added.cards.len(), 1);
    assert_eq!(
        land.issuer.log,
        [
            "GET /.well-known/openid-credential-issuer",
            "GET /.well-known/oauth-authorization-server",
            "POST /challenge",
            "POST /par",
            // The second time with the nonce of the first.
            "POST /token",
            "POST /token",
            "POST /nonce",
            "POST /credential",
            "POST /credential",
        ]
    );
    land.tell().await;
    assert_eq!(land.issuer.told[0].1, "credential_accepted");
    // A key for the card, one that the wallet has at this server and keeps.
    assert_eq!(land.keys(), 2);
    land.reopen().await;
    land.request().await.unwrap();
    assert_eq!(land.keys(), 3);
}

#[tokio::test]
async fn cat_254_an_old_challenge_is_replaced_once_it_is_refused() {
    let mut land = Land::attested(2).await;
    let step = land
        .wallet
        .request(issuer::URL, Some("membership"))
        .unwrap();
    let mut step = step;
    // Up to the sign-in, which takes the person an hour.
    let authorize = loop {
        step = match step {
            Step::Send(exchange) => {
                let response = land.issuer.answer(exchange.request()).await;
                exchange.receive(&response).await.unwrap()
            }
            Step::Preview(preview) => preview.accept(None).await.unwrap(),
            Step::Authorize(authorize) => break authorize,
            other => panic!("{other:?}"),
        };
    };
    land.clock.advance(1200);
    let back = land.issuer.sign_in(authorize.url());
    let step = authorize.complete(&back).await.unwrap();
    land.done(step).await.unwrap();
    assert_eq!(land.issuer.count("POST /challenge"), 2);
}

#[tokio::test]
async fn cat_254_without_a_provider_nothing_is_tried() {
    let mut land = Land::attested(3).await;
    land.attestations = Attestations::default();
    land.reopen().await;
    let error = land.request().await.unwrap_err();
    assert_eq!(error.code(), "client_authentication_unsupported");
    assert_eq!(error.fault(), crate::Fault::Wallet);
    assert!(!land.issuer.log.iter().any(|line| line.starts_with("POST")));
}

#[tokio::test]
async fn an_offer_for_the_code_flow_and_the_ways_to_ask() {
    for (ask_by, scope) in [
        (AskBy::Scope, true),
        (AskBy::Details, true),
        (AskBy::Scope, false),
    ] {
        let mut land = Land::new(4);
        land.config.issuance.ask_by = ask_by;
        land.reopen().await;
        if !scope {
            land.issuer.scripted.edit_issuer = |metadata| {
                let all = &mut metadata["credential_configurations_supported"];
                all["membership"].as_object_mut().unwrap().remove("scope");
            };
        }
        let mut offer = land.issuer.scripted.offer();
        offer["grants"] = value!({"authorization_code": {"issuer_state": "prepared-1"}});
        let step = land.wallet.add(&link(&offer)).unwrap();
        let added = land.done(step).await.unwrap();
        assert_eq!(added.cards.len(), 1);
        assert_eq!(land.issuer.details, ask_by == AskBy::Details || !scope);
    }
}

#[tokio::test]
async fn who_asks_without_an_offer_chooses() {
    let mut land = Land::new(5);
    land.issuer.scripted.edit_issuer = |metadata| {
        let all = &mut metadata["credential_configurations_supported"];
        let mut other = all["membership"].clone();
        other["scope"] = value!("gold");
        all["gold"] = other.clone();
        other["format"] = value!("mso_mdoc");
        other["doctype"] = value!("com.example.gold");
        other.as_object_mut().unwrap().remove("vct");
        all["gold.mdoc"] = other;
    };
    let mut step = land.wallet.request(issuer::URL, None).unwrap();
    while let Step::Send(exchange) = step {
        let response = land.issuer.answer(exchange.request()).await;
        step = exchange.receive(&response).await.unwrap();
    }
    let Step::Preview(preview) = step else {
        panic!("{step:?}")
    };
    let data = preview.data(&["en"]);
    let ids: Vec<_> = data
        .cards
        .iter()
        .map(|card| card.type_id.as_str())
        .collect();
    assert_eq!((data.choose, data.sign_in), (true, true));
    assert!(ids.contains(&"gold") && ids.contains(&"membership"));
    // Nobody has chosen: it is asked again.
    let Step::Preview(mut preview) = preview.accept(None).await.unwrap() else {
        panic!("no preview")
    };
    assert_eq!(
        preview.choose("platinum").unwrap_err().code(),
        "card_unsupported"
    );
    preview.choose("membership").unwrap();
    let step = preview.accept(None).await.unwrap();
    assert_eq!(land.done(step).await.unwrap().cards.len(), 1);

    let error = land
        .wallet
        .request("http://club.example.com", None)
        .unwrap_err();
    assert_eq!(error.code(), "issuer_address_refused");
    let step = land.wallet.request(issuer::URL, Some("platinum")).unwrap();
    assert_eq!(
        land.done(step).await.unwrap_err().code(),
        "card_unsupported"
    );
}

#[tokio::test]
async fn cat_272_keys_are_attested_in_both_forms() {
    for (proof_type, attested_keys) in
        [("attestation", true), ("attestation", false), ("jwt", true)]
    {
        let mut land = Land::attested(6).await;
        land.issuer.proof_type = proof_type;
        land.issuer.attested_keys = attested_keys;
        land.issuer.scripted.batch = 10;
        land.config.batch_size = 10;
        land.reopen().await;
        let added = land.request().await.unwrap();
        assert_eq!(land.issuer.batches, [10], "{proof_type}");
        assert_eq!(land.fresh(&added.cards[0]), (10, 10));

        // Keys that nobody attests are no try.
        land.attestations.keys = None;
        land.reopen().await;
        let error = land.request().await.unwrap_err();
        assert_eq!(error.code(), "card_unsupported", "{proof_type}");
        assert_eq!(land.issuer.batches.len(), 1);
    }
}

#[tokio::test]
async fn requests_and_answers_are_encrypted_and_no_downgrade_is_taken() {
    let mut land = Land::new(7);
    land.issuer.encrypts = true;
    assert_eq!(land.add().await.unwrap().cards.len(), 1);
    land.issuer.defers = true;
    let added = land.add().await.unwrap();
    let step = land.wallet.resume(&added.pending[0]).unwrap();
    assert_eq!(land.done(step).await.unwrap().cards.len(), 1);

    let mut land = Land::new(8);
    land.issuer.encrypts = true;
    land.issuer.plain_answers = true;
    assert_eq!(land.add().await.unwrap_err().code(), "card_refused");
    assert_eq!(
        (land.keys(), land.wallet.cards(&["en"]).unwrap().len()),
        (0, 0)
    );

    let mut land = Land::new(9);
    land.issuer.scripted.edit_issuer = |metadata| {
        metadata["credential_response_encryption"] = value!({
            "alg_values_supported": ["ECDH-ES"], "enc_values_supported": ["A128GCM"],
            "encryption_required": true,
        });
    };
    assert_eq!(land.add().await.unwrap_err().code(), "issuer_encryption");
}

#[tokio::test]
async fn cat_437_a_card_that_comes_later_survives_a_restart() {
    let mut land = Land::attested(10).await;
    land.issuer.defers = true;
    land.issuer.scripted.batch = 3;
    let added = land.request().await.unwrap();
    assert!(added.cards.is_empty());
    land.reopen().await;
    let pending = land.wallet.pending().unwrap();
    assert_eq!(pending.len(), 1);
    assert_eq!(pending[0].id, added.pending[0]);
    assert_eq!(pending[0].title.as_str(), "Membership card");
    assert_eq!(pending[0].host, "club.example.com");
    assert_eq!(pending[0].not_before, NOW.plus(INTERVAL));
    // The issuer would refuse a request before its interval is over.
    let step = land.wallet.resume(&pending[0].id).unwrap();
    let card = land.done(step).await.unwrap().cards.remove(0);
    assert_eq!(land.fresh(&card), (3, 3));
    assert!(land.wallet.pending().unwrap().is_empty());
    land.reopen().await;
    assert_eq!(land.keys(), 4);
    land.tell().await;
    assert_eq!(land.issuer.told.len(), 1);
    let gone = land.wallet.resume(&pending[0].id).unwrap_err();
    assert_eq!(gone.code(), "card_unknown");
}

#[tokio::test]
async fn a_card_that_waits_longer_than_its_token_is_fetched_with_a_new_one() {
    let mut land = Land::new(11);
    land.issuer.defers = true;
    let added = land.add().await.unwrap();
    land.clock.advance(100_000);
    let step = land.wallet.resume(&added.pending[0]).unwrap();
    assert_eq!(land.issuer.count("POST /deferred"), 0);
    // A day later the card itself has ended; what counts is that it is asked for.
    let error = land.done(step).await.unwrap_err();
    assert_eq!(land.issuer.count("POST /deferred"), 2);
    assert!(error.code().contains("expired"), "{}", error.code());

    let mut land = Land::new(11);
    land.issuer.defers = true;
    let added = land.add().await.unwrap();
    land.clock.advance(1000);
    let step = land.wallet.resume(&added.pending[0]).unwrap();
    assert_eq!(land.done(step).await.unwrap().cards.len(), 1);
}

#[tokio::test]
async fn cat_277_an_order_that_the_issuer_no_longer_knows_ends_and_leaves_no_key() {
    let mut land = Land::new(12);
    land.issuer.defers = true;
    let added = land.add().await.unwrap();
    assert_eq!(land.keys(), 1);
    land.issuer.forget_orders();
    let step = land.wallet.resume(&added.pending[0]).unwrap();
    assert_eq!(land.done(step).await.unwrap_err().code(), "card_refused");
    assert!(land.wallet.pending().unwrap().is_empty());
    assert_eq!(land.keys(), 0);
    let history = land.wallet.history().unwrap();
    let failed = crate::history::Outcome::Failed {
        code: "card_refused".to_owned(),
    };
    assert_eq!(history[0].outcome, failed);

    let added = land.add().await.unwrap();
    land.wallet.forget(&added.pending[0]).await.unwrap();
    assert_eq!((land.keys(), land.wallet.pending().unwrap().len()), (0, 0));
}

#[tokio::test]
async fn what_an_issuer_is_to_hear_is_never_lost() {
    let mut land = Land::new(13);
    let added = land.add().await.unwrap();
    // Nobody is there, then the issuer is broken, then the wallet starts anew.
    let Some(Step::Send(exchange)) = land.wallet.notify().await.unwrap() else {
        panic!("nothing to tell")
    };
    exchange.unreachable().await;
    assert!(land.wallet.notify().await.unwrap().is_none());
    land.clock.advance(60);
    land.issuer.notification_status = 500;
    land.tell().await;
    land.reopen().await;
    land.clock.advance(90_000);
    land.issuer.notification_status = 204;
    land.tell().await;
    let first = land.issuer.told.clone();
    assert_eq!(first.len(), 1);
    assert_eq!(first[0].1, "credential_accepted");
    // What was told is not told again; what is deleted is told too.
    land.clock.advance(90_000);
    land.tell().await;
    assert_eq!(land.issuer.told.len(), 1);
    land.wallet.delete(&added.cards[0]).await.unwrap();
    land.tell().await;
    assert_eq!(
        land.issuer.told[1],
        (first[0].0.clone(), "credential_deleted")
    );
    // The failures are in no history: nobody waits for them.
    let history = land.wallet.history().unwrap();
    assert_eq!(history.len(), 2);
    let left = land.storage.list(Collection::Issuance).unwrap();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn cat_292_an_issuer_hears_that_its_card_is_not_acceptable() {
    let mut land = Land::new(14);
    land.issuer.scripted.edit_credentials = |c| c[0] = c[0].replacen('~', "x~", 1);
    assert_eq!(land.add().await.unwrap_err().code(), "issuer_signature");
    land.tell().await;
    assert_eq!(land.issuer.told.len(), 1);
    assert_eq!(land.issuer.told[0].1, "credential_failure");
    assert_eq!(land.keys(), 0);
    // An issuer that knows the notification no more is not asked for ever.
    land.add().await.unwrap_err();
    land.issuer.notification_status = 400;
    land.tell().await;
    land.issuer.notification_status = 204;
    land.clock.advance(90_000);
    land.tell().await;
    assert_eq!(land.issuer.told.len(), 1);
}

#[tokio::test]
async fn cat_451_new_copies_come_in_the_background() {
    let mut land = Land::attested(15).await;
    land.config.issuance.copies = CopyPolicy::OneTime;
    land.issuer.scripted.batch = 3;
    land.reopen().await;
    let card = land.request().await.unwrap().cards.remove(0);
    assert!(land.wallet.cards_to_top_up().unwrap().is_empty());
    let mut record = land.wallet.store().record(&card).unwrap();
    for (copy, verifier) in record.copies.iter_mut().zip(["one", "two", "three"]) {
        copy.shown_to = Some(verifier.to_owned());
    }
    let shown: Vec<_> = record.copies.iter().map(|copy| copy.key.clone()).collect();
    let (name, bytes) = crate::credential::CredentialStore::encode(&record).unwrap();
    land.wallet.vault().put(name, bytes).unwrap();
    assert_eq!(land.fresh(&card), (0, 3));
    let only = std::slice::from_ref(&card);
    assert_eq!(land.wallet.cards_to_top_up().unwrap(), only);
    land.clock.advance(3600);
    for round in 1..=2 {
        let step = land.wallet.renew(&card).unwrap();
        assert_eq!(land.done(step).await.unwrap().cards, only);
        assert_eq!(
            land.fresh(&card),
            (3 * round, 3 + 3 * round),
            "round {round}"
        );
        land.reopen().await;
    }
    // Who saw a copy sees the same one again; keys of all copies are there, and one for the server.
    let stored = land.wallet.store().record(&card).unwrap();
    let chosen = stored.copy_for("two", land.wallet.now()).unwrap().unwrap();
    assert!(!chosen.linkable && stored.copies[chosen.place].key == shown[1]);
    assert_eq!(land.keys(), 10);
    assert!(land.wallet.cards_to_top_up().unwrap().is_empty());
    // The issuer ends the access: the card stays as it is.
    land.issuer.forget_tokens();
    land.clock.advance(3600);
    let step = land.wallet.renew(&card).unwrap();
    let error = land.done(step).await.unwrap_err();
    assert_eq!(error.code(), "issuer_access_ended");
    assert_eq!(land.fresh(&card), (6, 9));
}

#[tokio::test]
async fn new_copies_that_say_something_else_take_the_place_of_the_old_ones() {
    let mut land = Land::new(16);
    let card = land.add().await.unwrap().cards.remove(0);
    land.issuer.scripted.claims =
        |_| value!({"member_id": "M-CANARY-7", "tier": "silver", "valid_until": "2027-05-31"});
    let step = land.wallet.renew(&card).unwrap();
    land.done(step).await.unwrap();
    assert_eq!((land.fresh(&card), land.keys()), ((1, 1), 1));
    let facts = land.wallet.card(&card, &["en"]).unwrap().facts;
    assert!(facts.iter().any(|fact| fact.value == "silver"));
}

#[tokio::test]
async fn a_busy_issuer_says_when_to_come_back() {
    let land = Land::new(17);
    let busy = |seconds: &str| {
        let mut response = super::json(503, &value!({}));
        response.headers.push("retry-after", seconds);
        response
    };
    let start = || match land.wallet.add(&land.issuer.scripted.link()).unwrap() {
        Step::Send(exchange) => exchange,
        other => panic!("{other:?}"),
    };
    let Step::Send(exchange) = start().receive(&busy("7")).await.unwrap() else {
        panic!("not put off")
    };
    assert_eq!(exchange.wait_seconds(), 7);
    let error = exchange.receive(&busy("7200")).await.unwrap_err();
    let WalletError::Issuance(busy_error) = &error else {
        panic!("{error:?}")
    };
    assert_eq!(
        (error.code(), busy_error.retry_after()),
        ("issuer_busy", Some(7200))
    );
    // It ends at some time.
    let mut exchange = start();
    for _ in 0..40 {
        let Step::Send(next) = exchange.receive(&busy("1")).await.unwrap() else {
            panic!("not put off")
        };
        exchange = next;
    }
    let error = exchange.receive(&busy("1")).await.unwrap_err();
    assert_eq!(error.code(), "issuer_busy");
}

#[tokio::test]
async fn cat_293_a_token_for_other_cards_is_good_for_none() {
    let mut land = Land::new(18);
    land.issuer.details = true;
    land.issuer.scripted.edit_issuer = |metadata| {
        let all = &mut metadata["credential_configurations_supported"];
        all["gold"] = all["membership"].clone();
    };
    let mut offer = land.issuer.scripted.offer();
    offer["credential_configuration_ids"] = value!(["gold"]);
    let step = land.wallet.add(&link(&offer)).unwrap();
    assert_eq!(
        land.done(step).await.unwrap_err().code(),
        "card_unsupported"
    );
}
