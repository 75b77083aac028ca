//! A credential by the claim metadata of its type (SD-JWT VC, "Claim Metadata").

use serde_json::Value;

use super::{ClaimMetadata, Disclosable, EffectiveType, TypeMetadataError};
use crate::sd_jwt::{ClaimPath, PathElement};

/// Most values that one path may select.
const MAX_SELECTED: usize = 4096;

/// Who checks. A Holder has every Disclosure, a Verifier what was disclosed to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party {
    /// Everything is there.
    Holder,
    /// What can be withheld may be absent.
    Verifier,
}

/// Checks a processed payload. `disclosed` are the paths of the claims that came as Disclosures.
///
/// # Errors
/// [`TypeMetadataError::Path`], [`TypeMetadataError::Missing`],
/// [`TypeMetadataError::Disclosability`].
pub fn check_claims(
    effective: &EffectiveType,
    payload: &Value,
    disclosed: &[ClaimPath],
    party: Party,
) -> Result<(), TypeMetadataError> {
    let mut claims = effective.claims.iter();
    claims.try_for_each(|claim| check(claim, payload, disclosed, party))
}

fn check(
    claim: &ClaimMetadata,
    payload: &Value,
    disclosed: &[ClaimPath],
    party: Party,
) -> Result<(), TypeMetadataError> {
    // Positions count the elements as issued; a Verifier no longer sees those that were withheld.
    let by_position = claim
        .path
        .elements()
        .iter()
        .any(|element| matches!(element, PathElement::Index(_)));
    if by_position && party == Party::Verifier {
        return Ok(());
    }
    let selected = select(payload, &claim.path)?;
    if claim.mandatory == Some(true) && selected.is_empty() && is_known_missing(claim, party) {
        return Err(TypeMetadataError::Missing);
    }
    let hidden = |path: &Vec<PathElement>| disclosed.iter().any(|one| one.elements() == path);
    let holds = match claim.sd {
        Some(Disclosable::Always) => selected.iter().all(hidden),
        Some(Disclosable::Never) => !selected.iter().any(hidden),
        Some(Disclosable::Allowed) | None => true,
    };
    if holds {
        Ok(())
    } else {
        Err(TypeMetadataError::Disclosability)
    }
}

/// "A Verifier MUST NOT treat absence of a selectively disclosable claim … as evidence": only a
/// claim of the top level that must not be disclosable is known to be missing.
fn is_known_missing(claim: &ClaimMetadata, party: Party) -> bool {
    match party {
        Party::Holder => true,
        Party::Verifier => claim.sd == Some(Disclosable::Never) && claim.path.elements().len() == 1,
    }
}

/// The places a path leads to, each with its own path ("Processing of `path`").
fn select(payload: &Value, path: &ClaimPath) -> Result<Vec<Vec<PathElement>>, TypeMetadataError> {
    let mut places: Vec<(Vec<PathElement>, &Value)> = vec![(Vec::new(), payload)];
    for element in path.elements() {
        let mut next = Vec::new();
        for (at, value) in places {
            let step = |element| {
                let mut path = at.clone();
                path.push(element);
                path
            };
            match (element, value) {
                (PathElement::Key(key), Value::Object(map)) => {
                    let found = map.get(key);
                    next.extend(found.map(|value| (step(element.clone()), value)));
                }
                (PathElement::Index(index), Value::Array(items)) => {
                    let found = items.get(*index);
                    next.extend(found.map(|value| (step(element.clone()), value)));
                }
                (PathElement::Any, Value::Array(items)) => {
                    let all = items.iter().enumerate();
                    next.extend(all.map(|(at, value)| (step(PathElement::Index(at)), value)));
                }
                _ => return Err(TypeMetadataError::Path),
            }
        }
        if next.len() > MAX_SELECTED {
            return Err(TypeMetadataError::Path);
        }
        places = next;
    }
    Ok(places.into_iter().map(|(path, _)| path).collect())
}
