//! Accounts that people got back, without anybody's help: runs of journeys that end what is old.

use super::super::of::Of;

/// How accounts are recovered here.
const METHOD: &str = "vp";

/// A run began.
pub(super) fn started(of: &Of<'_>) {
    if of.app.journeys.recovers(of.journey) {
        metrics::counter!("vouchsafe_recovery_started_total", "method" => METHOD).increment(1);
    }
}

/// A run ended, as journeys do.
pub(super) fn finished(of: &Of<'_>, outcome: &'static str) {
    if of.app.journeys.recovers(of.journey) {
        metrics::counter!("vouchsafe_recovery_finished_total", "method" => METHOD, "outcome" => outcome)
            .increment(1);
    }
}
