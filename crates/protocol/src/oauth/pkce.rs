//! Proof Key for Code Exchange, RFC 7636, S256 only.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use vouchsafe_credentials::encoding::{b64url, b64url_decode};
use vouchsafe_credentials::random::{Rng, token};
use zeroize::Zeroizing;

use super::error::{ErrorCode, OAuthError};

/// What a client's registration asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PkceRule {
    /// Every code needs a challenge.
    #[default]
    Required,
    /// A confidential client may send neither challenge nor verifier (registered `pkce = "optional"`).
    OptionalForConfidential,
}

/// Why PKCE failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PkceError {
    /// No challenge though the client must send one.
    #[error("code_challenge is missing")]
    ChallengeMissing,
    /// `plain`, an unknown method, or none named (which means `plain`, RFC 7636, section 4.3).
    #[error("code_challenge_method is not S256")]
    Method,
    /// A method without a challenge.
    #[error("code_challenge_method without code_challenge")]
    MethodAlone,
    /// The challenge is not 32 bytes in base64url.
    #[error("code_challenge is malformed")]
    Challenge,
    /// The code was bound to a challenge and no verifier came.
    #[error("code_verifier is missing")]
    VerifierMissing,
    /// A verifier though the code was bound to no challenge (downgrade).
    #[error("code_verifier without code_challenge")]
    VerifierAlone,
    /// The verifier is malformed or belongs to another challenge.
    #[error("code_verifier does not match")]
    Mismatch,
}

impl From<PkceError> for OAuthError {
    fn from(error: PkceError) -> Self {
        // RFC 7636, section 4.4.1 (authorization endpoint) and 4.6 (token endpoint).
        match error {
            PkceError::ChallengeMissing => Self::invalid_request("code_challenge is required"),
            PkceError::Method => Self::invalid_request("code_challenge_method must be S256"),
            PkceError::MethodAlone => {
                Self::invalid_request("code_challenge_method without code_challenge")
            }
            PkceError::Challenge => Self::invalid_request("code_challenge is malformed"),
            PkceError::VerifierMissing | PkceError::VerifierAlone | PkceError::Mismatch => {
                ErrorCode::InvalidGrant.into()
            }
        }
    }
}

/// SHA-256 of the verifier, as the authorization request carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeChallenge(String);

impl CodeChallenge {
    /// Reads a stored or received challenge.
    ///
    /// # Errors
    /// [`PkceError::Challenge`] unless it is 32 bytes in base64url.
    pub fn parse(text: &str) -> Result<Self, PkceError> {
        match b64url_decode(text) {
            Ok(bytes) if bytes.len() == 32 => Ok(Self(text.to_owned())),
            Ok(_) | Err(_) => Err(PkceError::Challenge),
        }
    }

    /// Reads `code_challenge` and `code_challenge_method` of an authorization request.
    ///
    /// # Errors
    /// [`PkceError`]; `plain` and a missing method always fail (catalogue 241, 356).
    pub fn from_request(
        rule: PkceRule,
        challenge: Option<&str>,
        method: Option<&str>,
    ) -> Result<Option<Self>, PkceError> {
        match (challenge, method, rule) {
            (Some(challenge), Some("S256"), _) => Self::parse(challenge).map(Some),
            (Some(_), _, _) => Err(PkceError::Method),
            (None, Some(_), _) => Err(PkceError::MethodAlone),
            (None, None, PkceRule::OptionalForConfidential) => Ok(None),
            (None, None, PkceRule::Required) => Err(PkceError::ChallengeMissing),
        }
    }

