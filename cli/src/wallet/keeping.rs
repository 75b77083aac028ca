//! Keeping what is in a wallet: backups, the passphrase, and what a person may write to others.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;

use anyhow::Context;
use serde_json::json;
use vouchsafe_wallet_core::backup::Reissue;
use vouchsafe_wallet_core::history::{HistoryId, PersonRequest, RequestKind, Way};
use vouchsafe_wallet_core::issuance::Pending;
use vouchsafe_wallet_core::storage::{KdfParams, Lock};

use super::arguments::Common;
use super::handle::WalletHandle;
use super::terminal::{new_secret, say, say_json, secret};

const BACKUP_PASSPHRASE: &str = "VOUCHSAFE_BACKUP_PASSPHRASE";
const NEW_PASSPHRASE: &str = "VOUCHSAFE_NEW_PASSPHRASE";
const PIECE: usize = 64 * 1024;

/// Writes a backup. The file appears under its name when it is complete.
pub async fn backup(wallet: &WalletHandle, common: &Common, file: &Path) -> anyhow::Result<()> {
    if file.exists() {
        anyhow::bail!("{} exists already", file.display());
    }
    let passphrase = new_secret(BACKUP_PASSPHRASE, "Passphrase of the backup: ")?;
    let mut backup = wallet.core().backup(&passphrase, KdfParams::RECOMMENDED)?;
    let name = |path: &Path| format!("cannot write {}", path.display());
    let mut part = file.as_os_str().to_owned();
    part.push(".part");
    let part = Path::new(&part);
    let mut out = private_file(part).with_context(|| name(part))?;
    while let Some(piece) = backup.next_piece().await? {
        out.write_all(&piece).with_context(|| name(part))?;
    }
    out.sync_all().with_context(|| name(part))?;
    // A link fails where somebody else put a file meanwhile; a rename would replace it.
    fs::hard_link(part, file)
        .and_then(|()| fs::remove_file(part))
        .with_context(|| name(file))?;
    let waiting = backup.to_reissue(&["en"]);
    let unreadable = backup.unreadable();
    if common.json {
        return say_json(&json!({
            "cards": backup.cards(),
            "to_reissue": waiting,
            "unreadable": unreadable,
            "unreadable_entries": backup.unreadable_entries(),
            "left_behind": backup.left_behind(),
        }));
    }
    name_left_behind(backup.left_behind())?;
    for damaged in unreadable {
        eprintln!("{damaged} is damaged, and not in the backup");
    }
    if backup.unreadable_entries() > 0 {
        let count = backup.unreadable_entries();
        eprintln!("{count} entries of the history cannot be read, and are not in the backup");
    }
    say(&format!(
        "{} cards are in {}.",
        backup.cards(),
        file.display()
    ))?;
    name_waiting(&waiting)
}

/// Takes a backup in.
pub fn restore(wallet: &WalletHandle, common: &Common, file: &Path) -> anyhow::Result<()> {
    let passphrase = secret(BACKUP_PASSPHRASE, "Passphrase of the backup: ")?;
    let name = || format!("cannot read {}", file.display());
    let mut from = File::open(file).with_context(name)?;
    let mut restoring = wallet.core().restore(&passphrase);
    let mut piece = vec![0; PIECE];
    loop {
        let read = from.read(&mut piece).with_context(name)?;
        match piece.get(..read) {
            Some([]) | None => break,
            Some(bytes) => restoring.push(bytes)?,
        }
    }
    let restored = restoring.finish()?;
    if common.json {
        let waiting = wallet.core().to_reissue(&["en"])?;
        return say_json(&json!({ "restored": restored, "to_reissue": waiting }));
    }
    let (new, here, history) = (restored.cards, restored.already_here, restored.history);
    say(&format!(
        "{new} cards came back, {here} were here already; {history} entries of the history."
    ))?;
    if restored.unchecked > 0 {
        let number = restored.unchecked;
        eprintln!("{number} of them could not be checked: nobody is shown them before that.");
    }
    if restored.pending > 0 {
        say(&format!("{} cards are on their way.", restored.pending))?;
    }
    name_left_behind(&restored.left_behind)?;
    name_waiting(&wallet.core().to_reissue(&["en"])?)
}

