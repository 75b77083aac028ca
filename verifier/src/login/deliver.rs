//! Cards that were told are told once.

use crate::app::Parts;
use crate::domain::ids::Secret;
use crate::store::{StoreError, tokens};

use super::grant::{self, TokenClaims};
use super::presented::PRESENTED;

/// Takes the cards out of what a token stands for. draft-svensson-credential-oidc-bridge-02, section
/// 6.4: "Once the OP has constructed the ID Token or UserInfo response and delivered it to the RP, it
/// MUST discard the credential claims." False where another request was faster.
pub async fn once(
    app: &Parts,
    token: &Secret,
    sealed: &[u8],
    mut opened: TokenClaims,
) -> Result<bool, StoreError> {
    opened.claims.remove(PRESENTED);
    let rest = grant::seal_token(app, token.reveal(), &opened)?;
    let (token, before) = (token.digest(), sealed.to_vec());
    let first = app
        .db
        .write(async move |tx| tokens::replace(tx, &token, &before, &rest).await)
        .await?;
    Ok(first)
}
