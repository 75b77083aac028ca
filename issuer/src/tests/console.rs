//! The console as a browser without JavaScript sees it, and its passkeys as a script does.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use vouchsafe_credentials::testing::SeededRng;
use vouchsafe_service::operators::{IDLE_S, INVITATION_S, RECENT_S, Role};
use vouchsafe_service::webauthn::testing::Device;

use super::harness::{Answer, Harness, ISSUER, config_text, everywhere, with_config};

/// A browser with the cookies of the console.
pub(super) struct Desk<'h> {
    pub h: &'h Harness,
    pub session: Option<String>,
    visit: Option<String>,
}

pub(super) fn device(seed: u64) -> Device {
    Device::new(ISSUER, "issuer.example", &SeededRng::new(seed))
}

/// A session of somebody new.
pub(super) async fn session(h: &Harness, name: &str, role: Role, device: &mut Device) -> String {
    let operators = h.issuer.console().unwrap().operators();
    let link = operators.invite("command", name, role).await.unwrap();
    let options = operators.begin_registration(&link.operator).await.unwrap();
    let answer = serde_json::from_value(device.register(&options)).unwrap();
    let session = operators.accept_with_passkey(link.secret(), &answer).await;
    session.unwrap().expose().to_owned()
}

impl<'h> Desk<'h> {
    pub(super) fn nobody(h: &'h Harness) -> Self {
        Self {
            h,
            session: None,
            visit: None,
        }
    }

    /// Somebody who is signed in.
    pub(super) async fn of(h: &'h Harness, role: Role) -> Self {
        let seed = 1000 + role as u64;
        let session = session(h, role.as_str(), role, &mut device(seed)).await;
        Self {
            session: Some(session),
            ..Self::nobody(h)
        }
    }

    fn cookies(&self) -> String {
        let pair = |name: &str, value: &Option<String>| {
            let value = value.as_ref();
            value.map(|value| format!("__Host-vs_console_{name}={value}"))
        };
        let both = [pair("session", &self.session), pair("visit", &self.visit)];
        both.into_iter().flatten().collect::<Vec<_>>().join("; ")
    }

    pub(super) async fn send(&mut self, request: Request<Body>) -> Answer {
        let (mut parts, body) = request.into_parts();
        parts
            .headers
            .insert("cookie", self.cookies().parse().unwrap());
        let answer = self.h.send(Request::from_parts(parts, body)).await;
        for line in answer.headers.get_all("set-cookie") {
            let line = line.to_str().unwrap();
            // A session is for this host alone, over https, unseen by scripts and other sites.
            assert!(line.starts_with("__Host-vs_console_"), "{line}");
            assert!(line.contains("; Path=/; HttpOnly; SameSite="), "{line}");
            assert!(
                line.contains("; Secure") && !line.contains("Domain"),
                "{line}"
            );
            let (name, rest) = line.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap().to_owned();
            let value = Some(value).filter(|value| !value.is_empty());
            assert!(
                value.is_none() || line.contains("SameSite=Strict"),
                "{line}"
            );
            match name {
                "__Host-vs_console_session" => self.session = value,
                _ => self.visit = value,
            }
        }
        answer
    }

    pub(super) async fn get(&mut self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap())
            .await
    }

    /// Opens a page and sends a form with its token.
    pub(super) async fn form(&mut self, page: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let page = self.get(page).await;
        let once = attribute(&page.text, "name=\"once\" value=\"");
        let csrf = attribute(&page.text, "name=\"csrf\" value=\"");
        let csrf = csrf.unwrap_or_else(|| panic!("no form: {}", page.text));
        let mut all = vec![("csrf", csrf.as_str())];
        all.extend(once.as_deref().map(|once| ("once", once)));
        all.extend(fields);
        self.post(path, &all).await
    }

    pub(super) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = serde_urlencoded::to_string(fields).unwrap();
        let request = Request::post(path)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("origin", ISSUER)
            .header("sec-fetch-site", "same-origin");
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    /// What the script of passkeys does.
    pub(super) async fn script(&mut self, path: &str, csrf: &str, body: &Value) -> Answer {
        let request = Request::post(path)
            .header("content-type", "application/json")
            .header("accept", "application/json")
            .header("origin", ISSUER)
            .header("x-vouchsafe-csrf", csrf);
        self.send(request.body(Body::from(body.to_string())).unwrap())
            .await
    }
}

