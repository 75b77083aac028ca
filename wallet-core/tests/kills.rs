//! `kill -9` while a wallet works: it opens, nothing that was acknowledged is lost, and what was
//! under way happened as a whole or not at all (catalogue 437).
//!
//! This program starts itself as the wallet that is killed.

#![allow(clippy::unwrap_used, reason = "tests stop at the first surprise")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Map;
use vouchsafe_credentials::crypto::{Algorithm, Portable, PublicKey, Signer, SigningKey};
use vouchsafe_credentials::did;
use vouchsafe_credentials::encoding::{b64url, b64url_decode};
use vouchsafe_credentials::random::{self, Rng};
use vouchsafe_credentials::sd_jwt::{Frame, HashAlg};
use vouchsafe_credentials::sd_jwt_vc::{
    IssueInput, IssuerAuthority, IssuerIdentity, IssuerKey, IssuerMethod, StatusMethod, issue,
};
use vouchsafe_credentials::testing::{FixedClock, SeededRng};
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_credentials::x509::{Role, TrustAnchors};
use vouchsafe_protocol::http::UrlRule;
use vouchsafe_protocol::vp::dcql::DcqlQuery;
use vouchsafe_wallet_core::attestation::Attestations;
use vouchsafe_wallet_core::credential::CredentialId;
use vouchsafe_wallet_core::issuance::IssuancePolicy;
use vouchsafe_wallet_core::secure_area::KeyId;
use vouchsafe_wallet_core::status::StatusPolicy;
use vouchsafe_wallet_core::storage::file::FileStorage;
use vouchsafe_wallet_core::storage::{Collection, KdfParams, RecordName, Storage, VaultKey};
use vouchsafe_wallet_core::testing::{
    GivenCard, mark_shown, matching, new_key, put_cards, shown_to, stray_keys,
};
use vouchsafe_wallet_core::trust::{KnownIssuer, OtherVerifiers, TrustList, UnknownIssuers};
use vouchsafe_wallet_core::wallet::{Config, Ports};
use vouchsafe_wallet_core::{Wallet, WalletError};

const NOW: UnixTime = UnixTime(1_780_272_000);
const PASSPHRASE: &str = "a passphrase of tests";
const TYPES: [&str; 3] = ["urn:a", "urn:b", "urn:c"];
const FOLDER: &str = "VOUCHSAFE_TEST_WALLET";
const KEY: &str = "VOUCHSAFE_TEST_WALLET_KEY";
const ROUND: &str = "VOUCHSAFE_TEST_WALLET_ROUND";
/// Which of the two passphrases the wallet has that is killed while it changes them.
const LOCKED_WITH: &str = "VOUCHSAFE_TEST_WALLET_LOCKED_WITH";
const PASSPHRASES: [&str; 2] = [PASSPHRASE, "another passphrase of tests"];

fn did_of_the_club() -> String {
    let signer = SigningKey::generate(Algorithm::Es256, &SeededRng::new(41));
    did::jwk::encode(signer.public_key())
}

fn config() -> Config {
    Config {
        trust: TrustList {
            issuers: vec![KnownIssuer {
                credential_issuer: "https://club.example.com".to_owned(),
                method: IssuerMethod::Did(did_of_the_club()),
                types: Vec::new(),
                status: StatusMethod::SameIssuer,
            }],
            verifiers: TrustAnchors::new(Role::VerifierAccess),
            other_verifiers: OtherVerifiers::default(),
            unknown_issuers: UnknownIssuers::Refuse,
        },
        urls: UrlRule::PublicHttps,
        locales: vec!["en".to_owned()],
        redirect_uri: "https://wallet.example.com/callback".parse().unwrap(),
        client_id: "vouchsafe-wallet".to_owned(),
        issuance: IssuancePolicy::default(),
        status: StatusPolicy::default(),
        batch_size: 1,
        transactions: false,
    }
}

fn ports(folder: &Path, seed: u64) -> Ports {
    Ports {
        storage: Arc::new(FileStorage::open(&folder.join("wallet")).unwrap()),
        clock: Arc::new(FixedClock::new(NOW)),
        rng: Arc::new(SeededRng::new(seed)),
        crypto: Arc::new(Portable),
        attestations: Attestations::default(),
        secure_area: None,
    }
}

async fn open(folder: &Path, key: &VaultKey, seed: u64) -> Wallet {
    Wallet::open_with_key(config(), ports(folder, seed), key)
        .await
        .unwrap()
}

