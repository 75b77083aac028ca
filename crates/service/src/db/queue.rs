//! The way of units of work to the writer, and how it ends.

use tokio::sync::{mpsc, watch};

use super::write::Job;

/// Units of work that may wait for the writer; more of them make callers wait.
const ROOM: usize = 1024;

/// Where callers put units of work.
#[derive(Debug, Clone)]
pub(super) struct Jobs {
    sender: mpsc::Sender<Box<dyn Job>>,
    stop: watch::Sender<bool>,
    /// Fails when the writer has ended.
    ended: watch::Receiver<()>,
}

/// Where the writer takes them from.
pub(super) struct Queue {
    receiver: mpsc::Receiver<Box<dyn Job>>,
    stop: watch::Receiver<bool>,
}

/// To be dropped when the writer has ended.
pub(super) struct End(
    #[expect(dead_code, reason = "that it is dropped says it")] watch::Sender<()>,
);

pub(super) fn queue() -> (Jobs, Queue, End) {
    let (sender, receiver) = mpsc::channel(ROOM);
    let (stop, stopped) = watch::channel(false);
    let (end, ended) = watch::channel(());
    let jobs = Jobs {
        sender,
        stop,
        ended,
    };
    let queue = Queue {
        receiver,
        stop: stopped,
    };
    (jobs, queue, End(end))
}

impl std::fmt::Debug for Box<dyn Job> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Job")
    }
}

impl Jobs {
    /// False: nobody takes units of work any more.
    pub(super) async fn put(&self, job: Box<dyn Job>) -> bool {
        self.sender.send(job).await.is_ok()
    }

    /// Takes nothing new, and waits until the writer has done what was put in and has ended.
    pub(super) async fn close(&self) {
        self.stop.send_replace(true);
        let mut ended = self.ended.clone();
        while ended.changed().await.is_ok() {}
    }
}

impl Queue {
    /// The next unit of work; `None` when there will be no more.
    pub(super) async fn next(&mut self) -> Option<Box<dyn Job>> {
        tokio::select! {
            biased;
            job = self.receiver.recv() => return job,
            _ = self.stop.wait_for(|stop| *stop) => {}
        }
        self.receiver.close();
        self.receiver.recv().await
    }

    /// The next one, if it waits already.
    pub(super) fn waiting(&mut self) -> Option<Box<dyn Job>> {
        self.receiver.try_recv().ok()
    }
}
