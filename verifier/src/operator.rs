//! What an operator does with a service that is open, beside running it.

use vouchsafe_service::db::DbError;

use crate::clients::manage::{self, RegisteredClient, RegistrationToken};
use crate::domain::ids::ClientId;
use crate::risk::experiment::Login;
use crate::store::journeys::Trace;
use crate::{Verifier, clients, store};

/// What an operator does about applications that are not in the configuration.
impl Verifier {
    /// Makes an initial access token for `uses` registrations; the texts are its id and the token,
    /// which is told once.
    pub async fn create_registration_token(
        &self,
        name: &str,
        uses: i64,
        lives_s: i64,
    ) -> Result<(String, String), DbError> {
        let (id, secret) = manage::new_token(self.app(), name, uses, lives_s).await?;
        Ok((id, secret.reveal().to_owned()))
    }

    /// Initial access tokens that may still be used.
    pub async fn registration_tokens(&self) -> Result<Vec<RegistrationToken>, DbError> {
        manage::tokens(self.app()).await
    }

    /// Takes an initial access token back; `false` if there is none.
    pub async fn remove_registration_token(&self, id: &str) -> Result<bool, DbError> {
        manage::remove_token(self.app(), id).await
    }

    /// Applications that registered.
    pub async fn registered_clients(&self) -> Result<Vec<RegisteredClient>, DbError> {
        manage::list(self.app()).await
    }

    /// Removes a registered application and ends what it was given; `false` if there is none.
    pub async fn remove_client(&self, id: &str) -> Result<bool, DbError> {
        clients::remove(self.app(), &ClientId::from_text(id)).await
    }

    /// Stops an application that registered or that a document describes; `false` where it is
    /// neither.
    pub async fn disable_client(&self, id: &str) -> Result<bool, DbError> {
        manage::disable(self.app(), id).await
    }

    /// Lets it go on; `false` if it was not stopped.
    pub async fn enable_client(&self, id: &str) -> Result<bool, DbError> {
        manage::enable(self.app(), id).await
    }
}

/// What an operator does about journeys.
impl Verifier {
    /// What runs did that somebody names by the reference of a page, the latest first.
    pub async fn journey_traces(&self, reference: &str) -> Result<Vec<Trace>, DbError> {
        store::journeys::traces(&self.app().db, reference).await
    }
}

/// What an operator does about unusual logins.
impl Verifier {
    /// The logins that are counted, the first one first, under numbers instead of accounts.
    pub async fn counted_logins(&self) -> Result<Vec<Login>, DbError> {
        store::risk::all(&self.app().db).await
    }
}
