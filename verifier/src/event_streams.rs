//! Streams of server-sent events, and the looks at the database behind them. However many follow
//! the same thing, one asks for all of them; all looks together hold few connections, so that
//! streams take none from the logins; and both the streams of one thing and those of a process
//! have an end.

pub mod told;

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use axum::response::sse::Event;
use futures::Stream;
use tokio::sync::{Semaphore, oneshot, watch};

use crate::changes::Listener;

/// How often the database is asked, for changes made by another process.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// Looks at one time. The pool of readers is larger, and the rest of it belongs to requests.
const LOOKS: usize = 2;
/// Streams of one thing: the tabs of a browser that somebody may have open. A new one ends the oldest.
const OF_ONE: usize = 4;
/// Streams of a process; whoever comes then is told to come later.
const OF_PROCESS: usize = 1024;
/// A browser whose stream was ended for a newer one waits so long before it asks for another.
const COME_BACK: Duration = Duration::from_secs(15);
/// Seconds to wait where there is no room.
pub const FULL_WAIT_S: u64 = 5;

/// What a stream tells.
pub trait State: Clone + PartialEq + Send + Sync + 'static {
    /// Whether nothing will follow.
    fn is_final(&self) -> bool;
}

/// This process has as many streams as it serves.
#[derive(Debug, thiserror::Error)]
#[error("the process serves no more streams of events")]
pub struct Full;

/// The streams of one kind: of things `Id`, seen in the way `View`.
pub struct EventStreams<Id, View, S>(Arc<Shared<Id, View, S>>);

struct Shared<Id, View, S> {
    open: Mutex<Open<Id, View, S>>,
    looks: Semaphore,
    most: usize,
}

struct Open<Id, View, S> {
    groups: HashMap<Id, Group<View, S>>,
    streams: usize,
    last: u64,
}

/// The streams of one thing.
struct Group<View, S> {
    /// The oldest first.
    members: VecDeque<Member>,
    /// Who looks for them.
    looks: HashMap<View, Weak<watch::Sender<Option<S>>>>,
}

struct Member {
    number: u64,
    /// Dropped to end it.
    _end: oneshot::Sender<()>,
}

impl<Id, View, S> Default for EventStreams<Id, View, S> {
    fn default() -> Self {
        Self::at_most(OF_PROCESS)
    }
}

impl<Id, View, S> EventStreams<Id, View, S> {
    fn at_most(most: usize) -> Self {
        let open = Open {
            groups: HashMap::new(),
            streams: 0,
            last: 0,
        };
        Self(Arc::new(Shared {
            open: Mutex::new(open),
            looks: Semaphore::new(LOOKS),
            most,
        }))
    }
}

impl<Id, View, S> EventStreams<Id, View, S>
where
    Id: Clone + Eq + Hash + Send + Sync + 'static,
    View: Eq + Hash + Send + 'static,
    S: State,
{
    /// A stream of what `look` finds, each state once, up to a final one. `look` says `None` while
    /// it cannot tell; `changed` hears of changes of this process.
    pub fn open<L, F>(
        &self,
        id: Id,
        view: View,
        changed: Listener<Id>,
        look: L,
    ) -> Result<Following<Id, View, S>, Full>
    where
        L: Fn() -> F + Send + 'static,
        F: Future<Output = Option<S>> + Send + 'static,
    {
        let shared = &self.0;
        let (end, ended) = oneshot::channel();
        let mut open = shared.lock();
        let others = open.groups.get(&id).map_or(0, |group| group.members.len());
        if others < OF_ONE && open.streams >= shared.most {
            return Err(Full);
        }
        open.last += 1;
        open.streams += 1;
        let number = open.last;
        let group = open.groups.entry(id.clone()).or_insert_with(|| Group {
            members: VecDeque::new(),
            looks: HashMap::new(),
        });
        group.members.push_back(Member { number, _end: end });
        let older = (group.members.len() > OF_ONE).then(|| group.members.pop_front());
        let known = group.looks.get(&view).and_then(Weak::upgrade);
        let states = match known {
            Some(sender) => sender.subscribe(),
            None => {
                let (sender, states) = watch::channel(None);
                let sender = Arc::new(sender);
                group.looks.insert(view, Arc::downgrade(&sender));
                let looking = look_for_all(Arc::clone(shared), sender, changed, look);
                tokio::spawn(vouchsafe_service::tenant::inherit(looking));
                states
            }
        };
        if older.is_some() {
            open.streams -= 1;
        }
        Ok(Following {
            states,
            ended,
            _seat: Seat {
                shared: Arc::clone(shared),
                id,
                number,
            },
        })
    }
}

