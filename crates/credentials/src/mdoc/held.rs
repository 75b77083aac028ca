//! What the Holder keeps, and what it sends.

use super::verify::Signed;
use super::{
    DeviceResponse, ElementPath, Elements, IssuerSigned, KeyAuthorizations, MdocError,
    MobileSecurityObject, MsoStatus, SessionTranscript, Validity, device,
};
use crate::cbor::Writer;
use crate::crypto::{AgreementKey, CryptoProvider, PublicKey, Signer};
use crate::mdoc::issuer_signed::IssuerSignedItem;
use crate::sd_jwt_vc::IssuerIdentity;

/// An mdoc in the hands of its Holder, with all its elements.
#[derive(Debug, Clone)]
pub struct HeldMdoc {
    bytes: Vec<u8>,
    issuer: IssuerIdentity,
    doctype: String,
    elements: Elements,
    validity: Validity,
    device_key: PublicKey,
    key_authorizations: KeyAuthorizations,
    status: Option<MsoStatus>,
}

impl HeldMdoc {
    pub(super) fn new(bytes: Vec<u8>, signed: Signed<'_>) -> Self {
        let Signed {
            issuer,
            mso,
            elements,
        } = signed;
        let (doctype, validity) = (mso.doctype.to_owned(), mso.validity);
        let (device_key, status) = (mso.device_key, mso.status);
        Self {
            bytes,
            issuer,
            doctype,
            elements,
            validity,
            device_key,
            key_authorizations: mso.key_authorizations,
            status,
        }
    }

    /// Reads an mdoc back from the Holder's own protected storage. The signature is **not**
    /// checked again: only for bytes that [`verify_issued`](super::verify_issued) accepted before.
    ///
    /// # Errors
    /// When the bytes are no such document.
    pub fn reopen_stored(bytes: Vec<u8>, issuer: IssuerIdentity) -> Result<Self, MdocError> {
        let parsed = IssuerSigned::parse(&bytes)?;
        let payload = parsed.issuer_auth()?.payload_unverified();
        let mso = MobileSecurityObject::parse(payload.ok_or(MdocError::Item)?)?;
        let elements = parsed.check_digests(&mso)?;
        let signed = Signed {
            issuer,
            mso,
            elements,
        };
        Ok(Self::new(bytes.clone(), signed))
    }

    /// The bytes to store: `IssuerSigned`.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The validated issuer.
    #[must_use]
    pub const fn issuer(&self) -> &IssuerIdentity {
        &self.issuer
    }

    /// `docType`
    #[must_use]
    pub fn doctype(&self) -> &str {
        &self.doctype
    }

    /// All elements.
    #[must_use]
    pub const fn elements(&self) -> &Elements {
        &self.elements
    }

    /// `validityInfo`
    #[must_use]
    pub const fn validity(&self) -> &Validity {
        &self.validity
    }

    /// The key that must authenticate a presentation.
    #[must_use]
    pub const fn device_key(&self) -> &PublicKey {
        &self.device_key
    }

    /// What that key may sign.
    #[must_use]
    pub const fn key_authorizations(&self) -> &KeyAuthorizations {
        &self.key_authorizations
    }

    /// `status`
    #[must_use]
    pub const fn status(&self) -> Option<&MsoStatus> {
        self.status.as_ref()
    }

    /// A presentation that reveals these elements and no other.
    ///
    /// # Errors
    /// [`MdocError::ElementNotFound`].
    pub fn present(&self, paths: &[ElementPath]) -> Result<Presentation, MdocError> {
        let missing = |path: &&ElementPath| {
            let value = self.elements.get(&path.namespace, &path.element);
            value.is_none()
        };
        if paths.iter().any(|path| missing(&path)) {
            return Err(MdocError::ElementNotFound);
        }
        let parsed = IssuerSigned::parse(&self.bytes)?;
        let (mut disclosed, mut withheld) = (Vec::new(), Vec::new());
        let mut chosen = Vec::new();
        for (namespace, items) in parsed.namespaces() {
            let mut own = Vec::new();
            for item in items {
                let path = ElementPath::new(namespace, IssuerSignedItem::read(*item)?.element);
                if paths.contains(&path) {
                    own.push(item.raw());
                    disclosed.push(path);
                } else {
                    withheld.push(path);
                }
            }
            if !own.is_empty() {
                chosen.push((*namespace, own));
            }
        }
        let mut out = Writer::with_capacity(self.bytes.len());
        // `nameSpaces` is left out where nothing is revealed: it must not be empty.
        out.map(if chosen.is_empty() { 1 } else { 2 });
        if !chosen.is_empty() {
            out.text("nameSpaces").map(chosen.len());
        }
        for (namespace, items) in chosen {
            out.text(namespace).array(items.len());
            for item in items {
                out.raw(item);
            }
        }
        out.text("issuerAuth").raw(parsed.issuer_auth_raw().raw());
        Ok(Presentation {
            doctype: self.doctype.clone(),
            issuer_signed: out.finish(),
            disclosed,
            withheld,
        })
    }
}

/// A presentation that has not been bound to an exchange yet.
#[derive(Debug, Clone)]
pub struct Presentation {
    doctype: String,
    issuer_signed: Vec<u8>,
    disclosed: Vec<ElementPath>,
    withheld: Vec<ElementPath>,
}

impl Presentation {
    /// Elements that leave.
    #[must_use]
    pub fn disclosed(&self) -> &[ElementPath] {
        &self.disclosed
    }

    /// Elements that stay.
    #[must_use]
    pub fn withheld(&self) -> &[ElementPath] {
        &self.withheld
    }

    /// The `DeviceResponse`, authenticated by a signature of the device key. `own` are elements
    /// that the device itself states; its key must be authorized for them.
    ///
    /// # Errors
    /// When the signer fails, or `own` holds what a reader would refuse.
    pub async fn sign(
        &self,
        transcript: &SessionTranscript,
        own: &Elements,
        signer: &dyn Signer,
    ) -> Result<Vec<u8>, MdocError> {
        let signed = device::sign(&self.doctype, transcript, own, signer).await?;
        Ok(DeviceResponse::write(
            &self.doctype,
            &self.issuer_signed,
            &signed,
        ))
    }

    /// The `DeviceResponse`, authenticated by a code that only the holder of `reader_key` can
    /// check, and could have made itself.
    ///
    /// # Errors
    /// When a key is not a P-256 key, or `own` holds what a reader would refuse.
    pub fn mac(
        &self,
        transcript: &SessionTranscript,
        own: &Elements,
        device_key: &AgreementKey,
        reader_key: &PublicKey,
        crypto: &dyn CryptoProvider,
    ) -> Result<Vec<u8>, MdocError> {
        let (doctype, key) = (&self.doctype, device_key);
        let signed = device::mac(doctype, transcript, own, key, reader_key, crypto)?;
        Ok(DeviceResponse::write(doctype, &self.issuer_signed, &signed))
    }
}
