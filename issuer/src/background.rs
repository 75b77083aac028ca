//! What the service does beside answering requests.

use std::time::Duration;

use vouchsafe_service::db::DbError;
use vouchsafe_service::jobs::{self, Jobs};
use vouchsafe_service::shutdown::Shutdown;
use vouchsafe_service::webhooks;

use crate::app::Issuer;
use crate::status::StatusListError;
use crate::{expiry, lifecycle, purge, status, status_jobs};

/// How often the background job looks for status lists to publish.
const PUBLISH_EVERY: Duration = Duration::from_secs(1);
/// How often the background job looks for webhooks to send.
const DELIVER_EVERY: Duration = Duration::from_secs(1);
/// How often what has ended is forgotten.
const PURGE_EVERY: Duration = Duration::from_secs(60);
/// How often the audit log is read as a whole.
const AUDIT_EVERY: Duration = Duration::from_secs(86_400);
/// How often certificates are looked at.
const CERTIFICATES_EVERY: Duration = Duration::from_secs(86_400);
/// How often it is looked for changes of many credentials.
const STATUS_JOBS_EVERY: Duration = Duration::from_secs(1);

impl Issuer {
    /// Publishes status lists, sends webhooks, forgets what has ended and reads the audit log, until
    /// asked to stop. A run that fails or panics ends neither its job nor another one.
    pub async fn run_background(&self, shutdown: Shutdown) {
        let mut jobs = Jobs::new(shutdown.clone());
        let own = self.clone();
        jobs.every("webhooks", DELIVER_EVERY, move || {
            let own = own.clone();
            async move { own.start_webhooks().await }
        });
        let own = self.clone();
        jobs.every("publish", PUBLISH_EVERY, move || {
            let own = own.clone();
            async move {
                own.core.types.follow(&own.core).await;
                lifecycle::end_and_publish(&own.core).await
            }
        });
        let (core, stop) = (self.core.clone(), shutdown.clone());
        jobs.every("status jobs", STATUS_JOBS_EVERY, move || {
            let (core, stop) = (core.clone(), stop.clone());
            async move { status_jobs::run(&core, &stop).await }
        });
        let own = self.clone();
        jobs.every("purge", PURGE_EVERY, move || {
            let own = own.clone();
            async move { own.purge().await }
        });
        jobs::look_for_damage(&mut jobs, self.core.db.clone());
        let own = self.clone();
        jobs.every("audit log", AUDIT_EVERY, move || {
            let own = own.clone();
            async move { own.watch_audit().await }
        });
        let core = self.core.clone();
        jobs.every("certificates", CERTIFICATES_EVERY, move || {
            expiry::watch(&core.signing, core.clock.now());
            async { Ok::<_, DbError>(()) }
        });
        jobs.finish().await;
    }

    /// Catalogue 404: an edited log raises an alarm, as an error line and as a metric.
    async fn watch_audit(&self) -> Result<(), DbError> {
        let broken = match self.verify_audit(None).await? {
            Ok(_) => 0.0,
            Err(broken) => {
                tracing::error!(
                    event = broken.seq(),
                    "the audit log was changed in the database"
                );
                1.0
            }
        };
        metrics::gauge!("vouchsafe_audit_log_broken").set(broken);
        Ok(())
    }

    /// Publishes up to a hundred status lists that are due; returns how many.
    pub async fn publish_status_lists(&self) -> Result<usize, StatusListError> {
        status::publish_due(&self.core).await
    }

    /// Ends credentials whose end has come.
    pub async fn end_due(&self) -> Result<(), DbError> {
        lifecycle::end_due(&self.core).await
    }

    /// Starts to send webhooks that are due, and does not wait for who receives them.
    async fn start_webhooks(&self) -> Result<(), DbError> {
        webhooks::start_due(&self.webhooks).await?.detach_all();
        Ok(())
    }

    /// Forgets what has ended: claims of offers, tokens, codes, nonces, kept answers.
    pub async fn purge(&self) -> Result<(), DbError> {
        purge::purge(&self.core).await
    }
}
