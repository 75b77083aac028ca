//! From an empty folder to the first card: the commands of README.md, word for word.

#![allow(clippy::unwrap_used, reason = "tests stop at the first surprise")]

use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

const README: &str = include_str!("../../README.md");
/// The address that `issuer init` chooses; a test takes a free port.
const USUAL: &str = "http://127.0.0.1:8702";

/// The commands of the section's first terminal session.
fn commands() -> Vec<&'static str> {
    let (_, section) = README.split_once("\n## Run it\n").unwrap();
    let session = section.split("```console\n").nth(1).unwrap();
    let session = session.split("```").next().unwrap();
    let lines = session.lines();
    lines.filter_map(|line| line.strip_prefix("$ ")).collect()
}

fn vouchsafe(command: &str, folder: &Path) -> Command {
    let mut words = command.split_whitespace();
    assert_eq!(words.next(), Some("vouchsafe"));
    let mut program = Command::new(env!("CARGO_BIN_EXE_vouchsafe"));
    program.args(words).current_dir(folder);
    for name in ["VOUCHSAFE_CONFIG", "VOUCHSAFE_API_KEY"] {
        program.env_remove(name);
    }
    program.env("VOUCHSAFE_PASSPHRASE", "a passphrase of tests");
    program
}

fn run(command: &str, folder: &Path) -> Output {
    vouchsafe(command, folder).output().unwrap()
}

fn done(command: &str, folder: &Path) -> String {
    let output = run(command, folder);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

fn refused(command: &str, folder: &Path) -> String {
    let output = run(command, folder);
    assert!(!output.status.success(), "{command}");
    String::from_utf8(output.stderr).unwrap()
}

/// A service, and the end of it.
struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn serve(command: &str, folder: &Path) -> Served {
    let mut child = vouchsafe(command, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let output = child.stdout.take().unwrap();
    let served = Served(child);
    let line = BufReader::new(output).lines().next().unwrap().unwrap();
    assert!(line.contains("listening"), "{line}");
    served
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn mode(file: &Path) -> u32 {
    std::fs::metadata(file).unwrap().permissions().mode() & 0o777
}

#[test]
fn three_commands_from_an_empty_folder_to_a_card() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path();
    let port = free_port();
    let [init, start, offer] = commands()[..] else {
        panic!("three commands: {:?}", commands());
    };
    let init = format!("{init} --url http://127.0.0.1:{port}");

    let key = done(&init, place);
    assert!(key.starts_with("vsk_") && key.lines().count() == 1);
    assert_eq!(
        std::fs::read_to_string(place.join("api-key.txt")).unwrap(),
        key
    );
    for secret in [
        "api-key.txt",
        "issuer.toml",
        "issuer-key.pem",
        "issuer-secret.txt",
        "issuer.sqlite",
    ] {
        assert_eq!(mode(&place.join(secret)), 0o600, "{secret}");
    }

    let _served = serve(start, place);
    let link = done("vouchsafe admin invite Ada", place);
    let console = format!("http://127.0.0.1:{port}/console/invitations/");
    assert!(link.starts_with(&console), "{link}");
    let output = run(offer, place);
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{error}");
    assert!(error.contains('\u{2588}'), "no QR code: {error}");
    let link = String::from_utf8(output.stdout).unwrap();
    let link = link.trim();
    assert!(link.starts_with("openid-credential-offer://"), "{link}");

    // A wallet that knows the issuer's authority takes it.
    done("vouchsafe wallet init --dev-loopback --home wallet", place);
    let trust = format!(
        "\n[[issuer]]\ncredential_issuer = \"http://127.0.0.1:{port}\"\nanchors = \"../wallet-issuer-anchors.pem\"\n"
    );
    let file = place.join("wallet/wallet.toml");
    let text = std::fs::read_to_string(&file).unwrap() + &trust;
    std::fs::write(&file, text).unwrap();
    let added = done(
        &format!("vouchsafe wallet add --home wallet --yes {link}"),
        place,
    );
    assert!(added.contains("Membership card"), "{added}");

    // The key in the environment is taken instead of the file, and a wrong one is refused.
    let mut wrong = vouchsafe(offer, place);
    let wrong = wrong
        .env("VOUCHSAFE_API_KEY", "vsk_wrong")
        .output()
        .unwrap();
    let error = String::from_utf8(wrong.stderr).unwrap();
    assert!(
        !wrong.status.success() && error.contains("API key"),
        "{error}"
    );
    let error = refused(
        "vouchsafe issuer offer membership --record crm-1 tier=gold",
        place,
    );
    assert!(
        error.contains("422") && error.contains("/claims/member_id"),
        "{error}"
    );
}

#[test]
fn nothing_is_overwritten_and_a_newcomer_is_told_where_to_go() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path();
    for command in ["vouchsafe issuer serve", "vouchsafe issuer api-key us"] {
        let error = refused(command, place);
        assert!(error.contains("no issuer.toml in this folder"), "{error}");
        assert!(error.contains("vouchsafe issuer init"), "{error}");
    }
    done("vouchsafe issuer init --name Gym --folder gym", place);
    let gym = place.join("gym");
    let before = std::fs::read_to_string(gym.join("issuer.toml")).unwrap();
    assert!(
        before.contains("\"Gym\"") && before.contains(USUAL),
        "{before}"
    );
    let error = refused("vouchsafe issuer init --folder gym", place);
    assert!(
        error.contains("exists already; nothing was changed"),
        "{error}"
    );
    assert_eq!(
        std::fs::read_to_string(gym.join("issuer.toml")).unwrap(),
        before
    );
    // One of the files is enough, and then none of the others is made.
    let other = place.join("other");
    std::fs::create_dir(&other).unwrap();
    std::fs::write(other.join("membership.toml"), "mine").unwrap();
    refused("vouchsafe issuer init --folder other", place);
    assert_eq!(std::fs::read_dir(&other).unwrap().count(), 1);
    // Its own type file is what is issued.
    let mut text = String::new();
    let file = gym.join("membership.toml");
    std::fs::File::open(&file)
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    std::fs::write(&file, text.replace("id = \"membership\"", "id = \"Gym\"")).unwrap();
    let error = refused("vouchsafe issuer api-key us", &gym);
    assert!(error.contains("issuer.credential_types"), "{error}");
}
