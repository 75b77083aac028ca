//! The bridge as an app uses it.

use vouchsafe_mobile_bindings::{BindingError, MobileWallet, OfferState, Response, TrustInput};

fn trust() -> TrustInput {
    TrustInput {
        issuer: String::new(),
        issuer_anchors: String::new(),
        verifier_anchors: String::new(),
    }
}

fn code(error: BindingError) -> String {
    match error {
        BindingError::Wallet { code, .. } => code,
        other => panic!("{other}"),
    }
}

/// Runs a future that waits for nothing outside.
fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut context) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => panic!("the bridge waited"),
    }
}

#[test]
fn a_wallet_is_made_opened_and_refuses_the_wrong_passphrase() {
    let folder = tempfile::tempdir().unwrap();
    let path = || folder.path().to_str().unwrap().to_owned();
    let open = |passphrase: &str| {
        now(MobileWallet::open(
            path(),
            passphrase.into(),
            "en".into(),
            trust(),
        ))
    };
    assert_eq!(code(open("correct horse").err().unwrap()), "no_wallet");
    let wallet =
        MobileWallet::create(path(), "correct horse".into(), "en".into(), trust()).unwrap();
    assert!(wallet.cards().unwrap().is_empty());
    assert_eq!(code(open("correct horse").err().unwrap()), "wallet_locked");
    drop(wallet);
    assert_eq!(code(open("not the one").err().unwrap()), "wrong_passphrase");
    assert!(open("correct horse").unwrap().history().unwrap().is_empty());
}

#[test]
fn an_offer_goes_through_its_states_and_errors_have_codes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap().to_owned();
    let wallet = MobileWallet::create(path, "correct horse".into(), "en".into(), trust()).unwrap();
    let link = |issuer: &str| {
        let offer = serde_json::json!({
            "credential_issuer": issuer, "credential_configuration_ids": ["a"],
        });
        format!("openid-credential-offer://?credential_offer={offer}")
    };
    assert_eq!(
        code(wallet.offer(link("http://a.example.com")).err().unwrap()),
        "offer_issuer_refused"
    );
    let session = wallet.offer(link("https://a.example.com")).unwrap();
    assert_eq!(
        session.state(),
        OfferState::ConfirmIssuer {
            host: "a.example.com".into()
        }
    );
    let response = || Response {
        status: 404,
        headers: vec![],
        body: vec![],
    };
    assert_eq!(
        now(session.receive(response())),
        Err(BindingError::WrongState)
    );
    now(session.accept(None)).unwrap();
    let OfferState::Send { request } = session.state() else {
        panic!("{:?}", session.state())
    };
    assert_eq!(
        request.url,
        "https://a.example.com/.well-known/openid-credential-issuer"
    );
    assert_eq!(
        code(now(session.receive(response())).unwrap_err()),
        "issuer_metadata"
    );
    assert_eq!(session.state(), OfferState::Ended);
    let history = wallet.history().unwrap();
    assert_eq!(
        (history[0].result.as_str(), history[0].host.as_str()),
        ("issuer_metadata", "a.example.com")
    );
}

#[test]
fn a_question_from_a_private_address_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap().to_owned();
    let wallet = MobileWallet::create(path, "correct horse".into(), "en".into(), trust()).unwrap();
    let hash = "Uvo3HtuIxuhC92rShpgqcT3YXwrqRxWEviRiA0OZszk";
    let link = |host: &str| {
        format!("openid4vp://?client_id=x509_hash:{hash}&request_uri=https%3A%2F%2F{host}%2Fr")
    };
    let error = wallet.request(link("10.0.0.1")).err().unwrap();
    assert_eq!(code(error), "request_uri_unacceptable");
    let session = wallet.request(link("shop.example.com")).unwrap();
    assert_eq!(session.outgoing().unwrap().method, "GET");
    assert!(session.consent().is_none());
    let response = Response {
        status: 302,
        headers: vec![],
        body: vec![],
    };
    assert_eq!(
        code(session.receive(response).unwrap_err()),
        "request_redirected"
    );
}
