//! P6: the verifier, from an application's request to its facts: OpenID
//! Connect with OpenID4VP 1.0 as its login step.

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tokio::runtime::Runtime;
use url::Url;
use vouchsafe_credentials::crypto::{AwsLc, PublicKey};
use vouchsafe_credentials::jws::{TokenType, Unverified};
use vouchsafe_credentials::random::token;
use vouchsafe_protocol::http::{HttpRequest, HttpResponse, Method};
use vouchsafe_protocol::oauth::pkce::CodeVerifier;
use vouchsafe_service::random::OsRandom;
use vouchsafe_wallet_core::Wallet;

use crate::floor::{Exchange, Primitives, Row};
use crate::load::{Load, Scenario};
use crate::report::{Floor, Goal, Line, Results};
use crate::services::{APPLICATION, CLIENT, Services};
use crate::slices::{Figure, Here, Plan};
use crate::wallet;
use crate::web::{self, Web, location};

/// What an application learned.
pub(super) struct Outcome {
    nonce: String,
    id_token: String,
    userinfo: Value,
}

/// One kind of login: its scope and the fact that it brings.
pub(super) struct Login<'a> {
    services: &'a Services,
    pub(super) web: Web,
    wallet: Wallet,
    key: PublicKey,
    scope: &'static str,
    fact: (&'static str, Value),
}

