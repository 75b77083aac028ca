//! Against SoftHSM2, in a token folder of the test. The module reads its configuration from the
//! environment when it is loaded, so each step is a process of its own.

use std::path::Path;
use std::process::Command;

use cryptoki::session::UserType;
use tokio::task::JoinSet;
use vouchsafe_credentials::crypto::CryptoProvider as _;

use super::*;
use crate::signers::elsewhere::Asked;
use crate::signers::{AwsLc, Signer as _, is_unavailable};

const MODULES: [&str; 3] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
];
const PIN: &str = "648219";
const CURVE_ED25519: &[u8] = ED25519[0];

fn library() -> &'static str {
    let found = MODULES.into_iter().find(|path| Path::new(path).exists());
    found.expect("softhsm2 is installed by `cargo xtask setup`")
}

fn step(folder: &Path, name: &str) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--ignored", "--nocapture"])
        .arg(format!("signers::pkcs11::tests::{name}"))
        .env("SOFTHSM2_CONF", folder.join("softhsm2.conf"))
        .env("TOKEN_FOLDER", folder)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(text.contains("1 passed"), "{text}");
}

#[test]
fn a_token_signs_loses_its_sessions_and_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let tokens = folder.path().join("tokens");
    std::fs::create_dir(&tokens).unwrap();
    let text = format!(
        "directories.tokendir = {}\nlog.level = ERROR\n",
        tokens.display()
    );
    std::fs::write(folder.path().join("softhsm2.conf"), text).unwrap();
    let made = Command::new("softhsm2-util")
        .args([
            "--init-token",
            "--free",
            "--label",
            "cards",
            "--so-pin",
            "73120458",
            "--pin",
            PIN,
        ])
        .env("SOFTHSM2_CONF", folder.path().join("softhsm2.conf"))
        .output()
        .expect("softhsm2 is installed by `cargo xtask setup`");
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    let pin = folder.path().join("pin.txt");
    std::fs::write(&pin, PIN).unwrap();
    private(&pin);
    for name in [
        "step_1_keys_are_made_and_sign",
        "step_2_after_a_restart",
        "step_3_a_wrong_pin",
    ] {
        step(folder.path(), name);
    }
}

fn private(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

fn folder() -> PathBuf {
    std::env::var_os("TOKEN_FOLDER")
        .expect("set by the test")
        .into()
}

fn config(key: &str) -> Pkcs11Config {
    Pkcs11Config {
        module: library().into(),
        token: "cards".into(),
        key: Some(key.into()),
        key_id: None,
        pin_file: folder().join("pin.txt"),
        public_key_file: None,
        sessions: 4,
        timeout_ms: 10_000,
    }
}

fn generate(label: &str, mechanism: &Mechanism<'_>, curve: &[u8]) {
    let module = module(Path::new(library())).unwrap();
    let slots = module.get_slots_with_initialized_token().unwrap();
    let session = module.open_rw_session(slots[0]).unwrap();
    session
        .login(UserType::User, Some(&AuthPin::new(PIN.into())))
        .unwrap();
    let names = [
        Attribute::Label(label.into()),
        Attribute::Id(vec![0xa1, 0x07]),
    ];
    let public = [
        &names[..],
        &[
            Attribute::Token(true),
            Attribute::Private(false),
            Attribute::Verify(true),
            Attribute::EcParams(curve.to_vec()),
        ],
    ];
    let private = [&names[..], &[Attribute::Token(true), Attribute::Sign(true)]];
    session
        .generate_key_pair(mechanism, &public.concat(), &private.concat())
        .unwrap();
}

fn opened(config: &Pkcs11Config) -> Asked<Pkcs11Signer> {
    Asked::new(Pkcs11Signer::open(config).unwrap())
}

async fn signs(signer: &Asked<Pkcs11Signer>) {
    let signature = signer.sign(b"a message").await.unwrap();
    assert_eq!(signature.len(), 64);
    AwsLc
        .verify(signer.public_key(), b"a message", &signature)
        .unwrap();
    assert!(
        AwsLc
            .verify(signer.public_key(), b"another", &signature)
            .is_err()
    );
}

/// The module is ended and begun again, as a token that is taken out and put back.
fn replug(signer: &Asked<Pkcs11Signer>, between: impl FnOnce()) {
    signer.key.token.module.clone().finalize().unwrap();
    between();
    let flags = CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK);
    signer.key.token.module.initialize(flags).unwrap();
}

