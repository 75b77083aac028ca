//! Offers, tables and credentials on the pages of the console.

use axum::body::Body;
use axum::http::Request;
use serde_json::json;
use vouchsafe_service::operators::{IDLE_S, Role};

use super::console::{Desk, attribute};
use super::harness::{ISSUER, PRE_AUTHORIZED, everywhere};

const MEMBER: [(&str, &str); 6] = [
    ("type", "membership"),
    ("record_id", "crm-1"),
    ("claim-0", "M-1"),
    ("claim-1", "gold"),
    ("claim-3", "2027-12-31"),
    ("grant", "pre_authorized_code"),
];

#[tokio::test]
async fn an_offer_from_a_form() {
    everywhere(async |h| {
        let mut desk = Desk::of(&h, Role::Operator).await;
        let (page, path) = ("/console/offers/new?type=membership", "/console/offers/new");
        let wrong = [
            ("type", "membership"),
            ("record_id", ""),
            ("claim-1", "<script>alert(1)</script>"),
            ("claim-3", "tomorrow"),
            ("grant", "pre_authorized_code"),
        ];
        let refused = desk.form(page, path, &wrong).await;
        assert_eq!(refused.status, 422);
        for mark in ["claim-0-problem", "claim-3-problem", "&lt;script&gt;"] {
            assert!(refused.text.contains(mark), "{mark}: {}", refused.text);
        }
        assert!(!refused.text.contains("<script>alert"));
        assert_eq!(h.admin_get("/v1/offers").await.json()["items"], json!([]));
        let made = desk.form(page, path, &MEMBER).await;
        assert_eq!(made.status, 201, "{}", made.text);
        assert!(made.text.contains("<svg"));
        let uri = made.text.split("credential_offer_uri=").nth(1).unwrap();
        let uri = uri.split('<').next().unwrap();
        let uri = uri.replace("%3A", ":").replace("%2F", "/");
        let object = h.get(uri.strip_prefix(ISSUER).unwrap()).await.json();
        let code = object["grants"][PRE_AUTHORIZED]["pre-authorized_code"]
            .as_str()
            .unwrap();
        let fields = [
            ("grant_type", PRE_AUTHORIZED),
            ("pre-authorized_code", code),
        ];
        assert_eq!(h.form("/token", &fields).await.status, 200);
        let event = h.admin_get("/v1/audit?limit=1").await.json()["items"][0].clone();
        assert_eq!(event["action"], "offer.create");
        assert!(event["actor"].as_str().unwrap().starts_with("operator:"));
        let list = desk.get("/console/offers").await;
        assert!(list.text.contains("Picked up"), "{}", list.text);
        // A reload makes nothing twice.
        let form = desk.get(page).await.text;
        let csrf = attribute(&form, "name=\"csrf\" value=\"").unwrap();
        let once = attribute(&form, "name=\"once\" value=\"").unwrap();
        let own = [("csrf", csrf.as_str()), ("once", once.as_str())];
        let fields = [own.as_slice(), &MEMBER].concat();
        assert_eq!(desk.post(path, &fields).await.status, 201);
        assert_eq!(desk.post(path, &fields).await.status, 409);
        let offers = h.admin_get("/v1/offers").await.json();
        assert_eq!(offers["items"].as_array().unwrap().len(), 2);
        let codes = [MEMBER.as_slice(), &[("tx_code", "yes")]].concat();
        let made = desk.form(page, path, &codes).await;
        assert!(made.text.contains("id=\"code\""), "{}", made.text);
        assert_eq!(
            desk.get("/console/offers/new?type=passport").await.status,
            404
        );
    })
    .await;
}

fn multipart(fields: &[(&str, &str)], file: &str) -> (String, String) {
    let mut body = String::new();
    for (name, value) in fields {
        body +=
            &format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    }
    let head = "Content-Disposition: form-data; name=\"file\"; filename=\"m.csv\"";
    body += &format!("--x\r\n{head}\r\nContent-Type: text/csv\r\n\r\n{file}\r\n--x--\r\n");
    ("multipart/form-data; boundary=x".to_owned(), body)
}

