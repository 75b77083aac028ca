//! Query strings of lists: `limit`, `before` and filters, nothing else.

use vouchsafe_protocol::oauth::Params;

use super::error::ApiError;
use crate::domain::page::{DEFAULT_LIMIT, MAX_LIMIT, PageRequest};

/// Reads the query of a list. `filters` are the further names that the list knows.
pub fn page<Id>(
    query: Option<&str>,
    filters: &[&str],
    parse: impl Fn(&str) -> Option<Id>,
) -> Result<(PageRequest<Id>, Params), ApiError> {
    let params = Params::parse(query.unwrap_or_default()).map_err(|_| ApiError::Query)?;
    let known = |name: &str| ["limit", "before"].contains(&name) || filters.contains(&name);
    if params.iter().any(|(name, _)| !known(name)) {
        return Err(ApiError::Query);
    }
    let limit = match params.get("limit") {
        None => DEFAULT_LIMIT,
        Some(text) => text.parse().map_err(|_| ApiError::Query)?,
    };
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(ApiError::Query);
    }
    let before = params
        .get("before")
        .map(|text| parse(text).ok_or(ApiError::Query))
        .transpose()?;
    Ok((PageRequest { before, limit }, params))
}
