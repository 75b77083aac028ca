//! What somebody agreed to in a run, when it is over.

use serde_json::Map;
use vouchsafe_service::db::Tx;

use super::Work;
use crate::domain::ids::{SessionId, SubjectId};
use crate::domain::reason::Failure;
use crate::domain::session::Session;
use crate::journeys;
use crate::login::code::Told;
use crate::login::finish::FinishError;
use crate::login::run::share;
use crate::store::{account_bindings, consents};

impl Work {
    /// What a login without a card tells: what the person agreed to in a step of its own.
    pub(super) fn agreed_to(&self, session: &Session) -> Told {
        let agreed = self.run.agreed.as_ref();
        let claims = agreed.map_or_else(Map::new, |_| self.claims.clone());
        let until = agreed.and_then(|agreed| agreed.until);
        let ends = session.expires_at;
        Told {
            cards_end: Some(until.map_or(ends, |until| until.min(ends))),
            id_token_claims: claims.clone(),
            userinfo_claims: claims,
            attributes: Vec::new(),
            // No card of this run signed anything.
            approved: None,
        }
    }

    /// What was agreed to with the cards is tied to the account, before its sessions are touched.
    pub(super) async fn agreed(
        &self,
        tx: &mut Tx,
        subject: Option<&SubjectId>,
    ) -> Result<(), FinishError> {
        for record in &self.records {
            consents::insert(tx, record).await?;
        }
        let step = self.run.agreed.iter().map(|agreed| &agreed.id);
        let cards = self.run.shown.iter().map(|shown| &shown.answer.consent);
        for consent in cards.chain(step) {
            if !consents::attach(tx, &self.app.vault, consent, subject, self.app.now()).await? {
                return Err(FinishError::Failed(Failure::withdrawn()));
            }
        }
        share::attach(tx, &self.app, &self.run, subject).await?;
        Ok(())
    }

    /// What the cards of this run bind is kept with the account, as the person was told.
    pub(super) async fn keep(
        &self,
        tx: &mut Tx,
        subject: Option<&SubjectId>,
    ) -> Result<(), FinishError> {
        let Some(subject) = subject else {
            return Ok(());
        };
        for shown in &self.run.shown {
            let agreed = (&self.request.client, shown.question.as_str());
            let bound = journeys::kept(&self.app.binding_key, subject, &shown.answer.bound);
            account_bindings::put(tx, subject, agreed, &bound, self.app.now()).await?;
        }
        Ok(())
    }

    /// What rests on a consent that was given in a step: this session.
    pub(super) async fn rest(&self, tx: &mut Tx, session: &SessionId) -> Result<(), FinishError> {
        if let Some(agreed) = &self.run.agreed {
            consents::rest(tx, &agreed.id, session).await?;
        }
        Ok(())
    }
}
