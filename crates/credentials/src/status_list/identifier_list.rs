//! The identifier list (ISO/IEC 18013-5, second edition, section 12.3.6.4, as the EU
//! age verification and PID texts have it): the identifiers of all revoked documents.

use std::collections::BTreeSet;

use super::cwt::{self, Claims};
use super::reference::is_uri;
use super::{StatusCheck, StatusError};
use crate::cbor::{Item, Writer};
use crate::cose::CoseSignError;
use crate::crypto::{CryptoProvider, Signer};
use crate::sd_jwt_vc::{CLOCK_SKEW_S, IssuerIdentity};
use crate::time::UnixTime;
use crate::x509::Chain;

/// Media type, and `typ` of the protected header.
pub const IDENTIFIER_LIST_CWT: &str = "application/identifierlist+cwt";
/// The claim `identifier_list`.
const CLAIM: i64 = 65530;
/// Longest accepted identifier, in bytes.
const MAX_IDENTIFIER_BYTES: usize = 64;

/// `status.identifier_list` of a mobile security object.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdentifierRef {
    /// URI of the list.
    pub uri: String,
    /// The identifier of the document, 1 to 64 bytes.
    pub id: Vec<u8>,
}

impl IdentifierRef {
    /// Reads `{"id": bstr, "uri": tstr}`. Other members are ignored: `certificate` says nothing
    /// about whom this verifier believes.
    ///
    /// # Errors
    /// [`StatusError::Claim`].
    pub fn from_cbor(item: Item<'_>) -> Result<Self, StatusError> {
        let fields = item
            .fields()
            .map_err(|_| StatusError::Claim("identifier_list"))?;
        let id = fields.optional("id").and_then(|id| id.bytes().ok());
        let id = id.filter(|id| (1..=MAX_IDENTIFIER_BYTES).contains(&id.len()));
        let uri = fields.optional("uri").and_then(|uri| uri.text().ok());
        Ok(Self {
            uri: uri
                .filter(|uri| is_uri(uri))
                .ok_or(StatusError::Claim("uri"))?
                .to_owned(),
            id: id.ok_or(StatusError::Claim("id"))?.to_vec(),
        })
    }

    /// Writes the map.
    pub fn write_cbor(&self, out: &mut Writer) {
        out.map(2).text("id").bytes(&self.id);
        out.text("uri").text(&self.uri);
    }
}

/// What an identifier list says.
#[derive(Debug, Clone)]
pub struct IdentifierListInput<'a> {
    /// `sub`: its own URI.
    pub uri: &'a str,
    /// The identifiers of the revoked documents.
    pub revoked: &'a BTreeSet<Vec<u8>>,
    /// `iat`
    pub issued_at: UnixTime,
    /// `exp`
    pub expires_at: UnixTime,
    /// `ttl` in seconds, not 0.
    pub ttl_s: u32,
    /// `x5chain` of the signer.
    pub chain: &'a Chain,
}

/// Signs an identifier list.
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
/// // Issue: the list of all that was revoked, here one document.
/// let now = UnixTime(1_800_000_000);
/// let uri = "https://issuer.example/identifiers/1";
/// let input = IdentifierListInput {
///     uri,
///     revoked: &[vec![7; 16]].into(),
///     issued_at: now,
///     expires_at: now.plus(86_400),
///     ttl_s: 3_600,
///     chain: &chain,
/// };
/// let token = sign_identifier_list(&input, &signer).await?;
///
/// // Present: an mdoc has its identifier in `status.identifier_list` of what its issuer signed.
/// let reference = IdentifierRef { uri: uri.to_owned(), id: vec![8; 16] };
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
/// let verified = verify_identifier_list(&token, &check, &Portable)?;
/// verified.require_not_listed(&reference, now)?;
///
/// // Refuse: the document that is listed.
/// let listed = IdentifierRef { id: vec![7; 16], ..reference.clone() };
/// let error = verified.require_not_listed(&listed, now).unwrap_err();
/// assert_eq!(error.code(), "credential_revoked");
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When the signer fails, or the token would be larger than [`MAX_CWT_BYTES`](super::MAX_CWT_BYTES).
pub async fn sign_identifier_list(
    input: &IdentifierListInput<'_>,
    signer: &dyn Signer,
) -> Result<Vec<u8>, CoseSignError> {
    let mut list = Writer::new();
    list.map(1).text("identifiers").map(input.revoked.len());
    for identifier in input.revoked {
        list.bytes(identifier).map(0);
    }
    let claims = Claims {
        uri: input.uri,
        issued_at: input.issued_at,
        expires_at: input.expires_at,
        ttl_s: input.ttl_s,
        list: (CLAIM, &list.finish()),
    };
    cwt::sign(IDENTIFIER_LIST_CWT, &claims, input.chain, signer).await
}

