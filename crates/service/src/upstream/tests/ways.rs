//! The way there and back: state, mix-up, injected codes, the browser.

use vouchsafe_credentials::time::Clock;

use super::*;
use crate::db::testing::for_each_database;

async fn back(party: &Upstream, pending: Pending, query: &str) -> Result<Identity, UpstreamError> {
    party
        .finish(pending, Callback::parse(REDIRECT, query)?)
        .await
}

#[tokio::test]
async fn a_state_belongs_to_one_sign_in() {
    let provider = Provider::start().await;
    let us = party(&provider, |_| {});
    let mine = us.begin(&Ask::default()).await.unwrap();
    let theirs = us.begin(&Ask::default()).await.unwrap();
    let answer = provider.browser(&theirs.url).await;
    let error = back(&us, mine.pending.clone(), &answer).await.unwrap_err();
    assert!(matches!(error, UpstreamError::State));
    // Code injection: the code of another sign-in under my state fails at PKCE.
    let mut stolen = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in url::form_urlencoded::parse(answer.as_bytes()) {
        let value = if name == "state" {
            mine.pending.state().into()
        } else {
            value
        };
        stolen.append_pair(&name, &value);
    }
    let error = back(&us, mine.pending, &stolen.finish()).await.unwrap_err();
    assert!(matches!(error, UpstreamError::Refused(code) if code == "invalid_grant"));
}

/// RFC 9207, section 2.4; catalogue: mix-up.
#[tokio::test]
async fn an_answer_of_another_provider_is_refused() {
    let provider = Provider::start().await;
    let us = party(&provider, |_| {});
    for (promises, iss, good) in [
        (true, Some(provider.issuer.clone()), true),
        (true, Some(format!("{}/", provider.issuer)), false),
        (true, Some("https://evil.example".to_owned()), false),
        (true, None, false),
    ] {
        provider.change(|is| (is.promises_iss, is.answers_iss) = (promises, iss.clone()));
        let result = sign_in(&us, &provider, &Ask::default()).await;
        match good {
            true => drop(result.unwrap()),
            false => assert!(
                matches!(result.unwrap_err(), UpstreamError::MixUp),
                "{iss:?}"
            ),
        }
    }
    // Who does not promise `iss` may leave it out, but not lie.
    let provider = Provider::start().await;
    let us = party(&provider, |_| {});
    provider.change(|is| (is.promises_iss, is.answers_iss) = (false, None));
    sign_in(&us, &provider, &Ask::default()).await.unwrap();
    provider.change(|is| is.answers_iss = Some("https://evil.example".to_owned()));
    let error = sign_in(&us, &provider, &Ask::default()).await.unwrap_err();
    assert!(matches!(error, UpstreamError::MixUp));
    // A sign-in that began at another provider ends there.
    let other = Provider::start().await;
    let start = party(&other, |_| {}).begin(&Ask::default()).await.unwrap();
    let answer = other.browser(&start.url).await;
    let error = back(&us, start.pending, &answer).await.unwrap_err();
    assert!(matches!(error, UpstreamError::MixUp));
}

/// RFC 9700, section 4.4.2.2: the defence where providers send no `iss`. The browser began at `us`
/// and was led to another provider, which sends it back to its own address.
#[tokio::test]
async fn an_answer_at_the_address_of_another_provider_is_refused() {
    let provider = Provider::start().await;
    provider.change(|is| (is.promises_iss, is.answers_iss) = (false, None));
    let us = party(&provider, |_| {});
    let start = us.begin(&Ask::default()).await.unwrap();
    let query = provider.browser(&start.url).await;
    for elsewhere in ["https://our.example/callback/2", "", "https://our.example/"] {
        let answer = Callback::parse(elsewhere, &query).unwrap();
        let error = us.finish(start.pending.clone(), answer).await.unwrap_err();
        assert!(matches!(error, UpstreamError::MixUp), "{elsewhere}");
    }
    // The code went nowhere: it is still good.
    back(&us, start.pending, &query).await.unwrap();
}

#[tokio::test]
async fn a_refusal_is_told_by_its_code_alone() {
    let provider = Provider::start().await;
    let us = party(&provider, |_| {});
    for (sent, told) in [
        ("access_denied", "access_denied"),
        ("%0d%0aSet-Cookie", "unknown_error"),
    ] {
        let start = us.begin(&Ask::default()).await.unwrap();
        let state = start.pending.state();
        let iss = &provider.issuer;
        let query = format!("error={sent}&error_description=x&state={state}&iss={iss}");
        let error = back(&us, start.pending.clone(), &query).await.unwrap_err();
        assert!(matches!(error, UpstreamError::Denied(code) if code == told));
    }
}

#[test]
fn what_is_no_answer_does_not_parse() {
    for bad in [
        "",
        "state=s",
        "code=c",
        "code=&state=s",
        "code=c&state=",
        "code=c&state=s&error=e",
        "code=c&code=d&state=s",
        "code=c&state=s&state=s",
        "code=c&state=s&iss=a&iss=a",
    ] {
        assert!(
            matches!(Callback::parse(REDIRECT, bad), Err(UpstreamError::Callback)),
            "{bad}"
        );
    }
    let long = format!("code={}&state=s", "c".repeat(20_000));
    assert!(Callback::parse(REDIRECT, &long).is_err());
    let good = Callback::parse(REDIRECT, "code=c&state=s&session_state=x").unwrap();
    assert_eq!(good.state(), "s");
    assert_eq!(format!("{good:?}"), "Callback(code)");
}

#[tokio::test]
async fn a_sign_in_under_way_is_taken_once_by_its_browser() {
    let provider = Provider::start().await;
    let us = party(&provider, |_| {});
    for_each_database(&[], async |db| {
        let rng = SeededRng::new(3);
        let now = provider.clock.now();
        let start = us.begin(&Ask::default()).await.unwrap();
        let (pending, ends) = (&start.pending, now.plus(600));
        let keep = flows::keep(&db, "test", "browser", pending, &42_u32, (ends, &rng));
        keep.await.unwrap();
        let state = pending.state();
        // Another browser, purpose or state, or too late: not there, and nothing is used up.
        for (purpose, browser, state, now) in [
            ("test", "other", state, now),
            ("admin", "browser", state, now),
            ("test", "browser", "other", now),
            ("test", "browser", state, ends),
        ] {
            let taken = flows::take::<u32>(&db, purpose, browser, state, now)
                .await
                .unwrap();
            assert!(taken.is_none());
        }
        let (found, what) = flows::take::<u32>(&db, "test", "browser", state, now)
            .await
            .unwrap()
            .unwrap();
        assert_eq!((found.state(), what), (state, 42));
        // Replayed.
        let again = flows::take::<u32>(&db, "test", "browser", state, now)
            .await
            .unwrap();
        assert!(again.is_none());
        // Of many at once, one gets it.
        let start = us.begin(&Ask::default()).await.unwrap();
        let keep = flows::keep(&db, "test", "browser", &start.pending, &1_u32, (ends, &rng));
        keep.await.unwrap();
        let state = start.pending.state();
        let many = (0..20).map(|_| flows::take::<u32>(&db, "test", "browser", state, now));
        let many = futures::future::join_all(many).await;
        assert_eq!(
            many.into_iter()
                .filter(|one| one.as_ref().unwrap().is_some())
                .count(),
            1
        );
    })
    .await;
}
