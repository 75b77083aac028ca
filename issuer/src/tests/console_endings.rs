//! Credentials that end at a time, or are replaced, on the pages of the console.

use serde_json::{Value, json};
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::operators::Role;

use super::console::Desk;
use super::harness::{Harness, NOW, everywhere};
use crate::handlers::admin::views::rfc3339;

async fn newest(h: &Harness) -> String {
    h.newest().await["id"].as_str().unwrap().to_owned()
}

async fn read(h: &Harness, id: &str) -> Value {
    h.admin_get(&format!("/v1/credentials/{id}")).await.json()
}

/// The newest event about a credential: action, detail, and whether an operator did it.
async fn logged(h: &Harness, id: &str) -> (String, String, bool) {
    let log = h.admin_get(&format!("/v1/audit?target={id}")).await.json();
    let text = |name: &str| log["items"][0][name].as_str().unwrap().to_owned();
    let by_operator = text("actor").starts_with("operator:");
    (text("action"), text("detail"), by_operator)
}

/// As a browser sends it.
fn field(at: UnixTime) -> String {
    rfc3339(at).trim_end_matches('Z').to_owned()
}

#[tokio::test]
async fn a_card_ends_at_a_moment_to_come() {
    everywhere(async |h| {
        let mut desk = Desk::of(&h, Role::Operator).await;
        h.issue(&h.holder(1)).await;
        let id = newest(&h).await;
        let own = format!("/console/credentials/{id}");
        let end = format!("{own}/end");
        assert!(desk.get(&own).await.text.contains("id=\"end\""));
        let (past, far) = (field(NOW.plus(-60)), field(NOW.plus(86_400 * 20_000)));
        for wrong in ["", "soon", past.as_str(), far.as_str()] {
            let fields = [("version", "1"), ("at", wrong)];
            let refused = desk.form(&end, &end, &fields).await;
            assert_eq!(refused.status, 422, "{wrong}");
            assert!(refused.text.contains("at-problem"), "{}", refused.text);
        }
        let (first, second) = (NOW.plus(3600), NOW.plus(7200));
        let said = field(first);
        let form = |version| [("version", version), ("at", said.as_str())];
        assert_eq!(desk.form(&end, &end, &form("7")).await.status, 409);
        assert_eq!(desk.form(&end, &end, &form("x")).await.status, 400);
        assert_eq!(read(&h, &id).await["ends_at"], Value::Null);

        let done = desk.form(&end, &end, &form("1")).await;
        assert_eq!(done.status, 303, "{}", done.text);
        let card = read(&h, &id).await;
        assert_eq!(card["status"], "valid");
        assert_eq!(card["ends_at"], rfc3339(first));
        let event = (
            "credential.expire".to_owned(),
            format!("at {}", rfc3339(first)),
            true,
        );
        assert_eq!(logged(&h, &id).await, event);
        // The page shows it, and another moment can be named.
        let page = desk.get(&end).await.text;
        assert!(page.contains(&format!("value=\"{said}\"")), "{page}");
        let later = field(second);
        let fields = [("version", "2"), ("at", later.as_str())];
        assert_eq!(desk.form(&end, &end, &fields).await.status, 303);
        assert_eq!(read(&h, &id).await["ends_at"], rfc3339(second));
        // What has ended does not end once more.
        let now = format!("{own}/expire");
        assert_eq!(desk.form(&now, &now, &[("version", "3")]).await.status, 303);
        assert_eq!(desk.get(&end).await.status, 409);
        assert!(!desk.get(&own).await.text.contains("id=\"end\""));
    })
    .await;
}

#[tokio::test]
async fn a_card_is_replaced_by_another_one_of_its_record() {
    everywhere(async |h| {
        let mut desk = Desk::of(&h, Role::Operator).await;
        // A card and a copy of it, which does not take its place.
        let token = h.token().await;
        h.issue_with(&token, &h.holder(4)).await;
        h.issue_with(&token, &h.holder(1)).await;
        let old = newest(&h).await;
        let own = format!("/console/credentials/{old}");
        let path = format!("{own}/supersede");
        assert!(desk.get(&own).await.text.contains("id=\"supersede\""));
        let alone = desk.get(&path).await;
        assert_eq!(alone.status, 200);
        assert!(alone.text.contains("no other valid card") && !alone.text.contains("name=\"by\""));
        h.issue(&h.holder(2)).await;
        let new = newest(&h).await;
        let foreign = h.offer(json!({ "record_id": "crm-4712" })).await;
        h.issue_with(&h.token_of(&foreign).await, &h.holder(3))
            .await;
        let foreign = newest(&h).await;
        let page = desk.get(&path).await.text;
        let choice = |id: &str| page.contains(&format!("name=\"by\" value=\"{id}\""));
        assert!(choice(&new) && !choice(&old) && !choice(&foreign), "{page}");

        for wrong in ["", old.as_str(), foreign.as_str()] {
            let fields = [("version", "1"), ("by", wrong)];
            let refused = desk.form(&path, &path, &fields).await;
            assert_eq!(refused.status, 422, "{wrong}");
            assert!(refused.text.contains("by-problem"), "{}", refused.text);
        }
        let form = |version| [("version", version), ("by", new.as_str())];
        let no_id = [("version", "1"), ("by", "x")];
        assert_eq!(desk.form(&path, &path, &no_id).await.status, 400);
        assert_eq!(desk.form(&path, &path, &form("7")).await.status, 409);
        assert_eq!(read(&h, &old).await["status"], "valid");

        let done = desk.form(&path, &path, &form("1")).await;
        assert_eq!(done.status, 303, "{}", done.text);
        let card = read(&h, &old).await;
        assert_eq!(card["status"], "superseded");
        assert_eq!(card["superseded_by"], json!(new));
        let event = ("credential.supersede".to_owned(), format!("by {new}"), true);
        assert_eq!(logged(&h, &old).await, event);
        assert_eq!(desk.get(&path).await.status, 409);
        assert!(!desk.get(&own).await.text.contains("id=\"supersede\""));
    })
    .await;
}
