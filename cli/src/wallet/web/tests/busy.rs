//! How long a busy issuer is waited for, at the terminal and behind the pages.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tokio::time::Instant;
use vouchsafe_protocol::http::{HttpRequest, HttpResponse};
use vouchsafe_wallet_core::storage::{KdfParams, MemoryStorage};

use super::settings;
use crate::wallet::handle::{Transport, Unreachable, WalletHandle};
use crate::wallet::open::create_with;

const OFFER: &str =
    "openid-credential-offer://?credential_offer_uri=https%3A%2F%2Fclub.example.com%2Foffers%2F1";

/// Answers every request with 503, and counts them.
#[derive(Default)]
struct Busy {
    requests: Mutex<usize>,
    retry_after: Option<&'static str>,
}

#[async_trait]
impl Transport for Busy {
    async fn send(&self, _: HttpRequest) -> Result<HttpResponse, Unreachable> {
        *self.requests.lock().unwrap() += 1;
        Ok(HttpResponse {
            status: 503,
            headers: self
                .retry_after
                .map(|wait| ("retry-after", wait))
                .into_iter()
                .collect(),
            body: Vec::new(),
        })
    }
}

fn wallet(retry_after: Option<&'static str>) -> (WalletHandle, Arc<Busy>) {
    let issuer = Arc::new(Busy {
        retry_after,
        ..Busy::default()
    });
    let (storage, params) = (Arc::new(MemoryStorage::new()), KdfParams::MINIMUM);
    let transport = Arc::clone(&issuer) as Arc<dyn Transport>;
    let wallet = create_with(settings(), storage, "correct horse", params, transport);
    (wallet.unwrap(), issuer)
}

/// Requests, and seconds that went by until the wallet gave up.
async fn given_up(wallet: WalletHandle, issuer: &Busy) -> (usize, u64) {
    let began = Instant::now();
    let error = wallet.offer(OFFER).await.unwrap_err();
    assert_eq!(error.code(), "issuer_busy");
    let requests = *issuer.requests.lock().unwrap();
    (requests, began.elapsed().as_secs())
}

#[tokio::test(start_paused = true)]
async fn a_busy_issuer_is_given_up_after_about_a_minute() {
    static TOLD: Mutex<Vec<u64>> = Mutex::new(Vec::new());
    let (busy, issuer) = wallet(None);
    let busy = busy.patient(0, |seconds| TOLD.lock().unwrap().push(seconds));
    assert_eq!(given_up(busy, &issuer).await, (4, 35));
    assert_eq!(*TOLD.lock().unwrap(), [5, 10, 20]);
    // Nobody asks for patience on the pages.
    let (busy, issuer) = wallet(None);
    assert_eq!(given_up(busy, &issuer).await, (4, 35));
}

#[tokio::test(start_paused = true)]
async fn who_waits_longer_and_what_the_issuer_says_count() {
    let (busy, issuer) = wallet(None);
    assert_eq!(given_up(busy.patient(200, |_| {}), &issuer).await, (6, 155));
    let (busy, issuer) = wallet(Some("25"));
    assert_eq!(given_up(busy, &issuer).await, (3, 50));
}
