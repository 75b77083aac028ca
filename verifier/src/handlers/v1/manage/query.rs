//! Query strings of lists: `limit`, `after` and filters, each with a value, and nothing else
//! (catalogue 392, 401).

use vouchsafe_protocol::oauth::Params;

use crate::handlers::v1::error::ApiError;

/// Rows of a page unless asked otherwise.
const DEFAULT_LIMIT: u32 = 50;
/// Rows of a page at most.
const MAX_LIMIT: u32 = 200;
/// Longest value, in bytes.
const LONGEST: usize = 255;

/// Which rows somebody wants.
pub struct Page {
    /// Those behind this id.
    pub after: String,
    /// So many at most.
    pub limit: u32,
    params: Params,
}

impl Page {
    /// Reads the query of a list. `filters` are the further names that it knows.
    pub fn parse(query: Option<&str>, filters: &[&str]) -> Result<Self, ApiError> {
        let params = Params::parse(query.unwrap_or_default()).map_err(|_| ApiError::Query)?;
        let known = |name: &str| ["limit", "after"].contains(&name) || filters.contains(&name);
        // A filter without a value is a mistake: read as absent it would bring everything.
        let fits = |value: &str| {
            !value.is_empty()
                && value.len() <= LONGEST
                && value.bytes().all(|byte| byte.is_ascii_graphic())
        };
        if params
            .iter()
            .any(|(name, value)| !known(name) || !fits(value))
        {
            return Err(ApiError::Query);
        }
        let limit = match params.get("limit") {
            None => DEFAULT_LIMIT,
            Some(text) => text.parse().map_err(|_| ApiError::Query)?,
        };
        if !(1..=MAX_LIMIT).contains(&limit) {
            return Err(ApiError::Query);
        }
        Ok(Self {
            after: params.get("after").unwrap_or_default().to_owned(),
            limit,
            params,
        })
    }

    /// The value of a filter.
    pub fn filter(&self, name: &str) -> Option<&str> {
        self.params.get(name)
    }
}

/// Reads the query of a list that comes whole: there is nothing to say.
pub fn none(query: Option<&str>) -> Result<(), ApiError> {
    match query.unwrap_or_default() {
        "" => Ok(()),
        _ => Err(ApiError::Query),
    }
}