async fn card(vct: &str, key: KeyId, holder: &PublicKey) -> GivenCard {
    let rng = SeededRng::new(41);
    let signer = SigningKey::generate(Algorithm::Es256, &rng);
    let did = did::jwk::encode(signer.public_key());
    let kid = format!("{did}#0");
    let input = IssueInput {
        vct,
        issuer: None,
        key: IssuerKey::Did(&kid),
        issued_at: None,
        not_before: None,
        expires_at: None,
        holder_key: Some(holder),
        status: None,
        claims: Map::new(),
        frame: &Frame::new(),
        hash: HashAlg::Sha256,
    };
    GivenCard {
        compact: issue(input, &signer, &rng).await.unwrap(),
        issuer: IssuerIdentity {
            trusted: did.clone(),
            authority: IssuerAuthority::Did(did),
        },
        credential_issuer: "https://club.example.com".to_owned(),
        vct: vct.to_owned(),
        key,
        added_at: NOW,
    }
}

async fn add(wallet: &Wallet, vct: &str) -> CredentialId {
    let key = new_key(wallet).await.unwrap();
    let card = card(vct, key.id, &key.public_key).await;
    put_cards(wallet, [card]).unwrap().remove(0)
}

async fn back_up(wallet: &Wallet, file: &Path) {
    let mut backup = wallet.backup(PASSPHRASE, KdfParams::MINIMUM).unwrap();
    let part = file.with_extension("part");
    let mut out = fs::File::create(&part).unwrap();
    while let Some(piece) = backup.next_piece().await.unwrap() {
        out.write_all(&piece).unwrap();
    }
    out.sync_all().unwrap();
    fs::rename(part, file).unwrap();
}

fn restore(wallet: &Wallet, file: &Path) -> Result<usize, WalletError> {
    let mut restoring = wallet.restore(PASSPHRASE);
    restoring.push(&fs::read(file).unwrap())?;
    Ok(restoring.finish()?.cards)
}

/// One line to whoever kills this process.
fn tell(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n@ {line}").unwrap();
    out.flush().unwrap();
}

/// The wallet that is killed.
#[test]
#[ignore = "the process that is killed"]
fn worker() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let key: [u8; 32] = b64url_decode(&std::env::var(KEY).unwrap())
        .unwrap()
        .try_into()
        .unwrap();
    let round: u64 = std::env::var(ROUND).unwrap().parse().unwrap();
    tell("opening");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let (folder, key) = (Path::new(&folder), VaultKey::from_bytes(key));
    match std::env::var(LOCKED_WITH) {
        Ok(place) => runtime.block_on(change(folder, &key, place.parse().unwrap())),
        Err(_) => runtime.block_on(work(folder, &key, round)),
    }
}

/// Changes the passphrase again and again, beginning with the one at this place.
async fn change(folder: &Path, key: &VaultKey, mut place: usize) {
    let wallet = open(folder, key, 77).await;
    loop {
        let next = 1 - place;
        tell(&format!("begin {next}"));
        let (old, new) = (PASSPHRASES[place], PASSPHRASES[next]);
        wallet
            .change_passphrase(old, new, KdfParams::MINIMUM)
            .unwrap();
        tell(&format!("changed {next}"));
        place = next;
    }
}

async fn work(folder: &Path, key: &VaultKey, round: u64) {
    let wallet = open(folder, key, 1000 + round).await;
    let chance = SeededRng::new(5000 + round);
    tell("open");
    for number in 0_u32.. {
        let cards = wallet.cards(&[]).unwrap();
        let [act, place] = random::bytes::<2>(&chance as &dyn Rng);
        let some = cards.get(usize::from(place) % cards.len().max(1));
        match (act % 16, some) {
            (0..7, _) | (_, None) => {
                tell("begin add");
                let id = add(&wallet, TYPES[usize::from(place) % 3]).await;
                tell(&format!("added {id}"));
            }
            (7..11, Some(card)) => {
                let verifier = format!("v{act}-{place}-{round}");
                tell(&format!("begin show {} {verifier}", card.id));
                mark_shown(&wallet, &card.id, &verifier).unwrap();
                tell(&format!("shown {} {verifier}", card.id));
            }
            (11..14, Some(card)) => {
                tell(&format!("begin delete {}", card.id));
                wallet.delete(&card.id).await.unwrap();
                tell(&format!("deleted {}", card.id));
            }
            (14, Some(_)) => {
                let name = format!("{round}-{number}.backup");
                back_up(&wallet, &folder.join(&name)).await;
                tell(&format!("backed-up {name} {}", cards.len()));
            }
            (_, Some(_)) => {
                tell("begin restore");
                restore(&wallet, &folder.join("others.backup")).unwrap();
                tell("restored");
            }
        }
    }
}

