//! T1: what the time of a refusal tells a stranger who names an account (decision 0044): nothing that
//! Welch's t-test finds between an account that is there and one that is not.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::Value;
use vouchsafe_credentials::random::token;
use vouchsafe_protocol::http::{HttpRequest, HttpResponse, Method};
use vouchsafe_protocol::oauth::pkce::CodeVerifier;
use vouchsafe_service::random::OsRandom;

use super::login::{Login, cookies, wallet_link};
use crate::report::{Fact, Results};
use crate::services::Services;
use crate::slices::Plan;
use crate::web::location;

/// Refusals under way at the same time: each waits a quarter of a second.
const AT_ONCE: usize = 8;
/// The bound of the usual leakage tests.
const MOST_T: f64 = 4.5;

/// An account that is there, and one that is not.
const WHO: [&str; 2] = ["C-1001", "C-1002"];

/// T1.
pub fn measure(plan: &Plan) -> Result<Results> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let samples = runtime.block_on(sample(plan.samples))?;
    let [there, nowhere] = &samples;
    let t = welch(there, nowhere).abs();
    let n = there.len();
    Ok(Results {
        lines: Vec::new(),
        facts: vec![Fact {
            name: "T1",
            what: format!(
                "|t| of the time to a refusal, account there or not, 2 x {n} interleaved"
            ),
            value: t,
            most: MOST_T,
        }],
    })
}

/// Seconds to a refusal, of both kinds in turns.
async fn sample(each: usize) -> Result<[Vec<f64>; 2]> {
    let asserted = |text: String| text.replace("issuer_scoped_claim", "asserted_lookup");
    let services = Services::start_edited(|text| text, |_| Ok(String::new()), asserted).await?;
    services.import_account(WHO[0]).await?;
    let login = Login::new(&services, "membership", ("", Value::Null)).await?;
    let one = |n: usize| {
        let (login, kind) = (&login, n % 2);
        async move { Ok::<_, anyhow::Error>((kind, refusal(login, WHO[kind]).await?)) }
    };
    // Whatever is slow the first time is slow before anything counts.
    for n in 0..4 {
        one(n).await?;
    }
    let all: Vec<(usize, Duration)> = stream::iter((0..2 * each).map(one))
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    let of = |kind: usize| {
        let mine = all.iter().filter(move |(k, _)| *k == kind);
        mine.map(|(_, took)| took.as_secs_f64()).collect::<Vec<_>>()
    };
    Ok([of(0), of(1)])
}

/// One login in a new browser with a card that leads to no account; how long its refusal took.
async fn refusal(login: &Login<'_>, who: &str) -> Result<Duration> {
    let (nonce, verifier) = (token(&OsRandom), CodeVerifier::generate(&OsRandom));
    let scope = "openid membership";
    let request = HttpRequest::new(Method::Get, login.authorize(scope, &nonce, &verifier)?);
    let answer = login.web.expect(303, request).await?;
    let browser = cookies(&answer);
    let path = location(&answer)?.to_owned();
    let open = || {
        let request = HttpRequest::new(Method::Get, login.url(&path, &[])?);
        Ok::<_, anyhow::Error>(
            request
                .header("accept", "text/html")
                .header("cookie", browser.clone()),
        )
    };
    let page = login.web.expect(200, open()?).await?;
    let csrf = csrf(&page)?;
    let fields = [("csrf", csrf.as_str()), ("identifier", who)];
    let identify = login.url(&format!("{path}/identify"), &[])?;
    let origin = identify.origin().ascii_serialization();
    let request = HttpRequest::post_form(identify, &fields)
        .header("cookie", browser.clone())
        .header("origin", origin);
    login.web.expect(303, request).await?;
    let page = login.web.expect(200, open()?).await?;
    let submitting = login.answer_of(&wallet_link(&page)?).await?;
    let began = Instant::now();
    let answer = login.web.send(submitting).await?;
    let took = began.elapsed();
    ensure!(
        answer.status == 400,
        "a card that leads nowhere was accepted"
    );
    let told: Value = serde_json::from_slice(&answer.body)?;
    ensure!(told["reason"] == "unmatched", "another reason: {told}");
    Ok(took)
}

fn csrf(page: &HttpResponse) -> Result<String> {
    let html = std::str::from_utf8(&page.body)?;
    let rest = html.split_once("name=\"csrf\" value=\"");
    let value = rest.and_then(|(_, rest)| rest.split('"').next());
    Ok(value.context("no form on the page")?.to_owned())
}

/// Welch's t of two samples.
fn welch(a: &[f64], b: &[f64]) -> f64 {
    let of = |sample: &[f64]| {
        let n = sample.len() as f64;
        let mean = sample.iter().sum::<f64>() / n;
        let squares = sample.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
        (mean, squares / (n - 1.0) / n)
    };
    let ((mean_a, var_a), (mean_b, var_b)) = (of(a), of(b));
    (mean_a - mean_b) / (var_a + var_b).sqrt()
}

#[cfg(test)]
mod tests {
    use super::welch;

    #[test]
    fn t_of_known_samples() {
        // R: t.test(c(1, 2, 3, 4, 5), c(2, 4, 6, 8, 10))
        let t = welch(&[1.0, 2.0, 3.0, 4.0, 5.0], &[2.0, 4.0, 6.0, 8.0, 10.0]);
        assert!((t + 1.897_366_596_101_028).abs() < 1e-12, "{t}");
    }
}
