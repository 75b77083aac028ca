//! What both sessions are made of: one thing that waits for the person, one call at a time, and no
//! way out of a call that leaves the session half open.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::{AbortHandle, Abortable};

use crate::error::WalletError;

/// Is told that the state of a session changed. Called on the thread of whoever changed it, and
/// never while the session holds a lock: it may ask for the state.
#[uniffi::export(with_foreign)]
pub trait SessionListener: Send + Sync {
    /// The state changed.
    fn on_change(&self);
}

/// How a call left the session.
pub(crate) struct After<T, S> {
    /// What waits for the person now; none: the session has ended.
    pub(crate) waiting: Option<T>,
    /// The state to show.
    pub(crate) state: S,
    /// What the caller is told.
    pub(crate) result: Result<(), WalletError>,
}

/// A session: `T` waits, `S` is shown.
pub(crate) struct Machine<T, S> {
    inner: Mutex<Inner<T, S>>,
    listener: Mutex<Option<Arc<dyn SessionListener>>>,
    /// The state of a session that was cancelled.
    canceled: fn() -> S,
}

struct Inner<T, S> {
    waiting: Option<T>,
    state: S,
    running: Option<AbortHandle>,
}

impl<T, S: Clone> Machine<T, S> {
    pub(crate) fn new(waiting: T, state: S, canceled: fn() -> S) -> Self {
        Self {
            inner: Mutex::new(Inner {
                waiting: Some(waiting),
                state,
                running: None,
            }),
            listener: Mutex::new(None),
            canceled,
        }
    }

    pub(crate) fn state(&self) -> S {
        self.lock().state.clone()
    }

    pub(crate) fn listen(&self, listener: Option<Arc<dyn SessionListener>>) {
        *self.listener.lock().unwrap_or_else(PoisonError::into_inner) = listener;
    }

    /// Runs a call on what waits, where it is what the call is for. `busy` is the state meanwhile.
    pub(crate) async fn run<F>(
        &self,
        busy: S,
        fits: fn(&T) -> bool,
        work: impl FnOnce(T) -> F,
    ) -> Result<(), WalletError>
    where
        F: Future<Output = After<T, S>>,
    {
        let (handle, registration) = AbortHandle::new_pair();
        let waiting = self.begin(busy, fits, handle)?;
        // From here on the session ends unless the call says how it goes on: the caller may drop
        // this future wherever it waits.
        let mut ending = Ending {
            machine: self,
            after: None,
        };
        self.notify();
        let Ok(After {
            waiting,
            state,
            result,
        }) = Abortable::new(work(waiting), registration).await
        else {
            return Err(WalletError::canceled());
        };
        ending.after = Some((waiting, state));
        result
    }

    /// Shows a state in the middle of a call.
    pub(crate) fn show(&self, state: S) {
        self.lock().state = state;
        self.notify();
    }

    /// Takes what waits away and ends the session; ends a call that is under way.
    pub(crate) fn cancel(&self) -> Option<T> {
        let mut inner = self.lock();
        if let Some(running) = inner.running.take() {
            drop(inner);
            // Its future notices, drops what it holds, and shows the end.
            running.abort();
            return None;
        }
        let waiting = inner.waiting.take()?;
        inner.state = (self.canceled)();
        drop(inner);
        self.notify();
        Some(waiting)
    }

    fn begin(&self, busy: S, fits: fn(&T) -> bool, handle: AbortHandle) -> Result<T, WalletError> {
        let mut inner = self.lock();
        let waiting = inner.waiting.take_if(|waiting| fits(waiting));
        let waiting = waiting.ok_or_else(WalletError::wrong_state)?;
        inner.state = busy;
        inner.running = Some(handle);
        Ok(waiting)
    }

    fn notify(&self) {
        let listener = {
            let listener = self.listener.lock();
            listener.unwrap_or_else(PoisonError::into_inner).clone()
        };
        if let Some(listener) = listener {
            // An app's listener that throws comes here as a panic. It ends nothing: the state is what
            // it is, and a second one on the way out would end the app.
            let told = catch_unwind(AssertUnwindSafe(|| listener.on_change()));
            drop(told);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner<T, S>> {
        // No code panics while it holds the lock, so what it guards is whole.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends a call, however it ends.
struct Ending<'a, T, S: Clone> {
    machine: &'a Machine<T, S>,
    after: Option<(Option<T>, S)>,
}

impl<T, S: Clone> Drop for Ending<'_, T, S> {
    fn drop(&mut self) {
        let (waiting, state) = match self.after.take() {
            Some(after) => after,
            None => (None, (self.machine.canceled)()),
        };
        {
            let mut inner = self.machine.lock();
            inner.waiting = waiting;
            inner.state = state;
            inner.running = None;
        }
        self.machine.notify();
    }
}
