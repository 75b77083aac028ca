//! The end of a run whose person another OpenID Provider vouched for.

use vouchsafe_protocol::oidc::amr::{Amr, Done, reached};
use vouchsafe_protocol::oidc::subject::pairwise_sub;
use vouchsafe_service::audit::{self, Event};
use vouchsafe_service::db::Tx;

use super::Work;
use crate::domain::ids::{MeansId, QueryId, SubjectId};
use crate::domain::means::Linked;
use crate::domain::passkey::{DONE, Tapped};
use crate::domain::reason::{Explanation, Failure};
use crate::domain::request::{LoginRequest, OPENID};
use crate::domain::session::{Authentication, Session};
use crate::domain::upstream::Vouched;
use crate::login::accept::log_id;
use crate::login::code::issue_code;
use crate::login::finish::{FinishError, Finished, open_session};
use crate::login::run::{newkey, say, vouched};
use crate::login::{passkey, resolve};
use crate::store::{notices, presence, risk, subjects};

impl Work {
    /// No card was shown: what is told was agreed to in a step of its own, as for a session. The first
    /// login makes the account.
    pub(super) async fn of_vouched(
        &self,
        tx: &mut Tx,
        vouched: &Vouched,
    ) -> Result<Finished, FinishError> {
        let Self {
            app, request, run, ..
        } = self;
        let (subject, account) = resolve::account(tx, app, &vouched.evidence()).await?;
        let expected = run.pinned.is_none() || run.pinned == subject;
        let subject = subject.filter(|_| expected).ok_or_else(other)?;
        if let Some((tapped, _)) = &self.passkey
            && !passkey::still_leads(tx, tapped).await?
        {
            return Err(FinishError::Failed(Failure::unmatched()));
        }
        let sub = pairwise_sub(&app.pairwise_key, &self.client.sector, &subject);
        if !request.expects(&sub) {
            return Err(FinishError::Failed(Failure::other_account()));
        }
        self.agreed(tx, Some(&subject)).await?;
        self.session_holds(tx).await?;
        let question = QueryId::from_text(vouched.question.clone());
        let fresh = Session {
            // An older session, and the card behind it, are not made new.
            authentication: self.elsewhere(vouched),
            expires_at: app.now().plus(app.settings.session_max_age_s),
            ..self.fresh(Some(subject.clone()), question)
        };
        let current = self.current.as_ref();
        let (session, cookie) = open_session(tx, app, request, current, fresh).await?;
        self.rest(tx, &session.id).await?;
        let session = Session {
            authentication: self.authentication(),
            ..session
        };
        let told = self.agreed_to(&session);
        let called = Some(sub.clone());
        let told = self.told_about(tx, Some(&subject), told).await?;
        // What stands on a card, and to go on while the person is away, needs a card.
        let request = LoginRequest {
            scope: self.scope(|scope| scope == OPENID),
            ..request.clone()
        };
        say::keep(tx, app, run, Some(&subject)).await?;
        let code = issue_code(tx, app, &request, &session, sub, told).await?;
        presence::came(tx, &subject, app.now()).await?;
        if let Some(seen) = &self.seen {
            risk::insert(tx, &subject, seen, app.now()).await?;
        }
        Ok(Finished {
            code: Some(code),
            cookie,
            account,
            sub: called,
        })
    }

    /// How somebody is authenticated by another provider, and by a passkey where one was used.
    fn elsewhere(&self, vouched: &Vouched) -> Authentication {
        let tapped = self.passkey.as_ref().map(|(tapped, _)| tapped);
        let mut done = vec![Done::Upstream];
        done.extend(tapped.map(|_| DONE));
        done.extend(self.code());
        let risk = self.done.amr.iter().any(|method| method == "rba");
        let risk = risk || self.request.risk.is_some();
        done.extend(risk.then_some(Done::RiskAssessed));
        let at = |tapped: &Tapped| tapped.at.min(vouched.at);
        Authentication {
            auth_time: tapped.map_or(vouched.at, at),
            acr: reached(&done).map_or_else(String::new, |acr| acr.as_str().to_owned()),
            amr: Amr::compute(&done).iter().map(str::to_owned).collect(),
        }
    }

    /// Whom another provider vouched for beside the card is linked with its account; the link where it is
    /// new. The caller holds the account.
    pub(super) async fn link(
        &self,
        tx: &mut Tx,
        subject: Option<&SubjectId>,
    ) -> Result<Option<MeansId>, FinishError> {
        let (app, run) = (&self.app, &self.run);
        let Some(vouched) = &run.upstream else {
            return Ok(None);
        };
        let subject = subject.ok_or_else(other)?;
        if vouched.known {
            // It may have been taken away since.
            let found = resolve::leads(tx, &vouched.evidence()).await?;
            return match found.as_ref() == Some(subject) {
                true => Ok(None),
                false => Err(other()),
            };
        }
        if vouched::is_relayed(run) || self.request.device().is_some() {
            return Err(other());
        }
        // Somebody got the account back meanwhile, as for a passkey of a run.
        let began = (self.began, log_id(&self.row.login));
        if notices::ended_since(tx, subject, began, app.now()).await? {
            return Err(FinishError::Failed(newkey::ended()));
        }
        let means = MeansId::random(app.rng.as_ref());
        match subjects::link(tx, &vouched.key, &means, subject, app.now()).await? {
            Linked::New => Ok(Some(means)),
            Linked::Already => Ok(None),
            // That it leads to somebody else is nobody's business.
            Linked::Elsewhere | Linked::TooMany => Err(other()),
        }
    }

    /// Notes a link in the audit chain, which everybody writes one after the other: last.
    pub(super) async fn note_link(
        &self,
        tx: &mut Tx,
        means: &MeansId,
        subject: Option<&SubjectId>,
    ) -> Result<(), FinishError> {
        let event = Event {
            at: self.app.now(),
            actor: format!("subject:{}", subject.map_or("", SubjectId::as_str)),
            action: "means.add",
            target: means.to_string(),
            detail: "upstream".to_owned(),
        };
        audit::append(tx, &self.app.audit_key, &event).await?;
        Ok(())
    }
}

fn other() -> FinishError {
    FinishError::Failed(Failure::new("other_account", Explanation::Provider))
}
