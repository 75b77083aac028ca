//! The variables of conditions: declared, typed, documented in one table.

/// A type of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Int,
    /// A number with a fraction; whole numbers compare with it.
    Double,
    /// A text.
    Text,
    /// A list of texts.
    Texts,
    /// A list of anything.
    List,
    /// Claims by name: what is in it is known when it runs.
    Claims,
    /// A keyed hash that was stored at enrolment: it can be compared, nothing else.
    Binding,
    /// Keyed hashes by name.
    Bindings,
    /// A group of variables.
    Group(&'static str),
    /// Cards by the id of their query.
    Cards,
    /// One card.
    Card,
    /// Known when it runs.
    Any,
}

impl Type {
    /// Its name in documents.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Double => "double",
            Self::Text => "string",
            Self::Texts => "list of strings",
            Self::List => "list",
            Self::Claims => "map",
            Self::Binding => "keyed hash",
            Self::Bindings => "map of keyed hashes",
            Self::Group(_) => "group",
            Self::Cards => "cards by query id",
            Self::Card => "card",
            Self::Any => "any",
        }
    }
}

impl Type {
    /// Its name with the article in front.
    #[must_use]
    pub fn one(self) -> String {
        let name = self.name();
        match name.starts_with(['a', 'e', 'i', 'o', 'u']) {
            true => format!("an {name}"),
            false => format!("a {name}"),
        }
    }
}

/// A variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variable {
    /// Its name, with dots.
    pub name: &'static str,
    /// Its type.
    pub kind: Type,
    /// What it says.
    pub meaning: &'static str,
    /// The values it has, where there are few.
    pub values: &'static [&'static str],
}

const fn is(name: &'static str, kind: Type, meaning: &'static str) -> Variable {
    let values = &[];
    Variable {
        name,
        kind,
        meaning,
        values,
    }
}

/// Every variable. A card (`cred.ID`) has the fields of `cred.*`.
pub const VARIABLES: &[Variable] = &[
    is("request.client", Type::Text, "the application that asks"),
    is(
        "request.scopes",
        Type::Texts,
        "the scope values of the request",
    ),
    is(
        "request.acr_values",
        Type::Texts,
        "the levels that the application names",
    ),
    is(
        "request.max_age",
        Type::Int,
        "`max_age` in seconds; absent where the application does not say it",
    ),
    is("request.prompt", Type::Texts, "`prompt`"),
    is(
        "request.ui_locales",
        Type::Texts,
        "`ui_locales`, the preferred one first",
    ),
    is(
        "request.campaign",
        Type::Text,
        "what the application says about where the person comes from; empty if nothing",
    ),
    is(
        "session.exists",
        Type::Bool,
        "somebody is logged in in this browser",
    ),
    is(
        "session.age_s",
        Type::Int,
        "seconds since that login; absent without a session",
    ),
    is(
        "session.acr",
        Type::Text,
        "its level; absent without a session",
    ),
    is(
        "session.amr",
        Type::Texts,
        "its methods; absent without a session",
    ),
    is("user.exists", Type::Bool, "an account is known by now"),
    is("user.logins", Type::Int, "how often the person logged in"),
    is(
        "user.attrs",
        Type::Claims,
        "what the account knows, with consent",
    ),
    is(
        "user.missing",
        Type::Texts,
        "what the account does not know, what matters most first",
    ),
    is(
        "user.linked",
        Type::Texts,
        "means that are linked: `passkey`, `credential`, `upstream`, `totp`",
    ),
    is(
        "user.refused",
        Type::Texts,
        "what the person did not want to say lately",
    ),
    is(
        "user.binding",
        Type::Bindings,
        "keyed hashes stored at enrolment with consent; `==` hashes the other side first",
    ),
    is(
        "device.known",
        Type::Bool,
        "the browser was seen with this account",
    ),
    is(
        "device.cookie_age_s",
        Type::Int,
        "seconds since it was first seen; absent if never",
    ),
    is(
        "device.dc_api",
        Type::Bool,
        "the browser has the Digital Credentials API",
    ),
    is("device.mobile", Type::Bool, "it is a telephone or a tablet"),
    is(
        "risk.score",
        Type::Double,
        "the score of the model; `risk` is absent until a `risk` step ran",
    ),
    Variable {
        name: "risk.level",
        kind: Type::Text,
        meaning: "the level of the score",
        values: &["low", "medium", "high", "critical"],
    },
    is("risk.reasons", Type::Texts, "codes of what raised it"),
    is(
        "risk.first_seen_country",
        Type::Bool,
        "the account was never seen from this country",
    ),
    is(
        "risk.impossible_travel",
        Type::Bool,
        "nobody travels so fast",
    ),
    is(
        "cred.*.issuer",
        Type::Text,
        "the validated issuer of a card that was shown in this journey",
    ),
    is("cred.*.type", Type::Text, "its type"),
    is("cred.*.claims", Type::Claims, "its verified claims"),
    is(
        "cred.*.trust_status",
        Type::Text,
        "why its issuer is believed",
    ),
    is(
        "cred.*.holder_binding",
        Type::Bool,
        "its holder proved the key",
    ),
    is("cred.*.age_s", Type::Int, "seconds since it was issued"),
    is(
        "done",
        Type::Texts,
        "the ids of the steps that ended `ok` so far",
    ),
    is("now", Type::Int, "seconds since 1970"),
    is(
        "attempt",
        Type::Int,
        "how often this step was begun, from 1",
    ),
];

/// The groups of variables.
pub(super) const GROUPS: [&str; 5] = ["request", "session", "user", "device", "risk"];

/// The type behind a first name.
pub(super) fn first(name: &str) -> Option<Type> {
    if name == "cred" {
        return Some(Type::Cards);
    }
    let group = GROUPS.into_iter().find(|group| *group == name);
    group.map(Type::Group).or_else(|| named(name))
}

/// The type of a variable.
pub(super) fn named(name: &str) -> Option<Type> {
    let found = VARIABLES.iter().find(|variable| variable.name == name);
    found.map(|variable| variable.kind)
}

/// The names that may follow a group or a card.
pub(super) fn fields(group: &str) -> impl Iterator<Item = &'static str> + use<'_> {
    VARIABLES.iter().filter_map(move |variable| {
        let rest = variable.name.strip_prefix(group)?;
        rest.strip_prefix('.')
    })
}

/// The table of `docs/journeys.md`.
#[must_use]
pub fn documentation() -> String {
    let mut table = String::from("| variable | type | meaning |\n|---|---|---|\n");
    for Variable {
        name,
        kind,
        meaning,
        values,
    } in VARIABLES
    {
        let name = name.replace(".*.", ".ID.");
        let mut meaning = (*meaning).to_owned();
        if !values.is_empty() {
            let values: Vec<String> = values.iter().map(|value| format!("`{value}`")).collect();
            meaning = format!("{meaning}: {}", values.join(", "));
        }
        table.push_str(&format!("| `{name}` | {} | {meaning} |\n", kind.name()));
    }
    table
}
