//! From JSON to [`DcqlQuery`]: every rule of OpenID4VP 1.0, section 6, and our limits.
//!
//! Unknown properties are ignored everywhere: section 6, "Implementations MUST
//! ignore any unknown properties".

use super::members::{array, boolean, identifier, object, optional, string, strings};
use super::value::integer;
use super::{
    ClaimQuery, ClaimsPath, CredentialQuery, CredentialSetQuery, DcqlQuery, ExpectedValue, Format,
    Meta, PathError, PathStep, QueryId, TrustedAuthority, limits,
};
use serde_json::Value;
use vouchsafe_credentials::encoding::b64url_decode;

/// Why a query is not valid. The wire code is always `invalid_request`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DcqlError {
    /// Something that must be an object is not.
    #[error("{0} must be an object")]
    NotAnObject(&'static str),
    /// Something that must be a non-empty array is not.
    #[error("{0} must be a non-empty array")]
    NotANonEmptyArray(&'static str),
    /// Something that must be a string is missing, not a string or empty.
    #[error("{0} must be a non-empty string")]
    NotAString(&'static str),
    /// Something that must be a boolean is not.
    #[error("{0} must be a boolean")]
    NotABoolean(&'static str),
    /// More or longer than the limits of this implementation.
    #[error("{0} exceeds the limit")]
    TooLarge(&'static str),
    /// An identifier with other characters than `A-Z a-z 0-9 _ -`.
    #[error("{0} must consist of letters, digits, underscores and hyphens")]
    BadIdentifier(&'static str),
    /// Twice the same identifier.
    #[error("{0} occurs more than once")]
    DuplicateIdentifier(&'static str),
    /// A reference to an identifier that is not there.
    #[error("{0} refers to an unknown identifier")]
    UnknownReference(&'static str),
    /// `claim_sets` without `claims`.
    #[error("claim_sets needs claims")]
    ClaimSetsWithoutClaims,
    /// A claim without `id` although there are `claim_sets`.
    #[error("claims need an id where claim_sets is used")]
    ClaimWithoutId,
    /// `path` is no claims path pointer.
    #[error("path: {0}")]
    Path(#[source] PathError),
    /// An mdoc path is not exactly two strings.
    #[error("the path into an mdoc must be two strings")]
    MdocPath,
    /// An element of `values` is not a string, integer or boolean.
    #[error("values must be strings, integers or booleans")]
    BadValue,
    /// An `aki` value is not base64url.
    #[error("aki values must be base64url")]
    BadKeyIdentifier,
}

impl DcqlQuery {
    /// Parses a query. The cost is bounded by the [`limits`].
    pub fn parse(json: &Value) -> Result<Self, DcqlError> {
        let object = object(json, "dcql_query")?;
        let list = array(
            object.get("credentials"),
            "credentials",
            limits::CREDENTIALS,
        )?;
        let mut credentials: Vec<CredentialQuery> = Vec::with_capacity(list.len());
        for entry in list {
            let query = credential_query(entry)?;
            // Section 6.1: "the same `id` MUST NOT be present more than once".
            if credentials.iter().any(|other| other.id == query.id) {
                return Err(DcqlError::DuplicateIdentifier("credentials.id"));
            }
            credentials.push(query);
        }
        let credential_sets = optional(object, "credential_sets")
            .map(|sets| credential_sets(sets, &credentials))
            .transpose()?;
        Ok(DcqlQuery {
            json: json.clone(),
            credentials,
            credential_sets,
        })
    }
}

fn credential_query(value: &Value) -> Result<CredentialQuery, DcqlError> {
    let object = object(value, "credentials")?;
    let id = QueryId(identifier(object.get("id"), "credentials.id")?);
    let format = match string(object.get("format"), "format")? {
        "dc+sd-jwt" => Format::SdJwtVc,
        "mso_mdoc" => Format::MsoMdoc,
        other => Format::Other(other.to_owned()),
    };
    let meta = meta(&format, object.get("meta"))?;
    let trusted_authorities = optional(object, "trusted_authorities")
        .map(trusted_authorities)
        .transpose()?;
    let claims = optional(object, "claims")
        .map(|claims| claim_queries(claims, &format))
        .transpose()?;
    let claim_sets = match (optional(object, "claim_sets"), &claims) {
        (None, _) => None,
        // Section 6.4.1: "`claim_sets` MUST NOT be present if `claims` is absent".
        (Some(_), None) => return Err(DcqlError::ClaimSetsWithoutClaims),
        (Some(sets), Some(claims)) => Some(claim_sets(sets, claims)?),
    };
    Ok(CredentialQuery {
        id,
        format,
        multiple: boolean(object, "multiple", false)?,
        meta,
        trusted_authorities,
        holder_binding: boolean(object, "require_cryptographic_holder_binding", true)?,
        claims,
        claim_sets,
    })
}

/// Section 6.1: `meta` is required; what it holds is up to the format.
fn meta(format: &Format, value: Option<&Value>) -> Result<Meta, DcqlError> {
    let meta = object(value.unwrap_or(&Value::Null), "meta")?;
    match format {
        // Appendix B.3.5: `vct_values` is REQUIRED, a non-empty array of strings.
        Format::SdJwtVc => Ok(Meta::SdJwtVc {
            vct_values: strings(meta.get("vct_values"), "meta.vct_values")?,
        }),
        // Appendix B.2.3: `doctype_value` is REQUIRED, a string.
        Format::MsoMdoc => Ok(Meta::MsoMdoc {
            doctype_value: string(meta.get("doctype_value"), "meta.doctype_value")?.to_owned(),
        }),
        Format::Other(_) => Ok(Meta::Other),
    }
}

fn trusted_authorities(value: &Value) -> Result<Vec<TrustedAuthority>, DcqlError> {
    array(Some(value), "trusted_authorities", limits::AUTHORITIES)?
        .iter()
        .map(|entry| {
            let entry = object(entry, "trusted_authorities")?;
            let kind = string(entry.get("type"), "trusted_authorities.type")?;
            let values = strings(entry.get("values"), "trusted_authorities.values")?;
            if kind != "aki" {
                return Ok(TrustedAuthority::Other {
                    kind: kind.to_owned(),
                    values,
                });
            }
            // Section 6.1.1.1: "encoded as base64url".
            values
                .iter()
                .map(|value| b64url_decode(value).map_err(|_| DcqlError::BadKeyIdentifier))
                .collect::<Result<_, _>>()
                .map(TrustedAuthority::AuthorityKeyIdentifier)
        })
        .collect()
}

fn claim_queries(value: &Value, format: &Format) -> Result<Vec<ClaimQuery>, DcqlError> {
    let list = array(Some(value), "claims", limits::CLAIMS)?;
    let mut claims: Vec<ClaimQuery> = Vec::with_capacity(list.len());
    for entry in list {
        let claim = claim_query(entry, format)?;
        // Section 6.3: within `claims`, "the same `id` MUST NOT be present more than once".
        if claim.id.is_some() && claims.iter().any(|other| other.id == claim.id) {
            return Err(DcqlError::DuplicateIdentifier("claims.id"));
        }
        claims.push(claim);
    }
    Ok(claims)
}

fn claim_query(value: &Value, format: &Format) -> Result<ClaimQuery, DcqlError> {
    let object = object(value, "claims")?;
    let id = optional(object, "id")
        .map(|id| identifier(Some(id), "claims.id"))
        .transpose()?;
    let path =
        ClaimsPath::parse(object.get("path").unwrap_or(&Value::Null)).map_err(DcqlError::Path)?;
    // Section 7.2: into an mdoc, "exactly two components", both strings.
    if *format == Format::MsoMdoc && !matches!(path.steps(), [PathStep::Key(_), PathStep::Key(_)]) {
        return Err(DcqlError::MdocPath);
    }
    let values = optional(object, "values")
        .map(expected_values)
        .transpose()?;
    // Appendix B.2.4: of queries for mdocs; elsewhere an unknown member, which is ignored.
    let intent_to_retain =
        *format == Format::MsoMdoc && boolean(object, "intent_to_retain", false)?;
    Ok(ClaimQuery {
        id,
        path,
        values,
        intent_to_retain,
    })
}

fn expected_values(value: &Value) -> Result<Vec<ExpectedValue>, DcqlError> {
    array(Some(value), "values", limits::VALUES)?
        .iter()
        .map(|value| match value {
            Value::String(text) if text.len() > limits::STRING_BYTES => {
                Err(DcqlError::TooLarge("values"))
            }
            Value::String(text) => Ok(ExpectedValue::String(text.clone())),
            Value::Bool(flag) => Ok(ExpectedValue::Boolean(*flag)),
            Value::Number(number) => integer(number)
                .map(ExpectedValue::Integer)
                .ok_or(DcqlError::BadValue),
            Value::Null | Value::Array(_) | Value::Object(_) => Err(DcqlError::BadValue),
        })
        .collect()
}

/// Sets of claim identifiers, turned into positions in `claims`.
fn claim_sets(value: &Value, claims: &[ClaimQuery]) -> Result<Vec<Vec<usize>>, DcqlError> {
    // Section 6.3: `id` is "REQUIRED if `claim_sets` is present".
    if claims.iter().any(|claim| claim.id.is_none()) {
        return Err(DcqlError::ClaimWithoutId);
    }
    array(Some(value), "claim_sets", limits::CLAIM_SETS)?
        .iter()
        .map(|set| {
            array(Some(set), "claim_sets", limits::CLAIMS)?
                .iter()
                .map(|id| {
                    let id = string(Some(id), "claim_sets")?;
                    claims
                        .iter()
                        .position(|claim| claim.id.as_deref() == Some(id))
                        .ok_or(DcqlError::UnknownReference("claim_sets"))
                })
                .collect()
        })
        .collect()
}

fn credential_sets(
    value: &Value,
    credentials: &[CredentialQuery],
) -> Result<Vec<CredentialSetQuery>, DcqlError> {
    array(Some(value), "credential_sets", limits::CREDENTIAL_SETS)?
        .iter()
        .map(|set| {
            let set = object(set, "credential_sets")?;
            let options = array(set.get("options"), "options", limits::OPTIONS)?
                .iter()
                .map(|option| query_ids(option, credentials))
                .collect::<Result<_, _>>()?;
            Ok(CredentialSetQuery {
                options,
                required: boolean(set, "required", true)?,
            })
        })
        .collect()
}

/// Section 6.2: "a non-empty array of identifiers which reference elements in `credentials`".
fn query_ids(value: &Value, credentials: &[CredentialQuery]) -> Result<Vec<QueryId>, DcqlError> {
    let mut ids: Vec<QueryId> = Vec::new();
    for id in array(Some(value), "options", limits::CREDENTIALS)? {
        let id = string(Some(id), "options")?;
        let known = credentials
            .iter()
            .find(|query| query.id.0 == id)
            .ok_or(DcqlError::UnknownReference("options"))?;
        if !ids.contains(&known.id) {
            ids.push(known.id.clone());
        }
    }
    Ok(ids)
}
