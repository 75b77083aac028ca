//! Access tokens at our own endpoints, presented in the way they were issued for.

use vouchsafe_protocol::http::Headers;
use vouchsafe_protocol::oauth::access_token::PresentedToken;
use vouchsafe_protocol::oauth::token::TokenType;
use vouchsafe_service::dpop::{self, ProofError};
use vouchsafe_service::jti::Identifier;

use super::credential::Error;
use super::wire;
use crate::core::Core;
use crate::domain::secret::{Purpose, Secret};
use crate::store::tokens::{self, Presented, TokenUse};

/// A request that may be acted on.
pub struct Authorized {
    /// The token.
    pub token: Secret,
    /// What it allows.
    pub presented: Presented,
    /// The DPoP proof, to be used up with what it proves, or where that is refused.
    pub proof: Option<Identifier>,
}

/// [`look`], with the DPoP proof used up at once.
pub async fn authorize(
    core: &Core,
    headers: &Headers,
    path: &str,
    what: TokenUse,
) -> Result<Authorized, Error> {
    let mut found = look(core, headers, path, what).await?;
    if let Some(proof) = found.proof.take() {
        dpop::use_up(&core.db, proof).await?;
    }
    Ok(found)
}

/// The token of a request, and its DPoP proof, which is not used up yet.
pub async fn look(
    core: &Core,
    headers: &Headers,
    path: &str,
    what: TokenUse,
) -> Result<Authorized, Error> {
    let shown = PresentedToken::parse(headers)?;
    let token = Secret::received(shown.token.expose());
    let hash = token.hash(Purpose::AccessToken);
    let presented = tokens::find(&core.db, &hash, core.clock.now(), what).await?;
    let presented = presented.ok_or(Error::InvalidToken)?;
    let bound_to = presented.grant.dpop_jkt.as_deref();
    let proof = match (
        wire::dpop_endpoint(core, path).map_err(ProofError::Dpop)?,
        bound_to,
    ) {
        (Some(endpoint), _) => endpoint.proof_of_token(headers, &shown, bound_to)?,
        (None, None) if shown.token_type == TokenType::Bearer => None,
        // Bound under another profile than this one, which has no proofs.
        (None, _) => return Err(Error::InvalidToken),
    };
    Ok(Authorized {
        token,
        presented,
        proof: proof.as_ref().map(dpop::identifier),
    })
}
