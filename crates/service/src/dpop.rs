//! DPoP (RFC 9449) as both authorization servers take it: proofs at an endpoint and beside an
//! access token, each good for one request, and what answers say about them.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use url::Url;
use vouchsafe_credentials::crypto::{Algorithm, CryptoProvider};
use vouchsafe_credentials::jws::JwsError;
use vouchsafe_credentials::random::Rng;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_protocol::http::{Headers, Method};
use vouchsafe_protocol::oauth::access_token::{PresentedToken, challenge};
use vouchsafe_protocol::oauth::dpop::{self, DpopError, Expected, VerifiedProof};
use vouchsafe_protocol::oauth::token::TokenType;
use vouchsafe_protocol::oauth::{ErrorCode, OAuthError, ServerNonces};

use crate::db::{Db, DbError, Tx};
use crate::jti::{self, Identifier, IdentifierKind};

/// Algorithms of proofs that are verified here, for metadata and challenges.
pub const ALGORITHMS: [&str; 5] = Algorithm::ALL_NAMES;

const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// An endpoint that takes proofs.
pub struct Endpoint<'a> {
    /// Method of the request.
    pub method: Method,
    /// Its address, from configuration, never from the Host header (catalogue 119).
    pub url: Url,
    /// Nonces of which a proof must carry one, `None` where none is asked for.
    pub nonces: Option<&'a ServerNonces>,
    /// Algorithms of those who may ask.
    pub algorithms: &'a [Algorithm],
    /// Verifies.
    pub crypto: &'a dyn CryptoProvider,
    /// The time now.
    pub now: UnixTime,
}

impl std::fmt::Debug for Endpoint<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint")
            .field("url", &self.url.as_str())
            .finish_non_exhaustive()
    }
}

/// Why an access token does not count in the way it was presented.
#[derive(Debug, thiserror::Error)]
pub enum TokenRefused {
    /// A bound token as a bearer token, or the reverse (RFC 9449, section 7.2).
    #[error("the access token came under another scheme than it was issued for")]
    Scheme,
    /// The proof beside it.
    #[error("the DPoP proof is not acceptable")]
    Proof(#[from] DpopError),
}

impl Endpoint<'_> {
    /// The proof of a request, if there is one, verified. It is good for one request: whoever acts
    /// on it uses its [`identifier`] up with what it proves, or calls [`use_up`].
    ///
    /// # Errors
    /// [`DpopError`].
    pub fn proof(&self, headers: &Headers) -> Result<Option<VerifiedProof>, DpopError> {
        self.verified(headers, None, None)
    }

    /// The proof that an access token needs which is bound to a key; `None` beside a bearer token.
    ///
    /// # Errors
    /// [`TokenRefused`].
    pub fn proof_of_token(
        &self,
        headers: &Headers,
        presented: &PresentedToken,
        bound_to: Option<&str>,
    ) -> Result<Option<VerifiedProof>, TokenRefused> {
        match (bound_to, presented.token_type) {
            (None, TokenType::Bearer) => Ok(None),
            (Some(jkt), TokenType::Dpop) => {
                let proof = self.verified(headers, Some(presented.token.expose()), Some(jkt))?;
                Ok(Some(proof.ok_or(DpopError::Missing)?))
            }
            // RFC 9449, section 7.2: a bound token is never a bearer token, nor the reverse.
            (Some(_), TokenType::Bearer) | (None, TokenType::Dpop) => Err(TokenRefused::Scheme),
        }
    }

    fn verified(
        &self,
        headers: &Headers,
        access_token: Option<&str>,
        bound_to: Option<&str>,
    ) -> Result<Option<VerifiedProof>, DpopError> {
        let Some(proof) = dpop::from_headers(headers)? else {
            return Ok(None);
        };
        let expected = Expected {
            method: self.method,
            url: &self.url,
            access_token,
            bound_to,
            nonce: self.nonces,
            now: self.now,
        };
        let proof = dpop::verify(proof, &expected, self.crypto)?;
        if !self.algorithms.contains(&proof.key.algorithm()) {
            return Err(DpopError::Jws(JwsError::Algorithm));
        }
        Ok(Some(proof))
    }
}

