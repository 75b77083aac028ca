//! Keyset pagination: a page starts behind the last id of the one before.

/// Rows of a page unless asked otherwise.
pub const DEFAULT_LIMIT: u32 = 50;
/// Rows of a page at most.
pub const MAX_LIMIT: u32 = 200;

/// Which rows a caller wants: newest first.
#[derive(Debug, Clone)]
pub struct PageRequest<Id> {
    /// Rows older than this one.
    pub before: Option<Id>,
    /// How many, 1 to [`MAX_LIMIT`].
    pub limit: u32,
}

/// One page of rows, newest first.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Whether older rows exist.
    pub more: bool,
}

impl<T> Page<T> {
    /// Makes a page of rows that were asked for with one row too many.
    pub fn from_overfetch(mut rows: Vec<T>, limit: u32) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        Self { items: rows, more }
    }
}
