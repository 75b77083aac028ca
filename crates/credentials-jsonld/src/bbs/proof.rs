//! Proofs of knowledge of a signature.

use blstrs::{G1Affine, G1Projective, Scalar};
use ff::Field as _;
use group::prime::PrimeCurveAffine as _;
use vouchsafe_credentials::random::Rng;
use zeroize::Zeroizing;

use super::ciphersuite::{
    EXPAND_LEN, HASH_TO_SCALAR_DST, POINT_LENGTH, SCALAR_LENGTH, hash_to_scalar, message_to_scalar,
    octets, point, scalar, wide_to_scalar,
};
use super::generators::Generators;
use super::signature::commitment;
use super::{BbsError, MAX_MESSAGES, PublicKey, Signature};

/// Three points and four scalars.
const FLOOR: usize = 3 * POINT_LENGTH + 4 * SCALAR_LENGTH;

/// `ProofGen`: proves to know a signature over `header` and `messages` and discloses the
/// messages at `disclosed` (ascending, from 0). The presentation header is bound to the proof.
///
/// Does not verify the signature: a holder does so on receipt ([`super::verify`]).
pub fn proof_gen(
    key: &PublicKey,
    signature: &Signature,
    header: &[u8],
    presentation_header: &[u8],
    messages: &[&[u8]],
    disclosed: &[usize],
    rng: &dyn Rng,
) -> Result<Vec<u8>, BbsError> {
    let signed = (key, signature, header);
    let unchecked = |_: &Commitments| Ok(());
    generate(
        signed,
        presentation_header,
        messages,
        disclosed,
        rng,
        unchecked,
    )
}

/// [`proof_gen`] for a signature that nobody verified yet: `CoreProofGen` recommends to do so.
///
/// A proof shows `Abar = A * (r1 * r2)` and `Bbar = (B - A * e) * (r1 * r2)`, and its verifier compares
/// `h(Abar, W)` with `h(Bbar, BP2)`. Neither random scalar is zero, so that equation holds for them if and only
/// if it holds for `A` and `B - A * e`, which is what [`super::verify`] asks. Asked of the points that
/// are there, it costs no second sum over all messages.
///
/// # Errors
/// [`BbsError::BadSignature`], and those of [`proof_gen`].
pub fn proof_gen_verified(
    key: &PublicKey,
    signature: &Signature,
    header: &[u8],
    presentation_header: &[u8],
    messages: &[&[u8]],
    disclosed: &[usize],
    rng: &dyn Rng,
) -> Result<Vec<u8>, BbsError> {
    let signed = (key, signature, header);
    let verified = |points: &Commitments| {
        let [a_bar, b_bar, ..] = &points.affine;
        // The pairing of the identity says nothing.
        let identity = a_bar.is_identity() | b_bar.is_identity();
        match !bool::from(identity) && key.pairing_equal(a_bar, b_bar) {
            true => Ok(()),
            false => Err(BbsError::BadSignature),
        }
    };
    generate(
        signed,
        presentation_header,
        messages,
        disclosed,
        rng,
        verified,
    )
}

fn generate(
    (key, signature, header): (&PublicKey, &Signature, &[u8]),
    presentation_header: &[u8],
    messages: &[&[u8]],
    disclosed: &[usize],
    rng: &dyn Rng,
    check: impl FnOnce(&Commitments) -> Result<(), BbsError>,
) -> Result<Vec<u8>, BbsError> {
    let generators = Generators::for_messages(messages.len())?;
    let undisclosed = others(messages.len(), disclosed)?;
    let messages: Vec<Scalar> = messages.iter().map(|m| message_to_scalar(m)).collect();
    let domain = generators.domain(key, messages.len(), header);

    // ProofInit.
    let random = Randomness::draw(undisclosed.len(), rng);
    let b = commitment(&generators, domain, &messages);
    let d = b * random.r2;
    let a_bar = signature.a * (random.r1 * random.r2);
    let b_bar = G1Projective::multi_exp(&[d, a_bar], &[random.r1, -signature.e]);
    let t1 = G1Projective::multi_exp(&[a_bar, d], &[random.e, random.r1_tilde]);
    let t2 = hidden_sum(
        &generators,
        d,
        random.r3_tilde,
        &undisclosed,
        &random.messages,
    );

    let points = Commitments::new([a_bar, b_bar, d, t1, t2]);
    check(&points)?;
    let revealed: Vec<_> = disclosed.iter().map(|&i| (i, messages[i])).collect();
    let challenge = challenge(&points, &revealed, domain, presentation_header);

    // ProofFinalize.
    let r3: Option<Scalar> = random.r2.invert().into();
    let r3 = r3.ok_or(BbsError::BadProof)?;
    let mut proof = Vec::with_capacity(FLOOR + undisclosed.len() * SCALAR_LENGTH);
    proof.extend_from_slice(points.presented());
    let mut push = |scalar: Scalar| proof.extend_from_slice(&scalar.to_bytes_be());
    push(random.e + signature.e * challenge);
    push(random.r1_tilde - random.r1 * challenge);
    push(random.r3_tilde - r3 * challenge);
    for (&index, blinding) in undisclosed.iter().zip(&random.messages) {
        push(*blinding + messages[index] * challenge);
    }
    push(challenge);
    Ok(proof)
}