    /// Text for the wire and the store.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Compares what the token request proves with what the code is bound to.
///
/// # Errors
/// [`PkceError`]; a verifier without a challenge and a challenge without a verifier fail (catalogue 356).
pub fn verify(bound: Option<&CodeChallenge>, verifier: Option<&str>) -> Result<(), PkceError> {
    match (bound, verifier) {
        (Some(challenge), Some(verifier)) => {
            let answer = CodeVerifier::parse(verifier)?.challenge();
            let equal: bool = answer.0.as_bytes().ct_eq(challenge.0.as_bytes()).into();
            if equal {
                Ok(())
            } else {
                Err(PkceError::Mismatch)
            }
        }
        (Some(_), None) => Err(PkceError::VerifierMissing),
        (None, Some(_)) => Err(PkceError::VerifierAlone),
        (None, None) => Ok(()),
    }
}

/// The secret a client keeps between the authorization and the token request.
#[derive(Clone)]
pub struct CodeVerifier(Zeroizing<String>);

impl std::fmt::Debug for CodeVerifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CodeVerifier")
    }
}

impl CodeVerifier {
    /// A fresh verifier of 256 bits (43 characters).
    #[must_use]
    pub fn generate(rng: &dyn Rng) -> Self {
        Self(Zeroizing::new(token(rng)))
    }

    /// Reads a verifier: 43 to 128 unreserved characters (RFC 7636, section 4.1).
    ///
    /// # Errors
    /// [`PkceError::Mismatch`]: a malformed verifier can match nothing.
    pub fn parse(text: &str) -> Result<Self, PkceError> {
        let unreserved = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        if (43..=128).contains(&text.len()) && text.bytes().all(unreserved) {
            Ok(Self(Zeroizing::new(text.to_owned())))
        } else {
            Err(PkceError::Mismatch)
        }
    }

    /// The S256 challenge.
    #[must_use]
    pub fn challenge(&self) -> CodeChallenge {
        CodeChallenge(b64url(&Sha256::digest(self.0.as_bytes())))
    }

    /// The secret, for the token request.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn rfc_7636_appendix_b() {
        assert_eq!(
            CodeVerifier::parse(VERIFIER).unwrap().challenge().as_str(),
            CHALLENGE
        );
        let bound = CodeChallenge::from_request(PkceRule::Required, Some(CHALLENGE), Some("S256"))
            .unwrap()
            .unwrap();
        assert_eq!(verify(Some(&bound), Some(VERIFIER)), Ok(()));
    }

    #[test]
    fn cat_356_pkce_absent_plain_or_stripped() {
        let parse = CodeChallenge::from_request;
        assert_eq!(
            parse(PkceRule::Required, None, None),
            Err(PkceError::ChallengeMissing)
        );
        for rule in [PkceRule::Required, PkceRule::OptionalForConfidential] {
            for method in [None, Some("plain"), Some("s256"), Some("S512")] {
                assert_eq!(parse(rule, Some(CHALLENGE), method), Err(PkceError::Method));
            }
            assert_eq!(parse(rule, None, Some("S256")), Err(PkceError::MethodAlone));
            assert_eq!(
                parse(rule, Some("short"), Some("S256")),
                Err(PkceError::Challenge)
            );
        }
        assert_eq!(
            parse(PkceRule::OptionalForConfidential, None, None),
            Ok(None)
        );
        assert_eq!(verify(None, Some(VERIFIER)), Err(PkceError::VerifierAlone));
        let bound = CodeChallenge::parse(CHALLENGE).unwrap();
        assert_eq!(verify(Some(&bound), None), Err(PkceError::VerifierMissing));
        assert_eq!(verify(None, None), Ok(()));
    }

    #[test]
    fn cat_241_wrong_verifier() {
        let bound = CodeChallenge::parse(CHALLENGE).unwrap();
        let other = VERIFIER.replace('d', "e");
        for wrong in [
            other.as_str(),
            "short",
            CHALLENGE,
            &"a".repeat(129),
            &"\u{e9}".repeat(43),
        ] {
            assert_eq!(verify(Some(&bound), Some(wrong)), Err(PkceError::Mismatch));
        }
        assert_eq!(
            OAuthError::from(PkceError::Mismatch).code,
            ErrorCode::InvalidGrant
        );
        assert_eq!(
            OAuthError::from(PkceError::Method).code,
            ErrorCode::InvalidRequest
        );
    }
}
