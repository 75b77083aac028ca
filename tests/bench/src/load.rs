//! Scripted clients that keep a server busy, and the server's CPU time.

use std::future::Future;

use anyhow::{Result, ensure};
use futures::{StreamExt, TryStreamExt, stream};
use tokio::runtime::Runtime;

use crate::cpu;
use crate::slices::{Contender, Slice};

/// How many clients work at the same time.
const CLIENTS: usize = 4;
/// Operations of the first slice, which tells how fast the server is.
const FIRST: usize = 40;

/// What a client does, over and over.
pub trait Scenario {
    /// What an operation needs, made before anything is measured.
    type Prepared;
    /// What an operation gave.
    type Outcome;

    /// Makes what one operation needs.
    fn prepare(&self) -> impl Future<Output = Result<Self::Prepared>>;
    /// One operation.
    fn run(&self, prepared: Self::Prepared) -> impl Future<Output = Result<Self::Outcome>>;
    /// Whether the operation gave what it should; nothing counts otherwise.
    fn check(&self, outcome: Self::Outcome) -> Result<()>;
}

/// A scenario against a server process.
pub struct Load<'a, S> {
    /// The runtime of the clients.
    pub runtime: &'a Runtime,
    /// The server.
    pub process: u32,
    /// What the clients do.
    pub scenario: S,
    per_ms: Option<f64>,
}

impl<'a, S: Scenario> Load<'a, S> {
    /// Not started yet.
    pub fn new(runtime: &'a Runtime, process: u32, scenario: S) -> Self {
        Self {
            runtime,
            process,
            scenario,
            per_ms: None,
        }
    }

    async fn measure(&self, operations: usize) -> Result<(Slice, f64)> {
        let prepared: Vec<S::Prepared> = stream::iter(0..operations)
            .map(|_| self.scenario.prepare())
            .buffer_unordered(CLIENTS)
            .try_collect()
            .await?;
        let (start, cpu) = (std::time::Instant::now(), cpu::process_us(self.process)?);
        let outcomes: Vec<S::Outcome> = stream::iter(prepared)
            .map(|prepared| self.scenario.run(prepared))
            .buffer_unordered(CLIENTS)
            .try_collect()
            .await?;
        let slice = Slice {
            operations: outcomes.len() as u64,
            cpu_us: cpu::process_us(self.process)? - cpu,
        };
        let elapsed_ms = start.elapsed().as_secs_f64() * 1e3;
        ensure!(outcomes.len() == operations, "operations were lost");
        outcomes
            .into_iter()
            .try_for_each(|outcome| self.scenario.check(outcome))?;
        Ok((slice, elapsed_ms))
    }
}

impl<S: Scenario> Contender for Load<'_, S> {
    fn slice(&mut self, milliseconds: u64) -> Result<Slice> {
        let operations = match self.per_ms {
            None => FIRST,
            Some(rate) => ((rate * milliseconds as f64) as usize).max(CLIENTS),
        };
        let (slice, elapsed_ms) = self.runtime.block_on(self.measure(operations))?;
        self.per_ms = Some(operations as f64 / elapsed_ms);
        Ok(slice)
    }
}
