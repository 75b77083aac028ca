//! Contenders that take turns.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde::Serialize;

use crate::cpu;

/// How long to measure.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Plan {
    /// Slices of each contender.
    pub slices: usize,
    /// Length of a slice in milliseconds.
    pub slice_ms: u64,
    /// Samples of each kind, where times are compared.
    pub samples: usize,
}

/// One slice: operations done and the CPU time they took.
#[derive(Clone, Copy, Debug)]
pub struct Slice {
    /// Operations.
    pub operations: u64,
    /// CPU time in microseconds.
    pub cpu_us: f64,
}

/// Somebody who works for a slice.
pub trait Contender {
    /// Works for about so long.
    fn slice(&mut self, milliseconds: u64) -> Result<Slice>;
}

/// A median with its spread, in microseconds of CPU per operation.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Figure {
    /// The median over the slices.
    pub median_us: f64,
    /// The smallest.
    pub min_us: f64,
    /// The largest.
    pub max_us: f64,
}

impl Plan {
    /// Lets the contenders take turns and returns a figure for each.
    pub fn race(&self, contenders: &mut [&mut dyn Contender]) -> Result<Vec<Figure>> {
        let mut times = vec![Vec::new(); contenders.len()];
        for contender in contenders.iter_mut() {
            contender.slice(self.slice_ms / 4 + 1)?; // warm-up
        }
        for _ in 0..self.slices.max(1) {
            for (contender, times) in contenders.iter_mut().zip(&mut times) {
                let slice = contender.slice(self.slice_ms)?;
                ensure!(slice.operations > 0, "a slice without an operation");
                times.push(slice.cpu_us / slice.operations as f64);
            }
        }
        Ok(times.into_iter().map(Figure::of).collect())
    }
}

impl Figure {
    /// The figure of a list of measurements, which must not be empty.
    pub fn of(mut times: Vec<f64>) -> Self {
        times.sort_by(f64::total_cmp);
        Self {
            median_us: times[times.len() / 2],
            min_us: times[0],
            max_us: times[times.len() - 1],
        }
    }

    /// The figure of one of `count` operations that were measured together.
    pub fn per(self, count: u64) -> Self {
        let one = |us: f64| us / count as f64;
        Self {
            median_us: one(self.median_us),
            min_us: one(self.min_us),
            max_us: one(self.max_us),
        }
    }
}

/// A contender on this thread: an operation that is repeated.
pub struct Here<F>(pub F);

impl<F: FnMut() -> Result<()>> Contender for Here<F> {
    fn slice(&mut self, milliseconds: u64) -> Result<Slice> {
        let length = Duration::from_millis(milliseconds);
        let (start, cpu) = (Instant::now(), cpu::thread_us()?);
        let mut operations = 0;
        while start.elapsed() < length {
            (self.0)()?;
            operations += 1;
        }
        Ok(Slice {
            operations,
            cpu_us: cpu::thread_us()? - cpu,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        let figure = Figure::of(vec![3.0, 1.0, 9.0]);
        assert_eq!(
            (figure.median_us, figure.min_us, figure.max_us),
            (3.0, 1.0, 9.0)
        );
    }

    #[test]
    fn everybody_works_in_every_round() {
        let (mut first, mut second) = (0, 0);
        let plan = Plan {
            samples: 1,
            slices: 3,
            slice_ms: 1,
        };
        let figures = plan
            .race(&mut [
                &mut Here(|| {
                    first += 1;
                    Ok(())
                }),
                &mut Here(|| {
                    second += 1;
                    Ok(())
                }),
            ])
            .unwrap();
        assert_eq!(figures.len(), 2);
        assert!(first >= 4 && second >= 4);
    }
}
