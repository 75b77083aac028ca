//! Which RSA keys of others are used.

use serde_json::{Map, Value};
use vouchsafe_credentials::encoding::b64url_decode;

/// Accepted lengths of moduli in bytes: 2048 to 4096 bits. More would only cost time (RFC 7518, section 3.3).
const MODULUS: std::ops::RangeInclusive<usize> = 256..=512;

/// The one public exponent in use, 65537.
const EXPONENT: [u8; 3] = [1, 0, 1];

/// Odd primes up to 167. A modulus made by the library of CVE-2017-15361 is a power of 65537 modulo each of them.
const PRIMES: [u32; 38] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
    101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];

/// Whether the members `n` and `e` are those of a key worth trying: length, exponent, an odd modulus without
/// leading zeros, and not of the weak family of CVE-2017-15361 (ROCA).
pub(super) fn acceptable(jwk: &Map<String, Value>) -> bool {
    let number = |name| {
        let text = jwk.get(name).and_then(Value::as_str)?;
        b64url_decode(text).ok()
    };
    let (Some(modulus), Some(exponent)) = (number("n"), number("e")) else {
        return false;
    };
    // RFC 7518, section 6.3.1.1: no leading zero octets; and the top bit makes a length of 2048 bits true.
    let full = match modulus.first() {
        None | Some(0) => false,
        Some(first) => modulus.len() > *MODULUS.start() || *first >= 0x80,
    };
    MODULUS.contains(&modulus.len())
        && full
        && modulus.last().is_some_and(|last| last & 1 == 1)
        && exponent == EXPONENT
        && !is_roca(&modulus)
}

/// The fingerprint of Nemec et al., "The Return of Coppersmith's Attack" (2017), section 4.1.
/// Another modulus has it once in 2^27.
fn is_roca(modulus: &[u8]) -> bool {
    PRIMES.iter().all(|prime| {
        let residue = remainder(modulus, *prime);
        // The powers of 65537: at most prime - 1 of them, then they repeat.
        let mut power = 1;
        (1..*prime).any(|_| {
            power = power * (65537 % prime) % prime;
            power == residue
        })
    })
}

fn remainder(number: &[u8], prime: u32) -> u32 {
    let step = |rest, byte: &u8| (rest * 256 + u32::from(*byte)) % prime;
    number.iter().fold(0, step)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use vouchsafe_credentials::encoding::b64url;

    use super::{PRIMES, acceptable, is_roca, remainder};
    use crate::jose::{JwtKey, SigningAlg};

    fn accepts(n: &[u8], e: &[u8]) -> bool {
        let jwk = json!({"kty": "RSA", "n": b64url(n), "e": b64url(e)});
        acceptable(jwk.as_object().unwrap())
    }

    /// `number * factor`, big endian.
    fn times(number: &[u8], factor: u32) -> Vec<u8> {
        let mut carry = 0_u64;
        let mut out = Vec::new();
        for byte in number.iter().rev() {
            carry += u64::from(*byte) * u64::from(factor);
            out.push(carry.to_le_bytes()[0]);
            carry >>= 8;
        }
        while carry > 0 {
            out.push(carry.to_le_bytes()[0]);
            carry >>= 8;
        }
        out.reverse();
        out
    }

    /// A number of 2048 bits that is 1 modulo every prime of the list: 65537 to the power of zero.
    fn fingerprinted() -> Vec<u8> {
        let mut number = vec![2];
        for prime in PRIMES {
            number = times(&number, prime);
        }
        while number.len() < 256 {
            number = times(&number, 251);
        }
        while number[0] < 0x80 {
            number = times(&number, 2);
        }
        assert_eq!(number.len(), 256);
        *number.last_mut().unwrap() += 1;
        number
    }

    fn good() -> Vec<u8> {
        let key = JwtKey::generate(SigningAlg::Rs256).unwrap();
        let n = key.public_jwk()["n"].as_str().unwrap();
        vouchsafe_credentials::encoding::b64url_decode(n).unwrap()
    }

    #[test]
    fn cat_083_sizes_exponents_and_moduli() {
        let n = good();
        let e = &[1, 0, 1][..];
        assert!(accepts(&n, e));
        let mut even = n.clone();
        *even.last_mut().unwrap() &= 0xfe;
        let mut small = n.clone();
        small[0] = 0x7f;
        let leading_zero = [&[0], &n[..]].concat();
        let long = |length: usize| [vec![0xc1; length - 1], vec![1]].concat();
        for modulus in [
            Vec::new(),
            vec![1],
            n[..128].to_vec(),
            n[..255].to_vec(),
            even,
            small,
            leading_zero,
            long(513),
            long(2048),
            vec![0; 256],
        ] {
            assert!(!accepts(&modulus, e), "{} bytes", modulus.len());
        }
        assert!(accepts(&long(512), e));
        for exponent in [
            &[][..],
            &[1],
            &[3],
            &[2],
            &[0, 1, 0, 1],
            &[1, 0, 0],
            &[1, 0, 1, 0],
        ] {
            assert!(!accepts(&n, exponent), "{exponent:?}");
        }
        for jwk in [
            json!({"n": 1, "e": "AQAB"}),
            json!({"e": "AQAB"}),
            json!({"n": "*", "e": "AQAB"}),
        ] {
            assert!(!acceptable(jwk.as_object().unwrap()), "{jwk}");
        }
    }

    #[test]
    fn cat_083_keys_of_a_library_with_too_few_primes() {
        let weak = fingerprinted();
        assert!(PRIMES.iter().all(|prime| remainder(&weak, *prime) == 1));
        assert!(is_roca(&weak) && !accepts(&weak, &[1, 0, 1]));
        assert!(!is_roca(&good()));
        // One residue that is no power of 65537: 3 modulo 11 is none.
        let mut near = weak;
        let last = near.len() - 1;
        near[last] ^= 0x10;
        assert!(!is_roca(&near));
    }
}
