//! What the headless demo prints: a line, or a JSON object, for each step.

use serde_json::{Map, Value, json};

/// What a step of the story showed.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    /// What happened, in words.
    pub summary: String,
    /// What the other side learned: name and value.
    pub proven: Vec<(String, Value)>,
    /// What stayed with the person.
    pub not_disclosed: Vec<String>,
    /// Further facts for scripts.
    pub details: Map<String, Value>,
}

impl Shown {
    /// A step that only says something.
    pub fn new(summary: impl Into<String>) -> Self {
        Self {
            summary: summary.into(),
            ..Self::default()
        }
    }

    /// Adds a fact that the other side learned.
    pub fn proven(mut self, name: &str, value: Value) -> Self {
        self.proven.push((name.to_owned(), value));
        self
    }

    /// Adds what stayed with the person.
    pub fn kept(mut self, names: impl IntoIterator<Item = String>) -> Self {
        self.not_disclosed.extend(names);
        self
    }

    /// Adds a fact for scripts.
    pub fn detail(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }
}

/// Prints a step and returns whether it held.
#[expect(clippy::print_stdout, reason = "the steps are this command's result")]
pub fn print(step: &str, result: &anyhow::Result<Shown>, json: bool) -> bool {
    match (result, json) {
        (Ok(shown), true) => println!("{}", object(step, shown)),
        (Ok(shown), false) => println!("{}", line(step, shown)),
        (Err(error), true) => println!(
            "{}",
            json!({ "step": step, "ok": false, "error": format!("{error:#}") })
        ),
        (Err(error), false) => println!("{step:<8} FAILED: {error:#}"),
    }
    result.is_ok()
}

fn object(step: &str, shown: &Shown) -> Value {
    let Shown {
        summary,
        proven,
        not_disclosed,
        details,
    } = shown;
    let proven: Map<String, Value> = proven.iter().cloned().collect();
    let mut object = json!({
        "step": step, "ok": true, "summary": summary, "proven": proven, "not_disclosed": not_disclosed,
    });
    if let Some(members) = object.as_object_mut() {
        members.extend(details.clone());
    }
    object
}

fn line(step: &str, shown: &Shown) -> String {
    let mut line = format!("{step:<8} {}", shown.summary);
    if !shown.proven.is_empty() {
        let facts: Vec<_> = shown
            .proven
            .iter()
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        line += &format!("; proven: {}", facts.join(", "));
    }
    if !shown.not_disclosed.is_empty() {
        line += &format!("; not disclosed: {}", shown.not_disclosed.join(", "));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_says_what_was_proven_and_what_was_not_disclosed() {
        let shown = Shown::new("the shop knows enough")
            .proven("age_over_18", true.into())
            .kept(["21 or older".to_owned()])
            .detail("accounts", 0);
        assert_eq!(
            line("age", &shown),
            "age      the shop knows enough; proven: age_over_18: true; not disclosed: 21 or older"
        );
        let object = object("age", &shown);
        assert_eq!(object["ok"], true);
        assert_eq!(object["proven"]["age_over_18"], true);
        assert_eq!(object["accounts"], 0);
    }
}
