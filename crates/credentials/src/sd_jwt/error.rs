//! What can be wrong with an SD-JWT.

use thiserror::Error;

/// Why an SD-JWT was refused or could not be made.
///
/// No variant carries a byte of the input: codes and texts are safe to log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum SdJwtError {
    /// Longer than [`MAX_COMPACT_BYTES`](super::MAX_COMPACT_BYTES).
    #[error("the SD-JWT is too long")]
    TooLong,
    /// Not `<JWT>~<Disclosure>~…~[<KB-JWT>]`.
    #[error("not the compact serialization of an SD-JWT")]
    Malformed,
    /// The JWS JSON serialization, which is not accepted.
    #[error("the JWS JSON serialization of SD-JWT is not accepted")]
    JsonSerialization,
    /// More than [`MAX_DISCLOSURES`](super::MAX_DISCLOSURES).
    #[error("more Disclosures than allowed")]
    TooManyDisclosures,
    /// Disclosures nested deeper than [`MAX_DEPTH`](super::MAX_DEPTH).
    #[error("Disclosures are nested too deeply")]
    TooDeep,
    /// `_sd_alg` is not a string.
    #[error("`_sd_alg` is not a string")]
    HashAlgMalformed,
    /// `_sd_alg` names a hash that is not supported.
    #[error("`_sd_alg` names an unsupported hash algorithm")]
    HashAlgUnsupported,
    /// `_sd_alg` below the top level or inside a Disclosure.
    #[error("`_sd_alg` below the top level")]
    HashAlgNested,
    /// A Disclosure is not strict base64url.
    #[error("a Disclosure is not base64url")]
    DisclosureEncoding,
    /// A Disclosure does not decode to strict JSON in UTF-8.
    #[error("a Disclosure is not JSON")]
    DisclosureJson,
    /// A Disclosure is not an array of two or three elements with a string
    /// salt, or its claim name is not a string.
    #[error("a Disclosure has the wrong shape")]
    DisclosureShape,
    /// A Disclosure for an array element stands for an object property, or the
    /// other way round.
    #[error("a Disclosure of the wrong kind for its place")]
    DisclosureKind,
    /// A Disclosure names the claim `_sd`, `...` or `_sd_alg`.
    #[error("a Disclosure carries a reserved claim name")]
    DisclosureReservedName,
    /// A Disclosure names a claim that is already there.
    #[error("a Disclosure names a claim that already exists")]
    DisclosureNameExists,
    /// The same Disclosure was sent twice.
    #[error("the same Disclosure twice")]
    DisclosureDuplicate,
    /// No digest refers to a Disclosure.
    #[error("a Disclosure that no digest refers to")]
    DisclosureUnreferenced,
    /// `_sd` is not an array of digest strings of the right length.
    #[error("`_sd` is not an array of digests")]
    DigestsMalformed,
    /// `...` not alone in an array element, or not a digest string.
    #[error("`...` is misused")]
    EllipsisMalformed,
    /// The same digest stands in two places.
    #[error("the same digest twice")]
    DigestDuplicate,
    /// The claims to issue use a name that the format keeps for itself.
    #[error("the claims use a reserved name")]
    ClaimReservedName,
    /// The frame names a claim that the claims do not have.
    #[error("the frame names a claim that is missing")]
    FrameClaimMissing,
    /// The frame goes into an object or an array where the claims have
    /// something else.
    #[error("the frame does not fit the claims")]
    FrameMismatch,
    /// The path names the whole payload, where a claim is needed.
    #[error("the path is empty")]
    PathEmpty,
    /// The path is not an array of strings, non-negative integers and nulls.
    #[error("the path is malformed")]
    PathMalformed,
    /// The path to present leads to no claim.
    #[error("no claim at this path")]
    PathNotFound,
}

impl SdJwtError {
    /// A stable code for logs and interfaces.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::TooLong => "sd_jwt_too_long",
            Self::Malformed => "sd_jwt_malformed",
            Self::JsonSerialization => "sd_jwt_json_serialization",
            Self::TooManyDisclosures => "too_many_disclosures",
            Self::TooDeep => "disclosures_too_deep",
            Self::HashAlgMalformed => "sd_alg_malformed",
            Self::HashAlgUnsupported => "sd_alg_unsupported",
            Self::HashAlgNested => "sd_alg_nested",
            Self::DisclosureEncoding => "disclosure_encoding",
            Self::DisclosureJson => "disclosure_json",
            Self::DisclosureShape => "disclosure_shape",
            Self::DisclosureKind => "disclosure_kind",
            Self::DisclosureReservedName => "disclosure_reserved_name",
            Self::DisclosureNameExists => "disclosure_name_exists",
            Self::DisclosureDuplicate => "disclosure_duplicate",
            Self::DisclosureUnreferenced => "disclosure_unreferenced",
            Self::DigestsMalformed => "digests_malformed",
            Self::EllipsisMalformed => "ellipsis_malformed",
            Self::DigestDuplicate => "digest_duplicate",
            Self::ClaimReservedName => "claim_reserved_name",
            Self::FrameClaimMissing => "frame_claim_missing",
            Self::FrameMismatch => "frame_mismatch",
            Self::PathEmpty => "path_empty",
            Self::PathMalformed => "path_malformed",
            Self::PathNotFound => "path_not_found",
        }
    }
}
