//! Questions of a run to systems outside: asked once for each visit of a step, however often the page is
//! loaded and in however many processes. The visit is written down before anybody is asked; whoever
//! comes second waits for what the first one hears.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use vouchsafe_credentials::json::parse_object;
use vouchsafe_protocol::oidc::subject::pairwise_sub;
use vouchsafe_service::db::{DbError, Tx};
use vouchsafe_service::tenant;

use super::RunError;
use crate::app::{App, Parts};
use crate::config::{Hook, HookAnswer};
use crate::domain::ids::SubjectId;
use crate::domain::transaction::Login;
use crate::hooks::{self, HookReply};
use crate::journey::{Outcome, Proof, RiskLevel, Step};
use crate::login::accept::log_id;
use crate::store::StoreError;
use crate::store::journey_calls::{self as calls, Visit};

/// Whoever asked and was not heard of for so long, in seconds, will say nothing more: it is longer than a
/// question waits for its place and its answer.
const LOST_S: i64 = 10;
/// How often whoever came second looks.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What came of a question, as far as a run learns it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Said {
    /// How the step ends.
    pub outcome: Outcome,
    /// The person typed a code that was sent by SMS.
    #[serde(default)]
    pub sms: bool,
    /// The risk is at least this.
    #[serde(default)]
    pub level: Option<RiskLevel>,
}

impl Said {
    fn only(outcome: Outcome) -> Self {
        Self {
            outcome,
            sms: false,
            level: None,
        }
    }

    /// What it proves.
    pub fn proof(self) -> Option<Proof> {
        (self.outcome == Outcome::Ok && self.sms).then_some(Proof::Sms)
    }
}

/// A question.
#[derive(Debug, Clone, Copy)]
pub(super) enum Question<'a> {
    /// Of a `webhook` step.
    Step { sms: bool },
    /// Of a `risk` step, with our own assessment.
    Risk {
        level: RiskLevel,
        reasons: &'a [String],
    },
}

/// Asks a system about a login.
pub(super) async fn ask(
    app: &App,
    login: &Login,
    step: &Step,
    (hook, timeout_s): (&Hook, u32),
    question: Question<'_>,
) -> Result<Said, RunError> {
    let sub = subject(app, login, hook).await?;
    let sms = matches!(question, Question::Step { sms: true });
    // A code to nobody in particular proves nothing about anybody.
    if sms && sub.is_none() {
        return Ok(Said::only(Outcome::Error));
    }
    let run = login.run.as_deref().ok_or(RunError::Gone)?;
    let mut data = json!({
        "journey": run.instance.journey(),
        "step": step.id,
        "reference": log_id(&login.id),
    });
    if let (Some(sub), Value::Object(members)) = (sub, &mut data) {
        members.insert("sub".to_owned(), json!(sub));
    }
    let kind = match question {
        Question::Step { .. } => Kind::Step { sms },
        Question::Risk { level, reasons } => {
            if let Value::Object(members) = &mut data {
                members.insert("level".to_owned(), json!(level));
                members.insert("reasons".to_owned(), json!(reasons));
            }
            Kind::Risk
        }
    };
    // An answer about nobody, or about another risk, says nothing here.
    let whose = run.pinned.as_ref().map_or("", SubjectId::as_str);
    let (text, kind_text) = (data.to_string(), format!("{kind:?}"));
    let parts: [&[u8]; 5] = [
        b"journey_calls",
        hook.webhook.url.as_str().as_bytes(),
        kind_text.as_bytes(),
        whose.as_bytes(),
        text.as_bytes(),
    ];
    let print = app.fingerprints.of(&parts);
    let visit = Visit {
        login: login.id.clone(),
        step: step.id.clone(),
        visit: run.visit(),
        asked: print.iter().take(16).map(|b| format!("{b:02x}")).collect(),
    };
    let work = Work {
        app: App::clone(app),
        hook: hook.clone(),
        timeout: Duration::from_secs(timeout_s.into()),
        visit,
        kind,
        data,
    };
    // It is asked to the end, whether or not the browser stays.
    let asked = tokio::spawn(tenant::inherit(work.once())).await;
    let said = asked.unwrap_or(Ok(Said::only(Outcome::Error)));
    Ok(said.map_err(StoreError::from)?)
}

