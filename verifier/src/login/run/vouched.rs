//! Other OpenID Providers in a run: who signs in there is the account that it is linked with, or a new one.
//! Nobody is ever matched by an e-mail address (catalogue 385); decision 0058.

use vouchsafe_protocol::oidc::subject::{StableClaim, binding_key};
use vouchsafe_service::upstream::Identity;

use super::{RunError, Visit, complete, facts, failed};
use crate::app::Parts;
use crate::config::{Client, UpstreamProvider};
use crate::domain::ids::SubjectId;
use crate::domain::means::MeansKind;
use crate::domain::reason::{Explanation, Failure};
use crate::domain::request::{LoginRequest, StepUp};
use crate::domain::run::Run;
use crate::domain::transaction::{BindingKey, Channel, Login};
use crate::domain::upstream::{FRAMEWORK, Vouched};
use crate::journey::{Outcome, Proof, StepKind, StepResult};
use crate::journeys::Loaded;
use crate::login::resolve;
use crate::store::subjects;

/// A browser is sent to other providers so often in one run.
const MOST: u32 = 10;

/// How long ago somebody whom a provider vouches for without saying since when is taken to have signed in
/// there, in seconds: nothing that wants a fresh sign-in takes it for one.
const UNSAID_S: i64 = 86_400;

/// Whether somebody may sign in elsewhere for this login: the application is vouched for and is not told
/// what the organisation calls people, nobody watches another screen (RFC 8628, section 5.4), and no card
/// is owed first.
fn offered(client: &Client, login: &Login) -> bool {
    let (request, run) = (&login.request, login.run.as_deref());
    let owed = |run: &Run| (run.card_first || run.owes_card) && run.person().is_none();
    let owed = run.is_none_or(owed);
    !client.standing.is_unvouched()
        && !client.external_id
        && request.device().is_none()
        && request.linking().is_none()
        && !owed
}

/// Whether other providers can be asked in this run.
pub(super) async fn possible(
    app: &Parts,
    login: &Login,
    providers: &[String],
) -> Result<bool, RunError> {
    let client = app.asker(&login.request).await?;
    let known = providers.iter().any(|id| app.upstreams.contains_key(id));
    Ok(known && client.is_some_and(|client| offered(&client, login)))
}

/// The providers that the step which waits lets people choose from.
#[must_use]
pub fn providers<'a>(app: &'a Parts, login: &Login, loaded: &Loaded) -> Vec<&'a UpstreamProvider> {
    match super::at(login, loaded).map(|step| &step.kind) {
        Some(StepKind::Upstream { providers }) => {
            let configured = providers.iter();
            // A run goes on with its text; the configuration may have changed.
            configured
                .filter_map(|id| app.settings.provider(id))
                .collect()
        }
        _ => Vec::new(),
    }
}

/// Counts that the browser is sent away; `false` where it was too often.
pub fn sent(login: &mut Login) -> bool {
    let Some(run) = login.run.as_deref_mut() else {
        return false;
    };
    run.sent += 1;
    run.sent <= MOST
}

/// Whether who signs in elsewhere would be linked with an account that a card of this run proved on this
/// device.
#[must_use]
pub fn would_link(login: &Login) -> bool {
    let run = login.run.as_deref();
    run.is_some_and(|run| run.person().is_some() && !is_relayed(run))
}

/// Whether a card was shown in a way that can be relayed (RFC 10027): nothing is linked with it for good.
pub(super) fn is_relayed(run: &Run) -> bool {
    let mut shown = run.shown.iter();
    shown.any(|shown| shown.answer.channel == Channel::Qr)
}

