//! Tells the pages and callers of this process that a login or a verification has moved on, so that
//! they need not ask again and again. Those of other processes find out by asking the database once
//! a second.

use tokio::sync::broadcast;

use crate::domain::ids::TransactionId;

/// How many changes a slow listener may be behind.
const CAPACITY: usize = 256;

/// Announces and hears changes.
#[derive(Debug, Clone)]
pub struct Changes<Id = TransactionId>(broadcast::Sender<Id>);

impl<Id: Clone> Default for Changes<Id> {
    fn default() -> Self {
        Self(broadcast::channel(CAPACITY).0)
    }
}

impl<Id: Clone + PartialEq> Changes<Id> {
    /// It has changed.
    pub fn announce(&self, id: &Id) {
        // Nobody may be listening; that is fine.
        let _ = self.0.send(id.clone());
    }

    /// Hears changes of one of them.
    #[must_use]
    pub fn listen(&self, id: &Id) -> Listener<Id> {
        Listener {
            id: id.clone(),
            receiver: self.0.subscribe(),
        }
    }
}

/// Waits for a change of one of them.
#[derive(Debug)]
pub struct Listener<Id = TransactionId> {
    id: Id,
    receiver: broadcast::Receiver<Id>,
}

impl<Id: Clone + PartialEq> Listener<Id> {
    /// Returns when it may have changed.
    pub async fn changed(&mut self) {
        loop {
            match self.receiver.recv().await {
                Ok(id) if id == self.id => return,
                Ok(_) => {}
                // Some were missed: one of them may have been ours.
                Err(broadcast::error::RecvError::Lagged(_)) => return,
                Err(broadcast::error::RecvError::Closed) => return std::future::pending().await,
            }
        }
    }
}
