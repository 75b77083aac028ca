use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::Request;
use vouchsafe_credentials::crypto::AwsLc;
use vouchsafe_credentials::did;
use vouchsafe_credentials::sd_jwt_vc::{
    IssuerAuthority, IssuerIdentity, IssuerMethod, IssuerTrust, StatusMethod, TrustedIssuer,
};
use vouchsafe_credentials::status_list::{
    Status, StatusCheck, StatusRef, VerifiedStatusList, verify_status_list,
};
use vouchsafe_credentials::time::{Clock, UnixTime};

use vouchsafe_service::db::execute;

use super::harness::{Answer, Harness, ISSUER, config_text, everywhere, with_config};
use crate::core::Core;
use crate::{places, status};

async fn fetch(h: &Harness, uri: &str) -> Answer {
    h.get(uri.strip_prefix(ISSUER).unwrap()).await
}

pub(super) fn verify(
    h: &Harness,
    uri: &str,
    token: &str,
    seen: Option<UnixTime>,
) -> VerifiedStatusList {
    let did = did::key::encode(&h.issuer_key());
    let trust = IssuerTrust::new(vec![TrustedIssuer {
        id: did.clone(),
        method: IssuerMethod::Did(did.clone()),
        types: vec![],
        status: StatusMethod::SameIssuer,
    }])
    .unwrap();
    let issuer = IssuerIdentity {
        trusted: did.clone(),
        authority: IssuerAuthority::Did(did),
    };
    let check = StatusCheck {
        uri,
        issuer: &issuer,
        trust: &trust,
        newest_seen: seen,
        min_refresh_s: 1,
        now: h.clock.now(),
    };
    verify_status_list(token, &check, &AwsLc).unwrap()
}

#[tokio::test]
async fn a_change_is_published_at_once() {
    everywhere(async |h| {
        h.issue(&h.holder(1)).await;
        let seen = h.newest().await;
        let uri = seen["status_list"]["uri"].as_str().unwrap().to_owned();
        let idx = seen["status_list"]["idx"].as_u64().unwrap();
        let reference = StatusRef {
            uri: uri.clone(),
            idx,
        };
        let id = seen["id"].as_str().unwrap();
        let mut newest = None;
        for (verb, expected) in [
            (None, Status::Valid),
            (Some("suspend"), Status::Suspended),
            (Some("resume"), Status::Valid),
            (Some("revoke"), Status::Invalid),
        ] {
            if let Some(verb) = verb {
                let path = format!("/v1/credentials/{id}/{verb}");
                let version = format!("\"{}\"", h.newest().await["version"]);
                let changed = h.admin_post(&path, "", &[("if-match", &version)]).await;
                assert_eq!(changed.status, 200, "{}", changed.text);
                // A clock that goes back does not take `iat` back.
                h.clock.advance(-5);
            }
            let answer = fetch(&h, &uri).await;
            let list = verify(&h, &uri, &answer.text, newest);
            assert_eq!(
                list.status(&reference, h.clock.now()).unwrap(),
                expected,
                "{verb:?}"
            );
            newest = Some(list.issued_at());
        }
    })
    .await;
}

#[tokio::test]
async fn lists_can_be_cached_and_compared() {
    everywhere(async |h| {
        h.issue(&h.holder(1)).await;
        let seen = h.newest().await;
        let uri = seen["status_list"]["uri"].as_str().unwrap().to_owned();
        let first = fetch(&h, &uri).await;
        assert_eq!(first.header("content-type"), "application/statuslist+jwt");
        assert_eq!(first.header("cache-control"), "public, max-age=60");
        assert_eq!(first.header("access-control-allow-origin"), "*");
        let again = async |etag: &str| {
            let path = uri.strip_prefix(ISSUER).unwrap();
            let request = Request::get(path).header("if-none-match", etag);
            h.send(request.body(Body::empty()).unwrap()).await
        };
        let etag = first.header("etag").to_owned();
        // RFC 9110, section 13.1.2.
        for known in [&etag, "*", &format!("W/{etag}"), &format!("\"x\", {etag}")] {
            let same = again(known).await;
            assert_eq!((same.status.as_u16(), same.text.as_str()), (304, ""));
            assert_eq!(same.header("etag"), etag);
        }
        for other in ["\"x\"", "", etag.trim_matches('"')] {
            assert_eq!(again(other).await.status, 200, "{other}");
        }
        let id = seen["id"].as_str().unwrap();
        h.admin_post(&format!("/v1/credentials/{id}/revoke"), "", &[])
            .await;
        assert_eq!(again(&etag).await.status, 200);
        for unknown in ["x", "0190a6f0-0000-7000-8000-000000000001"] {
            let answer = h.get(&format!("/status/{unknown}")).await;
            assert_eq!(answer.error(), (404, "not_found".into()));
        }
    })
    .await;
}

#[tokio::test]
async fn cat_229_a_list_is_served_from_memory() {
    everywhere(async |h| {
        h.issue(&h.holder(1)).await;
        let uri = list_uri(&h).await;
        let first = fetch(&h, &uri).await;
        // What the database says now is not asked.
        let core = h.issuer.core();
        forget_lists(core).await;
        let again = fetch(&h, &uri).await;
        assert_eq!((again.status.as_u16(), &again.text), (200, &first.text));
        assert_eq!(again.header("etag"), first.header("etag"));
        // Another process may have changed it, so memory is believed for a second.
        h.clock.advance(1);
        assert_eq!(fetch(&h, &uri).await.error(), (404, "not_found".into()));
    })
    .await;
}