pub(super) fn attribute(text: &str, mark: &str) -> Option<String> {
    let rest = text.split(mark).nth(1)?;
    let value = rest.split('"').next()?;
    Some(value.replace("&#x2f;", "/").replace("&amp;", "&"))
}

fn token(page: &Answer) -> String {
    attribute(&page.text, "data-csrf=\"").unwrap_or_else(|| panic!("{}", page.text))
}

async fn link(h: &Harness, name: &str) -> String {
    let operators = h.issuer.console().unwrap().operators();
    let link = operators
        .invite_or_again("command", name, Some(Role::Admin))
        .await;
    crate::console::invitation_path(link.unwrap().secret())
}

#[tokio::test]
async fn an_invitation_a_passkey_out_and_in_again() {
    everywhere(async |h| {
        let (mut desk, mut device) = (Desk::nobody(&h), device(1));
        let link = link(&h, "Ada").await;
        let page = desk.get(&link).await;
        assert!(
            page.status == 200 && page.text.contains("Ada"),
            "{}",
            page.text
        );
        assert_eq!(
            attribute(&page.text, "data-answer=\"").unwrap(),
            format!("{link}/passkey")
        );
        let csrf = token(&page);
        let asked = desk
            .script(&format!("{link}/challenge"), &csrf, &json!({}))
            .await;
        let answer = device.register(&asked.json()["publicKey"]);
        let joined = desk
            .script(&format!("{link}/passkey"), &csrf, &answer)
            .await;
        assert_eq!(joined.json()["next"], "/console/", "{}", joined.text);
        assert_eq!(desk.get("/console/").await.status, 200);
        let out = desk
            .form("/console/account", "/console/sign-out", &[])
            .await;
        assert_eq!(
            (out.status.as_u16(), out.header("location")),
            (303, "/console/sign-in")
        );
        assert_eq!(desk.session, None);
        let page = desk.get("/console/sign-in").await;
        let csrf = token(&page);
        let asked = desk
            .script("/console/sign-in/challenge", &csrf, &json!({}))
            .await;
        assert_eq!(asked.json()["publicKey"]["userVerification"], "required");
        let answer = device.sign_in(&asked.json()["publicKey"]).await;
        let signed = desk
            .script("/console/sign-in/passkey", &csrf, &answer)
            .await;
        assert_eq!(signed.json()["next"], "/console/", "{}", signed.text);
        assert_eq!(desk.get("/console/").await.status, 200);
        // The same answer again, and from another browser.
        let again = desk
            .script("/console/sign-in/passkey", &csrf, &answer)
            .await;
        assert_eq!(again.error(), (403, "passkey".into()));
        let log = h.admin_get("/v1/audit").await.json();
        let actions = log["items"].as_array().unwrap().iter().rev();
        let actions: Vec<&str> = actions.map(|one| one["action"].as_str().unwrap()).collect();
        assert_eq!(
            actions[actions.len() - 5..],
            [
                "operator.invite",
                "operator.passkey_add",
                "operator.sign_in",
                "operator.sign_out",
                "operator.sign_in"
            ]
        );
    })
    .await;
}

