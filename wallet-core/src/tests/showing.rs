use serde_json::json as value;
use vouchsafe_protocol::http::Method;

use super::{NOW, World, json};
use crate::consent::{Pick, Selection, value_text};
use crate::history::Outcome;
use crate::presentation::{Asking, Presented, Refused};

impl World {
    pub(crate) async fn ask(&self) -> Result<Asking, Box<Refused>> {
        let fetching = self
            .wallet
            .present(&self.verifier.link())
            .map_err(|error| Box::new(error.into()))?;
        let response = self.verifier.request_object(fetching.request()).await;
        fetching.receive(&response)
    }

    pub(crate) async fn show(&self) -> Presented {
        let asking = self.ask().await.unwrap();
        let selection = asking.consent(&["en"]).suggested;
        let submitting = asking.respond(&selection).await.unwrap();
        self.verifier.verify(submitting.request()).await.unwrap();
        submitting.receive(&self.verifier.accepted()).unwrap()
    }

    pub(super) async fn refused_request(&self, code: &str, told: Option<&str>) {
        let refused = self.ask().await.unwrap_err();
        assert_eq!(refused.error.code(), code);
        let notified = refused
            .notify
            .as_ref()
            .map(|request| self.verifier.error_of(request));
        assert_eq!(notified.as_deref(), told, "{code}");
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
async fn exactly_what_was_asked_leaves() {
    let mut world = World::new();
    world.add().await.unwrap();
    let asking = world.ask().await.unwrap();
    let consent = asking.consent(&["en"]);
    assert_eq!(consent.verifier.name.as_str(), "Wine Shop");
    assert_eq!(
        consent.verifier.calls_itself.as_ref().unwrap().as_str(),
        "Wine & More"
    );
    assert_eq!(consent.verifier.host, "shop.example.com");
    assert_eq!(
        consent.purpose.as_ref().unwrap().as_str(),
        "To give you the member price"
    );
    let card = consent.option(&consent.suggested.picks[0]).unwrap();
    let learns: Vec<_> = card.learns.iter().map(|fact| fact.label.as_str()).collect();
    assert_eq!(learns, ["Membership level"]);
    assert_eq!(
        value_text(&card.learns[0].value, "yes", "no").as_str(),
        "gold"
    );
    let keeps: Vec<_> = card.keeps.iter().map(|label| label.as_str()).collect();
    assert_eq!(keeps[0], "Membership number");
    assert_eq!(keeps.len(), 2);
    assert!(!card.linkable);

    let submitting = asking.respond(&consent.suggested).await.unwrap();
    assert_eq!(submitting.request().method, Method::Post);
    let verified = world.verifier.verify(submitting.request()).await.unwrap();
    let claims = verified.credentials()[0].claims();
    assert_eq!(claims.len(), 1);
    assert_eq!(claims[0].1, "gold");
    let presented = submitting.receive(&world.verifier.accepted()).unwrap();
    let redirect = presented.redirect_uri.unwrap();
    assert_eq!(
        redirect.as_str(),
        "https://shop.example.com/vp/return?response_code=abc"
    );
    let entry = world.wallet.history_entry(&presented.history).unwrap();
    assert_eq!(entry.outcome, Outcome::Completed);
    assert_eq!(entry.facts[0].as_str(), "Membership level");
    assert!(entry.can_withdraw());
    let text = serde_json::to_string(&world.wallet.history().unwrap()).unwrap();
    assert!(!text.contains("gold") && !text.contains("CANARY"));
}

#[tokio::test]
async fn cat_442_a_query_without_claims_is_no_query_for_everything() {
    let mut world = World::new();
    world.add().await.unwrap();
    world.verifier.query["credentials"][0]
        .as_object_mut()
        .unwrap()
        .remove("claims");
    let asking = world.ask().await.unwrap();
    let consent = asking.consent(&["en"]);
    let card = consent.option(&consent.suggested.picks[0]).unwrap();
    assert!(card.learns.is_empty());
    assert_eq!(card.keeps.len(), 3);
    let submitting = asking.respond(&consent.suggested).await.unwrap();
    let verified = world.verifier.verify(submitting.request()).await.unwrap();
    assert!(verified.credentials()[0].claims().is_empty());
}

#[tokio::test]
async fn an_incomplete_choice_is_told_apart_and_can_be_mended() {
    let mut world = World::new();
    let added = world.add().await.unwrap();
    let asking = world.ask().await.unwrap();
    let unknown = Selection {
        picks: vec![Pick {
            question: "other".to_owned(),
            credential: added.cards[0].clone(),
        }],
    };
    let mut session = Some(asking);
    for choice in [Selection::default(), unknown] {
        let unanswered = session
            .take()
            .unwrap()
            .respond(&choice)
            .await
            .err()
            .unwrap();
        assert_eq!(unanswered.error.code(), "selection_incomplete");
        session = unanswered.session;
    }
    let asking = session.unwrap();
    let suggested = asking.consent(&["en"]).suggested;
    assert!(asking.respond(&suggested).await.is_ok());
}

#[tokio::test]
async fn declining_says_access_denied_and_nothing_else() {
    let mut world = World::new();
    world.add().await.unwrap();
    let declining = world.ask().await.unwrap().decline().unwrap();
    assert_eq!(
        world.verifier.error_of(declining.request()),
        "access_denied"
    );
    let presented = declining.receive(&json(200, &value!({}))).unwrap();
    let entry = world.wallet.history_entry(&presented.history).unwrap();
    assert_eq!(entry.outcome, Outcome::Declined);
    assert!(entry.facts.is_empty());
}

#[tokio::test]
async fn cat_317_a_verifier_that_was_told_no_again_and_again_is_not_put_before_the_person() {
    let mut world = World::new();
    world.add().await.unwrap();
    for _ in 0..5 {
        world.ask().await.unwrap().decline().unwrap();
        world.clock.advance(10);
    }
    for _ in 0..100 {
        let refused = world.ask().await.unwrap_err();
        assert_eq!(refused.error.code(), "asked_too_often");
        // Silence: who asks learns nothing.
        assert!(refused.notify.is_none() && !refused.ask_first);
    }
    // Only the noes are in the history, not the hundred questions.
    let noes = world.wallet.history().unwrap();
    let noes = noes
        .iter()
        .filter(|entry| entry.outcome == Outcome::Declined);
    assert_eq!(noes.count(), 5);
    world.clock.advance(551);
    world.verifier.edit_request = |claims| {
        claims["iat"] = value!(NOW.plus(600).seconds());
        claims["exp"] = value!(NOW.plus(700).seconds());
    };
    assert!(world.ask().await.is_ok());
}

#[tokio::test]
async fn without_a_fitting_card_the_person_is_asked_before_anybody_is_told() {
    let world = World::new();
    let refused = world.ask().await.unwrap_err();
    assert!(refused.ask_first);
    world
        .refused_request("no_matching_card", Some("access_denied"))
        .await;
}

#[tokio::test]
async fn an_expired_card_is_not_offered() {
    let mut world = World::new();
    world.add().await.unwrap();
    world.clock.advance(86_400 - 60);
    world.verifier.edit_request = |claims| {
        claims["iat"] = value!(NOW.plus(86_400).seconds());
        claims["exp"] = value!(NOW.plus(86_500).seconds());
    };
    assert!(world.ask().await.is_ok());
    world.clock.advance(60);
    assert_eq!(
        world.ask().await.unwrap_err().error.code(),
        "no_matching_card"
    );
}

#[tokio::test]
async fn an_answer_after_the_end_of_the_request_is_not_made() {
    let mut world = World::new();
    world.add().await.unwrap();
    let asking = world.ask().await.unwrap();
    let suggested = asking.consent(&["en"]).suggested;
    world.clock.advance(121);
    let unanswered = asking.respond(&suggested).await.err().unwrap();
    assert_eq!(unanswered.error.code(), "request_expired");
}

#[tokio::test]
async fn cat_337_the_wallet_nonce_must_come_back() {
    let mut world = World::new();
    world.add().await.unwrap();
    world.verifier.method = "post";
    world.show().await;
    world.verifier.edit_request = |claims| claims["wallet_nonce"] = value!("other");
    world
        .refused_request("wallet_nonce_mismatch", Some("invalid_request"))
        .await;
    world.verifier.edit_request = |claims| {
        claims.as_object_mut().unwrap().remove("wallet_nonce");
    };
    world
        .refused_request("wallet_nonce_mismatch", Some("invalid_request"))
        .await;
}

#[tokio::test]
async fn cat_331_to_338_requests_that_break_a_rule() {
    type Edit = fn(&mut serde_json::Value);
    let cases: [(Edit, &str, Option<&str>); 8] = [
        (
            |c| c["aud"] = value!("https://evil.example"),
            "request_wrong_audience",
            Some("invalid_request"),
        ),
        (
            |c| c["exp"] = value!(NOW.plus(-61).seconds()),
            "request_expired",
            Some("invalid_request"),
        ),
        (
            |c| c["scope"] = value!("x"),
            "query_and_scope",
            Some("invalid_request"),
        ),
        (
            |c| c["redirect_uri"] = value!("https://a.example"),
            "redirect_uri_with_direct_post",
            Some("invalid_request"),
        ),
        (
            |c| c["transaction_data"] = value!(["e30"]),
            "transaction_data_unsupported",
            Some("invalid_transaction_data"),
        ),
        (
            |c| c["response_mode"] = value!("fragment"),
            "response_mode_unsupported",
            Some("invalid_request"),
        ),
        (
            |c| c["client_id"] = value!("x509_hash:AAAA"),
            "client_id_differs",
            None,
        ),
        (
            |c| c["response_uri"] = value!("http://shop.example.com/r"),
            "response_uri_unacceptable",
            None,
        ),
    ];
    for (edit, code, told) in cases {
        let mut world = World::new();
        world.add().await.unwrap();
        world.verifier.edit_request = edit;
        world.refused_request(code, told).await;
    }
}

#[tokio::test]
async fn cat_320_an_answer_inside_the_private_network_is_refused() {
    let mut world = World::new();
    world.add().await.unwrap();
    world.verifier.edit_request = |c| c["response_uri"] = value!("https://192.168.1.1/r");
    world
        .refused_request("response_uri_unacceptable", None)
        .await;
    for link in [
        "openid4vp://?client_id=x509_hash:Uvo3HtuIxuhC92rShpgqcT3YXwrqRxWEviRiA0OZszk&request_uri=https%3A%2F%2F10.0.0.1%2Fr",
        "openid4vp://?client_id=x509_hash:Uvo3HtuIxuhC92rShpgqcT3YXwrqRxWEviRiA0OZszk&request_uri=https%3A%2F%2Flocalhost%2Fr",
    ] {
        let error = world.wallet.present(link).err().unwrap();
        assert_eq!(error.code(), "request_uri_unacceptable");
    }
}

#[tokio::test]
async fn cat_320_the_fetched_request_must_be_one() {
    let mut world = World::new();
    world.add().await.unwrap();
    let fetch = || world.wallet.present(&world.verifier.link()).unwrap();
    let good = world.verifier.request_object(fetch().request()).await;
    for (status, media_type, length, code) in [
        (
            302,
            "application/oauth-authz-req+jwt",
            0,
            "request_redirected",
        ),
        (
            404,
            "application/oauth-authz-req+jwt",
            0,
            "request_not_available",
        ),
        (200, "application/json", 0, "request_media_type"),
        (
            200,
            "application/oauth-authz-req+jwt",
            10 * 1024 * 1024,
            "request_too_large",
        ),
    ] {
        let mut response = good.clone();
        response.status = status;
        response.headers = [("content-type", media_type)].into_iter().collect();
        response.body.resize(response.body.len() + length, b'a');
        assert_eq!(fetch().receive(&response).unwrap_err().error.code(), code);
    }
    // Catalogue 101: nothing stands beside the request object.
    for spaced in [
        [&good.body[..], b"\n"].concat(),
        [b" ", &good.body[..]].concat(),
    ] {
        let mut response = good.clone();
        response.body = spaced;
        assert!(fetch().receive(&response).is_err());
    }
    assert!(fetch().receive(&good).is_ok());
}

#[tokio::test]
async fn a_verifier_of_another_authority_is_refused_in_silence() {
    let mut world = World::new();
    world.add().await.unwrap();
    let foreign = super::Authority::new("Foreign CA");
    world.verifier = super::verifier::ScriptedVerifier::new(
        foreign.leaf("Wine Shop", "shop.example.com"),
        foreign.anchors(vouchsafe_credentials::x509::Role::Issuer),
    );
    world.refused_request("verifier_not_trusted", None).await;
}

#[tokio::test]
async fn cat_341_a_redirected_answer_counts_as_refused_and_may_have_arrived_before() {
    let mut world = World::new();
    world.add().await.unwrap();
    let asking = world.ask().await.unwrap();
    let suggested = asking.consent(&["en"]).suggested;
    let submitting = asking.respond(&suggested).await.unwrap();
    let id = submitting.history().clone();
    assert_eq!(
        world.wallet.history_entry(&id).unwrap().outcome,
        Outcome::Unknown
    );
    let mut redirect = json(307, &value!({}));
    redirect
        .headers
        .push("location", "https://evil.example.com");
    let error = submitting.receive(&redirect).unwrap_err();
    assert_eq!(error.code(), "answer_redirected");
    let outcome = world.wallet.history_entry(&id).unwrap().outcome;
    assert_eq!(
        outcome,
        Outcome::Failed {
            code: "answer_redirected".to_owned()
        }
    );
}

#[tokio::test]
async fn cat_451_copies_are_not_shared_between_verifiers_without_a_word() {
    let mut world = World::new();
    world.issuer.batch = 2;
    let added = world.add().await.unwrap();
    let fresh = |world: &World| {
        world
            .wallet
            .card(&added.cards[0], &["en"])
            .unwrap()
            .fresh_copies
    };
    world.show().await;
    assert_eq!(fresh(&world), (1, 2));
    // The same verifier sees the copy it knows.
    world.show().await;
    assert_eq!(fresh(&world), (1, 2));
    let chosen = |record: &crate::credential::Record, verifier| {
        let chosen = record.copy_for(verifier, NOW).unwrap().unwrap();
        (chosen.place, chosen.linkable)
    };
    let mut record = world.wallet.store().record(&added.cards[0]).unwrap();
    assert_eq!(chosen(&record, "another"), (1, false));
    record.copies[1].shown_to = Some("another".to_owned());
    let (name, bytes) = crate::credential::CredentialStore::encode(&record).unwrap();
    world.wallet.vault().put(name, bytes).unwrap();
    let record = world.wallet.store().record(&added.cards[0]).unwrap();
    assert_eq!(chosen(&record, "a third"), (0, true));
}

#[tokio::test]
async fn cat_442_consent_tells_of_the_copy_that_leaves() {
    let mut world = World::new();
    world.issuer.batch = 2;
    // The first copy hides what the type hides, the second shows everything to everybody.
    world.issuer.hidden_copies = 1;
    let added = world.add().await.unwrap();
    let mut record = world.wallet.store().record(&added.cards[0]).unwrap();
    record.copies[0].shown_to = Some("another".to_owned());
    let (name, bytes) = crate::credential::CredentialStore::encode(&record).unwrap();
    world.wallet.vault().put(name, bytes).unwrap();

    let asking = world.ask().await.unwrap();
    let consent = asking.consent(&["en"]);
    let card = consent.option(&consent.suggested.picks[0]).unwrap();
    assert!(card.keeps.is_empty(), "{:?}", card.keeps);
    assert_eq!(card.learns.len(), 3);
    assert!(card.learns.iter().all(|fact| fact.always_visible));
    let submitting = asking.respond(&consent.suggested).await.unwrap();
    let entry = world.wallet.history_entry(submitting.history()).unwrap();
    assert_eq!(entry.facts.len(), 3);
}

#[tokio::test]
async fn cat_451_two_open_questions_do_not_get_the_same_copy() {
    let mut world = World::new();
    world.issuer.batch = 2;
    let added = world.add().await.unwrap();
    let asking = world.ask().await.unwrap();
    let selection = asking.consent(&["en"]).suggested;
    // While the person thinks, another verifier is shown the copy that was meant for this one.
    let mut record = world.wallet.store().record(&added.cards[0]).unwrap();
    record.copies[0].shown_to = Some("another".to_owned());
    let (name, bytes) = crate::credential::CredentialStore::encode(&record).unwrap();
    world.wallet.vault().put(name, bytes).unwrap();

    let unanswered = asking.respond(&selection).await.err().unwrap();
    assert_eq!(unanswered.error.code(), "card_changed");
    // The question comes again, by the copy that is still fresh.
    let asking = unanswered.session.unwrap();
    let selection = asking.consent(&["en"]).suggested;
    assert!(asking.respond(&selection).await.is_ok());
    let record = world.wallet.store().record(&added.cards[0]).unwrap();
    let shown: Vec<_> = record.copies.iter().map(|copy| &copy.shown_to).collect();
    assert_eq!(shown[0].as_deref(), Some("another"));
    assert!(shown[1].is_some());
}

#[tokio::test]
async fn a_card_deleted_while_the_question_is_open_stays_deleted() {
    let mut world = World::new();
    let added = world.add().await.unwrap();
    let asking = world.ask().await.unwrap();
    let selection = asking.consent(&["en"]).suggested;
    world.wallet.delete(&added.cards[0]).await.unwrap();
    assert!(asking.respond(&selection).await.is_err());
    assert!(world.wallet.cards(&["en"]).unwrap().is_empty());
}

#[tokio::test]
async fn withdrawing_tells_the_verifier_once() {
    let mut world = World::new();
    world.add().await.unwrap();
    let presented = world.show().await;
    let withdrawal = world.wallet.withdraw(&presented.history).unwrap();
    assert_eq!(withdrawal.request().method, Method::Delete);
    assert_eq!(
        withdrawal.request().url.as_str(),
        "https://shop.example.com/consents/token1"
    );
    let error = withdrawal.receive(&json(500, &value!({}))).unwrap_err();
    assert_eq!(error.code(), "withdrawal_refused");
    let withdrawal = world.wallet.withdraw(&presented.history).unwrap();
    let entry = withdrawal.receive(&json(204, &value!({}))).unwrap();
    assert_eq!(entry.withdrawn_at, Some(NOW));
    let again = world.wallet.withdraw(&presented.history).err().unwrap();
    assert_eq!(again.code(), "nothing_to_withdraw");
}

#[tokio::test]
async fn cat_451_a_copy_that_serves_once_answers_nobody_else() {
    let mut world = World::new();
    world.config.issuance.copies = crate::issuance::CopyPolicy::OneTime;
    world.wallet = world.reopen(super::PASSPHRASE).await.unwrap();
    let added = world.add().await.unwrap();
    let mut record = world.wallet.store().record(&added.cards[0]).unwrap();
    record.copies[0].shown_to = Some("another".to_owned());
    let (name, bytes) = crate::credential::CredentialStore::encode(&record).unwrap();
    world.wallet.vault().put(name, bytes).unwrap();
    let refused = world.ask().await.unwrap_err();
    assert_eq!(refused.error.code(), "no_matching_card");
}
