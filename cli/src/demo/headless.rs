//! The story, played with the built-in wallet and a browser without a screen.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use vouchsafe_wallet_core::history::Outcome;

use super::browser::{Browser, Page};
use super::played::{PLAYED, Played, WRITTEN};
use super::report::{Shown, print};
use super::services::Running;

const LOCALES: [&str; 1] = ["en"];
/// The longest that a revocation may take to end a session: the status
/// refresh and five seconds.
const SESSION_END: Duration = Duration::from_secs(6);

/// Plays every step; an error names the steps that did not hold.
pub async fn play(running: &Running, json: bool) -> Result<()> {
    let mut story = Story {
        running,
        browser: Browser::new(running.fetcher.clone()),
    };
    let started = Instant::now();
    let mut failed = Vec::new();
    for step in [
        "age",
        "join",
        "login",
        "step_up",
        "revoke",
        "history",
        "dashboard",
    ] {
        let result = match step {
            "age" => story.age().await,
            "join" => story.join().await,
            "login" => story.login().await,
            "step_up" => story.step_up().await,
            "revoke" => story.revoke().await,
            "history" => story.history().await,
            _ => story.dashboard().await,
        };
        if !print(step, &result, json) {
            failed.push(step);
        }
    }
    if !failed.is_empty() {
        bail!("these steps did not hold: {}", failed.join(", "));
    }
    eprintln!(
        "every step held, in {:.1} s",
        started.elapsed().as_secs_f32()
    );
    Ok(())
}

struct Story<'a> {
    running: &'a Running,
    browser: Browser,
}

/// A login as both sides saw it.
struct Login {
    page: Page,
    kept: Vec<String>,
}