/// `ProofVerify`: the disclosed messages come with their indexes, ascending from 0.
pub fn proof_verify(
    key: &PublicKey,
    proof: &[u8],
    header: &[u8],
    presentation_header: &[u8],
    disclosed: &[(usize, &[u8])],
) -> Result<(), BbsError> {
    let proof = Proof::from_bytes(proof)?;
    let total = proof.messages.len() + disclosed.len();
    let generators = Generators::for_messages(total)?;
    let indexes: Vec<usize> = disclosed.iter().map(|&(index, _)| index).collect();
    let undisclosed = others(total, &indexes)?;
    let revealed: Vec<_> = disclosed
        .iter()
        .map(|&(index, message)| (index, message_to_scalar(message)))
        .collect();

    // ProofVerifyInit.
    let domain = generators.domain(key, total, header);
    let [a_bar, b_bar, d] = proof.points.map(G1Projective::from);
    let c = proof.challenge;
    let t1 = G1Projective::multi_exp(&[b_bar, a_bar, d], &[c, proof.e, proof.r1]);
    let t2 = proof.second_commitment(&generators, domain, &revealed, &undisclosed);

    let points = Commitments::new([a_bar, b_bar, d, t1, t2]);
    // CoreProofVerify, steps 5 and 6.
    if challenge(&points, &revealed, domain, presentation_header) != c
        || !key.pairing_equal(&proof.points[0], &proof.points[1])
    {
        return Err(BbsError::BadProof);
    }
    Ok(())
}

/// The indexes below `total` that are not in `disclosed`, which must be ascending.
fn others(total: usize, disclosed: &[usize]) -> Result<Vec<usize>, BbsError> {
    if !disclosed.is_sorted_by(|a, b| a < b) || disclosed.last().is_some_and(|&i| i >= total) {
        return Err(BbsError::Indexes);
    }
    let mut rest = disclosed.iter().peekable();
    Ok((0..total)
        .filter(|index| rest.next_if_eq(&index).is_none())
        .collect())
}

/// "Random Scalars" of one proof; erased when dropped.
struct Randomness {
    r1: Scalar,
    r2: Scalar,
    e: Scalar,
    r1_tilde: Scalar,
    r3_tilde: Scalar,
    messages: Vec<Scalar>,
}

impl Randomness {
    fn draw(undisclosed: usize, rng: &dyn Rng) -> Self {
        let mut bytes = Zeroizing::new([0; EXPAND_LEN]);
        let mut draw = || {
            rng.fill(&mut *bytes);
            wide_to_scalar(&bytes)
        };
        Self {
            r1: draw(),
            r2: draw(),
            e: draw(),
            r1_tilde: draw(),
            r3_tilde: draw(),
            messages: (0..undisclosed).map(|_| draw()).collect(),
        }
    }
}

/// `D * r3~ + H_j1 * m~_j1 + … + H_jU * m~_jU`.
fn hidden_sum(
    generators: &Generators,
    d: G1Projective,
    r3: Scalar,
    undisclosed: &[usize],
    blindings: &[Scalar],
) -> G1Projective {
    let places = undisclosed.iter().map(|&index| Generators::place(index));
    generators.sum(places.zip(blindings.iter().copied()), &[(d, r3)])
}