async fn subject(app: &Parts, login: &Login, hook: &Hook) -> Result<Option<String>, RunError> {
    let run = login.run.as_deref().ok_or(RunError::Gone)?;
    let Some(pinned) = run.pinned.as_ref().filter(|_| hook.subject) else {
        return Ok(None);
    };
    let client = app.asker(&login.request).await?;
    Ok(client.map(|client| pairwise_sub(&app.pairwise_key, &client.sector, pinned)))
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Step { sms: bool },
    Risk,
}

struct Work {
    app: App,
    hook: Hook,
    timeout: Duration,
    visit: Visit,
    kind: Kind,
    data: Value,
}

impl Work {
    async fn once(self) -> Result<Said, DbError> {
        let (visit, now) = (self.visit.clone(), self.app.now());
        let claim = async move |tx: &mut Tx| calls::claim(tx, &visit, now).await;
        let said = match self.app.db.write(claim).await? {
            true => self.ask().await,
            false => match self.wait().await? {
                Some(said) => return Ok(said),
                None => Said::only(Outcome::Timeout),
            },
        };
        // Whatever is written first holds for everybody.
        let text = serde_json::to_string(&said).unwrap_or_default();
        let visit = self.visit.clone();
        let settle = async move |tx: &mut Tx| calls::settle(tx, &visit, &text).await;
        let known = self.app.db.write(settle).await?;
        Ok(known.map_or(Said::only(Outcome::Error), |known| read(&known)))
    }

    async fn ask(&self) -> Said {
        let event = match self.kind {
            Kind::Step { .. } => "journey.step",
            Kind::Risk => "journey.risk",
        };
        let asked = hooks::ask(&self.app, &self.hook, (event, &self.data), self.timeout);
        let said = match asked.await {
            HookReply::Silent => return Said::only(Outcome::Timeout),
            HookReply::Status(_) | HookReply::Unusable | HookReply::NoPlace => None,
            HookReply::Body(body) => match self.kind {
                Kind::Step { sms } => step_answer(&body, &self.hook, sms),
                Kind::Risk => risk_answer(&body),
            },
        };
        said.unwrap_or(Said::only(Outcome::Error))
    }

    /// What another request hears of the system; `None` if that one is lost, or asked something else.
    /// Before that nothing is written in its place: its answer may be on the way.
    async fn wait(&self) -> Result<Option<Said>, DbError> {
        loop {
            let Some(call) = calls::find(&self.app.db, &self.visit).await? else {
                return Ok(None);
            };
            if let Some(result) = call.result {
                return Ok(Some(read(&result)));
            }
            let lost = self.app.now().0 - call.called_at >= LOST_S;
            if lost {
                return Ok(None);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

fn read(text: &str) -> Said {
    serde_json::from_str(text).unwrap_or(Said::only(Outcome::Error))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StepAnswer {
    result: Verdict,
    #[serde(default)]
    amr: Vec<String>,
    risk: Option<RiskLevel>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Ok,
    Declined,
}

/// The answer to a `webhook` step: closed, and nothing that the configuration does not allow.
fn step_answer(body: &[u8], hook: &Hook, asked_sms: bool) -> Option<Said> {
    let StepAnswer { result, amr, risk } = closed(body)?;
    let outcome = match result {
        Verdict::Ok => Outcome::Ok,
        Verdict::Declined => Outcome::Declined,
    };
    let sms = match amr.as_slice() {
        [] => false,
        [only] if only == "sms" => true,
        _ => return None,
    };
    let may_sms = asked_sms && hook.may_answer(HookAnswer::Sms) && outcome == Outcome::Ok;
    let may_risk = hook.may_answer(HookAnswer::Risk);
    if (sms && !may_sms) || (risk.is_some() && !may_risk) {
        return None;
    }
    Some(Said {
        outcome,
        sms,
        level: risk,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RiskAnswer {
    level: RiskLevel,
}

fn risk_answer(body: &[u8]) -> Option<Said> {
    let RiskAnswer { level } = closed(body)?;
    Some(Said {
        level: Some(level),
        ..Said::only(Outcome::Ok)
    })
}

/// JSON without a member twice, of this shape.
fn closed<T: serde::de::DeserializeOwned>(body: &[u8]) -> Option<T> {
    let object = parse_object(body).ok()?;
    serde_json::from_value(Value::Object(object)).ok()
}
