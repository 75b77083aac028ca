//! A scripted application: plain HTTP and the checks that OpenID Connect asks
//! of every client.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Form, Router};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use reqwest::Client;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use url::Url;
use vouchsafe_credentials::time::Clock;
use vouchsafe_service::clock::SystemClock;
use vouchsafe_service::jose::{Expected, Expiry, Jwks, SigningAlg, TypeRule, verify};

use crate::browser::Browser;
use crate::hand::form_body;
use crate::page::Page;
use crate::wallet::{Shown, Wallet};

/// An application as the verifier knows it.
#[derive(Clone, Debug)]
pub struct Registration {
    /// `client_id`.
    pub id: String,
    /// `client_secret`.
    pub secret: String,
    /// Its origin.
    pub origin: String,
}

/// A running application.
#[derive(Debug)]
pub struct RelyingParty {
    /// How it is registered.
    pub registration: Registration,
    provider: String,
    client: Client,
    logouts: Mutex<UnboundedReceiver<String>>,
    listener: Option<tokio::task::JoinHandle<()>>,
    attempts: AtomicU32,
}

/// An authorization request.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Where the browser is sent.
    pub url: String,
    state: String,
    nonce: String,
    verifier: String,
}

/// What the application knows after a login.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// For UserInfo.
    pub access_token: String,
    /// As it came.
    pub id_token: String,
    /// Verified claims of the ID token.
    pub claims: Value,
    /// What UserInfo says.
    pub userinfo: Value,
}

impl Tokens {
    /// Who it is, for this application.
    pub fn sub(&self) -> &str {
        self.claims["sub"].as_str().unwrap_or_default()
    }

    /// The session.
    pub fn sid(&self) -> &str {
        self.claims["sid"].as_str().unwrap_or_default()
    }
}

/// A login that has begun: the page with the link to the wallet.
#[derive(Debug)]
pub struct Login {
    /// What was asked for.
    pub attempt: Attempt,
    /// The page's address.
    pub url: Url,
    /// The link to the wallet on this device.
    pub link: String,
}

#[derive(Deserialize)]
struct LogoutForm {
    logout_token: String,
}

