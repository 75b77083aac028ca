//! The issuer's repositories. One SQL text for both databases, see `vouchsafe_service::db`.
//!
//! To add one: a migration behind the last, a file here with a private row struct and its
//! conversion into the domain type, and a test that runs on both databases. An absent row is
//! `Ok(None)`. What must happen at most once is one conditional statement.

pub mod batches;
pub mod credentials;
pub mod decisions;
pub mod instance;
pub mod issued;
pub mod mass;
pub mod offers;
pub mod overview;
pub mod records;
pub mod refresh_tokens;
pub mod renewals;
pub mod state;
pub mod status_jobs;
pub mod status_lists;
pub mod tokens;
pub mod transactions;
pub mod tries;
pub mod types;
pub mod vc_lists;
pub mod webhooks;

use vouchsafe_service::db::{Migration, Migrations};

/// The issuer's migrations, numbers from 1000.
pub const MIGRATIONS: Migrations = Migrations {
    component: "issuer",
    steps: &[
        Migration {
            version: 1000,
            name: "records, offers, access tokens, status lists, credentials",
            sql: include_str!("../../migrations/1000_issuer.sql"),
        },
        Migration {
            version: 1001,
            name: "indexes of what is not valid and what is to be published",
            sql: include_str!("../../migrations/1001_not_valid.sql"),
        },
        Migration {
            version: 1002,
            name: "families of tokens, refresh tokens, offers for several, long one-time codes",
            sql: include_str!("../../migrations/1002_authorization.sql"),
        },
        Migration {
            version: 1003,
            name: "decisions, transactions, notifications",
            sql: include_str!("../../migrations/1003_after_the_request.sql"),
        },
        Migration {
            version: 1004,
            name: "formats of credentials, status lists as CWT",
            sql: include_str!("../../migrations/1004_formats.sql"),
        },
        Migration {
            version: 1007,
            name: "credential types over REST",
            sql: include_str!("../../migrations/1007_credential_types.sql"),
        },
        Migration {
            version: 1010,
            name: "when an offer was opened",
            sql: include_str!("../../migrations/1010_offer_opened.sql"),
        },
        Migration {
            version: 1011,
            name: "indexes of offers to forget",
            sql: include_str!("../../migrations/1011_dead_offers.sql"),
        },
        Migration {
            version: 1020,
            name: "closed offers, credentials by redemption, tokens for what waits",
            sql: include_str!("../../migrations/1020_what_ends.sql"),
        },
        Migration {
            version: 1030,
            name: "tables of persons",
            sql: include_str!("../../migrations/1030_batches.sql"),
        },
        Migration {
            version: 1050,
            name: "credentials that end early or are replaced",
            sql: include_str!("../../migrations/1050_lifecycle.sql"),
        },
        Migration {
            version: 1051,
            name: "changes of many credentials",
            sql: include_str!("../../migrations/1051_status_jobs.sql"),
        },
        Migration {
            version: 1070,
            name: "whose database it is, and what a restore ends",
            sql: include_str!("../../migrations/1070_instance.sql"),
        },
        Migration {
            version: 1080,
            name: "wrong answers of persons",
            sql: include_str!("../../migrations/1080_tries.sql"),
        },
        Migration {
            version: 1090,
            name: "index of changed credentials by status",
            sql: include_str!("../../migrations/1090_changed.sql"),
        },
    ],
};
