//! What a refresh token stands for, and how one is made.
//!
//! A grant that rests on a proven key (RFC 9449) keeps its token for as long as it lasts: a token
//! that only its holder can use need not rotate (RFC 9700, section 4.14.2), and one that rotates is
//! lost with an answer that is lost (FAPI 2.0, section 5.3.2.1, clause 9). Any other is exchanged.

use serde::{Deserialize, Serialize};
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{DbError, Table, Tx};
use vouchsafe_service::single_use::{self, Kind, NewObject};

use super::grant::Grant;
use crate::app::Parts;
use crate::domain::ids::{ClientId, Secret, SessionId, Sid};
use crate::domain::session::{Authentication, SessionClient};
use crate::store::StoreError;
use crate::store::refresh_grants::{self, NewRefreshGrant};

/// What a refresh token stands for, sealed under it.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct RefreshGrant {
    pub(super) client: ClientId,
    pub(super) sub: String,
    pub(super) sid: Sid,
    pub(super) session: SessionId,
    pub(super) authentication: Authentication,
    /// What was granted at the login.
    pub(super) scope: String,
    /// When the grant ends, used or not; never later than the cards of the login.
    pub(super) ends_at: UnixTime,
    /// When this token ends.
    pub(super) expires_at: UnixTime,
    /// Thumbprint of the key that the grant began with, where it rests on one: a public client
    /// proves it each time (RFC 9449, section 5), another client proves any.
    #[serde(default)]
    pub(super) jkt: Option<String>,
}

impl RefreshGrant {
    /// Whether the token is exchanged at each use.
    pub(super) fn rotates(&self) -> bool {
        self.jkt.is_none()
    }

    /// So long what hangs on the grant lives on unless it is used again.
    pub(super) fn idle_end(&self, app: &Parts) -> UnixTime {
        let idle = app.now().plus(app.settings.refresh.idle_s);
        idle.min(self.ends_at)
    }
}

const PURPOSE: &str = "refresh token";
const PLACE: [&str; 1] = ["refresh_token"];

/// Opens what stands under a refresh token.
pub(super) fn open(app: &Parts, token: &str, sealed: &[u8]) -> Result<RefreshGrant, StoreError> {
    app.vault
        .under_token(PURPOSE, token)
        .open(Table("refresh_token"), "payload", &PLACE, sealed)
}

/// A refresh token that is about to be written.
pub(super) struct FreshToken {
    pub(super) token: Secret,
    object: NewObject,
    /// So long the grant lasts unless it is used again.
    pub(super) lasts_until: UnixTime,
}

impl FreshToken {
    /// Makes the next token of a grant: good for the idle time, never longer than the grant. One
    /// that stays is as good as its session, which ends after the idle time.
    pub(super) fn new(app: &Parts, family: &str, grant: RefreshGrant) -> Result<Self, StoreError> {
        let token = Secret::random(app.rng.as_ref());
        let lasts_until = grant.idle_end(app);
        let expires_at = if grant.rotates() {
            lasts_until
        } else {
            grant.ends_at
        };
        let grant = RefreshGrant {
            expires_at,
            ..grant
        };
        let vault = app.vault.under_token(PURPOSE, token.reveal());
        let object = NewObject {
            payload: vault.seal(&PLACE, &grant)?,
            family: family.to_owned(),
            expires_at,
        };
        Ok(Self {
            token,
            object,
            lasts_until,
        })
    }

    pub(super) async fn put(&self, tx: &mut Tx) -> Result<(), DbError> {
        single_use::put(tx, Kind::RefreshToken, self.token.reveal(), &self.object).await
    }
}

/// A grant that begins with the redemption of a code.
pub(super) struct Begun {
    pub(super) first: FreshToken,
    row: NewRefreshGrant,
}

impl Begun {
    /// Prepares the grant of a login that asked for it; `jkt` is of the proof beside the code.
    pub(super) fn new(app: &Parts, grant: &Grant, jkt: Option<String>) -> Result<Self, StoreError> {
        let session = SessionId::random(app.rng.as_ref());
        let longest = app.now().plus(app.settings.refresh.max_age_s);
        let ends_at = grant.cards_end.map_or(longest, |end| end.min(longest));
        let kept = RefreshGrant {
            client: grant.client.clone(),
            sub: grant.sub.clone(),
            sid: grant.sid.clone(),
            session: session.clone(),
            authentication: grant.authentication.clone(),
            scope: grant.scope.clone(),
            ends_at,
            expires_at: ends_at,
            jkt,
        };
        let first = FreshToken::new(app, &grant.family, kept)?;
        let row = NewRefreshGrant {
            family: grant.family.clone(),
            member: SessionClient {
                sid: grant.sid.clone(),
                session,
                client: grant.client.clone(),
                sub: grant.sub.clone(),
            },
            login_session: grant.session.clone(),
            authentication: grant.authentication.clone(),
            expires_at: first.lasts_until,
        };
        Ok(Self { first, row })
    }

    /// Writes it; `false` where the session of the login is over.
    pub(super) async fn put(&self, tx: &mut Tx, now: UnixTime) -> Result<bool, DbError> {
        let opened = refresh_grants::insert(tx, &self.row, now).await?;
        if opened {
            self.first.put(tx).await?;
        }
        Ok(opened)
    }
}
