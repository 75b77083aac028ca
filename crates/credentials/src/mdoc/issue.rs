//! Issuing (ISO/IEC 18013-5:2021, section 9.1.2).

use super::data_types::check_element;
use super::issuer_signed::{IssuerSignedItem, MAX_ELEMENTS};
use super::mso::MsoInput;
use super::{DigestAlgorithm, Elements, IssueError, KeyAuthorizations, MsoStatus, Validity};
use crate::cbor::{Item, Writer};
use crate::cose::{Header, sign1};
use crate::crypto::{PublicKey, Signer};
use crate::random::{Entropy, Rng};
use crate::x509::Chain;

/// `random` of an item: twice what the standard asks for.
const RANDOM_BYTES: usize = 32;

/// What an mdoc says.
#[derive(Debug, Clone)]
pub struct IssueInput<'a> {
    /// `docType`
    pub doctype: &'a str,
    /// The elements.
    pub elements: &'a Elements,
    /// `validityInfo`
    pub validity: Validity,
    /// The key of the device.
    pub device_key: &'a PublicKey,
    /// What that key may sign.
    pub key_authorizations: &'a KeyAuthorizations,
    /// `status`
    pub status: Option<&'a MsoStatus>,
    /// `x5chain`: the document signer's certificate, without the IACA.
    pub chain: &'a Chain,
    /// `digestAlgorithm`
    pub digest_algorithm: DigestAlgorithm,
}

/// Issues an mdoc: the encoded `IssuerSigned` structure.
///
/// # Errors
/// See [`IssueError`].
pub async fn issue(
    input: IssueInput<'_>,
    signer: &dyn Signer,
    rng: &dyn Rng,
) -> Result<Vec<u8>, IssueError> {
    if !input.validity.in_order() {
        return Err(IssueError::Validity);
    }
    let (namespaces, value_digests) = conceal(&input, rng)?;
    let mso = MsoInput {
        doctype: input.doctype,
        digest_algorithm: input.digest_algorithm,
        device_key: input.device_key,
        key_authorizations: input.key_authorizations,
        validity: &input.validity,
        status: input.status,
    };
    // ISO/IEC 18013-5:2021, section 9.1.2.4: `x5chain` in the unprotected header, untagged.
    let unprotected = Header::new().x5chain(input.chain);
    let payload = mso.write(&value_digests);
    let issuer_auth = sign1(&Header::new(), &unprotected, &[], &payload, signer).await?;
    let mut out = Writer::with_capacity(
        namespaces
            .len()
            .saturating_add(issuer_auth.len())
            .saturating_add(40),
    );
    out.map(2).text("nameSpaces").raw(&namespaces);
    Ok(out.text("issuerAuth").raw(&issuer_auth).finish())
}

/// The encoded `IssuerNameSpaces` and `ValueDigests`.
fn conceal(input: &IssueInput<'_>, rng: &dyn Rng) -> Result<(Vec<u8>, Vec<u8>), IssueError> {
    let count: usize = input.elements.namespaces().map(|(_, own)| own.len()).sum();
    let spaces = input.elements.namespaces().count();
    let empty = input.elements.namespaces().any(|(_, own)| own.is_empty());
    if count == 0 || count > MAX_ELEMENTS || empty {
        return Err(IssueError::Elements);
    }
    let mut items = Writer::with_capacity(count.saturating_mul(160));
    let mut digests = Writer::with_capacity(count.saturating_mul(40));
    items.map(spaces);
    digests.map(spaces);
    let mut entropy = Entropy::new(rng);
    for (namespace, own) in input.elements.namespaces() {
        items.text(namespace).array(own.len());
        digests.text(namespace).map(own.len());
        // The ids do not tell which elements a document has: their order is random.
        let mut ids: Vec<u64> = (0..own.len() as u64).collect();
        entropy.shuffle(&mut ids);
        let mut made: Vec<(u64, Vec<u8>)> = Vec::with_capacity(own.len());
        for ((element, value), id) in own.iter().zip(ids) {
            check_element(input.doctype, namespace, element, value).map_err(IssueError::Element)?;
            let value = crate::cbor::to_vec(value);
            // What readers refuse is not issued: NaN, a key twice, too deep.
            Item::parse(&value).map_err(|error| IssueError::Element(error.into()))?;
            let random = entropy.take::<RANDOM_BYTES>();
            let item = IssuerSignedItem::write(id, &random, element, &value);
            items.raw(&item);
            made.push((id, item));
        }
        made.sort_unstable_by_key(|(id, _)| *id);
        for (id, item) in made {
            input.digest_algorithm.write(&item, digests.unsigned(id));
        }
    }
    Ok((items.finish(), digests.finish()))
}
