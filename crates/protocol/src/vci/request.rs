//! The credential request (section 8.2): built by a wallet, parsed by an issuer.

use serde_json::{Map, Value, json};
use vouchsafe_credentials::json as strict;

use super::error::{CredentialError, CredentialErrorCode};

/// Longest request in bytes (the limit of this project): a hundred proofs, each with the key
/// attestation of the batch, fit.
pub const MAX_BYTES: usize = 1024 * 1024;
/// Most proofs this parser looks at; the issuer's `batch_size` is lower.
const MAX_PROOFS: usize = 100;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requested {
    /// A configuration of the metadata; used where the token response named no identifiers.
    Configuration(String),
    /// A dataset named by the token response, and only then.
    Identifier(String),
}

/// Proofs of possession.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proofs {
    /// Compact JWTs, at least one; see [`super::proof`].
    Jwt(Vec<String>),
    /// One key attestation; see [`super::key_attestation`].
    Attestation(String),
    /// Presentations with a Data Integrity proof, at least one; see [`super::di_vp`].
    DiVp(Vec<Value>),
}

/// A request, checked for form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialRequest {
    /// What is asked for.
    pub requested: Requested,
    /// Proofs; `None` where the request has none. Where the configuration needs key
    /// binding use [`Self::required_proofs`].
    pub proofs: Option<Proofs>,
}

/// Why a request was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// Not a JSON object, too long, or repeated members.
    #[error("the request is not a JSON object")]
    Malformed,
    /// Both or neither of `credential_identifier` and `credential_configuration_id` (catalogue 269).
    #[error("exactly one of credential_identifier and credential_configuration_id")]
    OneOf,
    /// The token response named `credential_identifiers` (section 8.2).
    #[error("a credential_identifier of the token response must be used")]
    Identifier,
    /// No `transaction_id` that could be one (section 9.1).
    #[error("transaction_id is missing or malformed")]
    TransactionId,
    /// A member of an old draft (catalogue 271).
    #[error("the request uses members of an old draft")]
    Draft,
    /// `proofs` is not an object with one proof type and a non-empty array.
    #[error("malformed proofs")]
    Proofs,
    /// A proof type this issuer does not list.
    #[error("the proof type is not supported")]
    ProofType,
    /// Key binding is required and there are no proofs (catalogue 257).
    #[error("proofs are missing")]
    ProofsMissing,
    /// `credential_response_encryption` though the metadata offer none (catalogue 275).
    #[error("encryption of the response is not offered")]
    Encryption,
}

impl From<RequestError> for CredentialError {
    fn from(error: RequestError) -> Self {
        use CredentialErrorCode as Code;
        match error {
            RequestError::Malformed => Self::new(
                Code::InvalidCredentialRequest,
                "the request is not a JSON object",
            ),
            RequestError::OneOf => Self::new(
                Code::InvalidCredentialRequest,
                "exactly one of credential_identifier and credential_configuration_id",
            ),
            RequestError::Identifier => Self::new(
                Code::InvalidCredentialRequest,
                "use a credential_identifier of the token response",
            ),
            RequestError::TransactionId => Self::new(
                Code::InvalidCredentialRequest,
                "transaction_id is missing or malformed",
            ),
            RequestError::Draft => Self::new(
                Code::InvalidCredentialRequest,
                "format and proof belong to a draft, use OpenID4VCI 1.0",
            ),
            RequestError::Proofs => Self::new(Code::InvalidProof, "malformed proofs"),
            RequestError::ProofType => Self::new(Code::InvalidProof, "proof type not supported"),
            RequestError::ProofsMissing => Self::new(Code::InvalidProof, "proofs are missing"),
            RequestError::Encryption => Code::InvalidEncryptionParameters.into(),
        }
    }
}

/// The member that says how to encrypt the response.
pub const RESPONSE_ENCRYPTION: &str = "credential_response_encryption";

/// The members of a request to the credential or the deferred credential endpoint.
///
/// # Errors
/// [`RequestError::Malformed`].
pub fn members(body: &[u8]) -> Result<Map<String, Value>, RequestError> {
    if body.len() > MAX_BYTES {
        return Err(RequestError::Malformed);
    }
    strict::parse_object(body).map_err(|_| RequestError::Malformed)
}

