//! Choosing what leaves: JSON pointers to claims, and copies of SD-JWTs that reveal no more.

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};
use vouchsafe_credentials::encoding::b64url_decode;
use vouchsafe_credentials::json::parse_object;
use vouchsafe_credentials::sd_jwt::{self, ClaimPath, PathElement, Processed, SdJwt};

/// Paths for JSON pointers (RFC 6901) into these claims.
pub fn paths(pointers: &[String], claims: &Map<String, Value>) -> Result<Vec<ClaimPath>> {
    let root = Value::Object(claims.clone());
    pointers.iter().map(|text| path(text, &root)).collect()
}

fn path(pointer: &str, root: &Value) -> Result<ClaimPath> {
    let mut place = root;
    let mut elements = Vec::new();
    for name in tokens(pointer)? {
        let (element, below) = step(place, name)
            .with_context(|| format!("--reveal {pointer}: the credential has no such claim"))?;
        elements.push(element);
        place = below;
    }
    Ok(ClaimPath::new(elements))
}

/// One name further: a position in an array, or a member.
fn step(place: &Value, name: String) -> Option<(PathElement, &Value)> {
    match place {
        Value::Array(items) => {
            let index = name.parse().ok()?;
            Some((PathElement::Index(index), items.get(index)?))
        }
        other => {
            let below = other.get(&name)?;
            Some((PathElement::Key(name), below))
        }
    }
}

/// The names of a JSON pointer.
pub fn tokens(pointer: &str) -> Result<Vec<String>> {
    let Some(rest) = pointer.strip_prefix('/') else {
        bail!("--reveal {pointer}: a JSON pointer starts with `/`, such as /given_name");
    };
    let unescape = |name: &str| name.replace("~1", "/").replace("~0", "~");
    Ok(rest.split('/').map(unescape).collect())
}

/// What an SD-JWT reveals of what could have been hidden.
pub fn revealed(compact: &str) -> Result<Vec<String>> {
    let (processed, _) = opened(compact)?;
    let paths = processed.disclosed.iter();
    Ok(paths.map(|claim| claim.path.to_string()).collect())
}

/// A copy of an SD-JWT that reveals these claims and what is never hidden.
pub fn reduce(compact: &str, pointers: &[String]) -> Result<String> {
    let (processed, parts) = opened(compact)?;
    if parts.key_binding().is_some() {
        bail!("it is a presentation: what it was bound to cannot be changed");
    }
    let chosen = sd_jwt::select(&processed, &paths(pointers, &processed.claims)?)?;
    let mut copy = format!("{}~", parts.issuer_signed());
    for position in chosen {
        let disclosure = parts.disclosures().get(position);
        copy.push_str(disclosure.context("a claim without its disclosure")?);
        copy.push('~');
    }
    Ok(copy)
}

fn opened(compact: &str) -> Result<(Processed, SdJwt<'_>)> {
    let parts = SdJwt::parse(compact)?;
    let payload = parts.issuer_signed().split('.').nth(1);
    let payload = payload.context("the token has no payload")?;
    let claims = parse_object(&b64url_decode(payload)?)?;
    let processed = sd_jwt::process(claims, parts.disclosures())?;
    Ok((processed, parts))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pointers_name_members_and_positions() {
        let claims = json!({"a": {"1": true, "x/y~": [{"z": 1}]}});
        let claims = claims.as_object().unwrap();
        let read = |pointer: &str| paths(&[pointer.to_owned()], claims);
        let only = |pointer| read(pointer).unwrap().remove(0).to_json();
        assert_eq!(only("/a/1"), json!(["a", "1"]));
        assert_eq!(only("/a/x~1y~0/0/z"), json!(["a", "x/y~", 0, "z"]));
        for wrong in ["", "a", "/", "/b", "/a/2", "/a/x~1y~0/1", "/a/x~1y~0/z"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
