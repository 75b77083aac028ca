//! From an empty folder to a login service with an application: the commands of README.md, word for
//! word, and what they refuse.

#![allow(clippy::unwrap_used, reason = "tests stop at the first surprise")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

const README: &str = include_str!("../../README.md");

/// The commands of the second terminal session of the section.
fn commands() -> Vec<&'static str> {
    let (_, section) = README.split_once("\n## Run it\n").unwrap();
    let session = section.split("```console\n").nth(2).unwrap();
    let lines = session.split("```").next().unwrap().lines();
    lines.filter_map(|line| line.strip_prefix("$ ")).collect()
}

fn vouchsafe(command: &str, folder: &Path) -> Command {
    let mut words = command.split_whitespace();
    assert_eq!(words.next(), Some("vouchsafe"));
    let mut program = Command::new(env!("CARGO_BIN_EXE_vouchsafe"));
    program.args(words).current_dir(folder);
    program.env_remove("VOUCHSAFE_CONFIG");
    program
}

fn run(command: &str, folder: &Path) -> Output {
    vouchsafe(command, folder).output().unwrap()
}

/// What a command says on standard output and on standard error.
fn done(command: &str, folder: &Path) -> (String, String) {
    let output = run(command, folder);
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{command}: {error}");
    (String::from_utf8(output.stdout).unwrap(), error)
}

/// A command fails, says this, and leaves the configuration as it was.
fn refused(command: &str, folder: &Path, says: &str) {
    let file = folder.join("verifier.toml");
    let before = std::fs::read_to_string(&file).ok();
    let output = run(command, folder);
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success(), "{command}");
    assert!(error.contains(says), "{command}: {error}");
    assert_eq!(std::fs::read_to_string(&file).ok(), before, "{command}");
}

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

fn get(port: u16, path: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let host = format!("Host: 127.0.0.1:{port}\r\nConnection: close\r\n");
    write!(stream, "GET {path} HTTP/1.1\r\n{host}\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn mode(file: &Path) -> u32 {
    std::fs::metadata(file).unwrap().permissions().mode() & 0o777
}

#[test]
fn four_commands_beside_an_issuer_to_a_login_service() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path();
    let [init, trust, client, start] = commands()[..] else {
        panic!("four commands: {:?}", commands());
    };
    done("vouchsafe issuer init", place);
    let port = free_port();
    done(&format!("{init} --url http://127.0.0.1:{port}"), place);
    for secret in ["verifier.toml", "verifier-secret.txt", "request-key.pem"] {
        assert_eq!(mode(&place.join(secret)), 0o600, "{secret}");
    }

    refused(client, place, "there is no query");
    let (_, said) = done(trust, place);
    assert_eq!(said.matches("SHA-256 ").count(), 2, "{said}");
    assert!(said.contains("may issue urn:vouchsafe:membership:1"));
    let (printed, said) = done(client, place);
    let (id, secret) = printed.trim().split_once(' ').unwrap();
    assert_eq!((id, secret.len()), ("my-app", 43));
    assert!(said.contains("openid membership"), "{said}");
    assert_eq!(mode(&place.join("verifier.toml")), 0o600);
    let (listed, _) = done("vouchsafe verifier trust list", place);
    assert_eq!(listed.matches("SHA-256 ").count(), 2, "{listed}");
    let (listed, _) = done("vouchsafe verifier client list", place);
    assert_eq!(listed, "my-app\tmy-app\thttp://127.0.0.1:9000/callback\n");

    let served = serve(start, place);
    let discovery = get(port, "/.well-known/openid-configuration");
    assert!(discovery.contains("\"membership\""), "{discovery}");
    let asked = "/authorize?response_type=code&client_id=my-app&scope=openid&state=s&nonce=n\
         &redirect_uri=http://127.0.0.1:9000/callback&code_challenge_method=S256\
         &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    let answer = get(port, asked);
    assert!(answer.starts_with("HTTP/1.1 303"), "{answer}");
    assert!(answer.contains("location: /login/"), "{answer}");
    drop(served);

    done("vouchsafe verifier client remove my-app", place);
    refused(
        "vouchsafe verifier client remove my-app",
        place,
        "no application",
    );
}

