//! What a passkey stands for: the cards that its account showed last to the same question.

use vouchsafe_credentials::status_list::{Status, StatusRef};
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{DbError, Tx};

use super::{PasskeyError, settings};
use crate::app::Parts;
use crate::domain::ids::{QueryId, SessionId, SubjectId};
use crate::domain::passkey::Tapped;
use crate::domain::session::CardRef;
use crate::store::{account_cards, sessions, subjects};

/// Cards that were shown to one question and hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The question.
    pub query: QueryId,
    /// The cards.
    pub cards: Vec<CardRef>,
    /// When they were shown.
    pub shown_at: UnixTime,
}

/// What a passkey of an account stands for: the newest answer to a question that counts. `None`: the card
/// is asked, because none was shown for too long, or because one of them ended or was revoked, or
/// is of an issuer or a type that is not believed any more. Not to know
/// its status is not to stand.
pub async fn standing(
    app: &Parts,
    subject: &SubjectId,
    counts: impl Fn(&str) -> bool,
) -> Result<Option<Standing>, PasskeyError> {
    let settings = settings(app)?;
    let now = app.now();
    let shown = account_cards::of_account(&app.db, subject).await?;
    let shown = shown.into_iter().filter(|one| counts(one.query.as_str()));
    let mut shown = shown.peekable();
    let Some(newest) = shown.peek() else {
        return Ok(None);
    };
    let (query, shown_at) = (newest.query.clone(), newest.shown_at);
    if now.since(shown_at) > settings.card_max_age_s {
        return Ok(None);
    }
    let cards = shown.filter(|one| one.query == query);
    let cards: Vec<CardRef> = cards.map(|one| one.card).collect();
    for card in &cards {
        if !holds(app, card, now).await {
            return Ok(None);
        }
    }
    Ok(Some(Standing {
        query,
        cards,
        shown_at,
    }))
}

/// Whether a card that was shown holds still. Not to know its status is not to hold.
pub(in crate::login) async fn holds(app: &Parts, card: &CardRef, now: UnixTime) -> bool {
    // Whom the operator believed then may not be believed any more.
    if !app
        .settings
        .trust
        .believes(&card.issuer.trusted, &card.credential_type)
    {
        return false;
    }
    if card.expires_at.is_some_and(|end| now >= end) {
        return false;
    }
    let Some(pointer) = &card.status else {
        return true;
    };
    let reference = StatusRef {
        uri: pointer.uri.clone(),
        idx: pointer.idx,
    };
    match app.statuses.fresh(&reference, &card.issuer).await {
        Ok(list) => matches!(list.status(&reference, now), Ok(Status::Valid)),
        Err(error) => {
            tracing::warn!(error = %crate::views::chain(&error), "status list not available");
            false
        }
    }
}

/// Whether a passkey still leads to its account. Holds the account until the transaction is over.
pub(in crate::login) async fn still_leads(tx: &mut Tx, tapped: &Tapped) -> Result<bool, DbError> {
    let Tapped { means, subject, .. } = tapped;
    Ok(subjects::hold(tx, subject).await? && subjects::leads(tx, means, subject).await?)
}

/// Whether a passkey still leads to its account, and its cards are still the last. Holds the account until
/// the transaction is over.
pub(in crate::login) async fn still_stands(
    tx: &mut Tx,
    tapped: &Tapped,
    standing: &Standing,
) -> Result<bool, DbError> {
    let subject = &tapped.subject;
    let Standing {
        query, shown_at, ..
    } = standing;
    Ok(still_leads(tx, tapped).await?
        && account_cards::still(tx, subject, query, *shown_at).await?)
}

/// Puts the cards behind a session, which ends with them as the session of a card does.
pub(in crate::login) async fn put_cards(
    tx: &mut Tx,
    session: &SessionId,
    standing: &Standing,
    now: UnixTime,
) -> Result<(), DbError> {
    sessions::put_cards(tx, session, &standing.cards, now).await
}
