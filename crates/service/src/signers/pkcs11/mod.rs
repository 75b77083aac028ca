//! Keys in a PKCS#11 module: an HSM, a smart card, SoftHSM2.
//!
//! Calls into a module block, so they run beside the runtime, each in a session of its own; there
//! are so many sessions and no more. A session that is lost, because the token was taken out or the
//! module started again, is opened anew once. A PIN that was refused is not tried again: a token
//! locks itself after a few.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::eddsa::{EddsaParams, EddsaSignatureScheme};
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;
use tokio::sync::Semaphore;
use vouchsafe_credentials::crypto::{Algorithm, PublicKey, sha256};
use zeroize::Zeroizing;

use super::elsewhere::Elsewhere;
use super::{OpenSignerError, Outcome, Pkcs11Config, checked, public_key, secret_file, timeout};

/// The names of P-256 and Ed25519 in `CKA_EC_PARAMS`, DER (PKCS#11 3.1, sections 6.3.3 and 6.3.5).
const P256: &[u8] = b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";
const ED25519: [&[u8]; 2] = [b"\x13\x0cedwards25519", b"\x06\x03\x2b\x65\x70"];

/// A module is loaded and initialised once for the whole process.
static MODULES: LazyLock<Mutex<BTreeMap<PathBuf, Pkcs11>>> = LazyLock::new(Mutex::default);

pub(super) struct Pkcs11Signer {
    token: Arc<Token>,
    public: PublicKey,
    permits: Arc<Semaphore>,
    timeout: Duration,
}

/// A key of a token, and the sessions that are open.
struct Token {
    module: Pkcs11,
    label: String,
    key: Vec<Attribute>,
    pin: Zeroizing<String>,
    pin_refused: AtomicBool,
    idle: Mutex<Vec<Open>>,
}

/// A session that is logged in, and the key as it is called there.
struct Open {
    session: Session,
    private: ObjectHandle,
}

/// Why a module did not do something.
#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error("no token has the label")]
    NoToken,
    #[error("there is no such key, or more than one")]
    NoKey,
    #[error("the key is not a P-256 or Ed25519 key")]
    KeyKind,
    #[error("the PIN was refused")]
    Pin,
    #[error("what the key signs does not fit its public key")]
    Mismatch,
    #[error("{0}")]
    Module(#[from] Error),
}

impl From<Problem> for OpenSignerError {
    fn from(problem: Problem) -> Self {
        Self::Pkcs11(problem.to_string())
    }
}

fn module(path: &Path) -> Result<Pkcs11, Error> {
    let mut modules = MODULES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(module) = modules.get(path) {
        return Ok(module.clone());
    }
    let module = Pkcs11::new(path)?;
    match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
        Err(error) => return Err(error),
    }
    modules.insert(path.to_owned(), module.clone());
    Ok(module)
}

impl Pkcs11Signer {
    pub(super) fn open(config: &Pkcs11Config) -> Result<Self, OpenSignerError> {
        let Pkcs11Config {
            module: path,
            token,
            key,
            key_id,
            pin_file,
            public_key_file,
            sessions,
            timeout_ms,
        } = config;
        if !(1..=64).contains(sessions) {
            return Err(OpenSignerError::Setting("`sessions` is 1 to 64"));
        }
        let token = Arc::new(Token {
            module: module(path).map_err(Problem::from)?,
            label: token.clone(),
            key: named(key.as_deref(), key_id.as_deref())?,
            pin: secret_file("pkcs11.pin", pin_file)?,
            pin_refused: AtomicBool::new(false),
            idle: Mutex::default(),
        });
        let open = token.session()?;
        let public = match public_key_file {
            Some(path) => public_key(path)?,
            None => token.public_key(&open)?,
        };
        // A public key that is another key's shows here, and not in front of a wallet.
        let message = b"vouchsafe: does the public key fit?";
        let signature = sign(&open, public.algorithm(), message)?;
        checked(&public, message, signature).map_err(|_| Problem::Mismatch)?;
        token.give_back(open);
        Ok(Self {
            token,
            public,
            permits: Arc::new(Semaphore::new(usize::from(*sessions))),
            timeout: timeout(*timeout_ms)?,
        })
    }
}

#[async_trait::async_trait]
impl Elsewhere for Pkcs11Signer {
    const PLACE: &'static str = "pkcs11";

    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    async fn ask(&self, message: &[u8]) -> Result<Vec<u8>, Outcome> {
        let permits = Arc::clone(&self.permits);
        let (token, algorithm) = (Arc::clone(&self.token), self.public.algorithm());
        let message_there = message.to_vec();
        let signing = async move {
            let permit = permits.acquire_owned().await;
            let permit = permit.map_err(|_| Outcome::Unavailable)?;
            let signing = tokio::task::spawn_blocking(move || {
                // A module that hangs keeps its place, and nobody waits for it for ever.
                let _permit = permit;
                token.sign(algorithm, &message_there)
            });
            match signing.await {
                Ok(Ok(signature)) => Ok(signature),
                Ok(Err(problem)) => {
                    tracing::warn!(
                        error = &problem as &dyn std::error::Error,
                        "the PKCS#11 module failed"
                    );
                    Err(match problem {
                        Problem::Pin | Problem::KeyKind | Problem::Mismatch => Outcome::Refused,
                        Problem::NoToken | Problem::NoKey | Problem::Module(_) => {
                            Outcome::Unavailable
                        }
                    })
                }
                Err(_) => Err(Outcome::Unavailable),
            }
        };
        let signature = tokio::time::timeout(self.timeout, signing).await;
        let signature = signature.unwrap_or(Err(Outcome::Unavailable))?;
        checked(&self.public, message, signature)
    }
}

