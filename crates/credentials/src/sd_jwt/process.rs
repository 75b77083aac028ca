//! Putting disclosed claims back: RFC 9901, section 7.1, steps 3 to 5.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::disclosure::Disclosure;
use super::{
    ClaimPath, ELLIPSIS, HashAlg, MAX_DEPTH, MAX_DISCLOSURES, PathElement, SD, SD_ALG, SdJwtError,
};

/// A payload with its disclosed claims in place.
#[derive(Debug, Clone, PartialEq)]
pub struct Processed {
    /// The Processed SD-JWT Payload.
    pub claims: Map<String, Value>,
    /// What each Disclosure revealed, in the order received.
    pub disclosed: Vec<DisclosedClaim>,
    /// The hash algorithm of the digests, also that of `sd_hash`.
    pub hash: HashAlg,
}

/// Where one Disclosure put its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisclosedClaim {
    /// Path in the processed payload.
    pub path: ClaimPath,
    /// Position of the Disclosure that holds this one, when nested.
    pub parent: Option<usize>,
}

/// Processes a payload whose signature has been checked.
///
/// # Errors
/// Each rule of RFC 9901, section 7.1 has its own [`SdJwtError`].
pub fn process(
    mut payload: Map<String, Value>,
    disclosures: &[&str],
) -> Result<Processed, SdJwtError> {
    if disclosures.len() > MAX_DISCLOSURES {
        return Err(SdJwtError::TooManyDisclosures);
    }
    // Section 4.1.1, and section 7.1, step 3.f: `_sd_alg` is removed.
    let hash = match payload.shift_remove(SD_ALG) {
        None => HashAlg::default(),
        Some(Value::String(name)) => HashAlg::from_name(&name)?,
        Some(_) => return Err(SdJwtError::HashAlgMalformed),
    };
    let mut walk = Walk::new(hash, disclosures)?;
    let claims = walk.object(payload, Place::TOP)?;
    let disclosed: Option<Vec<DisclosedClaim>> = walk.found.into_iter().collect();
    // Step 5: every Disclosure must have been referenced.
    let disclosed = disclosed.ok_or(SdJwtError::DisclosureUnreferenced)?;
    Ok(Processed {
        claims,
        disclosed,
        hash,
    })
}

/// Inside how many Disclosures the walk is, and in which.
#[derive(Clone, Copy)]
struct Place {
    depth: usize,
    parent: Option<usize>,
}

impl Place {
    const TOP: Self = Self {
        depth: 0,
        parent: None,
    };

    fn inside(self, disclosure: usize) -> Result<Self, SdJwtError> {
        if self.depth == MAX_DEPTH {
            return Err(SdJwtError::TooDeep);
        }
        Ok(Self {
            depth: self.depth.saturating_add(1),
            parent: Some(disclosure),
        })
    }
}

struct Walk {
    hash: HashAlg,
    /// Digest of each Disclosure, to its position.
    by_digest: HashMap<String, usize>,
    /// Disclosures not yet put back.
    waiting: Vec<Option<Disclosure>>,
    found: Vec<Option<DisclosedClaim>>,
    /// Every digest met so far.
    digests: HashSet<String>,
    path: Vec<PathElement>,
}

impl Walk {
    fn new(hash: HashAlg, disclosures: &[&str]) -> Result<Self, SdJwtError> {
        let mut by_digest = HashMap::with_capacity(disclosures.len());
        let mut waiting = Vec::with_capacity(disclosures.len());
        for (position, encoded) in disclosures.iter().enumerate() {
            // Step 3.a: over the text as received.
            if by_digest.insert(hash.digest(encoded), position).is_some() {
                return Err(SdJwtError::DisclosureDuplicate);
            }
            waiting.push(Some(Disclosure::decode(encoded)?));
        }
        Ok(Self {
            hash,
            by_digest,
            found: vec![None; waiting.len()],
            waiting,
            digests: HashSet::new(),
            path: Vec::new(),
        })
    }

    fn value(&mut self, value: Value, place: Place) -> Result<Value, SdJwtError> {
        match value {
            Value::Object(map) => self.object(map, place).map(Value::Object),
            Value::Array(items) => self.array(items, place).map(Value::Array),
            scalar @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => {
                Ok(scalar)
            }
        }
    }