#[tokio::test]
#[ignore = "a step of a_token_signs_loses_its_sessions_and_survives_a_restart"]
async fn step_1_keys_are_made_and_sign() {
    generate("p256", &Mechanism::EccKeyPairGen, P256);
    generate("ed25519", &Mechanism::EccEdwardsKeyPairGen, CURVE_ED25519);
    for (key, algorithm) in [("p256", Algorithm::Es256), ("ed25519", Algorithm::EdDsa)] {
        let signer = Arc::new(opened(&config(key)));
        assert_eq!(signer.algorithm(), algorithm);
        signs(&signer).await;
        let mut many = JoinSet::new();
        for number in 0..100u32 {
            let signer = Arc::clone(&signer);
            many.spawn(async move {
                let message = number.to_be_bytes();
                let signature = signer.sign(&message).await.unwrap();
                AwsLc
                    .verify(signer.public_key(), &message, &signature)
                    .unwrap();
            });
        }
        assert_eq!(many.join_all().await.len(), 100);
        // As many sessions as are allowed, whoever asked.
        let idle = signer.key.token.idle().len();
        assert!((1..=4).contains(&idle), "{idle}");

        // All sessions are lost.
        replug(&signer, || {});
        signs(&signer).await;
        // The token is out: nobody signs, and nobody is locked out when it is back.
        let (tokens, away) = (folder().join("tokens"), folder().join("away"));
        replug(&signer, || {
            std::fs::rename(&tokens, &away).unwrap();
            std::fs::create_dir(&tokens).unwrap();
        });
        let error = signer.sign(b"a message").await.unwrap_err();
        assert!(is_unavailable(&error));
        replug(&signer, || {
            std::fs::remove_dir_all(&tokens).unwrap();
            std::fs::rename(&away, &tokens).unwrap();
        });
        signs(&signer).await;
        std::fs::write(folder().join(key), signer.public_key().thumbprint()).unwrap();
    }
}

#[tokio::test]
#[ignore = "a step of a_token_signs_loses_its_sessions_and_survives_a_restart"]
async fn step_2_after_a_restart() {
    for key in ["p256", "ed25519"] {
        let mut named = config(key);
        named.key_id = Some("A107".into());
        let signer = opened(&named);
        let before = std::fs::read_to_string(folder().join(key)).unwrap();
        assert_eq!(signer.public_key().thumbprint(), before);
        signs(&signer).await;
    }
    let refused = |config: &Pkcs11Config| Pkcs11Signer::open(config).err().unwrap().to_string();
    assert!(refused(&config("other")).contains("no such key"));
    // Both keys have the id.
    let mut both = config("p256");
    (both.key, both.key_id) = (None, Some("a107".into()));
    assert!(refused(&both).contains("more than one"));
    for odd in ["a10", "", "xy"] {
        both.key_id = Some(odd.into());
        assert!(refused(&both).contains("hex"));
    }
    both.key_id = None;
    assert!(refused(&both).contains("`key_id`"));
    let mut elsewhere = config("p256");
    elsewhere.token = "others".into();
    assert!(refused(&elsewhere).contains("no token"));
    let mut absent = config("p256");
    absent.module = "/nowhere/module.so".into();
    assert!(refused(&absent).contains("PKCS#11"));
    for sessions in [0, 65] {
        let mut many = config("p256");
        many.sessions = sessions;
        assert!(refused(&many).contains("sessions"));
    }
    // The public key of another key.
    let other = SigningKeyPem::write(&folder().join("other.pem"));
    let mut mixed = config("p256");
    mixed.public_key_file = Some(other);
    assert!(refused(&mixed).contains("does not fit"));
}

struct SigningKeyPem;

impl SigningKeyPem {
    fn write(path: &Path) -> PathBuf {
        let key = rcgen::KeyPair::generate().unwrap();
        std::fs::write(path, rcgen::PublicKeyData::subject_public_key_info(&key)).unwrap();
        let der = std::fs::read(path).unwrap();
        let pem = pkcs8::Document::try_from(der).unwrap();
        let pem = pem.to_pem("PUBLIC KEY", pkcs8::LineEnding::LF).unwrap();
        std::fs::write(path, pem).unwrap();
        path.to_owned()
    }
}

#[tokio::test]
#[ignore = "a step of a_token_signs_loses_its_sessions_and_survives_a_restart"]
async fn step_3_a_wrong_pin() {
    let good = Pkcs11Signer::open(&config("p256")).unwrap();
    drop(good);
    let wrong = folder().join("wrong.txt");
    std::fs::write(&wrong, "000000").unwrap();
    private(&wrong);
    let mut config = config("p256");
    config.pin_file = wrong;
    let token = Token {
        module: module(Path::new(library())).unwrap(),
        label: config.token.clone(),
        key: named(Some("p256"), None).unwrap(),
        pin: Zeroizing::new("000000".into()),
        pin_refused: AtomicBool::new(false),
        idle: Mutex::default(),
    };
    assert!(matches!(token.session(), Err(Problem::Pin)));
    // The second time the token is not asked.
    assert!(token.pin_refused.load(Ordering::SeqCst));
    assert!(matches!(
        token.sign(Algorithm::Es256, b"m"),
        Err(Problem::Pin)
    ));
    let error = Pkcs11Signer::open(&config).err().unwrap();
    assert!(error.to_string().contains("PIN"));
}
