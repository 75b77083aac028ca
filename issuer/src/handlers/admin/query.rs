//! Query strings of lists: `limit`, `before` and filters, each with a value, and nothing else.

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
    // Catalogue 392: a filter without a value is a mistake of the caller. Read as absent it would bring
    // everything, and what comes next may be a change of it all.
    if params
        .iter()
        .any(|(name, value)| !known(name) || value.is_empty())
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
    let before = params
        .get("before")
        .map(|text| parse(text).ok_or(ApiError::Query))
        .transpose()?;
    Ok((PageRequest { before, limit }, params))
}

/// Reads the query of a list that is short and comes whole: there is nothing to say.
pub fn none(query: Option<&str>) -> Result<(), ApiError> {
    match query.unwrap_or_default() {
        "" => Ok(()),
        _ => Err(ApiError::Query),
    }
}
