//! The Status List Token in CWT form ("Status List Token in CWT Format").

use super::check::{self, Times, TokenTimes};
use super::{Bits, StatusCheck, StatusError, StatusList, VerifiedStatusList};
use crate::cbor::{Entries, Item, Kind, Writer};
use crate::cose::{CoseError, CoseSignError, Header, Label, Sign1, TAG_SIGN1, sign1};
use crate::crypto::{CryptoProvider, Signer};
use crate::sd_jwt_vc::issuer_key::NamedKey;
use crate::time::UnixTime;
use crate::x509::Chain;

/// Media type, and `typ` of the protected header.
pub const STATUS_LIST_CWT: &str = "application/statuslist+cwt";
/// Largest list token that is read or made, in bytes: as large as in JWT form.
pub const MAX_CWT_BYTES: usize = 4 * 1024 * 1024;

/// Claims (RFC 8392, section 3; "Status List Token in CWT Format").
const SUB: i64 = 2;
const EXP: i64 = 4;
const NBF: i64 = 5;
const IAT: i64 = 6;
const TTL: i64 = 65534;
pub(super) const STATUS_LIST: i64 = 65533;

/// What a Status List Token in CWT form says.
#[derive(Debug, Clone)]
pub struct StatusCwtInput<'a> {
    /// `sub`: its own URI.
    pub uri: &'a str,
    /// The statuses.
    pub list: &'a StatusList,
    /// `iat`
    pub issued_at: UnixTime,
    /// `exp`
    pub expires_at: UnixTime,
    /// `ttl` in seconds, not 0.
    pub ttl_s: u32,
    /// `x5chain` of the signer.
    pub chain: &'a Chain,
}

/// Signs a Status List Token in CWT form.
///
/// ```
/// use std::sync::Arc;
///
/// use vouchsafe_credentials::crypto::{Portable, SigningKey};
/// use vouchsafe_credentials::sd_jwt_vc::{
///     IssuerAuthority, IssuerIdentity, IssuerMethod, IssuerTrust, StatusMethod, TrustedIssuer,
/// };
/// use vouchsafe_credentials::status_list::*;
/// use vouchsafe_credentials::time::UnixTime;
/// use vouchsafe_credentials::x509::{Chain, Role, TrustAnchors};
/// # fn certified() -> (Vec<u8>, SigningKey, Vec<u8>) {
/// #     use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
/// #     let key = KeyPair::generate().unwrap();
/// #     let mut root = CertificateParams::default();
/// #     root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
/// #     let der = root.self_signed(&key).unwrap().der().to_vec();
/// #     let by = Issuer::new(root, key);
/// #     let key = KeyPair::generate().unwrap();
/// #     let mut leaf = CertificateParams::default();
/// #     leaf.distinguished_name.push(rcgen::DnType::CommonName, "Status lists");
/// #     let leaf = leaf.signed_by(&key, &by).unwrap();
/// #     (der, SigningKey::from_pkcs8_der(&key.serialize_der()).unwrap(), leaf.der().to_vec())
/// # }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (root, signer, certificate) = certified();
/// # let chain = Chain::from_der(vec![certificate])?;
/// // Issue: a list in which entry 7 is revoked.
/// let now = UnixTime(1_800_000_000);
/// let mut list = StatusList::new(Bits::One, 100_000)?;
/// list.set(7, Status::Invalid)?;
/// let uri = "https://issuer.example/statuslists/1";
/// let input = StatusCwtInput {
///     uri,
///     list: &list,
///     issued_at: now,
///     expires_at: now.plus(86_400),
///     ttl_s: 3_600,
///     chain: &chain,
/// };
/// let token = sign_status_list_cwt(&input, &signer).await?;
///
/// // Present: an mdoc names its entry in `status.status_list` of what its issuer signed.
/// let reference = StatusRef { uri: uri.to_owned(), idx: 7 };
///
/// // Verify: a certificate for status lists, below the anchor that this issuer's lists have.
/// let did = "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp".to_owned();
/// let mut anchors = TrustAnchors::new(Role::Status);
/// anchors.add_der(&root)?;
/// let trust = IssuerTrust::new(vec![TrustedIssuer {
///     id: did.clone(),
///     method: IssuerMethod::Did(did.clone()),
///     types: vec!["org.example.card".to_owned()],
///     status: StatusMethod::X509(Arc::new(anchors)),
/// }])?;
/// let issuer = IssuerIdentity { trusted: did.clone(), authority: IssuerAuthority::Did(did) };
/// let check = StatusCheck {
///     uri: &reference.uri,
///     issuer: &issuer,
///     trust: &trust,
///     newest_seen: None,
///     min_refresh_s: 60,
///     now,
/// };
/// let verified = verify_status_list_cwt(&token, &check, &Portable)?;
/// assert_eq!(verified.status(&StatusRef { idx: 8, ..reference.clone() }, now)?, Status::Valid);
///
/// // Refuse: the document of entry 7, and a list that is older than one that was seen.
/// let error = verified.status(&reference, now)?.require_valid().unwrap_err();
/// assert_eq!(error.code(), "credential_revoked");
/// let check = StatusCheck { newest_seen: Some(now.plus(1)), ..check };
/// let older = verify_status_list_cwt(&token, &check, &Portable).unwrap_err();
/// assert_eq!(older.code(), "status_token_rollback");
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When the signer fails.
pub async fn sign_status_list_cwt(
    input: &StatusCwtInput<'_>,
    signer: &dyn Signer,
) -> Result<Vec<u8>, CoseSignError> {
    let mut list = Writer::new();
    write_list(input.list, &mut list);
    let claims = Claims {
        uri: input.uri,
        issued_at: input.issued_at,
        expires_at: input.expires_at,
        ttl_s: input.ttl_s,
        list: (STATUS_LIST, &list.finish()),
    };
    sign(STATUS_LIST_CWT, &claims, input.chain, signer).await
}