/// The `transaction_id` of a deferred credential request (section 9.1).
///
/// # Errors
/// [`RequestError::TransactionId`].
pub fn transaction_id(members: &Map<String, Value>) -> Result<&str, RequestError> {
    let text = members.get("transaction_id").and_then(Value::as_str);
    text.filter(|text| !text.is_empty() && text.len() <= 1024)
        .ok_or(RequestError::TransactionId)
}

impl CredentialRequest {
    /// Reads the body of a POST with `Content-Type: application/json`. Unknown members are
    /// ignored (section 8.2).
    ///
    /// # Errors
    /// [`RequestError`].
    pub fn parse(body: &[u8]) -> Result<Self, RequestError> {
        let members = members(body)?;
        if members.contains_key(RESPONSE_ENCRYPTION) {
            return Err(RequestError::Encryption);
        }
        Self::read(&members)
    }

    /// Reads the members of a request but `credential_response_encryption`, which
    /// [`super::encryption::ResponseEncryption::read`] reads.
    ///
    /// # Errors
    /// [`RequestError`].
    pub fn read(members: &Map<String, Value>) -> Result<Self, RequestError> {
        // Draft 13 sent these; 1.0 has neither. Ignoring them would issue something else
        // than was asked for.
        if ["format", "proof", "credential_definition", "vct", "doctype"]
            .iter()
            .any(|name| members.contains_key(*name))
        {
            return Err(RequestError::Draft);
        }
        Ok(Self {
            requested: Requested::read(members)?,
            proofs: members.get("proofs").map(Proofs::read).transpose()?,
        })
    }

    /// The proofs of a request that must have them.
    ///
    /// # Errors
    /// [`RequestError::ProofsMissing`].
    pub fn required_proofs(&self) -> Result<&Proofs, RequestError> {
        self.proofs.as_ref().ok_or(RequestError::ProofsMissing)
    }

    /// The request as JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let Self { requested, proofs } = self;
        let mut members = Map::new();
        match requested {
            Requested::Configuration(id) => {
                members.insert("credential_configuration_id".into(), json!(id));
            }
            Requested::Identifier(id) => {
                members.insert("credential_identifier".into(), json!(id));
            }
        }
        if let Some(proofs) = proofs {
            let proofs = match proofs {
                Proofs::Jwt(jwts) => json!({ "jwt": jwts }),
                Proofs::Attestation(jwt) => json!({ "attestation": [jwt] }),
                Proofs::DiVp(presentations) => json!({ "di_vp": presentations }),
            };
            members.insert("proofs".into(), proofs);
        }
        Value::Object(members)
    }
}

impl Requested {
    fn read(members: &Map<String, Value>) -> Result<Self, RequestError> {
        let text = |value: &Value| {
            let text = value.as_str().filter(|t| !t.is_empty() && t.len() <= 1024);
            text.map(str::to_owned).ok_or(RequestError::Malformed)
        };
        match (
            members.get("credential_configuration_id"),
            members.get("credential_identifier"),
        ) {
            (Some(id), None) => text(id).map(Self::Configuration),
            (None, Some(id)) => text(id).map(Self::Identifier),
            (Some(_), Some(_)) | (None, None) => Err(RequestError::OneOf),
        }
    }
}

