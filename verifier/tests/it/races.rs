//! Exactly once, however many come at the same time.

use axum::http::StatusCode;
use futures::future::join_all;

use crate::world::on_each_database;
use crate::world::steps::{begin, rows, same_device, wallet_link};

#[tokio::test]
async fn cat_299_fifty_answers_to_one_request() {
    on_each_database(async |world| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        let (_, page) = begin(
            &mut browser,
            &world.shop().authorize("openid membership", &[]),
        )
        .await;
        let asked = wallet.open(&wallet_link(&page)).await;
        let body = wallet.response(&asked).await;
        let answers = join_all((0..50).map(|_| wallet.post(&asked.request, &body))).await;
        let (accepted, refused): (Vec<_>, Vec<_>) = answers
            .into_iter()
            .partition(|answer| answer.status == StatusCode::OK);
        assert_eq!(accepted.len(), 1);
        assert!(
            refused
                .iter()
                .all(|answer| answer.json()["reason"] == "already_answered")
        );
        assert_eq!(rows(&world, "consents").await, 1);
        let back = accepted[0].json()["redirect_uri"]
            .as_str()
            .unwrap()
            .to_owned();
        world.shop().code(&browser.get(&back).await);
    })
    .await;
}

#[tokio::test]
async fn cat_358_fifty_redemptions_of_one_code() {
    on_each_database(async |world| {
        let wallet = world.person("M-1").await;
        let shop = world.shop();
        let code = shop.code(
            &same_device(
                &mut world.browser(),
                &wallet,
                &shop.authorize("openid age", &[]),
            )
            .await,
        );
        let answers = join_all((0..50).map(|_| shop.redeem(&code))).await;
        let (good, bad): (Vec<_>, Vec<_>) = answers
            .into_iter()
            .partition(|answer| answer.status == StatusCode::OK);
        assert_eq!(good.len(), 1);
        assert!(
            bad.iter()
                .all(|answer| answer.json()["error"] == "invalid_grant")
        );
        // The others were replays, so the one token is gone as well.
        let token = good[0].json()["access_token"].as_str().unwrap().to_owned();
        assert_eq!(shop.userinfo(&token).await.status, StatusCode::UNAUTHORIZED);
    })
    .await;
}

#[tokio::test]
async fn twenty_first_logins_of_one_person_make_one_account() {
    on_each_database(async |world| {
        let wallet = world.person("M-1").await;
        let subs = join_all((0..20).map(|_| async {
            let shop = world.shop();
            let answer = same_device(
                &mut world.browser(),
                &wallet,
                &shop.authorize("openid membership", &[]),
            )
            .await;
            shop.tokens(&shop.code(&answer)).await.sub().to_owned()
        }))
        .await;
        assert!(subs.iter().all(|sub| *sub == subs[0]));
        assert_eq!(rows(&world, "subjects").await, 1);
        assert_eq!(rows(&world, "subject_means").await, 1);
    })
    .await;
}
