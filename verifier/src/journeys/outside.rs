//! Who stands outside and may be asked or told by a journey: those that the configuration names.

use super::held::Known;
use crate::config::HookAnswer;
use crate::journey::{Code, Places};

/// Whoever is to be told can be told: on the account page, and by the system of `[journeys.notify]`.
pub(super) fn tells(
    (at, notify, emit): (usize, &[String], &[String]),
    known: &Known<'_>,
    places: &mut Places<'_>,
) {
    let system = known.settings.told.is_some();
    for channel in notify {
        let message = match channel.as_str() {
            "user" => continue,
            "all_channels" if system => continue,
            "all_channels" => "the configuration has no `[journeys.notify]`".to_owned(),
            other => format!("nobody is told by `{other}`"),
        };
        let hint = "\"user\": the account page; \"all_channels\": `[journeys.notify]` too";
        places.at_step(at, "notify", Code::NotHeld, message, hint);
    }
    for event in emit {
        let message = match event.split_once(':') {
            Some(("webhook", name)) if !is_name(name) => {
                format!("`{name}` is no name of an event of yours")
            }
            Some(("webhook", _)) if system => continue,
            Some(("webhook", _)) => "the configuration has no `[journeys.notify]`".to_owned(),
            _ => format!("`{event}` is not held"),
        };
        let hint =
            "`webhook:NAME` goes to the system of `[journeys.notify]`; NAME: a-z, 0-9, `_`, `.`";
        places.at_step(at, "emit", Code::NotHeld, message, hint);
    }
}

/// Who waits is told whose account it is about: a message without `sub` reaches nobody.
pub(super) fn names_person(
    (at, notify): (usize, &[String]),
    known: &Known<'_>,
    places: &mut Places<'_>,
) {
    let all = notify.iter().any(|channel| channel == "all_channels");
    let system = known.settings.told.as_ref();
    if all && system.is_some_and(|hook| !hook.subject) {
        let message = "the system that is told does not hear whose account it is";
        let hint = "`subject = true` of `[journeys.notify]`";
        places.at_step(at, "notify", Code::NotHeld, message, hint);
    }
}

/// Longest name of an event.
const LONGEST: usize = 64;
/// What the names of our own events begin with.
const OURS: [&str; 4] = ["journey", "verification", "consent", "login"];

/// Standard Webhooks 1.0.0, "Event types": words of letters, digits and `_` with dots between them. None is
/// taken for one of ours.
fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let mut words = name.split('.');
    name.len() <= LONGEST
        && words.all(|word| !word.is_empty() && word.chars().all(fits))
        && !OURS.iter().any(|ours| name.split('.').next() == Some(ours))
}

pub(super) fn webhook(
    (at, url, sms): (usize, &str, bool),
    known: &Known<'_>,
    places: &mut Places<'_>,
) {
    let Some(hook) = known.settings.hook(url) else {
        let message = "the configuration has no `[[journeys.webhook]]` with this address";
        let hint = "whoever writes a journey does not choose whom the service asks";
        places.at_step(at, "url", Code::NotHeld, message, hint);
        return;
    };
    if sms && !hook.may_answer(HookAnswer::Sms) {
        let message = "its `[[journeys.webhook]]` may not answer `sms`";
        let hint = "`answers = [\"sms\"]` and `subject = true` there";
        places.at_step(at, "challenge", Code::NotHeld, message, hint);
    }
}
