//! Keys of the REST interface: made and revoked by command.

use vouchsafe_service::api_keys::{self, ApiKeySecret, NewApiKey};
use vouchsafe_service::audit;
use vouchsafe_service::db::DbError;

use crate::Verifier;

/// What a key may do. There are no wildcards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Read verifications.
    Read,
    /// Ask, cancel, redeem.
    Write,
    /// Read what was counted.
    Numbers,
    /// Read which applications there are.
    ClientsRead,
    /// Make, change and remove applications, and give them secrets.
    ClientsWrite,
    /// Read which sessions are live.
    SessionsRead,
    /// End sessions.
    SessionsEnd,
    /// Read which keys sign.
    KeysRead,
    /// Read whose cards are believed.
    TrustRead,
    /// Read what wallets are asked.
    QueriesRead,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Read,
        Self::Write,
        Self::Numbers,
        Self::ClientsRead,
        Self::ClientsWrite,
        Self::SessionsRead,
        Self::SessionsEnd,
        Self::KeysRead,
        Self::TrustRead,
        Self::QueriesRead,
    ];
    /// Those of a caller of verifications who asks for none in particular.
    const USUAL: [Self; 2] = [Self::Read, Self::Write];

    /// The name that is stored with a key.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "verifications:read",
            Self::Write => "verifications:write",
            Self::Numbers => "numbers:read",
            Self::ClientsRead => "clients:read",
            Self::ClientsWrite => "clients:write",
            Self::SessionsRead => "sessions:read",
            Self::SessionsEnd => "sessions:end",
            Self::KeysRead => "keys:read",
            Self::TrustRead => "trust:read",
            Self::QueriesRead => "queries:read",
        }
    }

    /// Whether it is about the verifications of a registered caller.
    const fn is_of_caller(self) -> bool {
        matches!(self, Self::Read | Self::Write)
    }

    /// The names of all of them.
    fn names() -> String {
        Self::ALL.map(Self::as_str).join(", ")
    }
}

/// A key that was just made.
pub struct NewKey {
    /// Its id, to revoke it.
    pub id: String,
    /// The key, for the only time.
    pub key: String,
}

impl std::fmt::Debug for NewKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewKey")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// Why no key was made.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Nobody with this id may ask.
    #[error("verifications.caller has no {0}")]
    Caller(String),
    /// No such scope.
    #[error("there is no scope {0}; there are {names}", names = Scope::names())]
    Scope(String),
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] DbError),
}

impl Verifier {
    /// Makes a key of a registered caller of verifications; without scopes it may do everything with
    /// them. A key for other things alone is anybody's, under a name of one's own.
    pub async fn create_api_key(
        &self,
        caller: &str,
        scopes: &[String],
    ) -> Result<NewKey, KeyError> {
        let app = self.app();
        let wanted = scopes.iter().map(|name| {
            let known = Scope::ALL.into_iter().find(|one| one.as_str() == name);
            known.ok_or_else(|| KeyError::Scope(name.clone()))
        });
        let wanted = wanted.collect::<Result<Vec<_>, _>>()?;
        let asks = wanted.is_empty() || wanted.iter().any(|scope| scope.is_of_caller());
        if asks && app.settings.verifications.caller(caller).is_none() {
            return Err(KeyError::Caller(caller.to_owned()));
        }
        let scopes = match scopes {
            [] => Scope::USUAL.map(|scope| scope.as_str().to_owned()).to_vec(),
            some => some.to_vec(),
        };
        let secret = ApiKeySecret::generate(app.rng.as_ref());
        let key = NewApiKey {
            id: self.ids().next_text(),
            name: caller.to_owned(),
            scopes,
            created_at: app.now(),
            expires_at: None,
        };
        let event = self.event("api_key.create", &key.id, key.scopes.join(" "));
        let shown = NewKey {
            id: key.id.clone(),
            key: secret.expose().to_owned(),
        };
        let audit_key = self.audit_key();
        app.db
            .write(async move |tx| {
                api_keys::insert(tx, &key, &secret).await?;
                audit::append(tx, &audit_key, &event).await
            })
            .await?;
        Ok(shown)
    }

    /// Revokes a key for good. False: there is no such key, or not any more.
    pub async fn revoke_api_key(&self, id: &str) -> Result<bool, DbError> {
        let now = self.app().now();
        let event = self.event("api_key.revoke", id, String::new());
        let (id, audit_key) = (id.to_owned(), self.audit_key());
        self.app()
            .db
            .write(async move |tx| {
                if !api_keys::revoke(tx, &id, now).await? {
                    return Ok(false);
                }
                audit::append(tx, &audit_key, &event).await?;
                Ok(true)
            })
            .await
    }

    fn event(&self, action: &'static str, target: &str, detail: String) -> audit::Event {
        audit::Event {
            at: self.app().now(),
            actor: "command".to_owned(),
            action,
            target: target.to_owned(),
            detail,
        }
    }
}
