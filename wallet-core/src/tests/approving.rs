//! Transactions that are authorised with a card (OpenID4VP 1.0, sections 5.1, 8.4 and 8.5).

use std::sync::Arc;

use serde_json::{Value, json as value};
use vouchsafe_credentials::encoding::b64url;
use vouchsafe_protocol::http::UrlRule;
use vouchsafe_protocol::vp::api::Origin;
use vouchsafe_protocol::vp::dcql::DcqlQuery;
use vouchsafe_protocol::vp::transaction_data::{Details, Payment, TransactionData};

use super::{KdfParams, MemoryStorage, PASSPHRASE, World, ports};
use crate::consent::{Selection, Transaction};
use crate::wallet::Wallet;

const ID: &str = "0123456789abcdefghij";

fn data(amount: &str, query: &Value) -> TransactionData {
    let mut object = value!({"payee": "Wine & More", "amount": amount, "currency": "EUR", "reference": "Order 7"});
    let payment = Payment::take(object.as_object_mut().unwrap()).unwrap();
    let query = DcqlQuery::parse(query).unwrap();
    TransactionData::new(Details::Payment(payment), ID, &query).unwrap()
}

/// A wallet that shows transactions and has a card; the verifier asks about one.
async fn world() -> World {
    let mut world = World::new();
    world.config.transactions = true;
    world.storage = Arc::new(MemoryStorage::new());
    let ports = ports(&world.storage, &world.clock, 1);
    let (config, least) = (world.config.clone(), KdfParams::MINIMUM);
    world.wallet = Wallet::create(config, ports, PASSPHRASE, least).unwrap();
    world.add().await.unwrap();
    world.verifier.transaction_data = vec![data("12.50", &world.verifier.query)];
    world
}

#[tokio::test]
async fn what_is_shown_is_what_is_signed() {
    let mut world = world().await;
    let asking = world.ask().await.unwrap();
    let consent = asking.consent(&["en"]);
    let [approval] = consent.approvals.as_slice() else {
        panic!("one transaction")
    };
    assert_eq!(approval.questions, ["card"]);
    let Transaction::Payment {
        payee,
        amount,
        currency,
        reference,
    } = &approval.transaction;
    assert_eq!((payee.as_str(), amount.as_str()), ("Wine & More", "12.50"));
    let reference = reference.as_ref().unwrap();
    assert_eq!((currency.as_str(), reference.as_str()), ("EUR", "Order 7"));
    let shown = serde_json::to_value(approval).unwrap();
    assert_eq!(
        (&shown["kind"], &shown["amount"]),
        (&value!("payment"), &value!("12.50"))
    );

    let submitting = asking.respond(&consent.suggested).await.unwrap();
    world.verifier.verify(submitting.request()).await.unwrap();
    // The verifier asked for another amount than the wallet saw.
    world.verifier.transaction_data = vec![data("1250", &world.verifier.query)];
    let refused = world
        .verifier
        .verify(submitting.request())
        .await
        .unwrap_err();
    assert_eq!(refused.code(), "transaction_data_differs");
}

#[tokio::test]
async fn cat_334_what_the_wallet_cannot_show_it_refuses() {
    type Edit = fn(&mut Value);
    fn edited(claims: &mut Value, edit: Edit) {
        let mut object = value!({"type": Payment::TYPE, "credential_ids": ["card"], "transaction_id": ID,
            "payee": "Wine & More", "amount": "12.50", "currency": "EUR"});
        edit(&mut object);
        claims["transaction_data"] = value!([b64url(object.to_string().as_bytes())]);
    }
    let cases: [(Edit, &str); 6] = [
        (
            |c| edited(c, |o| o["type"] = value!("urn:nobody:knows")),
            "transaction_data_type",
        ),
        (
            |c| edited(c, |o| o["more"] = value!("x")),
            "transaction_data_member",
        ),
        (
            |c| edited(c, |o| o["payee"] = value!("a\u{202e}b")),
            "transaction_data_member",
        ),
        (
            |c| edited(c, |o| o["credential_ids"] = value!(["other"])),
            "transaction_data_credential_ids",
        ),
        (
            |c| edited(c, |o| o["transaction_data_hashes_alg"] = value!(["md5"])),
            "transaction_data_alg",
        ),
        (
            |c| {
                c["dcql_query"]["credentials"][0]["require_cryptographic_holder_binding"] =
                    value!(false);
            },
            "transaction_data_credential",
        ),
    ];
    let mut world = world().await;
    for (edit, code) in cases {
        world.verifier.edit_request = edit;
        world
            .refused_request(code, Some("invalid_transaction_data"))
            .await;
    }
    // The control.
    world.verifier.edit_request = |c| edited(c, |_| {});
    world.ask().await.unwrap();
}

