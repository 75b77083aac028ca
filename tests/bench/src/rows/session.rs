//! P7: a login whose session is cached, beside npm oidc-provider; and the same among a million
//! accounts.

use std::str::FromStr;

use anyhow::{Result, bail, ensure};
use serde_json::Value;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{ConnectOptions, SqliteConnection};
use tokio::runtime::Runtime;
use vouchsafe_credentials::random::token;
use vouchsafe_protocol::http::{HttpRequest, Method};
use vouchsafe_protocol::oauth::pkce::CodeVerifier;
use vouchsafe_service::random::OsRandom;

use super::login::{Login, cookies};
use crate::load::{Load, Scenario, at_once};
use crate::peer::{Operation, Peer};
use crate::report::{Fact, Goal, Line, Results};
use crate::services::Services;
use crate::slices::{Figure, Plan};

/// Accounts of the second part.
const ACCOUNTS: u64 = 1_000_000;
/// Logins whose latency is measured, by four clients.
const TIMED: usize = 2000;

/// Somebody who logged in before, in the browser of that login.
struct Again<'a> {
    login: Login<'a>,
    cookies: String,
}

impl<'a> Again<'a> {
    async fn new(services: &'a Services) -> Result<Self> {
        let fact = ("membership_tier", Value::from("gold"));
        let login = Login::new(services, "membership", fact).await?;
        let (nonce, verifier) = (token(&OsRandom), CodeVerifier::generate(&OsRandom));
        let (link, browser) = login.begin(&nonce, &verifier).await?;
        let back = login.show_card(&link).await?;
        let request = HttpRequest::new(Method::Get, back).header("cookie", &browser);
        let answer = login.web.expect(303, request).await?;
        let session = cookies(&answer);
        ensure!(session.contains("session"), "no session was made");
        Ok(Self {
            login,
            cookies: session,
        })
    }
}

impl Scenario for Again<'_> {
    type Prepared = ();
    type Outcome = (String, String);

    async fn prepare(&self) -> Result<()> {
        Ok(())
    }

    async fn run(&self, (): ()) -> Result<Self::Outcome> {
        let (nonce, verifier) = (token(&OsRandom), CodeVerifier::generate(&OsRandom));
        // Who the person is, and nothing that a card would have to tell.
        let url = self.login.authorize("openid", &nonce, &verifier)?;
        let code = self.login.come_back(url, &self.cookies, &nonce).await?;
        let (id_token, _) = self.login.redeem(&code, &verifier).await?;
        Ok((nonce, id_token))
    }

    fn check(&self, (nonce, id_token): Self::Outcome) -> Result<()> {
        let claims = self.login.verified(&id_token)?;
        ensure!(claims["nonce"] == nonce.as_str(), "of another login");
        Ok(())
    }
}

/// Accounts with a session and a consent each, as years of logins leave them.
async fn fill(services: &Services, accounts: u64) -> Result<()> {
    let url = format!("sqlite://{}", services.verifier_database().display());
    let options = SqliteConnectOptions::from_str(&url)?.journal_mode(SqliteJournalMode::Wal);
    let mut database: SqliteConnection = options.connect().await?;
    let numbers = format!(
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {accounts} - 1)"
    );
    let id = "printf('bench-%012d', i)";
    let statements = [
        "BEGIN".to_owned(),
        format!("{numbers} INSERT INTO subjects (id, created_at) SELECT {id}, 0 FROM n"),
        format!(
            "{numbers} INSERT INTO subject_means (id, kind, framework, issuer, credential_type, claim_mac, subject_id, created_at)
             SELECT {id}, 'credential', 'x509', 'bench', 'membership', hex(randomblob(32)), {id}, 0 FROM n"
        ),
        format!(
            "{numbers} INSERT INTO login_sessions (id, cookie_hash, subject_id, auth_time, acr, amr, query_id, created_at, expires_at)
             SELECT {id}, hex(randomblob(32)), {id}, 0, 'urn:vouchsafe:acr:vc', 'pop vp', 'membership', 0, 4000000000 FROM n"
        ),
        format!(
            "{numbers} INSERT INTO session_clients (sid, session_id, client_id, sub, created_at)
             SELECT hex(randomblob(32)), {id}, 'bench', hex(randomblob(32)), 0 FROM n"
        ),
        format!(
            "{numbers} INSERT INTO consents (id, token_hash, transaction_id, client_id, subject_id, session_id, claims, purpose, given_at)
             SELECT {id}, hex(randomblob(32)), {id}, 'bench', {id}, {id}, '[]', 'bench', 0 FROM n"
        ),
        "COMMIT".to_owned(),
        "PRAGMA wal_checkpoint(TRUNCATE)".to_owned(),
    ];
    for statement in statements {
        sqlx::query(sqlx::AssertSqlSafe(statement))
            .execute(&mut database)
            .await?;
    }
    Ok(())
}

/// P7.
pub fn measure(plan: &Plan) -> Result<Results> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut peer = Peer::node("bench-oidc-provider.mjs")?;
    let (ours, peers) = race(plan, &runtime, &mut peer)?;
    let line = Line {
        name: "P7",
        what: "OpenID Connect login with a cached session, SQLite on disk".to_owned(),
        ours,
        floor: None,
        peer: Some(("npm oidc-provider, in memory".to_owned(), peers)),
        goals: &[Goal::Times(8.0)],
    };
    Ok(Results {
        lines: vec![line],
        facts: vec![among_many(&runtime)?],
    })
}

fn race(plan: &Plan, runtime: &Runtime, peer: &mut Peer) -> Result<(Figure, Figure)> {
    let services = runtime.block_on(Services::start())?;
    let process = services.verifier_process()?;
    let again = runtime.block_on(Again::new(&services))?;
    let figures = plan.race(&mut [
        &mut Load::new(runtime, process, again),
        &mut Operation {
            peer,
            name: "login",
        },
    ])?;
    let [ours, peers] = figures[..] else {
        bail!("a figure is missing")
    };
    Ok((ours, peers))
}

fn among_many(runtime: &Runtime) -> Result<Fact> {
    let services = runtime.block_on(Services::start())?;
    let timed = runtime.block_on(async {
        let again = Again::new(&services).await?;
        fill(&services, ACCOUNTS).await?;
        at_once(&again, 4, TIMED).await
    })?;
    Ok(Fact {
        name: "P7",
        what: format!("the same among {ACCOUNTS} accounts: p95 from the request to the facts, ms"),
        value: timed.quantile_ms(0.95),
        most: 50.0,
    })
}
