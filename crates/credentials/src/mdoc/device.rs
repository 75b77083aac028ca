//! Device authentication (ISO/IEC 18013-5:2021, section 9.1.3).

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{
    DeviceAuth, DeviceSigned, Elements, KeyAuthorizations, MdocError, MobileSecurityObject,
    SessionTranscript, check_element,
};
use crate::cbor::{Item, Writer};
use crate::cose::{CoseError, Header, mac0_detached, sign1_detached};
use crate::crypto::{AgreementKey, CryptoError, CryptoProvider, PublicKey, Signer, sha256};

/// `#6.24(bstr .cbor DeviceAuthentication)`: what is signed, as a detached payload.
pub(super) fn authentication(
    transcript: &SessionTranscript,
    doctype: &str,
    namespaces_raw: &[u8],
) -> Vec<u8> {
    let parts = [
        transcript.as_bytes().len(),
        doctype.len(),
        namespaces_raw.len(),
        48,
    ];
    let room = parts.into_iter().fold(0, usize::saturating_add);
    let mut out = Writer::with_capacity(room);
    out.array(4).text("DeviceAuthentication");
    out.raw(transcript.as_bytes()).text(doctype);
    let content = out.raw(namespaces_raw).finish();
    Writer::with_capacity(room).embedded(&content).finish()
}

/// `EMacKey` (section 9.1.3.5).
#[expect(clippy::expect_used, reason = "32 bytes are fewer than HKDF can give")]
fn mac_key(
    own: &AgreementKey,
    peer: &PublicKey,
    transcript: &SessionTranscript,
    crypto: &dyn CryptoProvider,
) -> Result<Zeroizing<[u8; 32]>, CryptoError> {
    let shared = crypto.ecdh(own, peer)?;
    let salt = sha256(&transcript.embedded());
    let mut key = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(Some(&salt), &*shared)
        .expand(b"EMacKey", &mut *key)
        .expect("32 bytes are fewer than HKDF can give");
    Ok(key)
}

/// Checks the device authentication and gives the elements that the device signed
/// (section 9.3.1, steps 4 and 5).
pub(super) fn check(
    signed: &DeviceSigned<'_>,
    mso: &MobileSecurityObject<'_>,
    transcript: &SessionTranscript,
    reader_key: Option<&AgreementKey>,
    crypto: &dyn CryptoProvider,
) -> Result<Elements, MdocError> {
    let payload = authentication(transcript, mso.doctype, signed.namespaces_raw.raw());
    let checked = match &signed.auth {
        DeviceAuth::Signature(sign1) => {
            sign1.verify_detached(&mso.device_key, &[], &payload, crypto)
        }
        DeviceAuth::Mac(mac0) => {
            let reader_key = reader_key.ok_or(MdocError::MacUnsupported)?;
            let key = mac_key(reader_key, &mso.device_key, transcript, crypto)
                .map_err(|error| MdocError::DeviceAuth(CoseError::Signature(error)))?;
            mac0.verify_detached(&*key, &[], &payload)
        }
    };
    checked.map_err(MdocError::DeviceAuth)?;
    elements(signed, mso.doctype, &mso.key_authorizations)
}

/// Section 9.1.2.4: the device key signs only what it is authorized to.
fn elements(
    signed: &DeviceSigned<'_>,
    doctype: &str,
    authorizations: &KeyAuthorizations,
) -> Result<Elements, MdocError> {
    let mut elements = Elements::new();
    for (namespace, own) in signed.namespaces {
        let namespace = namespace.text()?;
        for (element, value) in own.map()? {
            let element = element.text()?;
            if !authorizations.allow(namespace, element) {
                return Err(MdocError::NotAuthorized);
            }
            let value = value.to_value();
            check_element(doctype, namespace, element, &value)?;
            if !elements.add(namespace, element, value) {
                return Err(MdocError::DuplicateElement);
            }
        }
    }
    Ok(elements)
}

/// `#6.24(bstr .cbor DeviceNameSpaces)`
fn namespaces(elements: &Elements) -> Result<Vec<u8>, MdocError> {
    let mut out = Writer::new();
    out.map(elements.namespaces().count());
    for (namespace, own) in elements.namespaces() {
        out.text(namespace).map(own.len());
        for (element, value) in own {
            out.text(element).value(value);
        }
    }
    let content = out.finish();
    Item::parse(&content)?;
    Ok(Writer::with_capacity(content.len().saturating_add(8))
        .embedded(&content)
        .finish())
}

/// The encoded `DeviceSigned` with a signature.
pub(super) async fn sign(
    doctype: &str,
    transcript: &SessionTranscript,
    elements: &Elements,
    signer: &dyn Signer,
) -> Result<Vec<u8>, MdocError> {
    let namespaces = namespaces(elements)?;
    let payload = authentication(transcript, doctype, &namespaces);
    let none = Header::new();
    let signature = sign1_detached(&none, &none, &[], &payload, signer).await;
    let signature = signature.map_err(MdocError::Sign)?;
    Ok(write(&namespaces, "deviceSignature", &signature))
}

/// The encoded `DeviceSigned` with a code.
pub(super) fn mac(
    doctype: &str,
    transcript: &SessionTranscript,
    elements: &Elements,
    device_key: &AgreementKey,
    reader_key: &PublicKey,
    crypto: &dyn CryptoProvider,
) -> Result<Vec<u8>, MdocError> {
    let namespaces = namespaces(elements)?;
    let payload = authentication(transcript, doctype, &namespaces);
    let key = mac_key(device_key, reader_key, transcript, crypto)
        .map_err(|error| MdocError::DeviceAuth(CoseError::Signature(error)))?;
    let none = Header::new();
    let code = mac0_detached(&none, &none, &[], &payload, &*key).map_err(MdocError::Sign)?;
    Ok(write(&namespaces, "deviceMac", &code))
}

fn write(namespaces: &[u8], kind: &str, message: &[u8]) -> Vec<u8> {
    let mut out = Writer::with_capacity(
        namespaces
            .len()
            .saturating_add(message.len())
            .saturating_add(48),
    );
    out.map(2).text("nameSpaces").raw(namespaces);
    out.text("deviceAuth").map(1).text(kind).raw(message);
    out.finish()
}
