//! Private keys under a passphrase: PKCS#8 `ENCRYPTED PRIVATE KEY` (RFC 5958, section 3) with
//! PBES2 (RFC 8018, section 6.2).
//!
//! Read: scrypt (RFC 7914) or PBKDF2 with HMAC-SHA-2, and AES-256 in CBC mode. Written: scrypt. What
//! a file may cost is bounded before anything is computed.

use std::path::Path;

use pkcs8::der::Decode as _;
use pkcs8::der::pem::LineEnding;
use pkcs8::pkcs5::EncryptionScheme;
use pkcs8::pkcs5::pbes2::{
    EncryptionScheme as Cipher, Kdf, Parameters, Pbkdf2Prf, Salt, ScryptParams,
};
use pkcs8::{EncryptedPrivateKeyInfoRef, PrivateKeyInfoRef, SecretDocument};
use vouchsafe_credentials::random::{self, Rng};
use zeroize::Zeroizing;

use crate::keys::{KeyError, read_private_file};

/// What an encrypted key begins with.
const BEGIN: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----";
/// Largest text that is read; a key has a few hundred bytes.
const MAX_TEXT: usize = 16 * 1024;
/// Most rounds of PBKDF2.
const MAX_ITERATIONS: u32 = 5_000_000;
/// Most memory of scrypt, in bytes: `128 * N * r`.
const MAX_SCRYPT_MEMORY: u64 = 128 * 1024 * 1024;
/// Most work of scrypt: `N * r * p`.
const MAX_SCRYPT_WORK: u64 = 1 << 20;
/// Shortest passphrase that a key is written with, in characters.
pub const MIN_PASSPHRASE: usize = 12;

/// Why an encrypted key was not read or written. No text contains key or passphrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EncryptedKeyError {
    /// Not PEM, not PKCS#8, too large.
    #[error("not an encrypted private key (PKCS#8 PEM)")]
    Malformed,
    /// Another scheme than PBES2 with scrypt or PBKDF2 over SHA-2, and AES-256-CBC.
    #[error(
        "the key is encrypted in a way that is not supported: use scrypt or PBKDF2, and AES-256-CBC"
    )]
    Unsupported,
    /// Opening it would take too much time or memory.
    #[error("opening the key would cost too much")]
    Cost,
    /// The passphrase is another, or the file was altered.
    #[error("the passphrase does not open the key")]
    Passphrase,
    /// Too short to protect a key.
    #[error("a passphrase has {MIN_PASSPHRASE} characters at least")]
    Short,
}

impl EncryptedKeyError {
    /// Stable code for logs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "encrypted_key_malformed",
            Self::Unsupported => "encrypted_key_unsupported",
            Self::Cost => "encrypted_key_cost",
            Self::Passphrase => "encrypted_key_passphrase",
            Self::Short => "passphrase_short",
        }
    }
}

/// What opens an encrypted key; wiped from memory when dropped, hidden in `Debug`.
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// The text of a file, without the end of its line. Refuses a file that everybody may read.
    pub fn from_file(path: &Path) -> Result<Self, KeyError> {
        let text = read_private_file(path)?;
        let line = text.trim_end_matches(['\r', '\n']);
        Ok(Self(Zeroizing::new(line.to_owned())))
    }

    /// The value of an environment variable; `None` where it is not set or no text.
    pub fn from_environment(name: &str) -> Option<Self> {
        let text = std::env::var(name).ok()?;
        Some(Self(Zeroizing::new(text)))
    }
}

impl From<String> for Passphrase {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl std::fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Passphrase(…)")
    }
}

/// Whether a text is an encrypted key.
pub fn is_encrypted(pem: &str) -> bool {
    pem.trim_start().starts_with(BEGIN)
}

/// Opens an encrypted key; gives PKCS#8 DER.
pub fn decrypt(pem: &str, passphrase: &Passphrase) -> Result<SecretDocument, EncryptedKeyError> {
    if pem.len() > MAX_TEXT {
        return Err(EncryptedKeyError::Malformed);
    }
    let (label, document) =
        SecretDocument::from_pem(pem.trim()).map_err(|_| EncryptedKeyError::Malformed)?;
    if label != "ENCRYPTED PRIVATE KEY" {
        return Err(EncryptedKeyError::Malformed);
    }
    let key = EncryptedPrivateKeyInfoRef::from_der(document.as_bytes())
        .map_err(|_| EncryptedKeyError::Malformed)?;
    check(&key.encryption_algorithm)?;
    let opened = key.decrypt(passphrase.0.as_bytes());
    // A wrong key passes the padding by chance, and is then no DER.
    opened.map_err(|_| EncryptedKeyError::Passphrase)
}

