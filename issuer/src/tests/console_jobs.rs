//! Many credentials at once on the pages of the console.

use serde_json::{Value, json};
use vouchsafe_service::operators::{RECENT_S, Role};

use super::console::{Desk, attribute};
use super::harness::{Answer, Harness, everywhere};
use super::status_jobs::many;
use crate::status_jobs;

const NEW: &str = "/console/jobs/new";

async fn jobs(h: &Harness) -> Vec<Value> {
    let all = h.admin_get("/v1/status-jobs").await.json();
    all["items"].as_array().unwrap().clone()
}

async fn count(desk: &mut Desk<'_>, fields: &[(&str, &str)]) -> Answer {
    let fields = [&[("do", "count")], fields].concat();
    desk.form(NEW, NEW, &fields).await
}

/// The fields of the second form, as a browser sends them.
fn confirmed(page: &str, button: &str) -> Vec<(String, String)> {
    let names = [
        "csrf", "once", "total", "until", "action", "type", "after", "before", "reason",
    ];
    let field = |name: &str| {
        let value = attribute(page, &format!("name=\"{name}\" value=\""));
        let value = value.unwrap_or_else(|| panic!("no {name}: {page}"));
        (
            name.to_owned(),
            value.replace("&lt;", "<").replace("&gt;", ">"),
        )
    };
    let mut fields: Vec<_> = names.map(field).to_vec();
    let records = page.split("name=\"records\" hidden>").nth(1).unwrap();
    let records = records.split('<').next().unwrap().to_owned();
    fields.push(("records".to_owned(), records));
    fields.push(("do".to_owned(), button.to_owned()));
    fields
}

async fn send(desk: &mut Desk<'_>, fields: &[(String, String)]) -> Answer {
    let fields = fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    desk.post(NEW, &fields.collect::<Vec<_>>()).await
}

#[tokio::test]
async fn cards_are_counted_confirmed_and_changed() {
    everywhere(async |h| {
        let mut desk = Desk::of(&h, Role::Admin).await;
        many(&h.issuer.core().db, "membership", 0, 1200).await;
        many(&h.issuer.core().db, "age", 10_000, 30).await;
        let wish = [
            ("action", "revoke"),
            ("type", "membership"),
            ("reason", "<b>lost</b> & found"),
        ];
        let shown = count(&mut desk, &wish).await;
        assert_eq!(shown.status, 200, "{}", shown.text);
        assert!(
            shown.text.contains("Revoke 1200 cards for good?"),
            "{}",
            shown.text
        );
        assert!(shown.text.contains("&lt;b&gt;") && !shown.text.contains("<b>lost"));
        assert!(jobs(&h).await.is_empty());
        // Back to the form, with everything that was typed.
        let form = send(&mut desk, &confirmed(&shown.text, "edit")).await;
        assert_eq!(form.status, 200);
        assert!(
            form.text.contains("value=\"membership\" selected"),
            "{}",
            form.text
        );
        assert!(form.text.contains("value=\"revoke\" selected"));
        // What is issued after the count is left alone.
        h.clock.advance(5);
        h.issue(&h.holder(1)).await;
        let begin = confirmed(&shown.text, "begin");
        let begun = send(&mut desk, &begin).await;
        assert_eq!(begun.status, 303, "{}", begun.text);
        let page = begun.header("location").to_owned();
        // A reload begins nothing twice.
        assert_eq!(send(&mut desk, &begin).await.status, 409);
        let all = jobs(&h).await;
        assert_eq!(all.len(), 1);
        assert_eq!(
            (&all[0]["total"], &all[0]["state"]),
            (&json!(1200), &json!("waiting"))
        );
        assert_eq!(all[0]["reason"], "<b>lost</b> & found");
        assert!(desk.get(&page).await.text.contains("0 of 1200 changed"));
        assert!(desk.get("/console/jobs").await.text.contains("Waits"));
        while status_jobs::step(h.issuer.core()).await.unwrap() {}
        let done = desk.get(&page).await.text;
        assert!(
            done.contains("1200 of 1200 changed") && !done.contains("id=\"stop\""),
            "{done}"
        );
        assert_eq!(h.newest().await["status"], "valid");
        let id = all[0]["id"].as_str().unwrap();
        let log = h.admin_get(&format!("/v1/audit?target={id}")).await.json();
        let made = log["items"].as_array().unwrap().last().unwrap();
        assert_eq!(made["action"], "status_job.create");
        assert!(made["actor"].as_str().unwrap().starts_with("operator:"));
    })
    .await;
}

