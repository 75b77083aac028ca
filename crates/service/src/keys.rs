//! Keys from configuration: symmetric keys derived from one master secret, private keys in PEM.

use std::path::{Path, PathBuf};

use hkdf::Hkdf;
use sha2::Sha256;
use vouchsafe_credentials::encoding::b64url_decode;
use zeroize::Zeroizing;

/// Why a key could not be loaded. No text contains key material.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Both or neither of value and file were given.
    #[error("{name}: give either the value or the file, not both and not neither")]
    Source {
        /// Name of the setting.
        name: &'static str,
    },
    /// The file cannot be read.
    #[error("{path}: the key file cannot be read")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Others than the owner and the group may read the file.
    #[error("{path}: the key file is readable by everybody; use mode 0600 or 0640")]
    Exposed {
        /// The file.
        path: PathBuf,
    },
    /// The master secret is too short or not base64url.
    #[error("the master secret must be at least 32 random bytes in base64url without padding")]
    Master,
    /// The master secret is an example or has no entropy.
    #[error("the master secret is a known default; make one with `vouchsafe config generate`")]
    KnownDefault,
    /// The text is not a private key of a kind that is supported here.
    #[error("not a private key of the expected kind")]
    PrivateKey,
}

/// A secret text given by value or by file.
pub fn secret_text(
    name: &'static str,
    value: Option<&str>,
    file: Option<&Path>,
) -> Result<Zeroizing<String>, KeyError> {
    match (value, file) {
        (Some(value), None) => Ok(Zeroizing::new(value.trim().to_owned())),
        (None, Some(path)) => {
            let text = read_private_file(path)?;
            Ok(Zeroizing::new(text.trim().to_owned()))
        }
        (Some(_), Some(_)) | (None, None) => Err(KeyError::Source { name }),
    }
}

/// Reads a file with a secret; refuses one that everybody may read.
pub fn read_private_file(path: &Path) -> Result<Zeroizing<String>, KeyError> {
    let unreadable = |source| KeyError::Unreadable {
        path: path.to_owned(),
        source,
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(path)
            .map_err(unreadable)?
            .permissions()
            .mode();
        if mode & 0o007 != 0 {
            return Err(KeyError::Exposed {
                path: path.to_owned(),
            });
        }
    }
    std::fs::read_to_string(path)
        .map(Zeroizing::new)
        .map_err(unreadable)
}

/// What a derived key is for. Two purposes never share a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Sealing columns of the database.
    Sealing,
    /// Pairwise subjects.
    Pairwise,
    /// Matching bindings of a subject without storing the claim.
    Binding,
    /// Authenticating cookies.
    Cookie,
    /// The stateless `c_nonce`.
    CredentialNonce,
    /// Tokens against cross-site request forgery.
    Csrf,
    /// Flow state that travels in a URL or a cookie.
    FlowState,
    /// The chain of the audit log.
    Audit,
    /// The private keys that open encrypted requests.
    RequestEncryption,
}

impl Purpose {
    fn label(self) -> &'static str {
        match self {
            Self::Sealing => "sealing",
            Self::Pairwise => "pairwise",
            Self::Binding => "binding",
            Self::Cookie => "cookie",
            Self::CredentialNonce => "c_nonce",
            Self::Csrf => "csrf",
            Self::FlowState => "flow_state",
            Self::Audit => "audit",
            Self::RequestEncryption => "request_encryption",
        }
    }
}

/// A 256-bit key for one purpose; wiped from memory when dropped.
#[derive(Clone)]
pub struct SymmetricKey(Zeroizing<[u8; 32]>);

impl SymmetricKey {
    /// The key itself, for a MAC or a derivation.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// A key that was derived elsewhere and kept: it came with an export.
    pub fn kept(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// A key derived from an access token: without the token, the database alone opens nothing.
    pub fn from_token(purpose: &str, token: &str) -> Self {
        derive(token.as_bytes(), &["vouchsafe", "token", purpose])
    }

    /// A key for one use of this key (a tenant, a client, a channel).
    pub fn child(&self, label: &str) -> Self {
        derive(self.expose(), &["vouchsafe", "child", label])
    }
}

impl std::fmt::Debug for SymmetricKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SymmetricKey(…)")
    }
}