    fn object(
        &mut self,
        mut map: Map<String, Value>,
        place: Place,
    ) -> Result<Map<String, Value>, SdJwtError> {
        // Section 4.1, rule 7, and section 4.1.1.
        if map.contains_key(ELLIPSIS) {
            return Err(SdJwtError::EllipsisMalformed);
        }
        if map.contains_key(SD_ALG) {
            return Err(SdJwtError::HashAlgNested);
        }
        // Step 3.e: `_sd` is removed.
        let digests = map.shift_remove(SD);
        for (name, value) in &mut map {
            if value.is_object() || value.is_array() {
                self.path.push(PathElement::Key(name.clone()));
                *value = self.value(value.take(), place)?;
                self.path.pop();
            }
        }
        match digests {
            None => {}
            Some(Value::Array(digests)) => self.properties(&mut map, digests, place)?,
            Some(_) => return Err(SdJwtError::DigestsMalformed),
        }
        Ok(map)
    }

    /// Puts the properties behind the digests of one `_sd` into `map`.
    fn properties(
        &mut self,
        map: &mut Map<String, Value>,
        digests: Vec<Value>,
        place: Place,
    ) -> Result<(), SdJwtError> {
        for digest in digests {
            let Value::String(digest) = digest else {
                return Err(SdJwtError::DigestsMalformed);
            };
            if !self.hash.is_digest(&digest) {
                return Err(SdJwtError::DigestsMalformed);
            }
            let Some((position, disclosure)) = self.meet(digest)? else {
                continue;
            };
            // Step 3.c.ii.1.
            let Disclosure::Property { name, value } = disclosure else {
                return Err(SdJwtError::DisclosureKind);
            };
            // Step 3.c.ii.3.
            if map.contains_key(&name) {
                return Err(SdJwtError::DisclosureNameExists);
            }
            self.path.push(PathElement::Key(name.clone()));
            let value = self.reveal(position, value, place)?;
            self.path.pop();
            map.insert(name, value);
        }
        Ok(())
    }

    fn array(&mut self, items: Vec<Value>, place: Place) -> Result<Vec<Value>, SdJwtError> {
        let mut kept = Vec::with_capacity(items.len());
        for item in items {
            self.path.push(PathElement::Index(kept.len()));
            let digest = match item {
                Value::Object(map) if map.contains_key(ELLIPSIS) => self.element_digest(map)?,
                other => {
                    kept.push(self.value(other, place)?);
                    self.path.pop();
                    continue;
                }
            };
            // Step 3.d: elements without a Disclosure are removed.
            if let Some((position, disclosure)) = self.meet(digest)? {
                // Step 3.c.iii.1.
                let Disclosure::Element { value } = disclosure else {
                    return Err(SdJwtError::DisclosureKind);
                };
                kept.push(self.reveal(position, value, place)?);
            }
            self.path.pop();
        }
        Ok(kept)
    }

    /// Section 4.2.4.2: `...` stands alone and refers to a digest.
    fn element_digest(&self, mut map: Map<String, Value>) -> Result<String, SdJwtError> {
        match (map.len(), map.shift_remove(ELLIPSIS)) {
            (1, Some(Value::String(digest))) if self.hash.is_digest(&digest) => Ok(digest),
            _ => Err(SdJwtError::EllipsisMalformed),
        }
    }

    /// Step 4 for a digest, and the Disclosure it refers to, if that was sent.
    fn meet(&mut self, digest: String) -> Result<Option<(usize, Disclosure)>, SdJwtError> {
        let position = self.by_digest.get(&digest).copied();
        if !self.digests.insert(digest) {
            return Err(SdJwtError::DigestDuplicate);
        }
        Ok(position.and_then(|position| {
            let disclosure = self.waiting.get_mut(position)?.take()?;
            Some((position, disclosure))
        }))
    }

    /// Notes where a Disclosure went and processes its value.
    fn reveal(&mut self, position: usize, value: Value, place: Place) -> Result<Value, SdJwtError> {
        // One place for each Disclosure; `position` is one of theirs.
        if let Some(found) = self.found.get_mut(position) {
            *found = Some(DisclosedClaim {
                path: ClaimPath::new(self.path.clone()),
                parent: place.parent,
            });
        }
        self.value(value, place.inside(position)?)
    }
}
