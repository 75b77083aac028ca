//! Two issuers in one process, as somebody runs it: each with its own folder, log lines and metrics.

#![allow(clippy::unwrap_used, reason = "tests stop at the first surprise")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

fn vouchsafe(arguments: &[&str], folder: &Path) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_vouchsafe"));
    program.args(arguments).current_dir(folder);
    for name in ["VOUCHSAFE_CONFIG", "VOUCHSAFE_API_KEY"] {
        program.env_remove(name);
    }
    program.env("VOUCHSAFE_PASSPHRASE", "a passphrase of tests");
    program
}

fn run(arguments: &[&str], folder: &Path) -> Output {
    vouchsafe(arguments, folder).output().unwrap()
}

fn done(arguments: &[&str], folder: &Path) -> String {
    let output = run(arguments, folder);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

fn refused(arguments: &[&str], folder: &Path) -> String {
    let output = run(arguments, folder);
    assert!(!output.status.success(), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// An answer as text, head and body.
fn get(port: u16, host: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

struct Served(Child);

impl Served {
    fn start(folder: &Path, log: &Path) -> Self {
        let log = std::fs::File::create(log).unwrap();
        let mut child = vouchsafe(&["issuer", "serve", "--config", "house.toml"], folder)
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let output = child.stdout.take().unwrap();
        let served = Self(child);
        let line = BufReader::new(output).lines().next().unwrap().unwrap();
        assert!(
            line.contains("listening") && line.contains("localhost"),
            "{line}"
        );
        served
    }

    /// SIGTERM, and a good end.
    fn stop(mut self) {
        let id = self.0.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &id])
                .status()
                .unwrap()
                .success()
        );
        assert!(self.0.wait().unwrap().success());
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn two_issuers_in_one_process_have_nothing_in_common() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path();
    let (port, metrics) = (free_port(), free_port());
    let (club, gym) = (format!("127.0.0.1:{port}"), format!("localhost:{port}"));
    for (name, host) in [("club", &club), ("gym", &gym)] {
        let url = format!("http://{host}");
        done(
            &[
                "issuer", "init", "--name", name, "--folder", name, "--url", &url,
            ],
            place,
        );
    }
    let house = format!(
        "[http]\nlisten = \"127.0.0.1:{port}\"\nmetrics_listen = \"127.0.0.1:{metrics}\"\n\
         [[tenant]]\nname = \"club\"\nconfig = \"club/issuer.toml\"\n\
         [[tenant]]\nname = \"gym\"\nconfig = \"gym/issuer.toml\"\n"
    );
    std::fs::write(place.join("house.toml"), house).unwrap();
    done(&["config", "check", "--issuer", "house.toml"], place);
    let log = place.join("log");
    let served = Served::start(place, &log);

    let offer = |tenant: &str, record: &str| {
        let config = format!("{tenant}/issuer.toml");
        let claims = ["member_id=M-1", "tier=gold", "valid_until=2027-12-31"];
        let begin = [
            "issuer",
            "offer",
            "--config",
            &config,
            "--record",
            record,
            "membership",
        ];
        done(&[begin.as_slice(), &claims].concat(), place)
    };
    for (tenant, host) in [("club", &club), ("gym", &gym)] {
        let link = offer(tenant, "crm-1");
        assert!(link.contains(&host.replace(':', "%3A")), "{link}");
    }
    // One's key is no key at the other.
    let key = ["--api-key-file", "club/api-key.txt"];
    let claims = ["membership", "--record", "crm-2", "tier=gold"];
    let begin = ["issuer", "offer", "--config", "gym/issuer.toml"];
    let error = refused(&[begin.as_slice(), &key, &claims].concat(), place);
    assert!(error.contains("API key"), "{error}");
    assert!(get(port, "elsewhere.example", "/").starts_with("HTTP/1.1 421"));
    assert!(get(port, "elsewhere.example", "/readyz").starts_with("HTTP/1.1 200"));
    // Commands take the file of one tenant, and say so.
    for command in [
        ["issuer", "api-key"].as_slice(),
        &["issuer", "audit", "verify"],
    ] {
        let mut command = [command, &["--config", "gym/issuer.toml"]].concat();
        if command[1] == "api-key" {
            command.push("another");
        }
        done(&command, place);
    }
    done(&["migrate", "--issuer", "gym/issuer.toml"], place);
    done(&["doctor", "--issuer", "gym/issuer.toml"], place);
    let error = refused(
        &["issuer", "api-key", "--config", "house.toml", "us"],
        place,
    );
    assert!(error.contains("names tenants"), "{error}");
    for command in [
        ["api-client", "us", "--scope", "offers:read"].as_slice(),
        &["revoke-api-client", "us"],
        &["certificate", "request"],
        &[
            "certificate",
            "install",
            "--chain",
            "a.pem",
            "--authority",
            "b.pem",
        ],
    ] {
        let command = [&["issuer"], command, &["--config", "house.toml"]].concat();
        let error = refused(&command, place);
        assert!(error.contains("names tenants"), "{command:?}: {error}");
    }
    // The process as a whole has an answer to whether it is ready.
    done(&["issuer", "health", "--config", "house.toml"], place);

    let shown = get(metrics, "x", "/metrics");
    for tenant in ["club", "gym"] {
        let label = format!("tenant=\"{tenant}\"");
        let line = |line: &&str| line.starts_with("http_requests_total") && line.contains(&label);
        assert!(shown.lines().any(|one| line(&one)), "{tenant}: {shown}");
    }
    served.stop();
    let error = refused(&["issuer", "health", "--config", "house.toml"], place);
    assert!(error.contains("nobody listens"), "{error}");

    // Every line about a request says whose it was, and none says both.
    let log = std::fs::read_to_string(&log).unwrap();
    let of = |tenant: &str| format!("tenant{{name={tenant}}}");
    let answered: Vec<&str> = log
        .lines()
        .filter(|line| line.contains("/v1/offers"))
        .collect();
    assert!(answered.len() >= 3, "{log}");
    for line in answered {
        assert!(
            line.contains(&of("club")) != line.contains(&of("gym")),
            "{line}"
        );
    }
    assert!(
        log.contains(&of("club")) && log.contains(&of("gym")),
        "{log}"
    );
}

#[test]
fn a_copy_is_put_to_use_by_command_and_state_is_taken_along() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path();
    done(&["issuer", "init"], place);
    let head = done(&["issuer", "backup", "--output", "copy.sqlite"], place);
    assert!(head.contains(':'), "{head}");
    done(
        &["issuer", "export", "--output", "state", "--with-keys"],
        place,
    );
    std::fs::rename(place.join("issuer.sqlite"), place.join("lost.sqlite")).unwrap();
    // What a crash leaves beside the database is refused, and not taken for the copy's.
    std::fs::write(place.join("issuer.sqlite-wal"), "left").unwrap();
    let error = refused(&["issuer", "restore", "--input", "copy.sqlite"], place);
    assert!(error.contains("issuer.sqlite-wal"), "{error}");
    for rest in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(place.join(format!("issuer.sqlite{rest}")));
    }
    let output = run(
        &[
            "issuer",
            "restore",
            "--input",
            "copy.sqlite",
            "--since",
            head.trim(),
        ],
        place,
    );
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{told}");
    for said in [
        "epoch 1",
        "nothing that you know of is lost",
        "the first key",
    ] {
        assert!(told.contains(said), "{told}");
    }
    done(
        &["issuer", "audit", "verify", "--since", head.trim()],
        place,
    );
    let error = refused(&["issuer", "restore", "--input", "copy.sqlite"], place);
    assert!(error.contains("issuer.sqlite"), "{error}");
    // The copy itself is never served. No log of the other database lies beside it: commands close
    // what they opened.
    std::fs::remove_file(place.join("issuer.sqlite")).unwrap();
    assert!(!place.join("issuer.sqlite-wal").exists());
    std::fs::copy(place.join("copy.sqlite"), place.join("issuer.sqlite")).unwrap();
    let error = refused(&["issuer", "serve"], place);
    assert!(error.contains("vouchsafe issuer restored"), "{error}");
    done(&["issuer", "restored"], place);
    // An export goes into an empty database alone.
    let error = refused(&["issuer", "import", "--input", "state"], place);
    assert!(error.contains("is not empty"), "{error}");
    std::fs::remove_file(place.join("issuer.sqlite")).unwrap();
    done(&["issuer", "import", "--input", "state"], place);
    done(
        &["issuer", "import", "--input", "state", "--keys-to", "keys"],
        place,
    );
    let key = |file: &str| std::fs::read_to_string(place.join(file)).unwrap();
    assert_eq!(
        key("keys/issuer-1-key.pem").trim(),
        key("issuer-key.pem").trim()
    );
    let error = refused(&["issuer", "move", "--to", "https://new.example"], place);
    assert!(error.contains("http.public_url"), "{error}");
}
