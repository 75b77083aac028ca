//! Verifying (ISO/IEC 18013-5:2021, section 9.3).

use super::{
    DeviceResponse, Elements, HeldMdoc, IssuerSigned, Mdoc, MdocError, MobileSecurityObject,
    SessionTranscript, StatusOwed, Validity, device,
};
use crate::Verified;
use crate::cose::Sign1;
use crate::crypto::{AgreementKey, CryptoProvider, PublicKey};
use crate::sd_jwt_vc::{
    CLOCK_SKEW_S, IssuerAuthority, IssuerIdentity, IssuerMethod, IssuerTrust, StatusPolicy,
};
use crate::time::UnixTime;
use crate::x509::{Chain, Role, VerifiedCertificate, X509Error, verify_chain};

/// What a Verifier accepts.
#[derive(Debug, Clone, Copy)]
pub struct Policy<'a> {
    /// Issuers that are believed, each for its types; only those with [`IssuerMethod::Iaca`] count.
    pub trust: &'a IssuerTrust,
    /// Types (`docType`) that were asked for.
    pub doctypes: &'a [String],
    /// The exchange that the device must have authenticated.
    pub transcript: &'a SessionTranscript,
    /// The reader's private key of this exchange, to check a `deviceMac` with. `None`: only
    /// signatures are accepted.
    pub reader_key: Option<&'a AgreementKey>,
    /// Status.
    pub status: StatusPolicy,
    /// The time now.
    pub now: UnixTime,
}

/// What a Holder accepts from an issuer.
#[derive(Debug, Clone, Copy)]
pub struct IssuancePolicy<'a> {
    /// Issuers that are believed.
    pub trust: &'a IssuerTrust,
    /// The type (`docType`) that was asked for.
    pub doctype: &'a str,
    /// The key that the document must be bound to.
    pub device_key: &'a PublicKey,
    /// The time now.
    pub now: UnixTime,
}

/// Verifies a `DeviceResponse` with one document, but for its status.
///
/// # Errors
/// Each rule has its own [`MdocError`].
pub fn verify_presented(
    response: &[u8],
    policy: &Policy<'_>,
    crypto: &dyn CryptoProvider,
) -> Result<StatusOwed, MdocError> {
    let response = DeviceResponse::parse(response)?;
    // ISO/IEC 18013-5:2021, table 8: other values are errors of the device.
    if response.status != 0 {
        return Err(MdocError::ResponseStatus);
    }
    // One type is asked for in one response (HAIP 1.0, section 5): one that is missing is missing.
    if !response.document_errors.is_empty() {
        return Err(MdocError::DocumentErrors);
    }
    let [document] = response.documents.as_slice() else {
        return Err(MdocError::Documents);
    };
    if !policy
        .doctypes
        .iter()
        .any(|wanted| wanted == document.doctype)
    {
        return Err(MdocError::TypeNotAccepted);
    }
    let signed = check_issuer_signed(
        &document.issuer_signed,
        document.doctype,
        policy.trust,
        policy.now,
        crypto,
    )?;
    let (transcript, reader_key) = (policy.transcript, policy.reader_key);
    let device_elements = device::check(
        &document.device_signed,
        &signed.mso,
        transcript,
        reader_key,
        crypto,
    )?;
    // What the issuer states is never restated by the device.
    for path in device_elements.paths() {
        if signed
            .elements
            .get(&path.namespace, &path.element)
            .is_some()
        {
            return Err(MdocError::DuplicateElement);
        }
    }
    if policy.status == StatusPolicy::Required && signed.mso.status.is_none() {
        return Err(MdocError::StatusMissing);
    }
    Ok(StatusOwed::new(Mdoc {
        issuer: signed.issuer,
        doctype: signed.mso.doctype.to_owned(),
        validity: signed.mso.validity,
        device_key: signed.mso.device_key,
        status: signed.mso.status,
        elements: signed.elements,
        device_elements,
    }))
}

/// Verifies an `IssuerSigned` structure as the issuer sends it.
///
/// # Errors
/// Each rule has its own [`MdocError`].
pub fn verify_issued(
    issuer_signed: &[u8],
    policy: &IssuancePolicy<'_>,
    crypto: &dyn CryptoProvider,
) -> Result<Verified<HeldMdoc>, MdocError> {
    let parsed = IssuerSigned::parse(issuer_signed)?;
    let (trust, now) = (policy.trust, policy.now);
    let signed = check_issuer_signed(&parsed, policy.doctype, trust, now, crypto)?;
    if signed.mso.device_key != *policy.device_key {
        return Err(MdocError::DeviceKeyMismatch);
    }
    let held = HeldMdoc::new(issuer_signed.to_vec(), signed);
    Ok(Verified::new(held))
}

