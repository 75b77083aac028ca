//! Options in the query of the request and parameters of the DID URL.

use url::form_urlencoded;
use vouchsafe_credentials::did::{
    DidDocument, DidUrl, ErrorCode, Relationship, Resolution, ResolutionError, parse_time,
};

use super::super::dereference::Options;

/// Longest value.
const MAX_VALUE: usize = 1024;
/// Most options.
const MAX_OPTIONS: usize = 16;

fn invalid(detail: &'static str) -> ResolutionError {
    ResolutionError::new(ErrorCode::InvalidOptions, detail)
}

/// The options of both places. One that stands in both, or twice, is refused: nothing may be injected.
pub(super) fn read(url: &DidUrl, query: &str) -> Result<Options, ResolutionError> {
    let malformed = |_| ResolutionError::new(ErrorCode::InvalidDidUrl, "the query is malformed");
    let mut pairs = url.parameters().map_err(malformed)?;
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if pairs.iter().any(|(known, _)| *known == name) {
            return Err(invalid("an option stands twice"));
        }
        pairs.push((name.into_owned(), value.into_owned()));
    }
    if pairs.len() > MAX_OPTIONS || pairs.iter().any(|(_, value)| value.len() > MAX_VALUE) {
        return Err(invalid("too many or too long options"));
    }
    let mut options = Options::default();
    for (name, value) in pairs {
        set(&mut options, &name, value)?;
    }
    if options.relative_ref.is_some() && options.service.is_none() && options.service_type.is_none()
    {
        return Err(invalid("a relativeRef needs a service"));
    }
    Ok(options)
}

fn set(options: &mut Options, name: &str, value: String) -> Result<(), ResolutionError> {
    let resolution = &mut options.resolution;
    match name {
        "versionId" => resolution.version_id = Some(value),
        "versionTime" => {
            let time = parse_time(&value).ok_or(invalid("the versionTime is not a time"))?;
            resolution.version_time = Some(time);
        }
        "versionNumber" => {
            let number = value
                .parse()
                .map_err(|_| invalid("the versionNumber is not a number"))?;
            resolution.version_number = Some(number);
        }
        "expandRelativeUrls" => resolution.expand_relative_urls = flag(&value)?,
        "noCache" => resolution.no_cache = flag(&value)?,
        "publicKeyFormat" => resolution.public_key_format = Some(value),
        "enableEncryptionKeyDerivation" => {
            resolution.enable_encryption_key_derivation = flag(&value)?;
        }
        "enableExperimentalPublicKeyTypes" => {
            resolution.enable_experimental_public_key_types = flag(&value)?;
        }
        "service" => options.service = Some(value),
        "serviceType" => options.service_type = Some(value),
        "relativeRef" => options.relative_ref = Some(value),
        "verificationRelationship" => {
            let known = Relationship::from_name(&value);
            options.relationship = Some(known.ok_or(invalid("unknown verificationRelationship"))?);
        }
        _ => {
            let detail = "an option that is not known here";
            return Err(ResolutionError::new(ErrorCode::FeatureNotSupported, detail));
        }
    }
    Ok(())
}

fn flag(value: &str) -> Result<bool, ResolutionError> {
    match value {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(invalid("an option is neither true nor false")),
    }
}

/// Section 4.4, step 6: relative DID URLs are made absolute.
pub(super) fn expand(mut resolution: Resolution) -> Resolution {
    resolution.document = resolution.document.map(DidDocument::expanded);
    resolution
}
