//! The mobile security object (ISO/IEC 18013-5:2021, section 9.1.2.4).

use super::{KeyAuthorizations, MdocError, tdate};
use crate::cbor::{Entries, Fields, Item, Writer};
use crate::cose::{key_from_item, key_to_vec};
use crate::crypto::{PublicKey, sha256, sha384, sha512};
use crate::status_list::{IdentifierRef, StatusRef};
use crate::time::UnixTime;

/// `digestAlgorithm`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DigestAlgorithm {
    /// `SHA-256`
    #[default]
    Sha256,
    /// `SHA-384`
    Sha384,
    /// `SHA-512`
    Sha512,
}

impl DigestAlgorithm {
    /// Its name in the mobile security object.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
        }
    }

    /// The algorithm of a name (ISO/IEC 18013-5:2021, table 21).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let all = [Self::Sha256, Self::Sha384, Self::Sha512];
        all.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// Whether `digest` is the digest of `data`.
    pub(super) fn matches(self, data: &[u8], digest: &[u8]) -> bool {
        match self {
            Self::Sha256 => sha256(data) == digest,
            Self::Sha384 => sha384(data) == digest,
            Self::Sha512 => sha512(data) == digest,
        }
    }

    pub(super) fn write(self, data: &[u8], out: &mut Writer) {
        match self {
            Self::Sha256 => out.bytes(&sha256(data)),
            Self::Sha384 => out.bytes(&sha384(data)),
            Self::Sha512 => out.bytes(&sha512(data)),
        };
    }
}

/// `ValidityInfo`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// `signed`
    pub signed: UnixTime,
    /// `validFrom`, not before `signed`.
    pub valid_from: UnixTime,
    /// `validUntil`, after `validFrom`.
    pub valid_until: UnixTime,
    /// `expectedUpdate`
    pub expected_update: Option<UnixTime>,
}

impl Validity {
    /// Whether the times are in the order that the standard asks for.
    pub(super) fn in_order(&self) -> bool {
        self.signed <= self.valid_from && self.valid_from < self.valid_until
    }

    fn read(item: Item<'_>) -> Result<Self, MdocError> {
        const MALFORMED: MdocError = MdocError::Mso("validityInfo");
        let fields = item.fields().map_err(|_| MALFORMED)?;
        let time = |name| {
            let item = fields.optional(name);
            item.map(|item| tdate::read(item).ok_or(MALFORMED))
                .transpose()
        };
        let own = Self {
            signed: time("signed")?.ok_or(MALFORMED)?,
            valid_from: time("validFrom")?.ok_or(MALFORMED)?,
            valid_until: time("validUntil")?.ok_or(MALFORMED)?,
            expected_update: time("expectedUpdate")?,
        };
        if own.in_order() {
            Ok(own)
        } else {
            Err(MALFORMED)
        }
    }

    fn write(&self, out: &mut Writer) {
        out.map(if self.expected_update.is_some() { 4 } else { 3 });
        tdate::write(self.signed, out.text("signed"));
        tdate::write(self.valid_from, out.text("validFrom"));
        tdate::write(self.valid_until, out.text("validUntil"));
        if let Some(update) = self.expected_update {
            tdate::write(update, out.text("expectedUpdate"));
        }
    }
}

/// `status` of the mobile security object: one or both ways to look it up.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MsoStatus {
    /// `status_list`
    pub status_list: Option<StatusRef>,
    /// `identifier_list`
    pub identifier_list: Option<IdentifierRef>,
}

impl MsoStatus {
    /// A status that is there but cannot be checked is no "valid": one of the two must be known.
    fn read(item: Item<'_>) -> Result<Self, MdocError> {
        const MALFORMED: MdocError = MdocError::Mso("status");
        let fields = item.fields().map_err(|_| MALFORMED)?;
        let list = fields.optional("status_list").map(StatusRef::from_cbor);
        let identifier = fields.optional("identifier_list");
        let own = Self {
            status_list: list.transpose().map_err(|_| MALFORMED)?,
            identifier_list: identifier
                .map(IdentifierRef::from_cbor)
                .transpose()
                .map_err(|_| MALFORMED)?,
        };
        if own == Self::default() {
            Err(MALFORMED)
        } else {
            Ok(own)
        }
    }

    fn write(&self, out: &mut Writer) {
        let (list, identifier) = (&self.status_list, &self.identifier_list);
        out.map(usize::from(list.is_some()).saturating_add(identifier.is_some().into()));
        if let Some(list) = list {
            list.write_cbor(out.text("status_list"));
        }
        if let Some(identifier) = identifier {
            identifier.write_cbor(out.text("identifier_list"));
        }
    }
}

/// A mobile security object as received.
#[derive(Debug, Clone)]
pub struct MobileSecurityObject<'a> {
    /// `docType`
    pub doctype: &'a str,
    /// `digestAlgorithm`
    pub digest_algorithm: DigestAlgorithm,
    /// `deviceKeyInfo.deviceKey`
    pub device_key: PublicKey,
    /// `deviceKeyInfo.keyAuthorizations`
    pub key_authorizations: KeyAuthorizations,
    /// `validityInfo`
    pub validity: Validity,
    /// `status`
    pub status: Option<MsoStatus>,
    value_digests: Entries<'a>,
}