#[tokio::test]
async fn offers_from_a_table() {
    everywhere(async |h| {
        let mut desk = Desk::of(&h, Role::Operator).await;
        let upload = async |desk: &mut Desk<'_>, table: &str, own: bool| {
            let page = desk.get("/console/batches/new").await.text;
            let csrf = attribute(&page, "name=\"csrf\" value=\"").unwrap();
            let once = attribute(&page, "name=\"once\" value=\"").unwrap();
            let csrf = if own { csrf } else { "AAAA".to_owned() };
            let fields = [
                ("csrf", csrf.as_str()),
                ("once", &once),
                ("type", "membership"),
                ("grant", "pre_authorized_code"),
                ("table", ""),
            ];
            let (kind, body) = multipart(&fields, table);
            let request = Request::post("/console/batches/new").header("content-type", kind);
            desk.send(request.body(Body::from(body)).unwrap()).await
        };
        let names = "record_id,member_id,tier,valid_until\n";
        let wrong = format!("{names}crm-1,M-1,gold,2027-12-31\n,,gold,tomorrow\n");
        let refused = upload(&mut desk, &wrong, true).await;
        assert_eq!(refused.status, 422, "{}", refused.text);
        assert!(refused.text.contains("Row 3"), "{}", refused.text);
        let refused = upload(&mut desk, "record_id,shoe\n1,44", true).await;
        assert!(refused.text.contains("Column 2"), "{}", refused.text);
        let good = format!("{names}crm-1,M-1,gold,2027-12-31\ncrm-2,M-2,gold,2027-12-31\n");
        assert_eq!(upload(&mut desk, &good, false).await.status, 403);
        assert_eq!(h.admin_get("/v1/offers").await.json()["items"], json!([]));
        let made = upload(&mut desk, &good, true).await;
        assert_eq!(made.status, 201, "{}", made.text);
        assert!(
            made.text.contains("data:text&#x2f;csv;base64,"),
            "{}",
            made.text
        );
        let offers = h.admin_get("/v1/offers").await.json();
        assert_eq!(offers["items"].as_array().unwrap().len(), 2);
        let progress = made.text.split("id=\"progress\" href=\"").nth(1).unwrap();
        let progress = progress.split('"').next().unwrap().replace("&#x2f;", "/");
        assert!(desk.get(&progress).await.text.contains("0 of 2 picked up"));
        let uri = made.text.split("credential_offer_uri=").nth(1).unwrap();
        let uri = uri.split('<').next().unwrap();
        let uri = uri.replace("%3A", ":").replace("%2F", "/");
        let offer = json!({ "credential_offer_uri": uri });
        h.token_of(&offer).await;
        assert!(desk.get(&progress).await.text.contains("1 of 2 picked up"));
        h.clock.advance(IDLE_S - 1);
        assert!(
            desk.get(&progress)
                .await
                .text
                .contains("1 were not picked up")
        );
    })
    .await;
}

#[tokio::test]
async fn a_credential_is_found_suspended_resumed_and_revoked() {
    everywhere(async |h| {
        let mut desk = Desk::of(&h, Role::Operator).await;
        h.issue(&h.holder(1)).await;
        let id = h.newest().await["id"].as_str().unwrap().to_owned();
        for (query, found) in [
            ("", true),
            ("?record=crm-4711", true),
            ("?record=crm-4712", false),
            ("?type=membership&state=valid", true),
            ("?type=age", false),
            ("?state=revoked", false),
            ("?record=&type=&state=", true),
        ] {
            let page = desk.get(&format!("/console/credentials{query}")).await;
            assert_eq!(page.text.contains(&id), found, "{query}");
        }
        for bad in [
            "?state=x",
            "?before=x",
            "?state=valid&state=valid",
            "?type=%00",
        ] {
            let page = desk.get(&format!("/console/credentials{bad}")).await;
            assert_eq!(page.status, 400, "{bad}");
        }
        let own = format!("/console/credentials/{id}");
        let page = desk.get(&own).await;
        assert!(
            page.text.contains("crm-4711")
                && page
                    .text
                    .contains(&format!("{own}/suspend").replace('/', "&#x2f;"))
        );
        assert!(!page.text.contains("resume"), "{}", page.text);
        let change = async |desk: &mut Desk<'_>, verb: &str, version: &str| {
            let path = format!("{own}/{verb}");
            desk.form(&path, &path, &[("version", version)])
                .await
                .status
                .as_u16()
        };
        assert_eq!(change(&mut desk, "suspend", "1").await, 303);
        // The page of somebody who did not see that.
        assert_eq!(change(&mut desk, "resume", "1").await, 409);
        assert_eq!(change(&mut desk, "suspend", "2").await, 409);
        assert_eq!(change(&mut desk, "resume", "2").await, 303);
        assert_eq!(change(&mut desk, "revoke", "3").await, 303);
        assert_eq!(change(&mut desk, "resume", "4").await, 409);
        let read = h.admin_get(&format!("/v1/credentials/{id}")).await.json();
        assert_eq!(read["status"], "revoked");
        let log = h.admin_get(&format!("/v1/audit?target={id}")).await.json();
        let actors = log["items"].as_array().unwrap().iter();
        assert_eq!(
            actors
                .filter(|one| one["actor"].as_str().unwrap().starts_with("operator:"))
                .count(),
            3
        );
        let audit = desk.get(&format!("/console/audit?target={id}")).await;
        assert!(audit.text.contains("credential.revoke"));
        let checked = desk
            .form("/console/audit", "/console/audit/check", &[])
            .await;
        assert!(
            checked.text.contains("The log is whole"),
            "{}",
            checked.text
        );
    })
    .await;
}