/// A provider vouched for somebody.
pub async fn vouched(
    app: &Parts,
    login: &mut Login,
    loaded: &Loaded,
    (who, visit): (&Identity, &Visit),
) -> Result<(), RunError> {
    let step = super::at(login, loaded).ok_or(RunError::Gone)?;
    let question = loaded.journey.question_of(step).ok_or(RunError::Gone)?;
    let now = app.now();
    let mut vouched = Vouched {
        key: key(app, who),
        known: false,
        question,
        at: now,
    };
    let found = resolve::found(app, &vouched.evidence()).await?;
    vouched.known = found.is_some();
    vouched.at = match who.auth_time() {
        Some(at) => at.min(now),
        // Without a word the browser may just have been sent on (OpenID Connect Core 1.0, section 2, has
        // `auth_time` optional). Who is new here has nothing yet that an old sign-in could open.
        None if vouched.known => now.plus(-UNSAID_S),
        None => now,
    };
    let run = login.run.as_deref().ok_or(RunError::Gone)?;
    let shown = run.person().is_some();
    if !goes_together(run, &vouched, found.as_ref()) {
        return failed(app, login, loaded, Outcome::Error, other());
    }
    if let Some(subject) = &found
        && !shown
        && !loaded.assesses()
    {
        let agent = visit.agent.as_deref();
        let signs = facts::unusual(app, login, subject, agent).await?;
        let unusual = signs.is_some();
        if unusual {
            // A step-up keeps the reason that it was counted with.
            login.place.step_up = login.place.step_up.or(Some(StepUp::Risk));
            login.request = LoginRequest {
                risk: signs,
                ..login.request.clone()
            };
        }
        if unusual && has_card(app, subject).await? {
            facts::pin(app, login, subject.clone(), loaded).await?;
            let run = login.run.as_deref_mut().ok_or(RunError::Gone)?;
            run.owes_card = true;
            let why = Failure::unmatched();
            return failed(app, login, loaded, Outcome::Error, why);
        }
    }
    if let Some(subject) = found {
        facts::pin(app, login, subject, loaded).await?;
    } else if !shown {
        let newcomer = facts::newcomer(app, loaded);
        let run = login.run.as_deref_mut().ok_or(RunError::Gone)?;
        run.facts.user = newcomer;
    }
    let run = login.run.as_deref_mut().ok_or(RunError::Gone)?;
    run.upstream = Some(vouched);
    run.failure = None;
    let (outcome, proof) = (Outcome::Ok, Some(Proof::Upstream));
    complete(app, login, loaded, StepResult { outcome, proof }).map(drop)
}

/// Whether whoever signed in elsewhere is who logs in here. What is linked with no account is linked with
/// that of a card which was shown in this run, on this device; a session or a passkey alone makes no more
/// of itself.
fn goes_together(run: &Run, vouched: &Vouched, found: Option<&SubjectId>) -> bool {
    let before = run.upstream.as_ref();
    if before.is_some_and(|before| before.key != vouched.key) {
        return found.is_some() && found == run.pinned.as_ref();
    }
    match (found, &run.pinned) {
        (Some(found), Some(pinned)) => found == pinned,
        // A card that leads to nobody yet is of nobody who is known elsewhere.
        (Some(_), None) => run.person().is_none(),
        (None, Some(_)) => run.person().is_some() && !is_relayed(run),
        (None, None) => !is_relayed(run),
    }
}

/// A keyed hash of who it is there. Nothing else that the provider says is read.
fn key(app: &Parts, who: &Identity) -> BindingKey {
    let stable = StableClaim {
        framework: FRAMEWORK,
        issuer: who.issuer(),
        credential_type: "",
        claim: "sub",
        value: who.subject(),
    };
    BindingKey {
        framework: FRAMEWORK.to_owned(),
        issuer: who.issuer().to_owned(),
        credential_type: String::new(),
        claim_mac: binding_key(&app.binding_key, &stable),
    }
}

/// Whether there is something stronger to ask for where a login is unusual. Without a card a fresh sign-in
/// is all that somebody can show.
pub(super) async fn has_card(app: &Parts, subject: &SubjectId) -> Result<bool, RunError> {
    let means = subjects::means_of(&app.db, subject).await?;
    Ok(means.iter().any(|one| one.kind == MeansKind::Credential))
}

/// It leads to another account, or to none that it could be linked with: nobody says which.
fn other() -> Failure {
    Failure::new("other_account", Explanation::Provider)
}
