//! Hiding claims: Disclosures, digests and decoys (RFC 9901, section 4.2).

use serde_json::{Map, Value};

use super::frame::Node;
use super::{
    ELLIPSIS, Frame, HashAlg, MAX_DEPTH, MAX_DISCLOSURES, SD, SD_ALG, SdJwtError, is_reserved,
};
use crate::encoding::{b64url, b64url_append};
use crate::json;
use crate::random::{Entropy, Rng};

/// Claims after hiding.
#[derive(Debug, Clone)]
pub struct Concealed {
    /// What is signed.
    pub payload: Map<String, Value>,
    /// What goes to the Holder beside it, encoded.
    pub disclosures: Vec<String>,
}

/// Hides what `frame` names.
///
/// Digests are shuffled, salts have 128 bits each (section 9.3), and `_sd_alg`
/// is written when there is a digest or the hash is not the default.
///
/// # Errors
/// When the claims use a reserved name or the frame does not fit them.
pub fn conceal(
    mut claims: Map<String, Value>,
    frame: &Frame,
    hash: HashAlg,
    rng: &dyn Rng,
) -> Result<Concealed, SdJwtError> {
    refuse_reserved(&claims, 0)?;
    let mut concealer = Concealer {
        hash,
        entropy: Entropy::new(rng),
        disclosures: Vec::new(),
        json: Vec::new(),
        digests: 0,
    };
    concealer.object(&mut claims, &frame.root, 0)?;
    if concealer.digests > 0 || hash != HashAlg::default() {
        claims.insert(SD_ALG.to_owned(), Value::from(hash.name()));
    }
    Ok(Concealed {
        payload: claims,
        disclosures: concealer.disclosures,
    })
}

/// RFC 9901, section 4.1, rule 7: `_sd` and `...` only convey digests.
fn refuse_reserved(map: &Map<String, Value>, depth: usize) -> Result<(), SdJwtError> {
    for (name, value) in map {
        if is_reserved(name) {
            return Err(SdJwtError::ClaimReservedName);
        }
        refuse_reserved_in(value, depth)?;
    }
    Ok(())
}