/// What the killed wallet said, in the order that it said it.
#[derive(Default)]
struct Ledger {
    cards: BTreeSet<String>,
    shown: BTreeMap<String, String>,
    begun: Option<String>,
    backups: Vec<(String, usize)>,
}

impl Ledger {
    fn hear(&mut self, line: &str, others: &BTreeSet<String>) {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["begin", ..] => {
                self.begun = Some(line.to_owned());
                return;
            }
            ["added", id] => {
                self.cards.insert((*id).to_owned());
            }
            ["shown", id, verifier] => {
                self.shown.insert((*id).to_owned(), (*verifier).to_owned());
            }
            ["deleted", id] => {
                self.cards.remove(*id);
                self.shown.remove(*id);
            }
            ["restored"] => self.cards.extend(others.iter().cloned()),
            ["backed-up", name, cards] => {
                self.backups
                    .push(((*name).to_owned(), cards.parse().unwrap()));
            }
            _ => {}
        }
        self.begun = None;
    }

    /// Compares with the wallet as it was found, and goes on from there.
    fn compare(&mut self, wallet: &Wallet, others: &BTreeSet<String>) {
        let found = wallet.cards(&[]).unwrap();
        let found: BTreeSet<String> = found.iter().map(|c| c.id.to_string()).collect();
        let mut allowed = vec![self.cards.clone()];
        let begun = self.begun.take().unwrap_or_default();
        let words: Vec<&str> = begun.split(' ').collect();
        let mut may_show = None;
        match words.as_slice() {
            ["begin", "add"] => {
                let new = found.difference(&self.cards).next();
                allowed.extend(new.map(|new| {
                    let mut after = self.cards.clone();
                    after.insert(new.clone());
                    after
                }));
            }
            ["begin", "delete", id] => {
                let mut after = self.cards.clone();
                after.remove(*id);
                allowed.push(after);
            }
            ["begin", "show", id, verifier] => may_show = Some((*id, *verifier)),
            ["begin", "restore"] => allowed.push(self.cards.union(others).cloned().collect()),
            _ => {}
        }
        assert!(
            allowed.contains(&found),
            "during {begun:?}: {found:?} is none of {allowed:?}"
        );
        self.shown.retain(|id, _| found.contains(id));
        for id in &found {
            let stored = shown_to(wallet, &CredentialId::parse(id).unwrap()).unwrap();
            let told = self.shown.get(id).map(String::as_str);
            let maybe = may_show.filter(|(card, _)| card == id).map(|(_, v)| v);
            assert!(
                stored.as_deref() == told || (maybe.is_some() && stored.as_deref() == maybe),
                "{id} was shown to {stored:?}, not {told:?} or {maybe:?}"
            );
            if let Some(stored) = stored {
                self.shown.insert(id.clone(), stored);
            }
        }
        self.cards = found;
    }
}

/// What must hold of every wallet, whatever happened to it.
async fn check(wallet: &Wallet) {
    assert_eq!(stray_keys(wallet).await.unwrap(), (0, 0));
    let all = wallet.cards(&[]).unwrap();
    for vct in TYPES {
        let query = serde_json::json!({ "credentials": [{
            "id": "card", "format": "dc+sd-jwt", "meta": { "vct_values": [vct] },
        }]});
        let query = DcqlQuery::parse(&query).unwrap();
        let found = matching(wallet, &query, "shop").unwrap();
        let of_type = all.iter().filter(|card| card.vct == vct);
        assert_eq!(found, of_type.map(|c| c.id.clone()).collect::<Vec<_>>());
    }
}

fn kill_one(
    folder: &Path,
    key: &VaultKey,
    (round, locked_with): (u64, Option<usize>),
    after: Duration,
) -> Vec<String> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["worker", "--exact", "--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .env(KEY, b64url(key.expose_secret()))
        .env(ROUND, round.to_string())
        .envs(locked_with.map(|place| (LOCKED_WITH, place.to_string())))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut heard = Vec::new();
    let mut ends = None;
    for line in lines.by_ref() {
        let Some(line) = line.unwrap().strip_prefix("@ ").map(str::to_owned) else {
            continue;
        };
        heard.push(line);
        // From the first line on: the opening is a time to be killed, too.
        let ends = *ends.get_or_insert_with(|| Instant::now() + after);
        if Instant::now() >= ends {
            break;
        }
    }
    child.kill().unwrap();
    // What it said until then stands in the pipe.
    for line in lines {
        if let Some(line) = line.unwrap().strip_prefix("@ ") {
            heard.push(line.to_owned());
        }
    }
    child.wait().unwrap();
    heard
}