/// What the issuer signed, checked.
pub(super) struct Signed<'a> {
    pub(super) issuer: IssuerIdentity,
    pub(super) mso: MobileSecurityObject<'a>,
    pub(super) elements: Elements,
}

/// Section 9.3.1: certificate, signature, digests, type, times.
fn check_issuer_signed<'a>(
    issuer_signed: &IssuerSigned<'a>,
    doctype: &str,
    trust: &IssuerTrust,
    now: UnixTime,
    crypto: &dyn CryptoProvider,
) -> Result<Signed<'a>, MdocError> {
    let auth = issuer_signed.issuer_auth()?;
    let chain = document_signer_chain(&auth)?;
    let candidates = Candidates::find(&chain, trust, now, crypto)?;
    let key = candidates.certificate.public_key();
    let payload = auth.verify(key, &[], crypto);
    let payload = payload.map_err(MdocError::IssuerAuth)?.into_inner();
    let mso = MobileSecurityObject::parse(payload)?;
    // Section 9.3.1, step 4: the type that was signed is the type of the document.
    if mso.doctype != doctype {
        return Err(MdocError::DocTypeMismatch);
    }
    let issuer = candidates.decide(doctype)?;
    check_times(&mso.validity, &candidates.certificate, now)?;
    let elements = issuer_signed.check_digests(&mso)?;
    Ok(Signed {
        issuer,
        mso,
        elements,
    })
}

/// Section 9.1.2.4: the certificate stands in the unprotected header and nowhere else.
fn document_signer_chain(auth: &Sign1<'_>) -> Result<Chain, MdocError> {
    let chain = auth.x5chain_unprotected().map_err(MdocError::IssuerAuth)?;
    chain.ok_or(MdocError::ChainMissing)
}

/// Section 9.3.1, step 5.
fn check_times(
    validity: &Validity,
    certificate: &VerifiedCertificate,
    now: UnixTime,
) -> Result<(), MdocError> {
    let (not_before, not_after) = certificate.validity();
    if validity.signed < not_before || validity.signed > not_after {
        return Err(MdocError::SignedOutsideCertificate);
    }
    if validity.signed.since(now) > CLOCK_SKEW_S {
        return Err(MdocError::SignedInFuture);
    }
    if validity.valid_from.since(now) > CLOCK_SKEW_S {
        return Err(MdocError::NotYetValid);
    }
    if now.since(validity.valid_until) >= CLOCK_SKEW_S {
        return Err(MdocError::Expired);
    }
    Ok(())
}

/// A document signer's certificate, and the trusted issuers it may stand for.
struct Candidates<'p> {
    certificate: VerifiedCertificate,
    issuers: Vec<(&'p str, &'p [String])>,
}

impl<'p> Candidates<'p> {
    fn find(
        chain: &Chain,
        trust: &'p IssuerTrust,
        now: UnixTime,
        crypto: &dyn CryptoProvider,
    ) -> Result<Self, MdocError> {
        let mut issuers = Vec::new();
        let mut accepted = None;
        let mut refused = X509Error::Untrusted;
        for issuer in &trust.issuers {
            let IssuerMethod::Iaca { anchors } = &issuer.method else {
                continue;
            };
            match verify_chain(chain, anchors, Role::MdocIssuer, now, crypto) {
                Ok(certificate) => {
                    issuers.push((issuer.id.as_str(), issuer.types.as_slice()));
                    accepted = Some(certificate);
                }
                // The most telling reason: another than "not below this anchor".
                Err(X509Error::Untrusted) => {}
                Err(error) => refused = error,
            }
        }
        match accepted {
            Some(certificate) => Ok(Self {
                certificate,
                issuers,
            }),
            None if refused == X509Error::Untrusted => Err(MdocError::IssuerUntrusted),
            None => Err(MdocError::IssuerChain(refused)),
        }
    }

    /// The issuer that may issue this type.
    fn decide(&self, doctype: &str) -> Result<IssuerIdentity, MdocError> {
        let may_issue = |types: &[String]| types.iter().any(|own| own == doctype);
        let mut issuers = self.issuers.iter();
        let (id, _) = issuers
            .find(|(_, types)| may_issue(types))
            .ok_or(MdocError::IssuerNotForType)?;
        Ok(IssuerIdentity {
            trusted: (*id).to_owned(),
            authority: IssuerAuthority::Iaca {
                anchor: self.certificate.anchor_id().to_string(),
            },
        })
    }
}
