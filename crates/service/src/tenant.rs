//! Whose work it is, where several services share a process: log lines and metrics name it.
//!
//! A service on its own has no name, and its lines and metrics look as they always did.

use std::{fmt, sync::Arc};

use metrics::{
    Counter, Gauge, Histogram, Key, KeyName, Label, Metadata, Recorder, SharedString, Unit,
};
use tracing::{Instrument, Span};

tokio::task_local! {
    static CURRENT: Tenant;
}

/// The name of a tenant: 1 to 63 lower-case letters, digits and hyphens.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tenant(Arc<str>);

impl Tenant {
    /// A name that fits. `None` for any other text.
    pub fn parse(name: &str) -> Option<Self> {
        let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let good = (1..=63).contains(&name.len()) && name.bytes().all(fits);
        good.then(|| Self(name.into()))
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// Whose work this is, if it is somebody's.
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Clone::clone).ok()
    }

    /// Does `work` in the name of the tenant.
    pub async fn scope<F: Future>(&self, work: F) -> F::Output {
        // An error span: no filter that lets a line through drops the name from it.
        let span = tracing::error_span!("tenant", name = %self.0);
        CURRENT.scope(self.clone(), work).instrument(span).await
    }
}

impl fmt::Display for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tenant({self})")
    }
}

/// Work that goes on in another task, in the name of who began it.
pub fn inherit<F: Future>(work: F) -> impl Future<Output = F::Output> {
    let inherited = Inherited::now();
    async move { inherited.scope(work).await }
}

/// In whose name something is done, to be taken to another thread.
#[derive(Debug, Clone)]
pub(crate) struct Inherited {
    tenant: Option<Tenant>,
    span: Span,
}

impl Inherited {
    pub(crate) fn now() -> Self {
        Self {
            tenant: Tenant::current(),
            span: Span::current(),
        }
    }

    pub(crate) async fn scope<F: Future>(self, work: F) -> F::Output {
        let work = work.instrument(self.span);
        match self.tenant {
            Some(tenant) => CURRENT.scope(tenant, work).await,
            None => work.await,
        }
    }
}

/// A recorder of metrics that puts the tenant's name to every one of them.
pub(crate) struct PerTenant<R>(pub R);

fn named(key: &Key) -> Key {
    match Tenant::current() {
        Some(Tenant(name)) => key.with_extra_labels(vec![Label::new("tenant", name)]),
        None => key.clone(),
    }
}

impl<R: Recorder> Recorder for PerTenant<R> {
    fn describe_counter(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.0.describe_counter(key, unit, description);
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.0.describe_gauge(key, unit, description);
    }

    fn describe_histogram(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.0.describe_histogram(key, unit, description);
    }

    fn register_counter(&self, key: &Key, metadata: &Metadata<'_>) -> Counter {
        self.0.register_counter(&named(key), metadata)
    }

    fn register_gauge(&self, key: &Key, metadata: &Metadata<'_>) -> Gauge {
        self.0.register_gauge(&named(key), metadata)
    }

    fn register_histogram(&self, key: &Key, metadata: &Metadata<'_>) -> Histogram {
        self.0.register_histogram(&named(key), metadata)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_fit_for_labels_and_files() {
        for good in ["gym", "a", "club-2", &"x".repeat(63)] {
            assert_eq!(Tenant::parse(good).unwrap().name(), good);
        }
        for bad in ["", "Gym", "a b", "a/b", "a\n", "é", "a.b", &"x".repeat(64)] {
            assert_eq!(Tenant::parse(bad), None, "{bad}");
        }
    }

    #[tokio::test]
    async fn work_of_other_tasks_keeps_the_name_and_nobody_else_gets_it() {
        let gym = Tenant::parse("gym").unwrap();
        let metric = Key::from_name("requests");
        gym.scope(async {
            assert_eq!(Tenant::current(), Some(gym.clone()));
            let inherited = tokio::spawn(inherit(async { Tenant::current() }));
            assert_eq!(inherited.await.unwrap(), Some(gym.clone()));
            assert_eq!(
                tokio::spawn(async { Tenant::current() }).await.unwrap(),
                None
            );
            let labels: Vec<_> = named(&metric).labels().cloned().collect();
            assert_eq!(labels, [Label::new("tenant", "gym")]);
        })
        .await;
        assert_eq!(Tenant::current(), None);
        assert_eq!(named(&metric), metric);
    }
}
