//! What the service holds of a journey as a whole.

use super::{Known, follower};
use crate::journey::{Code, Expression, Journey, Places};

pub(super) fn check(journey: &Journey, known: &Known<'_>, places: &mut Places<'_>) {
    if !journey.after.is_empty() {
        follower::check(journey, known, places);
    }
    let only_request = |matches: &Expression| matches.reads().iter().all(|one| one == "request");
    if !journey.matches.as_ref().is_none_or(only_request) {
        let message = "`match` reads more than `request`";
        let hint = "it is looked at before anything else is known";
        places.at_top("match", Code::NotHeld, message, hint);
    }
    let configured = known.settings.clients();
    let others = known.settings.serves_others();
    for client in &journey.clients {
        let is_there = configured.iter().any(|one| one.id.as_str() == client);
        if !is_there && !others {
            let message = format!("there is no application `{client}`");
            let hint = "the `id` of a `[[client]]` of the configuration";
            places.at_client(client, Code::UnknownClient, message, hint);
        }
    }
}
