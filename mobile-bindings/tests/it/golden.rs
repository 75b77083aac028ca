//! The same inputs give the same bytes: here, in Kotlin and in Swift (`vectors/README.md`).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use vouchsafe_mobile_bindings::{
    HttpReply, HttpRequest, HttpTransport, SecureArea, TransportFault, Wallet,
};

use crate::scenario::{Exchange, FixedArea, PASSPHRASE, Store, Vector, now, take_and_show};

pub const VECTORS: [&str; 2] = [
    include_str!("../../vectors/software-keys.json"),
    include_str!("../../vectors/secure-area.json"),
];

/// Answers as recorded, and only what was asked in the recorded order and bytes.
struct Strict {
    exchanges: Vec<Exchange>,
    next: AtomicUsize,
}

#[async_trait::async_trait]
impl HttpTransport for Strict {
    async fn send(&self, request: HttpRequest) -> Result<HttpReply, TransportFault> {
        let number = self.next.fetch_add(1, Ordering::SeqCst);
        let recorded = &self.exchanges[number];
        assert_eq!(&Exchange::new(&request, &recorded.reply()), recorded);
        Ok(recorded.reply())
    }
}

#[test]
fn the_same_inputs_give_the_recorded_bytes() {
    for text in VECTORS {
        let vector: Vector = serde_json::from_str(text).unwrap();
        let (store, http) = (
            Arc::new(Store::default()),
            Arc::new(Strict {
                exchanges: vector.exchanges.clone(),
                next: AtomicUsize::new(0),
            }),
        );
        let area: Option<Arc<dyn SecureArea>> = match vector.keys.as_slice() {
            [] => None,
            keys => Some(Arc::new(FixedArea::new(keys))),
        };
        let ports = vector.ports(store.clone(), http.clone(), area);
        let redirect_uri = now(async {
            let wallet = Wallet::create(vector.config(), ports, PASSPHRASE.to_owned()).await?;
            take_and_show(&wallet, &vector.offer, async || vector.request.clone()).await
        });
        assert_eq!(redirect_uri.unwrap().as_ref(), Some(&vector.redirect_uri));
        assert_eq!(http.next.load(Ordering::SeqCst), vector.exchanges.len());
        assert_eq!(store.digest(), vector.storage);
    }
}