#[test]
fn applications_that_register_by_themselves() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path();
    let [init, trust, _, _] = commands()[..] else {
        panic!("four commands: {:?}", commands());
    };
    done("vouchsafe issuer init", place);
    done(init, place);
    done(trust, place);
    let make = "vouchsafe verifier registration-token partner --uses 2";
    refused(make, place, "no [registration]");
    let gone = "vouchsafe verifier client remove reg-unknown";
    refused(gone, place, "no application");
    let file = place.join("verifier.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let more = "\n[registration]\nallowed_scopes = [\"membership\"]\n";
    std::fs::write(&file, text + more).unwrap();

    let (token, said) = done(make, place);
    assert_eq!(token.trim().len(), 43);
    assert!(!said.contains(token.trim()), "{said}");
    let (listed, _) = done("vouchsafe verifier registration-tokens", place);
    let (id, rest) = listed.split_once('\t').unwrap();
    assert!(rest.starts_with("partner\t2\t"), "{listed}");
    assert!(!listed.contains(token.trim()), "{listed}");
    let revoke = format!("vouchsafe verifier revoke-registration-token {id}");
    done(&revoke, place);
    refused(&revoke, place, "no registration token");
    let (listed, _) = done("vouchsafe verifier registration-tokens", place);
    assert_eq!(listed, "");
    let (listed, _) = done("vouchsafe verifier client list", place);
    assert_eq!(listed, "");
    refused(gone, place, "no application");
    let stop = "vouchsafe verifier client disable";
    refused(&format!("{stop} reg-unknown"), place, "no application");
    // A document is known by its address, whether it was seen before or not.
    let address = "https://app.example/client.json";
    done(&format!("{stop} {address}"), place);
    let go_on = format!("vouchsafe verifier client enable {address}");
    done(&go_on, place);
    refused(&go_on, place, "is not stopped");
}

#[test]
fn applications_sessions_and_keys_at_the_machine() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path();
    done("vouchsafe verifier init", place);
    let key = "vouchsafe verifier api-key operations --scope clients:read --scope sessions:end";
    let (made, _) = done(key, place);
    assert!(made.starts_with("vsk_"), "{made}");
    let wrong = "vouchsafe verifier api-key operations --scope clients:*";
    refused(wrong, place, "clients:write");
    let both =
        "vouchsafe verifier api-key operations --scope clients:read --scope verifications:read";
    refused(both, place, "verifications.caller has no operations");
    refused(
        "vouchsafe verifier client show nobody",
        place,
        "no application nobody",
    );
    refused(
        "vouchsafe verifier client remove nobody",
        place,
        "no application nobody",
    );
    refused("vouchsafe verifier session list", place, "--client");
    refused(
        "vouchsafe verifier session list --sub x --account y",
        place,
        "--client",
    );
    let (none, _) = done("vouchsafe verifier session list --client shop", place);
    assert_eq!(none, "");
    refused(
        "vouchsafe verifier session end x",
        place,
        "no live session x",
    );
    let (keys, _) = done("vouchsafe verifier key list", place);
    assert_eq!(keys.lines().count(), 2, "{keys}");
    assert!(
        keys.contains("\"alg\":\"RS256\"") && !keys.contains("\"d\""),
        "{keys}"
    );
    let file = place.join("verifier.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text + "\n[administration]\n").unwrap();
    refused(
        "vouchsafe verifier client remove nobody",
        place,
        "no application nobody",
    );
    let (none, _) = done("vouchsafe verifier client list", place);
    assert_eq!(none, "");
    done("vouchsafe config check --verifier verifier.toml", place);
}

#[test]
fn mistakes_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path();
    refused(
        "vouchsafe verifier client add x --redirect https://x.example/cb",
        place,
        "verifier init",
    );
    done("vouchsafe issuer init", place);
    done("vouchsafe verifier init", place);
    refused("vouchsafe verifier init", place, "exists already");
    let add = "vouchsafe verifier trust add https://club.example";
    let anchors = "--anchors wallet-issuer-anchors.pem";
    let cases = [
        (format!("{add} --type membership"), "--anchors"),
        (
            format!("{add} {anchors} --type nothing-like-it"),
            "nothing-like-it",
        ),
        (
            format!("{add} {anchors} --type membership --login shoe_size"),
            "no claim shoe_size",
        ),
        (
            format!("{add} --anchors membership.toml --type membership"),
            "membership.toml",
        ),
        (
            format!("{add} --iaca mdoc-authority.pem --type membership"),
            "not issued as mdoc",
        ),
        (
            format!("{add} {anchors} --type membership --type age --login member_id"),
            "one type",
        ),
        (
            format!("{add} {anchors} --type membership --login member_id --claim level=tear"),
            "no claim tear",
        ),
        (format!("{add} --did --type membership"), "did:key"),
    ];
    for (command, says) in cases {
        refused(&command, place, says);
    }
    let good = format!("{add} {anchors} --type membership --login member_id --claim level=tier");
    done(&good, place);
    let text = std::fs::read_to_string(place.join("verifier.toml")).unwrap();
    assert!(text.contains("level = [\"tier\"]"), "{text}");
    refused(&good, place, "nothing was changed");
    let app = "vouchsafe verifier client add";
    refused(&format!("{app} shop --redirect nowhere"), place, "redirect");
    refused(
        &format!("{app} shop --redirect https://s.example/cb --scope age"),
        place,
        "age",
    );
    refused(
        &format!("{app} !! --redirect https://s.example/cb"),
        place,
        "--id",
    );
    let (public, _) = done(
        &format!("{app} shop --redirect https://s.example/cb --public"),
        place,
    );
    assert_eq!(public, "shop\n");
    refused(
        &format!("{app} shop --redirect https://s.example/cb"),
        place,
        "shop",
    );
}