/// Verifies a Status List Token in CWT form for one credential's issuer and URI.
///
/// # Errors
/// Each rule has its own [`StatusError`].
pub fn verify_status_list_cwt(
    token: &[u8],
    check: &StatusCheck<'_>,
    crypto: &dyn CryptoProvider,
) -> Result<VerifiedStatusList, StatusError> {
    let verified = verify(token, STATUS_LIST_CWT, check, crypto)?;
    let list = verified.claim(STATUS_LIST);
    let list = read_list(list.ok_or(StatusError::Claim("status_list"))?)?;
    Ok(VerifiedStatusList::new(check, list, verified.times))
}

/// Writes "Status List in CBOR Format".
pub fn write_list(list: &StatusList, out: &mut Writer) {
    out.map(2).text("bits").unsigned(list.bits().count().into());
    out.text("lst").bytes(&list.compress());
}

/// Reads "Status List in CBOR Format".
///
/// # Errors
/// [`StatusError::Bits`], [`StatusError::Claim`], [`StatusError::Encoding`], [`StatusError::TooLarge`].
pub fn read_list(item: Item<'_>) -> Result<StatusList, StatusError> {
    let fields = item
        .fields()
        .map_err(|_| StatusError::Claim("status_list"))?;
    let bits = fields
        .optional("bits")
        .and_then(|bits| bits.unsigned().ok());
    let bits = Bits::from_count(bits.ok_or(StatusError::Bits)?)?;
    let lst = fields.optional("lst").and_then(|lst| lst.bytes().ok());
    StatusList::decompress(bits, lst.ok_or(StatusError::Claim("lst"))?)
}

/// The claims of a list token that is made.
pub(super) struct Claims<'a> {
    pub(super) uri: &'a str,
    pub(super) issued_at: UnixTime,
    pub(super) expires_at: UnixTime,
    pub(super) ttl_s: u32,
    /// The claim with the list, encoded.
    pub(super) list: (i64, &'a [u8]),
}

