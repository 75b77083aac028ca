//! `IssuerSigned` and its items (ISO/IEC 18013-5:2021, sections 8.3.2.1.2.2 and 9.1.2.5).

use super::data_types::check_element;
use super::{Elements, MdocError, MobileSecurityObject};
use crate::cbor::{Item, Writer};
use crate::cose::Sign1;

/// How many elements a document may have here.
pub(super) const MAX_ELEMENTS: usize = 1024;
/// ISO/IEC 18013-5:2021, section 9.1.2.5: at least 16 bytes of randomness.
const MIN_RANDOM_BYTES: usize = 16;
/// ISO/IEC 18013-5:2021, section 9.1.2.4 wants a `digestID` below 2^31. Software in use draws it
/// from 32 bits, and nothing hangs on the last of them.
const DIGEST_ID_END: u64 = 1 << 32;

/// An `IssuerSigned` structure as received. Not verified.
#[derive(Debug, Clone)]
pub struct IssuerSigned<'a> {
    /// Namespaces with the raw `IssuerSignedItemBytes` of each.
    namespaces: Vec<(&'a str, Vec<Item<'a>>)>,
    issuer_auth: Item<'a>,
}

/// An `IssuerSignedItem`.
pub(super) struct IssuerSignedItem<'a> {
    pub(super) digest_id: u64,
    pub(super) element: &'a str,
    pub(super) value: Item<'a>,
}

impl<'a> IssuerSignedItem<'a> {
    /// Reads `#6.24(bstr .cbor IssuerSignedItem)`.
    pub(super) fn read(item: Item<'a>) -> Result<Self, MdocError> {
        let fields = item.embedded()?.fields()?;
        let digest_id = fields.required("digestID")?.unsigned()?;
        let random = fields.required("random")?.bytes()?;
        if digest_id >= DIGEST_ID_END || random.len() < MIN_RANDOM_BYTES {
            return Err(MdocError::Item);
        }
        Ok(Self {
            digest_id,
            element: fields.required("elementIdentifier")?.text()?,
            value: fields.required("elementValue")?,
        })
    }

    /// Writes `#6.24(bstr .cbor IssuerSignedItem)`.
    pub(super) fn write(digest_id: u64, random: &[u8], element: &str, value: &[u8]) -> Vec<u8> {
        let mut out = Writer::with_capacity(value.len().saturating_add(256));
        out.map(4).text("digestID").unsigned(digest_id);
        out.text("random").bytes(random);
        out.text("elementIdentifier").text(element);
        out.text("elementValue").raw(value);
        let item = out.finish();
        Writer::with_capacity(item.len().saturating_add(8))
            .embedded(&item)
            .finish()
    }
}

impl<'a> IssuerSigned<'a> {
    /// Reads the structure.
    ///
    /// # Errors
    /// [`MdocError::Cbor`], [`MdocError::DuplicateElement`] for more elements than are looked at.
    pub fn parse(input: &'a [u8]) -> Result<Self, MdocError> {
        Self::from_item(Item::parse(input)?)
    }

    pub(super) fn from_item(item: Item<'a>) -> Result<Self, MdocError> {
        let fields = item.fields()?;
        let mut namespaces = Vec::new();
        let mut count = 0;
        let all = fields.optional("nameSpaces").map(Item::map).transpose()?;
        for (namespace, items) in all.into_iter().flatten() {
            let items = items.array()?;
            count = usize::saturating_add(count, items.len());
            if count > MAX_ELEMENTS || items.is_empty() {
                return Err(MdocError::Item);
            }
            namespaces.push((namespace.text()?, items.collect()));
        }
        Ok(Self {
            namespaces,
            issuer_auth: fields.required("issuerAuth")?,
        })
    }

    /// `issuerAuth`, not verified.
    ///
    /// # Errors
    /// [`MdocError::IssuerAuth`] unless it is a `COSE_Sign1`.
    pub fn issuer_auth(&self) -> Result<Sign1<'a>, MdocError> {
        Sign1::from_item(self.issuer_auth).map_err(MdocError::IssuerAuth)
    }

    /// The elements as the document has them. Nothing says that the issuer signed them: to explain
    /// a document to a person, never to decide by.
    ///
    /// # Errors
    /// [`MdocError::Item`], [`MdocError::DuplicateElement`].
    pub fn elements_unverified(&self) -> Result<Elements, MdocError> {
        let mut elements = Elements::new();
        for (namespace, items) in &self.namespaces {
            for item in items {
                let content = IssuerSignedItem::read(*item)?;
                if !elements.add(namespace, content.element, content.value.to_value()) {
                    return Err(MdocError::DuplicateElement);
                }
            }
        }
        Ok(elements)
    }

    pub(super) fn issuer_auth_raw(&self) -> Item<'a> {
        self.issuer_auth
    }

    /// Namespaces with the raw bytes of each item.
    pub(super) fn namespaces(&self) -> &[(&'a str, Vec<Item<'a>>)] {
        &self.namespaces
    }

    /// Compares every item with its digest (section 9.3.1, step 3) and gives the values.
    pub(super) fn check_digests(
        &self,
        mso: &MobileSecurityObject<'_>,
    ) -> Result<Elements, MdocError> {
        let mut elements = Elements::new();
        for (namespace, items) in &self.namespaces {
            let digests = mso.digests(namespace)?;
            let mut used = Vec::with_capacity(items.len());
            for item in items {
                let content = IssuerSignedItem::read(*item)?;
                let id = content.digest_id;
                let at = digests.binary_search_by_key(&id, |(own, _)| *own);
                let found = at.ok().and_then(|at| digests.get(at));
                let (_, digest) = *found.ok_or(MdocError::DigestMissing)?;
                // Over the bytes as received, tag 24 included.
                if !mso.digest_algorithm.matches(item.raw(), digest) {
                    return Err(MdocError::DigestMismatch);
                }
                used.push(id);
                let value = content.value.to_value();
                check_element(mso.doctype, namespace, content.element, &value)?;
                if !elements.add(namespace, content.element, value) {
                    return Err(MdocError::DuplicateElement);
                }
            }
            used.sort_unstable();
            if !used.is_sorted_by(|one, next| one < next) {
                return Err(MdocError::DuplicateElement);
            }
        }
        Ok(elements)
    }
}