#[tokio::test]
async fn links_that_are_used_old_or_nobodys_let_nobody_in() {
    everywhere(async |h| {
        let mut desk = Desk::nobody(&h);
        let used = link(&h, "Ada").await;
        session(&h, "Bob", Role::Viewer, &mut device(2)).await;
        let old = link(&h, "Eve").await;
        let newer = link(&h, "Ada").await;
        for path in [used.as_str(), "/console/invitations/AAAA"] {
            assert_eq!(desk.get(path).await.status, 410, "{path}");
        }
        let page = desk.get(&newer).await;
        let csrf = token(&page);
        // Where there are passkeys, the link alone signs nobody in.
        let plain = desk.post(&newer, &[("csrf", &csrf)]).await;
        assert_eq!(plain.status, 404);
        // A challenge of one link does not serve another.
        let asked = desk
            .script(&format!("{newer}/challenge"), &csrf, &json!({}))
            .await;
        let answer = device(3).register(&asked.json()["publicKey"]);
        let other = desk.script(&format!("{old}/passkey"), &csrf, &answer).await;
        assert_eq!(other.error(), (403, "passkey".into()));
        assert_eq!(desk.session, None);
        h.clock.advance(INVITATION_S);
        for path in [&newer, &old] {
            assert_eq!(desk.get(path).await.status, 410);
            let late = desk
                .script(&format!("{path}/challenge"), &csrf, &json!({}))
                .await;
            assert_eq!(late.error(), (410, "link".into()));
        }
    })
    .await;
}

#[tokio::test]
async fn a_cookie_from_before_the_sign_in_is_worth_nothing() {
    everywhere(async |h| {
        let planted = "A".repeat(43);
        let mut desk = Desk {
            session: Some(planted.clone()),
            ..Desk::nobody(&h)
        };
        let refused = desk.get("/console/").await;
        assert_eq!(
            (refused.status.as_u16(), refused.header("location")),
            (303, "/console/sign-in")
        );
        let link = link(&h, "Ada").await;
        let csrf = token(&desk.get(&link).await);
        let asked = desk
            .script(&format!("{link}/challenge"), &csrf, &json!({}))
            .await;
        let answer = device(1).register(&asked.json()["publicKey"]);
        desk.script(&format!("{link}/passkey"), &csrf, &answer)
            .await;
        let mut planted = Desk {
            session: Some(planted),
            ..Desk::nobody(&h)
        };
        assert_eq!(planted.get("/console/").await.status, 303);
        assert_eq!(desk.get("/console/").await.status, 200);
        // Two cookies of one name: somebody planted one, so none counts.
        let double = format!("{0}; {0}", desk.cookies());
        let request = Request::get("/console/").header("cookie", double);
        assert_eq!(
            h.send(request.body(Body::empty()).unwrap()).await.status,
            303
        );
        h.clock.advance(IDLE_S);
        assert_eq!(desk.get("/console/").await.status, 303);
    })
    .await;
}

#[tokio::test]
async fn a_second_sign_in_ends_the_first() {
    everywhere(async |h| {
        let (mut device, mut another) = (device(1), device(2));
        let first = session(&h, "Ada", Role::Admin, &mut device).await;
        let elsewhere = session(&h, "Bob", Role::Admin, &mut another).await;
        let mut desk = Desk {
            session: Some(first.clone()),
            ..Desk::nobody(&h)
        };
        let csrf = token(&desk.get("/console/sign-in").await);
        let asked = desk
            .script("/console/sign-in/challenge", &csrf, &json!({}))
            .await;
        let answer = device.sign_in(&asked.json()["publicKey"]).await;
        desk.script("/console/sign-in/passkey", &csrf, &answer)
            .await;
        assert_ne!(desk.session.as_ref(), Some(&first));
        for (session, status) in [(first, 303), (elsewhere, 200)] {
            let mut before = Desk {
                session: Some(session),
                ..Desk::nobody(&h)
            };
            assert_eq!(before.get("/console/").await.status, status);
        }
        assert_eq!(desk.get("/console/").await.status, 200);
    })
    .await;
}

