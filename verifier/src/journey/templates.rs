//! Journeys to begin with. Each is read and simulated in a test.

/// A journey to begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Template {
    /// Its name, and the id of its journey.
    pub name: &'static str,
    /// What it is for.
    pub meaning: &'static str,
    /// Its file.
    pub text: &'static str,
    /// Cases and how they end, JSON.
    pub cases: &'static str,
}

macro_rules! template {
    ($name:literal, $meaning:literal) => {
        Template {
            name: $name,
            meaning: $meaning,
            text: include_str!(concat!("templates/", $name, ".toml")),
            cases: include_str!(concat!("templates/", $name, ".cases.json")),
        }
    };
}

const TEMPLATES: [Template; 10] = [
    template!("account-link", "a card is added to an account"),
    template!("age-gate", "proof of age without an account"),
    template!(
        "guest-checkout",
        "an order with an address from a card, without an account"
    ),
    template!("kiosk", "a device without a keyboard"),
    template!(
        "membership-login",
        "members log in; the card when something is unusual"
    ),
    template!(
        "passkey-first",
        "a passkey day to day, a card the first time"
    ),
    template!(
        "progressive-profile",
        "one question at a time, after a login"
    ),
    template!("recovery", "a lost device: same account, new passkey"),
    template!("staff-portal", "a card with a role"),
    template!(
        "step-up-payment",
        "a payment that is shown and signed in the wallet"
    ),
];

/// All of them, by name.
#[must_use]
pub fn templates() -> &'static [Template] {
    &TEMPLATES
}

/// The one of this name.
#[must_use]
pub fn template(name: &str) -> Option<&'static Template> {
    TEMPLATES.iter().find(|template| template.name == name)
}
