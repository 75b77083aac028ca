//! Proof values of both suites: multibase base64url, three bytes of header, CBOR.

use vouchsafe_credentials::cbor::{CborError, Item, Writer};
use vouchsafe_credentials::data_integrity::ProofError;
use vouchsafe_credentials::multibase::base64url_decode;

use super::{MAX_POINTERS, SdError};

/// The headers of the suites: `d9 5d`, then one byte that says which and whether base or derived.
const HEADER: [u8; 2] = [0xd9, 0x5d];

/// The start of a base proof value, whose kind has this byte.
pub(crate) fn base_header(kind: u8) -> [u8; 3] {
    [HEADER[0], HEADER[1], kind]
}

/// The start of a derived proof value, one above the base proof's.
pub(crate) fn derived_header(kind: u8) -> [u8; 3] {
    [HEADER[0], HEADER[1], kind + 1]
}

/// The bytes after the header: an array of five components, untagged, strictly decoded.
pub(crate) fn components(text: &str, header: [u8; 3]) -> Result<Vec<u8>, ProofError> {
    let bytes = base64url_decode(text).ok_or(ProofError::ProofValue)?;
    match bytes.split_first_chunk::<3>() {
        Some((found, rest)) if *found == header => Ok(rest.to_vec()),
        // The other kind of the same suite gets an error that says so.
        Some(([a, b, kind], _)) if [*a, *b] == HEADER && kind ^ 1 == header[2] => {
            Err(if kind % 2 == 0 {
                ProofError::BaseProof
            } else {
                ProofError::DerivedProof
            })
        }
        _ => Err(ProofError::ProofValue),
    }
}

/// A byte string of this length.
pub(crate) fn byte_array<const N: usize>(item: Item<'_>) -> Result<[u8; N], CborError> {
    item.bytes()?.try_into().map_err(|_| CborError::Type)
}

/// An array of byte strings of this length.
pub(crate) fn bytes_list<const N: usize>(item: Item<'_>) -> Result<Vec<[u8; N]>, CborError> {
    item.array()?.map(byte_array).collect()
}

/// An array of texts.
pub(crate) fn pointers(item: Item<'_>) -> Result<Vec<String>, CborError> {
    let items = item.array()?;
    if items.len() > MAX_POINTERS {
        return Err(CborError::Type);
    }
    items.map(|item| item.text().map(str::to_owned)).collect()
}

/// An array of integers, ascending.
pub(crate) fn indexes(item: Item<'_>) -> Result<Vec<usize>, CborError> {
    let number = |item: Item<'_>| usize::try_from(item.unsigned()?).map_err(|_| CborError::Type);
    let indexes: Vec<usize> = item.array()?.map(number).collect::<Result<_, _>>()?;
    if !indexes.is_sorted_by(|a, b| a < b) {
        return Err(CborError::Type);
    }
    Ok(indexes)
}

/// A map from the numbers of canonical labels to what `value` reads.
pub(crate) fn compressed_labels(
    item: Item<'_>,
    value: impl Fn(Item<'_>) -> Result<String, CborError>,
) -> Result<super::LabelMap, CborError> {
    item.map()?
        .map(|(key, label)| Ok((format!("c14n{}", key.unsigned()?), value(label)?)))
        .collect()
}

/// Writes texts.
pub(crate) fn write_pointers(writer: &mut Writer, pointers: &[super::Pointer]) {
    writer.array(pointers.len());
    for pointer in pointers {
        writer.text(&pointer.to_string());
    }
}

/// Writes integers.
pub(crate) fn write_indexes(writer: &mut Writer, indexes: &[usize]) -> Result<(), SdError> {
    writer.array(indexes.len());
    for &index in indexes {
        writer.unsigned(u64::try_from(index).map_err(|_| SdError::Indexes)?);
    }
    Ok(())
}

/// `compressLabelMap`: by the number of the canonical label, in the order of the numbers.
pub(crate) fn compress_labels<T>(
    labels: &super::LabelMap,
    value: impl Fn(&str) -> Option<T>,
) -> Result<std::collections::BTreeMap<u64, T>, SdError> {
    let entry = |(canonical, label): (&String, &String)| {
        let number = canonical.strip_prefix("c14n")?.parse().ok()?;
        Some((number, value(label)?))
    };
    labels
        .iter()
        .map(entry)
        .collect::<Option<_>>()
        .ok_or(SdError::Labels)
}