#[tokio::test]
async fn another_number_than_was_shown_begins_nothing() {
    everywhere(async |h| {
        let mut desk = Desk::of(&h, Role::Admin).await;
        h.issue(&h.holder(1)).await;
        h.issue(&h.holder(2)).await;
        let wish = [("action", "suspend"), ("records", "crm-4711\r\nnobody\r\n")];
        let shown = count(&mut desk, &wish).await;
        assert!(shown.text.contains("Suspend 2 cards?"), "{}", shown.text);
        let id = h.newest().await["id"].as_str().unwrap().to_owned();
        let path = format!("/v1/credentials/{id}/revoke");
        assert_eq!(h.admin_post(&path, "", &[]).await.status, 200);
        let moved = send(&mut desk, &confirmed(&shown.text, "begin")).await;
        assert_eq!(moved.status, 409);
        assert!(moved.text.contains("Suspend 1 card?"), "{}", moved.text);
        assert!(moved.text.contains("changed meanwhile"));
        assert!(jobs(&h).await.is_empty());
        let begun = send(&mut desk, &confirmed(&moved.text, "begin")).await;
        assert_eq!(begun.status, 303, "{}", begun.text);
        assert_eq!(jobs(&h).await[0]["total"], 1);
        // Where nothing fits there is no button, and no job without it.
        let none = count(&mut desk, &[("action", "resume"), ("type", "age")]).await;
        assert!(none.text.contains("No card fits") && !none.text.contains("id=\"begin\""));
        assert_eq!(
            send(&mut desk, &confirmed(&none.text, "begin"))
                .await
                .status,
            409
        );
        assert_eq!(jobs(&h).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_wish_that_cannot_be_is_shown_again() {
    everywhere(async |h| {
        let mut desk = Desk::of(&h, Role::Admin).await;
        let long = "x".repeat(501);
        let lines = "crm\n".repeat(1001);
        let name = "n".repeat(257);
        let membership = ("type", "membership");
        for (fields, status, mark) in [
            (vec![], 422, "Say which cards"),
            (vec![("records", " \r\n ")], 422, "Say which cards"),
            (vec![("records", lines.as_str())], 422, "Say which cards"),
            (vec![("records", name.as_str())], 422, "Say which cards"),
            (vec![("type", "a\0")], 422, "Say which cards"),
            (vec![("after", "soon")], 422, "id=\"after-problem\""),
            (
                vec![("before", "2027-02-30T00:00")],
                422,
                "id=\"before-problem\"",
            ),
            (
                vec![membership, ("reason", &long)],
                422,
                "id=\"reason-problem\"",
            ),
            (
                vec![membership, ("reason", "a\nb")],
                422,
                "id=\"reason-problem\"",
            ),
            (
                vec![membership, ("before", "2027-01-15T07:50")],
                200,
                "No card fits",
            ),
        ] {
            let fields = [&[("action", "revoke")], fields.as_slice()].concat();
            let answer = count(&mut desk, &fields).await;
            assert_eq!(answer.status, status, "{fields:?}");
            assert!(answer.text.contains(mark), "{fields:?}: {}", answer.text);
        }
        for fields in [
            vec![("do", "count"), ("action", "expire"), membership],
            vec![("do", "count"), membership],
            vec![("do", "delete"), ("action", "revoke"), membership],
            vec![("action", "revoke"), membership],
            vec![("do", "begin"), ("action", "revoke"), membership],
            vec![
                ("do", "begin"),
                ("action", "revoke"),
                membership,
                ("total", "1"),
            ],
        ] {
            let answer = desk.form(NEW, NEW, &fields).await;
            assert_eq!(answer.status, 400, "{fields:?}");
        }
        assert_eq!(desk.get("/console/jobs?before=x").await.status, 400);
        assert!(jobs(&h).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn twenty_jobs_are_enough() {
    everywhere(async |h| {
        let mut desk = Desk::of(&h, Role::Admin).await;
        h.issue(&h.holder(1)).await;
        let filter = json!({ "credential_type": "membership" });
        let body = json!({ "action": "resume", "filter": filter }).to_string();
        for _ in 0..20 {
            assert_eq!(
                h.admin_post("/v1/status-jobs", &body, &[]).await.status,
                202
            );
        }
        let shown = count(&mut desk, &[("action", "revoke"), ("type", "membership")]).await;
        let refused = send(&mut desk, &confirmed(&shown.text, "begin")).await;
        assert_eq!(refused.status, 409);
        assert!(
            refused.text.contains("Too many changes"),
            "{}",
            refused.text
        );
        assert_eq!(jobs(&h).await.len(), 20);
    })
    .await;
}

#[tokio::test]
async fn a_job_is_stopped_once() {
    everywhere(async |h| {
        let mut desk = Desk::of(&h, Role::Admin).await;
        many(&h.issuer.core().db, "membership", 0, 1500).await;
        let shown = count(&mut desk, &[("action", "revoke"), ("type", "membership")]).await;
        let begun = send(&mut desk, &confirmed(&shown.text, "begin")).await;
        let page = begun.header("location").to_owned();
        assert!(status_jobs::step(h.issuer.core()).await.unwrap());
        let form = desk.get(&page).await.text;
        assert!(
            form.contains("Is under way") && form.contains("id=\"stop\""),
            "{form}"
        );
        let cancel = format!("{page}/cancel");
        assert_eq!(desk.form(&page, &cancel, &[]).await.status, 303);
        let stopped = desk.get(&page).await.text;
        assert!(
            stopped.contains("Stopped") && stopped.contains("1000 of 1500"),
            "{stopped}"
        );
        let csrf = attribute(&form, "name=\"csrf\" value=\"").unwrap();
        let again = desk.post(&cancel, &[("csrf", &csrf)]).await;
        assert_eq!(again.status, 409);
        assert!(again.text.contains("ended already"), "{}", again.text);
        let log = h.admin_get("/v1/audit?limit=1").await.json();
        assert_eq!(log["items"][0]["action"], "status_job.cancel");
        assert!(
            log["items"][0]["actor"]
                .as_str()
                .unwrap()
                .starts_with("operator:")
        );
    })
    .await;
}

#[tokio::test]
async fn mass_changes_need_a_recent_sign_in() {
    everywhere(async |h| {
        let mut desk = Desk::of(&h, Role::Admin).await;
        h.issue(&h.holder(1)).await;
        let wish = [("action", "revoke"), ("type", "membership")];
        let shown = count(&mut desk, &wish).await.text;
        let begun = send(&mut desk, &confirmed(&shown, "begin")).await;
        let page = begun.header("location").to_owned();
        let shown = count(&mut desk, &wish).await.text;
        h.clock.advance(RECENT_S);
        let form = desk.get(NEW).await.text;
        assert!(
            form.contains("last five minutes") && !form.contains("name=\"do\""),
            "{form}"
        );
        assert!(!desk.get(&page).await.text.contains("id=\"stop\""));
        for button in ["begin", "edit", "count"] {
            let refused = send(&mut desk, &confirmed(&shown, button)).await;
            assert_eq!(refused.status, 403, "{button}");
            assert!(refused.text.contains("sign in again"), "{}", refused.text);
        }
        let csrf = attribute(&shown, "name=\"csrf\" value=\"").unwrap();
        let refused = desk
            .post(&format!("{page}/cancel"), &[("csrf", &csrf)])
            .await;
        assert_eq!(refused.status, 403);
        let all = jobs(&h).await;
        assert_eq!((all.len(), &all[0]["state"]), (1, &json!("waiting")));
    })
    .await;
}
