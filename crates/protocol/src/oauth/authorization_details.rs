//! `authorization_details` of type `openid_credential` (RFC 9396; OpenID4VCI 1.0, sections 5.1.1
//! and 6.2): which credential configurations a wallet asks for, and what it is granted.

use serde::Serialize;
use serde_json::{Value, json};
use vouchsafe_credentials::json::parse_strict;

use super::error::{ErrorCode, OAuthError};

/// The only type.
pub const OPENID_CREDENTIAL: &str = "openid_credential";
/// Most objects in one request.
pub const MAX_DETAILS: usize = 16;

/// Why details are refused: `invalid_authorization_details` for all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DetailsError {
    /// Not a JSON array of one to [`MAX_DETAILS`] objects.
    #[error("authorization_details is not a list of objects")]
    Malformed,
    /// Another type (RFC 9396, section 5: an unknown type is refused).
    #[error("the type of the authorization details is not supported")]
    Type,
    /// `credential_configuration_id` is missing or malformed.
    #[error("credential_configuration_id is missing or malformed")]
    Configuration,
    /// `claims` is not a non-empty array of objects.
    #[error("claims is malformed")]
    Claims,
    /// `credential_identifiers` in a request: they are the server's answer.
    #[error("credential_identifiers cannot be asked for")]
    Identifiers,
    /// `locations` does not name this issuer.
    #[error("locations does not name this issuer")]
    Locations,
}

impl From<DetailsError> for OAuthError {
    fn from(_: DetailsError) -> Self {
        ErrorCode::InvalidAuthorizationDetails.into()
    }
}

/// Reads the parameter; returns the configurations, each once. Whether they exist, the caller
/// knows.
///
/// # Errors
/// [`DetailsError`].
pub fn parse(text: &str, issuer: &str) -> Result<Vec<String>, DetailsError> {
    let value = parse_strict(text.as_bytes()).map_err(|_| DetailsError::Malformed)?;
    let list = value.as_array().ok_or(DetailsError::Malformed)?;
    if !(1..=MAX_DETAILS).contains(&list.len()) {
        return Err(DetailsError::Malformed);
    }
    let mut configurations: Vec<String> = Vec::with_capacity(list.len());
    for object in list {
        let id = configuration(object, issuer)?;
        if !configurations.iter().any(|known| known == id) {
            configurations.push(id.to_owned());
        }
    }
    Ok(configurations)
}

fn configuration<'a>(object: &'a Value, issuer: &str) -> Result<&'a str, DetailsError> {
    let object = object.as_object().ok_or(DetailsError::Malformed)?;
    if object.get("type").and_then(Value::as_str) != Some(OPENID_CREDENTIAL) {
        return Err(DetailsError::Type);
    }
    match object.get("claims") {
        None => {}
        Some(Value::Array(claims)) if !claims.is_empty() && claims.iter().all(Value::is_object) => {
        }
        Some(_) => return Err(DetailsError::Claims),
    }
    // RFC 9396, section 5: not as the type defines it. OpenID4VCI 1.0, section 6.2: the token response has
    // them; a request that chose one would get another.
    if object.contains_key("credential_identifiers") {
        return Err(DetailsError::Identifiers);
    }
    // RFC 9396, section 2.2. Only demanded where there are several authorization servers.
    match object.get("locations") {
        None => {}
        Some(Value::Array(locations)) if locations.iter().any(|one| one == issuer) => {}
        Some(_) => return Err(DetailsError::Locations),
    }
    let id = object.get("credential_configuration_id");
    let id = id.and_then(Value::as_str);
    // The ids of an issuer of ours have no space in them.
    let fits = |id: &&str| (1..=256).contains(&id.len()) && !id.contains(' ');
    id.filter(fits).ok_or(DetailsError::Configuration)
}

/// The parameter as a wallet sends it. `issuer` stands in `locations` where the issuer's metadata
/// name its authorization servers (section 5.1.1: then it MUST).
#[must_use]
pub fn request(configurations: &[String], issuer: Option<&str>) -> String {
    let object = |id: &String| {
        let mut object = json!({ "type": OPENID_CREDENTIAL, "credential_configuration_id": id });
        if let (Some(issuer), Some(members)) = (issuer, object.as_object_mut()) {
            members.insert("locations".to_owned(), json!([issuer]));
        }
        object
    };
    Value::Array(configurations.iter().map(object).collect()).to_string()
}

