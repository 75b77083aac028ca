//! The numbers that a business reads: series for Prometheus, counts for the pages and the REST interface,
//! and a log of events (decision 0051).
//!
//! Whatever is counted is counted in `tell` and nowhere else, when it was written. Labels come from
//! closed lists: the configuration, journeys, this program. How many people come back is not counted but
//! looked up (decision 0055). To count something more: its line in `tell`, its row in the table of `docs/operating.md`, its list in `tests/it/numbers.rs`.

pub mod agreed;
pub mod answers;
pub mod ask;
pub mod counts;
pub mod events;
pub(crate) mod job;
pub mod judged;
mod of;
pub mod scores;
pub mod slips;
pub(crate) mod tell;
pub mod tiles;

/// The journey under which logins without one are counted: no journey has this id.
pub const NO_JOURNEY: &str = "none";
/// The application of logins whose application the configuration does not name: none that it names has
/// this id.
pub const OTHER: &str = "other";

use answers::Answers;
use counts::Counts;
use events::Events;

/// What the counts are of: the column `what`.
pub mod what {
    /// Logins that began; the channel is how they came: `web`, `device`.
    pub const STARTED: &str = "started";
    /// Logins that ended.
    pub const FINISHED: &str = "finished";
    /// Seconds from the beginning to the end, of those that succeeded.
    pub const TOOK: &str = "took";
    /// Steps that were reached.
    pub const ENTERED: &str = "step_entered";
    /// Steps that ended.
    pub const LEFT: &str = "step_finished";
    /// Seconds that they took.
    pub const STEP_TOOK: &str = "step_took";
    /// Accounts: `started`, `completed`, `returned`.
    pub const REGISTRATION: &str = "registration";
    /// More than a session was wanted: `required`, `success`, `failure`.
    pub const STEP_UP: &str = "step_up";
    /// Questions to wallets: `asked`, and how they were answered.
    pub const PRESENTATION: &str = "presentation";
    /// Attempts with a factor, the method: `success`, `failure`.
    pub const AUTHENTICATION: &str = "authentication";
    /// What became of consents: `granted`, `denied`, `withdrawn`, `expired`.
    pub const CONSENT: &str = "consent";
    /// Logins that were judged: the level, and as the method what was decided.
    pub const RISK: &str = "risk";
    /// Signs of risk.
    pub const SIGN: &str = "risk_sign";
    /// Scores: the class is where seconds are otherwise.
    pub const SCORE: &str = "risk_score";
    /// Answers to the one question: `1` to `5`.
    pub const SATISFACTION: &str = "satisfaction";
}

/// What waits to be written.
#[derive(Debug, Default)]
pub struct Numbers {
    /// Counts.
    pub counts: Counts,
    /// Events.
    pub events: Events,
    /// Answers to the one question.
    pub answers: Answers,
    /// Whoever reads them waits for who reads them now.
    pub asking: tokio::sync::Mutex<()>,
    /// Whoever reads the whole audit log waits for who reads it now, and nobody else does.
    pub checking: tokio::sync::Mutex<()>,
}

impl Numbers {
    /// `events` says where events go, if they go anywhere.
    #[must_use]
    pub fn new(events: Option<events::EventSettings>) -> Self {
        Self {
            counts: Counts::default(),
            events: Events::new(events),
            answers: Answers::default(),
            asking: tokio::sync::Mutex::default(),
            checking: tokio::sync::Mutex::default(),
        }
    }
}
