//! Scripted clients that keep a server busy, and the server's CPU time.

use std::future::Future;
use std::time::{Duration, Instant};

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
    clients: usize,
    per_ms: Option<f64>,
}

impl<'a, S: Scenario> Load<'a, S> {
    /// Not started yet.
    pub fn new(runtime: &'a Runtime, process: u32, scenario: S) -> Self {
        Self {
            runtime,
            process,
            scenario,
            clients: CLIENTS,
            per_ms: None,
        }
    }

    /// The same with one client, for what several at once would disturb.
    pub fn one_by_one(runtime: &'a Runtime, process: u32, scenario: S) -> Self {
        Self {
            clients: 1,
            ..Self::new(runtime, process, scenario)
        }
    }

    async fn measure(&self, operations: usize) -> Result<(Slice, f64)> {
        let prepared: Vec<S::Prepared> = stream::iter(0..operations)
            .map(|_| self.scenario.prepare())
            .buffer_unordered(self.clients)
            .try_collect()
            .await?;
        let (start, cpu) = (Instant::now(), cpu::process_us(self.process)?);
        let outcomes: Vec<S::Outcome> = stream::iter(prepared)
            .map(|prepared| self.scenario.run(prepared))
            .buffer_unordered(self.clients)
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

/// Operations that many clients begin, with the time that each took.
pub struct Timed {
    /// From the first to the last.
    pub seconds: f64,
    /// Of each operation in milliseconds, the smallest first.
    pub latencies_ms: Vec<f64>,
}

impl Timed {
    /// Operations in a second.
    pub fn per_second(&self) -> f64 {
        self.latencies_ms.len() as f64 / self.seconds
    }

    /// The latency that this part of the operations does not exceed.
    pub fn quantile_ms(&self, part: f64) -> f64 {
        let last = self.latencies_ms.len() - 1;
        self.latencies_ms[(part * last as f64).round() as usize]
    }
}

/// Lets `clients` work at once, each as fast as it is served. By the wall clock.
pub async fn at_once<S: Scenario>(
    scenario: &S,
    clients: usize,
    operations: usize,
) -> Result<Timed> {
    timed(scenario, operations, clients, |_| Duration::ZERO).await
}

/// Begins operations at an even rate, whether those before have ended or not; the time of each is
/// counted from when it was to begin.
pub async fn at_rate<S: Scenario>(
    scenario: &S,
    per_second: f64,
    operations: usize,
) -> Result<Timed> {
    let due = |number: usize| Duration::from_secs_f64(number as f64 / per_second);
    timed(scenario, operations, operations, due).await
}

async fn timed<S: Scenario>(
    scenario: &S,
    operations: usize,
    clients: usize,
    due: impl Fn(usize) -> Duration,
) -> Result<Timed> {
    ensure!(operations > 0, "no operation");
    let prepared: Vec<S::Prepared> = stream::iter(0..operations)
        .map(|_| scenario.prepare())
        .buffer_unordered(CLIENTS)
        .try_collect()
        .await?;
    let start = Instant::now();
    let done: Vec<(S::Outcome, f64)> = stream::iter(prepared.into_iter().enumerate())
        .map(async |(number, prepared)| {
            let due = due(number);
            tokio::time::sleep_until((start + due).into()).await;
            let begun = start.elapsed();
            let outcome = scenario.run(prepared).await?;
            let since = if due.is_zero() { begun } else { due };
            Ok::<_, anyhow::Error>((outcome, (start.elapsed() - since).as_secs_f64() * 1e3))
        })
        .buffer_unordered(clients)
        .try_collect()
        .await?;
    let seconds = start.elapsed().as_secs_f64();
    let mut latencies_ms = Vec::with_capacity(done.len());
    for (outcome, taken) in done {
        scenario.check(outcome)?;
        latencies_ms.push(taken);
    }
    latencies_ms.sort_by(f64::total_cmp);
    Ok(Timed {
        seconds,
        latencies_ms,
    })
}
