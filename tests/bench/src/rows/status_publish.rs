//! P10: status lists of a million entries, one of a hundred revoked, published.

use anyhow::{Context, Result, bail, ensure};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use rcgen::{CertificateParams, KeyPair};
use serde_json::Value;
use std::io::Write as _;
use tokio::runtime::Runtime;
use vouchsafe_credentials::bitstring_status_list::{Bitstring, ListOptions, list_credential};
use vouchsafe_credentials::crypto::{Algorithm, AwsLcSigningKey, Signer as _, SigningKey};
use vouchsafe_credentials::data_integrity::{
    EddsaJcs2022, ProofOptions, ProofPurpose, SuiteSigner, add_proof,
};
use vouchsafe_credentials::did;
use vouchsafe_credentials::random::{self, Rng};
use vouchsafe_credentials::sd_jwt_vc::IssuerKey;
use vouchsafe_credentials::status_list::{
    Bits, Status, StatusCwtInput, StatusList, StatusTokenInput, sign_status_list,
    sign_status_list_cwt,
};
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_credentials::x509::Chain;
use vouchsafe_service::random::OsRandom;

use super::status_service;
use crate::report::{Fact, Goal, Line, Results};
use crate::slices::{Figure, Here, Plan};

/// Entries of a list.
pub const ENTRIES: u64 = 1 << 20;
/// Entries that are revoked.
pub const REVOKED: u64 = ENTRIES / 100;
/// Lists that a large issuer has.
pub const LISTS: u64 = 100;

const NOW: UnixTime = UnixTime(1_795_000_000);
const URI: &str = "https://issuer.example/status/1";
const LEVEL_6: &str = "the packed list alone through zlib at level 6 (zlib-rs)";
const ONE: &[Goal] = &[Goal::OfPeer(1.2)];
/// A hundred lists take at most a second.
const ALL: &[Goal] = &[Goal::Micros(1e6)];

/// Different indices, drawn at random.
pub fn draw(rng: &dyn Rng) -> Vec<u64> {
    let mut drawn = std::collections::BTreeSet::new();
    while (drawn.len() as u64) < REVOKED {
        drawn.insert(u64::from_be_bytes(random::bytes::<8>(rng)) % ENTRIES);
    }
    drawn.into_iter().collect()
}

/// A Token Status List as the issuer makes it: two bits an entry.
pub fn token_list(revoked: &[u64]) -> Result<StatusList> {
    let mut list = StatusList::new(Bits::Two, usize::try_from(ENTRIES)?)?;
    for index in revoked {
        list.set(*index, Status::Invalid)?;
    }
    Ok(list)
}

fn bitstring(revoked: &[u64]) -> Result<Bitstring> {
    let mut list = Bitstring::new(ENTRIES, 1)?;
    for index in revoked {
        list.set(*index, 1)?;
    }
    Ok(list)
}

/// Who signs lists.
struct Publisher {
    runtime: Runtime,
    es256: AwsLcSigningKey,
    kid: String,
    chain: Chain,
    eddsa: AwsLcSigningKey,
    did: String,
}

impl Publisher {
    fn new() -> Result<Self> {
        let pair = KeyPair::generate()?;
        let certificate = CertificateParams::default().self_signed(&pair)?;
        let es256 = SigningKey::from_pkcs8_der(&pair.serialize_der())?;
        let eddsa = SigningKey::generate(Algorithm::EdDsa, &OsRandom);
        Ok(Self {
            runtime: tokio::runtime::Builder::new_current_thread().build()?,
            kid: format!("{}#0", did::jwk::encode(es256.public_key())),
            es256: AwsLcSigningKey::new(&es256)?,
            chain: Chain::from_der(vec![certificate.der().to_vec()])?,
            did: did::key::encode(eddsa.public_key()),
            eddsa: AwsLcSigningKey::new(&eddsa)?,
        })
    }

    fn jwt(&self, revoked: &[u64]) -> Result<String> {
        let input = StatusTokenInput {
            uri: URI,
            issuer: None,
            list: &token_list(revoked)?,
            issued_at: NOW,
            expires_at: NOW.plus(86_400),
            ttl_s: 300,
            key: IssuerKey::Did(&self.kid),
        };
        let signed = sign_status_list(&input, &self.es256);
        Ok(self.runtime.block_on(signed)?)
    }

    fn cwt(&self, revoked: &[u64]) -> Result<Vec<u8>> {
        let input = StatusCwtInput {
            uri: URI,
            list: &token_list(revoked)?,
            issued_at: NOW,
            expires_at: NOW.plus(86_400),
            ttl_s: 300,
            chain: &self.chain,
        };
        let signed = sign_status_list_cwt(&input, &self.es256);
        Ok(self.runtime.block_on(signed)?)
    }

