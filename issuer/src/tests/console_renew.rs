//! Credentials that are ended or renewed on the pages of the console.

use serde_json::{Value, json};
use vouchsafe_service::operators::Role;

use super::console::{Desk, attribute};
use super::harness::{Harness, ISSUER, PRE_AUTHORIZED, everywhere, offer_body};

/// What a member's form says.
const MEMBER: [(&str, &str); 4] = [
    ("claim-0", "M-2"),
    ("claim-1", "silver"),
    ("claim-3", "2028-12-31"),
    ("grant", "pre_authorized_code"),
];

async fn newest(h: &Harness) -> String {
    h.newest().await["id"].as_str().unwrap().to_owned()
}

async fn read(h: &Harness, id: &str) -> Value {
    h.admin_get(&format!("/v1/credentials/{id}")).await.json()
}

async fn offers(h: &Harness) -> usize {
    let all = h.admin_get("/v1/offers").await.json();
    all["items"].as_array().unwrap().len()
}

fn with<'f>(version: &'f str, fields: &[(&'f str, &'f str)]) -> Vec<(&'f str, &'f str)> {
    [&[("version", version)], fields].concat()
}

/// The offer of a result page, as a wallet reads it.
async fn code(h: &Harness, page: &str) -> String {
    let uri = page.split("credential_offer_uri=").nth(1).unwrap();
    let uri = uri.split('<').next().unwrap();
    let uri = uri.replace("%3A", ":").replace("%2F", "/");
    let object = h.get(uri.strip_prefix(ISSUER).unwrap()).await.json();
    let code = &object["grants"][PRE_AUTHORIZED]["pre-authorized_code"];
    code.as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_card_is_renewed_with_the_claims_that_are_kept() {
    everywhere(async |h| {
        let mut desk = Desk::of(&h, Role::Operator).await;
        // Can be redeemed once more, so its claims are kept.
        let offer = h.offer(json!({ "redemptions": 2 })).await;
        h.issue_with(&h.token_of(&offer).await, &h.holder(1)).await;
        let old = newest(&h).await;
        let own = format!("/console/credentials/{old}");
        let path = format!("{own}/renew");
        let card = desk.get(&own).await;
        assert!(card.text.contains("id=\"renew\""), "{}", card.text);
        let form = desk.get(&path).await;
        assert_eq!(form.status, 200, "{}", form.text);
        let kept = offer_body()["claims"].clone();
        let tier = kept["tier"].as_str().unwrap();
        assert_eq!(
            attribute(
                &form.text,
                "name=\"claim-1\" dir=\"auto\" autocomplete=\"off\" value=\""
            ),
            Some(tier.to_owned())
        );
        assert!(form.text.contains("The fields show"), "{}", form.text);
        let before = offers(&h).await;
        // Refused: a bad date, a version that is no longer, none at all, a foreign form.
        let wrong = [("claim-3", "soon"), ("grant", "pre_authorized_code")];
        let refused = desk.form(&path, &path, &with("1", &wrong)).await;
        assert_eq!(refused.status, 422);
        for mark in ["claim-0-problem", "claim-3-problem"] {
            assert!(refused.text.contains(mark), "{mark}: {}", refused.text);
        }
        assert_eq!(
            attribute(&refused.text, "name=\"version\" value=\""),
            Some("1".into())
        );
        assert_eq!(
            desk.form(&path, &path, &with("7", &MEMBER)).await.status,
            409
        );
        assert_eq!(desk.form(&path, &path, &MEMBER).await.status, 400);
        assert_eq!(offers(&h).await, before);
        let made = desk.form(&path, &path, &with("1", &MEMBER)).await;
        assert_eq!(made.status, 201, "{}", made.text);
        assert!(made.text.contains("<svg") && made.text.contains("id=\"back\""));
        assert_eq!(offers(&h).await, before + 1);
        assert_eq!(read(&h, &old).await["status"], "valid");
        let code = code(&h, &made.text).await;
        let fields = [
            ("grant_type", PRE_AUTHORIZED),
            ("pre-authorized_code", code.as_str()),
        ];
        let token = h.form("/token", &fields).await.json();
        h.issue_with(token["access_token"].as_str().unwrap(), &h.holder(2))
            .await;
        let new = newest(&h).await;
        assert_ne!(new, old);
        let replaced = read(&h, &old).await;
        assert_eq!(replaced["status"], "superseded", "{replaced}");
        assert_eq!(replaced["record_id"], read(&h, &new).await["record_id"]);
        let card = desk.get(&own).await;
        let next = format!("/console/credentials/{new}").replace('/', "&#x2f;");
        assert!(card.text.contains(&next), "{}", card.text);
        assert!(!card.text.contains("id=\"renew\""));
        assert_eq!(desk.get(&path).await.status, 409);
        let log = h.admin_get(&format!("/v1/audit?target={old}")).await.json();
        let items = log["items"].as_array().unwrap().iter();
        let mut renewals = items.filter(|one| one["action"] == "credential.renew");
        let actor = renewals.next().unwrap()["actor"].as_str().unwrap();
        assert!(actor.starts_with("operator:"), "{actor}");
        assert!(renewals.next().is_none());
    })
    .await;
}

#[tokio::test]
async fn a_form_that_is_sent_twice_renews_once() {
    everywhere(async |h| {
        let mut desk = Desk::of(&h, Role::Operator).await;
        h.issue(&h.holder(1)).await;
        let path = format!("/console/credentials/{}/renew", newest(&h).await);
        let form = desk.get(&path).await.text;
        // The offer was redeemed, so nothing keeps its claims.
        assert!(form.contains("is not kept any more"), "{form}");
        let csrf = attribute(&form, "name=\"csrf\" value=\"").unwrap();
        let once = attribute(&form, "name=\"once\" value=\"").unwrap();
        let own = [("csrf", csrf.as_str()), ("once", once.as_str())];
        let fields = [own.as_slice(), &with("1", &MEMBER)].concat();
        assert_eq!(desk.post(&path, &fields).await.status, 201);
        let before = offers(&h).await;
        assert_eq!(desk.post(&path, &fields).await.status, 409);
        assert_eq!(offers(&h).await, before);
    })
    .await;
}

#[tokio::test]
async fn a_card_is_ended_now_and_renewed_after_that() {
    everywhere(async |h| {
        let mut desk = Desk::of(&h, Role::Operator).await;
        h.issue(&h.holder(1)).await;
        let id = newest(&h).await;
        let own = format!("/console/credentials/{id}");
        let (end, renew) = (format!("{own}/expire"), format!("{own}/renew"));
        assert_eq!(desk.form(&end, &end, &[("version", "2")]).await.status, 409);
        assert_eq!(desk.form(&end, &end, &[]).await.status, 400);
        assert_eq!(read(&h, &id).await["status"], "valid");
        let ended = desk.form(&end, &end, &[("version", "1")]).await;
        assert_eq!(ended.status, 303, "{}", ended.text);
        assert_eq!(read(&h, &id).await["status"], "expired");
        assert_eq!(desk.form(&end, &end, &[("version", "2")]).await.status, 409);
        let log = h.admin_get(&format!("/v1/audit?target={id}")).await.json();
        assert_eq!(log["items"][0]["action"], "credential.expire");
        assert!(
            log["items"][0]["actor"]
                .as_str()
                .unwrap()
                .starts_with("operator:")
        );
        let made = desk.form(&renew, &renew, &with("2", &MEMBER)).await;
        assert_eq!(made.status, 201, "{}", made.text);
    })
    .await;
}

#[tokio::test]
async fn what_was_taken_away_is_not_renewed() {
    everywhere(async |h| {
        let mut desk = Desk::of(&h, Role::Operator).await;
        h.issue(&h.holder(1)).await;
        let own = format!("/console/credentials/{}", newest(&h).await);
        let (revoke, renew) = (format!("{own}/revoke"), format!("{own}/renew"));
        let form = desk.get(&renew).await.text;
        assert_eq!(
            desk.form(&revoke, &revoke, &[("version", "1")])
                .await
                .status,
            303
        );
        let csrf = attribute(&form, "name=\"csrf\" value=\"").unwrap();
        let once = attribute(&form, "name=\"once\" value=\"").unwrap();
        let own_fields = [("csrf", csrf.as_str()), ("once", once.as_str())];
        let before = offers(&h).await;
        for version in ["1", "2"] {
            let fields = [own_fields.as_slice(), &with(version, &MEMBER)].concat();
            assert_eq!(desk.post(&renew, &fields).await.status, 409, "{version}");
        }
        assert_eq!(offers(&h).await, before);
        assert!(!desk.get(&own).await.text.contains("id=\"renew\""));
    })
    .await;
}

#[tokio::test]
async fn the_address_without_a_slash_leads_to_the_console() {
    everywhere(async |h| {
        let answer = h.get("/console").await;
        let seen = (answer.status.as_u16(), answer.header("location"));
        assert_eq!(seen, (303, "/console/"));
    })
    .await;
}