#[tokio::test]
async fn cat_229_a_change_by_another_process_is_shown_within_a_second() {
    everywhere(async |h| {
        h.issue(&h.holder(1)).await;
        let (uri, id) = (list_uri(&h).await, newest_id(&h).await);
        let before = fetch(&h, &uri).await;
        let other = h.another_process().await;
        other
            .admin_post(&format!("/v1/credentials/{id}/revoke"), "", &[])
            .await;
        assert_ne!(fetch(&other, &uri).await.text, before.text);
        h.clock.advance(1);
        assert_eq!(fetch(&h, &uri).await.text, fetch(&other, &uri).await.text);
    })
    .await;
}

#[tokio::test]
async fn cat_229_a_flood_of_unknown_lists_leaves_the_memory_bounded() {
    everywhere(async |h| {
        h.issue(&h.holder(1)).await;
        let uri = list_uri(&h).await;
        let core = h.issuer.core();
        fetch(&h, &uri).await;
        for _ in 0..200 {
            let unknown = format!("/status/{}", core.ids.next_text());
            assert_eq!(h.get(&unknown).await.status, 404);
        }
        assert_eq!(core.shown.len(), 1);
        assert_eq!(fetch(&h, &uri).await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn cat_220_lists_of_other_times_are_not_kept() {
    everywhere(async |h| {
        h.issue(&h.holder(1)).await;
        let path = list_uri(&h).await.replace(ISSUER, "");
        for time in ["1686925000", "1800000000", "x", ""] {
            let answer = h.get(&format!("{path}?time={time}")).await;
            assert_eq!(answer.error(), (501, "not_supported".into()), "{time}");
        }
        assert_eq!(h.get(&format!("{path}?a=b")).await.status, 200);
    })
    .await;
}

async fn list_uri(h: &Harness) -> String {
    let seen = h.newest().await;
    seen["status_list"]["uri"].as_str().unwrap().to_owned()
}

async fn newest_id(h: &Harness) -> String {
    h.newest().await["id"].as_str().unwrap().to_owned()
}

async fn forget_lists(core: &Core) {
    core.db
        .write(async move |tx| {
            execute!(tx, sqlx::query("DELETE FROM issuer_credentials"))?;
            execute!(tx, sqlx::query("DELETE FROM issuer_status_lists")).map(drop)
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn the_background_job_publishes_and_renews() {
    everywhere(async |h| {
        h.issue(&h.holder(1)).await;
        let core = h.issuer.core();
        assert_eq!(status::publish_due(core).await.unwrap(), 1);
        assert_eq!(status::publish_due(core).await.unwrap(), 0);
        let id = h.newest().await["id"].as_str().unwrap().to_owned();
        h.admin_post(&format!("/v1/credentials/{id}/revoke"), "", &[])
            .await;
        assert_eq!(status::publish_due(core).await.unwrap(), 1);
        h.clock.advance(core.settings.status.lifetime_s / 2);
        assert_eq!(status::publish_due(core).await.unwrap(), 1);
        assert_eq!(status::publish_due(core).await.unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_full_list_is_followed_by_a_new_one() {
    let text = config_text("").replace("list_size = 4096", "list_size = 16");
    with_config(&text, async |h| {
        let core = h.issuer.core();
        let mut seen = BTreeSet::new();
        for seed in 0..40 {
            h.issue(&h.holder(seed + 1)).await;
            let item = h.newest().await;
            assert!(
                seen.insert(item["status_list"].to_string()),
                "an index was used twice"
            );
        }
        let lists = status::publish_due(core).await.unwrap();
        assert!(lists >= 3, "{lists}");
    })
    .await;
}

#[tokio::test]
async fn cat_224_indices_are_uniform_and_unrelated() {
    const CELLS: usize = 256;
    const DRAWS: usize = 100_000;
    const SIZE: u64 = 131_072;
    with_config(&config_text(""), async |h| {
        let core = h.issuer.core();
        let mut cells = [0u32; CELLS];
        let (mut rises, mut last) = (0, 0);
        for _ in 0..DRAWS {
            let index = places::random_below(core, SIZE).unwrap();
            cells[usize::try_from(index).unwrap() / (131_072 / CELLS)] += 1;
            rises += u32::from(index > last);
            last = index;
        }
        let expected = 100_000.0 / 256.0;
        let square = |count: &u32| (f64::from(*count) - expected).powi(2) / expected;
        let chi: f64 = cells.iter().map(square).sum();
        // 255 degrees of freedom: above 330.5 with probability 0.001.
        assert!(chi < 330.5, "chi-square {chi}");
        // The next index is higher about half of the time; a counter's always is.
        assert!((49_000..51_000).contains(&rises), "{rises}");
    })
    .await;
}

#[test]
fn a_service_does_not_start_with_a_ttl_of_0() {
    let settings = |ttl: u32| {
        let text = config_text("").replace("list_size", &format!("ttl_s = {ttl}\nlist_size"));
        let config: crate::Config = vouchsafe_service::config::parse(&text).unwrap();
        config.settings().map(drop)
    };
    assert!(settings(1).is_ok());
    assert!(settings(0).is_err());
}
