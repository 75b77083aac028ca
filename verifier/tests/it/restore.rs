//! Copies of the database, and what is dead when one is put to use.

use axum::http::StatusCode;
use vouchsafe_service::db::{Db, testing};
use vouchsafe_verifier::restore::{RestoreError, backup, restore, restored};
use vouchsafe_verifier::store::MIGRATIONS;
use vouchsafe_verifier::{OpenError, Verifier};

use crate::world::browser::Browser;
use crate::world::steps::{begin, log_in, qr_link, same_device};
use crate::world::wallet::Wallet;
use crate::world::{NOW, World};

fn at(url: &str) -> impl Fn(String) -> String {
    move |toml| toml.replace("sqlite:unused", url)
}

/// What somebody holds of the time before.
struct Held {
    sub: String,
    browser: Browser,
    code: String,
    access_token: String,
    refresh_token: String,
    /// A page that waits for a wallet.
    login: String,
    wallet: Wallet,
}

async fn held(world: &World) -> Held {
    let wallet = world.person("M-1").await;
    let shop = world.shop();
    let mut browser = world.browser();
    let asked = shop.authorize("openid membership offline_access", &[]);
    let answer = same_device(&mut browser, &wallet, &asked).await;
    let tokens = shop.redeem(&shop.code(&answer)).await.json();
    let text = |name: &str| tokens[name].as_str().unwrap().to_owned();
    let claims = shop.id_token(&text("id_token")).await;
    log_in(&mut browser, &wallet, &world.cafe(), "openid membership").await;
    let answer = same_device(&mut browser, &wallet, &asked).await;
    let asked = shop.authorize("openid membership", &[]);
    let (login, _) = begin(&mut browser, &asked).await;
    Held {
        sub: claims["sub"].as_str().unwrap().to_owned(),
        code: shop.code(&answer),
        access_token: text("access_token"),
        refresh_token: text("refresh_token"),
        login,
        browser,
        wallet,
    }
}

/// Nothing of the time before is good; everybody is who they were; the applications were told.
async fn all_is_over(world: &World, held: Held) {
    let shop = world.shop();
    let dead = "invalid_grant";
    assert_eq!(shop.redeem(&held.code).await.json()["error"], dead);
    assert_eq!(
        shop.refresh(&held.refresh_token).await.json()["error"],
        dead
    );
    let answer = shop.userinfo(&held.access_token).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    let mut browser = held.browser.at(world.router());
    let page = browser.get("/account").await;
    page.assert_page(StatusCode::OK, "You are not logged in here");
    let page = browser.get(&held.login).await;
    assert_eq!(page.status, StatusCode::NOT_FOUND, "{}", page.body);
    let asked = shop.authorize("openid membership", &[("prompt", "none")]);
    assert_eq!(shop.error(&browser.get(&asked).await), "login_required");
    world.tick().await;
    let told = world.network.logouts().len();
    assert_eq!(told, 2, "shop and café are told");
    let wallet = held.wallet.at(world.router());
    let tokens = log_in(&mut world.browser(), &wallet, &shop, "openid membership").await;
    assert_eq!(tokens.sub(), held.sub);
}

#[tokio::test]
async fn cat_371_nothing_of_before_a_restore_is_good_again() {
    let folder = tempfile::tempdir().unwrap();
    let url = |name: &str| format!("sqlite:{}", folder.path().join(name).display());
    let first = testing::sqlite(&[MIGRATIONS]).await;
    let mut world = World::with_config(first.db.clone(), at(&first.url)).await;
    let held = held(&world).await;
    let copy = folder.path().join("copy.sqlite");
    let config = world.configured(at(&first.url));
    let head = backup(&config, &world.ports(), &copy).await.unwrap();
    // The copy itself is not served.
    let served = world.configured(at(&url("copy.sqlite")));
    let refused = Verifier::open(served, world.ports()).await;
    assert!(
        matches!(refused, Err(OpenError::Instance(_))),
        "{refused:?}"
    );
    let new = url("new.sqlite");
    let target = world.configured(at(&new));
    let done = restore(&target, &world.ports(), &copy, Some(&head)).await;
    let done = done.unwrap();
    assert_eq!((done.epoch, done.lost, done.ended), (1, Some(0), 2));
    world.moves(Db::open(&new).await.unwrap(), at(&new)).await;
    all_is_over(&world, held).await;
    // Nothing is put on top of something.
    let again = restore(&target, &world.ports(), &copy, None).await;
    assert!(matches!(again, Err(RestoreError::File { .. })), "{again:?}");
}

/// As after `pg_restore`, which leaves no mark.
#[tokio::test]
async fn cat_371_a_database_that_came_back_by_other_means_is_made_fit_for_use() {
    let folder = tempfile::tempdir().unwrap();
    let mut urls = vec![format!("sqlite:{}", folder.path().join("db").display())];
    urls.extend(testing::postgres_url().await);
    for url in urls {
        let db = Db::open(&url).await.unwrap();
        db.migrate(&[MIGRATIONS], NOW).await.unwrap();
        let mut world = World::with_config(db.clone(), at(&url)).await;
        let held = held(&world).await;
        // The service does not run meanwhile.
        db.close().await;
        let config = world.configured(at(&url));
        let done = restored(&config, &world.ports(), None).await.unwrap();
        assert_eq!((done.epoch, done.ended), (1, 2));
        world.moves(Db::open(&url).await.unwrap(), at(&url)).await;
        all_is_over(&world, held).await;
    }
}

/// What travels in cookies and addresses is sealed under keys of the epoch.
#[tokio::test]
async fn cat_371_what_was_sealed_into_a_cookie_before_a_restore_does_not_open() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("db").display());
    let db = Db::open(&url).await.unwrap();
    db.migrate(&[MIGRATIONS], NOW).await.unwrap();
    let mut world = World::with_config(db.clone(), at(&url)).await;
    let wallet = world.person("M-1").await;
    let (mut desk, mut phone) = (world.browser(), world.browser());
    let asked = world.shop().authorize("openid membership", &[]);
    let (path, _) = begin(&mut desk, &asked).await;
    let back = wallet.follow(&qr_link(&mut desk, &path).await).await;
    assert_eq!(phone.get(&back).await.location(), "/vp/number");
    let shown = phone.get("/vp/number").await;
    assert!(shown.body.contains("id=\"number\""), "{}", shown.body);
    db.close().await;
    let config = world.configured(at(&url));
    restored(&config, &world.ports(), None).await.unwrap();
    world.moves(Db::open(&url).await.unwrap(), at(&url)).await;
    let after = phone.at(world.router()).get("/vp/number").await;
    assert!(!after.body.contains("id=\"number\""), "{}", after.body);
}
