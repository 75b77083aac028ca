//! Files that the service does not start with: nothing that it cannot hold is silently ignored.

use vouchsafe_service::db::testing;
use vouchsafe_verifier::config::Settings;
use vouchsafe_verifier::store::MIGRATIONS;

use crate::journey_profile::{PROFILE, more};
use crate::journey_share::whole;
use crate::journeys::{AGE, MEMBER, write};
use crate::world::World;

/// What the service says about these files.
pub async fn refused(files: &[(&str, &str)], more: &str) -> String {
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
            "not_held: a way leads here on which no card has proven",
        ),
        (totp, "not_held: the configuration has no `[totp]`"),
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
            "not_held: a journey with `after` has no `clients` of its own",
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
            plain.replace("!session.exists", "user.binding.member_id == \"M-1\""),
            "not_held: no question binds `member_id`",
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

/// What stops the start with these files.
fn checked(files: &[(&str, &str)]) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), files);
    let places = crate::world::places::write(&folder, &[crate::world::places::NORWAY]);
    let pki = crate::world::pki::Pki::new();
    let toml = crate::world::toml(&pki)
        + &more()
        + &format!(
            "\n[risk]\nplaces = \"{}\"\n[journeys]\ndir = \"{}\"\n",
            places.display(),
            folder.path().display()
        );
    let parsed = vouchsafe_verifier::config::Settings::parse(&crate::world::parse(&toml));
    parsed.map(drop).map_err(|error| error.to_string())
}

/// What the service does not hold of such files stops the start.
#[test]
fn a_question_that_could_be_in_the_way_of_a_login_is_refused() {
    let check = |profile: &str| checked(&[("member.toml", MEMBER), ("profile.toml", profile)]);
    check(PROFILE).unwrap();
    check(&whole()).unwrap();
    for (from, to, says) in [
        (
            "after = [\"member-login\"]",
            "clients = [\"shop\"]",
            "could be in the way of the login",
        ),
        (
            "after = [\"member-login\"]",
            "after = [\"nobody\"]",
            "which leads no login here",
        ),
        (
            "stage = \"consideration\"",
            "clients = [\"suite\"]",
            "no `clients` of its own",
        ),
        ("timeout_s = 120", "timeout_s = 601", "is above 600"),
        (
            "declined = \"end\", ",
            "",
            "`on.declined` of an `ask` step leads to no step",
        ),
        (
            "timeout = \"end\"",
            "timeout = \"deny:timeout\"",
            "`on.timeout`",
        ),
        ("error = \"end\"", "error = \"deny:no\"", "`on.error`"),
        (
            "name = \"postal_code\"",
            "name = \"shoe_size\"",
            "there is no attribute `shoe_size`",
        ),
        (
            "[\"road\", \"city\"]",
            "[\"road\", \"unicycle\"]",
            "none of the attribute",
        ),
        (
            "query = \"pid_address\"",
            "query = \"age\"",
            "no card of this question fills",
        ),
        (
            "[[step]]\nid = \"ask\"",
            "[[step]]\nid = \"early\"\nkind = \"consent\"\n\n[[step]]\nid = \"ask\"",
            "stands after an `ask`",
        ),
        (
            "kind = \"finish\"\n",
            "kind = \"finish\"\nclaims = { x = \"1\" }\n",
            "tells nothing",
        ),
    ] {
        let wrong = PROFILE.replacen(from, to, 1);
        assert_ne!(wrong, PROFILE, "{from}");
        let error = check(&wrong).unwrap_err();
        assert!(error.contains(says), "{says}: {error}");
    }
}

/// An application learns an attribute by a consent, and by no other way.
#[test]
fn a_journey_that_tells_an_attribute_by_itself_is_refused() {
    let tells =
        "claims = { membership_tier = 'has(cred.card) ? cred.card.claims.tier : \"unknown\"' }";
    for (claim, reads) in [
        ("user.attrs.tier", "user.attrs"),
        ("has(user.attrs)", "user.attrs"),
        ("user", "user"),
        ("[user]", "user"),
        ("true ? user : user", "user"),
        ("user.refused", "user.refused"),
        ("user.refused.size()", "user.refused"),
        ("\"tier\" in user.missing", "user.missing"),
        ("risk", "risk"),
        ("cred", "cred"),
    ] {
        let told = format!("claims = {{ tier = '{claim}' }}");
        let member = MEMBER.replacen(tells, &told, 1);
        assert_ne!(member, MEMBER);
        let error = checked(&[("member.toml", &member)]).unwrap_err();
        let said = format!("`claims` reads `{reads}`");
        assert!(error.contains(&said), "{claim}: {error}");
    }
    for good in ["user.exists", "user.linked", "user.logins"] {
        let told = format!("claims = {{ tier = '{good}' }}");
        let member = MEMBER.replacen(tells, &told, 1);
        checked(&[("member.toml", &member)]).unwrap();
    }
}
