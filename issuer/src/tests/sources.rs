//! The organisation's system: it says what cards say, and who a person is.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use vouchsafe_service::webhooks::{Secrets, WebhookSecret};

use super::harness::{Harness, everywhere, membership, offer_body};
use super::outside::{
    Guest, Outside, SECRET, access_token, disclosed, local_text, locally, returned,
};

/// An offer that leaves its claims to the source, redeemed.
async fn token(h: &Harness) -> String {
    let mut body = offer_body();
    body.as_object_mut().unwrap().remove("claims");
    let offer = h.admin_post("/v1/offers", &body.to_string(), &[]).await;
    assert_eq!(offer.status, 201, "{}", offer.text);
    h.token_of(&offer.json()).await
}

#[tokio::test]
async fn the_source_is_asked_when_a_card_is_issued() {
    let outside = Outside::start().await;
    locally(&outside.system("claims_source", ""), async |h: Harness| {
        let guest = Guest::new(&h);
        outside.answer(&[(200, json!({}))]);
        let first = token(&h).await;
        assert!(outside.asked().is_empty());
        outside.answer(&[
            (503, json!({})),
            (200, json!({"claims": membership("M-7")})),
        ]);
        let card = guest.card(&first, &h.holder(1)).await;
        assert_eq!(disclosed(&card)["member_id"], "M-7");
        // Signed, with one id over all tries, and with what the organisation knows the person by.
        let asked = outside.asked.lock().unwrap().clone();
        assert_eq!(asked.len(), 2);
        let (headers, body) = &asked[1];
        assert_eq!(body["type"], "credential.claims");
        assert_eq!(
            body["data"],
            json!({"record_id": "crm-4711", "credential_type": "membership", "subject": null})
        );
        assert_eq!(headers["webhook-id"], asked[0].0["webhook-id"]);
        let secrets = Secrets::of(WebhookSecret::parse(SECRET).unwrap(), None);
        let id = headers["webhook-id"].to_str().unwrap();
        let signature = secrets.header(id, super::harness::NOW, &body.to_string());
        assert_eq!(headers["webhook-signature"], signature.as_str());
        // The same card again says what is true then.
        outside.answer(&[(200, json!({"claims": membership("M-8")}))]);
        let card = guest.card(&first, &h.holder(1)).await;
        assert_eq!(disclosed(&card)["member_id"], "M-8");
    })
    .await;
}

/// OpenID4VCI 1.0, section 8.3.1.2; never a half-made card.
#[tokio::test]
async fn a_source_that_fails_issues_nothing_and_uses_nothing_up() {
    let outside = Outside::start().await;
    locally(&outside.system("claims_source", ""), async |h: Harness| {
        let guest = Guest::new(&h);
        let token = token(&h).await;
        let none = async || {
            let all = h.admin_get("/v1/credentials").await.json();
            all["items"].as_array().unwrap().is_empty()
        };
        let mut unfit = membership("M-7");
        unfit["tier"] = json!(7);
        for (status, answer) in [
            (503, json!({})),
            (404, json!({})),
            (200, json!([])),
            (200, json!({"claims": unfit})),
            (200, json!({"claims": {}})),
            (200, json!({"claims": membership("M"), "denied": "no"})),
        ] {
            outside.answer(&[(status, answer.clone())]);
            let refused = guest.card(&token, &h.holder(1)).await;
            let expected = (503, "temporarily_unavailable".to_owned());
            assert_eq!(refused.error(), expected, "{status} {answer}");
            assert_eq!(refused.header("retry-after"), "1");
            assert!(!refused.text.contains("M-7"));
            assert!(none().await);
        }
        outside.answer(&[(200, json!({"denied": "membership_ended"}))]);
        let refused = guest.card(&token, &h.holder(1)).await;
        assert_eq!(
            refused.error(),
            (400, "credential_request_denied".to_owned())
        );
        assert!(none().await);
        // Up again: the same token brings the card.
        outside.answer(&[(200, json!({"claims": membership("M-9")}))]);
        let card = guest.card(&token, &h.holder(1)).await;
        assert_eq!(disclosed(&card)["member_id"], "M-9");
    })
    .await;
}

#[tokio::test]
async fn an_offer_may_bring_its_claims_all_the_same() {
    let outside = Outside::start().await;
    locally(&outside.system("claims_source", ""), async |h: Harness| {
        let token = h.token().await;
        let card = Guest::new(&h).card(&token, &h.holder(1)).await;
        assert_eq!(disclosed(&card)["member_id"], "M-4711");
        assert!(outside.asked().is_empty());
    })
    .await;
}

