use axum::body::Body;
use axum::http::Request;
use serde_json::json;

use super::harness::{ISSUER, config_text, everywhere, offer_body, with_config};
use crate::{Config, Issuer, Ports};

#[tokio::test]
async fn cat_112_113_bodies_of_another_kind() {
    everywhere(async |h| {
        let auth = format!("Bearer {}", h.key);
        let send = async |path: &str, kind: &str, encoding: Option<&str>| {
            let mut request = Request::post(path)
                .header("authorization", &auth)
                .header("content-type", kind);
            if let Some(encoding) = encoding {
                request = request.header("content-encoding", encoding);
            }
            let body = Body::from(offer_body().to_string());
            h.send(request.body(body).unwrap()).await.status.as_u16()
        };
        for (path, kind, encoding) in [
            ("/v1/offers", "text/plain", None),
            ("/v1/offers", "application/x-www-form-urlencoded", None),
            ("/v1/offers", "application/json", Some("gzip")),
            ("/token", "application/json", None),
            ("/token", "application/x-www-form-urlencoded", Some("gzip")),
        ] {
            assert_eq!(send(path, kind, encoding).await, 415, "{path} {kind}");
        }
        let token = h.token().await;
        let bearer = format!("Bearer {token}");
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-encoding", "gzip"),
        ];
        assert_eq!(h.credential_raw(&headers, "{}").await.status, 415);
    })
    .await;
}

#[tokio::test]
async fn cat_119_links_come_from_the_configuration() {
    everywhere(async |h| {
        for path in [
            "/.well-known/openid-credential-issuer",
            "/.well-known/oauth-authorization-server",
        ] {
            let request = Request::get(path)
                .header("host", "evil.example")
                .header("x-forwarded-host", "evil.example")
                .header("x-forwarded-proto", "http")
                .header("forwarded", "host=evil.example;proto=http");
            let answer = h.send(request.body(Body::empty()).unwrap()).await;
            assert!(answer.text.contains(ISSUER) && !answer.text.contains("evil"));
        }
    })
    .await;
}

#[tokio::test]
async fn cat_121_122_280_methods_and_origins() {
    everywhere(async |h| {
        for path in ["/token", "/nonce", "/credential"] {
            for method in ["GET", "HEAD", "TRACE", "PUT", "OPTIONS"] {
                let request = Request::builder().method(method).uri(path);
                let answer = h.send(request.body(Body::empty()).unwrap()).await;
                assert_eq!(answer.status, 405, "{method} {path}");
            }
            let request = Request::post(path).header("origin", "https://evil.example");
            let answer = h.send(request.body(Body::empty()).unwrap()).await;
            assert!(
                answer.headers.get("access-control-allow-origin").is_none(),
                "{path}"
            );
        }
        let nonce = h.form("/nonce", &[]).await;
        assert_eq!(nonce.header("cache-control"), "no-store");
        assert_ne!(nonce.text, h.form("/nonce", &[]).await.text);
    })
    .await;
}

#[tokio::test]
async fn bodies_have_limits() {
    with_config(&config_text(""), async |h| {
        let form = "a=".to_owned() + &"x".repeat(17 * 1024);
        let request =
            Request::post("/token").header("content-type", "application/x-www-form-urlencoded");
        assert_eq!(
            h.send(request.body(Body::from(form)).unwrap()).await.status,
            413
        );
        let big = "x".repeat((1 << 20) + 1);
        assert_eq!(h.admin_post("/v1/offers", &big, &[]).await.status, 413);
    })
    .await;
}

#[tokio::test]
async fn health_and_assets() {
    everywhere(async |h| {
        for path in ["/healthz", "/readyz", "/assets/vouchsafe.css"] {
            assert_eq!(h.get(path).await.status, 200, "{path}");
        }
        // Catalogue 407.
        assert_eq!(h.get("/metrics").await.status, 404);
    })
    .await;
}

#[tokio::test]
async fn cat_406_unsafe_configurations_do_not_start() {
    let good = config_text("");
    let changed = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        good.replace(from, to)
    };
    for text in [
        changed("https://issuer.example", "http://127.0.0.1:4000"),
        changed("https://issuer.example", "http://issuer.example"),
        changed("https://issuer.example", "https://issuer.example/tenant"),
        changed(
            "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA",
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        ),
        changed("batch_size = 3", "batch_size = 0"),
        changed("list_size = 4096", "list_size = 1"),
        changed("method = \"did_key\"", "method = \"x5c\""),
        changed("[status]", "[surprise]\n[status]"),
        changed("https://wallet.example/cb", "http://wallet.example/cb"),
    ] {
        let opened = match vouchsafe_service::config::parse::<Config>(&text) {
            Err(_) => continue,
            Ok(config) => {
                let database =
                    vouchsafe_service::db::testing::sqlite(&[crate::store::MIGRATIONS]).await;
                Issuer::with_db(config, Ports::system(), database.db.clone()).await
            }
        };
        assert!(opened.is_err(), "{text}");
    }
}

