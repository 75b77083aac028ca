//! P8: BBS proofs, beside WASM and JavaScript.

use anyhow::{Context, Result};
use vouchsafe_credentials_jsonld::bbs::{self, PublicKey, SecretKey, Signature};
use vouchsafe_service::random::OsRandom;

use crate::floor::Bls;
use crate::peer::{Operation, Peer};
use crate::report::{Floor, Goal, Line, Results};
use crate::slices::{Figure, Here, Plan};

const HEADER: &[u8] = b"a header of 64 bytes: two hashes of SHA-256, one after the other";
const PRESENTATION: &[u8] = b"presentation";
const DISCLOSED: [usize; 3] = [0, 1, 2];
const WASM: &str = "npm @mattrglobal/pairing-crypto 0.4.2 (WASM)";
const JS: &str = "npm @digitalbazaar/bbs-signatures (JavaScript)";

const BESIDE_WASM: [Goal; 2] = [Goal::Floors(2.5), Goal::Times(8.0)];
const BESIDE_JS: [Goal; 1] = [Goal::Times(80.0)];

/// Ten messages under one signature.
struct Fixture {
    key: PublicKey,
    signature: Signature,
    messages: Vec<Vec<u8>>,
}

impl Fixture {
    fn new() -> Result<Self> {
        let key = SecretKey::generate(&OsRandom);
        let message = |index: usize| {
            format!(
                "_:b{index} <https://example.org/vocabulary#property> \"the value number {index}\" .\n"
            )
        };
        let messages: Vec<_> = (0..10).map(|index| message(index).into_bytes()).collect();
        let slices: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
        Ok(Self {
            key: key.public_key(),
            signature: bbs::sign(&key, HEADER, &slices)?,
            messages,
        })
    }

    fn prove(&self) -> Result<Vec<u8>> {
        let messages: Vec<&[u8]> = self.messages.iter().map(Vec::as_slice).collect();
        let signature = &self.signature;
        let (header, ph) = (HEADER, PRESENTATION);
        Ok(bbs::proof_gen(
            &self.key, signature, header, ph, &messages, &DISCLOSED, &OsRandom,
        )?)
    }

    fn verify(&self, proof: &[u8]) -> Result<()> {
        let disclosed = DISCLOSED.map(|index| (index, self.messages[index].as_slice()));
        Ok(bbs::proof_verify(
            &self.key,
            proof,
            HEADER,
            PRESENTATION,
            &disclosed,
        )?)
    }
}

/// P8.
pub fn measure(plan: &Plan) -> Result<Results> {
    let fixture = Fixture::new()?;
    let proof = fixture.prove()?;
    fixture
        .verify(&proof)
        .context("the fixture does not verify")?;
    let floor = Bls::new(14);
    let mut peer = Peer::node("bench-bbs.mjs")?;
    let prove = plan.race(&mut [
        &mut Here(|| fixture.prove().map(drop)),
        &mut Operation {
            peer: &mut peer,
            name: "wasmProve",
        },
        &mut Here(|| floor.sum(11)),
        &mut Here(|| floor.sum(8)),
        &mut Here(|| floor.product()),
    ])?;
    let prove_js = plan.race(&mut [&mut Operation {
        peer: &mut peer,
        name: "jsProve",
    }])?;
    let verify = plan.race(&mut [
        &mut Here(|| fixture.verify(&proof)),
        &mut Operation {
            peer: &mut peer,
            name: "wasmVerify",
        },
        &mut Here(|| floor.sum(13)),
        &mut Here(|| floor.sum(3)),
        &mut Here(|| floor.pairings()),
    ])?;
    let verify_js = plan.race(&mut [&mut Operation {
        peer: &mut peer,
        name: "jsVerify",
    }])?;
    let [prove, prove_wasm, sum_11, sum_8, product] = prove[..] else {
        anyhow::bail!("a figure is missing")
    };
    let [verify, verify_wasm, sum_13, sum_3, pairings] = verify[..] else {
        anyhow::bail!("a figure is missing")
    };
    let proves = Side {
        what: "BBS prove 3 of 10",
        ours: prove,
        floor_us: sum_11.median_us + sum_8.median_us + 6.0 * product.median_us,
        floor_of: "sums of 11 and 8 products and 6 products in G1, blst, same run; we have tables of the generators",
    };
    let verifies = Side {
        what: "BBS verify 3 of 10",
        ours: verify,
        floor_us: sum_13.median_us + sum_3.median_us + pairings.median_us,
        floor_of: "sums of 13 and 3 products in G1, 2 prepared pairings, blst, same run; we have tables of the generators",
    };
    Ok(Results::of(vec![
        proves.line(WASM, prove_wasm, &BESIDE_WASM),
        proves.line(JS, prove_js[0], &BESIDE_JS),
        verifies.line(WASM, verify_wasm, &BESIDE_WASM),
        verifies.line(JS, verify_js[0], &BESIDE_JS),
    ]))
}

struct Side {
    what: &'static str,
    ours: Figure,
    floor_us: f64,
    floor_of: &'static str,
}

impl Side {
    fn line(&self, peer: &str, figure: Figure, goals: &'static [Goal]) -> Line {
        Line {
            name: "P8",
            what: self.what.to_owned(),
            ours: self.ours,
            floor: Some(Floor {
                us: self.floor_us,
                of: self.floor_of.to_owned(),
            }),
            peer: Some((peer.to_owned(), figure)),
            goals,
        }
    }
}