fn check(scheme: &EncryptionScheme) -> Result<(), EncryptedKeyError> {
    let EncryptionScheme::Pbes2(Parameters { kdf, encryption }) = scheme else {
        return Err(EncryptedKeyError::Unsupported);
    };
    if !matches!(encryption, Cipher::Aes256Cbc { .. }) {
        return Err(EncryptedKeyError::Unsupported);
    }
    let affordable = match kdf {
        Kdf::Scrypt(params) => {
            let (r, p): (u64, u64) = (params.block_size.into(), params.parallelization.into());
            // RFC 7914, section 2: N is a power of two, larger than 1.
            if !params.cost_parameter.is_power_of_two() || params.cost_parameter < 2 || r * p == 0 {
                return Err(EncryptedKeyError::Malformed);
            }
            let rows = params.cost_parameter.checked_mul(r);
            let memory = rows.and_then(|rows| rows.checked_mul(128));
            let work = rows.and_then(|rows| rows.checked_mul(p));
            memory.is_some_and(|memory| memory <= MAX_SCRYPT_MEMORY)
                && work.is_some_and(|work| work <= MAX_SCRYPT_WORK)
        }
        Kdf::Pbkdf2(params) if params.prf == Pbkdf2Prf::HmacWithSha1 => {
            return Err(EncryptedKeyError::Unsupported);
        }
        Kdf::Pbkdf2(params) if params.iteration_count == 0 => {
            return Err(EncryptedKeyError::Malformed);
        }
        Kdf::Pbkdf2(params) => params.iteration_count <= MAX_ITERATIONS,
        _ => return Err(EncryptedKeyError::Unsupported),
    };
    affordable.then_some(()).ok_or(EncryptedKeyError::Cost)
}

