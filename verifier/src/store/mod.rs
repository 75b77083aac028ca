//! What the login service keeps. One module per table (or pair of tables that change together).
//!
//! To add a repository: a private row struct, `TryFrom` to the domain type with typed errors for
//! impossible rows, free functions that take a [`Db`](vouchsafe_service::db::Db) to read and a
//! [`Tx`](vouchsafe_service::db::Tx) to write, and a test in `tests/it/store.rs` that runs on
//! both databases.

pub mod account_bindings;
pub mod account_cards;
pub mod accounts;
pub mod attributes;
pub mod authenticators;
pub mod clients;
pub mod consents;
pub mod device_grants;
pub mod failures;
pub(crate) mod instance;
pub mod journey_calls;
pub mod journey_holds;
pub mod journey_starts;
pub mod journeys;
pub mod logout;
pub mod managed_clients;
pub mod notices;
pub mod numbers;
pub mod passkeys;
pub mod presence;
pub mod receiver_tokens;
pub mod refresh_grants;
pub mod requests;
pub mod risk;
pub mod satisfaction;
pub mod session_list;
pub mod sessions;
pub(crate) mod state;
pub mod stream_events;
pub mod streams;
pub mod subjects;
pub mod tokens;
pub mod transactions;
mod vault;
pub mod verifications;
pub mod watched;
pub mod webhooks;

pub use vault::{StoreError, Vault};

use vouchsafe_service::db::{Migration, Migrations};

/// The tables of the login service.
pub const MIGRATIONS: Migrations = Migrations {
    component: "verifier",
    steps: &[
        Migration {
            version: 1000,
            name: "logins, sessions, subjects, consents",
            sql: include_str!("../../migrations/1000_login.sql"),
        },
        Migration {
            version: 1001,
            name: "the question of a session",
            sql: include_str!("../../migrations/1001_session_query.sql"),
        },
        Migration {
            version: 1002,
            name: "refresh tokens",
            sql: include_str!("../../migrations/1002_refresh.sql"),
        },
        Migration {
            version: 1003,
            name: "consents to go on",
            sql: include_str!("../../migrations/1003_consent_offline.sql"),
        },
        Migration {
            version: 1005,
            name: "devices that show a code",
            sql: include_str!("../../migrations/1005_device.sql"),
        },
        Migration {
            version: 1006,
            name: "the channel of the Digital Credentials API",
            sql: include_str!("../../migrations/1006_dc_api.sql"),
        },
        Migration {
            version: 1007,
            name: "verifications over REST",
            sql: include_str!("../../migrations/1007_verifications.sql"),
        },
        Migration {
            version: 1008,
            name: "logins of a browser",
            sql: include_str!("../../migrations/1008_logins_of_a_browser.sql"),
        },
        Migration {
            version: 1009,
            name: "applications that register by themselves",
            sql: include_str!("../../migrations/1009_clients.sql"),
        },
        Migration {
            version: 1010,
            name: "streams of security events",
            sql: include_str!("../../migrations/1010_signals.sql"),
        },
        Migration {
            version: 1011,
            name: "restores, and keys that came with an import",
            sql: include_str!("../../migrations/1011_instance.sql"),
        },
        Migration {
            version: 1012,
            name: "what leads to an account",
            sql: include_str!("../../migrations/1012_means.sql"),
        },
        Migration {
            version: 1013,
            name: "how unusual a login is",
            sql: include_str!("../../migrations/1013_risk.sql"),
        },
        Migration {
            version: 1014,
            name: "journeys",
            sql: include_str!("../../migrations/1014_journeys.sql"),
        },
        Migration {
            version: 1020,
            name: "applications that nobody uses",
            sql: include_str!("../../migrations/1020_unused_clients.sql"),
        },
        Migration {
            version: 1021,
            name: "passkeys",
            sql: include_str!("../../migrations/1021_passkeys.sql"),
        },
        Migration {
            version: 1022,
            name: "records of consents",
            sql: include_str!("../../migrations/1022_consent_records.sql"),
        },
        Migration {
            version: 1023,
            name: "numbers, events, reasons of failures",
            sql: include_str!("../../migrations/1023_numbers.sql"),
        },
        Migration {
            version: 1024,
            name: "steps of journeys that ask others",
            sql: include_str!("../../migrations/1024_steps.sql"),
        },
        Migration {
            version: 1025,
            name: "what is known about a person",
            sql: include_str!("../../migrations/1025_attributes.sql"),
        },
        Migration {
            version: 1026,
            name: "runs that wait",
            sql: include_str!("../../migrations/1026_waits.sql"),
        },
        Migration {
            version: 1027,
            name: "what people are known again by",
            sql: include_str!("../../migrations/1027_bindings.sql"),
        },
        Migration {
            version: 1028,
            name: "who came back",
            sql: include_str!("../../migrations/1028_presence.sql"),
        },
        Migration {
            version: 1030,
            name: "logins that were refused a moment ago",
            sql: include_str!("../../migrations/1030_failed_bursts.sql"),
        },
        Migration {
            version: 1031,
            name: "what was not said is found by its time",
            sql: include_str!("../../migrations/1031_refusals.sql"),
        },
        Migration {
            version: 1034,
            name: "one answer for each login",
            sql: include_str!("../../migrations/1034_answers.sql"),
        },
        Migration {
            version: 1035,
            name: "authenticator apps of people",
            sql: include_str!("../../migrations/1035_authenticators.sql"),
        },
        Migration {
            version: 1038,
            name: "applications that administrators keep",
            sql: include_str!("../../migrations/1038_administration.sql"),
        },
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_migrations_is_in_the_list_once_and_in_order() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
        let files = std::fs::read_dir(folder).unwrap();
        let mut there: Vec<i64> = files
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .map(|name| name.split('_').next().unwrap().parse().unwrap())
            .collect();
        there.sort_unstable();
        let listed: Vec<i64> = MIGRATIONS.steps.iter().map(|one| one.version).collect();
        assert_eq!(listed, there);
    }
}
