//! The generators, made once per process.

use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use blstrs::{G1Affine, G1Projective, Scalar};
use group::Group as _;

use super::ciphersuite::{
    API_ID, BP_GENERATOR_SEED, EXPAND_LEN, GENERATOR_SEED, HASH_TO_SCALAR_DST, POINT_LENGTH,
    SEED_DST, expand, generator, hash_to_scalar, octets,
};
use super::tables::Tables;
use super::{BbsError, MAX_MESSAGES, PublicKey};

/// Generators that are made at once, and that get tables.
const FIRST: usize = 17;
/// `P1` and these.
const TABLES: usize = FIRST + 1;

/// `Q_1, H_1, H_2, …` and the fixed point `P1`.
pub(super) struct Generators {
    /// `P1`, then `Q_1`, then `H_1` and on: in this order for one multiplication over all.
    points: Vec<G1Projective>,
    /// Of `Q_1`, `H_1` and on.
    compressed: Vec<[u8; POINT_LENGTH]>,
    /// `v` after the last generator.
    state: [u8; EXPAND_LEN],
}

static CACHE: LazyLock<RwLock<Arc<Generators>>> =
    LazyLock::new(|| RwLock::new(Arc::new(Generators::start().extended(FIRST))));

impl Generators {
    /// At least the generators of `messages` messages.
    pub(super) fn for_messages(messages: usize) -> Result<Arc<Self>, BbsError> {
        if messages > MAX_MESSAGES {
            return Err(BbsError::TooManyMessages);
        }
        let cached = Arc::clone(&CACHE.read().unwrap_or_else(PoisonError::into_inner));
        if cached.compressed.len() > messages {
            return Ok(cached);
        }
        // Powers of two: a row of ever longer credentials extends the list a few times only.
        let count = (messages + 1).next_power_of_two().min(MAX_MESSAGES + 1);
        let longer = Arc::new(cached.extended(count.max(messages + 1)));
        let mut cache = CACHE.write().unwrap_or_else(PoisonError::into_inner);
        if cache.compressed.len() < longer.compressed.len() {
            *cache = Arc::clone(&longer);
        }
        Ok(longer)
    }

    fn start() -> Self {
        let seed = expand(BP_GENERATOR_SEED, SEED_DST);
        Self {
            points: vec![generator(&next(&seed, 1))],
            compressed: Vec::new(),
            state: expand(GENERATOR_SEED, SEED_DST),
        }
    }

    /// "Generators Calculation", continued to `count` generators.
    fn extended(&self, count: usize) -> Self {
        let mut points = self.points.clone();
        let mut compressed = self.compressed.clone();
        let mut state = self.state;
        for index in compressed.len() + 1..=count {
            state = next(&state, index);
            // The affine coordinates (z = 1) make every later use cheaper.
            let point = G1Affine::from(generator(&state));
            points.push(point.into());
            compressed.push(point.to_compressed());
        }
        Self {
            points,
            compressed,
            state,
        }
    }

    /// The sum of products with `P1`, `Q_1`, `H_1` and on, which have the places 0, 1, 2 and on, and
    /// with points that are no generators. Takes longer for some scalars than for others.
    pub(super) fn sum(
        &self,
        terms: impl Iterator<Item = (usize, Scalar)>,
        others: &[(G1Projective, Scalar)],
    ) -> G1Projective {
        let first = self.points.get(..TABLES).unwrap_or_default();
        let tables = Tables::once_they_pay(first);
        let has_table = |place: usize| tables.is_some_and(|tables| tables.has(place));
        let (fixed, rest): (Vec<_>, Vec<_>) = terms.partition(|(place, _)| has_table(*place));
        let rest = rest
            .into_iter()
            .map(|(place, one)| (self.points[place], one));
        let (points, scalars): (Vec<_>, Vec<_>) = rest.chain(others.iter().copied()).unzip();
        let sum = match (points.as_slice(), scalars.as_slice()) {
            ([], _) | (_, []) => G1Projective::identity(),
            ([point], [scalar]) => point * scalar,
            (points, scalars) => G1Projective::multi_exp(points, scalars),
        };
        match tables {
            Some(tables) => sum + tables.sum(fixed.into_iter()),
            None => sum,
        }
    }

    /// `P1`.
    pub(super) fn base(&self) -> G1Projective {
        self.points[0]
    }

    #[cfg(test)]
    pub(super) fn point(&self, place: usize) -> G1Projective {
        self.points[place]
    }

    /// The place of `H_index`, counted from 0.
    pub(super) const fn place(index: usize) -> usize {
        index + 2
    }

    /// "Domain Calculation".
    pub(super) fn domain(&self, key: &PublicKey, messages: usize, header: &[u8]) -> Scalar {
        let mut input = Vec::with_capacity((messages + 4) * POINT_LENGTH + header.len() + 128);
        input.extend_from_slice(key.as_bytes());
        input.extend_from_slice(&octets(messages));
        for point in &self.compressed[..=messages] {
            input.extend_from_slice(point);
        }
        input.extend_from_slice(API_ID);
        input.extend_from_slice(&octets(header.len()));
        input.extend_from_slice(header);
        hash_to_scalar(&input, HASH_TO_SCALAR_DST)
    }
}

/// `v = expand_message(v || I2OSP(i, 8), seed_dst, expand_len)`.
fn next(state: &[u8; EXPAND_LEN], index: usize) -> [u8; EXPAND_LEN] {
    let mut input = [0; EXPAND_LEN + 8];
    input[..EXPAND_LEN].copy_from_slice(state);
    input[EXPAND_LEN..].copy_from_slice(&octets(index));
    expand(&input, SEED_DST)
}
