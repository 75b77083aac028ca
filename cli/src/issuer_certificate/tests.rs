//! With OpenSSL as the authority: request, certificate, change-over.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use vouchsafe_credentials::crypto::{Algorithm, Signer as _, SigningKey};
use vouchsafe_credentials::time::{Clock as _, UnixTime};
use vouchsafe_issuer::Config;
use vouchsafe_service::clock::SystemClock;
use vouchsafe_service::config::load;
use vouchsafe_service::random::OsRandom;
use vouchsafe_service::signers::encrypted::{self, Passphrase};

use super::{find, install, request, subject};
use crate::development::write_new;
use crate::serve::ISSUER_ENVIRONMENT;

struct Setup {
    folder: TempDir,
    key: SigningKey,
}

impl Setup {
    /// A configuration with a key for both formats and no certificates, and an authority.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let setup = Self {
            key: SigningKey::generate(Algorithm::Es256, &OsRandom),
            folder,
        };
        let words = "correct horse battery staple";
        let passphrase = Passphrase::from(words.to_owned());
        let sealed = encrypted::encrypt(&setup.key.to_pkcs8_der(), &passphrase, &OsRandom);
        write_new(&setup.path("key.pem"), &sealed.unwrap(), 0o600).unwrap();
        write_new(&setup.path("words"), words, 0o600).unwrap();
        let root = setup.folder.path().display();
        let text = format!(
            "# The issuer of the club.\n[http]\nlisten = \"127.0.0.1:0\"\npublic_url = \"https://issuer.example\"\n\
             [database]\nurl = \"sqlite:unused.db\"\n\
             [keys]\nsecret = \"q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA\"\n\
             [issuer]\nnames = {{ en = \"The Club\" }}\n\n\
             # Signs the cards.\n[signing]\nname = \"cards\"\nformats = [\"dc+sd-jwt\", \"mso_mdoc\"]\n\
             method = \"x5c\"\nkey_file = \"{root}/key.pem\"\nkey_passphrase_file = \"{root}/words\"\n\n\
             [status]\nttl_s = 60\n"
        );
        write_new(&setup.config_file(), &text, 0o600).unwrap();
        setup.authority("ca");
        setup
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn config_file(&self) -> PathBuf {
        self.path("issuer.toml")
    }

    fn config(&self) -> Config {
        load(Some(&self.config_file()), ISSUER_ENVIRONMENT).unwrap()
    }

    fn openssl(&self, arguments: &[&str]) -> String {
        let output = Command::new("openssl")
            .args(arguments)
            .current_dir(self.folder.path())
            .output()
            .expect("openssl is installed by `cargo xtask setup`");
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?}: {errors}");
        String::from_utf8(output.stdout).unwrap() + &errors
    }

    fn authority(&self, name: &str) {
        let (key, pem) = (format!("{name}.key"), format!("{name}.pem"));
        self.openssl(&[
            "ecparam",
            "-name",
            "prime256v1",
            "-genkey",
            "-noout",
            "-out",
            &key,
        ]);
        self.openssl(&[
            "req",
            "-x509",
            "-new",
            "-key",
            &key,
            "-out",
            &pem,
            "-days",
            "1000",
            "-subj",
            "/C=SE/CN=Authority",
            "-addext",
            "basicConstraints=critical,CA:TRUE,pathlen:0",
            "-addext",
            "keyUsage=critical,keyCertSign,cRLSign",
        ]);
    }

    async fn request(&self, subject: Option<&str>) -> String {
        let config = self.config();
        let key = find(&config, None).unwrap();
        let signer = key.config.open(key.table, &config).unwrap();
        let name = subject::parse(subject.unwrap()).unwrap();
        request::request(&config, &key, name, &*signer)
            .await
            .unwrap()
    }

    /// A certificate of the authority for what a request asks.
    fn certify(&self, request: &str, authority: &str, days: &str, output: &str) {
        std::fs::write(self.path("request.pem"), request).unwrap();
        self.openssl(&[
            "x509",
            "-req",
            "-in",
            "request.pem",
            "-CA",
            &format!("{authority}.pem"),
            "-CAkey",
            &format!("{authority}.key"),
            "-CAcreateserial",
            "-days",
            days,
            "-copy_extensions",
            "copyall",
            "-out",
            output,
        ]);
    }

    fn options(&self, key: Option<&str>, chain: &str, from: Option<&str>) -> install::Options {
        install::Options {
            config: self.config_file(),
            key: key.map(str::to_owned),
            chain: self.path(chain),
            authority: self.path("ca.pem"),
            from: from.map(str::to_owned),
        }
    }
}