/// Lists the cards that wait for their issuers.
pub fn reissue(wallet: &WalletHandle, common: &Common) -> anyhow::Result<()> {
    let waiting = wallet.core().to_reissue(&["en"])?;
    match common.json {
        true => say_json(&waiting),
        false => name_waiting(&waiting),
    }
}

/// Changes the passphrase.
pub fn change_passphrase(
    wallet: &WalletHandle,
    old: &str,
    pin_attempts: Option<u8>,
) -> anyhow::Result<()> {
    let question = match pin_attempts {
        Some(_) => "New PIN: ",
        None => "New passphrase: ",
    };
    let new = new_secret(NEW_PASSPHRASE, question)?;
    let lock = match pin_attempts {
        Some(attempts) => Lock::Pin {
            digits: &new,
            attempts,
        },
        None => Lock::Passphrase(&new),
    };
    wallet
        .core()
        .change_passphrase(old, lock, KdfParams::RECOMMENDED)?;
    eprintln!("Done. Copies of the wallet that were made before open with the old one.");
    Ok(())
}

/// Asks who was shown a card to delete what it learned.
pub fn erase(wallet: &WalletHandle, common: &Common, entry: &str) -> anyhow::Result<()> {
    let entry = wallet.core().history_entry(&HistoryId::parse(entry)?)?;
    write(common, &entry.erasure()?)
}

/// Writes a report.
pub fn report(wallet: &WalletHandle, common: &Common, entry: &str) -> anyhow::Result<()> {
    let entry = wallet.core().history_entry(&HistoryId::parse(entry)?)?;
    write(common, &entry.report())
}

fn write(common: &Common, request: &PersonRequest) -> anyhow::Result<()> {
    if common.json {
        return say_json(request);
    }
    let host = &request.party.host;
    let at = jiff::Timestamp::from_second(request.at.seconds())?;
    let texts = |texts: &[vouchsafe_wallet_core::text::PlainText]| {
        let texts: Vec<&str> = texts.iter().map(|text| text.as_str()).collect();
        texts.join(", ")
    };
    if let Some(name) = &request.party.name {
        say(&format!("{name} ({host})"))?;
    } else {
        say(host)?;
    }
    match request.kind {
        RequestKind::Erasure => say(&format!(
            "On {at} I showed you: {}. Please delete what you learned, and tell me that you did (GDPR, articles 17 and 12).",
            texts(&request.facts)
        ))?,
        RequestKind::Report => {
            say(&format!(
                "On {at} they asked for: {}",
                texts(&request.facts)
            ))?;
            if let Some(purpose) = &request.purpose {
                say(&format!("Their reason: {purpose}"))?;
            }
            say(&format!("From: {}", texts(&request.cards)))?;
        }
    }
    if let Way::Withdraw { .. } = request.way {
        let entry = request.entry.as_str();
        eprintln!("They take a withdrawal, too: vouchsafe wallet withdraw {entry}");
    }
    Ok(())
}

fn name_waiting(waiting: &[Reissue]) -> anyhow::Result<()> {
    if !waiting.is_empty() {
        eprintln!("Keys of these cards do not move. Ask for them again:");
    }
    waiting
        .iter()
        .try_for_each(|card| say(&format!("{}  at {}", card.title, card.credential_issuer)))
}

fn name_left_behind(pending: &[Pending]) -> anyhow::Result<()> {
    if !pending.is_empty() {
        eprintln!("These are on their way, but not to a wallet made from the backup:");
    }
    pending
        .iter()
        .try_for_each(|card| say(&format!("{}  at {}", card.title, card.host)))
}

fn private_file(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
