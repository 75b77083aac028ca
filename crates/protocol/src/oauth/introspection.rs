//! The questions about a token and their answers: introspection (RFC 7662) and revocation
//! (RFC 7009).

use serde::Serialize;
use serde_json::{Map, Value};
use vouchsafe_credentials::time::UnixTime;

use super::params::{Params, ParamsError};
use super::token::TokenType;
use super::values::Secret;

/// The token that a request asks about or gives up (RFC 7662, section 2.1; RFC 7009, section
/// 2.1). `token_type_hint` speeds a search up and never decides, so nobody reads it.
///
/// # Errors
/// [`ParamsError`] where there is none.
pub fn token(params: &Params) -> Result<Secret, ParamsError> {
    Ok(Secret::new(params.required("token")?))
}

/// What is told of a live token (RFC 7662, section 2.2; RFC 9470, section 6.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LiveToken {
    /// Who issued it.
    pub iss: String,
    /// The client that it was issued to.
    pub client_id: String,
    /// The person, as that client knows them.
    pub sub: String,
    /// Scope, space separated.
    pub scope: String,
    /// How it is presented; a refresh token is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_type: Option<TokenType>,
    /// When it was issued.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iat: Option<UnixTime>,
    /// When it ends.
    pub exp: UnixTime,
    /// When the person was authenticated.
    pub auth_time: UnixTime,
    /// How well; left out where the class has run out or none was reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// How.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub amr: Vec<String>,
    /// The key that it is bound to (RFC 9449, section 6.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cnf: Option<Confirmation>,
    /// Hashes of what the person authorised in their wallet (OpenID4VP 1.0, annex B.3.3.1).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub transaction_data_hashes: Vec<String>,
    /// The algorithm of these hashes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction_data_hashes_alg: Option<String>,
    /// What was granted (RFC 9396, section 9.2).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub authorization_details: Vec<Map<String, Value>>,
}

/// `cnf`: how the one who presents a token is known (RFC 7800, section 3.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Confirmation {
    /// Thumbprint of a key (RFC 9449, section 6.1).
    pub jkt: String,
}

/// The answer of an introspection endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Introspection {
    /// Unknown, over, or not of those who ask: RFC 7662, section 2.2 lets nobody tell which.
    Inactive,
    /// Good now.
    Active(Box<LiveToken>),
}

#[derive(Serialize)]
struct Wire<'a> {
    active: bool,
    #[serde(flatten)]
    token: Option<&'a LiveToken>,
}

impl Serialize for Introspection {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let token = match self {
            Self::Inactive => None,
            Self::Active(token) => Some(&**token),
        };
        let active = token.is_some();
        Wire { active, token }.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_7662_section_2_2_wire_form() {
        let json = |answer: &Introspection| serde_json::to_string(answer).unwrap();
        assert_eq!(json(&Introspection::Inactive), r#"{"active":false}"#);
        let token = LiveToken {
            iss: "https://op.example.com".into(),
            client_id: "shop".into(),
            sub: "s".into(),
            scope: "openid".into(),
            token_type: Some(TokenType::Bearer),
            iat: None,
            exp: UnixTime(20),
            auth_time: UnixTime(10),
            acr: Some("urn:vouchsafe:acr:vc".into()),
            amr: vec!["pop".into(), "vp".into()],
            cnf: None,
            transaction_data_hashes: Vec::new(),
            transaction_data_hashes_alg: None,
            authorization_details: Vec::new(),
        };
        let bound = LiveToken {
            token_type: Some(TokenType::Dpop),
            cnf: Some(Confirmation { jkt: "k".into() }),
            ..token.clone()
        };
        let text = json(&Introspection::Active(Box::new(bound)));
        assert!(text.contains(r#""token_type":"DPoP""#), "{text}");
        assert!(text.ends_with(r#","cnf":{"jkt":"k"}}"#), "{text}");
        assert_eq!(
            json(&Introspection::Active(Box::new(token))),
            r#"{"active":true,"iss":"https://op.example.com","client_id":"shop","sub":"s","scope":"openid","token_type":"Bearer","exp":20,"auth_time":10,"acr":"urn:vouchsafe:acr:vc","amr":["pop","vp"]}"#
        );
    }

    #[test]
    fn a_question_names_a_token() {
        let read = |text| token(&Params::parse(text).unwrap());
        assert_eq!(read("token=t&token_type_hint=x").unwrap().expose(), "t");
        for bad in ["", "token=", "token_type_hint=access_token"] {
            assert_eq!(read(bad), Err(ParamsError::Missing("token")), "{bad}");
        }
    }
}