#[test]
fn no_console_stands_at_an_ip_address_that_others_reach() {
    for (url, works) in [
        ("https://10.0.0.5", false),
        ("https://127.0.0.1", false),
        ("https://[2001:db8::1]", false),
        ("https://issuer.example", true),
    ] {
        let text = config_text("").replace(ISSUER, url);
        let config = |text: &str| -> crate::config::Config {
            vouchsafe_service::config::parse(text).unwrap()
        };
        let on = text.clone() + "[console]\nenabled = true\n";
        let result = config(&on).settings();
        assert_eq!(result.is_ok(), works, "{url}");
        if let Err(error) = result {
            assert!(error.to_string().contains("console.enabled"), "{error}");
        }
        // Where nobody asks for one there is none, and the issuer serves wallets all the same.
        let silent = config(&text);
        assert!(silent.settings().is_ok(), "{url}");
        assert_eq!(
            silent.console.is_on(&silent.http.public_url),
            works,
            "{url}"
        );
        let off = config(&(text + "[console]\nenabled = false\n"));
        assert!(!off.console.is_on(&off.http.public_url), "{url}");
    }
}

/// Who may is asked again when the body is there: it may take its time.
#[tokio::test]
async fn a_body_that_arrives_late_is_of_nobody_who_was_disabled() {
    everywhere(async |h| {
        session(&h, "Cleo", Role::Admin, &mut device(9)).await;
        let slow = [
            (
                "/console/operators",
                "/console/operators",
                "name=Mallory&role=admin",
            ),
            (
                "/console/offers/new?type=membership",
                "/console/offers/new",
                "type=membership",
            ),
            ("/console/audit", "/console/audit/check", ""),
        ];
        for (seed, (page, path, fields)) in (20..).zip(slow) {
            for disable in [true, false] {
                let name = format!("Ada {seed} {disable}");
                let mut desk = Desk {
                    session: Some(
                        session(
                            &h,
                            &name,
                            Role::Admin,
                            &mut device(seed + 40 * u64::from(disable)),
                        )
                        .await,
                    ),
                    ..Desk::nobody(&h)
                };
                let page = desk.get(page).await;
                let csrf = attribute(&page.text, "name=\"csrf\" value=\"").unwrap();
                let body = serde_urlencoded::to_string([("csrf", csrf)]).unwrap() + "&" + fields;
                let operators = h.issuer.console().unwrap().operators().clone();
                let before = operators.all().await.unwrap().len();
                let body = futures::stream::once(async move {
                    let all = operators.all().await.unwrap();
                    let own = all.iter().find(|one| one.name == name).unwrap();
                    if disable {
                        operators.disable("command", &own.id).await.unwrap();
                    } else {
                        let lost = operators.set_role("command", &own.id, Role::Viewer);
                        lost.await.unwrap();
                    }
                    Ok::<_, std::io::Error>(body)
                });
                let request = Request::post(path)
                    .header("content-type", "application/x-www-form-urlencoded")
                    .header("origin", ISSUER)
                    .body(Body::from_stream(body))
                    .unwrap();
                let answer = desk.send(request).await;
                // A viewer may check the log.
                let may = path == "/console/audit/check" && !disable;
                assert_eq!(
                    answer.status.as_u16(),
                    if may { 200 } else { 403 },
                    "{path}"
                );
                let operators = h.issuer.console().unwrap().operators();
                assert_eq!(operators.all().await.unwrap().len(), before);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn an_address_without_a_name_signs_in_with_the_link() {
    let text =
        config_text("").replace(ISSUER, "http://127.0.0.1:4001") + "[dev]\nloopback_http = true\n";
    with_config(&text, async |h| {
        let link = link(&h, "Ada").await;
        let page = h.get(&link).await;
        assert!(page.text.contains("IP address"), "{}", page.text);
        let visit = page
            .header("set-cookie")
            .split(';')
            .next()
            .unwrap()
            .to_owned();
        let csrf = attribute(&page.text, "name=\"csrf\" value=\"").unwrap();
        let fields = [("csrf", csrf.as_str())];
        let headers = [
            ("cookie", visit.as_str()),
            ("origin", "http://127.0.0.1:4001"),
        ];
        let foreign = h
            .form_with(&link, &fields, &[("origin", "http://127.0.0.1:4001")])
            .await;
        assert_eq!(foreign.status, 403);
        let signed = h.form_with(&link, &fields, &headers).await;
        assert_eq!(signed.status, 303, "{}", signed.text);
        let session = signed
            .header("set-cookie")
            .split(';')
            .next()
            .unwrap()
            .to_owned();
        let home = Request::get("/console/").header("cookie", session);
        assert_eq!(h.send(home.body(Body::empty()).unwrap()).await.status, 200);
        assert_eq!(h.form_with(&link, &fields, &headers).await.status, 410);
    })
    .await;
}

#[tokio::test]
async fn a_console_that_is_off_is_not_there() {
    let text = config_text("") + "[console]\nenabled = false\n";
    with_config(&text, async |h| {
        for path in ["/console/", "/console/sign-in"] {
            assert_eq!(h.get(path).await.status, 404, "{path}");
        }
        assert!(h.issuer.console().is_none());
    })
    .await;
}

#[tokio::test]
async fn passkeys_and_operators_need_a_recent_sign_in() {
    everywhere(async |h| {
        let mut desk = Desk::of(&h, Role::Admin).await;
        let fields = [("name", "Bob"), ("role", "viewer")];
        let page = "/console/operators";
        let invited = desk.form(page, page, &fields).await;
        assert!(
            invited
                .text
                .contains("https:&#x2f;&#x2f;issuer.example&#x2f;console&#x2f;invitations&#x2f;")
        );
        let taken = desk.form(page, page, &fields).await;
        assert_eq!(taken.status, 422);
        let operators = h.issuer.console().unwrap().operators();
        let all = operators.all().await.unwrap();
        let id = |name: &str| {
            all.iter()
                .find(|one| one.name == name)
                .unwrap()
                .id
                .to_string()
        };
        let (bob, own) = (
            format!("{page}/{}", id("Bob")),
            format!("{page}/{}", id("admin")),
        );
        for (path, fields, status) in [
            (&bob, vec![("do", "role"), ("role", "operator")], 303),
            (&bob, vec![("do", "disable")], 303),
            (&bob, vec![("do", "invite")], 403),
            (&bob, vec![("do", "enable")], 303),
            (&bob, vec![("do", "invite")], 200),
            (&bob, vec![("do", "role"), ("role", "root")], 400),
            (&bob, vec![("do", "delete")], 400),
            // The last admin stays.
            (&own, vec![("do", "disable")], 422),
        ] {
            let answer = desk.form(page, path, &fields).await;
            assert_eq!(answer.status, status, "{fields:?} {}", answer.text);
        }
        h.clock.advance(RECENT_S);
        let csrf = desk.get("/console/account").await.text;
        let csrf = attribute(&csrf, "name=\"csrf\" value=\"").unwrap();
        for (path, fields) in [
            (page, vec![("name", "Eve"), ("role", "admin")]),
            (bob.as_str(), vec![("do", "disable")]),
            ("/console/account/passkeys/x/remove", vec![]),
        ] {
            let all = [vec![("csrf", csrf.as_str())], fields].concat();
            let answer = desk.post(path, &all).await;
            assert_eq!(answer.status, 403, "{path}");
            assert!(
                answer.text.contains("sign in again"),
                "{path}: {}",
                answer.text
            );
        }
        let late = desk
            .script("/console/account/challenge", &csrf, &json!({}))
            .await;
        assert_eq!(late.error(), (403, "not_recent".into()));
        assert_eq!(operators.all().await.unwrap().len(), 2);
    })
    .await;
}
