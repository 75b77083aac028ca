//! A login that adds a card to an account instead of logging somebody in to an application.

use crate::app::Parts;
use crate::config::{ACCOUNT_CLIENT, Query};
use crate::domain::ids::ClientId;
use crate::domain::request::{Back, Facts, Linking, LoginRequest, OPENID, Verified};

/// The questions whose cards can lead to an account: one of those that ask for the same cards.
#[must_use]
pub fn questions(app: &Parts) -> Vec<&Query> {
    let mut questions: Vec<&Query> = Vec::new();
    for query in app.settings.queries() {
        let Some(claim) = query.subject.claim() else {
            continue;
        };
        let same = |other: &&Query| {
            other.types == query.types
                && other
                    .subject
                    .claim()
                    .is_some_and(|o| o.claim == claim.claim)
        };
        if !questions.iter().any(same) {
            questions.push(query);
        }
    }
    questions
}

/// The question of this id, where a card can be added with it.
#[must_use]
pub fn question<'a>(app: &'a Parts, id: &str) -> Option<&'a Query> {
    let mut all = questions(app).into_iter();
    all.find(|query| query.id.as_str() == id)
}

/// What is asked: the card, and nothing about the person for anybody.
#[must_use]
pub fn request(query: &Query, linking: Linking, locale: &str) -> LoginRequest {
    LoginRequest {
        client: ClientId::from_text(ACCOUNT_CLIENT),
        back: Back::Account { linking },
        nonce: None,
        scope: OPENID.to_owned(),
        code_challenge: None,
        query: query.id.clone(),
        needs_card: true,
        facts: Facts::default(),
        attributes: Facts::default(),
        presented: None,
        verified: Verified::default(),
        locale: locale.to_owned(),
        essential_acr: Vec::new(),
        may_switch_account: false,
        expected_sub: Vec::new(),
        pushed: None,
        spent: false,
        dpop_jkt: None,
        risk: None,
        asserted: None,
        approval: None,
        asked: None,
    }
}