#[tokio::test]
async fn what_waits_for_a_decision_is_asked_for_after_it() {
    let outside = Outside::start().await;
    locally(&outside.system("claims_source", ""), async |h: Harness| {
        let mut body = offer_body();
        body.as_object_mut().unwrap().remove("claims");
        body["hold"] = json!(true);
        let offer = h
            .admin_post("/v1/offers", &body.to_string(), &[])
            .await
            .json();
        let token = h.token_of(&offer).await;
        outside.answer(&[(200, json!({"claims": membership("M-1")}))]);
        let waits = Guest::new(&h).card(&token, &h.holder(1)).await;
        assert_eq!(waits.status, 202, "{}", waits.text);
        assert!(outside.asked().is_empty());
        let approve = format!("/v1/offers/{}/approve", offer["id"].as_str().unwrap());
        h.admin_post(&approve, "", &[]).await;
        let id = waits.json()["transaction_id"].clone();
        let card = h
            .bearer(
                "/deferred_credential",
                &token,
                &json!({"transaction_id": id}),
            )
            .await;
        assert_eq!(disclosed(&card)["member_id"], "M-1");
    })
    .await;
}

#[tokio::test]
async fn a_person_who_signed_in_is_named_to_the_source() {
    let outside = Outside::start().await;
    let text = outside.provider("") + &outside.system("claims_source", "");
    locally(&text, async |h: Harness| {
        let guest = Guest::new(&h);
        let there = guest.begin("membership").await;
        let page = guest.get(&outside.sign_in(there.header("location"))).await;
        let back = guest.submit(&page, &[("step", "confirm")]).await;
        let token = access_token(&guest.token(&back).await);
        outside.answer(&[(200, json!({"claims": membership("M-5")}))]);
        let card = guest.card(&token, &h.holder(1)).await;
        assert_eq!(disclosed(&card)["member_id"], "M-5");
        let subject = json!({"issuer": outside.url, "claim": "sub", "value": "ada"});
        assert_eq!(outside.asked()[0]["data"]["subject"], subject);
    })
    .await;
}

#[tokio::test]
async fn claims_are_left_out_where_there_is_a_source_alone() {
    let body =
        json!({"record_id": "1", "credential_type": "membership", "grant": "pre_authorized_code"});
    everywhere(async |h| {
        let refused = h.admin_post("/v1/offers", &body.to_string(), &[]).await;
        assert_eq!(refused.error(), (422, "claims_missing".to_owned()));
        let unknown = body.to_string().replace("membership", "nothing");
        let refused = h.admin_post("/v1/offers", &unknown, &[]).await;
        assert_eq!(refused.error(), (422, "unknown_credential_type".to_owned()));
    })
    .await;
}

const BATCH: &str = "/v1/offer-batches?credential_type=membership&grant=pre_authorized_code";

