//! `private_key_jwt` with its replay store: an assertion that is good counts once (RFC 7523,
//! section 3, rule 7; catalogue 256).

use vouchsafe_credentials::{
    crypto::{Algorithm, CryptoProvider},
    jwks::JwkSet,
    time::UnixTime,
};
use vouchsafe_protocol::oauth::assertion::{self, AssertionError};
use vouchsafe_protocol::oauth::values::ClientId;

use crate::db::{Db, DbError};
use crate::jti::{self, IdentifierKind};

/// Where assertions are accepted.
#[derive(Clone, Copy)]
pub struct Audience<'a> {
    /// The issuer identifier, which `aud` must be and nothing else.
    pub issuer: &'a str,
    /// Algorithms of those who ask.
    pub algorithms: &'a [Algorithm],
    /// Remembers what was used.
    pub db: &'a Db,
    /// Verifies.
    pub crypto: &'a dyn CryptoProvider,
    /// The time now.
    pub now: UnixTime,
}

impl std::fmt::Debug for Audience<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Audience")
    }
}

/// Why an assertion does not count.
#[derive(Debug, thiserror::Error)]
pub enum AssertionRefused {
    /// It is not the client's, not for us, or not for now.
    #[error(transparent)]
    Assertion(#[from] AssertionError),
    /// It was used before.
    #[error("the client assertion was used before")]
    Replayed,
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] DbError),
}

/// Verifies an assertion of a client and uses it up. `scope` sets the identifiers of one kind of
/// clients apart from those of another. Only what the client signed costs a row.
///
/// # Errors
/// [`AssertionRefused`].
pub async fn accept(
    audience: Audience<'_>,
    (client, scope): (&ClientId, &str),
    keys: &JwkSet,
    assertion: &str,
) -> Result<(), AssertionRefused> {
    let Audience {
        issuer,
        algorithms,
        db,
        crypto,
        now,
    } = audience;
    let verified = assertion::verify(assertion, client, (keys, algorithms), issuer, now, crypto)?;
    let scope = scope.to_owned();
    let fresh = db
        .write(async move |tx| {
            let (jti, ends) = (&verified.jti, verified.valid_until);
            jti::first_use(tx, IdentifierKind::ClientAssertion, &scope, jti, ends).await
        })
        .await?;
    fresh.then_some(()).ok_or(AssertionRefused::Replayed)
}
