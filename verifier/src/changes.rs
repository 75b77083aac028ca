//! Tells the pages of this process that a login has moved on, so that they need not ask again
//! and again. Pages of other processes find out by asking the database once a second.

use tokio::sync::broadcast;

use crate::domain::ids::TransactionId;

/// How many changes a slow listener may be behind.
const CAPACITY: usize = 256;

/// Announces and hears changes.
#[derive(Debug, Clone)]
pub struct Changes(broadcast::Sender<TransactionId>);

impl Default for Changes {
    fn default() -> Self {
        Self(broadcast::channel(CAPACITY).0)
    }
}

impl Changes {
    /// A login has changed.
    pub fn announce(&self, id: &TransactionId) {
        // Nobody may be listening; that is fine.
        let _ = self.0.send(id.clone());
    }

    /// Hears changes of one login.
    #[must_use]
    pub fn listen(&self, id: &TransactionId) -> Listener {
        Listener {
            id: id.clone(),
            receiver: self.0.subscribe(),
        }
    }
}

/// Waits for a change of one login.
#[derive(Debug)]
pub struct Listener {
    id: TransactionId,
    receiver: broadcast::Receiver<TransactionId>,
}

impl Listener {
    /// Returns when the login may have changed.
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
