//! Whose numbers they are, and in which words.

use metrics::Label;

use super::counts::Key;
use super::tell::End;
use super::{NO_JOURNEY, OTHER};
use crate::app::Parts;
use crate::domain::transaction::Login;
use crate::journey::Instance;

/// Whose numbers they are.
pub(super) struct Of<'a> {
    pub(super) app: &'a Parts,
    pub(super) journey: &'a str,
    pub(super) stage: &'static str,
    pub(super) client: String,
}

impl<'a> Of<'a> {
    pub(super) fn login(app: &'a Parts, login: &'a Login) -> Self {
        let run = login.run.as_deref();
        let journey = run.map_or(NO_JOURNEY, |run| run.instance.journey());
        let named = Self::named(app, journey, client(app, login.request.client.as_str()));
        let own = run.map(|run| app.journeys.stage_of(run.instance.hash(), journey));
        let stage = own.unwrap_or(named.stage);
        Self { stage, ..named }
    }

    /// Numbers of one of the journeys of a run.
    pub(super) fn instance(app: &'a Parts, login: &'a Login, instance: &'a Instance) -> Self {
        let journey = instance.journey();
        let named = Self::named(app, journey, client(app, login.request.client.as_str()));
        let stage = app.journeys.stage_of(instance.hash(), journey);
        Self { stage, ..named }
    }

    pub(super) fn named(app: &'a Parts, journey: &'a str, client: String) -> Self {
        Self {
            app,
            journey,
            stage: app.journeys.stage(journey),
            client,
        }
    }

    pub(super) fn key(&self, what: &str) -> Key {
        Key {
            what: what.to_owned(),
            journey: self.journey.to_owned(),
            stage: self.stage.to_owned(),
            client: self.client.clone(),
            ..Key::default()
        }
    }

    pub(super) fn add(&self, key: Key) {
        self.app.numbers.counts.add(self.app.now(), key);
    }

    /// Labels of a series; the application is one where that is configured.
    pub(super) fn labels<const N: usize>(&self, labels: [(&'static str, &str); N]) -> Vec<Label> {
        let label = |(name, value): (&'static str, &str)| Label::new(name, value.to_owned());
        let client = self.app.settings.numbers.as_ref();
        let client = client.is_some_and(|numbers| numbers.client_label);
        let client = client.then(|| Label::new("client", self.client.clone()));
        labels.into_iter().map(label).chain(client).collect()
    }
}

/// An application as a label: those of the configuration by name, so that the list is closed.
pub(super) fn client(app: &Parts, id: &str) -> String {
    let known = app.settings.clients().iter();
    let known = known
        .map(|client| client.id.as_str())
        .find(|own| *own == id);
    known.unwrap_or(OTHER).to_owned()
}

/// How a login is counted that ended with this code.
pub(super) fn outcome(code: &str) -> &'static str {
    match code {
        "success" => "success",
        "declined" => "declined",
        "policy_error" | "error" | "wallet_error" => "error",
        "timeout" | "device_code_over" => "timeout",
        "risk_blocked" | "use_recovery" => "denied",
        _ => "failed",
    }
}

/// The same for a run: codes that are not ours are those of its file, by which it denied.
pub(super) fn outcome_of_run(code: &str) -> &'static str {
    match code {
        "not_proven"
        | "no_credential"
        | "not_authenticated"
        | "unmatched"
        | "other_account"
        | "number_mismatch"
        | "other_browser"
        | "unmet_authentication_requirements" => "failed",
        known => match outcome(known) {
            "failed" => "denied",
            other => other,
        },
    }
}

pub(super) fn channel_of(login: &Login, end: &End) -> &'static str {
    let Some(run) = login.run.as_deref() else {
        return end.channel.unwrap_or("none");
    };
    match run.last() {
        Some(answer) => answer.channel.name(),
        None if login.passkey.is_some() => "passkey",
        None if run.upstream.is_some() => "upstream",
        None if run.session.is_some() => "session",
        None => end.channel.unwrap_or("none"),
    }
}
