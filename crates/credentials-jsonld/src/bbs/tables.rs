//! Multiples of the first generators, so that a sum over them needs no doublings.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use blstrs::{G1Affine, G1Projective, Scalar};
use group::{Curve as _, Group as _};

/// Bits of a digit.
const BITS: usize = 5;
/// Digits of a scalar: 255 bits and a carry.
const DIGITS: usize = 52;
/// Multiples of a digit: digits are between -16 and 16.
const MULTIPLES: usize = 1 << (BITS - 1);
/// Sums that were asked for before the tables are made: they take as long as about thirty sums, and
/// a program that shows one card is done before that pays.
const PATIENCE: u32 = 32;

/// Of each point `G`: `m * 32^d * G` for every digit `d` and `m` from 1 to 16. About 80 kB a point.
pub(super) struct Tables {
    points: usize,
    multiples: Vec<G1Affine>,
}

static TABLES: OnceLock<Tables> = OnceLock::new();
static ASKED: AtomicU32 = AtomicU32::new(0);

impl Tables {
    /// The tables of these points, which are the same at every call; `None` until they pay.
    pub(super) fn once_they_pay(points: &[G1Projective]) -> Option<&'static Self> {
        if let Some(made) = TABLES.get() {
            return Some(made);
        }
        let asked = ASKED.fetch_add(1, Ordering::Relaxed);
        (asked >= PATIENCE).then(|| TABLES.get_or_init(|| Self::new(points)))
    }

    pub(super) fn new(points: &[G1Projective]) -> Self {
        let mut multiples = Vec::with_capacity(points.len() * DIGITS * MULTIPLES);
        for point in points {
            let mut unit = *point;
            for _ in 0..DIGITS {
                let mut multiple = unit;
                multiples.push(multiple);
                for _ in 1..MULTIPLES {
                    multiple += unit;
                    multiples.push(multiple);
                }
                unit = multiple.double();
            }
        }
        let mut affine = vec![G1Affine::default(); multiples.len()];
        G1Projective::batch_normalize(&multiples, &mut affine);
        Self {
            points: points.len(),
            multiples: affine,
        }
    }

    /// Whether a point has a table, by its place among those of [`Tables::new`].
    pub(super) const fn has(&self, point: usize) -> bool {
        point < self.points
    }

    /// The sum of products of points that have a table. Takes longer for some scalars than for others.
    pub(super) fn sum(&self, terms: impl Iterator<Item = (usize, Scalar)>) -> G1Projective {
        let mut sum = G1Projective::identity();
        for (point, scalar) in terms {
            let table = self.multiples.chunks_exact(DIGITS * MULTIPLES).nth(point);
            let rows = table.unwrap_or_default().chunks_exact(MULTIPLES);
            for (row, (negative, multiple)) in rows.zip(digits(&scalar)) {
                match (multiple.checked_sub(1).and_then(|at| row.get(at)), negative) {
                    (None, _) => {}
                    (Some(multiple), false) => sum += multiple,
                    (Some(multiple), true) => sum -= multiple,
                }
            }
        }
        sum
    }
}

/// A scalar to the base of 32, the least significant digit first: whether it is negative, and its
/// amount, 16 at most.
fn digits(scalar: &Scalar) -> [(bool, usize); DIGITS] {
    let bytes = scalar.to_bytes_le();
    let mut digits = [(false, 0); DIGITS];
    let mut carry = 0;
    for (place, digit) in digits.iter_mut().enumerate() {
        let (byte, shift) = (place * BITS / 8, place * BITS % 8);
        let low = bytes.get(byte).copied().unwrap_or_default();
        let high = bytes.get(byte + 1).copied().unwrap_or_default();
        let pair = usize::from(u16::from_le_bytes([low, high]));
        let value = (pair >> shift & (2 * MULTIPLES - 1)) + carry;
        carry = usize::from(value > MULTIPLES);
        *digit = match carry {
            0 => (false, value),
            _ => (true, 2 * MULTIPLES - value),
        };
    }
    digits
}

#[cfg(test)]
mod tests {
    use ff::Field as _;
    use proptest::prelude::*;

    use super::super::ciphersuite::wide_to_scalar;
    use super::*;

    fn points() -> Vec<G1Projective> {
        let generator = G1Projective::generator();
        vec![generator, generator.double(), -generator]
    }

    fn edges() -> Vec<Scalar> {
        let small = (0..70).map(Scalar::from);
        let powers = (0..255).map(|bit| Scalar::from(2).pow_vartime([bit]));
        let around = powers.flat_map(|power| [power, power - Scalar::ONE, -power]);
        small.chain(around).chain([-Scalar::ONE]).collect()
    }

    #[test]
    fn digits_are_the_scalar() {
        for scalar in edges() {
            let mut sum = Scalar::ZERO;
            for (negative, amount) in digits(&scalar).into_iter().rev() {
                assert!(amount <= MULTIPLES);
                let digit = Scalar::from(u64::try_from(amount).unwrap());
                sum = sum * Scalar::from(32) + if negative { -digit } else { digit };
            }
            assert_eq!(sum, scalar);
        }
    }

    #[test]
    fn a_product_is_the_product() {
        let tables = Tables::new(&points());
        assert!(tables.has(2) && !tables.has(3));
        for scalar in edges() {
            for (at, point) in points().into_iter().enumerate() {
                assert_eq!(tables.sum([(at, scalar)].into_iter()), point * scalar);
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn a_sum_is_the_sum(wide in any::<[[u8; 16]; 9]>()) {
            let tables = Tables::new(&points());
            let wide: Vec<u8> = wide.concat();
            let scalars: Vec<Scalar> = wide.as_chunks::<48>().0.iter().map(wide_to_scalar).collect();
            let sum = tables.sum(scalars.iter().copied().enumerate());
            prop_assert_eq!(sum, G1Projective::multi_exp(&points(), &scalars));
        }
    }
}