/// An identifier list that was checked for one issuer and one URI.
#[derive(Debug, Clone)]
pub struct VerifiedIdentifierList {
    uri: String,
    issuer: IssuerIdentity,
    revoked: BTreeSet<Vec<u8>>,
    issued_at: UnixTime,
    expires_at: UnixTime,
    refresh_at: UnixTime,
}

impl VerifiedIdentifierList {
    /// URI of the list.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// The issuer for whose documents it counts.
    #[must_use]
    pub const fn issuer(&self) -> &IssuerIdentity {
        &self.issuer
    }

    /// `iat`, to pass as `newest_seen` next time.
    #[must_use]
    pub const fn issued_at(&self) -> UnixTime {
        self.issued_at
    }

    /// `exp`: never used from then on.
    #[must_use]
    pub const fn expires_at(&self) -> UnixTime {
        self.expires_at
    }

    /// When a fresh copy is due.
    #[must_use]
    pub const fn refresh_at(&self) -> UnixTime {
        self.refresh_at
    }

    /// How many documents are revoked.
    #[must_use]
    pub fn len(&self) -> usize {
        self.revoked.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.revoked.is_empty()
    }

    /// Refuses a document that is revoked.
    ///
    /// # Errors
    /// [`StatusError::Revoked`], [`StatusError::Expired`], [`StatusError::WrongList`].
    pub fn require_not_listed(
        &self,
        reference: &IdentifierRef,
        now: UnixTime,
    ) -> Result<(), StatusError> {
        if reference.uri != self.uri {
            return Err(StatusError::WrongList);
        }
        // As for status lists: the list says nothing of a time before it.
        if self.issued_at.since(now) > CLOCK_SKEW_S {
            return Err(StatusError::InFuture);
        }
        if self.expires_at <= now {
            return Err(StatusError::Expired);
        }
        if self.revoked.contains(&reference.id) {
            return Err(StatusError::Revoked);
        }
        Ok(())
    }
}

/// Verifies an identifier list for one document's issuer and URI.
///
/// # Errors
/// Each rule has its own [`StatusError`].
pub fn verify_identifier_list(
    token: &[u8],
    check: &StatusCheck<'_>,
    crypto: &dyn CryptoProvider,
) -> Result<VerifiedIdentifierList, StatusError> {
    let verified = cwt::verify(token, IDENTIFIER_LIST_CWT, check, crypto)?;
    // Section 12.3.6.4: never both lists in one token.
    if verified.claim(super::cwt::STATUS_LIST).is_some() {
        return Err(StatusError::Claim("status_list"));
    }
    const MALFORMED: StatusError = StatusError::Claim("identifier_list");
    let list = verified.claim(CLAIM).ok_or(MALFORMED)?;
    let identifiers = list
        .fields()
        .map_err(|_| MALFORMED)?
        .optional("identifiers");
    let identifiers = identifiers
        .and_then(|all| all.map().ok())
        .ok_or(MALFORMED)?;
    let mut revoked = BTreeSet::new();
    for (identifier, info) in identifiers {
        let identifier = identifier.bytes().map_err(|_| MALFORMED)?;
        info.map().map_err(|_| MALFORMED)?;
        revoked.insert(identifier.to_vec());
    }
    Ok(VerifiedIdentifierList {
        uri: check.uri.to_owned(),
        issuer: check.issuer.clone(),
        revoked,
        issued_at: verified.times.issued_at,
        // Section 12.3.6.3: `exp` shall be present.
        expires_at: verified.times.expires_at.ok_or(StatusError::Claim("exp"))?,
        refresh_at: verified.times.refresh_at,
    })
}
