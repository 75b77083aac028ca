//! Query strings of lists: where a page begins, and filters.

use url::form_urlencoded::Serializer;
use vouchsafe_service::http::Params;

use super::Failure;
use crate::domain::page::{DEFAULT_LIMIT, PageRequest};

/// The parameters of a list.
pub fn params(query: Option<&str>) -> Result<Params, Failure> {
    Params::parse(query.unwrap_or_default().as_bytes()).map_err(|_| Failure::Malformed)
}

/// Which page is wanted.
pub fn page<Id>(
    params: &Params,
    parse: impl Fn(&str) -> Option<Id>,
) -> Result<PageRequest<Id>, Failure> {
    let before = params.get("before").map(parse);
    match before {
        Some(None) => Err(Failure::Malformed),
        Some(before @ Some(_)) => Ok(PageRequest {
            before,
            limit: DEFAULT_LIMIT,
        }),
        None => Ok(PageRequest {
            before: None,
            limit: DEFAULT_LIMIT,
        }),
    }
}

/// A filter that was filled in.
pub fn filter<'p>(params: &'p Params, name: &str) -> Option<&'p str> {
    params
        .get(name)
        .map(str::trim)
        .filter(|text| !text.is_empty())
}

/// The address of the next page, with the same filters.
pub fn next(path: &str, params: &Params, last: &str) -> String {
    let mut query = Serializer::new(String::new());
    for (name, value) in params.pairs() {
        if name != "before" && !value.is_empty() {
            query.append_pair(name, value);
        }
    }
    format!("{path}?{}", query.append_pair("before", last).finish())
}