#[tokio::test]
async fn a_host_that_does_not_show_transactions_is_not_asked_to_sign_any() {
    let mut world = World::new();
    world.add().await.unwrap();
    world.verifier.transaction_data = vec![data("12.50", &world.verifier.query)];
    let told = Some("invalid_transaction_data");
    world
        .refused_request("transaction_data_unsupported", told)
        .await;
}

#[tokio::test]
async fn section_8_5_cards_that_are_not_there_or_not_chosen_authorise_nothing() {
    let mut world = world().await;
    let mut other = world.verifier.query["credentials"][0].clone();
    other["id"] = value!("other");
    let mut missing = other.clone();
    missing["id"] = value!("missing");
    missing["meta"]["vct_values"] = value!(["urn:nobody:has"]);
    let card = world.verifier.query["credentials"][0].clone();
    let alone = value!({"credentials": [missing.clone()]});
    world.verifier.query = value!({
        "credentials": [card, other, missing],
        "credential_sets": [
            {"options": [["card"]]},
            {"options": [["other"]], "required": false},
            {"options": [["missing"]], "required": false},
        ],
    });
    // Asked of a card that the person does not have.
    world.verifier.transaction_data = vec![data("12.50", &alone)];
    let told = Some("invalid_transaction_data");
    world
        .refused_request("transaction_data_unavailable", told)
        .await;
    // Nor of one that goes with it alone.
    let sets = world.verifier.query["credential_sets"].take();
    world.verifier.query["credential_sets"] =
        value!([{"options": [["card"], ["other", "missing"]]}]);
    let other = value!({"credentials": [world.verifier.query["credentials"][1]]});
    world.verifier.transaction_data = vec![data("12.50", &other)];
    world
        .refused_request("transaction_data_unavailable", told)
        .await;
    world.verifier.query["credential_sets"] = sets;
    // Asked of one that may stay away, and does.
    let asking = world.ask().await.unwrap();
    let consent = asking.consent(&["en"]);
    assert_eq!(consent.approvals[0].questions, ["other"]);
    // What is suggested signs it, although nobody insists on that card.
    let suggested = consent.suggested.picks.iter();
    let suggested: Vec<&str> = suggested.map(|pick| pick.question.as_str()).collect();
    assert_eq!(suggested, ["card", "other"]);
    let card = consent.questions[0].cards[0].credential.clone();
    let pick = |question: &str| crate::consent::Pick {
        question: question.to_owned(),
        credential: card.clone(),
    };
    let without = Selection {
        picks: vec![pick("card")],
    };
    let Err(unanswered) = asking.respond(&without).await else {
        panic!("nobody signs the transaction")
    };
    assert_eq!(unanswered.error.code(), "selection_incomplete");
    let both = Selection {
        picks: vec![pick("card"), pick("other")],
    };
    let asking = unanswered.session.unwrap();
    assert_eq!(asking.consent(&["en"]).suggested, both);
    let submitting = asking.respond(&both).await.unwrap();
    world.verifier.verify(submitting.request()).await.unwrap();
}

#[tokio::test]
async fn appendix_a_2_a_page_may_ask_for_an_approval_too() {
    let world = world().await;
    let origin = Origin::parse("https://shop.example.com", UrlRule::PublicHttps).unwrap();
    let [signed, _] = world.verifier.for_pages(&origin).await;
    let (name, data) = (signed.protocol.name(), &signed.data);
    let asking = world
        .wallet
        .present_to_page(origin.as_str(), name, data)
        .unwrap();
    let consent = asking.consent(&["en"]);
    assert_eq!(consent.approvals.len(), 1);
    let answer = asking.respond(&consent.suggested).await.unwrap();
    world.verifier.verify_page(&origin, &answer).await.unwrap();
}
