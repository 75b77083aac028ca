//! Applications that nobody here wrote, with the lines of `examples/apps`: a person logs in to each.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use tokio::process::Command;
use url::Url;
use vouchsafe_tests::application::{Application, show_card};
use vouchsafe_tests::browser::Browser;
use vouchsafe_tests::database::Kind;
use vouchsafe_tests::page::Page;
use vouchsafe_tests::peer::{self, Peer};
use vouchsafe_tests::relying_party::Registration;
use vouchsafe_tests::wallet::Wallet;
use vouchsafe_tests::world::{Options, World};

/// A file of `examples/apps`.
fn example(file: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/apps");
    root.join(file)
}

/// Somebody with a membership card, a browser of theirs and an application.
struct Scene {
    world: World,
    wallet: Wallet,
    app: Registration,
    origin: Url,
}

impl Scene {
    async fn with(edit_verifier: fn(String) -> String) -> Result<Self> {
        let world = World::with(Options {
            edit_verifier,
            ..Options::new(Kind::Sqlite)
        })
        .await?;
        let wallet = world.wallet()?;
        let offer = world.admin().offer_membership("M-1").await?;
        wallet.take(&offer.link, None).await?;
        let app = world.registration("shop").context("no shop")?.clone();
        let origin = app.origin.parse()?;
        Ok(Self {
            world,
            wallet,
            app,
            origin,
        })
    }

    fn browser(&self) -> Browser {
        self.world.browser().visiting(&self.origin)
    }

