//! Questions over REST: who may ask what, and who reads what.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use futures::StreamExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;
use vouchsafe_verifier::config::Settings;

use crate::world::browser::{form, send};
use crate::world::pki::Pki;
use crate::world::rest::{CALLERS, Caller, Question, request_id, with_callers};
use crate::world::{on_sqlite, parse, toml};

const PATH: &str = "/v1/verifications";

/// Headers, a body, and the status that they get.
type Raw<'a> = (&'a [(&'a str, &'a str)], &'a str, u16);

fn age() -> Value {
    json!({ "query": "age" })
}

/// A question that is well formed, for cards of this type.
fn inline(vct: &str) -> Value {
    json!({ "purpose": "To know", "dcql": { "credentials": [
        { "id": "card", "format": "dc+sd-jwt", "meta": { "vct_values": [vct] }, "claims": [{ "path": ["tier"] }] }
    ] } })
}

#[tokio::test]
async fn without_callers_there_is_no_such_interface() {
    on_sqlite(async |world| {
        for path in [PATH, "/v1/verifications/x", "/openapi.json"] {
            let request = Request::get(path).body(Body::empty()).unwrap();
            let answer = send(&world.router(), request).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        }
        let nobody = world.verifier.create_api_key("door", &[]).await;
        assert!(nobody.is_err());
    })
    .await;
}

#[tokio::test]
async fn nobody_asks_without_a_key_that_allows_it() {
    with_callers(async |world| {
        let made = world.verifier.create_api_key("door", &[]).await.unwrap();
        let door = Caller::with_key(&world, &made.key);
        let question = door.ask(&age()).await;
        let reader = Caller::with_scopes(&world, "door", &["verifications:read"]).await;
        let writer = Caller::with_scopes(&world, "door", &["verifications:write"]).await;
        assert_eq!(reader.get(&question.path()).await.status, 200);
        for (who, answer) in [
            ("reader asks", reader.post(PATH, &age()).await),
            ("reader removes", reader.delete(&question.path()).await),
            ("reader redeems", reader.redeem(&question, "x").await),
            ("writer reads", writer.get(&question.path()).await),
        ] {
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{who}");
            assert_eq!(answer.json()["code"], "forbidden");
        }
        // A secret of an application opens nothing, and neither does half a key.
        let request = Request::get(question.path()).body(Body::empty()).unwrap();
        assert_eq!(send(&world.router(), request).await.status, 401);
        for key in ["", "vsk_", &made.key[..40], "shop-secret-0123456789"] {
            let answer = Caller::with_key(&world, key).get(&question.path()).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{key}");
            assert_eq!(answer.json()["code"], "unauthorized");
        }
        let twice = door
            .request(Method::GET, &question.path())
            .header(header::AUTHORIZATION, format!("Bearer {}", made.key))
            .body(Body::empty());
        assert_eq!(send(&world.router(), twice.unwrap()).await.status, 401);
        assert!(world.verifier.revoke_api_key(&made.id).await.unwrap());
        assert_eq!(door.get(&question.path()).await.status, 401);
        assert!(!world.verifier.revoke_api_key(&made.id).await.unwrap());
        assert!(world.verifier.create_api_key("nobody", &[]).await.is_err());
        let scope = ["verifications:*".to_owned()];
        assert!(world.verifier.create_api_key("door", &scope).await.is_err());
    })
    .await;
}