/// Why a DPoP proof was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// The proof is bad.
    #[error("the DPoP proof is not acceptable")]
    Dpop(#[from] DpopError),
    /// The proof was used before.
    #[error("the DPoP proof was used before")]
    Replayed,
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] DbError),
}

impl ProofError {
    /// What is told at the token and the pushed authorization request endpoint.
    pub fn to_oauth(&self) -> OAuthError {
        match self {
            Self::Dpop(error) => error.into(),
            Self::Replayed => ErrorCode::InvalidDpopProof.into(),
            Self::Db(_) => ErrorCode::TemporarilyUnavailable.into(),
        }
    }
}

/// What is told at a resource. RFC 9449, section 7.1: a proof with another key makes the token
/// invalid.
pub fn at_resource(error: &DpopError) -> OAuthError {
    match error {
        DpopError::Key => ErrorCode::InvalidToken.into(),
        other => other.into(),
    }
}

/// What is kept of a proof, so that it is not accepted again (catalogue 250): in the database, so a
/// restart or a second process changes nothing.
pub fn identifier(proof: &VerifiedProof) -> Identifier {
    let kind = IdentifierKind::DpopProof;
    Identifier::new(kind, &proof.thumbprint, &proof.jti, proof.valid_until)
}

/// Remembers that a proof was used. Only for a request whose token or code is known: anybody can
/// make proofs, and each would cost a row.
///
/// # Errors
/// [`ProofError::Replayed`], [`ProofError::Db`].
pub async fn use_up(db: &Db, proof: Identifier) -> Result<(), ProofError> {
    let fresh = db
        .write(async move |tx| is_fresh(tx, Some(&proof)).await)
        .await?;
    fresh.then_some(()).ok_or(ProofError::Replayed)
}

/// Uses the proof of a request up, if it has one, in the transaction of what it proves. `false`: it
/// was used before, and the caller undoes the transaction (catalogue 250).
///
/// # Errors
/// [`DbError`].
pub async fn is_fresh(tx: &mut Tx, proof: Option<&Identifier>) -> Result<bool, DbError> {
    let seen = jti::use_up(tx, proof.map_or(&[], std::slice::from_ref)).await?;
    Ok(seen.is_none())
}

/// Writes one challenge for each scheme, that of `first` first (RFC 6750, section 3; RFC 9449,
/// section 7.1).
pub fn put_challenges(headers: &mut HeaderMap, first: TokenType, error: Option<&OAuthError>) {
    let second = match first {
        TokenType::Bearer => TokenType::Dpop,
        TokenType::Dpop => TokenType::Bearer,
    };
    for scheme in [first, second] {
        let value = challenge(scheme, error, &ALGORITHMS);
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.append(header::WWW_AUTHENTICATE, value);
        }
    }
}

/// Gives out a nonce for the next proof (RFC 9449, sections 8.2 and 9). Returns its value.
pub fn put_nonce(
    headers: &mut HeaderMap,
    nonces: &ServerNonces,
    now: UnixTime,
    rng: &dyn Rng,
) -> Option<HeaderValue> {
    let nonce = HeaderValue::try_from(nonces.issue(now, rng)).ok()?;
    headers.insert(DPOP_NONCE, nonce.clone());
    Some(nonce)
}

#[cfg(test)]
mod tests {
    use vouchsafe_credentials::crypto::{Portable, Signer, SigningKey};
    use vouchsafe_credentials::testing::SeededRng;
    use vouchsafe_protocol::oauth::dpop::{ProofFor, build};
    use vouchsafe_protocol::oauth::values::Secret;

    use super::*;
    use crate::db::testing::for_each_database;

    const NOW: UnixTime = UnixTime(1_800_000_000);

