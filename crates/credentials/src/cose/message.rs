//! What `COSE_Sign1` and `COSE_Mac0` have in common: four elements.

use super::CoseError;
use super::header::{Header, Received};
use crate::cbor::{Item, Kind, Writer};

/// A message as received.
#[derive(Debug, Clone, Copy)]
pub(super) struct Message<'a> {
    pub(super) headers: Received<'a>,
    pub(super) payload: Option<&'a [u8]>,
    /// Signature or authentication code.
    pub(super) seal: &'a [u8],
}

impl<'a> Message<'a> {
    /// Reads `[protected, unprotected, payload / nil, seal]` (RFC 9052, sections 4.2 and 6.2).
    pub(super) fn read(item: Item<'a>) -> Result<Self, CoseError> {
        let parts = item.array_of::<4>().map_err(|_| CoseError::Structure)?;
        let [protected, unprotected, payload, seal] = parts;
        let payload = match payload.kind() {
            Kind::Bytes(bytes) => Some(bytes),
            Kind::Null => None,
            _ => return Err(CoseError::Structure),
        };
        Ok(Self {
            seal: seal.bytes().map_err(|_| CoseError::Structure)?,
            headers: Received::read(protected, unprotected)?,
            payload,
        })
    }
}

/// Takes off `tag` where it is there. Another tag is another kind of message, and no array.
pub(super) fn untagged(item: Item<'_>, tag: u64) -> Item<'_> {
    match item.kind() {
        Kind::Tag(own, content) if own == tag => content,
        _ => item,
    }
}

/// `Sig_structure` and `MAC_structure` (RFC 9052, sections 4.4 and 6.3).
pub(super) fn to_be_sealed(
    context: &str,
    protected: &[u8],
    external_aad: &[u8],
    payload: &[u8],
) -> Vec<u8> {
    let parts = [protected.len(), external_aad.len(), payload.len(), 40];
    let room = parts.into_iter().fold(0, usize::saturating_add);
    Writer::with_capacity(room)
        .array(4)
        .text(context)
        .bytes(protected)
        .bytes(external_aad)
        .bytes(payload)
        .finish()
}

/// The bytes of a protected header with `alg`.
pub(super) fn protected(header: &Header, alg: i64) -> Vec<u8> {
    let mut out = Writer::with_capacity(64);
    header.write(Some(alg), &mut out);
    out.finish()
}

/// The message without a tag.
pub(super) fn write(
    protected: &[u8],
    unprotected: &Header,
    payload: Option<&[u8]>,
    seal: &[u8],
) -> Vec<u8> {
    let payload_room = payload.map_or(1, <[u8]>::len);
    let parts = [protected.len(), payload_room, seal.len(), 600];
    let room = parts.into_iter().fold(0, usize::saturating_add);
    let mut out = Writer::with_capacity(room);
    out.array(4).bytes(protected);
    unprotected.write(None, &mut out);
    match payload {
        Some(payload) => out.bytes(payload),
        None => out.null(),
    };
    out.bytes(seal).finish()
}