/// Encrypts a key (PKCS#8 DER) under a passphrase; gives PEM that OpenSSL reads too.
pub fn encrypt(
    pkcs8_der: &[u8],
    passphrase: &Passphrase,
    rng: &dyn Rng,
) -> Result<Zeroizing<String>, EncryptedKeyError> {
    if passphrase.0.chars().count() < MIN_PASSPHRASE {
        return Err(EncryptedKeyError::Short);
    }
    let malformed = |_| EncryptedKeyError::Malformed;
    let key = PrivateKeyInfoRef::from_der(pkcs8_der).map_err(malformed)?;
    let salt = random::bytes::<16>(rng);
    let parameters = Parameters {
        // OWASP's cost for the memory that OpenSSL allows when it reads a key (32 MiB).
        kdf: Kdf::Scrypt(ScryptParams {
            salt: Salt::new(salt).map_err(malformed)?,
            cost_parameter: 1 << 14,
            block_size: 8,
            parallelization: 5,
            key_length: None,
        }),
        encryption: Cipher::Aes256Cbc {
            iv: random::bytes(rng),
        },
    };
    let sealed = key.encrypt_with_params(parameters, passphrase.0.as_bytes());
    let sealed = sealed.map_err(|_| EncryptedKeyError::Unsupported)?;
    sealed
        .to_pem("ENCRYPTED PRIVATE KEY", LineEnding::LF)
        .map_err(malformed)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use vouchsafe_credentials::crypto::{Algorithm, Signer as _, SigningKey};

    use super::*;
    use crate::random::OsRandom;

    const WORDS: &str = "correct horse battery staple";

    fn passphrase() -> Passphrase {
        WORDS.to_owned().into()
    }

    fn key(algorithm: Algorithm) -> SigningKey {
        SigningKey::generate(algorithm, &OsRandom)
    }

    fn openssl(arguments: &[&str], input: &str) -> (bool, String) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("in.pem");
        std::fs::write(&file, input).unwrap();
        let output = Command::new("openssl")
            .args(arguments)
            .arg("-in")
            .arg(&file)
            .env("WORDS", WORDS)
            .output()
            .expect("openssl is installed by `cargo xtask setup`");
        let text = String::from_utf8(output.stdout).unwrap();
        (output.status.success(), text)
    }

    #[test]
    fn openssl_reads_what_we_write() {
        for algorithm in [Algorithm::Es256, Algorithm::EdDsa] {
            let key = key(algorithm);
            let pem = encrypt(&key.to_pkcs8_der(), &passphrase(), &OsRandom).unwrap();
            assert!(is_encrypted(&pem) && !pem.contains("BEGIN PRIVATE KEY"));
            let (good, plain) = openssl(&["pkey", "-passin", "env:WORDS"], &pem);
            assert!(good);
            let read = SigningKey::from_pkcs8_pem(&plain).unwrap();
            assert_eq!(read.public_key(), key.public_key());
            assert!(!openssl(&["pkey", "-passin", "pass:another one entirely"], &pem).0);
        }
    }

    #[test]
    fn we_read_what_openssl_writes() {
        let to = ["pkcs8", "-topk8", "-passout", "env:WORDS"];
        for more in [
            &["-v2", "aes-256-cbc"][..],
            &[
                "-v2",
                "aes-256-cbc",
                "-v2prf",
                "hmacWithSHA512",
                "-iter",
                "10000",
            ],
            &["-scrypt"],
        ] {
            let key = key(Algorithm::Es256);
            let (good, pem) = openssl(&[&to[..], more].concat(), &key.to_pkcs8_pem());
            assert!(good && is_encrypted(&pem), "{more:?}");
            let der = decrypt(&pem, &passphrase()).unwrap();
            let read = SigningKey::from_pkcs8_der(der.as_bytes()).unwrap();
            assert_eq!(read.public_key(), key.public_key());
        }
    }

    #[test]
    fn old_ciphers_and_hashes_are_refused() {
        let to = ["pkcs8", "-topk8", "-passout", "env:WORDS"];
        for more in [
            &["-v2", "aes-128-cbc"][..],
            &["-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA1"],
            &["-v2", "des3"],
        ] {
            let (good, pem) = openssl(
                &[&to[..], more].concat(),
                &key(Algorithm::Es256).to_pkcs8_pem(),
            );
            assert!(good, "{more:?}");
            let error = decrypt(&pem, &passphrase()).unwrap_err();
            assert!(
                matches!(
                    error,
                    EncryptedKeyError::Unsupported | EncryptedKeyError::Malformed
                ),
                "{more:?}: {error:?}"
            );
        }
    }

    #[test]
    fn another_passphrase_an_altered_file_and_other_texts_are_refused() {
        let key = key(Algorithm::EdDsa);
        let pem = encrypt(&key.to_pkcs8_der(), &passphrase(), &OsRandom).unwrap();
        let wrong = "correct horse battery stable".to_owned().into();
        assert_eq!(
            decrypt(&pem, &wrong).unwrap_err(),
            EncryptedKeyError::Passphrase
        );
        let plain = key.to_pkcs8_pem();
        assert!(!is_encrypted(&plain));
        for text in [&*plain, "", BEGIN, &"x".repeat(MAX_TEXT + 1)] {
            let error = decrypt(text, &passphrase()).unwrap_err();
            assert_eq!(error, EncryptedKeyError::Malformed);
        }
        let short = "eleven char".to_owned().into();
        let error = encrypt(&key.to_pkcs8_der(), &short, &OsRandom).unwrap_err();
        assert_eq!(error, EncryptedKeyError::Short);
        assert_eq!(format!("{:?}", passphrase()), "Passphrase(…)");
    }

    /// A hostile file does not keep the program busy, nor take its memory.
    #[test]
    fn what_a_file_costs_is_bounded() {
        let salt = || Salt::new(*b"0123456789abcdef").unwrap();
        let scrypt = |cost_parameter, block_size, parallelization| {
            Kdf::Scrypt(ScryptParams {
                salt: salt(),
                cost_parameter,
                block_size,
                parallelization,
                key_length: None,
            })
        };
        let pbkdf2 = |iteration_count| {
            Kdf::Pbkdf2(pkcs8::pkcs5::pbes2::Pbkdf2Params {
                salt: salt(),
                iteration_count,
                key_length: None,
                prf: Pbkdf2Prf::HmacWithSha256,
            })
        };
        let encryption = Cipher::Aes256Cbc { iv: [0; 16] };
        let checked = |kdf| check(&EncryptionScheme::Pbes2(Parameters { kdf, encryption }));
        for good in [
            scrypt(1 << 17, 8, 1),
            scrypt(1 << 14, 8, 8),
            pbkdf2(MAX_ITERATIONS),
        ] {
            assert_eq!(checked(good), Ok(()));
        }
        for dear in [
            scrypt(1 << 18, 8, 1),
            scrypt(1 << 14, 8, 9),
            scrypt(1 << 63, u16::MAX, u16::MAX),
            scrypt(2, u16::MAX, u16::MAX),
            pbkdf2(MAX_ITERATIONS + 1),
            pbkdf2(u32::MAX),
        ] {
            assert_eq!(checked(dear), Err(EncryptedKeyError::Cost));
        }
        for absurd in [
            scrypt(0, 8, 1),
            scrypt(1, 8, 1),
            scrypt(3, 8, 1),
            scrypt(1 << 14, 0, 1),
            scrypt(1 << 14, 8, 0),
            pbkdf2(0),
        ] {
            assert_eq!(checked(absurd), Err(EncryptedKeyError::Malformed));
        }
    }
}
