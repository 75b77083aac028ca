//! What the suite's browser does on the pages of the login service and of the wallet.

use serde_json::{Map, Value, json};

/// What a page that somebody is to look at is kept with.
const KEEP: &str = "update-image-placeholder";
/// In the headings of the pages that somebody looks at.
const LOGIN: &str = "asks for your card";
const REFUSED: &str = "request that we cannot answer";
const LOGGED_OUT: &str = "You are logged out";

/// The steps of a browser whose wallet has a card.
pub struct Steps<'a> {
    /// The login service.
    pub verifier: &'a str,
    /// The wallet's pages.
    pub wallet: &'a str,
    /// The addresses of the test in the suite.
    pub test: &'a str,
}

impl Steps<'_> {
    /// What it does if nothing else is said: logs in, and goes back after the logout.
    pub fn usual(&self) -> Value {
        let back = json!({
            "task": "Back in the suite",
            "match": format!("{}/post_logout_redirect*", self.test),
        });
        json!([self.log_in(), self.entry("logout", &[back])])
    }

    /// What it does in the modules that end on a page.
    pub fn overrides(&self) -> Value {
        let logout = |name: &str, page: &str| {
            (
                format!("oidcc-rp-initiated-logout-{name}"),
                json!([self.log_in(), self.log_out(page)]),
            )
        };
        let page = self.task("Read the page", "authorize", &[keep(REFUSED, KEEP)]);
        let refused = json!([self.entry("authorize", &[page])]);
        let modules = [
            (
                "oidcc-ensure-registered-redirect-uri".to_owned(),
                refused.clone(),
            ),
            (
                "oidcc-ensure-request-object-with-redirect-uri".to_owned(),
                refused,
            ),
            logout("bad-post-logout-redirect-uri", REFUSED),
            logout("modified-id-token-hint", REFUSED),
            logout("no-id-token-hint", REFUSED),
            logout("no-params", LOGGED_OUT),
            logout("no-post-logout-redirect-uri", LOGGED_OUT),
            logout("only-state", LOGGED_OUT),
            logout("query-added-to-post-logout-redirect-uri", REFUSED),
            logout("bad-id-token-hint", REFUSED),
        ];
        let modules = modules.map(|(name, steps)| (name, json!({ "browser": steps })));
        Value::Object(Map::from_iter(modules))
    }

    /// What it does if nothing else is said with an application of FAPI 2.0. Its modules take a
    /// page that is kept for the one that they want to see, so the login page is not.
    pub fn fapi2(&self) -> Value {
        json!([self.enter()])
    }

    /// What it does in the modules of FAPI 2.0 that end otherwise.
    pub fn fapi2_overrides(&self) -> Value {
        let page = self.task("Read the page", "authorize", &[keep(REFUSED, KEEP)]);
        let refused = self.entry("authorize", &[page]);
        let once = |mut entry: Value| {
            entry["match-limit"] = json!(1);
            entry
        };
        let heading = json!(["wait", "xpath", "//h1", 10, LOGIN]);
        let look = self.entry("authorize", &[self.task("Look", "login/", &[heading])]);
        let modules = [
            ("user-rejects-authentication", json!([self.decline()])),
            (
                "par-ensure-reused-request-uri-prior-to-auth-completion-succeeds",
                json!([once(look), self.enter()]),
            ),
            (
                "par-attempt-reuse-request_uri",
                json!([once(self.enter()), refused]),
            ),
            ("par-attempt-to-use-expired-request_uri", json!([refused])),
            (
                "par-attempt-to-use-request_uri-for-different-client",
                json!([refused]),
            ),
        ];
        let modules = modules.map(|(name, steps)| {
            let name = format!("fapi2-security-profile-final-{name}");
            (name, json!({ "browser": steps }))
        });
        Value::Object(Map::from_iter(modules))
    }

    /// Shows the card, unless a session answers or the request goes back at once, and keeps the
    /// login page.
    fn log_in(&self) -> Value {
        self.show(&[keep(LOGIN, &format!("{KEEP}-optional")), open()])
    }

    /// The same, and keeps nothing.
    fn enter(&self) -> Value {
        self.show(&[open()])
    }

    fn show(&self, commands: &[Value]) -> Value {
        let mut show = self.task("Open the wallet", "login/", commands);
        show["optional"] = json!(true);
        let mut agree = self.answer("Agree", "yes");
        agree["optional"] = json!(true);
        self.entry("authorize", &[show, agree, self.back()])
    }

    /// Opens the wallet and shows nothing.
    fn decline(&self) -> Value {
        let open = self.task("Open the wallet", "login/", &[open()]);
        let decline = self.answer("Decline", "no");
        let leave = self.task("Leave", "vp/return", &[json!(["click", "id", "leave"])]);
        self.entry("authorize", &[open, decline, leave, self.back()])
    }

    /// A button of the wallet's question.
    fn answer(&self, name: &str, value: &str) -> Value {
        json!({
            "task": name,
            "match": format!("{}/present*", self.wallet),
            "commands": [["click", "xpath", format!("//button[@value='{value}']")]],
        })
    }

    fn back(&self) -> Value {
        json!({
            "task": "Back in the suite",
            "match": format!("{}/callback*", self.test),
            "commands": [["wait", "id", "submission_complete", 10]],
        })
    }

    /// Confirms where it is asked, and looks at the page.
    fn log_out(&self, page: &str) -> Value {
        let confirm = json!([
            "click",
            "xpath",
            "//form[@action='/logout']//button",
            "optional"
        ]);
        let leave = self.task("Log out", "logout", &[confirm, keep(page, KEEP)]);
        self.entry("logout", &[leave])
    }

    fn page(&self, path: &str) -> String {
        format!("{}/{path}*", self.verifier)
    }

    fn entry(&self, path: &str, tasks: &[Value]) -> Value {
        json!({ "match": self.page(path), "tasks": tasks })
    }

    fn task(&self, name: &str, path: &str, commands: &[Value]) -> Value {
        json!({ "task": name, "match": self.page(path), "commands": commands })
    }
}

/// Opens the wallet.
fn open() -> Value {
    json!(["click", "id", "show-card"])
}

/// Waits for a page with this in its heading, and keeps it.
fn keep(heading: &str, how: &str) -> Value {
    json!(["wait", "xpath", "//h1", 10, heading, how])
}
