//! The `claims` parameter (OpenID Connect Core, section 5.5): what is asked of the ID token and of
//! UserInfo, beside what scopes ask for.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use vouchsafe_credentials::json;

use super::acr::AcrWish;
use super::verified_claims::{self, VerifiedWish};
use crate::oauth::error::OAuthError;

/// Longest parameter in bytes.
const MAX_BYTES: usize = 8 * 1024;
/// Most claims named per destination, and most values of one.
pub(super) const MAX_CLAIMS: usize = 64;
/// A question to the wallet.
const DCQL_QUERY: &str = "dcql_query";
/// Claims with how they were verified.
const VERIFIED_CLAIMS: &str = "verified_claims";

/// What the parameter asks for.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ClaimsRequest {
    /// Values of `id_token.acr`.
    acr_values: Vec<String>,
    acr_essential: bool,
    /// `id_token.auth_time` was asked for.
    pub auth_time: bool,
    /// `value` or `values` of `sub`: the login must end with one of these subjects or fail.
    /// Empty: with anybody.
    pub required_sub: Vec<String>,
    /// Asked for in the ID token.
    pub id_token: Vec<ClaimWish>,
    /// Asked for in UserInfo.
    pub userinfo: Vec<ClaimWish>,
    /// A question to the wallet (draft-svensson-credential-oidc-bridge-02, section 4.1.2).
    pub dcql_query: Option<DcqlWish>,
    /// `verified_claims` for the ID token (OpenID Connect for Identity Assurance 1.0).
    pub verified_id_token: Vec<VerifiedWish>,
    /// The same for UserInfo.
    pub verified_userinfo: Vec<VerifiedWish>,
}

/// `dcql_query`, as it came.
#[derive(Debug, Clone, PartialEq)]
pub struct DcqlWish {
    /// The query.
    pub query: Value,
    /// It stands under `id_token`.
    pub in_id_token: bool,
}

/// One claim that is asked for (section 5.5.1).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ClaimWish {
    /// Its name.
    pub name: String,
    /// Needed "to ensure a smooth authorization experience"; that it is missing is still no error.
    pub essential: bool,
    /// The values that it should have, the favourite first. Empty: any.
    pub values: Vec<Value>,
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
        let dcql_query = dcql_query(&root)?;
        let verified = |name: &str| match root.get(name).and_then(|of| of.get(VERIFIED_CLAIMS)) {
            None => Ok(Vec::new()),
            Some(wishes) => verified_claims::parse(wishes).map_err(|_| malformed()),
        };
        let (verified_id_token, verified_userinfo) = (verified("id_token")?, verified("userinfo")?);
        let id_token = wishes(&root, "id_token")?;
        let userinfo = wishes(&root, "userinfo")?;
        let of = |name: &str| id_token.iter().find(|wish| wish.name == name);
        let acr = of("acr");
        Ok(Self {
            acr_values: acr.map(texts).transpose()?.unwrap_or_default(),
            acr_essential: acr.is_some_and(|acr| acr.essential),
            auth_time: of("auth_time").is_some(),
            required_sub: required_sub(&id_token, &userinfo)?,
            id_token,
            userinfo,
            dcql_query,
            verified_id_token,
            verified_userinfo,
        })
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
}

impl ClaimWish {
    pub(super) fn parse(name: &str, wish: &Value) -> Result<Self, OAuthError> {
        // Section 5.5.1: each member is null or an object.
        let wish = match wish {
            Value::Null => &Map::new(),
            Value::Object(wish) => wish,
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                return Err(malformed());
            }
        };
        let essential = match wish.get("essential") {
            None => false,
            Some(value) => value.as_bool().ok_or_else(malformed)?,
        };
        let values = match (wish.get("value"), wish.get("values")) {
            (None, None) => Vec::new(),
            (Some(value), None) => vec![value.clone()],
            (None, Some(Value::Array(values)))
                if !values.is_empty() && values.len() <= MAX_CLAIMS =>
            {
                values.clone()
            }
            (_, Some(_)) => return Err(malformed()),
        };
        Ok(Self {
            name: name.to_owned(),
            essential,
            values,
        })
    }
}

fn wishes(root: &Map<String, Value>, name: &str) -> Result<Vec<ClaimWish>, OAuthError> {
    match root.get(name) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Object(members)) if members.len() <= MAX_CLAIMS => members
            .iter()
            // These have forms of their own.
            .filter(|(name, _)| ![DCQL_QUERY, VERIFIED_CLAIMS].contains(&name.as_str()))
            .map(|(name, wish)| ClaimWish::parse(name, wish))
            .collect(),
        Some(_) => Err(malformed()),
    }
}

