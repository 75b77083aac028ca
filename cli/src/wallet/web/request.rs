//! Showing a card.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::{Value, json};
use vouchsafe_service::http::{Params, StrictForm};
use vouchsafe_wallet_core::consent::{
    CardOption, ConsentRequest, Pick, Question, Selection, value_text,
};
use vouchsafe_wallet_core::credential::CredentialId;
use vouchsafe_wallet_core::presentation::{Asking, Presented};

use super::app::{App, Open};
use super::cards::{status, yes_no};
use super::error::Problem;
use super::history::shown;
use super::shell::Visitor;

/// `/present?client_id=…&request_uri=…`: a link that somebody clicked.
pub(super) async fn open(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let link = format!("openid4vp://?{}", query.unwrap_or_default());
    begin(&app, &app.visitor(&headers), &link).await
}

pub(super) async fn begin(app: &App, visitor: &Visitor, link: &str) -> Response {
    match app.wallet.prepare(link, &visitor.languages()).await {
        Ok(prepared) => ask(app, visitor, prepared.session, false),
        Err(refused) => match refused.tell_them {
            Some(request) => {
                let session = app.keep(Open::NoCard(request));
                app.page(visitor, "wallet/no_card", json!({ "session": session }))
            }
            None if refused.asked => Problem::from(&refused.error).page(app, visitor),
            None => Problem::of_link(&refused.error).page(app, visitor),
        },
    }
}

/// The page of a question again, after a reload.
pub(super) async fn show(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Path(session): Path<String>,
) -> Response {
    let visitor = app.visitor(&headers);
    match app.take(&session) {
        Ok(Open::Request(asking)) => ask(&app, &visitor, asking, false),
        Ok(Open::Offer(_) | Open::NoCard(_)) => Problem::gone().page(&app, &visitor),
        Err(problem) => problem.page(&app, &visitor),
    }
}

/// The person's answer.
pub(super) async fn answer(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Path(session): Path<String>,
    StrictForm(form): StrictForm,
) -> Response {
    let visitor = match app.check_form(&headers, &form) {
        Ok(visitor) => visitor,
        Err(problem) => return problem.page(&app, &app.visitor(&headers)),
    };
    match app.take(&session) {
        Ok(Open::Request(asking)) if form.get("answer") == Some("yes") => {
            respond(&app, &visitor, asking, &form).await
        }
        Ok(Open::Request(asking)) => {
            let declined = app.wallet.decline(asking).await;
            match (declined, form.get("answer")) {
                (Ok(presented), Some("report")) => report(presented),
                (Ok(presented), _) => leave(&app, &visitor, presented, "declined"),
                (Err(error), _) => Problem::from(error).page(&app, &visitor),
            }
        }
        Ok(Open::NoCard(request)) => {
            app.wallet.tell(request).await;
            leave(&app, &visitor, None, "declined")
        }
        Ok(Open::Offer(_)) => Problem::gone().page(&app, &visitor),
        Err(problem) => problem.page(&app, &visitor),
    }
}

async fn respond(app: &App, visitor: &Visitor, asking: Asking, form: &Params) -> Response {
    match app.wallet.respond(asking, &selection(form)).await {
        Ok(presented) => leave(app, visitor, Some(presented), "shown"),
        Err(unanswered) => match unanswered.session {
            Some(asking) => ask(app, visitor, asking, true),
            // The other side has a page that explains its refusal, and knows the way back.
            None => match unanswered.error.explained_at() {
                Some(url) => Redirect::to(url.as_str()).into_response(),
                None => Problem::from(&unanswered.error).page(app, visitor),
            },
        },
    }
}

/// To the letter about a request that was declined for what it is; the verifier's page can wait.
fn report(presented: Option<Presented>) -> Response {
    let path = presented.map_or_else(
        || "/history".to_owned(),
        |presented| format!("/history/{}/report", presented.history.as_str()),
    );
    Redirect::to(&path).into_response()
}

/// Fields `pick-<question>` with the id of a card.
fn selection(form: &Params) -> Selection {
    let picks = form.pairs().iter().filter_map(|(name, value)| {
        let question = name.strip_prefix("pick-")?.to_owned();
        let credential = CredentialId::parse(value).ok()?;
        Some(Pick {
            question,
            credential,
        })
    });
    Selection {
        picks: picks.collect(),
    }
}

fn ask(app: &App, visitor: &Visitor, asking: Asking, incomplete: bool) -> Response {
    let consent = asking.consent(&visitor.languages());
    let questions: Vec<Value> = consent
        .questions
        .iter()
        .map(|q| question(app, visitor, &consent, q))
        .collect();
    let session = app.keep(Open::Request(asking));
    let context = json!({
        "session": session,
        "consent": {
            "verifier": consent.verifier,
            "purpose": consent.purpose,
            "approvals": consent.approvals,
        },
        "questions": questions,
        "incomplete": incomplete,
    });
    app.page(visitor, "wallet/consent", context)
}

fn question(app: &App, visitor: &Visitor, consent: &ConsentRequest, question: &Question) -> Value {
    let (yes, no) = yes_no(app, visitor);
    // A question that may stay open gets a switch, off until it is switched on.
    let required = consent.sets.iter().any(|set| {
        set.required
            && set.options.len() == 1
            && set.options.iter().flatten().any(|id| *id == question.id)
    });
    let choice = match (question.cards.len(), required, question.multiple) {
        (1, true, _) => None,
        (_, true, false) => Some("radio"),
        _ => Some("checkbox"),
    };
    let cards = question.cards.iter().map(|card: &CardOption| {
        let picked = consent
            .suggested
            .picks
            .iter()
            .any(|pick| pick.question == question.id && pick.credential == card.credential);
        let learns = card.learns.iter().map(|fact| {
            json!({
                "label": fact.label,
                "value": value_text(&fact.value, &yes, &no),
                "always": fact.always_visible,
            })
        });
        json!({
            "credential": card.credential,
            "title": card.title,
            "issuer": card.issuer,
            "learns": learns.collect::<Vec<_>>(),
            "keeps": card.keeps,
            "linkable": card.linkable,
            "status": status(card.status),
            "soon": card.expires_soon,
            "expires_at": card.expires_at,
            "choice": choice,
            "picked": picked,
        })
    });
    json!({
        "id": question.id,
        "optional": !insisted(consent, question),
        "several": question.cards.len() > 1,
        "cards": cards.collect::<Vec<_>>(),
    })
}

/// Whether a question is part of something the verifier insists on, be it as one of several ways.
fn insisted(consent: &ConsentRequest, question: &Question) -> bool {
    let mut sets = consent.sets.iter().filter(|set| set.required);
    sets.any(|set| set.options.iter().flatten().any(|id| *id == question.id))
}

/// To where the verifier sends the browser, or a last page of ours.
fn leave(app: &App, visitor: &Visitor, presented: Option<Presented>, how: &str) -> Response {
    // What was written down is the receipt; without it the page says less, and is still true.
    let entry = presented
        .as_ref()
        .and_then(|presented| app.wallet.history_entry(&presented.history).ok())
        .map(|entry| shown(&entry));
    match presented.and_then(|presented| presented.redirect_uri) {
        Some(url) => Redirect::to(url.as_str()).into_response(),
        None => {
            let context = json!({ "shown": how == "shown", "entry": entry });
            app.page(visitor, "wallet/receipt", context)
        }
    }
}
