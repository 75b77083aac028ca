//! Hosts of status lists that never answer.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Map;
use tokio::time::Instant;
use vouchsafe_credentials::crypto::{Algorithm, Signer, SigningKey};
use vouchsafe_credentials::did;
use vouchsafe_credentials::sd_jwt::{Frame, HashAlg};
use vouchsafe_credentials::sd_jwt_vc::{
    IssueInput, IssuerAuthority, IssuerIdentity, IssuerKey, IssuerMethod, StatusMethod, issue,
};
use vouchsafe_credentials::status_list::StatusRef;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_protocol::http::{HttpRequest, HttpResponse};
use vouchsafe_service::random::OsRandom;
use vouchsafe_wallet_core::storage::{KdfParams, MemoryStorage};
use vouchsafe_wallet_core::testing::{GivenCard, new_key, put_cards};
use vouchsafe_wallet_core::trust::KnownIssuer;

use super::settings;
use crate::wallet::handle::{Transport, Unreachable, WalletHandle};
use crate::wallet::open::create_with;

const ISSUER: &str = "https://club.example.com";

/// Hosts whose names begin with "slow" never answer, the others have no list.
#[derive(Default)]
struct Hosts(Mutex<Vec<String>>);

#[async_trait]
impl Transport for Hosts {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Unreachable> {
        let host = request.url.host_str().unwrap().to_owned();
        let is_slow = host.starts_with("slow");
        self.0.lock().unwrap().push(host);
        if is_slow {
            std::future::pending::<()>().await;
        }
        Ok(HttpResponse {
            status: 404,
            headers: [("content-type", "text/plain")].into_iter().collect(),
            body: Vec::new(),
        })
    }
}

/// A wallet with a card for each list.
async fn wallet(lists: &[String]) -> (WalletHandle, Arc<Hosts>) {
    let signer = SigningKey::generate(Algorithm::Es256, &OsRandom);
    let did = did::jwk::encode(signer.public_key());
    let mut settings = settings();
    settings.trust.issuers = vec![KnownIssuer {
        credential_issuer: ISSUER.to_owned(),
        method: IssuerMethod::Did(did.clone()),
        types: Vec::new(),
        status: StatusMethod::SameIssuer,
    }];
    let hosts = Arc::new(Hosts::default());
    let storage = Arc::new(MemoryStorage::new());
    let params = KdfParams::MINIMUM;
    let wallet = create_with(settings, storage, "correct horse", params, hosts.clone()).unwrap();
    let kid = format!("{did}#0");
    for uri in lists {
        let key = new_key(wallet.core()).await.unwrap();
        let status = StatusRef {
            uri: uri.clone(),
            idx: 1,
        };
        let input = IssueInput {
            vct: "urn:a",
            issuer: None,
            key: IssuerKey::Did(&kid),
            issued_at: None,
            not_before: None,
            expires_at: None,
            holder_key: Some(&key.public_key),
            status: Some(&status),
            claims: Map::new(),
            frame: &Frame::new(),
            hash: HashAlg::Sha256,
        };
        let card = GivenCard {
            compact: issue(input, &signer, &OsRandom).await.unwrap(),
            issuer: IssuerIdentity {
                trusted: ISSUER.to_owned(),
                authority: IssuerAuthority::Did(did.clone()),
            },
            credential_issuer: ISSUER.to_owned(),
            vct: "urn:a".to_owned(),
            key: key.id,
            added_at: UnixTime(1_780_272_000),
        };
        put_cards(wallet.core(), [card]).unwrap();
    }
    (wallet, hosts)
}

#[tokio::test(start_paused = true)]
async fn a_host_that_never_answers_holds_up_no_other_list() {
    let lists = ["https://slow.example/1", "https://tidy.example/1"].map(str::to_owned);
    let (wallet, hosts) = wallet(&lists).await;
    assert_eq!(wallet.core().status_lists_due().unwrap().len(), 2);
    let began = Instant::now();
    wallet.ask_statuses().await;
    assert_eq!(began.elapsed(), Duration::from_secs(5));
    assert_eq!(*hosts.0.lock().unwrap(), ["slow.example", "tidy.example"]);
    // That no answer came is written down: neither is asked again at once.
    assert!(wallet.core().status_lists_due().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn many_slow_hosts_cost_ten_seconds_and_the_others_have_their_turn_next() {
    let slow = (0..17).map(|n| format!("https://slow-{n:02}.example/1"));
    let lists: Vec<String> = slow.chain(["https://tidy.example/1".to_owned()]).collect();
    let (wallet, hosts) = wallet(&lists).await;
    let began = Instant::now();
    wallet.ask_statuses().await;
    assert_eq!(began.elapsed(), Duration::from_secs(10));
    assert_eq!(hosts.0.lock().unwrap().len(), 16);
    assert_eq!(wallet.core().status_lists_due().unwrap().len(), 2);
    wallet.ask_statuses().await;
    assert_eq!(hosts.0.lock().unwrap()[17], "tidy.example");
    assert!(wallet.core().status_lists_due().unwrap().is_empty());
}
