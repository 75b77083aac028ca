//! People as they are planned, with wallets and browsers of their own.

use std::collections::HashSet;
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::clock::HeldClock;
use super::plan::{BEFORE, KNOWN, OVER, Plan};
use crate::demo::browser::{Browser, Page};
use crate::demo::services::Running;
use crate::wallet::handle::WalletHandle;

const LOCALES: [&str; 1] = ["en"];
/// Cards of the club that are looked at for a new one.
const LATEST: &str = "/v1/credentials?limit=40";

/// Plays all of them, until nobody is under way.
pub async fn all(running: &Running, clock: &HeldClock, plans: &[Plan]) -> Result<()> {
    let mut traffic = Traffic {
        running,
        clock,
        members: Vec::new(),
    };
    for (number, plan) in plans.iter().enumerate() {
        clock.advance(BEFORE);
        let played = traffic.play(*plan).await;
        played.with_context(|| format!("login {number}, {plan:?}"))?;
    }
    clock.advance(OVER);
    Ok(running.verifier.run_background_once().await?)
}

struct Member {
    wallet: WalletHandle,
    /// The browser of the first login.
    browser: Browser,
}

struct Traffic<'a> {
    running: &'a Running,
    clock: &'a HeldClock,
    members: Vec<Member>,
}

impl Traffic<'_> {
    async fn play(&mut self, plan: Plan) -> Result<()> {
        match plan {
            Plan::New { seconds } => self.join(seconds).await.map(drop),
            Plan::Withdrawn { seconds } => {
                let wallet = self.join(seconds).await?;
                self.withdraw(&wallet).await
            }
            Plan::Again { member, seconds } => {
                let wallet = self.member(member)?.wallet.clone();
                let mut browser = self.browser();
                let page = self.open(&mut browser, "membership").await?;
                self.show(&wallet, &mut browser, &page, seconds).await
            }
            Plan::Session { member } => {
                let url = format!("{}/login/again", self.running.addresses.shop);
                let page = self.member(member)?.browser.open(&url).await?;
                ensure!(page.has("visitor"), "the session did not answer");
                Ok(())
            }
            Plan::Abroad { member, seconds } => {
                let page = self.abroad(member).await?;
                let mut browser = self.browser();
                let Member {
                    wallet,
                    browser: own,
                } = self.member(member)?;
                std::mem::swap(own, &mut browser);
                let wallet = wallet.clone();
                // They do not come back: see the plans.
                self.show(&wallet, &mut browser, &page, seconds).await
            }
            Plan::AbroadNo { member } => {
                let page = self.abroad(member).await?;
                not_now(&mut self.member(member)?.browser, &page).await
            }
            Plan::Guest { seconds } => {
                let wallet = self.somebody("age").await?;
                let mut browser = self.browser();
                let page = self.open(&mut browser, "age").await?;
                self.show(&wallet, &mut browser, &page, seconds).await
            }
            Plan::No => {
                let mut browser = self.browser();
                let page = self.open(&mut browser, "membership").await?;
                not_now(&mut browser, &page).await
            }
            Plan::Declined => self.decline().await,
            Plan::Revoked => self.revoked().await,
            Plan::Away => {
                let mut browser = self.browser();
                self.open(&mut browser, "membership").await.map(drop)
            }
        }
    }

    fn browser(&self) -> Browser {
        Browser::new(Arc::clone(&self.running.fetcher))
    }

    fn member(&mut self, member: usize) -> Result<&mut Member> {
        let found = self.members.get_mut(member);
        found.context("a member who has not come yet")
    }

    /// The wallet of somebody new, with a card from the club's counter.
    async fn somebody(&self, card: &str) -> Result<WalletHandle> {
        let wallet = self.running.people()?.somebody()?;
        let url = format!("{}/club/offers", self.running.addresses.shop);
        let fields = [("card", card), ("tier", "gold")];
        let page = self.browser().submit(&url, &fields).await?;
        wallet.add_offer(&page.text("offer-uri")?, None).await?;
        Ok(wallet)
    }

    /// From the shop to the page of the login service that asks for a card.
    async fn open(&self, browser: &mut Browser, purpose: &str) -> Result<Page> {
        let url = format!("{}/login/{purpose}", self.running.addresses.shop);
        browser.open(&url).await
    }

    async fn join(&mut self, seconds: i64) -> Result<WalletHandle> {
        let wallet = self.somebody("membership").await?;
        let mut browser = self.browser();
        let page = self.open(&mut browser, "membership").await?;
        self.show(&wallet, &mut browser, &page, seconds).await?;
        self.members.push(Member {
            wallet: wallet.clone(),
            browser,
        });
        Ok(wallet)
    }

    /// Shows the card that a page asks for, after so many seconds.
    async fn show(
        &self,
        wallet: &WalletHandle,
        browser: &mut Browser,
        page: &Page,
        seconds: i64,
    ) -> Result<()> {
        let prepared = wallet.prepare(&page.link("show-card")?, &LOCALES).await;
        let prepared = prepared.map_err(|refused| refused.error)?;
        self.clock.advance(seconds);
        let suggested = prepared.consent.suggested.clone();
        let presented = wallet.respond(prepared.session, &suggested).await;
        let presented = presented.map_err(|unanswered| unanswered.error)?;
        let back = presented.redirect_uri.context("the answer leads nowhere")?;
        let page = browser.open(back.as_str()).await?;
        ensure!(page.has("visitor"), "the card led nowhere");
        Ok(())
    }

    async fn withdraw(&self, wallet: &WalletHandle) -> Result<()> {
        let history = wallet.history()?;
        let given = history.iter().find(|entry| entry.consent_uri.is_some());
        let given = given.context("nothing was agreed to")?;
        let withdrawn = wallet.withdraw(&given.id).await?;
        ensure!(withdrawn.withdrawn_at.is_some(), "nothing was withdrawn");
        Ok(())
    }

    /// In another country the session does not do.
    async fn abroad(&mut self, member: usize) -> Result<Page> {
        let url = format!("{}/elsewhere", self.running.addresses.shop);
        let browser = &mut self.member(member)?.browser;
        let page = browser.submit(&url, &[("place", "abroad")]).await?;
        ensure!(page.has("why-again"), "nothing more was asked abroad");
        Ok(page)
    }

    async fn decline(&self) -> Result<()> {
        let wallet = self.somebody("membership").await?;
        let page = self.open(&mut self.browser(), "membership").await?;
        let prepared = wallet.prepare(&page.link("show-card")?, &LOCALES).await;
        let prepared = prepared.map_err(|refused| refused.error)?;
        wallet.decline(prepared.session).await?;
        Ok(())
    }

    async fn revoked(&self) -> Result<()> {
        let before = self.latest().await?;
        let wallet = self.somebody("membership").await?;
        let mut revoked = 0;
        for id in self.latest().await?.difference(&before) {
            self.issuer("POST", &format!("/v1/credentials/{id}/revoke"))
                .await?;
            revoked += 1;
        }
        ensure!(revoked > 0, "the new card is not among the latest");
        self.clock.advance(KNOWN);
        let page = self.open(&mut self.browser(), "membership").await?;
        let prepared = wallet.prepare(&page.link("show-card")?, &LOCALES).await;
        let prepared = prepared.map_err(|refused| refused.error)?;
        let suggested = prepared.consent.suggested.clone();
        match wallet.respond(prepared.session, &suggested).await {
            Ok(_) => bail!("a revoked card was accepted"),
            Err(_) => Ok(()),
        }
    }

    /// The ids of the cards that the club issued last.
    async fn latest(&self) -> Result<HashSet<String>> {
        let cards = self.issuer("GET", LATEST).await?;
        let cards = cards["items"].as_array().context("no list of cards")?;
        let ids = cards.iter().filter_map(|card| card["id"].as_str());
        Ok(ids.map(str::to_owned).collect())
    }

    async fn issuer(&self, method: &str, path: &str) -> Result<Value> {
        let url = format!("{}{path}", self.running.addresses.issuer);
        self.running.ask(method, &url, &self.running.api_key).await
    }
}

/// "Not now" on the page of a login.
async fn not_now(browser: &mut Browser, page: &Page) -> Result<()> {
    let mut url = page.url.clone();
    url.set_query(None);
    let cancel = format!("{url}/cancel");
    let page = browser.submit(&cancel, &[("csrf", &page.csrf()?)]).await?;
    ensure!(page.url.path() != url.path(), "the login goes on");
    Ok(())
}