async fn take(
    State(tokens): State<UnboundedSender<String>>,
    Form(form): Form<LogoutForm>,
) -> StatusCode {
    match tokens.send(form.logout_token) {
        Ok(()) => StatusCode::OK,
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl RelyingParty {
    /// Starts to listen for logout tokens, where its origin is plain http.
    pub async fn start(registration: Registration, provider: &str, client: Client) -> Result<Self> {
        let (sender, logouts) = unbounded_channel();
        let listener = match registration.origin.strip_prefix("http://") {
            None => None,
            Some(host) => {
                let router = Router::new()
                    .route("/backchannel-logout", post(take))
                    .with_state(sender);
                let listener = tokio::net::TcpListener::bind(host.parse::<SocketAddr>()?).await?;
                Some(tokio::spawn(async move {
                    // An error here shows as a logout token that never comes.
                    axum::serve(listener, router).await.ok();
                }))
            }
        };
        Ok(Self {
            registration,
            provider: provider.to_owned(),
            client,
            logouts: Mutex::new(logouts),
            listener,
            attempts: AtomicU32::new(0),
        })
    }

    /// Where it receives people back.
    pub fn redirect_uri(&self) -> String {
        format!("{}/callback", self.registration.origin)
    }

    /// Makes an authorization request.
    pub fn attempt(&self, scope: &str) -> Result<Attempt> {
        let number = self.attempts.fetch_add(1, Ordering::Relaxed);
        let verifier = format!("a-code-verifier-of-more-than-forty-three-characters-{number}");
        let (state, nonce) = (format!("state-{number}"), format!("nonce-{number}"));
        let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier));
        let url = Url::parse_with_params(
            &format!("{}/authorize", self.provider),
            [
                ("response_type", "code"),
                ("client_id", &self.registration.id),
                ("redirect_uri", &self.redirect_uri()),
                ("scope", &format!("openid {scope}")),
                ("state", &state),
                ("nonce", &nonce),
                ("code_challenge", &challenge),
                ("code_challenge_method", "S256"),
            ],
        )?;
        Ok(Attempt {
            url: url.into(),
            state,
            nonce,
            verifier,
        })
    }

    /// Sends a browser to log in, up to the page that asks for a card.
    pub async fn begin(&self, browser: &mut Browser, scope: &str) -> Result<Login> {
        let attempt = self.attempt(scope)?;
        let page = browser.open(&attempt.url).await?;
        ensure!(page.status == 200, "{}: {}", page.status, page.body);
        Ok(Login {
            link: page.attribute("id=\"show-card\"", "href")?,
            url: page.url,
            attempt,
        })
    }

    /// A whole login on one device.
    pub async fn log_in(
        &self,
        browser: &mut Browser,
        wallet: &Wallet,
        scope: &str,
    ) -> Result<(Tokens, Shown)> {
        let login = self.begin(browser, scope).await?;
        let shown = wallet.show(&login.link).await?;
        let back = browser.open(shown.redirect_uri.as_str()).await?;
        let code = self.code(&login.attempt, &back)?;
        Ok((self.tokens(&login.attempt, &code).await?, shown))
    }

    /// A login whose card the verifier refuses: its reason, and the error
    /// that the application is told.
    pub async fn log_in_refused(
        &self,
        browser: &mut Browser,
        wallet: &Wallet,
        scope: &str,
    ) -> Result<(Option<String>, String)> {
        let login = self.begin(browser, scope).await?;
        let refusal = wallet.refused(&login.link).await?;
        Ok((refusal.reason, self.told_error(browser, &login).await?))
    }

    /// The person sees why it failed and goes back to the application: the
    /// error that it is told.
    pub async fn told_error(&self, browser: &mut Browser, login: &Login) -> Result<String> {
        let page = browser.get(login.url.as_str()).await?;
        ensure!(
            page.status >= 400,
            "no failure is shown: {} {}",
            page.status,
            page.body
        );
        let leave = page.attribute("id=\"leave\"", "href")?;
        let back = browser.open(login.url.join(&leave)?.as_str()).await?;
        self.error(&login.attempt, &back)
    }

    /// The code of a redirect back.
    pub fn code(&self, attempt: &Attempt, page: &Page) -> Result<String> {
        match self.answer(attempt, page)? {
            (Some(code), None) => Ok(code),
            (_, error) => bail!("no code but {error:?}"),
        }
    }

    /// The error of a redirect back.
    pub fn error(&self, attempt: &Attempt, page: &Page) -> Result<String> {
        match self.answer(attempt, page)? {
            (None, Some(error)) => Ok(error),
            (code, _) => bail!("no error, a code: {}", code.is_some()),
        }
    }

    fn answer(&self, attempt: &Attempt, page: &Page) -> Result<(Option<String>, Option<String>)> {
        ensure!(page.status == 303, "{}: {}", page.status, page.body);
        let location = page.location()?;
        ensure!(
            location.as_str().starts_with(&self.redirect_uri()),
            "{location}"
        );
        let get = |wanted: &str| {
            location
                .query_pairs()
                .find(|(name, _)| name == wanted)
                .map(|(_, value)| value.into_owned())
        };
        ensure!(get("iss").as_deref() == Some(&self.provider), "{location}");
        ensure!(get("state") == Some(attempt.state.clone()), "{location}");
        Ok((get("code"), get("error")))
    }

    /// Redeems a code; gives status and body.
    pub async fn redeem(&self, attempt: &Attempt, code: &str) -> Result<(u16, Value)> {
        let request = self
            .client
            .post(format!("{}/token", self.provider))
            .basic_auth(&self.registration.id, Some(&self.registration.secret));
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.redirect_uri()),
            ("code_verifier", &attempt.verifier),
        ];
        let response = form_body(request, &fields).send().await?;
        Ok((response.status().as_u16(), response.json().await?))
    }

    /// Redeems a code and makes every check.
    pub async fn tokens(&self, attempt: &Attempt, code: &str) -> Result<Tokens> {
        let (status, body) = self.redeem(attempt, code).await?;
        ensure!(status == 200, "{status} {body}");
        self.check(attempt, &body).await
    }

    /// Checks a token response and asks UserInfo.
    pub async fn check(&self, attempt: &Attempt, body: &Value) -> Result<Tokens> {
        let text = |name: &str| body[name].as_str().map(str::to_owned);
        let access_token = text("access_token").context("no access token")?;
        let id_token = text("id_token").context("no ID token")?;
        ensure!(body["token_type"] == "Bearer", "{body}");
        let claims = self.verified(&id_token, TypeRule::JwtOrAbsent).await?;
        ensure!(claims["nonce"] == attempt.nonce.as_str(), "another nonce");
        // OpenID Connect Core 1.0, section 3.1.3.6.
        let hash = BASE64_URL_SAFE_NO_PAD.encode(&Sha256::digest(&access_token)[..16]);
        ensure!(claims["at_hash"] == hash.as_str(), "another at_hash");
        let (status, userinfo) = self.userinfo(&access_token).await?;
        ensure!(status == 200, "UserInfo: {status}");
        let userinfo = userinfo.context("UserInfo is not JSON")?;
        // OpenID Connect Core 1.0, section 5.3.2.
        ensure!(userinfo["sub"] == claims["sub"], "another person");
        Ok(Tokens {
            access_token,
            id_token,
            claims,
            userinfo,
        })
    }

    /// Asks UserInfo.
    pub async fn userinfo(&self, access_token: &str) -> Result<(u16, Option<Value>)> {
        let response = self
            .client
            .get(format!("{}/userinfo", self.provider))
            .bearer_auth(access_token)
            .send()
            .await?;
        let status = response.status().as_u16();
        Ok((status, response.json().await.ok()))
    }

    /// Waits for a logout token and gives its verified claims.
    pub async fn logged_out(&self, within: Duration) -> Result<Value> {
        let token = tokio::time::timeout(within, async { self.logouts.lock().await.recv().await })
            .await
            .with_context(|| format!("no logout token within {within:?}"))?
            .context("the listener has ended")?;
        let claims = self
            .verified(&token, TypeRule::Exactly("logout+jwt"))
            .await?;
        // OpenID Connect Back-Channel Logout 1.0, section 2.4.
        ensure!(
            claims["events"]["http://schemas.openid.net/event/backchannel-logout"].is_object(),
            "{claims}"
        );
        ensure!(claims.get("nonce").is_none(), "a nonce in a logout token");
        Ok(claims)
    }

    async fn verified(&self, token: &str, typ: TypeRule) -> Result<Value> {
        let jwks = self.client.get(format!("{}/jwks", self.provider));
        let keys = Jwks::parse(&jwks.send().await?.bytes().await?)?;
        let expected = Expected {
            algorithms: &[SigningAlg::Rs256, SigningAlg::Es256],
            typ,
            issuer: &self.provider,
            audience: &self.registration.id,
            expiry: Expiry::Enforced,
            now: SystemClock.now(),
            leeway: 5,
        };
        let verified = verify(token, &keys, &expected)?;
        Ok(Value::Object(verified.claims().clone()))
    }
}

impl Drop for RelyingParty {
    fn drop(&mut self) {
        if let Some(listener) = &self.listener {
            listener.abort();
        }
    }
}
