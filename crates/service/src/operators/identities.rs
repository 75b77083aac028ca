//! Operators who sign in at an OpenID Provider.
//!
//! An identity is tied to an operator by a link that was handed to them, never by a name or an
//! address that the provider says.

use vouchsafe_credentials::time::UnixTime;
use zeroize::Zeroizing;

use super::domain::{Method, Operator, OperatorError, SessionSecret};
use super::{Operators, link, sessions, store};
use crate::db::DbError;
use crate::upstream::Identity;

impl Operators {
    /// Redeems a link as this identity, which signs in from then on, and signs in.
    pub async fn accept_with_identity(
        &self,
        secret: &str,
        identity: &Identity,
    ) -> Result<SessionSecret, OperatorError> {
        let invited = self.invited(secret).await?;
        let session = SessionSecret::generate(&*self.rng);
        let (own, begun) = (self.clone(), session.clone());
        let link = Zeroizing::new(secret.to_owned());
        let (issuer, subject) = owned(identity);
        let proven_at = proven_at(identity);
        let done = self.db.write(async move |tx| {
            let Operator { id, .. } = link::redeem(&own, tx, &link, &invited.id).await?;
            let now = own.clock.now();
            match store::insert_identity(tx, (&issuer, &subject), &id, now).await {
                Err(DbError::Duplicate) => return Err(OperatorError::IdentityTaken),
                other => other?,
            }
            let actor = invited.actor();
            own.log(tx, &actor, "operator.identity_add", &id, &issuer)
                .await?;
            let how = (Method::Upstream, proven_at);
            sessions::start(&own, tx, &id, how, &begun).await
        });
        self.redeemed(secret, done.await).await?;
        Ok(session)
    }

    /// Signs in the operator whose identity this is.
    pub async fn sign_in_with_identity(
        &self,
        identity: &Identity,
    ) -> Result<SessionSecret, OperatorError> {
        let session = SessionSecret::generate(&*self.rng);
        let (own, begun) = (self.clone(), session.clone());
        let (issuer, subject) = owned(identity);
        let how = (Method::Upstream, proven_at(identity));
        self.db
            .write(async move |tx| {
                let found = store::by_identity(tx, (&issuer, &subject)).await?;
                let operator = found.ok_or(OperatorError::Stranger)?;
                // Asked again when nothing can be taken from the operator any more.
                own.lock(tx, &operator.id).await?;
                let still = store::by_identity(tx, (&issuer, &subject)).await?;
                if still.is_none_or(|still| still.id != operator.id) {
                    return Err(OperatorError::Stranger);
                }
                sessions::start(&own, tx, &operator.id, how, &begun).await
            })
            .await?;
        Ok(session)
    }
}

/// OpenID Connect Core 1.0, section 2: `auth_time` is when the person authenticated there, which may
/// be long before they came here. A provider that does not say it vouches for no moment.
fn proven_at(identity: &Identity) -> UnixTime {
    identity.auth_time().unwrap_or(UnixTime(0))
}

fn owned(identity: &Identity) -> (String, String) {
    (identity.issuer().to_owned(), identity.subject().to_owned())
}