impl<'a> Login<'a> {
    pub(super) async fn new(
        services: &'a Services,
        scope: &'static str,
        fact: (&'static str, Value),
    ) -> Result<Self> {
        let web = Web::new()?;
        let request = HttpRequest::get_json(format!("{}/jwks", services.verifier_url).parse()?);
        let keys: Value = web::json(&web.expect(200, request).await?)?;
        let key = keys["keys"].as_array().into_iter().flatten();
        let mut key = key.filter(|key| key["alg"] == "ES256");
        Ok(Self {
            services,
            wallet: wallet::with_card(&web, services, scope).await?,
            key: PublicKey::from_jwk(key.next().context("no ES256 key")?)?,
            web,
            scope,
            fact,
        })
    }

    pub(super) fn url(&self, path: &str, query: &[(&str, &str)]) -> Result<Url> {
        let base = format!("{}{path}", self.services.verifier_url);
        Ok(match query {
            [] => base.parse()?,
            _ => Url::parse_with_params(&base, query)?,
        })
    }

    /// The address of the application's request.
    pub(super) fn authorize(
        &self,
        scope: &str,
        nonce: &str,
        verifier: &CodeVerifier,
    ) -> Result<Url> {
        let challenge = verifier.challenge();
        let query = [
            ("client_id", CLIENT),
            ("redirect_uri", &format!("{APPLICATION}/callback")),
            ("response_type", "code"),
            ("scope", scope),
            ("nonce", nonce),
            ("state", nonce),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
        ];
        self.url("/authorize", &query)
    }

    /// Claims of an ID token.
    pub(super) fn verified(&self, id_token: &str) -> Result<Value> {
        let id_token =
            Unverified::parse(id_token, TokenType::IdToken)?.verify(&AwsLc, &self.key)?;
        Ok(Value::Object(id_token.get().claims.clone()))
    }

    /// The application's request, in a browser without cookies, up to the link
    /// on the login page. Returns the link and the browser's cookies.
    pub(super) async fn begin(
        &self,
        nonce: &str,
        verifier: &CodeVerifier,
    ) -> Result<(String, String)> {
        let scope = format!("openid {}", self.scope);
        let request = HttpRequest::new(Method::Get, self.authorize(&scope, nonce, verifier)?);
        let answer = self.web.expect(303, request).await?;
        let cookies = cookies(&answer);
        let page = self.url(location(&answer)?, &[])?;
        let request = HttpRequest::new(Method::Get, page)
            .header("accept", "text/html")
            .header("cookie", &cookies);
        let page = self.web.expect(200, request).await?;
        Ok((wallet_link(&page)?, cookies))
    }

    /// What the wallet sends as its answer.
    pub(super) async fn answer_of(&self, link: &str) -> Result<HttpRequest> {
        let fetching = self.wallet.present(link)?;
        let answer = self.web.send(fetching.request().clone()).await?;
        let asking = fetching.receive(&answer).map_err(|refused| refused.error)?;
        let suggested = asking.consent(&["en"]).suggested;
        let submitting = asking.respond(&suggested).await;
        let submitting = submitting.map_err(|error| error.error)?;
        Ok(submitting.request().clone())
    }

    /// The wallet's part. Returns where the browser goes.
    pub(super) async fn show_card(&self, link: &str) -> Result<Url> {
        let fetching = self.wallet.present(link)?;
        let answer = self.web.send(fetching.request().clone()).await?;
        let asking = fetching.receive(&answer).map_err(|refused| refused.error)?;
        let suggested = asking.consent(&["en"]).suggested;
        let submitting = asking
            .respond(&suggested)
            .await
            .map_err(|error| error.error)?;
        let answer = self.web.send(submitting.request().clone()).await?;
        let presented = submitting.receive(&answer)?;
        presented.redirect_uri.context("the answer leads nowhere")
    }

    /// Back in the browser: the code for the application.
    pub(super) async fn come_back(&self, url: Url, cookies: &str, state: &str) -> Result<String> {
        let request = HttpRequest::new(Method::Get, url).header("cookie", cookies);
        let answer = self.web.expect(303, request).await?;
        let back = Url::parse(location(&answer)?)?;
        let parameter = |wanted: &str| {
            let mut pairs = back.query_pairs();
            pairs.find_map(|(name, value)| (name == wanted).then(|| value.into_owned()))
        };
        ensure!(
            parameter("state").as_deref() == Some(state),
            "another state came back"
        );
        parameter("code").with_context(|| format!("no code: {:?}", parameter("error")))
    }

    /// The application redeems the code and asks for the facts.
    pub(super) async fn redeem(
        &self,
        code: &str,
        verifier: &CodeVerifier,
    ) -> Result<(String, Value)> {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &format!("{APPLICATION}/callback")),
            ("code_verifier", verifier.as_str()),
            ("client_id", CLIENT),
            ("client_secret", &self.services.client_secret),
        ];
        let request = HttpRequest::post_form(self.url("/token", &[])?, &form);
        let tokens: Value = web::json(&self.web.expect(200, request).await?)?;
        let access_token = tokens["access_token"].as_str().context("no access token")?;
        let request = HttpRequest::get_json(self.url("/userinfo", &[])?)
            .header("authorization", format!("Bearer {access_token}"));
        let userinfo = web::json(&self.web.expect(200, request).await?)?;
        let id_token = tokens["id_token"].as_str().context("no ID token")?;
        Ok((id_token.to_owned(), userinfo))
    }
}

impl Scenario for Login<'_> {
    type Prepared = ();
    type Outcome = Outcome;

    async fn prepare(&self) -> Result<()> {
        Ok(())
    }

    async fn run(&self, (): ()) -> Result<Outcome> {
        let nonce = token(&OsRandom);
        let verifier = CodeVerifier::generate(&OsRandom);
        let (link, cookies) = self.begin(&nonce, &verifier).await?;
        let back = self.show_card(&link).await?;
        let code = self.come_back(back, &cookies, &nonce).await?;
        let (id_token, userinfo) = self.redeem(&code, &verifier).await?;
        Ok(Outcome {
            nonce,
            id_token,
            userinfo,
        })
    }

    fn check(&self, outcome: Outcome) -> Result<()> {
        let Outcome {
            nonce,
            id_token,
            userinfo,
        } = outcome;
        let claims = self.verified(&id_token)?;
        let (name, value) = &self.fact;
        ensure!(
            claims["nonce"] == nonce.as_str(),
            "the ID token is of another login"
        );
        ensure!(
            claims["sub"] == userinfo["sub"],
            "the facts are of somebody else"
        );
        ensure!(userinfo[*name] == *value, "the fact is missing");
        Ok(())
    }
}

