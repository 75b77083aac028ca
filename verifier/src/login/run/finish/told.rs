//! What an application is told when a run is over.

use serde_json::Map;
use vouchsafe_service::db::Tx;

use super::Work;
use crate::domain::ids::SubjectId;
use crate::domain::request::{Fact, Facts, OFFLINE_ACCESS, OPENID};
use crate::domain::run::Shown;
use crate::login::code::{Told, cards_end};
use crate::login::finish::{FinishError, told_of};

impl Work {
    /// What the application is told beside: of the account, and what the organisation calls it.
    pub(super) async fn told_about(
        &self,
        tx: &mut Tx,
        subject: Option<&SubjectId>,
        told: Told,
    ) -> Result<Told, FinishError> {
        let mut request = self.request.clone();
        // Without a yes an earlier one does not count either.
        if self.withheld {
            request.attributes = Facts::default();
        }
        let asked = (self.client.as_ref(), &request);
        told_of(tx, &self.app, asked, (subject, self.names_account()), told).await
    }

    /// The scope of a login with cards: that of a question which was not answered in this run is not
    /// granted, and the application hears so (RFC 6749, sections 3.3 and 5.1).
    pub(super) fn granted(&self) -> String {
        let Self { request, run, .. } = self;
        if self.withheld {
            return OPENID.to_owned();
        }
        let answered = |shown: &Shown| shown.question == request.query.as_str() && !shown.emptied;
        if run.shown.iter().any(answered) {
            return request.scope.clone();
        }
        self.scope(|scope| [OPENID, OFFLINE_ACCESS].contains(&scope))
    }

    /// The scope values that are kept, and those of attributes: what they bring rests on consents
    /// that were given before.
    pub(super) fn scope(&self, keeps: impl Fn(&str) -> bool) -> String {
        let mut scope: Vec<&str> = self.request.scope.split(' ').collect();
        let settings = &self.app.settings;
        let of_account = |scope: &str| !self.withheld && settings.is_attribute_scope(scope);
        scope.retain(|scope| keeps(scope) || of_account(scope));
        scope.join(" ")
    }

    /// Whether the person was told that the application learns the organisation's own id of the account.
    /// A session that stands for every step of a journey without consent tells it as without a journey.
    pub(super) fn names_account(&self) -> bool {
        let mut cards = self.run.shown.iter();
        match &self.run.agreed {
            Some(agreed) => agreed.external_id,
            None if self.run.shown.is_empty() => !self.withheld,
            None => !self.withheld && cards.any(|shown| shown.answer.external_id),
        }
    }

    /// Claims of the cards, and of `finish`.
    pub(super) fn told(&self) -> Told {
        let Facts { userinfo, id_token } = &self.request.facts;
        let mut all = Map::new();
        for shown in &self.run.shown {
            all.extend(shown.answer.claims.clone());
        }
        let mut id_token_claims = Fact::choose(id_token, &all);
        let mut userinfo_claims = Fact::choose(userinfo, &all);
        id_token_claims.extend(self.claims.clone());
        userinfo_claims.extend(self.claims.clone());
        let ends = self.run.shown.iter();
        let ends = ends.filter_map(|shown| cards_end(&shown.answer));
        let agreed = self.run.agreed.iter().filter_map(|agreed| agreed.until);
        let cards_end = ends.chain(agreed).min();
        // Each was for the one transaction of the request.
        let mut approved = self.run.shown.iter().rev();
        let approved = approved.find_map(|shown| shown.answer.approved.clone());
        if self.withheld {
            return Told {
                id_token_claims: Map::new(),
                userinfo_claims: Map::new(),
                attributes: Vec::new(),
                approved,
                cards_end,
            };
        }
        Told {
            id_token_claims,
            userinfo_claims,
            attributes: Vec::new(),
            approved,
            cards_end,
        }
    }
}
