//! Enveloped XML signatures (XML Signature 1.1; XAdES, ETSI EN 319 132-1) in the one form that
//! ETSI TS 119 612, annex B, allows.
//!
//! The signature is a child of the root element and covers all of the document but itself. So
//! there is nothing that could be wrapped: what is read after the check is the tree that was
//! canonicalized, from its root, and never what stands inside the signature.

use roxmltree::{Document, Node};

use super::canonical::Canonical;
use super::key::{Method, SignerKey};
use super::tree::{DSIG, base64, child, children, optional};
use super::{ListPolicy, TrustListError};
use crate::crypto::{CryptoProvider, sha256, sha384, sha512};

const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
const XADES: &str = "http://uri.etsi.org/01903/v1.3.2#";
const SIGNED_PROPERTIES: &str = "http://uri.etsi.org/01903#SignedProperties";

const fn form(what: &'static str) -> TrustListError {
    TrustListError::SignatureForm(what)
}

/// Checks the signature of a document, and gives SHA-256 of the octets of it that are signed.
pub(super) fn verify(
    document: &Document<'_>,
    policy: &ListPolicy<'_>,
    provider: &dyn CryptoProvider,
) -> Result<[u8; 32], TrustListError> {
    let signature = the_signature(document)?;
    let info = child(signature, DSIG, "SignedInfo")?;
    let certificates = certificates(signature)?;
    let leaf = certificates.first().ok_or(form("no certificate"))?.clone();
    let key = SignerKey::trusted(certificates, policy, provider)?;
    let signed = signed_info(document, info)?;
    let method = Method::from_uri(algorithm(child(info, DSIG, "SignatureMethod")?)?)
        .ok_or(form("SignatureMethod"))?;
    let value = base64(child(signature, DSIG, "SignatureValue")?)?;
    key.verify(method, signed.as_bytes(), &value, provider)?;
    // The digests of what is referenced are worth something only now.
    let (covered, properties) = check_references(document, signature, info)?;
    if let Some(properties) = properties {
        check_signing_certificate(properties, &leaf)?;
    }
    Ok(covered)
}

/// The one signature, child of the root element.
fn the_signature<'a, 'x>(document: &'a Document<'x>) -> Result<Node<'a, 'x>, TrustListError> {
    let is_one = |node: &Node<'_, '_>| node.has_tag_name((DSIG, "Signature"));
    let mut all = document.descendants().filter(is_one);
    let signature = all.next().ok_or(form("no signature"))?;
    if all.next().is_some() {
        return Err(form("more than one signature"));
    }
    if signature.parent() != Some(document.root_element()) {
        return Err(form("not enveloped"));
    }
    Ok(signature)
}

fn certificates(signature: Node<'_, '_>) -> Result<Vec<Vec<u8>>, TrustListError> {
    let info = child(signature, DSIG, "KeyInfo")?;
    children(info, DSIG, "X509Data")
        .flat_map(|data| children(data, DSIG, "X509Certificate"))
        .take(crate::x509::MAX_CERTIFICATES + 1)
        .map(base64)
        .collect()
}

fn algorithm<'a>(node: Node<'a, '_>) -> Result<&'a str, TrustListError> {
    node.attribute("Algorithm").ok_or(form("Algorithm"))
}

fn signed_info<'a>(
    document: &'a Document<'_>,
    info: Node<'a, '_>,
) -> Result<String, TrustListError> {
    let method = child(info, DSIG, "CanonicalizationMethod")?;
    // TS 119 612, annex B.1: exclusive canonicalization.
    if algorithm(method)? != EXCLUSIVE {
        return Err(form("CanonicalizationMethod"));
    }
    let node = document.get_node(info.id()).ok_or(form("SignedInfo"))?;
    Canonical::new(document, prefixes(method)?).subtree(node)
}

/// `InclusiveNamespaces/@PrefixList` (Exclusive XML Canonicalization, section 3).
fn prefixes(method: Node<'_, '_>) -> Result<Vec<String>, TrustListError> {
    let Some(inclusive) = optional(method, EXCLUSIVE, "InclusiveNamespaces")? else {
        return Ok(Vec::new());
    };
    let list = inclusive.attribute("PrefixList").unwrap_or_default();
    let prefixes: Vec<_> = list
        .split_ascii_whitespace()
        .map(|prefix| if prefix == "#default" { "" } else { prefix }.to_owned())
        .take(65)
        .collect();
    if prefixes.len() > 64 {
        return Err(form("PrefixList"));
    }
    Ok(prefixes)
}

/// SHA-256 of the signed octets of the document, and the signed properties of XAdES.
type Covered<'a, 'x> = ([u8; 32], Option<Node<'a, 'x>>);

