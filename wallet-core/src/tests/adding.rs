use serde_json::json as value;

use super::issuer::{URL, link};
use super::{World, json};
use crate::error::{Fault, WalletError};
use crate::history::{EventKind, Outcome};
use crate::issuance::{Added, IssuerTrustReason, Step};
use crate::storage::{Collection, Storage};

impl World {
    /// Sends what there is to send until the person is needed, or the end.
    pub(crate) async fn drive(&mut self, mut step: Step) -> Result<Step, WalletError> {
        while let Step::Send(exchange) = step {
            let response = self.issuer.answer(exchange.request()).await;
            step = exchange.receive(&response).await?;
        }
        Ok(step)
    }

    pub(crate) async fn add_with(&mut self, tx_code: Option<&str>) -> Result<Added, WalletError> {
        let step = self.wallet.add(&self.issuer.link())?;
        let Step::Preview(preview) = self.drive(step).await? else {
            panic!("no preview")
        };
        let step = preview.accept(tx_code).await?;
        match self.drive(step).await? {
            Step::Done(added) => Ok(added),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn add(&mut self) -> Result<Added, WalletError> {
        self.add_with(None).await
    }

    /// Adding fails with this code; no card and no key stays behind.
    async fn refused(&mut self, code: &str) {
        let error = self.add().await.unwrap_err();
        self.assert_nothing_kept(&error, code);
    }

    fn assert_nothing_kept(&self, error: &WalletError, code: &str) {
        assert_eq!(error.code(), code, "{error:?}");
        assert!(self.wallet.cards(&["en"]).unwrap().is_empty());
        assert!(self.storage.list(Collection::Keys).unwrap().is_empty());
        let latest = self.wallet.history().unwrap().remove(0);
        assert_eq!(
            latest.outcome,
            Outcome::Failed {
                code: code.to_owned()
            }
        );
    }
}

#[tokio::test]
async fn a_card_is_added_and_shown_in_the_persons_language() {
    let mut world = World::new();
    let added = world.add().await.unwrap();
    let card = world.wallet.card(&added.cards[0], &["de"]).unwrap();
    assert_eq!(card.title.as_str(), "Mitgliedskarte");
    assert_eq!(card.issuer.as_str(), "The Club");
    assert_eq!(card.facts[0].label.as_str(), "Mitgliedsnummer");
    assert_eq!(card.facts[0].value, "M-CANARY-7");
    assert_eq!(card.fresh_copies, (1, 1));
    let history = world.wallet.history().unwrap();
    assert_eq!(
        (history[0].kind, &history[0].outcome),
        (EventKind::Issued, &Outcome::Completed)
    );
    assert_eq!(
        world.issuer.log,
        [
            "GET /.well-known/openid-credential-issuer",
            "GET /.well-known/oauth-authorization-server",
            "POST /token",
            "POST /nonce",
            "POST /credential",
        ]
    );
}

#[tokio::test]
async fn an_offer_by_reference_is_fetched() {
    let mut world = World::new();
    let link = "openid-credential-offer://?credential_offer_uri=https%3A%2F%2Fclub.example.com%2Foffers%2F1";
    let step = world.wallet.add(link).unwrap();
    let Step::Preview(preview) = world.drive(step).await.unwrap() else {
        panic!()
    };
    let data = preview.data(&["en"]);
    assert_eq!(
        (data.issuer.as_str(), data.host.as_str()),
        ("The Club", "club.example.com")
    );
    assert_eq!(data.trust, IssuerTrustReason::Listed);
    assert_eq!(data.cards[0].title.as_str(), "Membership card");
    preview.decline().unwrap();
    assert_eq!(
        world.wallet.history().unwrap()[0].outcome,
        Outcome::Declined
    );
}

#[tokio::test]
async fn a_batch_gives_copies_with_a_key_each() {
    let mut world = World::new();
    world.issuer.batch = 10;
    let added = world.add().await.unwrap();
    let card = world.wallet.card(&added.cards[0], &["en"]).unwrap();
    assert_eq!(card.fresh_copies, (3, 3));
    assert_eq!(world.storage.list(Collection::Keys).unwrap().len(), 3);
}

#[tokio::test]
async fn the_order_of_copies_does_not_matter_and_missing_ones_cost_their_keys() {
    let mut world = World::new();
    world.issuer.batch = 3;
    world.issuer.edit_credentials = |credentials| {
        credentials.reverse();
        credentials.pop();
    };
    let added = world.add().await.unwrap();
    let card = world.wallet.card(&added.cards[0], &["en"]).unwrap();
    assert_eq!(card.fresh_copies, (2, 2));
    assert_eq!(world.storage.list(Collection::Keys).unwrap().len(), 2);
}

#[tokio::test]
async fn a_few_more_tries_with_fresh_nonces_and_no_more() {
    let mut world = World::new();
    world.issuer.bad_nonces = 4;
    world.issuer.dpop_nonces = 4;
    world.add().await.unwrap();
    assert_eq!(
        world
            .issuer
            .log
            .iter()
            .filter(|line| *line == "POST /nonce")
            .count(),
        5
    );
    assert_eq!(
        world
            .issuer
            .log
            .iter()
            .filter(|line| *line == "POST /token")
            .count(),
        5
    );

    let mut world = World::new();
    world.issuer.bad_nonces = 5;
    world.refused("card_refused").await;
    let mut world = World::new();
    world.issuer.dpop_nonces = 5;
    world.refused("token_refused").await;
}

#[tokio::test]
async fn cat_233_the_code_is_asked_for_and_sent_only_then() {
    let mut world = World::new();
    world.issuer.tx_code = Some("4711");
    let step = world.wallet.add(&world.issuer.link()).unwrap();
    let Step::Preview(preview) = world.drive(step).await.unwrap() else {
        panic!()
    };
    assert_eq!(preview.data(&["en"]).tx_code.unwrap().length, Some(4));
    let sent_before = world.issuer.log.len();
    let mut preview = Some(preview);
    for missing in [None, Some(""), Some("47a1"), Some("47111")] {
        let again = preview.take().unwrap().accept(missing).await.unwrap();
        let Step::Preview(again) = again else {
            panic!()
        };
        assert!(again.data(&["en"]).code_missing, "{missing:?}");
        preview = Some(again);
    }
    assert_eq!(world.issuer.log.len(), sent_before);
    let step = preview.unwrap().accept(Some(" 4711 ")).await.unwrap();
    assert!(matches!(world.drive(step).await.unwrap(), Step::Done(_)));

    let mut world = World::new();
    world.issuer.tx_code = Some("4711");
    let error = world.add_with(Some("0000")).await.unwrap_err();
    assert_eq!(error.fault(), Fault::Person);
    world.assert_nothing_kept(&error, "tx_code_refused");
}

#[tokio::test]
async fn cat_286_cat_445_links_refused_before_any_request() {
    let world = World::new();
    let offer = |issuer: &str| {
        link(&value!({"credential_issuer": issuer, "credential_configuration_ids": ["a"]}))
    };
    for bad in [
        offer("http://club.example.com"),
        offer("javascript:alert(1)"),
        offer("https://127.0.0.1"),
        offer("https://192.168.1.1"),
        offer("https://intranet"),
        "openid-credential-offer://?credential_offer_uri=http%3A%2F%2Fa.example.com".to_owned(),
        "openid-credential-offer://?credential_offer_uri=https%3A%2F%2F169.254.169.254%2F".to_owned(),
        "openid-credential-offer://?credential_offer=%7B%7D&credential_offer_uri=https%3A%2F%2Fa.example.com".to_owned(),
        "tel:+43123".to_owned(),
        "otpauth://totp/x?secret=A".to_owned(),
        "javascript:alert(1)".to_owned(),
        "x".repeat(4096),
        format!("openid-credential-offer://?credential_offer={}", "a".repeat(10 * 1024 * 1024)),
    ] {
        let error = world.wallet.add(&bad).unwrap_err();
        assert!(error.code().starts_with("offer_"), "{} for {:.60}", error.code(), bad);
    }
}

#[tokio::test]
async fn cat_286_an_unknown_issuer_is_confirmed_before_any_request() {
    let mut world = World::new();
    world.issuer.url = "https://other.example.com".to_owned();
    world.issuer.sign_with_did = true;
    let step = world.wallet.add(&world.issuer.link()).unwrap();
    let Step::ConfirmIssuer(confirm) = step else {
        panic!("{step:?}")
    };
    assert_eq!(confirm.host(), "other.example.com");
    assert!(world.issuer.log.is_empty());
    confirm.decline().unwrap();

    let mut config = world.config.clone();
    config.trust.unknown_issuers = crate::trust::UnknownIssuers::Refuse;
    world.config = config;
    let wallet = world.reopen(super::PASSPHRASE).await.unwrap();
    assert_eq!(
        wallet.add(&world.issuer.link()).unwrap_err().code(),
        "issuer_unknown"
    );
}

#[tokio::test]
async fn cat_287_redirected_and_oversized_offers() {
    let link = "openid-credential-offer://?credential_offer_uri=https%3A%2F%2Fclub.example.com%2Foffers%2F1";
    let world = World::new();
    let mut redirect = json(302, &value!({}));
    redirect
        .headers
        .push("location", "https://club.example.com/offers/2");
    let mut huge = json(200, &world.issuer.offer());
    huge.body.resize(10 * 1024 * 1024, b' ');
    let mut html = json(200, &world.issuer.offer());
    html.headers = [("content-type", "text/html")].into_iter().collect();
    for response in [redirect, huge, html] {
        let Step::Send(exchange) = world.wallet.add(link).unwrap() else {
            panic!()
        };
        let error = exchange.receive(&response).await.unwrap_err();
        assert!(error.code().starts_with("offer_"), "{}", error.code());
    }
}

#[tokio::test]
async fn cat_289_mix_up_of_issuers_and_servers() {
    let mut world = World::new();
    world.issuer.edit_issuer =
        |m| m["credential_endpoint"] = value!("https://honest.example.com/credential");
    world.refused_early("issuer_endpoint_elsewhere").await;

    let mut world = World::new();
    world.issuer.edit_server = |m| m["token_endpoint"] = value!("https://evil.example.com/token");
    world.refused_early("issuer_endpoint_elsewhere").await;

    let mut world = World::new();
    world.issuer.edit_server = |m| m["issuer"] = value!("https://honest.example.com");
    world.refused_early("server_metadata").await;

    let mut world = World::new();
    world.issuer.edit_issuer = |m| m["credential_issuer"] = value!("https://honest.example.com");
    world.refused_early("issuer_metadata_mismatch").await;
}

#[tokio::test]
async fn cat_289_a_foreign_server_without_bound_tokens() {
    let mut world = World::new();
    world.issuer.dpop = false;
    world.issuer.edit_issuer =
        |m| m["authorization_servers"] = value!(["https://honest.example.com"]);
    let Step::Send(exchange) = world.wallet.add(&world.issuer.link()).unwrap() else {
        panic!()
    };
    let response = world.issuer.answer(exchange.request()).await;
    let Step::Send(exchange) = exchange.receive(&response).await.unwrap() else {
        panic!()
    };
    assert_eq!(
        exchange.request().url.host_str(),
        Some("honest.example.com")
    );
    let server = json(
        200,
        &value!({
            "issuer": "https://honest.example.com",
            "token_endpoint": "https://honest.example.com/token",
            "grant_types_supported": ["urn:ietf:params:oauth:grant-type:pre-authorized_code"],
        }),
    );
    let error = exchange.receive(&server).await.unwrap_err();
    world.assert_nothing_kept(&error, "issuer_tokens_unbound");
}

impl World {
    async fn refused_early(&mut self, code: &str) {
        let step = self.wallet.add(&self.issuer.link()).unwrap();
        let error = self.drive(step).await.unwrap_err();
        self.assert_nothing_kept(&error, code);
        assert!(!self.issuer.log.iter().any(|line| line.starts_with("POST")));
    }
}

async fn authorize(world: &mut World) -> crate::issuance::Authorize {
    let mut offer = world.issuer.offer();
    offer["grants"] = value!({"authorization_code": {"issuer_state": "prepared-1"}});
    let step = world.wallet.add(&link(&offer)).unwrap();
    let Step::Preview(preview) = world.drive(step).await.unwrap() else {
        panic!()
    };
    assert!(preview.data(&["en"]).sign_in);
    match preview.accept(None).await.unwrap() {
        Step::Authorize(authorize) => authorize,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn cat_295_the_code_flow_has_pkce_state_and_iss() {
    let mut world = World::new();
    let authorize = authorize(&mut world).await;
    let query: Vec<_> = authorize.url().query_pairs().into_owned().collect();
    let get = |name: &str| {
        query
            .iter()
            .find(|(k, _)| k == name)
            .map(|(_, v)| v.as_str())
    };
    assert_eq!(get("code_challenge_method"), Some("S256"));
    assert_eq!(get("issuer_state"), Some("prepared-1"));
    assert_eq!(get("scope"), Some("membership"));
    assert_eq!(
        get("redirect_uri"),
        Some("https://wallet.example.com/callback")
    );
    let back = format!(
        "code=auth-code&state={}&iss=https%3A%2F%2Fclub.example.com",
        authorize.state()
    );
    world.issuer.edit_server = |_| {};
    let step = authorize.complete(&back).await.unwrap();
    // The script expects anonymous proofs; what matters here is the exchange.
    let Step::Send(exchange) = step else { panic!() };
    assert_eq!(
        exchange.request().url.as_str(),
        "https://club.example.com/token"
    );
    let body = String::from_utf8(exchange.request().body.clone()).unwrap();
    assert!(body.contains("code_verifier=") && body.contains("client_id=vouchsafe-wallet"));
}

#[tokio::test]
async fn cat_290_the_answer_of_another_server_or_request() {
    for query in [
        "code=auth-code&state=STATE",
        "code=auth-code&state=STATE&iss=https%3A%2F%2Fevil.example.com",
        "code=auth-code&state=other&iss=https%3A%2F%2Fclub.example.com",
        "code=auth-code&iss=https%3A%2F%2Fclub.example.com",
        "code=a&code=b&state=STATE&iss=https%3A%2F%2Fclub.example.com",
    ] {
        let mut world = World::new();
        let authorize = authorize(&mut world).await;
        let query = query.replace("STATE", authorize.state());
        let error = authorize.complete(&query).await.unwrap_err();
        world.assert_nothing_kept(&error, "sign_in_answer_refused");
    }
}

#[tokio::test]
async fn cat_026_cat_292_what_does_not_verify_is_not_kept() {
    type Edit = fn(&mut Vec<String>);
    let cases: [(Edit, &str); 4] = [
        (|c| c[0] = c[0].replacen("~", "x~", 1), "issuer_signature"),
        (|c| c[0].push_str("a.b.c"), "kb_unexpected"),
        (|c| c[0] = "nonsense".to_owned(), ""),
        (|c| c.clear(), "card_refused"),
    ];
    for (edit, code) in cases {
        let mut world = World::new();
        world.issuer.edit_credentials = edit;
        match code {
            "" => {
                let error = world.add().await.unwrap_err();
                let code = error.code();
                world.assert_nothing_kept(&error, code);
            }
            code => world.refused(code).await,
        }
    }
}

#[tokio::test]
async fn cat_037_another_method_or_issuer_than_the_listed_one() {
    let mut world = World::new();
    world.issuer.sign_with_did = true;
    world.refused("issuer_untrusted").await;

    let mut world = World::new();
    let foreign = super::Authority::new("Foreign CA");
    let leaf = || foreign.leaf("The Club", "club.example.com");
    world.issuer = super::issuer::ScriptedIssuer::new(leaf(), leaf());
    let error = world.add().await.unwrap_err();
    let code = error.code();
    assert!(code.starts_with("issuer_"), "{code}");
    world.assert_nothing_kept(&error, code);
}

#[tokio::test]
async fn cat_029_a_type_the_issuer_may_not_issue() {
    let mut world = World::new();
    world.config.trust.issuers[0].types = vec!["urn:vouchsafe:age:1".to_owned()];
    world.wallet = world.reopen(super::PASSPHRASE).await.unwrap();
    world.refused_early("issuer_not_for_type").await;
}

#[tokio::test]
async fn cat_293_more_than_was_asked_for() {
    let mut world = World::new();
    world.issuer.edit_credentials = |c| *c = vec![c[0].clone(); 10_000];
    world.refused("card_response_too_large").await;
}

#[tokio::test]
async fn copies_that_say_different_things_are_refused() {
    let mut world = World::new();
    world.issuer.batch = 3;
    world.issuer.claims = |copy| value!({"member_id": format!("M-{copy}"), "tier": "gold", "valid_until": "2027-05-31"});
    world.refused("card_copies_differ").await;
}

#[tokio::test]
async fn an_issuer_that_cannot_be_reached_is_in_the_history() {
    let world = World::new();
    let Step::Send(exchange) = world.wallet.add(&world.issuer.link()).unwrap() else {
        panic!()
    };
    let error = exchange.unreachable().await;
    assert_eq!(error.fault(), Fault::Network);
    world.assert_nothing_kept(&error, "issuer_unreachable");
    assert_eq!(
        world.wallet.history().unwrap()[0].party.host,
        URL.strip_prefix("https://").unwrap()
    );
}

#[tokio::test]
async fn a_confirmed_issuer_is_remembered_with_its_key() {
    let mut world = World::new();
    // Listed nowhere: the same site, but the wallet does not know it.
    world.config.trust.issuers.clear();
    world.wallet = world.reopen(super::PASSPHRASE).await.unwrap();
    world.issuer.sign_with_did = true;
    let Step::ConfirmIssuer(confirm) = world.wallet.add(&world.issuer.link()).unwrap() else {
        panic!()
    };
    let step = confirm.confirm().await.unwrap();
    let Step::Preview(preview) = world.drive(step).await.unwrap() else {
        panic!()
    };
    assert_eq!(
        preview.data(&["en"]).trust,
        IssuerTrustReason::ConfirmedByPerson
    );
    let step = preview.accept(None).await.unwrap();
    assert!(matches!(world.drive(step).await.unwrap(), Step::Done(_)));
    // The second time nobody is asked, and another key is refused.
    world.add().await.unwrap();
    world.issuer.sign_with_did = false;
    assert_eq!(world.add().await.unwrap_err().code(), "issuer_untrusted");
}

#[tokio::test]
async fn an_offer_in_several_formats_brings_the_one_that_can_be_held() {
    let mut world = World::new();
    world.issuer.edit_issuer = |metadata| {
        let all = &mut metadata["credential_configurations_supported"];
        let mut mdoc = all["membership"].clone();
        mdoc["format"] = value!("mso_mdoc");
        mdoc["doctype"] = value!("com.example.membership");
        mdoc.as_object_mut().unwrap().remove("vct");
        all["membership.mso_mdoc"] = mdoc;
    };
    let mut offer = world.issuer.offer();
    offer["credential_configuration_ids"] = value!(["membership.mso_mdoc"]);
    let step = world.wallet.add(&link(&offer)).unwrap();
    let error = world.drive(step).await.unwrap_err();
    world.assert_nothing_kept(&error, "card_unsupported");

    offer["credential_configuration_ids"] = value!(["membership.mso_mdoc", "membership"]);
    let step = world.wallet.add(&link(&offer)).unwrap();
    let Step::Preview(preview) = world.drive(step).await.unwrap() else {
        panic!("no preview")
    };
    let step = preview.accept(None).await.unwrap();
    let Step::Done(added) = world.drive(step).await.unwrap() else {
        panic!("not done")
    };
    assert_eq!(added.cards.len(), 1);
}