impl Story<'_> {
    /// The shop asks for proof of 18 or older and learns one fact.
    async fn age(&mut self) -> Result<Shown> {
        self.take_card("age").await?;
        let Login { page, kept } = self.log_in("age").await?;
        let userinfo = json_of(&page, "userinfo")?;
        let members: Vec<&String> = userinfo
            .as_object()
            .context("UserInfo is no object")?
            .keys()
            .collect();
        ensure!(
            userinfo["age_over_18"] == true,
            "the shop did not learn that the person is 18 or older"
        );
        ensure!(
            members
                .iter()
                .all(|name| ["sub", "age_over_18"].contains(&name.as_str())),
            "the shop learned more: {members:?}"
        );
        let id_token = json_of(&page, "id-token")?;
        let acr = id_token["acr"].as_str().unwrap_or_default().to_owned();
        self.leave().await?;
        Ok(Shown::new("the shop learned one fact and keeps no account")
            .proven("age_over_18", userinfo["age_over_18"].clone())
            .kept(kept)
            .detail("acr", acr))
    }

    /// A membership card lands in the wallet.
    async fn join(&mut self) -> Result<Shown> {
        self.take_card("membership").await?;
        let cards = self.running.wallet()?.cards(&LOCALES)?;
        let card = cards
            .iter()
            .find(|card| card.vct == "urn:vouchsafe:membership:1")
            .context("no membership card")?;
        Ok(Shown::new(format!(
            "the club issued \"{}\" into the wallet",
            card.title
        ))
        .detail("cards", cards.len())
        .detail("copies", card.fresh_copies.1))
    }

    /// Two visits with the card: the same person, known by a pairwise identifier.
    async fn login(&mut self) -> Result<Shown> {
        let Login { page, kept } = self.log_in("membership").await?;
        let first = json_of(&page, "userinfo")?;
        ensure!(
            first.get("member_id").is_none(),
            "the shop learned the member number"
        );
        self.leave().await?;
        let mut elsewhere = Browser::new(self.running.fetcher.clone());
        std::mem::swap(&mut self.browser, &mut elsewhere);
        let again = self.log_in("membership").await?;
        std::mem::swap(&mut self.browser, &mut elsewhere);
        let second = json_of(&again.page, "userinfo")?;
        ensure!(
            first["sub"] == second["sub"],
            "the same card gave two identifiers"
        );
        let id_token = json_of(&again.page, "id-token")?;
        self.browser = elsewhere;
        Ok(
            Shown::new("signed in twice with the card, the same identifier both times")
                .proven("membership_tier", second["membership_tier"].clone())
                .proven(
                    "membership_valid_until",
                    second["membership_valid_until"].clone(),
                )
                .kept(["Membership number".to_owned()])
                .kept(kept)
                .detail("sub", second["sub"].clone())
                .detail("acr", id_token["acr"].clone())
                .detail("amr", id_token["amr"].clone()),
        )
    }

    /// At home the session is enough; from another country the card is asked for, with the reason.
    async fn step_up(&mut self) -> Result<Shown> {
        let shop = self.running.addresses.shop.clone();
        let home = self.browser.open(&format!("{shop}/login/again")).await?;
        ensure!(
            home.has("visitor"),
            "a session at home did not sign the person in"
        );
        let elsewhere = format!("{shop}/elsewhere");
        let asked = self
            .browser
            .submit(&elsewhere, &[("place", "abroad")])
            .await?;
        let reason = asked.text("why-again")?;
        let Login { page, .. } = self.show(&asked).await?;
        let id_token = json_of(&page, "id-token")?;
        let before = json_of(&home, "id-token")?;
        ensure!(
            id_token["sub"] == before["sub"],
            "the card led to somebody else"
        );
        let amr = id_token["amr"].as_array().context("no amr")?;
        ensure!(
            amr.iter().any(|method| method == "rba"),
            "the risk did not decide: {amr:?}"
        );
        let amr = id_token["amr"].clone();
        self.browser
            .submit(&elsewhere, &[("place", "home")])
            .await?;
        Ok(Shown::new(
            "at home nothing was asked; in another country the card was, and the page said why",
        )
        .detail("reason", reason)
        .detail("amr", amr))
    }

    /// The club revokes the card: the visit ends, the next login is refused.
    async fn revoke(&mut self) -> Result<Shown> {
        let shop = self.running.addresses.shop.clone();
        ensure!(
            self.browser.open(&shop).await?.has("visitor"),
            "nobody is signed in"
        );
        let cards = self.issuer("GET", "/v1/credentials?limit=100").await?;
        let cards = cards["items"]
            .as_array()
            .context("no list of cards")?
            .clone();
        let started = Instant::now();
        for card in cards
            .iter()
            .filter(|card| card["credential_type"] == "membership")
        {
            let id = card["id"].as_str().context("a card without an id")?;
            self.issuer("POST", &format!("/v1/credentials/{id}/revoke"))
                .await?;
        }
        while self.browser.open(&shop).await?.has("visitor") {
            ensure!(
                started.elapsed() < SESSION_END,
                "the visit goes on after {SESSION_END:?}"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let ended_after = started.elapsed();
        match self.log_in("membership").await {
            Ok(login) => ensure!(
                !login.page.has("visitor"),
                "a revoked card signed somebody in"
            ),
            Err(error) => ensure!(error.to_string().contains("refused"), "{error:#}"),
        }
        Ok(Shown::new(format!(
            "the club revoked the card; the visit ended after {:.1} s and the next login was refused",
            ended_after.as_secs_f32()
        ))
        .detail("ended_after_ms", u64::try_from(ended_after.as_millis())?))
    }

    /// The wallet shows who saw what; a consent is withdrawn and the visit ends.
    async fn history(&mut self) -> Result<Shown> {
        // A new card: the club took the person back.
        self.take_card("membership").await?;
        let shop = self.running.addresses.shop.clone();
        ensure!(
            self.log_in("membership").await?.page.has("visitor"),
            "the new card does not sign in"
        );
        let history = self.running.wallet()?.history()?;
        let shown = history
            .iter()
            .filter(|entry| entry.outcome == Outcome::Completed && entry.consent_uri.is_some());
        let latest = shown
            .clone()
            .next()
            .context("the history has no presentation")?;
        let withdrawn = self.running.wallet()?.withdraw(&latest.id).await?;
        ensure!(
            withdrawn.withdrawn_at.is_some(),
            "the history does not know that the consent was withdrawn"
        );
        let started = Instant::now();
        while self.browser.open(&shop).await?.has("visitor") {
            ensure!(
                started.elapsed() < SESSION_END,
                "the visit goes on after the consent was withdrawn"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(Shown::new(format!(
            "the wallet remembers {} events without their values; a consent was withdrawn and the shop was told",
            history.len()
        ))
        .detail("events", history.len())
        .detail("presentations", shown.count()))
    }

    /// The numbers of the login service are those of this story.
    async fn dashboard(&self) -> Result<Shown> {
        let started = Instant::now();
        let numbers = loop {
            let numbers = self.running.numbers().await?;
            if Played::of(&numbers) == PLAYED {
                break numbers;
            }
            ensure!(
                started.elapsed() < WRITTEN,
                "the numbers are not those of the story: {:?}",
                Played::of(&numbers)
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        let mut shown = Shown::new(
            "the business reads 6 logins that succeeded, one that was refused, two registrations, one step-up",
        );
        for tile in numbers["tiles"].as_array().context("no numbers")? {
            let id = tile["id"].as_str().context("a number without a name")?;
            shown = shown.detail(id, tile["value"].clone());
        }
        Ok(shown)
    }

    /// At the club's counter: an offer, straight into the wallet.
    async fn take_card(&mut self, card: &str) -> Result<()> {
        let url = format!("{}/club/offers", self.running.addresses.shop);
        let page = self
            .browser
            .submit(&url, &[("card", card), ("tier", "gold")])
            .await?;
        let offer = page.text("offer-uri")?;
        self.running.wallet()?.add_offer(&offer, None).await?;
        Ok(())
    }

    /// From the shop to the provider, to the wallet, and back.
    async fn log_in(&mut self, purpose: &str) -> Result<Login> {
        let url = format!("{}/login/{purpose}", self.running.addresses.shop);
        let page = self.browser.open(&url).await?;
        self.show(&page).await
    }

    /// Shows the card that a page of the provider asks for.
    async fn show(&mut self, page: &Page) -> Result<Login> {
        let link = page.link("show-card")?;
        let wallet = self.running.wallet()?;
        let prepared = wallet
            .prepare(&link, &LOCALES)
            .await
            .map_err(|refused| refused.error)?;
        let suggested = prepared.consent.suggested.clone();
        let options: Vec<_> = suggested
            .picks
            .iter()
            .filter_map(|pick| prepared.consent.option(pick))
            .collect();
        let kept = options
            .iter()
            .flat_map(|option| &option.keeps)
            .map(ToString::to_string)
            .collect();
        let presented = match wallet.respond(prepared.session, &suggested).await {
            Ok(presented) => presented,
            Err(unanswered) => return Err(unanswered.error).context("the card was refused"),
        };
        let back = presented.redirect_uri.context("the answer leads nowhere")?;
        let page = self.browser.open(back.as_str()).await?;
        Ok(Login { page, kept })
    }

    async fn leave(&mut self) -> Result<()> {
        let url = format!("{}/logout", self.running.addresses.shop);
        ensure!(
            !self.browser.submit(&url, &[]).await?.has("visitor"),
            "the shop does not let go"
        );
        Ok(())
    }

    /// Calls the issuer's REST interface as the club does.
    async fn issuer(&self, method: &str, path: &str) -> Result<Value> {
        let url = format!("{}{path}", self.running.addresses.issuer);
        self.running.ask(method, &url, &self.running.api_key).await
    }
}

/// The JSON that the shop shows in an element.
fn json_of(page: &Page, id: &str) -> Result<Value> {
    serde_json::from_str(&page.text(id)?).with_context(|| format!("{id} is not JSON"))
}