impl<'a> MobileSecurityObject<'a> {
    /// Reads `#6.24(bstr .cbor MobileSecurityObject)`, the payload of `issuerAuth`.
    ///
    /// # Errors
    /// See [`MdocError`].
    pub fn parse(payload: &'a [u8]) -> Result<Self, MdocError> {
        let fields = Item::parse(payload)?.embedded()?.fields()?;
        // ISO/IEC 18013-5:2021, section 9.1.2.4: "1.0"; a minor version only adds.
        if !is_version_1(fields.required("version")?.text()?) {
            return Err(MdocError::Version);
        }
        let algorithm = fields.required("digestAlgorithm")?.text()?;
        let (device_key, key_authorizations) = device_key_info(&fields)?;
        Ok(Self {
            doctype: fields.required("docType")?.text()?,
            digest_algorithm: DigestAlgorithm::from_name(algorithm)
                .ok_or(MdocError::DigestAlgorithm)?,
            device_key,
            key_authorizations,
            validity: Validity::read(fields.required("validityInfo")?)?,
            status: fields.optional("status").map(MsoStatus::read).transpose()?,
            value_digests: fields.required("valueDigests")?.map()?,
        })
    }

    /// How many elements the issuer signed, of all namespaces: those that a presentation shows and
    /// those that it keeps back.
    ///
    /// # Errors
    /// [`MdocError::Cbor`].
    pub fn digest_count(&self) -> Result<usize, MdocError> {
        let mut namespaces = self.value_digests;
        namespaces.try_fold(0_usize, |sum, (_, digests)| {
            Ok(sum.saturating_add(digests.map()?.len()))
        })
    }

    /// The digests of a namespace, sorted by `digestID`.
    pub(super) fn digests(&self, namespace: &str) -> Result<Vec<(u64, &'a [u8])>, MdocError> {
        let mut all = self.value_digests;
        let (_, digests) = all
            .find(|(name, _)| name.text() == Ok(namespace))
            .ok_or(MdocError::DigestMissing)?;
        let entry = |(id, digest): (Item<'a>, Item<'a>)| Ok((id.unsigned()?, digest.bytes()?));
        let mut digests = digests
            .map()?
            .map(entry)
            .collect::<Result<Vec<_>, MdocError>>()?;
        digests.sort_unstable_by_key(|(id, _)| *id);
        Ok(digests)
    }
}

/// `1.` and a number without superfluous zeros.
pub(super) fn is_version_1(version: &str) -> bool {
    version.strip_prefix("1.").is_some_and(|minor| {
        minor
            .parse::<u8>()
            .is_ok_and(|number| number.to_string() == minor)
    })
}

fn device_key_info(fields: &Fields<'_>) -> Result<(PublicKey, KeyAuthorizations), MdocError> {
    let info = fields.required("deviceKeyInfo")?.fields()?;
    let key = key_from_item(info.required("deviceKey")?);
    let authorizations = info.optional("keyAuthorizations");
    Ok((
        key.map_err(|_| MdocError::Mso("deviceKey"))?,
        authorizations
            .map(KeyAuthorizations::read)
            .transpose()?
            .unwrap_or_default(),
    ))
}

/// What a mobile security object says but for the digests.
pub(super) struct MsoInput<'a> {
    pub(super) doctype: &'a str,
    pub(super) digest_algorithm: DigestAlgorithm,
    pub(super) device_key: &'a PublicKey,
    pub(super) key_authorizations: &'a KeyAuthorizations,
    pub(super) validity: &'a Validity,
    pub(super) status: Option<&'a MsoStatus>,
}

impl MsoInput<'_> {
    /// The payload of `issuerAuth`; `value_digests` is the encoded map.
    pub(super) fn write(&self, value_digests: &[u8]) -> Vec<u8> {
        let mut out = Writer::with_capacity(value_digests.len().saturating_add(512));
        out.map(if self.status.is_some() { 7 } else { 6 });
        out.text("version").text("1.0");
        out.text("digestAlgorithm")
            .text(self.digest_algorithm.name());
        out.text("valueDigests").raw(value_digests);
        let authorized = !self.key_authorizations.is_empty();
        out.text("deviceKeyInfo")
            .map(if authorized { 2 } else { 1 });
        out.text("deviceKey").raw(&key_to_vec(self.device_key));
        if authorized {
            self.key_authorizations.write(out.text("keyAuthorizations"));
        }
        out.text("docType").text(self.doctype);
        self.validity.write(out.text("validityInfo"));
        if let Some(status) = self.status {
            status.write(out.text("status"));
        }
        let mso = out.finish();
        Writer::with_capacity(mso.len().saturating_add(8))
            .embedded(&mso)
            .finish()
    }
}