    fn url() -> Url {
        Url::parse("https://op.example.com/userinfo").unwrap()
    }

    fn endpoint(algorithms: &[Algorithm]) -> Endpoint<'_> {
        Endpoint {
            method: Method::Get,
            url: url(),
            nonces: None,
            algorithms,
            crypto: &Portable,
            now: NOW,
        }
    }

    async fn headers(key: &SigningKey) -> Headers {
        let request = ProofFor {
            method: Method::Get,
            url: &url(),
            access_token: Some("t"),
            nonce: None,
        };
        let proof = build(&request, key, NOW, &SeededRng::new(3)).await.unwrap();
        [("DPoP", proof)].into_iter().collect()
    }

    fn presented(token_type: TokenType) -> PresentedToken {
        PresentedToken {
            token_type,
            token: Secret::new("t"),
        }
    }

    #[tokio::test]
    async fn rfc_9449_section_7_2_a_token_comes_as_it_was_issued() {
        let key = SigningKey::generate(Algorithm::Es256, &SeededRng::new(1));
        let (jkt, headers) = (key.public_key().thumbprint(), headers(&key).await);
        let at = endpoint(&Algorithm::ALL);
        let (bearer, bound) = (presented(TokenType::Bearer), presented(TokenType::Dpop));
        let proof = at.proof_of_token(&headers, &bound, Some(&jkt)).unwrap();
        assert_eq!(proof.unwrap().thumbprint, jkt);
        assert!(
            at.proof_of_token(&headers, &bearer, None)
                .unwrap()
                .is_none()
        );
        for (token, to) in [(&bearer, Some(jkt.as_str())), (&bound, None)] {
            let got = at.proof_of_token(&headers, token, to);
            assert!(matches!(got, Err(TokenRefused::Scheme)), "{got:?}");
        }
        let got = at.proof_of_token(&Headers::new(), &bound, Some(&jkt));
        assert!(matches!(got, Err(TokenRefused::Proof(DpopError::Missing))));
        let got = at.proof_of_token(&headers, &bound, Some("other"));
        assert!(matches!(got, Err(TokenRefused::Proof(DpopError::Key))));
    }

    #[tokio::test]
    async fn an_algorithm_that_is_not_allowed_here_proves_nothing() {
        for algorithm in Algorithm::ALL {
            let key = SigningKey::generate(algorithm, &SeededRng::new(1));
            let headers = headers(&key).await;
            let allowed = [Algorithm::Es256, Algorithm::EdDsa];
            let got = endpoint(&allowed).proof(&headers);
            assert_eq!(got.is_ok(), allowed.contains(&algorithm), "{algorithm:?}");
            assert!(endpoint(&Algorithm::ALL).proof(&headers).is_ok());
        }
    }

    #[tokio::test]
    async fn cat_250_a_proof_is_good_once() {
        for_each_database(&[], async |db| {
            let key = SigningKey::generate(Algorithm::Es256, &SeededRng::new(1));
            let proof = endpoint(&Algorithm::ALL).proof(&headers(&key).await);
            let used = identifier(&proof.unwrap().unwrap());
            use_up(&db, used.clone()).await.unwrap();
            let again = use_up(&db, used).await;
            assert!(matches!(again, Err(ProofError::Replayed)));
        })
        .await;
    }

    #[test]
    fn one_challenge_for_each_scheme() {
        let mut headers = HeaderMap::new();
        let error = OAuthError::from(ErrorCode::InvalidToken);
        put_challenges(&mut headers, TokenType::Dpop, Some(&error));
        let texts: Vec<_> = headers.get_all(header::WWW_AUTHENTICATE).iter().collect();
        assert_eq!(texts.len(), 2);
        assert_eq!(
            texts[0],
            "DPoP error=\"invalid_token\", algs=\"ES256 ES384 ES512 EdDSA Ed25519\""
        );
        assert_eq!(texts[1], "Bearer error=\"invalid_token\"");
    }
}