/// What finds a key: its label, its id or both.
fn named(label: Option<&str>, id: Option<&str>) -> Result<Vec<Attribute>, OpenSignerError> {
    let mut named = Vec::new();
    if let Some(label) = label {
        named.push(Attribute::Label(label.as_bytes().to_vec()));
    }
    if let Some(id) = id {
        let id = hex_bytes(id).ok_or(OpenSignerError::Setting("`key_id` is hex"))?;
        named.push(Attribute::Id(id));
    }
    match named.is_empty() {
        true => Err(OpenSignerError::Setting("give `key`, `key_id` or both")),
        false => Ok(named),
    }
}

fn hex_bytes(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|digit| {
            digit
                .to_digit(16)
                .and_then(|digit| u8::try_from(digit).ok())
        })
        .collect();
    let digits = digits.filter(|digits| !digits.is_empty() && digits.len().is_multiple_of(2))?;
    let pairs = digits.chunks_exact(2);
    Some(
        pairs
            .map(|pair| pair.iter().fold(0, |byte, digit| byte * 16 + digit))
            .collect(),
    )
}

impl Token {
    /// Signs, in a session that was lost once more in a new one.
    fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, Problem> {
        if let Some(open) = self.take() {
            match sign(&open, algorithm, message) {
                Ok(signature) => {
                    self.give_back(open);
                    return Ok(signature);
                }
                // Whatever it was, the other sessions may have it too.
                Err(_) => self.forget(),
            }
        }
        let open = self.session()?;
        let signature = sign(&open, algorithm, message)?;
        self.give_back(open);
        Ok(signature)
    }

    fn take(&self) -> Option<Open> {
        self.idle().pop()
    }

    fn give_back(&self, open: Open) {
        self.idle().push(open);
    }

    fn forget(&self) {
        let idle = std::mem::take(&mut *self.idle());
        // Closing what is lost already says so, which is nothing to do about.
        for open in idle {
            let _ = open.session.close();
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Open>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new session, logged in. The token is looked for each time: it may be in another slot.
    fn session(&self) -> Result<Open, Problem> {
        if self.pin_refused.load(Ordering::SeqCst) {
            return Err(Problem::Pin);
        }
        let session = self.module.open_ro_session(self.slot()?)?;
        let pin = AuthPin::new((*self.pin).clone().into());
        match session.login(UserType::User, Some(&pin)) {
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => {}
            Err(Error::Pkcs11(
                RvError::PinIncorrect
                | RvError::PinInvalid
                | RvError::PinLenRange
                | RvError::PinExpired
                | RvError::PinLocked,
                _,
            )) => {
                self.pin_refused.store(true, Ordering::SeqCst);
                return Err(Problem::Pin);
            }
            Err(error) => return Err(error.into()),
        }
        let private = self.find(&session, ObjectClass::PRIVATE_KEY)?;
        Ok(Open { session, private })
    }

    fn slot(&self) -> Result<Slot, Problem> {
        for slot in self.module.get_slots_with_token()? {
            // A slot may lose its token between the two calls.
            let info = self.module.get_token_info(slot);
            if info.is_ok_and(|info| info.label() == self.label) {
                return Ok(slot);
            }
        }
        Err(Problem::NoToken)
    }

    fn find(&self, session: &Session, class: ObjectClass) -> Result<ObjectHandle, Problem> {
        let mut wanted = vec![Attribute::Class(class)];
        wanted.extend(self.key.iter().cloned());
        match session.find_objects(&wanted)?.as_slice() {
            [one] => Ok(*one),
            _ => Err(Problem::NoKey),
        }
    }

    /// The public half, from the object beside the private one.
    fn public_key(&self, open: &Open) -> Result<PublicKey, Problem> {
        let object = self.find(&open.session, ObjectClass::PUBLIC_KEY)?;
        let wanted = [
            AttributeType::KeyType,
            AttributeType::EcParams,
            AttributeType::EcPoint,
        ];
        let (mut kind, mut curve, mut point) = (None, None, None);
        for attribute in open.session.get_attributes(object, &wanted)? {
            match attribute {
                Attribute::KeyType(value) => kind = Some(value),
                Attribute::EcParams(value) => curve = Some(value),
                Attribute::EcPoint(value) => point = Some(value),
                _ => {}
            }
        }
        let (Some(kind), Some(curve), Some(point)) = (kind, curve, point) else {
            return Err(Problem::KeyKind);
        };
        let (point, curve) = (unwrapped(&point), curve.as_slice());
        let key = match kind {
            KeyType::EC if curve == P256 => PublicKey::from_p256_sec1(point),
            KeyType::EC_EDWARDS if ED25519.contains(&curve) => PublicKey::from_ed25519(point),
            _ => return Err(Problem::KeyKind),
        };
        key.map_err(|_| Problem::KeyKind)
    }
}

/// The point without the OCTET STRING around it, which some modules leave away.
fn unwrapped(point: &[u8]) -> &[u8] {
    match point {
        [0x04, length, rest @ ..]
            if usize::from(*length) == rest.len() && matches!(rest.len(), 32 | 33 | 65) =>
        {
            rest
        }
        _ => point,
    }
}

/// PKCS#11 3.1, sections 6.3.12 (`CKM_ECDSA` over a hash: `r || s`) and 6.3.15 (`CKM_EDDSA`).
fn sign(open: &Open, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, Problem> {
    let Open { session, private } = open;
    let signature = match algorithm {
        Algorithm::Es256 => session.sign(&Mechanism::Ecdsa, *private, &sha256(message)),
        Algorithm::EdDsa => {
            let mechanism = Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Pure));
            session.sign(&mechanism, *private, message)
        }
        Algorithm::Es384 | Algorithm::Es512 => return Err(Problem::KeyKind),
    };
    Ok(signature?)
}

#[cfg(test)]
mod tests;
