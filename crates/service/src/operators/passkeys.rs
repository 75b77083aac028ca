//! Registering, using and removing passkeys.
//!
//! A challenge is a single-use secret of its own: only its hash is kept, and its family says which
//! ceremony of whom it belongs to. It is used up before anything is verified.

use serde_json::Value;
use vouchsafe_credentials::random::token;
use zeroize::Zeroizing;

use super::domain::{Method, Operator, OperatorError, OperatorId, Passkey, Session, SessionSecret};
use super::store::{self, StoredPasskey};
use super::{CHALLENGE_S, MAX_PASSKEYS, Operators, Site, link, sessions};
use crate::db::{DbError, Tx};
use crate::single_use::{self, Consumed, Kind, NewObject};
use crate::webauthn::{
    Known, NewPasskey, RegistrationResponse, RelyingParty, SignInResponse, WebauthnError,
};

/// What a challenge was given for.
enum Ceremony<'a> {
    /// A new passkey of an operator.
    Registration(&'a OperatorId),
    /// A sign-in from a browser, which `binding` names.
    SignIn(&'a str),
}

impl Ceremony<'_> {
    fn family(&self) -> String {
        match self {
            Self::Registration(id) => format!("registration {id}"),
            Self::SignIn(binding) => format!("sign-in {binding}"),
        }
    }
}

impl Operators {
    /// What a browser needs to make a passkey for an operator.
    pub async fn begin_registration(&self, operator: &Operator) -> Result<Value, OperatorError> {
        let existing = store::credential_ids(&self.db, &operator.id).await?;
        self.creation_options(operator, &existing).await
    }

    /// What a browser needs to redeem a link with a new passkey. It ends the passkeys before it, so
    /// the device that holds one of them may make it.
    pub async fn begin_redemption(&self, operator: &Operator) -> Result<Value, OperatorError> {
        self.creation_options(operator, &[]).await
    }

    async fn creation_options(
        &self,
        operator: &Operator,
        existing: &[Vec<u8>],
    ) -> Result<Value, OperatorError> {
        let site = self.passkey_site()?.clone();
        let challenge = self.challenge(Ceremony::Registration(&operator.id)).await?;
        let person = (operator.id.as_str(), operator.name.as_str());
        Ok(site.creation_options(&challenge, person, existing))
    }

    /// Redeems a link with a new passkey, and signs in.
    pub async fn accept_with_passkey(
        &self,
        secret: &str,
        response: &RegistrationResponse,
    ) -> Result<SessionSecret, OperatorError> {
        let invited = self.invited(secret).await?;
        let new = self.registered(&invited.id, response).await?;
        let session = SessionSecret::generate(&*self.rng);
        let (own, begun) = (self.clone(), session.clone());
        let link = Zeroizing::new(secret.to_owned());
        let done = self.db.write(async move |tx| {
            let operator = link::redeem(&own, tx, &link, &invited.id).await?;
            insert(&own, tx, &operator, &new).await?;
            let how = (Method::Passkey, own.clock.now());
            sessions::start(&own, tx, &operator.id, how, &begun).await
        });
        self.redeemed(secret, done.await).await?;
        Ok(session)
    }

    /// Adds a passkey for somebody who is signed in, and still is under the operator's lock: whoever
    /// is shut out at this moment leaves none behind.
    pub async fn add_passkey(
        &self,
        session: &Session,
        response: &RegistrationResponse,
    ) -> Result<(), OperatorError> {
        let new = self.registered(&session.operator.id, response).await?;
        let (own, session) = (self.clone(), session.clone());
        self.db
            .write(async move |tx| {
                own.lock(tx, &session.operator.id).await?;
                let now = own.clock.now();
                let found = store::operator_of_in(tx, &session.id, now).await?;
                let operator = found.ok_or(OperatorError::Forbidden)?;
                if store::count(tx, &operator.id).await? >= MAX_PASSKEYS {
                    return Err(OperatorError::TooManyPasskeys);
                }
                insert(&own, tx, &operator, &new).await
            })
            .await
    }

    /// Removes a passkey; the last one stays. Every other session of the person ends: one of them
    /// may have begun with it.
    pub async fn remove_passkey(
        &self,
        session: &Session,
        passkey: &str,
    ) -> Result<(), OperatorError> {
        let (own, session) = (self.clone(), session.clone());
        let passkey = passkey_id(passkey).ok_or(OperatorError::Unknown)?;
        self.db
            .write(async move |tx| {
                let Operator { id, .. } = &session.operator;
                own.lock(tx, id).await?;
                if !store::owns(tx, id, &passkey).await? {
                    return Err(OperatorError::Unknown);
                }
                if !store::delete_passkey(tx, id, &passkey).await? {
                    return Err(OperatorError::LastPasskey);
                }
                store::end_others(tx, id, &session.id, own.clock.now()).await?;
                let actor = session.operator.actor();
                own.log(tx, &actor, "operator.passkey_remove", id, &passkey)
                    .await?;
                Ok(())
            })
            .await
    }