fn now() -> UnixTime {
    SystemClock.now()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

#[tokio::test]
async fn a_certificate_is_asked_for_installed_and_renewed() {
    let setup = Setup::new();
    let pem = setup.request(Some("CN=The Club,O=The Club,C=SE")).await;
    std::fs::write(setup.path("request.pem"), &pem).unwrap();
    let said = setup.openssl(&["req", "-in", "request.pem", "-noout", "-verify", "-text"]);
    assert!(said.contains("verify OK"), "{said}");
    assert!(
        said.contains("C = SE, O = The Club, CN = The Club"),
        "{said}"
    );
    assert!(
        said.contains("Digital Signature") && said.contains("1.0.18013.5.1.2"),
        "{said}"
    );
    assert!(said.contains("URI:https://issuer.example"), "{said}");

    // The first certificate makes the service start.
    setup.config().signers(now()).unwrap_err();
    setup.certify(&pem, "ca", "90", "first.pem");
    install::install(&setup.options(None, "first.pem", None), now()).unwrap();
    let text = read(&setup.config_file());
    assert!(text.contains("# Signs the cards.") && text.contains("# The issuer of the club."));
    let signing = setup.config().signers(now()).unwrap();
    let leaf = |signing: &vouchsafe_issuer::signing::Signing, at| {
        let key = signing.mdoc.at(at).unwrap();
        key.name.chain().unwrap().leaf_der().to_vec()
    };
    let first = leaf(&signing, now());

    // The next one is planned: the same key, the same subject.
    let renewed = super::certificates(&find(&setup.config(), Some("cards")).unwrap()).unwrap();
    assert_eq!(renewed.unwrap(), read(&setup.path("first.pem")));
    setup.certify(&pem, "ca", "400", "second.pem");
    let from = jiff::Timestamp::from_second(now().0 + 30 * 86_400)
        .unwrap()
        .to_string();
    install::install(
        &setup.options(Some("cards"), "second.pem", Some(&from)),
        now(),
    )
    .unwrap();
    let config = setup.config();
    config.settings().unwrap();
    let signing = config.signers(now()).unwrap();
    let later = now().plus(31 * 86_400);
    assert_eq!(leaf(&signing, now()), first);
    assert_ne!(leaf(&signing, later), first);
    assert_eq!(
        leaf(&config.signers(later).unwrap(), later),
        leaf(&signing, later)
    );
    // Nobody has to be warned of the first one any more.
    let soon = vouchsafe_issuer::expiry::soon(&signing, now().plus(80 * 86_400));
    assert!(soon.is_empty(), "{soon:?}");
    // Two keys: each has a name.
    let names: Vec<String> = config
        .configured_keys()
        .into_iter()
        .map(|key| key.name)
        .collect();
    assert_eq!(names.len(), 2);
    assert!(
        names[0] == "cards" && names[1].starts_with("cards@"),
        "{names:?}"
    );
    assert!(find(&config, None).is_err() && find(&config, Some(&names[1])).is_ok());
}

#[tokio::test]
async fn what_does_not_fit_changes_nothing() {
    let setup = Setup::new();
    let before = read(&setup.config_file());
    let files = || std::fs::read_dir(setup.folder.path()).unwrap().count();
    setup.authority("other");
    let pem = setup.request(Some("CN=The Club,C=SE")).await;
    setup.certify(&pem, "other", "90", "elsewhere.pem");
    setup.certify(&pem, "ca", "800", "long.pem");
    setup.certify(
        &setup.request(Some("CN=The Club,C=NO")).await,
        "ca",
        "90",
        "abroad.pem",
    );
    setup.certify(&pem, "ca", "90", "good.pem");
    setup.openssl(&[
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-keyout",
        "other-key.pem",
        "-out",
        "other-leaf.pem",
        "-subj",
        "/C=SE/CN=Other",
    ]);
    let (count, at) = (files(), now());
    let refused = |chain: &str, from: Option<&str>, at| {
        let result = install::install(&setup.options(None, chain, from), at);
        format!("{:#}", result.err().unwrap())
    };
    assert!(
        refused("elsewhere.pem", None, at).contains("document signer")
            || refused("elsewhere.pem", None, at).contains("SD-JWT")
    );
    assert!(refused("long.pem", None, at).contains("457"));
    assert!(refused("abroad.pem", None, at).contains("document signer"));
    assert!(refused("other-leaf.pem", None, at).contains("another key"));
    assert!(refused("good.pem", None, at.plus(100 * 86_400)).contains("expired"));
    assert!(refused("good.pem", Some("tomorrow"), at).contains("--from"));
    // The only key cannot begin tomorrow: nothing would sign today.
    let tomorrow = jiff::Timestamp::from_second(at.0 + 86_400)
        .unwrap()
        .to_string();
    assert!(refused("good.pem", Some(&tomorrow), at).contains("nothing was changed"));
    assert_eq!(read(&setup.config_file()), before);
    assert_eq!(files(), count);
    // And the good one is still good.
    install::install(&setup.options(None, "good.pem", None), at).unwrap();
    assert_eq!(
        setup
            .config()
            .signers(now())
            .unwrap()
            .sd_jwt
            .at(now())
            .unwrap()
            .signer
            .public_key(),
        setup.key.public_key()
    );
    // A certificate for the same key with another subject is another issuer's.
    let other = setup.request(Some("CN=Another Club,C=SE")).await;
    setup.certify(&other, "ca", "90", "renamed.pem");
    let said = refused("renamed.pem", None, now());
    assert!(said.contains("same subject"), "{said}");
}

#[test]
fn subjects_are_read_as_they_are_written() {
    let name = subject::parse("CN=Smith\\, Jones,O=The Club,C=SE").unwrap();
    let kinds: Vec<_> = name.iter().map(|(_, value)| format!("{value:?}")).collect();
    assert!(
        kinds[0].contains("SE") && kinds[2].contains("Smith, Jones"),
        "{kinds:?}"
    );
    for wrong in ["", "CN", "CN=", "C=Sweden", "CN=a,CN=b", "X=1", "CN=a\\"] {
        assert!(subject::parse(wrong).is_err(), "{wrong}");
    }
}