#[tokio::test]
async fn a_batch_may_be_json() {
    everywhere(async |h| {
        let list = json!([
            {"record_id": "1", "claims": membership("M-1")},
            {"record_id": "2", "claims": membership("M-2")},
        ]);
        let made = h.admin_post(BATCH, &list.to_string(), &[]).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let items = made.json()["items"].clone();
        assert_eq!((items[0]["record_id"].as_str(), items[1]["record_id"].as_str()), (Some("1"), Some("2")));
        h.token_of(&items[1]).await;
        // All of them, or none; places are named and values are not.
        let bad = json!([
            {"record_id": "3", "claims": membership("M-3")},
            {"record_id": "", "claims": membership("M-4")},
            {"record_id": "5", "claims": {"member_id": 5, "tier": "gold", "valid_until": "2027-01-01"}},
            {"record_id": "6"},
        ]);
        let refused = h.admin_post(BATCH, &bad.to_string(), &[]).await;
        assert_eq!(refused.error(), (422, "invalid_rows".to_owned()));
        let places: Vec<Value> = refused.json()["errors"].as_array().unwrap().iter()
            .map(|one| one["pointer"].clone()).collect();
        assert_eq!(places, ["/1/record_id", "/2/claims/member_id", "/3/claims"]);
        for (bad, status) in [
            ("[]".to_owned(), 400),
            ("{}".to_owned(), 400),
            ("[{}]".to_owned(), 400),
            (json!([{"record_id": "1", "claims": {}, "more": 1}]).to_string(), 400),
            (format!("[{}]", vec![list[0].to_string(); 1001].join(",")), 413),
        ] {
            assert_eq!(h.admin_post(BATCH, &bad, &[]).await.status, status);
        }
        let all = h.admin_get("/v1/offers").await.json();
        assert_eq!(all["items"].as_array().unwrap().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_batch_may_leave_claims_to_the_source() {
    let outside = Outside::start().await;
    locally(&outside.system("claims_source", ""), async |h: Harness| {
        let made = h.admin_post(BATCH, "[{\"record_id\": \"1\"}]", &[]).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let csv = format!("Bearer {}", h.key);
        let headers = [("authorization", csv.as_str())];
        let made = h
            .post(BATCH, "text/csv", &headers, "record_id\n2\n3\n")
            .await;
        assert_eq!(made.status, 201, "{}", made.text);
        let token = h.token_of(&made.json()["items"][1]).await;
        outside.answer(&[(200, json!({"claims": membership("M-3")}))]);
        Guest::new(&h).card(&token, &h.holder(1)).await;
        assert_eq!(outside.asked()[0]["data"]["record_id"], "3");
    })
    .await;
}

const FIELDS: &str = "method = \"webhook\"\nfields = [\
    { name = \"number\", labels = { en = \"Member number\" } },\
    { name = \"pin\", labels = { en = \"PIN\" }, secret = true }]";
const TYPED: &[(&str, &str)] = &[
    ("field_number", "4711"),
    ("field_pin", "0815"),
    ("step", "confirm"),
];

#[tokio::test]
async fn a_person_answers_what_the_organisation_asks() {
    let outside = Outside::start().await;
    locally(&outside.system("authentication", FIELDS), async |h: Harness| {
        let guest = Guest::new(&h);
        let page = guest.begin("membership").await;
        for text in ["Member number", "PIN", "type=\"password\"", "Membership card", "Example Wallet"] {
            assert!(page.text.contains(text), "{text}: {}", page.text);
        }
        let known = json!({"record_id": "crm-1", "claims": membership("M-1")});
        outside.answer(&[(200, known)]);
        // What is not filled in is not judged.
        let again = guest.submit(&page, &[("field_number", "4711"), ("step", "confirm")]).await;
        assert_eq!(again.status, 200);
        assert!(outside.asked().is_empty());
        let back = guest.submit(&page, TYPED).await;
        let asked = outside.asked();
        assert_eq!(asked[0]["type"], "person.authenticate");
        assert_eq!(
            asked[0]["data"],
            json!({"credential_type": "membership", "fields": {"number": "4711", "pin": "0815"}})
        );
        let token = access_token(&guest.token(&back).await);
        let card = guest.card(&token, &h.holder(1)).await;
        assert_eq!(disclosed(&card)["member_id"], "M-1");
        let cancelled = guest.submit(&page, &[("step", "cancel")]).await;
        assert_eq!(returned(&cancelled)["error"], "access_denied");
    })
    .await;
}

#[tokio::test]
async fn an_unknown_person_and_a_wrong_secret_look_the_same() {
    let outside = Outside::start().await;
    locally(
        &outside.system("authentication", FIELDS),
        async |h: Harness| {
            let guest = Guest::new(&h);
            let page = guest.begin("membership").await;
            let mut texts = Vec::new();
            for (reason, left) in [
                ("unknown_person", "4 more tries"),
                ("wrong_pin", "3 more tries"),
            ] {
                outside.answer(&[(200, json!({"denied": reason}))]);
                let began = Instant::now();
                let refused = guest.submit(&page, TYPED).await;
                assert!(began.elapsed() >= Duration::from_millis(490));
                assert_eq!(refused.status, 422);
                assert!(refused.text.contains(left) && !refused.text.contains(reason));
                let (before, _) = refused.text.split_once("name=\"flow\"").unwrap();
                texts.push(before.replace(left, ""));
            }
            assert_eq!(texts[0], texts[1]);
        },
    )
    .await;
}

/// The page of the codes is for cards that a code opens.
#[tokio::test]
async fn a_code_opens_no_card_whose_persons_are_asked() {
    let outside = Outside::start().await;
    locally(
        &outside.system("authentication", FIELDS),
        async |h: Harness| {
            let guest = Guest::new(&h);
            let mut page = guest.begin("membership").await;
            let text = page.text.replace("&#x2f;", "/");
            page.text = text.replace("action=\"/authorize/person\"", "action=\"/authorize\"");
            assert_ne!(page.text, text);
            let offer = h
                .offer(json!({"grant": "authorization_code", "wallet_initiated": true}))
                .await;
            let code = offer["one_time_code"].as_str().unwrap();
            let typed = [("code", code), ("step", "confirm")];
            assert_eq!(guest.submit(&page, &typed).await.status, 400);
        },
    )
    .await;
}

/// The tries of the page, and of whom it is about: whatever form is posted, and by whom.
#[tokio::test]
async fn wrong_answers_add_up() {
    let outside = Outside::start().await;
    let denied = || outside.answer(&[(200, json!({"denied": "wrong_pin"}))]);
    let known = || outside.answer(&[(200, json!({"record_id": "1", "claims": membership("M")}))]);
    let answer = |number: &'static str| {
        [
            ("field_number", number),
            ("field_pin", "1"),
            ("step", "confirm"),
        ]
    };
    locally(
        &outside.system("authentication", FIELDS),
        async |h: Harness| {
            denied();
            let first = Guest::new(&h);
            let page = first.begin("membership").await;
            // The same form again and again gives no try back.
            for left in [
                "4 more tries",
                "3 more tries",
                "2 more tries",
                "one more try",
            ] {
                let refused = first.submit(&page, &answer("AB-4711")).await;
                assert_eq!(refused.status, 422);
                assert!(refused.text.contains(left), "{}", refused.text);
            }
            assert_eq!(first.submit(&page, &answer("AB-4711")).await.status, 403);
            // Nobody is asked about this person for an hour, not even with the right answer: not in
            // this browser, not in another one, not in another way of writing.
            known();
            let other = Guest::new(&h);
            let page = other.begin("membership").await;
            for number in ["AB-4711", "ab 4711", " AB\u{200b}4711."] {
                assert_eq!(
                    other.submit(&page, &answer(number)).await.status,
                    403,
                    "{number}"
                );
            }
            let again = first.begin("membership").await;
            assert_eq!(first.submit(&again, &answer("AB-1")).await.status, 403);
            assert!(outside.asked().is_empty());
            // Somebody else, and later.
            assert!(returned(&other.submit(&page, &answer("AB-1")).await).contains_key("code"));
            h.issuer.purge().await.unwrap();
            assert_eq!(other.submit(&page, &answer("AB-4711")).await.status, 403);
            h.clock.advance(3_600);
            let page = other.begin("membership").await;
            assert!(returned(&other.submit(&page, &answer("AB-4711")).await).contains_key("code"));
        },
    )
    .await;
}

#[tokio::test]
async fn of_many_answers_at_once_five_are_judged() {
    let outside = Outside::start().await;
    locally(
        &outside.system("authentication", FIELDS),
        async |h: Harness| {
            outside.answer(&[(200, json!({"denied": "wrong_pin"}))]);
            let guests: Vec<Guest<'_>> = (0..12).map(|_| Guest::new(&h)).collect();
            let tries = guests.iter().map(async |guest| {
                let page = guest.begin("membership").await;
                guest.submit(&page, TYPED).await.status
            });
            let statuses = futures::future::join_all(tries).await;
            assert_eq!(outside.asked().len(), 5);
            assert_eq!(statuses.iter().filter(|status| **status == 422).count(), 4);
        },
    )
    .await;
}

#[tokio::test]
async fn what_nobody_judged_does_not_count_and_what_was_right_begins_anew() {
    let outside = Outside::start().await;
    locally(
        &outside.system("authentication", FIELDS),
        async |h: Harness| {
            let guest = Guest::new(&h);
            let page = guest.begin("membership").await;
            let known = json!({"record_id": "1", "claims": membership("M")});
            let denied = (200, json!({"denied": "wrong_pin"}));
            for (answer, left) in [
                ((503, json!({})), "4 more tries"),
                // What cannot be read may depend on what was typed all the same.
                ((200, json!({"denied": "Not good!"})), "2 more tries"),
            ] {
                outside.answer(&[answer]);
                let away = guest.submit(&page, TYPED).await;
                assert_eq!(returned(&away)["error"], "temporarily_unavailable");
                outside.answer(std::slice::from_ref(&denied));
                let refused = guest.submit(&page, TYPED).await;
                assert!(refused.text.contains(left), "{}", refused.text);
            }
            outside.answer(&[(200, known)]);
            assert!(returned(&guest.submit(&page, TYPED).await).contains_key("code"));
            outside.answer(&[denied]);
            let refused = guest.submit(&page, TYPED).await;
            assert!(refused.text.contains("4 more tries"), "{}", refused.text);
        },
    )
    .await;
}

/// A network has twenty tries a minute, however many pages it opens.
#[tokio::test]
async fn a_network_answers_a_few_times_and_no_more() {
    let outside = Outside::start().await;
    locally(
        &outside.system("authentication", FIELDS),
        async |h: Harness| {
            outside.answer(&[(200, json!({"record_id": "1", "claims": membership("M")}))]);
            // One comes back every three seconds.
            let mut tries = 0;
            let refused = loop {
                let guest = Guest::new(&h);
                let page = guest.begin("membership").await;
                let answer = guest.submit(&page, TYPED).await;
                if answer.status != 303 {
                    break answer;
                }
                tries += 1;
                assert!(tries < 40);
            };
            assert!(tries >= 20);
            assert_eq!(refused.status, 403);
        },
    )
    .await;
}

#[tokio::test]
async fn what_is_no_answer_makes_no_card() {
    let outside = Outside::start().await;
    locally(
        &outside.system("authentication", FIELDS),
        async |h: Harness| {
            let guest = Guest::new(&h);
            let page = guest.begin("membership").await;
            for (answer, code) in [
                (json!({"record_id": "1"}), "temporarily_unavailable"),
                (
                    json!({"claims": membership("M")}),
                    "temporarily_unavailable",
                ),
                (
                    json!({"denied": "x", "record_id": "1"}),
                    "temporarily_unavailable",
                ),
                (
                    json!({"record_id": "", "claims": membership("M")}),
                    "server_error",
                ),
                (json!({"record_id": "1", "claims": {}}), "server_error"),
            ] {
                outside.answer(&[(200, answer.clone())]);
                let refused = guest.submit(&page, TYPED).await;
                assert_eq!(returned(&refused)["error"], code, "{answer}");
            }
            assert!(
                h.admin_get("/v1/offers").await.json()["items"]
                    .as_array()
                    .unwrap()
                    .is_empty()
            );
        },
    )
    .await;
}

#[test]
fn sections_that_do_not_fit_are_refused() {
    let provider = "[[authentication]]\nmethod = \"openid_connect\"\nissuer = \"http://127.0.0.1:1\"\n\
                    client_id = \"us\"\nclient_secret = \"s\"\n";
    let source =
        format!("[[claims_source]]\nurl = \"http://127.0.0.1:1\"\nsecret = \"{SECRET}\"\n");
    let mapped = "claims = { member_id = \"m\" }\n";
    let outside_fields = |fields: &str| {
        format!(
            "[[authentication]]\nmethod = \"webhook\"\nurl = \"http://127.0.0.1:1\"\n\
             secret = \"{SECRET}\"\nfields = [{fields}]\n"
        )
    };
    let of = |text: &str| {
        let config = vouchsafe_service::config::parse::<crate::Config>(&local_text(text));
        let config = config.map_err(|error| error.to_string())?;
        let settings = config.settings().map_err(|error| error.to_string());
        let types = config.types().map_err(|error| error.to_string());
        settings.and(types).map(drop)
    };
    for good in [
        format!("{provider}{mapped}"),
        format!("{provider}{source}"),
        format!(
            "{provider}{mapped}[[authentication]]\nmethod = \"code\"\ncredential_types = [\"age\"]\n"
        ),
    ] {
        assert_eq!(of(&good), Ok(()), "{good}");
    }
    for (bad, word) in [
        (provider.to_owned(), "authentication.claims"),
        (
            format!("{provider}{mapped}{source}"),
            "authentication.claims",
        ),
        (format!("{provider}{mapped}{provider}{mapped}"), "two rules"),
        (
            format!("{provider}{mapped}subject_claim = \"email\"\n"),
            "subject_claim",
        ),
        (
            format!("{provider}{mapped}credential_types = [\"nothing\"]\n"),
            "nothing",
        ),
        (format!("{provider}{mapped}fields = []\n"), "fields"),
        // Nothing that says who it is, or nothing that proves it.
        (
            outside_fields("{ name = \"pin\", labels = { en = \"PIN\" }, secret = true }"),
            "authentication.fields",
        ),
        (
            outside_fields("{ name = \"number\", labels = { en = \"Number\" } }"),
            "authentication.fields",
        ),
        (
            "[[authentication]]\nmethod = \"guess\"\n".to_owned(),
            "openid_connect",
        ),
        (
            "[[authentication]]\nmethod = \"code\"\nissuer = \"x\"\n".to_owned(),
            "issuer",
        ),
        (
            source.replace(SECRET, "hunter2"),
            "claims_source.secret_file",
        ),
        (
            source.replace("http://127.0.0.1:1", "ftp://a"),
            "claims_source.url",
        ),
        (
            format!("{source}patience_s = 21\n"),
            "claims_source.patience_s",
        ),
        (
            format!("{source}timeout_s = 0\n"),
            "claims_source.patience_s",
        ),
        (format!("{source}{source}"), "two rules"),
    ] {
        let error = of(&bad).unwrap_err();
        assert!(error.contains(word), "{error}: {bad}");
    }
}