/// One query for both destinations: two would be two questions to one person.
fn dcql_query(root: &Map<String, Value>) -> Result<Option<DcqlWish>, OAuthError> {
    let of = |name: &str| root.get(name).and_then(|of| of.get(DCQL_QUERY));
    match (of("id_token"), of("userinfo")) {
        (None, None) => Ok(None),
        (Some(one), Some(other)) if one != other => Err(malformed()),
        (Some(query), _) => Ok(Some(DcqlWish {
            query: query.clone(),
            in_id_token: true,
        })),
        (None, Some(query)) => Ok(Some(DcqlWish {
            query: query.clone(),
            in_id_token: false,
        })),
    }
}

fn texts(wish: &ClaimWish) -> Result<Vec<String>, OAuthError> {
    let texts = wish.values.iter().map(|value| value.as_str());
    texts
        .map(|text| text.map(str::to_owned).ok_or_else(malformed))
        .collect()
}

/// Whoever both destinations would accept.
fn required_sub(id_token: &[ClaimWish], userinfo: &[ClaimWish]) -> Result<Vec<String>, OAuthError> {
    let mut accepted: Vec<String> = Vec::new();
    let named = id_token.iter().chain(userinfo);
    for wish in named.filter(|wish| wish.name == "sub" && !wish.values.is_empty()) {
        let subs = texts(wish)?;
        if accepted.is_empty() {
            accepted = subs;
            continue;
        }
        accepted.retain(|sub| subs.contains(sub));
        if accepted.is_empty() {
            return Err(OAuthError::invalid_request(
                "nobody is both of the subjects asked for",
            ));
        }
    }
    Ok(accepted)
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
        assert_eq!(
            request.userinfo,
            [ClaimWish {
                name: "age_over_18".into(),
                ..ClaimWish::default()
            }]
        );
        let wish = request.acr_wish(&["urn:vouchsafe:acr:1fa".into()]);
        assert!(wish.essential && !wish.permits(Acr::Single));
        let voluntary = parse("{}")
            .unwrap()
            .acr_wish(&["urn:vouchsafe:acr:vc".into()]);
        assert!(!voluntary.essential && voluntary.permits(Acr::Single));
    }

    #[test]
    fn one_of_several_subjects_and_both_destinations_agree() {
        let subs = |text: &str| parse(text).map(|request| request.required_sub);
        assert_eq!(
            subs(r#"{"id_token":{"sub":{"value":"x"}}}"#).unwrap(),
            ["x"]
        );
        assert_eq!(
            subs(r#"{"userinfo":{"sub":{"values":["x","y"]}}}"#).unwrap(),
            ["x", "y"]
        );
        let both = r#"{"id_token":{"sub":{"values":["x","y"]}},"userinfo":{"sub":{"value":"y"}}}"#;
        assert_eq!(subs(both).unwrap(), ["y"]);
        assert!(subs(r#"{"id_token":{"sub":null}}"#).unwrap().is_empty());
        let nobody = r#"{"id_token":{"sub":{"value":"x"}},"userinfo":{"sub":{"value":"y"}}}"#;
        assert!(subs(nobody).is_err());
    }

    #[test]
    fn wishes_say_how_much_and_which_value() {
        let request = parse(
            r#"{"userinfo":{"tier":{"essential":true,"values":["gold",7]},"name":{"value":"A"}}}"#,
        )
        .unwrap();
        let tier = request.userinfo.iter().find(|w| w.name == "tier").unwrap();
        assert!(tier.essential);
        assert_eq!(tier.values, [Value::from("gold"), Value::from(7)]);
        let name = request.userinfo.iter().find(|w| w.name == "name").unwrap();
        assert!(!name.essential);
        assert_eq!(name.values, [Value::from("A")]);
    }

    #[test]
    fn one_dcql_query_for_both_destinations() {
        let of = |text: &str| parse(text).map(|request| request.dcql_query);
        assert_eq!(of("{}").unwrap(), None);
        let asked = of(r#"{"userinfo":{"dcql_query":{"credentials":[]}}}"#).unwrap();
        assert!(!asked.unwrap().in_id_token);
        let both = r#"{"id_token":{"dcql_query":{"x":1}},"userinfo":{"dcql_query":{"x":1}}}"#;
        assert!(of(both).unwrap().unwrap().in_id_token);
        let two = r#"{"id_token":{"dcql_query":{"x":1}},"userinfo":{"dcql_query":{"x":2}}}"#;
        assert!(of(two).is_err());
        // It is a question, not a claim.
        assert!(parse(both).unwrap().userinfo.is_empty());
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
            r#"{"userinfo":{"x":{"essential":1}}}"#,
            r#"{"userinfo":{"x":{"values":[]}}}"#,
            r#"{"userinfo":{"x":{"value":1,"values":[1]}}}"#,
            r#"{"userinfo":{"sub":{"value":1}}}"#,
            r#"{"userinfo":{},"userinfo":{}}"#,
            r#"{"userinfo":{"verified_claims":null}}"#,
            r#"{"userinfo":{"verified_claims":{"claims":{"name":null}}}}"#,
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(parse(&format!("{{\"x\":\"{}\"}}", "a".repeat(MAX_BYTES))).is_err());
    }
}
