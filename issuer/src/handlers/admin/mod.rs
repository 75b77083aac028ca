//! Administration REST. One endpoint per file.

pub mod audit_list;
pub mod body;
pub mod caller;
pub mod change;
pub mod credentials_list;
pub mod credentials_read;
pub mod credentials_resume;
pub mod credentials_revoke;
pub mod credentials_suspend;
pub mod error;
pub mod idempotent;
pub mod offer_batches_create;
pub mod offers_create;
pub mod offers_list;
pub mod offers_read;
pub mod query;
pub mod views;
pub mod webhook_deliveries;
pub mod webhook_replay;
pub mod webhook_views;
pub mod webhooks_create;
pub mod webhooks_delete;
pub mod webhooks_list;
pub mod webhooks_rotate;
