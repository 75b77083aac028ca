//! Which account a card leads to, and the one answer where it leads to none.
//!
//! Where the person named the account first, nobody may learn from a refusal whether it is there: a
//! forged card, the card of somebody else and a card for an account that does not exist are refused
//! with the same words, after the same look-ups, at the same pace (decision 0044).

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use vouchsafe_service::db::{DbError, Tx};

use super::finish::{Account, FinishError};
use crate::app::Parts;
use crate::domain::ids::{MeansId, SubjectId};
use crate::domain::means::Linked;
use crate::domain::reason::Failure;
use crate::domain::request::Linking;
use crate::domain::session::Session;
use crate::domain::transaction::{BindingKey, Evidence};
use crate::store::{account_bindings, accounts, sessions, subjects};

/// A refusal leaves at a multiple of this, so that its time does not tell how far a card came.
const PACE: Duration = Duration::from_millis(250);

/// The account of somebody who logs in; `None` for a guest. The first login of a card makes one
/// where the question says so.
pub(super) async fn account(
    tx: &mut Tx,
    app: &Parts,
    evidence: &Evidence,
) -> Result<(Option<SubjectId>, Account), FinishError> {
    let rng = app.rng.as_ref();
    match evidence {
        Evidence::Guest => Ok((None, Account::Nobody)),
        Evidence::IssuerScoped(key) => {
            // An account that is deleted at this very moment is none: then there is a new one.
            for _ in 0..3 {
                let new = SubjectId::generate(rng);
                let fresh = (&MeansId::random(rng), &new);
                let subject = subjects::resolve(tx, key, fresh, app.now()).await?;
                if subjects::hold(tx, &subject).await? {
                    let account = match subject == new {
                        true => Account::New,
                        false => Account::Known,
                    };
                    return Ok((Some(subject), account));
                }
            }
            Err(FinishError::Failed(Failure::other_account()))
        }
        Evidence::Bound(key) => {
            let found = subjects::find(tx, key).await?;
            match held(tx, found).await? {
                Some(subject) => Ok((Some(subject), Account::Known)),
                None => Err(FinishError::Failed(Failure::unlinked())),
            }
        }
        Evidence::Asserted {
            identifier_mac,
            key,
        } => {
            let found = asserted(tx, identifier_mac, key).await?;
            match held(tx, found).await? {
                Some(subject) => Ok((Some(subject), Account::Known)),
                None => Err(FinishError::Failed(Failure::unmatched())),
            }
        }
    }
}

/// The account, held, if it is still there.
async fn held(tx: &mut Tx, subject: Option<SubjectId>) -> Result<Option<SubjectId>, DbError> {
    let Some(subject) = subject else {
        return Ok(None);
    };
    Ok(subjects::hold(tx, &subject).await?.then_some(subject))
}

/// The account that is named, if the card leads to it. Both are always looked up.
async fn asserted(
    tx: &mut Tx,
    identifier_mac: &str,
    key: &BindingKey,
) -> Result<Option<SubjectId>, DbError> {
    let named = accounts::of_identifier(tx, identifier_mac).await?;
    let proven = subjects::find(tx, key).await?;
    Ok(named.filter(|named| proven.as_ref() == Some(named)))
}

/// The account that a card leads to now. No login makes one here.
pub(super) async fn found(app: &Parts, evidence: &Evidence) -> Result<Option<SubjectId>, DbError> {
    let evidence = evidence.clone();
    let look_up = async move |tx: &mut Tx| leads(tx, &evidence).await;
    app.db.write(look_up).await
}

/// The same in a transaction.
pub(super) async fn leads(tx: &mut Tx, evidence: &Evidence) -> Result<Option<SubjectId>, DbError> {
    match evidence {
        Evidence::Guest => Ok(None),
        Evidence::IssuerScoped(key) | Evidence::Bound(key) => subjects::find(tx, key).await,
        Evidence::Asserted {
            identifier_mac,
            key,
        } => asserted(tx, identifier_mac, key).await,
    }
}

/// Whom a card leads to, and what is known of them: keyed hashes of what was kept at enrolment.
pub(super) type Kept = (Option<SubjectId>, BTreeMap<String, String>);

/// What is known of the person whom a card that holds proves; `None` where it does not prove what was said.
/// `evidence` is that of a card that does not hold where it is `None`: the same is looked up, and found
/// nowhere.
pub(super) async fn proves(
    app: &Parts,
    evidence: Option<&Evidence>,
) -> Result<Option<Kept>, DbError> {
    let nobody = || Evidence::Asserted {
        identifier_mac: String::new(),
        key: BindingKey {
            framework: String::new(),
            issuer: String::new(),
            credential_type: String::new(),
            claim_mac: String::new(),
        },
    };
    let evidence = evidence.cloned().unwrap_or_else(nobody);
    let Evidence::Asserted {
        identifier_mac,
        key,
    } = evidence
    else {
        return Ok(Some(Kept::default()));
    };
    let look_up = async move |tx: &mut Tx| {
        let found = asserted(tx, &identifier_mac, &key).await?;
        let kept = account_bindings::of_named(tx, found.as_ref()).await?;
        Ok(found.map(|account| (Some(account), kept)))
    };
    app.db.write(look_up).await
}

/// Waits until a refusal may leave.
pub(super) async fn pace(came: Instant) {
    let gone = came.elapsed().as_nanos();
    let step = PACE.as_nanos();
    let rest = step - gone % step;
    tokio::time::sleep(Duration::from_nanos(
        u64::try_from(rest).unwrap_or_default(),
    ))
    .await;
}

/// Adds a card to an account: to that of the session which began it and is still logged in, or to
/// that of an invitation, which is used up.
pub(super) async fn link(
    tx: &mut Tx,
    app: &Parts,
    linking: &Linking,
    current: Option<&Session>,
    evidence: &Evidence,
) -> Result<(), FinishError> {
    let now = app.now();
    let owner = match linking {
        Linking::Session(id) => {
            // Somebody else may have logged in meanwhile: an error, never a silent switch.
            let session = current.filter(|session| session.id == *id);
            let subject = session.and_then(|session| session.subject.clone());
            // The account first, then what leads to it, then its session: everybody in this order.
            let subject = held(tx, subject).await?;
            if subject.is_some() {
                tx.lock("subject_means").await?;
            }
            let live = sessions::hold(tx, id, now).await?.is_some();
            let subject = subject.filter(|_| live);
            subject.ok_or_else(|| FinishError::Failed(Failure::other_account()))?
        }
        Linking::Invitation(code) => {
            // Who deletes an account holds it and then deletes its invitations: in the same order here.
            let invited = accounts::invited(tx, code, now).await?;
            let held = held(tx, invited).await?;
            let redeemed = accounts::redeem(tx, code, now).await?;
            let owner = held.filter(|held| redeemed.as_ref() == Some(held));
            owner.ok_or_else(|| FinishError::Failed(Failure::invitation_over()))?
        }
    };
    let Evidence::Bound(key) = evidence else {
        return Err(FinishError::Failed(Failure::unmatched()));
    };
    let means = MeansId::random(app.rng.as_ref());
    match subjects::link(tx, key, &means, &owner, now).await? {
        Linked::New | Linked::Already => Ok(()),
        // That it leads to somebody else is nobody's business.
        Linked::Elsewhere | Linked::TooMany => Err(FinishError::Failed(Failure::unmatched())),
    }
}