/// The one master secret of a service, from which every symmetric key is derived.
#[derive(Clone)]
pub struct MasterSecret(Zeroizing<Vec<u8>>);

impl MasterSecret {
    /// Parses at least 32 bytes in base64url; refuses repeated bytes and counting sequences.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let bytes = Zeroizing::new(b64url_decode(text).map_err(|_| KeyError::Master)?);
        Self::from_bytes(&bytes)
    }

    /// From raw bytes; the same rules.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        if bytes.len() < 32 {
            return Err(KeyError::Master);
        }
        let steps = |pair: &[u8]| pair[1].wrapping_sub(pair[0]);
        let first = steps(&bytes[..2]);
        if bytes.windows(2).all(|pair| steps(pair) == first) {
            return Err(KeyError::KnownDefault);
        }
        Ok(Self(Zeroizing::new(bytes.to_vec())))
    }

    /// The key for one purpose.
    pub fn derive(&self, purpose: Purpose) -> SymmetricKey {
        derive(&self.0, &["vouchsafe", "master", purpose.label()])
    }
}

impl std::fmt::Debug for MasterSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterSecret(…)")
    }
}

/// HKDF-SHA-256 (RFC 5869) without salt: the input has full entropy. The labels are
/// length-prefixed.
fn derive(input: &[u8], labels: &[&str]) -> SymmetricKey {
    let mut info = Vec::new();
    for label in labels {
        info.extend_from_slice(&(label.len() as u64).to_be_bytes());
        info.extend_from_slice(label.as_bytes());
    }
    let mut key = Zeroizing::new([0u8; 32]);
    Hkdf::<Sha256>::new(None, input)
        .expand(&info, key.as_mut())
        .expect("32 bytes are less than 255 blocks of SHA-256");
    SymmetricKey(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA";

    #[test]
    fn the_master_secret_must_be_long_and_random() {
        assert!(MasterSecret::parse(GOOD).is_ok());
        for short in ["", "q83v", &GOOD[..42], "not base64url!"] {
            assert!(
                matches!(MasterSecret::parse(short), Err(KeyError::Master)),
                "{short}"
            );
        }
        let counting: Vec<u8> = (0..32).collect();
        for known in [[0u8; 32].as_slice(), &[0x61; 40], &counting] {
            assert!(matches!(
                MasterSecret::from_bytes(known),
                Err(KeyError::KnownDefault)
            ));
        }
    }

    #[test]
    fn keys_of_different_purposes_differ() {
        let master = MasterSecret::parse(GOOD).unwrap();
        let purposes = [
            Purpose::Sealing,
            Purpose::Pairwise,
            Purpose::Binding,
            Purpose::Cookie,
            Purpose::CredentialNonce,
            Purpose::Csrf,
            Purpose::FlowState,
            Purpose::Audit,
            Purpose::RequestEncryption,
        ];
        let keys: std::collections::HashSet<[u8; 32]> = purposes
            .iter()
            .map(|purpose| *master.derive(*purpose).expose())
            .collect();
        assert_eq!(keys.len(), purposes.len());
        let key = master.derive(Purpose::Cookie);
        assert_eq!(key.expose(), master.derive(Purpose::Cookie).expose());
        assert_ne!(key.child("a").expose(), key.child("b").expose());
        assert_ne!(key.child("a").expose(), key.expose());
        assert!(!format!("{key:?} {master:?}").contains("[1"));
    }

    #[cfg(unix)]
    #[test]
    fn a_key_file_that_everybody_may_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        std::fs::write(&path, format!("{GOOD}\n")).unwrap();
        for (mode, good) in [(0o600, true), (0o640, true), (0o644, false), (0o602, false)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let text = secret_text("keys.secret", None, Some(&path));
            match good {
                true => assert_eq!(text.unwrap().as_str(), GOOD),
                false => assert!(matches!(text, Err(KeyError::Exposed { .. })), "{mode:o}"),
            }
        }
        let both = secret_text("keys.secret", Some(GOOD), Some(&path));
        assert!(matches!(both, Err(KeyError::Source { .. })));
        assert!(matches!(
            secret_text("keys.secret", None, None),
            Err(KeyError::Source { .. })
        ));
        let missing = secret_text("keys.secret", None, Some(&folder.path().join("nothing")));
        assert!(matches!(missing, Err(KeyError::Unreadable { .. })));
    }
}