pub(super) async fn sign(
    typ: &str,
    claims: &Claims<'_>,
    chain: &Chain,
    signer: &dyn Signer,
) -> Result<Vec<u8>, CoseSignError> {
    let (key, list) = claims.list;
    let mut out = Writer::with_capacity(list.len().saturating_add(256));
    out.map(5).integer(SUB).text(claims.uri);
    out.integer(EXP).integer(claims.expires_at.seconds());
    out.integer(IAT).integer(claims.issued_at.seconds());
    out.integer(key).raw(list);
    out.integer(TTL).unsigned(claims.ttl_s.into());
    let payload = out.finish();
    let protected = Header::new().typ(typ).x5chain(chain);
    let message = sign1(&protected, &Header::new(), &[], &payload, signer).await?;
    let mut out = Writer::with_capacity(message.len().saturating_add(1));
    let token = out.tag(TAG_SIGN1).raw(&message).finish();
    // What is published must be readable.
    if token.len() > MAX_CWT_BYTES {
        return Err(CoseSignError::TooLarge);
    }
    Ok(token)
}

/// A list token whose signature, subject and times were checked.
pub(super) struct VerifiedCwt<'a> {
    claims: Entries<'a>,
    pub(super) times: Times,
}

impl<'a> VerifiedCwt<'a> {
    pub(super) fn claim(&self, label: i64) -> Option<Item<'a>> {
        find(self.claims, label)
    }
}

fn find<'a>(mut claims: Entries<'a>, label: i64) -> Option<Item<'a>> {
    let found = claims.find(|(key, _)| key.integer() == Ok(label));
    found.map(|(_, value)| value)
}

pub(super) fn verify<'a>(
    token: &'a [u8],
    typ: &str,
    check: &StatusCheck<'_>,
    crypto: &dyn CryptoProvider,
) -> Result<VerifiedCwt<'a>, StatusError> {
    let message = parse(token).map_err(StatusError::Cose)?;
    // "Status List Token in CWT Format": `typ` is protected, so no other CWT is a list.
    if message.protected(&Label::TYP).map(|own| own.text()) != Some(Ok(typ)) {
        return Err(StatusError::Type);
    }
    let chain = message.x5chain().map_err(StatusError::Cose)?;
    let chain = chain.ok_or(StatusError::Signer)?;
    let key = check::signer_key(&NamedKey::X5c(&chain), check, crypto)?;
    let payload = message
        .verify(&key, &[], crypto)
        .map_err(StatusError::Cose)?;
    let payload = Item::parse_within(payload.into_inner(), MAX_CWT_BYTES);
    let claims = payload
        .and_then(Item::map)
        .map_err(|error| StatusError::Cose(error.into()))?;
    let times = TokenTimes {
        issued_at: time(claims, IAT, "iat")?,
        not_before: time(claims, NBF, "nbf")?,
        expires_at: time(claims, EXP, "exp")?,
        ttl_s: find(claims, TTL).map(ttl).transpose()?,
    };
    let sub = find(claims, SUB).and_then(|sub| sub.text().ok());
    let times = check::subject_and_times(sub, &times, check)?;
    Ok(VerifiedCwt { claims, times })
}

/// "Status List Token in CWT Format": a `COSE_Sign1` with its tag, and no other around it.
fn parse(token: &[u8]) -> Result<Sign1<'_>, CoseError> {
    let item = Item::parse_within(token, MAX_CWT_BYTES)?;
    match item.kind() {
        Kind::Tag(TAG_SIGN1, message) => Sign1::from_item(message),
        _ => Err(CoseError::Structure),
    }
}

/// RFC 8392, section 2, `NumericDate`: an untagged number, here of whole seconds.
fn time(
    claims: Entries<'_>,
    label: i64,
    name: &'static str,
) -> Result<Option<UnixTime>, StatusError> {
    let Some(item) = find(claims, label) else {
        return Ok(None);
    };
    match item.integer() {
        Ok(seconds @ 0..=check::LAST_TIME) => Ok(Some(UnixTime(seconds))),
        _ => Err(StatusError::Claim(name)),
    }
}

/// A positive number of seconds.
fn ttl(item: Item<'_>) -> Result<i64, StatusError> {
    match item.kind() {
        Kind::Unsigned(seconds @ 1..) => Ok(i64::try_from(seconds).unwrap_or(i64::MAX)),
        _ => Err(StatusError::Claim("ttl")),
    }
}