fn refuse_reserved_in(value: &Value, depth: usize) -> Result<(), SdJwtError> {
    // Nobody could read deeper claims; this also bounds the recursion below.
    if depth > json::MAX_DEPTH {
        return Err(SdJwtError::TooDeep);
    }
    match value {
        Value::Object(map) => refuse_reserved(map, depth.saturating_add(1)),
        Value::Array(items) => items
            .iter()
            .try_for_each(|item| refuse_reserved_in(item, depth.saturating_add(1))),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

struct Concealer<'r> {
    hash: HashAlg,
    entropy: Entropy<'r>,
    disclosures: Vec<String>,
    /// JSON of the Disclosure at hand, kept to reuse its memory.
    json: Vec<u8>,
    digests: usize,
}

impl Concealer<'_> {
    /// `nested` counts the hidden claims that hold this one.
    fn value(&mut self, value: &mut Value, node: &Node, nested: usize) -> Result<(), SdJwtError> {
        match value {
            Value::Object(map) if !node.wants_array() => self.object(map, node, nested),
            Value::Array(items) if node.keys.is_empty() => self.array(items, node, nested),
            _ if node.is_leaf() => Ok(()),
            _ => Err(SdJwtError::FrameMismatch),
        }
    }

    fn object(
        &mut self,
        map: &mut Map<String, Value>,
        node: &Node,
        nested: usize,
    ) -> Result<(), SdJwtError> {
        if node.keys.is_empty() && node.decoys == 0 {
            return Ok(());
        }
        let mut digests = Vec::with_capacity(node.keys.len().saturating_add(node.decoys));
        for (name, child) in &node.keys {
            let Some(value) = map.get_mut(name) else {
                if child.required {
                    return Err(SdJwtError::FrameClaimMissing);
                }
                continue;
            };
            self.value(
                value,
                child,
                nested.saturating_add(usize::from(child.hidden)),
            )?;
            if child.hidden {
                let digest = self.hide(Some(name), value, nested)?;
                map.shift_remove(name);
                digests.push(Value::String(digest));
            }
        }
        for _ in 0..node.decoys {
            digests.push(Value::String(self.decoy()));
        }
        if !digests.is_empty() {
            // Section 4.2.4.1: the original order must be hidden.
            self.entropy.shuffle(&mut digests);
            map.insert(SD.to_owned(), Value::Array(digests));
        }
        Ok(())
    }

    fn array(
        &mut self,
        items: &mut Vec<Value>,
        node: &Node,
        nested: usize,
    ) -> Result<(), SdJwtError> {
        let missing = |(index, child): (&usize, &Node)| child.required && *index >= items.len();
        if node.indices.iter().any(missing) {
            return Err(SdJwtError::FrameClaimMissing);
        }
        for (index, item) in items.iter_mut().enumerate() {
            let Some(child) = node.element(index) else {
                continue;
            };
            self.value(
                item,
                child,
                nested.saturating_add(usize::from(child.hidden)),
            )?;
            if child.hidden {
                let digest = self.hide(None, item, nested)?;
                *item = placeholder(digest);
            }
        }
        for _ in 0..node.decoys {
            let decoy = placeholder(self.decoy());
            let place = self.entropy.below(items.len().saturating_add(1));
            items.insert(place, decoy);
        }
        Ok(())
    }

    /// Makes a Disclosure and gives its digest.
    fn hide(
        &mut self,
        name: Option<&str>,
        value: &Value,
        nested: usize,
    ) -> Result<String, SdJwtError> {
        if self.disclosures.len() == MAX_DISCLOSURES {
            return Err(SdJwtError::TooManyDisclosures);
        }
        if nested >= MAX_DEPTH {
            return Err(SdJwtError::TooDeep);
        }
        self.json.clear();
        self.json.extend_from_slice(b"[\"");
        self.json
            .extend_from_slice(b64url(&self.entropy.take::<16>()).as_bytes());
        self.json.extend_from_slice(b"\",");
        if let Some(name) = name {
            write_json(&mut self.json, name);
            self.json.push(b',');
        }
        write_json(&mut self.json, value);
        self.json.push(b']');
        let mut encoded = String::with_capacity(self.json.len().div_ceil(3).saturating_mul(4));
        b64url_append(&self.json, &mut encoded);
        let digest = self.hash.digest(&encoded);
        self.disclosures.push(encoded);
        self.digests = self.digests.saturating_add(1);
        Ok(digest)
    }

    /// Section 4.2.5: a hash over secure random bytes.
    fn decoy(&mut self) -> String {
        self.digests = self.digests.saturating_add(1);
        let mut random = [0; 32];
        random[..16].copy_from_slice(&self.entropy.take::<16>());
        random[16..].copy_from_slice(&self.entropy.take::<16>());
        self.hash.digest_bytes(&random)
    }
}

fn placeholder(digest: String) -> Value {
    let mut object = Map::with_capacity(1);
    object.insert(ELLIPSIS.to_owned(), Value::String(digest));
    Value::Object(object)
}

#[expect(clippy::expect_used, reason = "a vector takes every byte")]
fn write_json<T: serde::Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    serde_json::to_writer(out, value)
        .expect("a JSON value has string keys and a vector takes every byte");
}
#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sd_jwt::{ClaimPath, process};
    use crate::testing::SeededRng;

    /// `ssi` hides nothing there.
    #[test]
    fn members_inside_of_arrays_are_hidden() {
        let claims = json!({"nat": [{"name": "DE", "code": 1}, {"name": "FR", "list": [[1, 2]]}]});
        let hidden = [
            json!(["nat", 0, "name"]),
            json!(["nat", 1, "list", 0, 1]),
            json!(["nat", 1]),
        ];
        let frame = hidden.iter().fold(Frame::new(), |frame, path| {
            frame.hide(&ClaimPath::from_json(path).unwrap()).unwrap()
        });
        let object = claims.as_object().unwrap().clone();
        let concealed = conceal(object, &frame, HashAlg::Sha256, &SeededRng::new(1)).unwrap();
        let text = Value::Object(concealed.payload.clone()).to_string();
        assert!(!text.contains("DE") && !text.contains("FR"), "{text}");
        let sent: Vec<&str> = concealed.disclosures.iter().map(String::as_str).collect();
        assert_eq!(sent.len(), 3);
        let all = process(concealed.payload.clone(), &sent).unwrap();
        assert_eq!(Value::Object(all.claims), claims);
        let none = process(concealed.payload, &[]).unwrap();
        assert_eq!(Value::Object(none.claims), json!({"nat": [{"code": 1}]}));
    }
}