/// Exactly one reference to the document, and at most one to the signed properties.
fn check_references<'a, 'x>(
    document: &'a Document<'x>,
    signature: Node<'a, 'x>,
    info: Node<'a, 'x>,
) -> Result<Covered<'a, 'x>, TrustListError> {
    let (mut covered, mut properties) = (None, None);
    for reference in children(info, DSIG, "Reference") {
        if reference.attribute("Type") == Some(SIGNED_PROPERTIES) {
            let found = check_properties(document, signature, reference)?;
            if properties.replace(found).is_some() {
                return Err(form("two references to signed properties"));
            }
        } else if covered.is_some() {
            return Err(form("more than one reference"));
        } else {
            covered = Some(check_document(document, signature, reference)?);
        }
    }
    let covered = covered.ok_or(form("the document is not covered"))?;
    Ok((covered, properties))
}

fn check_document(
    document: &Document<'_>,
    signature: Node<'_, '_>,
    reference: Node<'_, '_>,
) -> Result<[u8; 32], TrustListError> {
    let uri = reference.attribute("URI").ok_or(form("URI"))?;
    let root = document.root_element();
    let is_root = match uri.strip_prefix('#') {
        None => uri.is_empty(),
        Some("") => false,
        Some(id) => root.attribute("Id") == Some(id) && only_one(document, id),
    };
    if !is_root {
        return Err(form("the reference is not to the whole list"));
    }
    let transforms = child(reference, DSIG, "Transforms")?;
    let transforms: Vec<_> = children(transforms, DSIG, "Transform").collect();
    // TS 119 612, annex B.1: enveloped signature, then exclusive canonicalization, nothing else.
    let [enveloped, exclusive] = transforms[..] else {
        return Err(form("transforms"));
    };
    if algorithm(enveloped)? != ENVELOPED || algorithm(exclusive)? != EXCLUSIVE {
        return Err(form("transforms"));
    }
    let canonical = Canonical::new(document, prefixes(exclusive)?).without(signature.id());
    let octets = if uri.is_empty() {
        canonical.document()?
    } else {
        canonical.subtree(root)?
    };
    check_digest(reference, octets.as_bytes())?;
    Ok(sha256(octets.as_bytes()))
}

fn check_properties<'a, 'x>(
    document: &'a Document<'x>,
    signature: Node<'a, 'x>,
    reference: Node<'a, 'x>,
) -> Result<Node<'a, 'x>, TrustListError> {
    let uri = reference.attribute("URI").ok_or(form("URI"))?;
    let id = uri.strip_prefix('#').ok_or(form("URI"))?;
    let object = child(signature, DSIG, "Object")?;
    let qualifying = child(object, XADES, "QualifyingProperties")?;
    let properties = child(qualifying, XADES, "SignedProperties")?;
    if properties.attribute("Id") != Some(id) || !only_one(document, id) {
        return Err(form("the reference is not to the signed properties"));
    }
    let transforms = child(reference, DSIG, "Transforms")?;
    let transform = child(transforms, DSIG, "Transform")?;
    if algorithm(transform)? != EXCLUSIVE {
        return Err(form("transforms"));
    }
    let canonical = Canonical::new(document, prefixes(transform)?).subtree(properties)?;
    check_digest(reference, canonical.as_bytes())?;
    Ok(properties)
}

/// Whether one element alone has this id, however the attribute is written.
fn only_one(document: &Document<'_>, id: &str) -> bool {
    let has = |node: &Node<'_, '_>| {
        let mut attributes = node.attributes();
        attributes.any(|a| a.name().eq_ignore_ascii_case("id") && a.value() == id)
    };
    document.descendants().filter(has).take(2).count() == 1
}

fn check_digest(reference: Node<'_, '_>, octets: &[u8]) -> Result<(), TrustListError> {
    let method = algorithm(child(reference, DSIG, "DigestMethod")?)?;
    let expected = base64(child(reference, DSIG, "DigestValue")?)?;
    if digest(method, octets)? == expected {
        Ok(())
    } else {
        Err(TrustListError::Signature)
    }
}

fn digest(method: &str, octets: &[u8]) -> Result<Vec<u8>, TrustListError> {
    match method {
        "http://www.w3.org/2001/04/xmlenc#sha256" => Ok(sha256(octets).to_vec()),
        "http://www.w3.org/2001/04/xmldsig-more#sha384" => Ok(sha384(octets).to_vec()),
        "http://www.w3.org/2001/04/xmlenc#sha512" => Ok(sha512(octets).to_vec()),
        _ => Err(form("DigestMethod")),
    }
}

/// ETSI EN 319 132-1, section 5.2.2: the first reference is to the signing certificate.
fn check_signing_certificate(properties: Node<'_, '_>, leaf: &[u8]) -> Result<(), TrustListError> {
    let signed = child(properties, XADES, "SignedSignatureProperties")?;
    let newer = optional(signed, XADES, "SigningCertificateV2")?;
    let older = optional(signed, XADES, "SigningCertificate")?;
    let Some(reference) = newer.or(older) else {
        return Err(form("no signing certificate in the signed properties"));
    };
    let cert = children(reference, XADES, "Cert").next();
    let cert = child(cert.ok_or(form("Cert"))?, XADES, "CertDigest")?;
    check_digest(cert, leaf)
}
