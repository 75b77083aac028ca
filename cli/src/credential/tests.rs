//! Whatever happens to a credential on its way: it is refused, or says nothing new.

use std::path::Path;

use clap::Parser;
use vouchsafe_credentials::crypto::Algorithm;
use vouchsafe_credentials::time::Clock as _;
use vouchsafe_service::clock::SystemClock;
use vouchsafe_service::random::OsRandom;
use vouchsafe_service::vc_api::{IssuerKey, KeyType};

use super::against::Means;
use super::explain::explain;
use super::{format, issue, verify};
use crate::certificates::document_signer;
use crate::development::write_new;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    options: issue::Options,
}

/// What a credential says to somebody who believes it; `None`: it is refused.
async fn told(text: &[u8], means: &Means) -> Option<Vec<(String, String)>> {
    let input = format::read(text).ok()?;
    let explained = explain(&input);
    verify::judge(&input, means).await.ok()?;
    let facts = explained.expect("what is good can be explained").shown;
    Some(facts.into_iter().map(|one| (one.name, one.value)).collect())
}

/// The credential in this format, and whom to believe.
async fn issued(folder: &Path, format: &str) -> (String, Means) {
    let new = || IssuerKey::generate(KeyType::Signature(Algorithm::Es256), &OsRandom);
    let (key, holder) = (new(), IssuerKey::read(&new()).unwrap().did());
    let pair = document_signer("Club", "AT", &key, SystemClock.now().0).unwrap();
    let claims = r#"{"age_equal_or_over": {"18": true, "21": false}}"#;
    let path = |name: &str| folder.join(format!("{}-{name}", format.replace('+', "-")));
    write_new(&path("key"), &key, 0o600).unwrap();
    write_new(&path("pem"), &pair.certificate, 0o644).unwrap();
    write_new(&path("claims"), claims, 0o644).unwrap();
    let file = |name: &str| path(name).display().to_string();
    let (key, pem, claims) = (file("key"), file("pem"), file("claims"));
    let mut line = vec!["issue", "--type", "age", "--format", format, "--key", &key];
    line.extend(["--holder", &holder, &claims]);
    if format == "mso_mdoc" {
        line.extend(["--certificate", &pem]);
    }
    let text = issue::issue(&Line::parse_from(line).options).await.unwrap();
    let means = Means {
        authorities: vec![pair.authority],
        ..Means::default()
    };
    (text, means)
}

#[tokio::test]
async fn what_was_damaged_on_the_way_is_refused_or_says_nothing_new() {
    let folder = tempfile::tempdir().unwrap();
    for (format, step) in [
        ("ldp_vc", 11),
        ("vc+jwt", 1),
        ("vc+sd-jwt", 1),
        ("vc+cose", 1),
        ("dc+sd-jwt", 1),
        ("mso_mdoc", 1),
    ] {
        let (text, means) = issued(folder.path(), format).await;
        let whole = told(text.as_bytes(), &means).await.unwrap();
        assert!(whole.len() >= 2, "{format}");
        let mut refused = 0;
        for at in (0..text.len()).step_by(step) {
            let mut damaged = text.clone().into_bytes();
            damaged[at] = if damaged[at] == b'A' { b'B' } else { b'A' };
            match told(&damaged, &means).await {
                None => refused += 1,
                Some(facts) => {
                    let known = facts.iter().all(|fact| whole.contains(fact));
                    assert!(known, "{format}, {at}");
                }
            }
            let cut = told(&text.as_bytes()[..at], &means).await;
            let cut = cut.unwrap_or_default();
            assert!(
                cut.iter().all(|fact| whole.contains(fact)),
                "{format}, {at}"
            );
        }
        assert!(refused * step * 10 > text.len() * 9, "{format}: {refused}");
    }
}