    /// The passkeys of an operator.
    pub async fn passkeys(&self, operator: &OperatorId) -> Result<Vec<Passkey>, DbError> {
        store::passkeys(&self.db, operator).await
    }

    /// What a browser needs to sign somebody in. `binding` names the browser: only it may answer.
    pub async fn begin_sign_in(&self, binding: &str) -> Result<Value, OperatorError> {
        let site = self.passkey_site()?.clone();
        let challenge = self.challenge(Ceremony::SignIn(binding)).await?;
        Ok(site.request_options(&challenge))
    }

    /// Signs in with a passkey.
    pub async fn sign_in(
        &self,
        binding: &str,
        response: &SignInResponse,
    ) -> Result<SessionSecret, OperatorError> {
        let challenge = response.challenge()?;
        self.consume(&challenge, Ceremony::SignIn(binding)).await?;
        let credential = response.credential_id()?;
        let known = store::by_credential(&self.db, &credential).await?;
        let known = known.ok_or(OperatorError::Unknown)?;
        let expected = Known {
            handle: &known.operator,
            public_key: &known.public_key,
            sign_count: known.sign_count,
            backup_eligible: known.backup_eligible,
        };
        let site = self.passkey_site()?;
        let used = response.verify(site, &challenge, expected, &*self.crypto)?;
        self.signed_in(known, used.sign_count).await
    }

    async fn signed_in(
        &self,
        known: StoredPasskey,
        sign_count: u32,
    ) -> Result<SessionSecret, OperatorError> {
        let session = SessionSecret::generate(&*self.rng);
        let (own, begun) = (self.clone(), session.clone());
        let operator = OperatorId::parse(&known.operator).ok_or(OperatorError::Unknown)?;
        self.db
            .write(async move |tx| {
                let now = own.clock.now();
                own.lock(tx, &operator).await?;
                if !store::passkey_used(tx, &known, sign_count, now).await? {
                    return Err(WebauthnError::Counter.into());
                }
                let how = (Method::Passkey, now);
                sessions::start(&own, tx, &operator, how, &begun).await
            })
            .await?;
        Ok(session)
    }

    /// The new passkey of a browser's answer.
    async fn registered(
        &self,
        operator: &OperatorId,
        response: &RegistrationResponse,
    ) -> Result<NewPasskey, OperatorError> {
        let challenge = response.challenge()?;
        self.consume(&challenge, Ceremony::Registration(operator))
            .await?;
        Ok(response.verify(self.passkey_site()?, &challenge, &*self.crypto)?)
    }

    async fn challenge(&self, ceremony: Ceremony<'_>) -> Result<String, OperatorError> {
        // Section 13.4.3: random, 16 bytes at least, made by the server.
        let challenge = token(&*self.rng);
        let object = NewObject {
            payload: Vec::new(),
            family: ceremony.family(),
            expires_at: self.clock.now().plus(CHALLENGE_S),
        };
        let secret = challenge.clone();
        self.db
            .write(async move |tx| {
                single_use::put(tx, Kind::OperatorChallenge, &secret, &object).await
            })
            .await?;
        Ok(challenge)
    }

    async fn consume(&self, challenge: &str, ceremony: Ceremony<'_>) -> Result<(), OperatorError> {
        let (kind, now) = (Kind::OperatorChallenge, self.clock.now());
        match single_use::consume_now(&self.db, kind, challenge, now).await? {
            Consumed::Taken { payload: _, family } if family == ceremony.family() => Ok(()),
            Consumed::Taken { .. } | Consumed::Replayed { .. } | Consumed::Unknown => {
                Err(WebauthnError::ClientData.into())
            }
        }
    }

    fn passkey_site(&self) -> Result<&RelyingParty, OperatorError> {
        match &self.site {
            Site::Passkeys(site) => Ok(site),
            Site::Links => Err(OperatorError::Way),
        }
    }
}

/// Adds a passkey and writes it into the audit log. The caller holds the operator's lock.
async fn insert(
    own: &Operators,
    tx: &mut Tx,
    operator: &Operator,
    new: &NewPasskey,
) -> Result<(), OperatorError> {
    let (key, Operator { id, .. }) = (own.ids.next_text(), operator);
    match store::insert_passkey(tx, &key, id, new, own.clock.now()).await {
        Err(DbError::Duplicate) => return Err(OperatorError::PasskeyTaken),
        other => other?,
    }
    let actor = operator.actor();
    own.log(tx, &actor, "operator.passkey_add", id, &key)
        .await?;
    Ok(())
}

/// Accepts the form that ids of passkeys have, and nothing else.
pub(super) fn passkey_id(text: &str) -> Option<String> {
    let id = uuid::Uuid::parse_str(text).ok()?.hyphenated().to_string();
    (id == text).then_some(id)
}
