//! Files that the service does not start with: nothing that it cannot hold is silently ignored.

use vouchsafe_service::db::testing;
use vouchsafe_verifier::config::Settings;
use vouchsafe_verifier::store::MIGRATIONS;

use crate::journeys::{AGE, MEMBER, write};
use crate::world::World;

/// What the service says about these files.
async fn refused(files: &[(&str, &str)], more: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), files);
    let temporary = testing::sqlite(&[MIGRATIONS]).await;
    let world = World::new(temporary.db.clone()).await;
    let dir = format!(
        "\n[journeys]\ndir = \"{}\"\n{more}",
        folder.path().display()
    );
    let config = world.configured(|toml| toml + &dir);
    match Settings::parse(&config) {
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    }
}

const RISK: &str = "[risk]\n";

#[tokio::test]
async fn good_files_are_taken() {
    assert_eq!(refused(&[("age.toml", AGE)], "").await, "");
    let plain = MEMBER.replace(" || risk.impossible_travel", "");
    assert_eq!(
        refused(&[("a.toml", &plain), ("notes.md", "x")], RISK).await,
        ""
    );
}

#[tokio::test]
async fn no_journey_has_the_name_under_which_logins_without_one_are_counted() {
    let none = AGE.replacen("id = \"age-gate\"", "id = \"none\"", 1);
    let said = refused(&[("age.toml", &none)], "").await;
    assert!(
        said.contains("age.toml:") && said.contains("bad_value"),
        "{said}"
    );
    assert!(said.contains("logins without a journey"), "{said}");
}

#[tokio::test]
async fn a_mistake_stops_the_start_with_its_place() {
    let wrong = AGE.replace("kind = \"finish\"", "kind = \"finsh\"");
    let said = refused(&[("age.toml", &wrong)], "").await;
    assert!(said.contains("age.toml:23:8: bad_value:"), "{said}");
    assert!(said.contains("\"finish\" is meant perhaps"), "{said}");
    let said = refused(&[], "").await;
    assert_eq!(said, "");
}

#[tokio::test]
async fn what_the_service_cannot_hold_is_refused() {
    let plain = MEMBER.replace(" || risk.impossible_travel", "");
    let step = |text: &str| {
        AGE.replace(
            "[[step]]\nid = \"done\"",
            &format!("{text}\n[[step]]\nid = \"done\""),
        )
    };
    let passkey = step("[[step]]\nid = \"key\"\nkind = \"passkey\"\n");
    let renewed = "[[step]]\nid = \"key\"\nkind = \"passkey\"\nmode = \"register\"\n";
    let renewed = step(renewed);
    let totp = step("[[step]]\nid = \"key\"\nkind = \"totp\"\n");
    let webhook =
        step("[[step]]\nid = \"hook\"\nkind = \"webhook\"\nurl = \"https://x.example\"\n");
    let identify = step("[[step]]\nid = \"who\"\nkind = \"identify\"\naccept = [\"username\"]\n");
    let cases = [
        (passkey, "not_held: the configuration has no `[passkeys]`"),
        (
            renewed,
            "not_held: a `passkey` step with `mode = \"register\"`",
        ),
        (totp, "not_held: a `totp` step is not held"),
        (
            webhook,
            "not_held: the configuration has no `[[journeys.webhook]]`",
        ),
        (
            identify,
            "not_held: nothing proves what the person says here",
        ),
        (
            AGE.replace("version = 3", "version = 3\nafter = [\"x\"]"),
            "not_held: `after`",
        ),
        (
            AGE.replace("timeout_s = 300", "[limits]\nper_account_per_day = 3"),
            "not_held: `per_account_per_day` counts for accounts",
        ),
        (
            AGE.replace(
                "match = '\"age\" in request.scopes'",
                "match = 'session.exists'",
            ),
            "not_held: `match` reads more",
        ),
        (
            AGE.replace("clients = [\"shop\"]", "clients = [\"shp\"]"),
            "unknown_client: there is no application `shp`",
        ),
        (
            AGE.replace("timeout = \"deny:timeout\"", "timeout = \"help\""),
            "not_held: `on.timeout`",
        ),
        (
            AGE.replace("[\"same_device\", \"qr\"]", "[\"qr\"]")
                .replace("\"shop\"", "\"cafe\""),
            "not_held: `cafe` is served by none",
        ),
        (
            AGE.replace(
                "id = \"help\"\nkind = \"deny\"",
                "id = \"help\"\nkind = \"deny\"\nnotify = [\"sms\"]",
            ),
            "not_held: nobody is told by `sms`",
        ),
        (
            AGE.replace("age_over_18 = \"true\" }", "sub = '\"x\"' }"),
            "bad_value: the claim name `sub` is reserved",
        ),
        (
            AGE.replace("urn:vouchsafe:age:1", "urn:nobody:1"),
            "bad_dcql: query age-gate/prove: no trusted issuer",
        ),
        (
            plain.replace("query = \"membership\"", "query = \"membrship\""),
            "unknown_query: there is no question `membrship`",
        ),
        (
            plain.replace("query = \"membership\"", "query = \"age\""),
            "not_held: the question leads to nobody",
        ),
        (
            plain.replace("\"freeman\"", "\"other\""),
            "not_held: there is no model",
        ),
        (
            plain.replace("!session.exists", "user.logins < 3"),
            "not_held: the login service does not know `user.logins`",
        ),
        (MEMBER.to_owned(), "not_held: without `risk.places`"),
    ];
    for (text, expected) in cases {
        let said = refused(&[("j.toml", &text)], RISK).await;
        assert!(said.contains(expected), "{expected}: {said}");
        assert!(said.contains("j.toml:"), "{said}");
    }
    let said = refused(&[("j.toml", &plain)], "").await;
    assert!(
        said.contains("not_held: the configuration has no `[risk]`"),
        "{said}"
    );
}

#[tokio::test]
async fn two_files_for_one_request_are_refused() {
    let open = AGE.replace("match = '\"age\" in request.scopes'\n", "");
    let second = open.replace("id = \"age-gate\"", "id = \"other\"");
    let said = refused(&[("a.toml", &open), ("b.toml", &second)], "").await;
    assert!(
        said.contains("b.toml:5:12: ambiguous_client: a.toml serves every request of `shop` too"),
        "{said}"
    );
    // With a `match` in one of them it is asked first.
    assert_eq!(
        refused(&[("a.toml", AGE), ("b.toml", &second)], "").await,
        ""
    );
    let said = refused(&[("a.toml", AGE), ("b.toml", AGE)], "").await;
    assert!(said.contains("a.toml has the id `age-gate` too"), "{said}");
}
