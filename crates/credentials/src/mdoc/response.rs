//! `DeviceResponse` (ISO/IEC 18013-5:2021, section 8.3.2.1.2.2).

use super::mso::is_version_1;
use super::{IssuerSigned, MdocError};
use crate::cbor::{Entries, Item, Writer};
use crate::cose::{Mac0, Sign1};

/// How many documents a response may have here.
const MAX_DOCUMENTS: usize = 16;

/// A response as received. Not verified.
#[derive(Debug, Clone)]
pub struct DeviceResponse<'a> {
    /// `documents`
    pub documents: Vec<Document<'a>>,
    /// `documentErrors`: types that were not returned, with their error codes.
    pub document_errors: Vec<(&'a str, i64)>,
    /// `status`: 0 is "OK" (table 8).
    pub status: u64,
}

/// A document of a response.
#[derive(Debug, Clone)]
pub struct Document<'a> {
    /// `docType`
    pub doctype: &'a str,
    /// `issuerSigned`
    pub issuer_signed: IssuerSigned<'a>,
    /// `deviceSigned`
    pub device_signed: DeviceSigned<'a>,
    /// `errors`: elements that were not returned, with their error codes.
    pub errors: Vec<(&'a str, &'a str, i64)>,
}

/// What the device signed.
#[derive(Debug, Clone)]
pub struct DeviceSigned<'a> {
    /// `DeviceNameSpacesBytes` as received, tag included.
    pub(super) namespaces_raw: Item<'a>,
    pub(super) namespaces: Entries<'a>,
    /// `deviceAuth`
    pub auth: DeviceAuth<'a>,
}

/// How the device authenticates itself.
#[derive(Debug, Clone, Copy)]
pub enum DeviceAuth<'a> {
    /// `deviceSignature`
    Signature(Sign1<'a>),
    /// `deviceMac`
    Mac(Mac0<'a>),
}

impl<'a> DeviceResponse<'a> {
    /// Reads a response.
    ///
    /// # Errors
    /// See [`MdocError`].
    pub fn parse(input: &'a [u8]) -> Result<Self, MdocError> {
        let fields = Item::parse(input)?.fields()?;
        if !is_version_1(fields.required("version")?.text()?) {
            return Err(MdocError::Version);
        }
        let documents = fields.optional("documents").map(Item::array).transpose()?;
        if documents.is_some_and(|all| all.is_empty() || all.len() > MAX_DOCUMENTS) {
            return Err(MdocError::Documents);
        }
        let documents = documents.into_iter().flatten().map(Document::read);
        let mut document_errors = Vec::new();
        let errors = fields
            .optional("documentErrors")
            .map(Item::array)
            .transpose()?;
        for entry in errors.into_iter().flatten() {
            for (doctype, code) in entry.map()? {
                document_errors.push((doctype.text()?, code.integer()?));
            }
        }
        Ok(Self {
            documents: documents.collect::<Result<_, _>>()?,
            document_errors,
            status: fields.required("status")?.unsigned()?,
        })
    }

    /// A response with one document and the status 0.
    pub(super) fn write(doctype: &str, issuer_signed: &[u8], device_signed: &[u8]) -> Vec<u8> {
        let parts = [doctype.len(), issuer_signed.len(), device_signed.len(), 100];
        let room = parts.into_iter().fold(0, usize::saturating_add);
        let mut out = Writer::with_capacity(room);
        out.map(3).text("version").text("1.0");
        out.text("documents").array(1).map(3);
        out.text("docType").text(doctype);
        out.text("issuerSigned").raw(issuer_signed);
        out.text("deviceSigned").raw(device_signed);
        out.text("status").unsigned(0).finish()
    }
}

impl<'a> Document<'a> {
    fn read(item: Item<'a>) -> Result<Self, MdocError> {
        let fields = item.fields()?;
        let mut errors = Vec::new();
        let all = fields.optional("errors").map(Item::map).transpose()?;
        for (namespace, elements) in all.into_iter().flatten() {
            for (element, code) in elements.map()? {
                errors.push((namespace.text()?, element.text()?, code.integer()?));
            }
        }
        Ok(Self {
            doctype: fields.required("docType")?.text()?,
            issuer_signed: IssuerSigned::from_item(fields.required("issuerSigned")?)?,
            device_signed: DeviceSigned::read(fields.required("deviceSigned")?)?,
            errors,
        })
    }
}

impl<'a> DeviceSigned<'a> {
    fn read(item: Item<'a>) -> Result<Self, MdocError> {
        let fields = item.fields()?;
        let auth = fields.required("deviceAuth")?.fields()?;
        let auth = match (auth.optional("deviceSignature"), auth.optional("deviceMac")) {
            (Some(signature), None) => Sign1::from_item(signature).map(DeviceAuth::Signature),
            (None, Some(mac)) => Mac0::from_item(mac).map(DeviceAuth::Mac),
            _ => return Err(MdocError::DeviceAuthForm),
        };
        let namespaces_raw = fields.required("nameSpaces")?;
        Ok(Self {
            namespaces_raw,
            namespaces: namespaces_raw.embedded()?.map()?,
            auth: auth.map_err(MdocError::DeviceAuth)?,
        })
    }
}
