//! Two processes on one PostgreSQL, a load balancer that sends each request to the other one, and
//! one of them is killed in the middle of a login: it is finished, or a page says that it has to
//! begin again, and then it is finished. Nothing works twice.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use url::Url;
use vouchsafe_tests::balancer::Balancer;
use vouchsafe_tests::browser::Browser;
use vouchsafe_tests::database::Kind;
use vouchsafe_tests::page::Page;
use vouchsafe_tests::process::{Conditions, Process, free_port};
use vouchsafe_tests::relying_party::{Attempt, RelyingParty};
use vouchsafe_tests::wallet::Wallet;
use vouchsafe_tests::world::{Options, World};

use crate::support::{accounts, rounds};

/// How often a person, a wallet or an application tries again before they give up.
const PATIENCE: usize = 60;
const PAUSE: Duration = Duration::from_millis(200);

struct Scene {
    world: World,
    wallet: Wallet,
    shop: RelyingParty,
    balancer: Balancer,
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_two_processes_is_killed_in_the_middle_of_logins() {
    if !Kind::available().contains(&Kind::Postgres) {
        eprintln!("skipped: two processes (they need PostgreSQL)");
        return;
    }
    kills().await.unwrap();
}

async fn kills() -> Result<()> {
    let mut world = World::with(Options::new(Kind::Postgres)).await?;
    world.verifier.kill().await?;
    let (mut processes, addresses) = two_processes(&world).await?;
    let public = Url::parse(&world.verifier_url)?;
    let address = SocketAddr::from(([127, 0, 0, 1], public.port().context("no port")?));
    let scene = Scene {
        wallet: world.wallet()?,
        shop: world.relying_party("shop").await?,
        balancer: Balancer::start(address, addresses).await?,
        world,
    };
    let offer = scene.world.admin().offer_membership("M-1").await?;
    scene.wallet.take(&offer.link, None).await?;

    let begun = Instant::now();
    ensure!(scene.log_in().await? == 0, "a quiet login began again");
    let usual = begun.elapsed();
    let count = rounds(10, 1000);
    let mut again = 0;
    for round in 0..count {
        // At moments that are spread over the time of a login.
        let share = u32::try_from(round)? * 97 % 100;
        let moment = usual * share / 100;
        let process = &mut processes[round % 2];
        let killed = async {
            tokio::time::sleep(moment).await;
            process.kill().await
        };
        let (done, killed) = tokio::join!(scene.log_in(), killed);
        again += done.with_context(|| format!("round {round}, killed after {moment:?}"))?;
        killed?;
        process.restart().await?;
    }
    let broken = scene.balancer.broken();
    eprintln!("{count} kills, {broken} requests without an answer, {again} logins begun again");
    ensure!(count < 100 || broken > 0, "no kill hit a request");
    ensure!(accounts(&scene.world).await? == 1, "another account");
    Ok(())
}

/// The verifier of a world twice, each at a port of its own.
async fn two_processes(world: &World) -> Result<([Process; 2], Vec<SocketAddr>)> {
    let text = std::fs::read_to_string(world.folder.join("verifier.toml"))?;
    let place = world.folder.parent().context("no folder")?;
    let start = async |name: &str| {
        let address = SocketAddr::from(([127, 0, 0, 1], free_port("127.0.0.1")?));
        let own = text
            .lines()
            .map(|line| match line.starts_with("listen = ") {
                true => format!("listen = \"{address}\"\n"),
                false => format!("{line}\n"),
            });
        let file = format!("configuration/verifier-{name}.toml");
        std::fs::write(place.join(&file), own.collect::<String>())?;
        let arguments = ["verifier", "serve", "--config", &file];
        let process = Process::start(&arguments, place, Conditions::default()).await?;
        anyhow::Ok((process, address))
    };
    let ((one, first), (two, second)) = (start("one").await?, start("two").await?);
    Ok(([one, two], vec![first, second]))
}

/// Where a person stands.
enum At {
    /// On the page that asks for a card.
    Asked(Box<Page>),
    /// Back at the application, with a code.
    Back(String),
}

impl Scene {
    /// A login of a person who tries again where something breaks; how often it began again.
    async fn log_in(&self) -> Result<usize> {
        let mut browser = self.world.browser();
        for begun in 0..PATIENCE {
            let attempt = self.shop.attempt("membership")?;
            let (again, code) = self.code(&mut browser, &attempt).await?;
            // Where the answer to a redemption is lost, the application begins anew.
            if self.has_tokens(&attempt, &code).await? {
                return Ok(again + begun);
            }
        }
        bail!("no login within {PATIENCE} tries")
    }

