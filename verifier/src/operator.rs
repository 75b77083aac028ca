//! What an operator does with a service that is open, beside running it.

use serde_json::{Map, Value};
use vouchsafe_service::db::DbError;

use crate::clients::administer as administer_clients;
use crate::clients::manage::{self, RegisteredClient, RegistrationToken};
use crate::clients::managed::{self, Known as KnownClient, ManageError};
use crate::domain::ids::{ClientId, SessionId};
use crate::login::administer::{self, Live as LiveSession};
use crate::risk::experiment::Login;
use crate::store::journeys::Trace;
use crate::store::session_list::Wanted as WantedSessions;
use crate::{Verifier, clients, store};

/// Who it was, in the audit log.
const COMMAND: &str = "command";
/// Rows that are read at once.
const PAGE: u32 = 200;

/// What an operator does about applications.
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

    /// Removes an application that is not in the configuration, and ends what it was given; `false` if
    /// there is none. Of one whose id the configuration has taken since, the database keeps nothing then.
    pub async fn remove_client(&self, id: &str) -> Result<bool, ManageError> {
        if clients::remove(self.app(), &ClientId::from_text(id)).await? {
            return Ok(true);
        }
        match administer_clients::remove(self.app(), COMMAND, id, None).await {
            Ok(()) => Ok(true),
            Err(ManageError::Unknown | ManageError::Configured) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Applications of the configuration and of administrators behind the one of an id (all without it),
    /// and whether there are more.
    pub async fn clients(&self, after: &str) -> Result<(Vec<KnownClient>, bool), ManageError> {
        managed::list(self.app(), after, PAGE).await
    }

    /// An application of the configuration or of administrators.
    pub async fn client(&self, id: &str) -> Result<Option<KnownClient>, ManageError> {
        managed::find(self.app(), &ClientId::from_text(id)).await
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

/// What an operator does about sessions and keys.
impl Verifier {
    /// Live sessions of an application or of an account behind the one of an id (all without it), and
    /// whether there are more.
    pub async fn sessions(
        &self,
        wanted: &WantedSessions,
        after: &str,
    ) -> Result<(Vec<LiveSession>, bool), DbError> {
        administer::list(self.app(), wanted, after, PAGE).await
    }

    /// Ends a session: its tokens die, and its applications are told. `false` if none is live.
    pub async fn end_session(&self, id: &str) -> Result<bool, DbError> {
        match SessionId::parse(id) {
            Some(id) => administer::end(self.app(), COMMAND, &id).await,
            None => Ok(false),
        }
    }

    /// The public keys that sign for applications, as they are in the JWK set.
    #[must_use]
    pub fn signing_keys(&self) -> Vec<Map<String, Value>> {
        self.app().tokens.public_keys().cloned().collect()
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