#[tokio::test]
async fn cat_310_what_cannot_be_asked_is_refused() {
    with_callers(async |world| {
        let door = Caller::new(&world, "door").await;
        let clinic = Caller::new(&world, "clinic").await;
        let web = Caller::new(&world, "web").await;
        let mut long = inline("urn:vouchsafe:membership:1");
        long["dcql"]["surplus"] = json!("x".repeat(16 * 1024));
        let mut loose = inline("urn:vouchsafe:membership:1");
        loose["dcql"]["credentials"][0]["require_cryptographic_holder_binding"] = json!(false);
        let mut silent = inline("urn:vouchsafe:membership:1");
        silent.as_object_mut().unwrap().remove("purpose");
        let mut many = inline("urn:vouchsafe:membership:1");
        let path = vec!["x"; 17];
        many["dcql"]["credentials"][0]["claims"] = json!([{ "path": path }]);
        let with = |name: &str, value: Value| {
            let mut body = age();
            body[name] = value;
            body
        };
        let bad = [
            (&door, json!({}), 422, "query_or_dcql"),
            (&door, with("dcql", json!({})), 422, "query_or_dcql"),
            (&door, json!({ "query": "nothing" }), 422, "unknown_query"),
            (
                &door,
                json!({ "query": "membership" }),
                422,
                "unknown_query",
            ),
            (
                &door,
                inline("urn:vouchsafe:age:1"),
                403,
                "inline_query_not_allowed",
            ),
            (
                &clinic,
                json!({ "dcql": {}, "purpose": "x" }),
                422,
                "invalid_dcql",
            ),
            (&clinic, loose, 422, "invalid_dcql"),
            (&clinic, many, 422, "invalid_dcql"),
            (&clinic, long, 422, "invalid_dcql"),
            (&web, age(), 422, "return_url_required"),
            (
                &clinic,
                inline("urn:somebody:else"),
                422,
                "no_trusted_issuer",
            ),
            (&clinic, silent, 422, "invalid_purpose"),
            (&door, with("purpose", json!(" ")), 422, "invalid_purpose"),
            (
                &door,
                with("purpose", json!("a\u{202e}b")),
                422,
                "invalid_purpose",
            ),
            (
                &door,
                with("purpose", json!("a\nb")),
                422,
                "invalid_purpose",
            ),
            (
                &door,
                with("purpose", json!("x".repeat(301))),
                422,
                "invalid_purpose",
            ),
            (
                &door,
                with("return_url", json!("https://door.example/back")),
                422,
                "invalid_return_url",
            ),
            (
                &clinic,
                json!({ "query": "membership", "return_url": "https://door.example/back?lang=en" }),
                422,
                "invalid_return_url",
            ),
            (&door, with("surplus", json!(1)), 400, "invalid_body"),
            (&door, with("purpose", json!(1)), 400, "invalid_body"),
            (&door, json!([]), 400, "invalid_body"),
        ];
        for (who, body, status, code) in bad {
            let answer = who.post(PATH, &body).await;
            assert_eq!(answer.status.as_u16(), status, "{body}: {}", answer.body);
            assert_eq!(answer.json()["code"], code, "{body}");
            assert_eq!(
                answer.headers[header::CONTENT_TYPE],
                "application/problem+json"
            );
        }
        for hidden in [
            '\u{61c}', '\u{200b}', '\u{200e}', '\u{2028}', '\u{2029}', '\u{202e}', '\u{2066}',
        ] {
            let body = with("purpose", json!(format!("a{hidden}b")));
            let answer = door.post(PATH, &body).await;
            assert_eq!(answer.json()["code"], "invalid_purpose", "{hidden:?}");
        }
        let text = age().to_string();
        let long = format!("{text}{}", " ".repeat(64 * 1024));
        let twice = r#"{"query":"age","query":"age"}"#;
        let raw: [Raw<'_>; 6] = [
            (&[("content-type", "text/plain")], &text, 415),
            (&[("content-encoding", "gzip")], &text, 415),
            (&[("idempotency-key", "")], &text, 400),
            (&[("idempotency-key", &"k".repeat(129))], &text, 400),
            (&[], twice, 400),
            (&[], &long, 413),
        ];
        for (headers, body, status) in raw {
            let answer = door.post_with(PATH, headers, body).await;
            assert_eq!(answer.status.as_u16(), status, "{headers:?}");
        }
        assert_eq!(world.count("SELECT COUNT(*) FROM verifications").await, 0);
    })
    .await;
}

