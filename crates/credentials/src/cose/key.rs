//! `COSE_Key` (RFC 9052, section 7; RFC 9053, section 7): public keys alone.

use super::CoseError;
use crate::cbor::{Item, Kind, Writer};
use crate::crypto::{KeyError, KeyMaterial, PublicKey};

const KTY: i64 = 1;
const ALG: i64 = 3;
const CRV: i64 = -1;
const X: i64 = -2;
const Y: i64 = -3;
/// The private part of both key types.
const D: i64 = -4;

const KTY_OKP: i64 = 1;
const KTY_EC2: i64 = 2;
const CRV_P256: i64 = 1;
const CRV_P384: i64 = 2;
const CRV_P521: i64 = 3;
const CRV_ED25519: i64 = 6;

/// Reads a public key. Private parts are refused; parameters that do not matter here are ignored.
///
/// # Errors
/// [`CoseError::Key`], [`CoseError::AlgorithmMismatch`] when the key says it is for another algorithm.
pub fn key_from_item(item: Item<'_>) -> Result<PublicKey, CoseError> {
    let entries = item.map().map_err(|_| CoseError::Key(KeyError::Invalid))?;
    let find = |label: i64| {
        let mut entries = entries;
        entries
            .find(|(key, _)| key.integer() == Ok(label))
            .map(|(_, value)| value)
    };
    if find(D).is_some() {
        return Err(CoseError::Key(KeyError::PrivateMaterial));
    }
    let number = |label: i64| find(label).and_then(|value| value.integer().ok());
    let key = match (number(KTY), number(CRV)) {
        (Some(KTY_EC2), Some(CRV_P256)) => {
            ec2::<32>(find(X), find(Y)).and_then(|point| PublicKey::from_p256_sec1(&point))
        }
        (Some(KTY_EC2), Some(CRV_P384)) => {
            ec2::<48>(find(X), find(Y)).and_then(|point| PublicKey::from_p384_sec1(&point))
        }
        (Some(KTY_EC2), Some(CRV_P521)) => {
            ec2::<66>(find(X), find(Y)).and_then(|point| PublicKey::from_p521_sec1(&point))
        }
        (Some(KTY_OKP), Some(CRV_ED25519)) => find(X)
            .and_then(|x| x.bytes().ok())
            .ok_or(KeyError::Invalid)
            .and_then(PublicKey::from_ed25519),
        _ => Err(KeyError::Unsupported),
    };
    let key = key.map_err(CoseError::Key)?;
    // RFC 9052, section 7.1: a key that names an algorithm is for that one alone.
    if let Some(alg) = find(ALG) {
        let alg = alg.integer().map_err(|_| CoseError::Header)?;
        if super::header::algorithm(alg)? != key.algorithm() {
            return Err(CoseError::AlgorithmMismatch);
        }
    }
    Ok(key)
}

/// RFC 9053, section 7.1.1: coordinates in full size; `y` may be the sign of the point alone.
fn ec2<const N: usize>(x: Option<Item<'_>>, y: Option<Item<'_>>) -> Result<Vec<u8>, KeyError> {
    let x = x.and_then(|x| x.bytes().ok()).ok_or(KeyError::Invalid)?;
    if x.len() != N {
        return Err(KeyError::Invalid);
    }
    // Section 2.3.3 of SEC 1; with a `y` of another length it is the text of no point.
    let (form, y): (u8, &[u8]) = match y.map(Item::kind) {
        Some(Kind::Bytes(y)) => (4, y),
        Some(Kind::Bool(false)) => (2, &[]),
        Some(Kind::Bool(true)) => (3, &[]),
        _ => return Err(KeyError::Invalid),
    };
    let mut point = Vec::with_capacity(1 + 2 * 66);
    point.push(form);
    point.extend_from_slice(x);
    point.extend_from_slice(y);
    Ok(point)
}

/// The key with its required parameters alone, in deterministic order.
#[must_use]
pub fn key_to_vec(key: &PublicKey) -> Vec<u8> {
    let mut out = Writer::with_capacity(80);
    match key.material() {
        KeyMaterial::P256(point) => ec2_to(&mut out, CRV_P256, &point[1..]),
        KeyMaterial::P384(point) => ec2_to(&mut out, CRV_P384, &point[1..]),
        KeyMaterial::P521(point) => ec2_to(&mut out, CRV_P521, &point[1..]),
        KeyMaterial::Ed25519(key) => {
            out.map(3).integer(KTY).integer(KTY_OKP);
            out.integer(CRV).integer(CRV_ED25519).integer(X).bytes(key);
        }
    }
    out.finish()
}

fn ec2_to(out: &mut Writer, curve: i64, coordinates: &[u8]) {
    let (x, y) = coordinates.split_at(coordinates.len() / 2);
    out.map(4).integer(KTY).integer(KTY_EC2);
    out.integer(CRV).integer(curve);
    out.integer(X).bytes(x).integer(Y).bytes(y);
}
