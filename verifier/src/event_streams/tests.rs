use std::sync::atomic::{AtomicUsize, Ordering};

use futures::StreamExt as _;

use super::*;
use crate::changes::Changes;

impl State for u32 {
    fn is_final(&self) -> bool {
        *self == 9
    }
}

type Streams = EventStreams<u8, (), u32>;

/// A thing that somebody looks at.
#[derive(Clone, Default)]
struct Thing {
    state: Arc<AtomicUsize>,
    looks: Arc<AtomicUsize>,
    changes: Changes<u8>,
}

impl Thing {
    fn follow(&self, streams: &Streams, id: u8) -> Result<Following<u8, (), u32>, Full> {
        let thing = self.clone();
        streams.open(id, (), self.changes.listen(&id), move || {
            thing.looks.fetch_add(1, Ordering::SeqCst);
            let state = thing.state.load(Ordering::SeqCst);
            async move { u32::try_from(state).ok() }
        })
    }

    fn becomes(&self, state: usize) {
        self.state.store(state, Ordering::SeqCst);
    }
}

fn count<V, S>(streams: &EventStreams<u8, V, S>) -> (usize, usize) {
    let open = streams.0.lock();
    (open.streams, open.groups.len())
}

#[tokio::test]
async fn one_looks_for_all_who_follow_the_same_thing() {
    let (streams, thing) = (Streams::default(), Thing::default());
    let mut all: Vec<_> = (0..OF_ONE)
        .map(|_| thing.follow(&streams, 1).unwrap())
        .collect();
    for one in &mut all {
        assert_eq!(one.next(None).await.ok(), Some(0));
    }
    // One look for all of them, and perhaps that of the next second.
    assert!(thing.looks.load(Ordering::SeqCst) < OF_ONE);
    thing.becomes(2);
    thing.changes.announce(&1);
    for one in &mut all {
        assert_eq!(one.next(Some(&0)).await.ok(), Some(2));
    }
    drop(all);
    // Whoever looked ends, too: nobody else holds the streams.
    while Arc::strong_count(&streams.0) > 1 {
        tokio::task::yield_now().await;
    }
    assert_eq!(count(&streams), (0, 0));
}

#[tokio::test]
async fn a_new_stream_ends_the_oldest() {
    let (streams, thing) = (Streams::default(), Thing::default());
    let mut all = VecDeque::new();
    for _ in 0..OF_ONE {
        let events = thing.follow(&streams, 1).unwrap();
        all.push_back(Box::pin(events.events(|_| Event::default())));
    }
    for one in &mut all {
        assert!(one.next().await.is_some());
    }
    let mut newest = thing.follow(&streams, 1).unwrap();
    assert_eq!(newest.next(None).await.ok(), Some(0));
    let mut oldest = all.pop_front().unwrap();
    // It is told when to come back, and no more.
    assert!(oldest.next().await.is_some());
    assert!(oldest.next().await.is_none());
    assert_eq!(count(&streams), (OF_ONE, 1));
    // All others go on.
    thing.becomes(9);
    for one in &mut all {
        assert!(one.next().await.is_some());
        assert!(one.next().await.is_none(), "what is final is the last");
    }
}

#[tokio::test]
async fn a_process_has_an_end_and_room_again() {
    let (streams, thing) = (Streams::at_most(5), Thing::default());
    let held: Vec<_> = (0..5).map(|id| thing.follow(&streams, id)).collect();
    assert!(held.iter().all(Result::is_ok));
    assert!(thing.follow(&streams, 6).is_err());
    assert!(
        thing.follow(&streams, 0).is_err(),
        "nor another of a known one"
    );
    assert_eq!(count(&streams), (5, 5));
    drop(held);
    assert_eq!(count(&streams), (0, 0));
    assert!(thing.follow(&streams, 6).is_ok());
}

#[tokio::test]
async fn looks_wait_for_each_other() {
    let streams = Streams::default();
    let now = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let changes = Changes::<u8>::default();
    let mut held = Vec::new();
    for id in 0..50 {
        let (now, most) = (Arc::clone(&now), Arc::clone(&most));
        let look = move || {
            let (now, most) = (Arc::clone(&now), Arc::clone(&most));
            async move {
                let others = now.fetch_add(1, Ordering::SeqCst);
                most.fetch_max(others + 1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                now.fetch_sub(1, Ordering::SeqCst);
                Some(0)
            }
        };
        held.push(streams.open(id, (), changes.listen(&id), look).unwrap());
    }
    for one in &mut held {
        assert_eq!(one.next(None).await.ok(), Some(0));
    }
    assert_eq!(most.load(Ordering::SeqCst), LOOKS);
}
