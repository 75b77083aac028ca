//! Answers to the one question that wait for others: one that showed at once would be that of whoever logged
//! in a moment ago.

use std::sync::{Mutex, PoisonError};

/// So many answers show together.
pub const GROUP: usize = 5;

/// Answers that wait.
#[derive(Debug, Default)]
pub struct Answers(Mutex<Vec<&'static str>>);

impl Answers {
    /// One more; the group that shows now, where it is whole.
    pub fn add(&self, answer: &'static str) -> Vec<&'static str> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.push(answer);
        match waiting.len() >= GROUP {
            true => std::mem::take(&mut *waiting),
            false => Vec::new(),
        }
    }

    /// Those that are left when the process ends.
    pub fn rest(&self) -> Vec<&'static str> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_shows_before_the_group_is_whole() {
        let answers = Answers::default();
        for answer in ["1", "5", "5", "4"] {
            assert!(answers.add(answer).is_empty());
        }
        assert_eq!(answers.add("2"), ["1", "5", "5", "4", "2"]);
        assert!(answers.add("3").is_empty());
        assert_eq!(answers.rest(), ["3"]);
    }
}