impl<Id, View, S> Shared<Id, View, S> {
    /// Each change is whole before anything can panic, so a poisoned lock says nothing.
    fn lock(&self) -> MutexGuard<'_, Open<Id, View, S>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks until nobody follows any more or the state is final.
async fn look_for_all<Id, View, S, L, F>(
    shared: Arc<Shared<Id, View, S>>,
    sender: Arc<watch::Sender<Option<S>>>,
    mut changed: Listener<Id>,
    look: L,
) where
    Id: Clone + PartialEq,
    S: State,
    L: Fn() -> F,
    F: Future<Output = Option<S>>,
{
    loop {
        let seen = {
            // Nobody closes it.
            let Ok(_turn) = shared.looks.acquire().await else {
                return;
            };
            look().await
        };
        if let Some(state) = seen {
            let over = state.is_final();
            sender.send_if_modified(|told| {
                let new = told.as_ref() != Some(&state);
                *told = Some(state);
                new
            });
            if over {
                return;
            }
        }
        tokio::select! {
            () = changed.changed() => {}
            () = tokio::time::sleep(ASK_EVERY) => {}
            () = sender.closed() => {
                // Whoever comes meanwhile holds the lock while it joins.
                let open = shared.lock();
                if sender.receiver_count() == 0 {
                    drop(sender);
                    drop(open);
                    return;
                }
            }
        }
    }
}

/// The place of a stream, given back when it is over.
struct Seat<Id: Eq + Hash, View, S> {
    shared: Arc<Shared<Id, View, S>>,
    id: Id,
    number: u64,
}

impl<Id: Eq + Hash, View, S> Drop for Seat<Id, View, S> {
    fn drop(&mut self) {
        let mut open = self.shared.lock();
        let Some(group) = open.groups.get_mut(&self.id) else {
            return;
        };
        let before = group.members.len();
        group.members.retain(|member| member.number != self.number);
        let freed = before - group.members.len();
        if group.members.is_empty() {
            open.groups.remove(&self.id);
        }
        open.streams -= freed;
    }
}

/// What one stream follows.
pub struct Following<Id: Eq + Hash, View, S> {
    states: watch::Receiver<Option<S>>,
    ended: oneshot::Receiver<()>,
    _seat: Seat<Id, View, S>,
}

/// Why there is no next state.
enum Over {
    /// A newer stream took the place.
    Replaced,
    /// Nobody looks any more.
    Silent,
}

impl<Id: Eq + Hash, View, S: State> Following<Id, View, S> {
    /// The next state that is not `last`.
    async fn next(&mut self, last: Option<&S>) -> Result<S, Over> {
        loop {
            let state = self.states.borrow_and_update().clone();
            if let Some(state) = state
                && last != Some(&state)
            {
                return Ok(state);
            }
            tokio::select! {
                change = self.states.changed() => change.map_err(|_| Over::Silent)?,
                _ = &mut self.ended => return Err(Over::Replaced),
            }
        }
    }

    /// The states as events.
    pub fn events(
        self,
        event: impl Fn(&S) -> Event,
    ) -> impl Stream<Item = Result<Event, Infallible>> {
        futures::stream::unfold(
            (Some((self, None::<S>)), event),
            async move |(following, event)| {
                let (mut following, last) = following?;
                match following.next(last.as_ref()).await {
                    Ok(state) => {
                        let told = event(&state);
                        let next = (!state.is_final()).then_some((following, Some(state)));
                        Some((Ok(told), (next, event)))
                    }
                    Err(Over::Replaced) => {
                        // A browser comes back by itself, and would end the next one at once.
                        let wait = Event::default().retry(COME_BACK);
                        Some((Ok(wait), (None, event)))
                    }
                    Err(Over::Silent) => None,
                }
            },
        )
    }
}

#[cfg(test)]
mod tests;
