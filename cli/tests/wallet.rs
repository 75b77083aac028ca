//! `vouchsafe wallet` as a person or a script keeps what is in it.

#![allow(clippy::unwrap_used, reason = "tests stop at the first surprise")]

use std::path::Path;
use std::process::Command;

use serde_json::Value;

const PASSPHRASE: &str = "correct horse battery";
const OF_BACKUP: &str = "paper in a drawer";

struct Said {
    good: bool,
    out: String,
    err: String,
}

/// `vouchsafe wallet …` with a passphrase.
fn run(folder: &Path, passphrase: &str, arguments: &[&str]) -> Said {
    let output = Command::new(env!("CARGO_BIN_EXE_vouchsafe"))
        .arg("wallet")
        .args(arguments)
        .current_dir(folder)
        .env("VOUCHSAFE_PASSPHRASE", passphrase)
        .env("VOUCHSAFE_BACKUP_PASSPHRASE", OF_BACKUP)
        .env("VOUCHSAFE_NEW_PASSPHRASE", "another horse battery")
        .env_remove("VOUCHSAFE_WALLET")
        .output()
        .unwrap();
    Said {
        good: output.status.success(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn good(folder: &Path, passphrase: &str, arguments: &[&str]) -> String {
    let said = run(folder, passphrase, arguments);
    assert!(said.good, "{arguments:?}: {}", said.err);
    said.out
}

fn bad(folder: &Path, passphrase: &str, arguments: &[&str]) -> String {
    let said = run(folder, passphrase, arguments);
    assert!(!said.good, "{arguments:?}: {}", said.out);
    said.err
}

#[test]
fn a_wallet_is_backed_up_restored_and_locked_anew() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    good(folder, PASSPHRASE, &["init", "--home", "phone"]);
    let home = ["--home", "phone"];
    let with = |words: &[&'static str]| [words, &home[..]].concat();

    let made = good(folder, PASSPHRASE, &with(&["backup", "file", "--json"]));
    let made: Value = serde_json::from_str(&made).unwrap();
    assert_eq!(made["cards"], 0);
    assert!(!folder.join("file.part").exists());
    let again = bad(folder, PASSPHRASE, &with(&["backup", "file"]));
    assert!(again.contains("exists already"), "{again}");

    good(folder, PASSPHRASE, &["init", "--home", "new phone"]);
    let new = ["restore", "file", "--json", "--home", "new phone"];
    let restored = good(folder, PASSPHRASE, &new);
    let restored: Value = serde_json::from_str(&restored).unwrap();
    assert_eq!(restored["restored"]["cards"], 0);
    assert_eq!(restored["to_reissue"], serde_json::json!([]));
    std::fs::write(folder.join("none"), b"no backup").unwrap();
    let none = ["restore", "none", "--home", "new phone"];
    assert!(bad(folder, PASSPHRASE, &none).contains("is no backup of a wallet"));

    let export = good(
        folder,
        PASSPHRASE,
        &with(&["history", "--export", "--party", "shop"]),
    );
    let export: Value = serde_json::from_str(&export).unwrap();
    assert_eq!(export["format"], "vouchsafe-wallet-history");
    assert_eq!(export["party"], "shop");

    good(folder, PASSPHRASE, &with(&["passphrase"]));
    let old = bad(folder, PASSPHRASE, &with(&["list"]));
    assert!(
        old.contains("passphrase does not open this wallet"),
        "{old}"
    );
    good(
        folder,
        "another horse battery",
        &with(&["list", "--type", "urn:a"]),
    );
}

#[test]
fn cat_436_attempts_are_counted_over_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    good(folder, PASSPHRASE, &["init", "--home", "w"]);
    let list = ["list", "--home", "w"];
    // The right one sets the count back, so that it takes four in a row.
    bad(folder, "an incorrect one", &list);
    good(folder, PASSPHRASE, &list);
    for _ in 0..4 {
        let wrong = bad(folder, "an incorrect one", &list);
        assert!(wrong.contains("does not open this wallet"), "{wrong}");
    }
    // A fifth has to wait 2 s at least, if this machine was not slower than that.
    let mut fifth = bad(folder, "an incorrect one", &list);
    while !fifth.contains("too many wrong attempts") {
        fifth = bad(folder, "an incorrect one", &list);
    }
    assert!(
        bad(folder, PASSPHRASE, &list).contains("wait"),
        "the right one waits, too"
    );
}

#[test]
fn a_wallet_is_made_that_believes_the_services_of_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let none = bad(folder, PASSPHRASE, &["init", "--trust", "."]);
    assert!(none.contains("config generate"), "{none}");
    assert!(!folder.join("vouchsafe-wallet").exists());

    let generate = [
        "config",
        "generate",
        "club",
        "--client",
        "a=http://127.0.0.1:9000",
    ];
    let made = Command::new(env!("CARGO_BIN_EXE_vouchsafe"))
        .args(generate)
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    good(folder, PASSPHRASE, &["init", "--trust", "club"]);
    let text = std::fs::read_to_string(folder.join("vouchsafe-wallet/wallet.toml")).unwrap();
    let file: toml::Table = toml::from_str(&text).unwrap();
    assert_eq!(
        file["verifier_anchors"],
        toml::toml! { a = ["wallet-verifier-anchors.pem"] }["a"]
    );
    let issuer = &file["issuer"][0];
    assert_eq!(
        issuer["credential_issuer"].as_str(),
        Some("http://127.0.0.1:8702")
    );
    assert_eq!(
        issuer["anchors"].as_str(),
        Some("wallet-issuer-anchors.pem")
    );
    assert_eq!(file["dev"]["loopback_http"].as_bool(), Some(true));
    // The folder of the services may go: the wallet has what it believes.
    std::fs::remove_dir_all(folder.join("club")).unwrap();
    good(folder, PASSPHRASE, &["list"]);
}