    /// A code for the application, and how often it took another beginning.
    async fn code(&self, browser: &mut Browser, attempt: &Attempt) -> Result<(usize, String)> {
        let mut page = reloaded(browser, &attempt.url).await?;
        let mut again = 0;
        for _ in 0..PATIENCE {
            let next = match page.has("id=\"show-card\"") {
                true => self.answered(browser, attempt, &page).await?,
                false => At::Asked(Box::new(page)),
            };
            page = match next {
                At::Back(code) => return Ok((again, code)),
                At::Asked(page) => *page,
            };
            if page.has("id=\"again\"") {
                let link = page.url.join(&page.attribute("id=\"again\"", "href")?)?;
                page = reloaded(browser, link.as_str()).await?;
                again += 1;
            } else {
                ensure!(
                    page.has("id=\"show-card\""),
                    "stuck at {} {}",
                    page.status,
                    page.body
                );
                tokio::time::sleep(PAUSE).await;
            }
        }
        bail!("no code within {PATIENCE} tries")
    }

    /// The wallet answers, and the browser goes where it says.
    async fn answered(&self, browser: &mut Browser, attempt: &Attempt, page: &Page) -> Result<At> {
        let link = page.attribute("id=\"show-card\"", "href")?;
        let Ok(shown) = self.wallet.show(&link).await else {
            // The person looks at the page again: it knows whether the answer arrived.
            let page = reloaded(browser, page.url.as_str()).await?;
            return Ok(At::Asked(Box::new(page)));
        };
        let back = reloaded(browser, shown.redirect_uri.as_str()).await?;
        if back.status != 303 {
            ensure!(
                back.has("id=\"restart-login\""),
                "{} {}",
                back.status,
                back.body
            );
            return Ok(At::Asked(Box::new(back)));
        }
        let code = self.shop.code(attempt, &back)?;
        // The way back is used up.
        let twice = reloaded(browser, shown.redirect_uri.as_str()).await?;
        ensure!(twice.status >= 400, "the way back works twice");
        Ok(At::Back(code))
    }

    /// Redeems a code, once.
    async fn has_tokens(&self, attempt: &Attempt, code: &str) -> Result<bool> {
        let (body, lost) = self.redeemed(attempt, code).await?;
        let Some(body) = body else {
            ensure!(lost, "a code that was never shown is refused");
            return Ok(false);
        };
        for _ in 0..PATIENCE {
            if self.shop.check(attempt, &body).await.is_ok() {
                let (again, _) = self.redeemed(attempt, code).await?;
                ensure!(again.is_none(), "the code works twice");
                return Ok(true);
            }
            tokio::time::sleep(PAUSE).await;
        }
        bail!("tokens that are not good")
    }

    /// The tokens, or none where the code is refused; and whether an answer was lost before.
    async fn redeemed(&self, attempt: &Attempt, code: &str) -> Result<(Option<Value>, bool)> {
        let mut lost = false;
        for _ in 0..PATIENCE {
            match self.shop.redeem(attempt, code).await? {
                (200, body) => return Ok((Some(body), lost)),
                (400, body) if body["error"] == "invalid_grant" => return Ok((None, lost)),
                (502, _) => lost = true,
                (503, _) => {}
                (status, body) => bail!("{status} {body}"),
            }
            tokio::time::sleep(PAUSE).await;
        }
        bail!("the code is neither taken nor refused")
    }
}

/// Opens an address again while something in front of the service or below it is broken.
async fn reloaded(browser: &mut Browser, url: &str) -> Result<Page> {
    for _ in 0..PATIENCE {
        let page = browser.open(url).await?;
        if !matches!(page.status, 502 | 503) {
            return Ok(page);
        }
        tokio::time::sleep(PAUSE).await;
    }
    bail!("broken each time")
}