#[tokio::test]
async fn secrets_and_claims_are_not_in_the_database() {
    let database = vouchsafe_service::db::testing::sqlite(&[crate::store::MIGRATIONS]).await;
    let h = super::harness::Harness::with_config(database.db.clone(), &config_text("")).await;
    let claims = super::harness::membership("CANARY-MEMBER");
    let body = json!({ "tx_code": true, "claims": claims, "record_id": "CANARY-RECORD" });
    let key = [("idempotency-key", "CANARY-KEY")];
    let mut whole = offer_body();
    for (name, value) in body.as_object().unwrap() {
        whole[name] = value.clone();
    }
    let offer = h
        .admin_post("/v1/offers", &whole.to_string(), &key)
        .await
        .json();
    let code = h.code(&offer).await;
    let fields = [
        ("grant_type", super::harness::PRE_AUTHORIZED),
        ("pre-authorized_code", code.as_str()),
        ("tx_code", offer["tx_code"].as_str().unwrap()),
    ];
    let token = h.form("/token", &fields).await.json()["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    h.issue_with(&token, &h.holder(1)).await;
    let file = database.url.strip_prefix("sqlite:").unwrap();
    let mut bytes = std::fs::read(file).unwrap();
    bytes.extend(std::fs::read(format!("{file}-wal")).unwrap_or_default());
    let found = |needle: &str| {
        bytes
            .windows(needle.len())
            .any(|window| window == needle.as_bytes())
    };
    for secret in ["CANARY", code.as_str(), token.as_str(), h.key.as_str()] {
        assert!(!found(secret), "a secret stands in the database");
    }
    assert!(found("membership"), "the scan reads the right file");
}

#[tokio::test]
async fn cat_407_nothing_of_the_inside_is_public() {
    everywhere(async |h| {
        for path in [
            "/metrics",
            "/debug",
            "/debug/pprof",
            "/debug/pprof/profile",
            "/actuator",
            "/status",
            "/.env",
        ] {
            let answer = h.get(path).await;
            assert_eq!(answer.status, 404, "{path}");
            assert!(!answer.text.contains("http_requests_total"), "{path}");
        }
    })
    .await;
}

/// Nothing of a query reaches the text of a statement, and no value is a pattern.
#[tokio::test]
async fn cat_401_sql_in_filters_changes_nothing() {
    everywhere(async |h| {
        h.issue(&h.holder(1)).await;
        let all = h.admin_get("/v1/credentials").await.json();
        assert_eq!(all["items"].as_array().unwrap().len(), 1);
        let hostile = [
            "%25",
            "_",
            "crm-%25",
            "crm-471_",
            "'+OR+'1'='1",
            "crm-4711'--",
            "%27%29+OR+1%3D1--",
            "*",
            "\\",
            "crm-4711%3BDROP+TABLE+issuer_credentials",
        ];
        for text in hostile {
            let page = h
                .admin_get(&format!("/v1/credentials?record_id={text}"))
                .await;
            assert_eq!(page.status, 200, "{text}");
            assert_eq!(page.json()["items"], json!([]), "{text}");
            let log = h.admin_get(&format!("/v1/audit?target={text}")).await;
            assert_eq!(log.json()["items"], json!([]), "{text}");
            for list in ["offers", "credentials", "audit"] {
                for name in ["before", "limit", "order", "sort", "filter"] {
                    let answer = h.admin_get(&format!("/v1/{list}?{name}={text}")).await;
                    assert_eq!(
                        answer.error(),
                        (400, "invalid_query".into()),
                        "{name}={text}"
                    );
                }
            }
        }
        for query in [
            "credentials?record_id=",
            "credentials?record_id",
            "credentials?limit=",
            "credentials?before=",
            "credentials?limit=5&record_id=",
            "audit?target=",
            "offers?before=",
            "status-jobs?limit=",
            "webhooks?limit=5",
            "credential-types?x=",
        ] {
            let answer = h.admin_get(&format!("/v1/{query}")).await;
            assert_eq!(answer.error(), (400, "invalid_query".into()), "{query}");
        }
        let nul = h.admin_get("/v1/audit?target=%00").await;
        assert_eq!(nul.error(), (400, "invalid_query".into()));
        let nul = h.admin_get("/v1/credentials?record_id=%00").await;
        assert_eq!(nul.json()["items"], json!([]));
        assert_eq!(h.admin_get("/v1/credentials").await.json(), all);
    })
    .await;
}