#[tokio::test]
async fn cat_313_a_caller_sees_its_own_verifications_alone() {
    with_callers(async |world| {
        let (door, clinic) = (
            Caller::new(&world, "door").await,
            Caller::new(&world, "clinic").await,
        );
        let question = door.ask(&age()).await;
        let asked = world.person("M-1").await.open(&question.link).await;
        let by_code = format!("{PATH}/{}", request_id(&asked));
        // What stands in the code reads nothing, not even for who asked.
        for (who, path) in [
            (&clinic, question.path()),
            (&door, by_code.clone()),
            (&clinic, by_code),
        ] {
            for answer in [
                who.get(&path).await,
                who.get(&format!("{path}/events")).await,
                who.delete(&path).await,
                who.post(
                    &format!("{path}/redeem"),
                    &json!({ "response_code": "x".repeat(43) }),
                )
                .await,
            ] {
                assert_eq!(answer.status, StatusCode::NOT_FOUND, "{}", answer.body);
                assert_eq!(answer.json()["code"], "not_found");
            }
        }
        // A second key of the same caller does.
        let also = Caller::new(&world, "door").await;
        assert_eq!(also.status(&question).await, "scanned");
        // A row that was moved to another caller does not open.
        let update = "UPDATE verifications SET caller = 'clinic'";
        world
            .db
            .write(async move |tx| vouchsafe_service::execute!(tx, sqlx::query(update)))
            .await
            .unwrap();
        let answer = clinic.get(&question.path()).await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    })
    .await;
}

#[tokio::test]
async fn a_request_that_is_sent_twice_asks_once() {
    with_callers(async |world| {
        let door = Caller::new(&world, "door").await;
        let key = [("idempotency-key", "order-1")];
        let text = age().to_string();
        let first = door.post_with(PATH, &key, &text).await;
        assert_eq!(first.status, StatusCode::CREATED, "{}", first.body);
        let second = door.post_with(PATH, &key, &text).await;
        assert_eq!((second.status, &second.body), (first.status, &first.body));
        let other = json!({ "query": "age", "purpose": "Another" }).to_string();
        let refused = door.post_with(PATH, &key, &other).await;
        assert_eq!(refused.json()["code"], "idempotency_key_reused");
        // The keys of two callers never meet.
        let clinic = Caller::new(&world, "clinic").await;
        let body = json!({ "query": "membership" }).to_string();
        let own = clinic.post_with(PATH, &key, &body).await;
        assert_eq!(own.status, StatusCode::CREATED);
        assert_ne!(own.json()["id"], first.json()["id"]);
        assert_eq!(world.count("SELECT COUNT(*) FROM verifications").await, 2);
    })
    .await;
}

