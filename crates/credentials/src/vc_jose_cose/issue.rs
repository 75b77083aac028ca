//! Making envelopes.

use serde_json::{Map, Value};

use super::IssueError;
use super::claims::{check_credential, check_presentation, refuse_wrappers};
use super::open::{content_type, token_type};
use super::verify::refuse_version_1;
use crate::cose::{self, Header as CoseHeader};
use crate::crypto::Signer;
use crate::jws::{self, Header, TokenType};
use crate::random::Rng;
use crate::sd_jwt::{self, Frame, HashAlg};
use crate::vcdm::{Credential, EnvelopeType, Presentation};

/// Tag 18 (RFC 9052, section 2), so that the bytes say what they are.
const TAG_SIGN1: u8 = 0xd2;

/// `vc+jwt` or `vp+jwt`. The payload is the document; `kid` should be the absolute URL
/// of the verification method, so that others can find the key.
///
/// # Errors
/// [`IssueError`]; a document that is not well-formed is not signed.
pub async fn issue_jwt(
    document: &Value,
    kind: EnvelopeType,
    kid: &str,
    signer: &dyn Signer,
) -> Result<String, IssueError> {
    if !matches!(kind, EnvelopeType::VcJwt | EnvelopeType::VpJwt) {
        return Err(IssueError::Kind);
    }
    check(document, kind)?;
    Ok(jws::sign(&header(kind, kid)?, document, signer).await?)
}

/// `vc+sd-jwt` or `vp+sd-jwt`. What the frame names becomes selectively disclosable.
///
/// ```
/// use serde_json::json;
/// use vouchsafe_credentials::crypto::{Algorithm, Portable, Signer as _, SigningKey};
/// use vouchsafe_credentials::data_integrity::Suites;
/// use vouchsafe_credentials::did::{LocalResolver, key, resolve_local};
/// use vouchsafe_credentials::sd_jwt::{ClaimPath, Frame};
/// use vouchsafe_credentials::time::UnixTime;
/// use vouchsafe_credentials::vc_jose_cose::{issue_jwt, issue_sd_jwt, verify_presentation};
/// use vouchsafe_credentials::vcdm::{
///     Binding, EmptyPresentation, EnvelopeType, Enveloped, HolderPolicy, Issuers, Policy,
///     PresentationPolicy, StatusPolicy,
/// };
/// # struct Random(std::sync::atomic::AtomicU8);
/// # impl vouchsafe_credentials::random::Rng for Random {
/// #     fn fill(&self, buffer: &mut [u8]) { buffer.fill(self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst)) }
/// # }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let rng = Random(1.into()); // In a program: the system's random source.
/// let issuer = SigningKey::generate(Algorithm::Es256, &rng);
/// let did = key::encode(issuer.public_key());
/// let (_, url) = resolve_local(&did)?;
///
/// // Issue: the name can be withheld.
/// let credential = json!({
///     "@context": ["https://www.w3.org/ns/credentials/v2"],
///     "type": ["VerifiableCredential"],
///     "issuer": did,
///     "credentialSubject": {"id": did, "name": "Ada"},
/// });
/// let frame = Frame::new().hide(&ClaimPath::of_keys(&["credentialSubject", "name"]))?;
/// let issued = issue_sd_jwt(&credential, EnvelopeType::VcSdJwt, &frame, &url, &issuer, &rng).await?;
///
/// // Present (here the issuer is the holder too): what stands after the first `~` are the
/// // disclosures, and the holder leaves the only one out.
/// let (signed, _name) = issued.split_once('~').unwrap_or_default();
/// let reduced = Enveloped::new(EnvelopeType::VcSdJwt, format!("{signed}~"));
/// let presentation = json!({
///     "@context": ["https://www.w3.org/ns/credentials/v2"],
///     "type": "VerifiablePresentation",
///     "holder": did,
///     "nonce": "n-0S6_WzA2Mj",
///     "aud": "verifier.example",
///     "verifiableCredential": [reduced.to_json()],
/// });
/// let shown = issue_jwt(&presentation, EnvelopeType::VpJwt, &url, &issuer).await?;
/// let shown = Enveloped::new(EnvelopeType::VpJwt, shown);
///
/// // Verify.
/// let now = UnixTime(1_800_000_000);
/// let mut expected = PresentationPolicy {
///     credentials: Policy::new(Issuers::AnyResolvable, now, StatusPolicy::Unchecked),
///     challenge: Binding::Expected("n-0S6_WzA2Mj"),
///     domain: Binding::Expected("verifier.example"),
///     holder: HolderPolicy::IsSubject,
///     empty: EmptyPresentation::Refused,
/// };
/// let suites = Suites::jcs();
/// let verified = verify_presentation(&shown, &suites, &expected, &LocalResolver, &Portable).await?;
/// let subject = &verified.get().credentials()[0].as_json()["credentialSubject"];
/// assert_eq!(subject["id"], did.as_str());
/// assert!(subject.get("name").is_none());
///
/// // Refuse: it was made for another verifier.
/// expected.domain = Binding::Expected("another.example");
/// let error = verify_presentation(&shown, &suites, &expected, &LocalResolver, &Portable).await;
/// assert_eq!(error.unwrap_err().code(), "envelope_audience");
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`IssueError`]; `@context`, `type`, `issuer`, `credentialStatus` and the claims that
/// limit the time must stay in the clear in a credential.
pub async fn issue_sd_jwt(
    document: &Value,
    kind: EnvelopeType,
    frame: &Frame,
    kid: &str,
    signer: &dyn Signer,
    rng: &dyn Rng,
) -> Result<String, IssueError> {
    if !matches!(kind, EnvelopeType::VcSdJwt | EnvelopeType::VpSdJwt) {
        return Err(IssueError::Kind);
    }
    let claims = check(document, kind)?;
    let concealed = sd_jwt::conceal(claims.clone(), frame, HashAlg::default(), rng)?;
    refuse_hidden(claims, &concealed.payload, kind)?;
    let jwt = jws::sign(&header(kind, kid)?, &concealed.payload, signer).await?;
    let disclosures = concealed.disclosures.iter().flat_map(|text| [text, "~"]);
    Ok([jwt.as_str(), "~"].into_iter().chain(disclosures).collect())
}