/// `Abar, Bbar, D, T1, T2`, also as octets.
struct Commitments {
    affine: [G1Affine; 5],
    octets: [u8; 5 * POINT_LENGTH],
}

impl Commitments {
    fn new(points: [G1Projective; 5]) -> Self {
        use group::Curve as _;
        let mut affine = [G1Affine::default(); 5];
        G1Projective::batch_normalize(&points, &mut affine);
        let mut octets = [0; 5 * POINT_LENGTH];
        for (to, point) in octets.chunks_exact_mut(POINT_LENGTH).zip(&affine) {
            to.copy_from_slice(&point.to_compressed());
        }
        Self { affine, octets }
    }

    /// The part that a proof carries.
    fn presented(&self) -> &[u8] {
        &self.octets[..3 * POINT_LENGTH]
    }
}

/// "Challenge Calculation".
fn challenge(
    points: &Commitments,
    disclosed: &[(usize, Scalar)],
    domain: Scalar,
    presentation_header: &[u8],
) -> Scalar {
    let mut input = Vec::with_capacity(400 + disclosed.len() * 40 + presentation_header.len());
    input.extend_from_slice(&octets(disclosed.len()));
    for (index, message) in disclosed {
        input.extend_from_slice(&octets(*index));
        input.extend_from_slice(&message.to_bytes_be());
    }
    input.extend_from_slice(&points.octets);
    input.extend_from_slice(&domain.to_bytes_be());
    input.extend_from_slice(&octets(presentation_header.len()));
    input.extend_from_slice(presentation_header);
    hash_to_scalar(&input, HASH_TO_SCALAR_DST)
}

/// A proof whose points and scalars were checked.
struct Proof {
    /// `Abar, Bbar, D`.
    points: [G1Affine; 3],
    e: Scalar,
    r1: Scalar,
    r3: Scalar,
    messages: Vec<Scalar>,
    challenge: Scalar,
}

impl Proof {
    /// "Octets to Proof".
    fn from_bytes(bytes: &[u8]) -> Result<Self, BbsError> {
        let malformed = BbsError::MalformedProof;
        let hidden = bytes.len().checked_sub(FLOOR).ok_or(malformed)?;
        if hidden % SCALAR_LENGTH != 0 {
            return Err(malformed);
        }
        if hidden / SCALAR_LENGTH > MAX_MESSAGES {
            return Err(BbsError::TooManyMessages);
        }
        let (points, scalars) = bytes.split_at(3 * POINT_LENGTH);
        let scalars = scalars.as_chunks::<SCALAR_LENGTH>().0;
        let scalars: Option<Vec<Scalar>> = scalars.iter().map(scalar).collect();
        let scalars = scalars.ok_or(malformed)?;
        let ([e, r1, r3], rest) = scalars.split_first_chunk().ok_or(malformed)?;
        let (challenge, messages) = rest.split_last().ok_or(malformed)?;

        let points: Option<Vec<G1Affine>> = points
            .as_chunks::<POINT_LENGTH>()
            .0
            .iter()
            .map(point)
            .collect();
        let points = points.ok_or(malformed)?;
        Ok(Self {
            points: points.try_into().map_err(|_| malformed)?,
            e: *e,
            r1: *r1,
            r3: *r3,
            messages: messages.to_vec(),
            challenge: *challenge,
        })
    }

    /// `T2 = Bv * c + D * r3^ + H_j1 * m^_j1 + …`, with
    /// `Bv = P1 + Q_1 * domain + H_i1 * msg_i1 + …`, as one sum.
    fn second_commitment(
        &self,
        generators: &Generators,
        domain: Scalar,
        disclosed: &[(usize, Scalar)],
        undisclosed: &[usize],
    ) -> G1Projective {
        let c = self.challenge;
        let disclosed = disclosed
            .iter()
            .map(|&(index, message)| (Generators::place(index), message * c));
        let undisclosed = undisclosed.iter().map(|&index| Generators::place(index));
        let undisclosed = undisclosed.zip(self.messages.iter().copied());
        let always = [(0, c), (1, domain * c)].into_iter();
        let terms = always.chain(disclosed).chain(undisclosed);
        generators.sum(terms, &[(self.points[2].into(), self.r3)])
    }
}