    fn bitstring(&self, revoked: &[u64]) -> Result<Value> {
        let options = ListOptions {
            id: URI,
            issuer: &self.did,
            purpose: "revocation",
            valid_from: None,
            valid_until: None,
            ttl_ms: Some(300_000),
        };
        let credential = list_credential(&options, &bitstring(revoked)?);
        let method = self.did.replacen("did:key:", "", 1);
        let method = format!("{}#{method}", self.did);
        let options = ProofOptions::new(method, ProofPurpose::AssertionMethod);
        let signer = SuiteSigner::Signature(&self.eddsa);
        let made = add_proof(&credential, &options, &EddsaJcs2022, signer, &OsRandom);
        Ok(self.runtime.block_on(made)?)
    }
}

/// What the same bytes take without anything around them.
fn level_6(bytes: &[u8]) -> Result<()> {
    let mut encoder = ZlibEncoder::new(Vec::with_capacity(bytes.len() / 2), Compression::new(6));
    encoder.write_all(bytes)?;
    std::hint::black_box(encoder.finish()?);
    Ok(())
}

/// The entropy of the statuses, in bytes: no code is shorter on average.
fn entropy() -> f64 {
    let part = REVOKED as f64 / ENTRIES as f64;
    let bits = -part * part.log2() - (1.0 - part) * (1.0 - part).log2();
    bits * ENTRIES as f64 / 8.0
}

fn line(what: &str, ours: Figure, raw: Option<Figure>, goals: &'static [Goal]) -> Line {
    Line {
        name: "P10",
        what: what.to_owned(),
        ours,
        floor: None,
        peer: raw.map(|raw| (LEVEL_6.to_owned(), raw)),
        goals,
    }
}

/// P10.
pub fn measure(plan: &Plan) -> Result<Results> {
    let publisher = Publisher::new()?;
    let lists: Vec<_> = (0..LISTS).map(|_| draw(&OsRandom)).collect();
    let first = lists.first().context("no list")?;
    let (two_bits, one_bit) = (token_list(first)?, bitstring(first)?);
    let figures = plan.race(&mut [
        &mut Here(|| publisher.jwt(first).map(drop)),
        &mut Here(|| publisher.cwt(first).map(drop)),
        &mut Here(|| level_6(two_bits.bytes())),
        &mut Here(|| publisher.bitstring(first).map(drop)),
        &mut Here(|| level_6(one_bit.bytes())),
        &mut Here(|| {
            lists
                .iter()
                .try_for_each(|list| publisher.jwt(list).map(drop))
        }),
    ])?;
    let [jwt, cwt, raw_two, bits, raw_one, hundred] = figures[..] else {
        bail!("a figure is missing")
    };
    let served = status_service::measure(plan, || level_6(two_bits.bytes()))?;
    let sizes = [
        (
            "Token Status List, two bits an entry",
            two_bits.compress().len(),
        ),
        ("Bitstring Status List", gzip_len(&one_bit.encode())?),
    ];
    let fact = |(what, size): (&str, usize)| Fact {
        name: "P10",
        what: format!("{what}: {size} bytes compressed, as a multiple of the entropy"),
        value: size as f64 / entropy(),
        most: 1.6,
    };
    let mut facts: Vec<_> = sizes.into_iter().map(fact).collect();
    facts.push(Fact {
        name: "P10",
        what: format!("lists signed again after one status of {LISTS} lists changed"),
        value: served.signed_again as f64,
        most: 1.0,
    });
    ensure!(served.signed_again > 0, "a change was not published");
    let lines = vec![
        line("list of 1 M, 1 % revoked, JWT", jwt, Some(raw_two), ONE),
        line("list of 1 M, 1 % revoked, CWT", cwt, Some(raw_two), ONE),
        line(
            "list of 1 M, 1 % revoked, Bitstring",
            bits,
            Some(raw_one),
            ONE,
        ),
        line("100 lists of 1 M, JWT", hundred, None, ALL),
        line(
            "issuer, 1 list of 1 M of 100, SQLite",
            served.one,
            Some(served.raw),
            ONE,
        ),
        line(
            "issuer, all 100 lists of 1 M, SQLite",
            served.all,
            None,
            ALL,
        ),
    ];
    Ok(Results { lines, facts })
}

/// The length before base64url and the multibase letter.
fn gzip_len(encoded: &str) -> Result<usize> {
    let digits = encoded.strip_prefix('u').context("no multibase")?;
    Ok(digits.len() * 3 / 4)
}
