//! Raw BLS12-381 of `blst` (through `blstrs`): the limit of BBS.

use anyhow::{Result, ensure};
use blstrs::{Bls12, G1Affine, G1Projective, G2Affine, G2Prepared, Scalar};
use group::Group as _;
use group::prime::PrimeCurveAffine as _;
use pairing::{MillerLoopResult as _, MultiMillerLoop as _};

/// Points and scalars to work on.
pub struct Bls {
    points: Vec<G1Projective>,
    scalars: Vec<Scalar>,
    prepared: G2Prepared,
}

impl Bls {
    /// `count` points, each with a scalar of full length.
    pub fn new(count: u64) -> Self {
        let dst = b"vouchsafe bench";
        let point = |index: u64| {
            let point = G1Projective::hash_to_curve(&index.to_be_bytes(), dst, &[]);
            G1Affine::from(point).into()
        };
        let scalar = |index: u64| {
            let mut bytes = [0x5a; 32];
            bytes[24..].copy_from_slice(&index.to_be_bytes());
            Option::from(Scalar::from_bytes_be(&bytes)).unwrap_or(Scalar::from(index))
        };
        Self {
            points: (1..=count).map(point).collect(),
            scalars: (1..=count).map(scalar).collect(),
            prepared: G2Affine::generator().into(),
        }
    }

    /// One sum of `count` products.
    pub fn sum(&self, count: usize) -> Result<()> {
        let sum = G1Projective::multi_exp(&self.points[..count], &self.scalars[..count]);
        std::hint::black_box(sum);
        Ok(())
    }

    /// One product of a point and a scalar.
    pub fn product(&self) -> Result<()> {
        std::hint::black_box(self.points[0] * self.scalars[0]);
        Ok(())
    }

    /// Two pairings with prepared points, compared: two Miller loops, one final exponentiation.
    pub fn pairings(&self) -> Result<()> {
        let (a, b) = (
            G1Affine::from(self.points[0]),
            -G1Affine::from(self.points[0]),
        );
        let loops = Bls12::multi_miller_loop(&[(&a, &self.prepared), (&b, &self.prepared)]);
        ensure!(
            bool::from(loops.final_exponentiation().is_identity()),
            "the pairings differ"
        );
        Ok(())
    }
}
