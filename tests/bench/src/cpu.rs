//! CPU time from the kernel's accounting, in microseconds.

use anyhow::{Context, Result};

/// The name of this thread in the accounting, for [`of_thread`].
pub fn this_thread() -> Result<String> {
    let name = std::fs::read_link("/proc/thread-self")?;
    Ok(format!("/proc/{}", name.display()))
}

/// What a thread has used.
pub fn of_thread(name: &str) -> Result<f64> {
    let text = std::fs::read_to_string(format!("{name}/schedstat"))?;
    parse(&text)
}

/// What this thread has used.
pub fn thread_us() -> Result<f64> {
    of_thread("/proc/thread-self")
}

/// What all living threads of a process have used.
pub fn process_us(id: u32) -> Result<f64> {
    let mut sum = 0.0;
    for thread in std::fs::read_dir(format!("/proc/{id}/task"))? {
        let path = thread?.path().join("schedstat");
        // A thread may end between the listing and the reading.
        if let Ok(text) = std::fs::read_to_string(path) {
            sum += parse(&text)?;
        }
    }
    Ok(sum)
}

/// The first number is nanoseconds on a processor.
fn parse(schedstat: &str) -> Result<f64> {
    let nanoseconds: f64 = schedstat.split(' ').next().context("no figure")?.parse()?;
    Ok(nanoseconds / 1e3)
}
