//! What an admin sees and takes away on the pages of operators.

use vouchsafe_service::operators::{OperatorId, RECENT_S, Role};

use super::console::{Desk, attribute, device, session};
use super::harness::{Harness, everywhere};

async fn id(h: &Harness, name: &str) -> OperatorId {
    let operators = h.issuer.console().unwrap().operators();
    let all = operators.all().await.unwrap();
    all.into_iter().find(|one| one.name == name).unwrap().id
}

async fn actions(h: &Harness, target: &OperatorId) -> Vec<String> {
    let log = h.admin_get(&format!("/v1/audit?target={target}")).await;
    let items = log.json()["items"].as_array().unwrap().clone();
    let action = |one: &serde_json::Value| one["action"].as_str().unwrap().to_owned();
    items.iter().map(action).collect()
}

#[tokio::test]
async fn an_admin_takes_a_passkey_and_everything_from_a_colleague() {
    everywhere(async |h| {
        let mut desk = Desk::of(&h, Role::Admin).await;
        let his = session(&h, "Bob", Role::Operator, &mut device(5)).await;
        let mut bob = Desk::nobody(&h);
        bob.session = Some(his);
        let bob_id = id(&h, "Bob").await;
        let page = format!("/console/operators/{bob_id}");
        let list = desk.get("/console/operators").await.text;
        assert!(list.contains("1 passkey"), "{list}");
        let looks = format!("href=\"{}\"", page.replace('/', "&#x2f;"));
        assert!(list.contains(&looks), "{list}");
        // An operator may not look, let alone take.
        assert_eq!(bob.get(&page).await.status, 403);

        let shown = desk.get(&page).await.text;
        let key = attribute(&shown, "name=\"passkey\" value=\"").unwrap();
        let take = |key| [("do", "passkey"), ("passkey", key)];
        for (fields, status) in [
            (take("x"), 404),
            (take("\0"), 404),
            (take(&key), 303),
            (take(&key), 404),
        ] {
            // Where nothing is left to take, the page has no form.
            let answer = desk.form("/console/account", &page, &fields).await;
            assert_eq!(answer.status, status, "{fields:?}");
        }
        assert_eq!(bob.get("/console/").await.status, 303);
        let list = desk.get("/console/operators").await.text;
        assert!(list.contains("Nothing signs in"), "{list}");

        let question = format!("{page}/remove");
        assert_eq!(desk.get(&question).await.status, 200);
        let gone = desk.form(&question, &page, &[("do", "remove")]).await;
        assert_eq!(
            (gone.status.as_u16(), gone.header("location")),
            (303, "/console/operators")
        );
        let seen = actions(&h, &bob_id).await;
        assert_eq!(seen[..2], ["operator.remove", "operator.passkey_remove"]);

        // The last admin stays, and has no such buttons on the own page.
        let own = format!("/console/operators/{}", id(&h, "admin").await);
        let shown = desk.get(&own).await.text;
        assert!(!shown.contains("name=\"do\""), "{shown}");
        let last = desk.form("/console/account", &own, &[("do", "remove")]);
        assert_eq!(last.await.status, 422);
        let nobody = "/console/operators/0190a6f0-0000-7000-8000-000000000001";
        let form = desk.form("/console/account", nobody, &[("do", "remove")]);
        assert_eq!(form.await.status, 404);
    })
    .await;
}

#[tokio::test]
async fn nothing_is_taken_without_a_recent_sign_in() {
    everywhere(async |h| {
        let mut desk = Desk::of(&h, Role::Admin).await;
        session(&h, "Bob", Role::Operator, &mut device(5)).await;
        let bob = id(&h, "Bob").await;
        let page = format!("/console/operators/{bob}");
        let before = desk.get(&page).await.text;
        let key = attribute(&before, "name=\"passkey\" value=\"").unwrap();
        h.clock.advance(RECENT_S);
        for page in [page.clone(), format!("{page}/remove")] {
            let shown = desk.get(&page).await.text;
            assert!(shown.contains("five minutes"), "{shown}");
            assert!(!shown.contains("name=\"do\""), "{shown}");
        }
        for fields in [
            vec![("do", "passkey"), ("passkey", key.as_str())],
            vec![("do", "account"), ("issuer", "a"), ("subject", "b")],
            vec![("do", "remove")],
        ] {
            let answer = desk.form("/console/account", &page, &fields).await;
            assert_eq!(answer.status, 403, "{fields:?}");
            assert!(answer.text.contains("sign in again"), "{}", answer.text);
        }
        let operators = h.issuer.console().unwrap().operators();
        assert_eq!(operators.passkeys(&bob).await.unwrap().len(), 1);
    })
    .await;
}
