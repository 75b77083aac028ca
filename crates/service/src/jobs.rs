//! Background work of a service, on a schedule, until shutdown.

use std::{error::Error, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures::FutureExt;
use tokio::{task::JoinSet, time::MissedTickBehavior};
use vouchsafe_credentials::time::Clock;

use crate::{
    db::{Db, DbError},
    idempotency, jti,
    shutdown::Shutdown,
    single_use, tenant,
};

/// Expired rows stay so long (seconds), so that replays are still told apart.
const PURGE_MARGIN: i64 = 3600;
const PURGE_EVERY: Duration = Duration::from_secs(60);
const DAMAGE_EVERY: Duration = Duration::from_secs(86_400);

/// A set of repeated jobs.
#[derive(Debug)]
pub struct Jobs {
    shutdown: Shutdown,
    running: JoinSet<()>,
}

impl Jobs {
    /// No jobs yet.
    pub fn new(shutdown: Shutdown) -> Self {
        Self {
            shutdown,
            running: JoinSet::new(),
        }
    }

    /// Runs `work` now and then every `interval`. A run that fails or panics is logged and tried
    /// again at the next turn; a run that was begun is finished before shutdown.
    pub fn every<F, W, E>(&mut self, name: &'static str, interval: Duration, work: F)
    where
        F: Fn() -> W + Send + 'static,
        W: Future<Output = Result<(), E>> + Send,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let mut shutdown = self.shutdown.clone();
        self.running.spawn(tenant::inherit(async move {
            let mut ticks = tokio::time::interval(interval);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                tokio::select! {
                    biased;
                    () = shutdown.wait() => return,
                    _ = ticks.tick() => {}
                }
                match AssertUnwindSafe(work()).catch_unwind().await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => {
                        let error = error.into();
                        let error = &*error as &(dyn Error + 'static);
                        tracing::warn!(job = name, error, "a job failed");
                    }
                    Err(_panic) => tracing::error!(job = name, "a job panicked"),
                }
            }
        }));
    }

    /// Returns when every job has ended after shutdown.
    pub async fn finish(mut self) {
        while self.running.join_next().await.is_some() {}
    }
}

/// Looks every day whether the file of the database is damaged.
pub fn look_for_damage(jobs: &mut Jobs, db: Db) {
    jobs.every("database file", DAMAGE_EVERY, move || {
        let db = db.clone();
        async move { db.look_for_damage().await }
    });
}

/// Deletes expired rows of this crate's tables, every minute.
pub fn purge_expired(jobs: &mut Jobs, db: Db, clock: Arc<dyn Clock>) {
    jobs.every("purge", PURGE_EVERY, move || {
        let db = db.clone();
        let before = clock.now().plus(-PURGE_MARGIN);
        async move {
            db.write_in_steps(async move |tx| single_use::purge(tx, before).await)
                .await?;
            db.write_in_steps(async move |tx| jti::purge(tx, before).await)
                .await?;
            db.write_in_steps(async move |tx| idempotency::purge(tx, before).await)
                .await?;
            Ok::<_, DbError>(())
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[tokio::test(start_paused = true)]
    async fn a_failing_job_runs_again_and_stops_at_shutdown() {
        let (trigger, shutdown) = crate::shutdown::channel();
        let runs = Arc::new(AtomicU32::new(0));
        let (reached, mut third) = tokio::sync::mpsc::channel(1);
        let mut jobs = Jobs::new(shutdown);
        let counter = Arc::clone(&runs);
        jobs.every("test", Duration::from_secs(60), move || {
            let run = counter.fetch_add(1, Ordering::SeqCst);
            let reached = reached.clone();
            async move {
                match run {
                    0 => Err("failed"),
                    1 => panic!("a panic is not the end"),
                    _ => {
                        let _ = reached.send(()).await;
                        Ok(())
                    }
                }
            }
        });
        third.recv().await.unwrap();
        trigger.trigger();
        jobs.finish().await;
        assert_eq!(runs.load(Ordering::SeqCst), 3);
    }
}
