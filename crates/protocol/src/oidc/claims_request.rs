//! The `claims` parameter (OpenID Connect Core, section 5.5), as far as we act on it:
//! `acr` and `auth_time` for the ID token, and names of claims.

use serde_json::{Map, Value};
use vouchsafe_credentials::json;

use super::acr::AcrWish;
use crate::oauth::error::OAuthError;

/// Longest parameter in bytes.
const MAX_BYTES: usize = 8 * 1024;
/// Most claims named per destination.
const MAX_CLAIMS: usize = 64;

/// What the parameter asks for.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ClaimsRequest {
    /// Values of `id_token.acr`.
    acr_values: Vec<String>,
    acr_essential: bool,
    /// `id_token.auth_time` was asked for.
    pub auth_time: bool,
    /// `id_token.sub.value`: the login must end with this subject or fail.
    pub required_sub: Option<String>,
    /// Names asked for in the ID token.
    pub id_token: Vec<String>,
    /// Names asked for in UserInfo.
    pub userinfo: Vec<String>,
}

fn malformed() -> OAuthError {
    OAuthError::invalid_request("malformed claims parameter")
}

impl ClaimsRequest {
    /// Reads the parameter; absent means empty. Unknown members are ignored.
    ///
    /// # Errors
    /// `invalid_request`.
    pub fn parse(text: Option<&str>) -> Result<Self, OAuthError> {
        let Some(text) = text else {
            return Ok(Self::default());
        };
        if text.len() > MAX_BYTES {
            return Err(malformed());
        }
        let root = json::parse_object(text.as_bytes()).map_err(|_| malformed())?;
        let id_token = members(&root, "id_token")?;
        let mut request = Self {
            auth_time: id_token.is_some_and(|m| m.contains_key("auth_time")),
            id_token: names(id_token)?,
            userinfo: names(members(&root, "userinfo")?)?,
            ..Self::default()
        };
        if let Some(acr) = id_token.and_then(|m| m.get("acr")) {
            request.read_acr(acr)?;
        }
        if let Some(Value::Object(sub)) = id_token.and_then(|m| m.get("sub")) {
            request.required_sub = sub.get("value").map(text_of).transpose()?;
        }
        Ok(request)
    }

    /// The wish for an `acr`: an essential one here overrules `acr_values`.
    #[must_use]
    pub fn acr_wish(&self, acr_values: &[String]) -> AcrWish {
        if self.acr_values.is_empty() {
            AcrWish::new(acr_values, false)
        } else {
            AcrWish::new(&self.acr_values, self.acr_essential)
        }
    }

    fn read_acr(&mut self, acr: &Value) -> Result<(), OAuthError> {
        let acr = match acr {
            Value::Null => return Ok(()),
            Value::Object(acr) => acr,
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                return Err(malformed());
            }
        };
        self.acr_essential = match acr.get("essential") {
            None => false,
            Some(value) => value.as_bool().ok_or_else(malformed)?,
        };
        self.acr_values = match (acr.get("value"), acr.get("values")) {
            (Some(value), None) => vec![text_of(value)?],
            (None, Some(Value::Array(values)))
                if !values.is_empty() && values.len() <= MAX_CLAIMS =>
            {
                values.iter().map(text_of).collect::<Result<_, _>>()?
            }
            (None, None) => Vec::new(),
            (_, Some(_)) => return Err(malformed()),
        };
        Ok(())
    }
}

fn text_of(value: &Value) -> Result<String, OAuthError> {
    value.as_str().map(str::to_owned).ok_or_else(malformed)
}

fn members<'a>(
    root: &'a Map<String, Value>,
    name: &str,
) -> Result<Option<&'a Map<String, Value>>, OAuthError> {
    match root.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(members)) if members.len() <= MAX_CLAIMS => Ok(Some(members)),
        Some(_) => Err(malformed()),
    }
}

fn names(members: Option<&Map<String, Value>>) -> Result<Vec<String>, OAuthError> {
    let Some(members) = members else {
        return Ok(Vec::new());
    };
    // Section 5.5.1: each member is null or an object.
    if members.values().any(|v| !v.is_null() && !v.is_object()) {
        return Err(malformed());
    }
    Ok(members.keys().cloned().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oidc::acr::Acr;

    fn parse(text: &str) -> Result<ClaimsRequest, OAuthError> {
        ClaimsRequest::parse(Some(text))
    }

    #[test]
    fn acr_essential_and_voluntary() {
        let request = parse(
            r#"{"id_token":{"acr":{"essential":true,"values":["urn:vouchsafe:acr:vc"]},"auth_time":null},"userinfo":{"age_over_18":null}}"#,
        )
        .unwrap();
        assert!(request.auth_time);
        assert_eq!(request.userinfo, ["age_over_18"]);
        let wish = request.acr_wish(&["urn:vouchsafe:acr:1fa".into()]);
        assert!(wish.essential && !wish.permits(Acr::Single));
        let voluntary = parse("{}")
            .unwrap()
            .acr_wish(&["urn:vouchsafe:acr:vc".into()]);
        assert!(!voluntary.essential && voluntary.permits(Acr::Single));
        assert_eq!(
            parse(r#"{"id_token":{"sub":{"value":"x"}}}"#)
                .unwrap()
                .required_sub
                .as_deref(),
            Some("x")
        );
    }

    #[test]
    fn malformed_parameters() {
        for text in [
            "",
            "[]",
            r#"{"id_token":[]}"#,
            r#"{"id_token":{"acr":"x"}}"#,
            r#"{"id_token":{"acr":{"essential":"true"}}}"#,
            r#"{"id_token":{"acr":{"value":"a","values":["b"]}}}"#,
            r#"{"id_token":{"acr":{"values":[]}}}"#,
            r#"{"id_token":{"acr":{"values":[1]}}}"#,
            r#"{"userinfo":{"x":1}}"#,
            r#"{"userinfo":{},"userinfo":{}}"#,
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(parse(&format!("{{\"x\":\"{}\"}}", "a".repeat(MAX_BYTES))).is_err());
    }
}
