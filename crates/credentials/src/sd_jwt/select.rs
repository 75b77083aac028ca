//! Choosing Disclosures: RFC 9901, section 7.2.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{ClaimPath, DisclosedClaim, PathElement, Processed, SdJwtError};

/// Positions of the Disclosures that reveal the claims at `paths` with all
/// that is below them, and nothing else. They come in the order of the SD-JWT.
///
/// `all` is the credential with every Disclosure applied.
///
/// # Errors
/// [`SdJwtError::PathNotFound`] when a path leads nowhere.
pub fn select(all: &Processed, paths: &[ClaimPath]) -> Result<Vec<usize>, SdJwtError> {
    select_in(&all.claims, &all.disclosed, paths)
}

pub(crate) fn select_in(
    claims: &Map<String, Value>,
    disclosed: &[DisclosedClaim],
    paths: &[ClaimPath],
) -> Result<Vec<usize>, SdJwtError> {
    let mut chosen = BTreeSet::new();
    for path in paths {
        if !exists(claims, path) {
            return Err(SdJwtError::PathNotFound);
        }
        for (position, claim) in disclosed.iter().enumerate() {
            let on_the_way = claim.path.is_prefix_of(path);
            if on_the_way || path.is_prefix_of(&claim.path) {
                add_with_parents(&mut chosen, disclosed, position);
            }
        }
    }
    Ok(chosen.into_iter().collect())
}

/// A Disclosure needs those that hold it (section 7.2, step 2).
fn add_with_parents(chosen: &mut BTreeSet<usize>, disclosed: &[DisclosedClaim], position: usize) {
    let mut next = Some(position);
    while let Some(position) = next {
        // Those above one that is already there are there, too.
        if !chosen.insert(position) {
            return;
        }
        next = disclosed.get(position).and_then(|claim| claim.parent);
    }
}

fn exists(claims: &Map<String, Value>, path: &ClaimPath) -> bool {
    let Some((PathElement::Key(first), rest)) = path.elements().split_first() else {
        return false;
    };
    claims
        .get(first)
        .is_some_and(|value| !ClaimPath::new(rest.to_vec()).resolve(value).is_empty())
}