/// What a wallet is granted (section 6.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GrantedDetails {
    /// [`OPENID_CREDENTIAL`].
    pub r#type: &'static str,
    /// The configuration.
    pub credential_configuration_id: String,
    /// The datasets, at least one.
    pub credential_identifiers: Vec<String>,
}

impl GrantedDetails {
    /// One dataset of a configuration.
    #[must_use]
    pub fn new(configuration: String, identifier: String) -> Self {
        Self {
            r#type: OPENID_CREDENTIAL,
            credential_configuration_id: configuration,
            credential_identifiers: vec![identifier],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUER: &str = "https://issuer.example.com";

    #[test]
    fn details_of_the_specification() {
        let one = json!([{ "type": "openid_credential", "credential_configuration_id": "A" }]);
        assert_eq!(parse(&one.to_string(), ISSUER), Ok(vec!["A".into()]));
        let all = json!([
            {
                "type": "openid_credential", "credential_configuration_id": "A",
                "locations": [ISSUER], "claims": [{ "path": ["given_name"] }], "x": 1,
            },
            { "type": "openid_credential", "credential_configuration_id": "B" },
            { "type": "openid_credential", "credential_configuration_id": "A" },
        ]);
        let got = parse(&all.to_string(), ISSUER).unwrap();
        assert_eq!(got, ["A", "B"]);
    }

    #[test]
    fn what_a_wallet_sends_is_read() {
        let ids = ["A".to_owned(), "B".to_owned()];
        assert_eq!(parse(&request(&ids, Some(ISSUER)), ISSUER).unwrap(), ids);
        assert_eq!(parse(&request(&ids, None), ISSUER).unwrap(), ids);
        let elsewhere = request(&ids, Some("https://other.example"));
        assert_eq!(parse(&elsewhere, ISSUER), Err(DetailsError::Locations));
    }

    proptest::proptest! {
        #[test]
        fn details_of_any_text_end_nothing(text in proptest::prelude::any::<String>(), id in "[ -~]{0,300}") {
            let _ = parse(&text, ISSUER);
            let one = json!([{ "type": OPENID_CREDENTIAL, "credential_configuration_id": id }]);
            let good = !id.is_empty() && id.len() <= 256 && !id.contains(' ');
            proptest::prop_assert_eq!(parse(&one.to_string(), ISSUER).is_ok(), good);
        }
    }

    #[test]
    fn details_that_are_refused() {
        use DetailsError::{Claims, Configuration, Identifiers, Locations, Malformed, Type};
        let with = |name: &str, value: Value| {
            let mut one =
                json!({ "type": "openid_credential", "credential_configuration_id": "A" });
            one[name] = value;
            json!([one]).to_string()
        };
        for (text, why) in [
            ("{}".to_owned(), Malformed),
            ("[]".to_owned(), Malformed),
            ("[1]".to_owned(), Malformed),
            ("[{}".to_owned(), Malformed),
            (
                r#"[{"type":"openid_credential","type":"x"}]"#.to_owned(),
                Malformed,
            ),
            (
                json!(vec![json!({}); MAX_DETAILS + 1]).to_string(),
                Malformed,
            ),
            (with("type", json!("payment_initiation")), Type),
            (with("type", Value::Null), Type),
            (with("credential_configuration_id", json!(1)), Configuration),
            (
                with("credential_configuration_id", json!("")),
                Configuration,
            ),
            (
                with("credential_configuration_id", json!("a b")),
                Configuration,
            ),
            (with("credential_identifiers", json!(["x"])), Identifiers),
            (with("credential_identifiers", json!([])), Identifiers),
            (with("claims", json!([])), Claims),
            (with("claims", json!([1])), Claims),
            (
                with("locations", json!(["https://other.example"])),
                Locations,
            ),
            (with("locations", json!(ISSUER)), Locations),
        ] {
            assert_eq!(parse(&text, ISSUER), Err(why), "{text}");
        }
    }
}
