//! What the suite's browser does on the issuer's pages.

use serde_json::{Map, Value, json};

/// What the modules of the FAPI 2.0 security profile begin with.
const FAPI: &str = "fapi2-security-profile-final-";
/// The heading of the page that says that a request is no good.
const NO_GOOD: &str = "This link does not work";

/// The steps of a browser at an issuer, for a person who has a code.
pub struct Browser<'a> {
    /// The issuer.
    pub issuer: &'a str,
    /// Where it sends the browser back to.
    pub callback: &'a str,
    /// The code.
    pub code: &'a str,
}

impl Browser<'_> {
    /// What it does if nothing else is said: the person types the code.
    pub fn steps(&self) -> Value {
        json!([self.type_code()])
    }

    /// What it does in the modules that want something else.
    pub fn overrides(&self) -> Value {
        let refuse = self.task(
            "Refuse",
            &json!([["click", "xpath", "//button[@value='cancel']"]]),
        );
        let look = self.task("Look and leave", &json!([["wait", "id", "code", 10]]));
        let read = json!([[
            "wait",
            "xpath",
            "//h1",
            10,
            NO_GOOD,
            "update-image-placeholder"
        ]]);
        let page = self.entry(&[self.task("Read the page", &read)]);
        let mut first_time = self.type_code();
        first_time["match-limit"] = json!(1);
        let mut look_first = self.entry(&[look]);
        look_first["match-limit"] = json!(1);
        let modules = [
            (
                "user-rejects-authentication",
                json!([self.entry(&[refuse, self.back()])]),
            ),
            (
                "ensure-unsigned-authorization-request-without-using-par-fails",
                json!([self.entry(&[self.back()])]),
            ),
            (
                "par-ensure-reused-request-uri-prior-to-auth-completion-succeeds",
                json!([look_first, self.type_code()]),
            ),
            (
                "par-attempt-reuse-request_uri",
                json!([first_time, page.clone()]),
            ),
            (
                "par-attempt-to-use-expired-request_uri",
                json!([page.clone()]),
            ),
            (
                "par-attempt-to-use-request_uri-for-different-client",
                json!([page]),
            ),
        ];
        let modules = modules.map(|(module, steps)| {
            let steps = json!({ "browser": steps });
            (format!("{FAPI}{module}"), steps)
        });
        Value::Object(Map::from_iter(modules))
    }

    fn type_code(&self) -> Value {
        let commands = json!([
            ["text", "id", "code", self.code],
            ["click", "xpath", "//button[@value='confirm']"],
        ]);
        self.entry(&[self.task("Type the code", &commands), self.back()])
    }

    fn page(&self) -> String {
        format!("{}/authorize*", self.issuer)
    }

    fn entry(&self, tasks: &[Value]) -> Value {
        json!({ "match": self.page(), "tasks": tasks })
    }

    fn task(&self, name: &str, commands: &Value) -> Value {
        json!({ "task": name, "match": self.page(), "commands": commands })
    }

    fn back(&self) -> Value {
        json!({
            "task": "Back in the suite",
            "match": format!("{}*", self.callback),
            "commands": [["wait", "id", "submission_complete", 10]],
        })
    }
}
