//! The end of a run whose person a passkey proves.

use vouchsafe_protocol::oidc::subject::pairwise_sub;
use vouchsafe_service::db::Tx;

use super::Work;
use crate::domain::passkey::Tapped;
use crate::domain::reason::{Explanation, Failure};
use crate::domain::request::{LoginRequest, OPENID};
use crate::domain::session::Session;
use crate::login::code::{cards_end_of, issue_code};
use crate::login::finish::{Account, FinishError, Finished, open_session};
use crate::login::known;
use crate::login::passkey::{self, Standing};
use crate::login::run::say;
use crate::store::{presence, risk};

impl Work {
    /// A passkey stands for the card. None was shown here: what is told was agreed to in a step of its own, as
    /// for a session.
    pub(super) async fn of_passkey(
        &self,
        tx: &mut Tx,
        tapped: &Tapped,
        standing: Option<&Standing>,
    ) -> Result<Finished, FinishError> {
        let Self { app, request, .. } = self;
        let Some(standing) = standing else {
            return Err(FinishError::Failed(Failure::unmatched()));
        };
        // A route led around the card that brings what the application wants.
        if passkey::wants_card(request) {
            return Err(FinishError::Failed(Failure::new(
                "not_proven",
                Explanation::NotProven,
            )));
        }
        if !known::hold(tx, &tapped.subject).await? {
            return Err(FinishError::Failed(Failure::other_account()));
        }
        if !passkey::still_stands(tx, tapped, standing).await? {
            return Err(FinishError::Failed(Failure::unmatched()));
        }
        let subject = &tapped.subject;
        let sub = pairwise_sub(&app.pairwise_key, &self.client.sector, subject);
        if !request.expects(&sub) {
            return Err(FinishError::Failed(Failure::other_account()));
        }
        self.agreed(tx, Some(subject)).await?;
        self.session_holds(tx).await?;
        let longest = app.now().plus(app.settings.session_max_age_s);
        let ends = cards_end_of(&standing.cards, app.now());
        let fresh = Session {
            expires_at: ends.map_or(longest, |end| end.min(longest)),
            // The session is that of the tap. An older one, and the card behind it, are not made new.
            authentication: passkey::authentication(tapped, self.code()),
            ..self.fresh(Some(subject.clone()), standing.query.clone())
        };
        let current = self.current.as_ref();
        let (session, cookie) = open_session(tx, app, request, current, fresh).await?;
        passkey::put_cards(tx, &session.id, standing, app.now()).await?;
        self.rest(tx, &session.id).await?;
        let session = Session {
            authentication: self.authentication(),
            ..session
        };
        let told = self.agreed_to(&session);
        let called = Some(sub.clone());
        let told = self.told_about(tx, Some(subject), told).await?;
        let request = LoginRequest {
            scope: self.scope(|scope| scope == OPENID),
            ..request.clone()
        };
        say::keep(tx, app, &self.run, Some(subject)).await?;
        let code = issue_code(tx, app, &request, &session, sub, told).await?;
        presence::came(tx, subject, app.now()).await?;
        if let Some(seen) = &self.seen {
            risk::insert(tx, subject, seen, app.now()).await?;
        }
        Ok(Finished {
            code: Some(code),
            cookie,
            account: Account::Known,
            sub: called,
        })
    }
}