#[test]
fn documents_are_trusted_by_their_authority() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path();
    done("vouchsafe issuer init", place);
    done("vouchsafe verifier init", place);
    let trust = "vouchsafe verifier trust add https://transport.example --iaca mdoc-authority.pem \
                 --type mdl --login document_number --claim family_name";
    let (_, said) = done(trust, place);
    assert!(said.contains("may issue org.iso.18013.5.1.mDL"), "{said}");
    let text = std::fs::read_to_string(place.join("verifier.toml")).unwrap();
    assert!(
        text.contains("\"org.iso.18013.5.1/document_number\""),
        "{text}"
    );
    assert!(text.contains("\"mso_mdoc\""), "{text}");
    done("vouchsafe config check --verifier verifier.toml", place);
}

/// Runs a command with a passphrase; whether it succeeded, and what it said.
fn with_words(command: &str, folder: &Path, words: &str) -> (bool, String) {
    let mut program = vouchsafe(command, folder);
    let output = program.env("VOUCHSAFE_PASSPHRASE", words).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    (output.status.success(), error)
}

#[test]
fn people_come_from_a_table_and_move_with_all_state() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir(&path).unwrap();
        path
    };
    let (a, b, c) = (at("a"), at("b"), at("c"));
    done("vouchsafe verifier init", &a);
    std::fs::write(a.join("people.csv"), "external_id\nC-1\n\nC-2\n").unwrap();
    let import = "vouchsafe verifier accounts import people.csv";
    let (_, said) = done(import, &a);
    assert!(said.contains("2 accounts are new, 0 were known"), "{said}");
    std::fs::write(a.join("people.csv"), "external_id,locale\nC-1,xx\nC-2,de\n").unwrap();
    let (well, said) = with_words(import, &a, "");
    assert!(!well && said.contains("row 2: locale_unknown"), "{said}");
    assert!(said.contains("0 accounts are new, 1 were known"), "{said}");
    let invite = "vouchsafe verifier accounts invite C-1";
    let (link, _) = done(invite, &a);
    assert!(link.starts_with("http://127.0.0.1:8701/account/link?code="));
    refused(
        "vouchsafe verifier accounts invite C-9",
        &a,
        "import it first",
    );

    let words = "correct horse battery";
    let export = "vouchsafe verifier export ../login.export";
    let (well, said) = with_words(export, &a, "short");
    assert!(!well && said.contains("fewer than 12"), "{said}");
    let (well, said) = with_words(export, &a, words);
    assert!(well, "{said}");
    // Another secret, another database, the same people.
    done("vouchsafe verifier init", &b);
    let import = "vouchsafe verifier import ../login.export";
    let (well, said) = with_words(import, &b, "wrong horse battery");
    assert!(
        !well && said.contains("sealed_file_does_not_open"),
        "{said}"
    );
    let (well, said) = with_words(import, &b, words);
    assert!(well && said.contains("epoch 1 begins"), "{said}");
    done(invite, &b);
    let (well, said) = with_words(import, &b, words);
    assert!(!well && said.contains("database_not_empty"), "{said}");

    // A copy, and a restore where there is nothing.
    let (head, _) = done("vouchsafe verifier backup --output ../copy.sqlite", &b);
    for file in std::fs::read_dir(&b).unwrap() {
        let file = file.unwrap();
        if !file.file_name().to_str().unwrap().contains(".sqlite") {
            std::fs::copy(file.path(), c.join(file.file_name())).unwrap();
        }
    }
    let text = std::fs::read_to_string(c.join("verifier.toml")).unwrap();
    let moved = text.replace(b.to_str().unwrap(), c.to_str().unwrap());
    std::fs::write(c.join("verifier.toml"), moved).unwrap();
    let restore = format!(
        "vouchsafe verifier restore --input ../copy.sqlite --since {}",
        head.trim()
    );
    let (_, said) = done(&restore, &c);
    assert!(said.contains("nothing that you know of is lost"), "{said}");
    done(invite, &c);
}