/// As an older version left it: cards, and no index.
fn forget_index(folder: &Path) {
    let storage = FileStorage::open(&folder.join("wallet")).unwrap();
    for id in storage.list(Collection::Index).unwrap() {
        storage
            .delete(RecordName::new(Collection::Index, id))
            .unwrap();
    }
}

#[tokio::test]
async fn cat_437_a_killed_wallet_opens_and_has_lost_nothing_that_it_acknowledged() {
    let full = std::env::var("VOUCHSAFE_FULL").is_ok_and(|value| value == "1");
    let rounds = if full { 1000 } else { 20 };
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();

    // Cards of somebody's backup, to be restored.
    let others = {
        let own = folder.join("others");
        let ports = ports(&own, 7);
        let wallet = Wallet::create(config(), ports, PASSPHRASE, KdfParams::MINIMUM).unwrap();
        for vct in TYPES {
            add(&wallet, vct).await;
        }
        back_up(&wallet, &folder.join("others.backup")).await;
        let cards = wallet.cards(&[]).unwrap();
        cards.iter().map(|card| card.id.to_string()).collect()
    };
    let key = {
        let ports = ports(folder, 1);
        Wallet::create(config(), ports.clone(), PASSPHRASE, KdfParams::MINIMUM).unwrap();
        Wallet::unlock(&ports, PASSPHRASE).unwrap()
    };

    let chance = SeededRng::new(1);
    let mut ledger = Ledger::default();
    for round in 0..rounds {
        if round % 4 == 3 {
            forget_index(folder);
        }
        let [high, low] = random::bytes::<2>(&chance as &dyn Rng);
        let after = Duration::from_micros(u64::from(u16::from_be_bytes([high, low])) * 4);
        let heard = kill_one(folder, &key, (round, None), after);
        for line in &heard {
            ledger.hear(line, &others);
        }
        let wallet = open(folder, &key, 9000 + round).await;
        ledger.compare(&wallet, &others);
        check(&wallet).await;
    }

    // A backup that was acknowledged is whole. The last ones: each costs a derivation.
    let fresh = folder.join("fresh");
    for (name, cards) in ledger.backups.iter().rev().take(3) {
        let ports = ports(&fresh.join(name), 3);
        let wallet = Wallet::create(config(), ports, PASSPHRASE, KdfParams::MINIMUM).unwrap();
        assert_eq!(restore(&wallet, &folder.join(name)).unwrap(), *cards);
        check(&wallet).await;
    }
}

#[test]
fn cat_437_a_change_of_the_passphrase_that_is_killed_leaves_the_old_one_or_the_new_one() {
    let full = std::env::var("VOUCHSAFE_FULL").is_ok_and(|value| value == "1");
    let rounds = if full { 200 } else { 8 };
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let key = {
        let ports = ports(folder, 1);
        Wallet::create(config(), ports.clone(), PASSPHRASE, KdfParams::MINIMUM).unwrap();
        Wallet::unlock(&ports, PASSPHRASE).unwrap()
    };
    let chance = SeededRng::new(2);
    let mut place = 0;
    for round in 0..rounds {
        let [high, low] = random::bytes::<2>(&chance as &dyn Rng);
        let after = Duration::from_micros(u64::from(u16::from_be_bytes([high, low])) * 6);
        let heard = kill_one(folder, &key, (round, Some(place)), after);
        // What was acknowledged last, and what had begun after it.
        let mut begun = None;
        for line in &heard {
            match line.split_once(' ') {
                Some(("begin", next)) => begun = next.parse().ok(),
                Some(("changed", next)) => {
                    place = next.parse().unwrap();
                    begun = None;
                }
                _ => {}
            }
        }
        let ports = ports(folder, 3);
        let opens = |place: usize| Wallet::unlock(&ports, PASSPHRASES[place]).is_ok();
        let with: Vec<usize> = (0..PASSPHRASES.len())
            .filter(|place| opens(*place))
            .collect();
        assert_eq!(with.len(), 1, "{heard:?}");
        assert!(with[0] == place || Some(with[0]) == begun, "{heard:?}");
        place = with[0];
        // Wrong attempts in a row make the next one wait: the right one ends the row.
        assert!(opens(place));
    }
}