/// The cookies that an answer sets, as a browser sends them back.
pub(super) fn cookies(answer: &HttpResponse) -> String {
    let pairs = answer.headers.all("set-cookie");
    let pairs = pairs.filter_map(|cookie| cookie.split(';').next());
    pairs.collect::<Vec<_>>().join("; ")
}

/// The link that opens a wallet, on the page of a login.
pub(super) fn wallet_link(page: &HttpResponse) -> Result<String> {
    let html = std::str::from_utf8(&page.body)?;
    let (_, rest) = html
        .split_once("id=\"show-card\" href=\"")
        .context("no link on the page of the login")?;
    let (link, _) = rest.split_once('"').context("the link has no end")?;
    Ok(link.replace("&#x2f;", "/").replace("&amp;", "&"))
}

/// P6, once for a login without an account and once for one with.
pub fn measure(plan: &Plan) -> Result<Results> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let services = runtime.block_on(Services::start())?;
    let process = services.verifier_process()?;
    let (age, membership) = runtime.block_on(async {
        anyhow::Ok((
            Login::new(&services, "age", ("age_over_18", true.into())).await?,
            Login::new(&services, "membership", ("membership_tier", "gold".into())).await?,
        ))
    })?;
    race(plan, &runtime, process, age, membership)
}

fn race(
    plan: &Plan,
    runtime: &Runtime,
    process: u32,
    age: Login<'_>,
    membership: Login<'_>,
) -> Result<Results> {
    let primitives = Primitives::new()?;
    let figures = plan.race(&mut [
        &mut Load::new(runtime, process, age),
        &mut Load::new(runtime, process, membership),
        &mut Here(|| primitives.sign()),
        &mut Here(|| primitives.verify()),
        &mut Here(|| primitives.agree()),
        &mut Exchange::new()?,
        &mut Row::new()?,
    ])?;
    let [age, membership, sign, verify, agree, exchange, row] = figures[..] else {
        bail!("a figure is missing")
    };
    let us = 2.0 * sign.median_us
        + 2.0 * verify.median_us
        + agree.median_us
        + 7.0 * exchange.median_us
        + 2.0 * row.median_us;
    let of = format!(
        "2 ES256 signatures (request object, ID token) x {:.1} + 2 verifications (card, key \
         binding) x {:.1} + 1 P-256 key and agreement {:.1} + 7 bare HTTP exchanges x {:.1} \
         + 2 bare SQLite rows x {:.1}, same run; a cached chain is assumed; Credo 0.6.3 + \
         oidc-provider 9.13, in memory, were measured elsewhere at 19400 us (goal: times>=30)",
        sign.median_us, verify.median_us, agree.median_us, exchange.median_us, row.median_us
    );
    let line = |what: &str, ours: Figure| Line {
        name: "P6",
        what: what.to_owned(),
        ours,
        floor: Some(Floor { us, of: of.clone() }),
        peer: None,
        goals: &[Goal::Limit(0.45)],
    };
    Ok(Results::of(vec![
        line("OpenID4VP login through OIDC, age, SQLite", age),
        line("OpenID4VP login through OIDC, member, SQLite", membership),
    ]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use vouchsafe_protocol::http::Headers;

    #[test]
    fn finds_the_link_and_the_cookies() {
        let answer = HttpResponse {
            status: 200,
            headers: [
                ("Set-Cookie", "a=1; Path=/"),
                ("Set-Cookie", "b=2; HttpOnly"),
            ]
            .into_iter()
            .collect::<Headers>(),
            body: br#"<a class="b" id="show-card" href="openid4vp:&#x2f;&#x2f;?a=1&amp;b=2">"#
                .to_vec(),
        };
        assert_eq!(cookies(&answer), "a=1; b=2");
        assert_eq!(wallet_link(&answer).unwrap(), "openid4vp://?a=1&b=2");
    }
}