#[tokio::test]
async fn only_so_many_questions_wait_at_the_same_time() {
    with_callers(async |world| {
        let door = Caller::new(&world, "door").await;
        for _ in 0..3 {
            door.ask(&age()).await;
        }
        let fourth = door.post(PATH, &age()).await;
        assert_eq!(fourth.status, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(fourth.json()["code"], "too_many_open");
        let clinic = Caller::new(&world, "clinic").await;
        clinic.ask(&json!({ "query": "membership" })).await;
        world.clock.advance(120);
        door.ask(&age()).await;
    })
    .await;
}

/// Refusals make no room for more rows; time and `DELETE` do.
#[tokio::test]
async fn only_so_many_verifications_are_kept() {
    with_callers(async |world| {
        let door = Caller::new(&world, "door").await;
        let wallet = world.person("M-1").await;
        let mut last = None;
        for _ in 0..30 {
            let question = door.ask(&age()).await;
            let asked = wallet.open(&question.link).await;
            let state = asked.request.state().unwrap().as_str().to_owned();
            let no = form(&[("error", "access_denied"), ("state", &state)]);
            assert_eq!(wallet.post(&asked.request, &no).await.status, 200);
            last = Some(question);
        }
        let refused = door.post(PATH, &age()).await;
        assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(refused.json()["code"], "too_many_open");
        assert_eq!(door.delete(&last.unwrap().path()).await.status, 204);
        door.ask(&age()).await;
        assert_eq!(door.post(PATH, &age()).await.status, 429);
        world.clock.advance(600);
        door.ask(&age()).await;
    })
    .await;
}

/// Catalogue 314: whose questions are answered on the same device alone shows nothing that another
/// device could answer, and has no result without the browser that came back.
#[tokio::test]
async fn cat_314_who_is_not_registered_for_other_devices_has_no_code_to_show() {
    with_callers(async |world| {
        let web = Caller::new(&world, "web").await;
        let body = json!({ "query": "age", "return_url": "https://web.example/back" });
        let question = web.ask(&body).await;
        assert_eq!(question.json.get("qr"), None, "{}", question.json);
        let back = world.person("M-1").await.follow(&question.link).await;
        assert_eq!(web.read(&question).await["result"], Value::Null);
        let code = back
            .strip_prefix("https://web.example/back?response_code=")
            .unwrap();
        let redeemed = web.redeem(&question, code).await.json();
        assert_eq!(redeemed["status"], "verified", "{redeemed}");
    })
    .await;
}

#[test]
fn a_configuration_that_would_ask_too_long_or_nobody_is_refused() {
    let pki = Pki::new();
    let parsed = |from: &str, to: &str| {
        assert!(CALLERS.contains(from), "{from}");
        let section = CALLERS.replace(from, to);
        Settings::parse(&parse(&(toml(&pki) + &section))).map_err(|error| error.to_string())
    };
    let alone = "cross_device = true";
    for (from, to, said) in [
        ("lifetime_s = 120", "lifetime_s = 181", "lifetime_s"),
        ("lifetime_s = 120", "lifetime_s = 29", "lifetime_s"),
        ("keep_s = 600", "keep_s = 59", "keep_s"),
        (alone, "cross_device = false", "nobody could answer"),
    ] {
        let error = parsed(from, to).unwrap_err();
        assert!(error.contains(said), "{to}: {error}");
    }
    assert!(parsed("lifetime_s = 120", "lifetime_s = 180").is_ok());
    assert!(parsed("keep_s = 600", "keep_s = 60").is_ok());
    // Without a QR code a question lives as long as a login.
    let returning = |lifetime: i64| {
        let section = format!(
            "[verifications]\nlifetime_s = {lifetime}\n[[verifications.caller]]\nid = \"web\"\nname = \"W\"\n\
             queries = [\"age\"]\nreturn_urls = [\"https://web.example/back\"]\n"
        );
        Settings::parse(&parse(&(toml(&pki) + &section))).is_ok()
    };
    assert!(returning(300) && !returning(301));
}

/// What cannot be an id is looked up nowhere: a database would choke on some of it.
#[tokio::test]
async fn what_is_no_id_is_not_found() {
    with_callers(async |world| {
        let door = Caller::new(&world, "door").await;
        let long = "x".repeat(44);
        let unknown = "x".repeat(43);
        let nul = format!("{}%00", "x".repeat(42));
        for id in ["%00", "%FF", "x", "%C3%A9", nul.as_str(), &long, &unknown] {
            let path = format!("{PATH}/{id}");
            let code = json!({ "response_code": "x" });
            for answer in [
                door.get(&path).await,
                door.get(&format!("{path}/events")).await,
                door.delete(&path).await,
                door.post(&format!("{path}/redeem"), &code).await,
            ] {
                assert_eq!(answer.status, StatusCode::NOT_FOUND, "{id}");
                assert_eq!(answer.json()["code"], "not_found", "{id}");
            }
            for request in [
                Request::get(format!("/vp/request/{id}")),
                Request::post(format!("/vp/request/{id}")),
                Request::post(format!("/vp/response/{id}")),
            ] {
                let kind = "application/x-www-form-urlencoded";
                let request = request.header(header::CONTENT_TYPE, kind);
                let response = request
                    .uri_ref()
                    .unwrap()
                    .path()
                    .starts_with("/vp/response");
                let answer = send(&world.router(), request.body(Body::empty()).unwrap()).await;
                if response && id == unknown {
                    assert_eq!(answer.json()["reason"], "unknown_request");
                    continue;
                }
                assert_eq!(answer.status, StatusCode::NOT_FOUND, "{id}");
                let kind = &answer.headers[header::CONTENT_TYPE];
                assert_eq!(kind, "application/problem+json", "{id}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_removed_is_gone_for_the_wallet_too() {
    with_callers(async |world| {
        let door = Caller::new(&world, "door").await;
        let wallet = world.person("M-1").await;
        let question = door.ask(&age()).await;
        let asked = wallet.open(&question.link).await;
        let body = wallet.response(&asked).await;
        assert_eq!(
            door.delete(&question.path()).await.status,
            StatusCode::NO_CONTENT
        );
        assert_eq!(
            door.delete(&question.path()).await.status,
            StatusCode::NOT_FOUND
        );
        assert_eq!(
            door.get(&question.path()).await.status,
            StatusCode::NOT_FOUND
        );
        assert_eq!(
            wallet.fetch(&question.link).await.status,
            StatusCode::NOT_FOUND
        );
        let answer = wallet.post(&asked.request, &body).await;
        assert_eq!(answer.json()["reason"], "unknown_request");
    })
    .await;
}

#[tokio::test]
async fn events_tell_how_it_goes_and_no_claim() {
    with_callers(async |world| {
        let clinic = Caller::new(&world, "clinic").await;
        let wallet = world.person("M-1").await;
        let question = clinic.ask(&json!({ "query": "membership" })).await;
        let events = question.json["events"].as_str().unwrap();
        let path = events.strip_prefix(crate::world::OP).unwrap();
        let request = clinic.request(Method::GET, path).body(Body::empty());
        let answer = world.router().oneshot(request.unwrap()).await.unwrap();
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/event-stream");
        let mut stream = answer.into_body().into_data_stream();
        let mut next = async || {
            let part = stream.next().await?.unwrap();
            Some(String::from_utf8(part.to_vec()).unwrap())
        };
        assert_eq!(
            next().await.unwrap(),
            "event: status\ndata: {\"status\":\"pending\"}\n\n"
        );
        let asked = wallet.open(&question.link).await;
        assert_eq!(
            next().await.unwrap(),
            "event: status\ndata: {\"status\":\"scanned\"}\n\n"
        );
        wallet.answer(&asked).await;
        assert_eq!(
            next().await.unwrap(),
            "event: status\ndata: {\"status\":\"verified\"}\n\n"
        );
        assert_eq!(next().await, None);
    })
    .await;
}

#[tokio::test]
async fn the_description_is_served_where_the_interface_is() {
    with_callers(async |world| {
        let request = Request::get("/openapi.json").body(Body::empty()).unwrap();
        let api = send(&world.router(), request).await.json();
        let paths: Vec<&String> = api["paths"].as_object().unwrap().keys().collect();
        // Numbers are not configured here.
        assert_eq!(paths.len(), 4, "{paths:?}");
        // What an operation answers is described: a fresh question fits its schema's members.
        let door = Caller::new(&world, "door").await;
        let Question { json, .. } = door.ask(&age()).await;
        let view = &api["components"]["schemas"]["VerificationView"]["properties"];
        for name in json.as_object().unwrap().keys() {
            let described =
                !view[name].is_null() || ["link", "qr", "events"].contains(&name.as_str());
            assert!(described, "{name}");
        }
    })
    .await;
}