    /// The variables that all of the examples take.
    fn variables(&self) -> [(&'static str, &str); 4] {
        [
            ("ISSUER", &self.world.verifier_url),
            ("CLIENT_ID", &self.app.id),
            ("CLIENT_SECRET", &self.app.secret),
            ("ORIGIN", &self.app.origin),
        ]
    }

    /// From the application's first page to what it says to those who logged in.
    async fn log_in(&self, browser: &mut Browser) -> Result<Page> {
        let asking = browser.travel(self.app.origin.as_str()).await?;
        show_card(browser, &self.wallet, &asking).await
    }
}

/// A script of `examples/apps` beside the packages of `tests/peers`.
pub fn node(file: &str, package: &str) -> Result<Option<(tempfile::TempDir, Command)>> {
    let Some(peers) = peer::script(package, "") else {
        return Ok(None);
    };
    let folder = tempfile::tempdir()?;
    let modules = peers.join("node_modules").canonicalize()?;
    std::os::unix::fs::symlink(modules, folder.path().join("node_modules"))?;
    let script = folder.path().join("app.mjs");
    std::fs::copy(example(file), &script)?;
    let mut command = Command::new("node");
    command.arg(script);
    Ok(Some((folder, command)))
}

#[tokio::test]
async fn a_page_on_openid_client() {
    let Some((_folder, mut command)) = node("node/app.mjs", "openid-client").unwrap() else {
        return;
    };
    let scene = Scene::with(|text| text).await.unwrap();
    command.envs(scene.variables());
    let app = Application::start(command, &scene.app.origin)
        .await
        .unwrap();
    let mut browser = scene.browser();
    let page = scene.log_in(&mut browser).await.unwrap();
    assert_eq!(page.body, "Hello, gold member!", "{}", app.log());
    // Who brings the answer of somebody else's login is not logged in (login CSRF).
    let mut other = scene.browser();
    let again = other.travel(page.url.as_str()).await.unwrap();
    assert_eq!(
        (again.status, again.body.as_str()),
        (400, "The login failed.")
    );
}

#[tokio::test]
async fn a_page_on_auth_js() {
    let Some((_folder, mut command)) = node("authjs/app.mjs", "@auth/express").unwrap() else {
        return;
    };
    let scene = Scene::with(|text| text.replace("/callback\"]", "/auth/callback/vouchsafe\"]"))
        .await
        .unwrap();
    command.envs(scene.variables()).envs([
        ("AUTH_SECRET", "a secret of thirty-three characters"),
        ("AUTH_TRUST_HOST", "true"),
    ]);
    let app = Application::start(command, &scene.app.origin)
        .await
        .unwrap();
    let page = through_auth_js(&scene).await.unwrap();
    assert_eq!(page.body, "Hello, gold member!", "{}", app.log());
}

/// Auth.js shows a page with a button first.
async fn through_auth_js(scene: &Scene) -> Result<Page> {
    let mut browser = scene.browser();
    let choice = browser.travel(scene.app.origin.as_str()).await?;
    let token = choice.attribute("name=\"csrfToken\"", "value")?;
    let button = scene.origin.join("/auth/signin/vouchsafe")?;
    let fields = [
        ("csrfToken", token.as_str()),
        ("callbackUrl", scene.origin.as_str()),
    ];
    let sent = browser.post(button.as_str(), &fields).await?;
    let asking = browser.follow(sent, |_, _| true).await?;
    show_card(&mut browser, &scene.wallet, &asking).await
}

#[tokio::test]
async fn a_page_on_spring_security() {
    let Some(program) = peer::built("examples/apps/spring/target/members-1.jar") else {
        return;
    };
    let scene = Scene::with(|text| text.replace("/callback\"]", "/login/oauth2/code/vouchsafe\"]"))
        .await
        .unwrap();
    let mut command = Command::new("java");
    let port = scene.origin.port().unwrap();
    command.arg("-jar").arg(program);
    command.envs(scene.variables()).envs([
        ("SERVER_PORT", port.to_string().as_str()),
        ("SERVER_ADDRESS", "127.0.0.1"),
    ]);
    let app = Application::start(command, &scene.app.origin)
        .await
        .unwrap();
    let page = scene.log_in(&mut scene.browser()).await.unwrap();
    assert_eq!(page.body, "Hello, gold member!", "{}", app.log());
}

/// A folder of files behind Apache, which knows nothing of logins itself.
#[tokio::test]
async fn a_folder_behind_apache() {
    let modules = Path::new("/usr/lib/apache2/modules");
    let Some(_) = peer::built(modules.join("mod_auth_openidc.so")) else {
        return;
    };
    let scene = Scene::with(|text| text).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = apache(&scene, folder.path(), modules).unwrap();
    let mut command = Command::new("/usr/sbin/apache2");
    // One process, which ends with the test.
    command.arg("-X").arg("-f").arg(file);
    let app = Application::start(command, &scene.app.origin)
        .await
        .unwrap();
    let mut browser = scene.browser();
    let page = scene.log_in(&mut browser).await.unwrap();
    assert_eq!(page.body, "For members.", "{}", app.log());
    let again = browser.get(scene.app.origin.as_str()).await.unwrap();
    assert_eq!(again.status, 200, "no session of its own");
}

/// The configuration of a whole Apache around `examples/apps/apache`.
fn apache(scene: &Scene, folder: &Path, modules: &Path) -> Result<PathBuf> {
    use std::fmt::Write;
    let port = scene.origin.port().context("no port")?;
    let mut text = format!(
        "ServerRoot {folder:?}\nServerName 127.0.0.1\nListen 127.0.0.1:{port}\nPidFile pid\nErrorLog error.log\n"
    );
    for module in [
        "mpm_event",
        "authn_core",
        "authz_core",
        "authz_user",
        "dir",
        "auth_openidc",
    ] {
        let object = modules.join(format!("mod_{module}.so"));
        writeln!(text, "LoadModule {module}_module {object:?}")?;
    }
    for (name, value) in scene.variables() {
        writeln!(text, "Define {name} {value}")?;
    }
    writeln!(text, "Define PASSPHRASE a-passphrase-of-tests")?;
    let page = folder.join("htdocs");
    std::fs::create_dir(&page)?;
    std::fs::write(page.join("index.html"), "For members.")?;
    writeln!(text, "DocumentRoot {page:?}\nDirectoryIndex index.html")?;
    writeln!(text, "Include {:?}", example("apache/vouchsafe.conf"))?;
    let file = folder.join("apache.conf");
    std::fs::write(&file, text)?;
    Ok(file)
}

/// A business whose applications know Keycloak alone: Keycloak sends people on to show their card.
#[tokio::test]
async fn an_application_behind_keycloak() {
    let Some(keycloak) = peer::built("tests/peers/keycloak/target/keycloak-26.4.5") else {
        return;
    };
    let scene = Scene::with(|text| {
        text.replace(
            "/callback\"]",
            "/realms/business/broker/vouchsafe/endpoint\"]",
        )
    })
    .await
    .unwrap();
    let home = tempfile::tempdir().unwrap();
    let app = start_keycloak(&scene, &keycloak, home.path())
        .await
        .unwrap();
    let said = through_keycloak(&scene).await;
    let said = said.with_context(|| app.log()).unwrap();
    assert_eq!(said["userinfo"]["membership_tier"], "gold", "{said}");
}

async fn start_keycloak(scene: &Scene, program: &Path, home: &Path) -> Result<Application> {
    let copied = Command::new("cp").arg("-a").arg(program).arg(home).status();
    ensure!(copied.await?.success(), "Keycloak was not copied");
    let home = home.join(program.file_name().context("no name")?);
    let import = home.join("data/import");
    std::fs::create_dir_all(&import)?;
    std::fs::copy(example("keycloak/realm.json"), import.join("realm.json"))?;
    let mut command = Command::new(home.join("bin/kc.sh"));
    command.args([
        "start-dev",
        "--db=dev-mem",
        "--http-host=127.0.0.1",
        "--import-realm",
    ]);
    let port = scene.origin.port().context("no port")?;
    command.arg(format!("--http-port={port}"));
    command.envs([
        ("VOUCHSAFE", scene.world.verifier_url.as_str()),
        ("CLIENT_ID", &scene.app.id),
        ("CLIENT_SECRET", &scene.app.secret),
        ("APP", APP),
        ("APP_SECRET", "a-secret-of-the-application"),
    ]);
    Application::start(command, &scene.app.origin).await
}

/// The application behind Keycloak is only an address here: its part is played by openid-client.
const APP: &str = "http://127.0.0.1:9";

async fn through_keycloak(scene: &Scene) -> Result<serde_json::Value> {
    let script = peer::script("openid-client", "openid-client.mjs").context("no script")?;
    let realm = format!("{}/realms/business", scene.app.origin);
    let mut app = Peer::start(
        &script,
        &[
            ("ISSUER", &realm),
            ("CLIENT_ID", "app"),
            ("CLIENT_SECRET", "a-secret-of-the-application"),
            ("ORIGIN", APP),
            ("ALG", "RS256"),
            ("SCOPE", "openid"),
        ],
    )?;
    let asked = app.says().await?;
    let mut browser = scene.browser();
    let start = asked["authorize"].as_str().context("no address")?;
    let choice = browser.get(start).await?;
    let button = choice.attribute("id=\"social-vouchsafe\"", "href")?;
    let asking = browser.travel(choice.url.join(&button)?.as_str()).await?;
    let shown = scene
        .wallet
        .show(&asking.attribute("id=\"show-card\"", "href")?)
        .await?;
    let first = browser.get(shown.redirect_uri.as_str()).await?;
    let last = browser
        .follow(first, |_, next| !next.as_str().starts_with(APP))
        .await?;
    app.hears(last.location()?.as_str()).await?;
    app.says().await
}
