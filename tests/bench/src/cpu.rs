//! CPU time from the kernel's accounting.

use anyhow::{Context, Result};

/// CPU time that this thread has used, in microseconds.
pub fn thread_us() -> Result<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds: f64 = text.split(' ').next().context("no figure")?.parse()?;
    Ok(nanoseconds / 1e3)
}

/// CPU time that all threads of a process have used, in microseconds.
pub fn process_us(id: u32) -> Result<f64> {
    let mut nanoseconds = 0.0;
    for thread in std::fs::read_dir(format!("/proc/{id}/task"))? {
        let path = thread?.path().join("schedstat");
        // A thread may end between the listing and the reading.
        if let Ok(text) = std::fs::read_to_string(path) {
            nanoseconds += text
                .split(' ')
                .next()
                .context("no figure")?
                .parse::<f64>()?;
        }
    }
    Ok(nanoseconds / 1e3)
}