/// `vc+cose` or `vp+cose`: a tagged `COSE_Sign1`.
///
/// # Errors
/// [`IssueError`]; a document that is not well-formed is not signed.
pub async fn issue_cose(
    document: &Value,
    kind: EnvelopeType,
    kid: &str,
    signer: &dyn Signer,
) -> Result<Vec<u8>, IssueError> {
    if !kind.is_binary() {
        return Err(IssueError::Kind);
    }
    check(document, kind)?;
    // Section 3.3: content type and typ, both of them media types.
    let protected = CoseHeader::new()
        .content_type(&format!("application/{}", content_type(kind)))
        .kid(kid.as_bytes())
        .typ(kind.media_type());
    let payload = serde_json::to_vec(document).map_err(IssueError::Json)?;
    let message = cose::sign1(&protected, &CoseHeader::new(), &[], &payload, signer).await?;
    Ok([&[TAG_SIGN1][..], &message].concat())
}

fn header(kind: EnvelopeType, kid: &str) -> Result<Header, IssueError> {
    let token_type: TokenType = token_type(kind).ok_or(IssueError::Kind)?;
    Ok(Header::new(token_type)
        .with_kid(kid)
        .with("cty", content_type(kind)))
}

/// What we sign, we would accept.
fn check(document: &Value, kind: EnvelopeType) -> Result<&Map<String, Value>, IssueError> {
    let claims = document
        .as_object()
        .ok_or(crate::vcdm::VcdmError::NotAnObject)?;
    refuse_wrappers(claims)?;
    if kind.is_presentation() {
        check_presentation(claims, &Presentation::parse(document)?, None)?;
    } else {
        let credential = Credential::parse(document)?;
        refuse_version_1(&credential)?;
        check_credential(claims, &credential)?;
    }
    Ok(claims)
}

/// A holder who may hide these changes what the credential says.
fn refuse_hidden(
    claims: &Map<String, Value>,
    payload: &Map<String, Value>,
    kind: EnvelopeType,
) -> Result<(), IssueError> {
    const CLEAR: [&str; 10] = [
        "@context",
        "type",
        "issuer",
        "validFrom",
        "validUntil",
        "credentialStatus",
        "iss",
        "exp",
        "nbf",
        "cnf",
    ];
    if kind.is_presentation() {
        return Ok(());
    }
    let changed = CLEAR
        .into_iter()
        .find(|name| claims.get(*name) != payload.get(*name));
    match changed {
        Some(name) => Err(IssueError::Hidden(name)),
        None => Ok(()),
    }
}
