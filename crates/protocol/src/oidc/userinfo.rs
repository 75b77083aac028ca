//! The UserInfo answer (OpenID Connect Core, section 5.3.2).

use serde::Serialize;
use serde_json::{Map, Value};

/// Claims about the person, `sub` always among them.
#[derive(Clone, PartialEq, Serialize)]
pub struct UserInfo {
    sub: String,
    #[serde(flatten)]
    claims: Map<String, Value>,
}

// Claims are never printed, only how many there are.
impl std::fmt::Debug for UserInfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserInfo")
            .field("claims", &self.claims.len())
            .finish_non_exhaustive()
    }
}

impl UserInfo {
    /// An answer for the subject of the ID token; a claim named `sub` is left out.
    #[must_use]
    pub fn new(sub: &str, mut claims: Map<String, Value>) -> Self {
        claims.shift_remove("sub");
        Self {
            sub: sub.to_owned(),
            claims,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn sub_is_ours() {
        let Value::Object(claims) = json!({"sub": "evil", "age_over_18": true}) else {
            panic!()
        };
        let info = UserInfo::new("s", claims);
        assert_eq!(
            serde_json::to_string(&info).unwrap(),
            r#"{"sub":"s","age_over_18":true}"#
        );
        assert_eq!(format!("{info:?}"), "UserInfo { claims: 1, .. }");
    }
}