impl Proofs {
    fn read(value: &Value) -> Result<Self, RequestError> {
        let types = value.as_object().ok_or(RequestError::Proofs)?;
        // Section 8.2: exactly one parameter named as the proof type.
        let mut entries = types.iter();
        let (Some((name, proofs)), None) = (entries.next(), entries.next()) else {
            return Err(RequestError::Proofs);
        };
        let proofs = proofs.as_array().ok_or(RequestError::Proofs)?;
        if proofs.is_empty() || proofs.len() > MAX_PROOFS {
            return Err(RequestError::Proofs);
        }
        match name.as_str() {
            "jwt" => {
                let jwts = proofs.iter().map(|p| p.as_str().map(str::to_owned));
                let jwts: Option<Vec<_>> = jwts.collect();
                jwts.map(Self::Jwt).ok_or(RequestError::Proofs)
            }
            // Appendix F: exactly one JWT.
            "attestation" => match proofs.as_slice() {
                [Value::String(jwt)] => Ok(Self::Attestation(jwt.clone())),
                _ => Err(RequestError::Proofs),
            },
            "di_vp" if proofs.iter().all(Value::is_object) => Ok(Self::DiVp(proofs.clone())),
            "di_vp" => Err(RequestError::Proofs),
            _ => Err(RequestError::ProofType),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<CredentialRequest, RequestError> {
        CredentialRequest::parse(json.as_bytes())
    }

    #[test]
    fn requests_round_trip() {
        for (requested, proofs) in [
            (
                Requested::Configuration("a".into()),
                Proofs::Jwt(vec!["x.y.z".into()]),
            ),
            (
                Requested::Identifier("b".into()),
                Proofs::Attestation("x.y.z".into()),
            ),
            (
                Requested::Identifier("b".into()),
                Proofs::DiVp(vec![json!({"proof": {}})]),
            ),
        ] {
            let request = CredentialRequest {
                requested,
                proofs: Some(proofs),
            };
            assert_eq!(parse(&request.to_json().to_string()), Ok(request));
        }
    }

    #[test]
    fn cat_269_exactly_one_name() {
        assert_eq!(parse("{}"), Err(RequestError::OneOf));
        assert_eq!(
            parse(r#"{"credential_identifier":"a","credential_configuration_id":"b"}"#),
            Err(RequestError::OneOf)
        );
        assert_eq!(
            parse(r#"{"credential_identifier":""}"#),
            Err(RequestError::Malformed)
        );
        assert_eq!(
            parse(r#"{"credential_identifier":["a"]}"#),
            Err(RequestError::Malformed)
        );
        assert_eq!(
            CredentialError::from(RequestError::OneOf).error,
            CredentialErrorCode::InvalidCredentialRequest
        );
    }

    #[test]
    fn cat_271_draft_members() {
        for member in [
            r#""proof":{"proof_type":"jwt","jwt":"x"}"#,
            r#""format":"dc+sd-jwt""#,
            r#""vct":"x""#,
        ] {
            let json = format!(r#"{{"credential_configuration_id":"a",{member}}}"#);
            assert_eq!(parse(&json), Err(RequestError::Draft), "{member}");
        }
    }

    #[test]
    fn cat_257_proofs_missing() {
        let request = parse(r#"{"credential_configuration_id":"a"}"#).unwrap();
        let error = request.required_proofs().unwrap_err();
        assert_eq!(
            CredentialError::from(error).error,
            CredentialErrorCode::InvalidProof
        );
    }

    #[test]
    fn cat_104_duplicate_members() {
        let twice = r#"{"credential_configuration_id":"a","credential_configuration_id":"b"}"#;
        assert_eq!(parse(twice), Err(RequestError::Malformed));
    }

    #[test]
    fn cat_275_encryption_is_not_offered() {
        let json = r#"{"credential_configuration_id":"a","credential_response_encryption":{}}"#;
        assert_eq!(parse(json), Err(RequestError::Encryption));
    }

    #[test]
    fn malformed_proofs() {
        for (proofs, error) in [
            ("[]", RequestError::Proofs),
            ("null", RequestError::Proofs),
            ("{}", RequestError::Proofs),
            (r#"{"jwt":[]}"#, RequestError::Proofs),
            (r#"{"jwt":"x"}"#, RequestError::Proofs),
            (r#"{"jwt":[1]}"#, RequestError::Proofs),
            (r#"{"jwt":["x"],"attestation":["y"]}"#, RequestError::Proofs),
            (r#"{"di_vp":["x"]}"#, RequestError::Proofs),
            (r#"{"attestation":["x","y"]}"#, RequestError::Proofs),
            (r#"{"attestation":[{}]}"#, RequestError::Proofs),
            (r#"{"cwt":["x"]}"#, RequestError::ProofType),
        ] {
            let json = format!(r#"{{"credential_configuration_id":"a","proofs":{proofs}}}"#);
            assert_eq!(parse(&json), Err(error), "{proofs}");
        }
    }
}
