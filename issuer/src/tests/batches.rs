use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::Request;
use serde_json::Value;

use super::harness::{Answer, Harness, PRE_AUTHORIZED, everywhere};

const QUERY: &str = "credential_type=membership&grant=pre_authorized_code";

async fn batch(h: &Harness, query: &str, csv: String, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::post(format!("/v1/offer-batches?{query}"))
        .header("authorization", format!("Bearer {}", h.key));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if !headers.iter().any(|(name, _)| *name == "content-type") {
        request = request.header("content-type", "text/csv; charset=utf-8");
    }
    h.send(request.body(Body::from(csv)).unwrap()).await
}

fn members(count: usize) -> String {
    let rows = (1..=count).map(|n| format!("crm-{n},M-{n},gold,2027-12-31\n"));
    "record_id,member_id,tier,valid_until\n".to_owned() + &rows.collect::<String>()
}

async fn offers(h: &Harness) -> usize {
    let list = h.admin_get("/v1/offers?limit=200").await.json();
    list["items"].as_array().unwrap().len()
}

#[tokio::test]
async fn a_table_becomes_offers_that_work() {
    everywhere(async |h| {
        let answer = batch(&h, QUERY, members(3), &[]).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        let items = answer.json()["items"].as_array().unwrap().clone();
        let names: Vec<&Value> = items.iter().map(|item| &item["record_id"]).collect();
        assert_eq!(names, ["crm-1", "crm-2", "crm-3"]);
        for item in &items {
            let code = h.code(item).await;
            let fields = [
                ("grant_type", PRE_AUTHORIZED),
                ("pre-authorized_code", &code),
            ];
            assert_eq!(h.form("/token", &fields).await.status, 200);
        }
        let log = h.admin_get("/v1/audit").await.json();
        assert_eq!(log["items"].as_array().unwrap().len(), 4);
    })
    .await;
}

#[tokio::test]
async fn a_table_with_a_wrong_row_makes_nothing() {
    everywhere(async |h| {
        let csv = "record_id,member_id,tier,valid_until\n\
            crm-1,M-1,gold,2027-12-31\n,M-2,gold,2027-12-31\ncrm-3,,gold,tomorrow\n";
        let answer = batch(&h, QUERY, csv.into(), &[]).await;
        assert_eq!(answer.error(), (422, "invalid_rows".into()));
        let errors = answer.json()["errors"].clone();
        let places: BTreeSet<&str> = errors
            .as_array()
            .unwrap()
            .iter()
            .map(|error| error["pointer"].as_str().unwrap())
            .collect();
        let expected = [
            "/rows/3/record_id",
            "/rows/4/claims/member_id",
            "/rows/4/claims/valid_until",
        ];
        assert_eq!(places, BTreeSet::from(expected));
        assert!(!answer.text.contains("tomorrow"));
        assert_eq!(offers(&h).await, 0);
    })
    .await;
}

#[tokio::test]
async fn cat_400_a_table_is_not_too_long() {
    everywhere(async |h| {
        let answer = batch(&h, QUERY, members(1001), &[]).await;
        assert_eq!(answer.error(), (413, "too_many_rows".into()));
        let million = members(1_000_000);
        assert!(million.len() > 20_000_000);
        assert_eq!(batch(&h, QUERY, million, &[]).await.status, 413);
        assert_eq!(offers(&h).await, 0);
        let thousand = batch(&h, QUERY, members(1000), &[]).await;
        assert_eq!(thousand.status, 201);
        let items = thousand.json()["items"].as_array().unwrap().clone();
        let links: BTreeSet<String> = items.iter().map(|item| item["link"].to_string()).collect();
        assert_eq!(links.len(), 1000);
    })
    .await;
}

#[tokio::test]
async fn a_table_sent_twice_makes_its_offers_once() {
    everywhere(async |h| {
        let key = [("idempotency-key", "table-1")];
        let first = batch(&h, QUERY, members(2), &key).await;
        let again = batch(&h, QUERY, members(2), &key).await;
        assert_eq!((first.status.as_u16(), &first.text), (201, &again.text));
        let other = batch(&h, QUERY, members(3), &key).await;
        assert_eq!(other.error(), (422, "idempotency_key_reused".into()));
        let query = format!("{QUERY}&tx_code=true");
        let other = batch(&h, &query, members(2), &key).await;
        assert_eq!(other.error(), (422, "idempotency_key_reused".into()));
        assert_eq!(offers(&h).await, 2);
    })
    .await;
}

#[tokio::test]
async fn what_is_no_table_is_refused() {
    everywhere(async |h| {
        for (query, csv, error) in [
            (QUERY, "", (400, "invalid_table")),
            (QUERY, "member_id\nM-1", (400, "invalid_table")),
            (QUERY, "record_id,shoe\n1,2", (400, "invalid_table")),
            (
                "grant=pre_authorized_code",
                "record_id\n1",
                (400, "invalid_query"),
            ),
            (
                "credential_type=membership",
                "record_id\n1",
                (400, "invalid_query"),
            ),
            (
                "credential_type=passport&grant=authorization_code",
                "record_id\n1",
                (422, "unknown_credential_type"),
            ),
            (
                "credential_type=membership&grant=authorization_code&tx_code=true",
                "record_id,member_id,tier,valid_until\n1,M,gold,2027-12-31",
                (422, "invalid_tx_code"),
            ),
        ] {
            let answer = batch(&h, query, csv.into(), &[]).await;
            assert_eq!(answer.error(), (error.0, error.1.into()), "{query} {csv}");
        }
        for wrong in ["tx_code=1", "expires_in_s=x", "surprise=1", "grant=x"] {
            let answer = batch(&h, &format!("{QUERY}&{wrong}"), members(1), &[]).await;
            assert_eq!(answer.error(), (400, "invalid_query".into()), "{wrong}");
        }
        let json = [("content-type", "application/json")];
        let answer = batch(&h, QUERY, members(1), &json).await;
        assert_eq!(answer.error(), (400, "invalid_body".into()));
        for kind in ["application/x-www-form-urlencoded", "text/plain", ""] {
            let answer = batch(&h, QUERY, members(1), &[("content-type", kind)]).await;
            assert_eq!(
                answer.error(),
                (415, "unsupported_media_type".into()),
                "{kind}"
            );
        }
        assert_eq!(offers(&h).await, 0);
    })
    .await;
}
