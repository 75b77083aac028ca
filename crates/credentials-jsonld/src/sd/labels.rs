//! Labels of blank nodes that do not tell where the node stands in the whole document.

use std::collections::BTreeMap;

use vouchsafe_credentials::crypto::hmac_sha256;
use vouchsafe_credentials::multibase::base64url;

use super::SdError;
use crate::rdf::{Quad, Term};

/// From one label of a blank node to another, both without `_:`.
pub type LabelMap = BTreeMap<String, String>;

/// `createHmacIdLabelMapFunction`: from canonical labels to `u` and the HMAC of each.
pub fn hmac_labels<'a>(
    canonical: impl IntoIterator<Item = &'a String>,
    key: &[u8; 32],
) -> LabelMap {
    canonical
        .into_iter()
        .map(|label| {
            (
                label.clone(),
                base64url(&hmac_sha256(key, label.as_bytes())),
            )
        })
        .collect()
}

/// `createShuffledIdLabelMapFunction` (Data Integrity BBS Cryptosuites 1.0, section 3.2.1): from
/// canonical labels to `b0`, `b1`, …, in the order of the HMACs.
pub fn shuffled_labels<'a>(
    canonical: impl IntoIterator<Item = &'a String>,
    key: &[u8; 32],
) -> LabelMap {
    let by_hmac: BTreeMap<String, String> = hmac_labels(canonical, key)
        .into_iter()
        .map(|(label, hmac)| (hmac, label))
        .collect();
    by_hmac
        .into_values()
        .enumerate()
        .map(|(index, label)| (label, format!("b{index}")))
        .collect()
}

/// Gives every blank node the label that `labels` has for its own.
pub(super) fn relabel(quads: &mut [Quad], labels: &LabelMap) -> Result<(), SdError> {
    let rename = |term: &mut Term| -> Result<(), SdError> {
        if let Term::Blank(label) = term {
            *label = labels.get(&**label).ok_or(SdError::Labels)?.as_str().into();
        }
        Ok(())
    };
    for quad in quads {
        rename(&mut quad.subject)?;
        rename(&mut quad.object)?;
        quad.graph.iter_mut().try_for_each(rename)?;
    }
    Ok(())
}
