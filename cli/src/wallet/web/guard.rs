//! Before the wallet: the first run, and the passphrase that opens it.
//!
//! A wallet that others on the network can reach shows nothing to a browser that did not give the
//! passphrase. Who makes the wallet holds the invitation, which stands on the terminal alone.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{any, get, post};
use serde_json::json;
use tokio::time::Instant;
use tower::ServiceExt;
use vouchsafe_credentials::random;
use vouchsafe_service::http::{ClientAddress, SameSite, StrictForm};
use vouchsafe_service::random::OsRandom;
use vouchsafe_wallet_core::storage::KdfParams;
use zeroize::Zeroizing;

use super::app::App;
use super::first_run;
pub(super) use super::keeper::Shut;
use super::keeper::{Keeper, Opened, why};
use super::pages;
use super::passphrase;
use super::shell::Shell;
use super::tries::{Tries, Who};
use crate::wallet::handle::WalletHandle;

const SESSION_COOKIE: &str = "vs_wallet_session";
/// A browser that was silent for so long gives the passphrase again.
const IDLE: Duration = Duration::from_secs(15 * 60);
/// Most browsers that are let in at once; the one that was silent longest gives way.
const MAX_SESSIONS: usize = 16;
/// Deriving a key from a book is work for nothing.
pub(super) const LONGEST_PASSPHRASE: usize = 1024;

pub(super) struct Guard {
    pub(super) shell: Arc<Shell>,
    pub(super) keeper: Arc<dyn Keeper>,
    pub(super) invitation: String,
    door: tokio::sync::Mutex<Door>,
    sessions: Mutex<HashMap<String, Instant>>,
}

#[derive(Default)]
struct Door {
    opened: Option<Opened>,
    tries: Tries,
}

impl Guard {
    pub(super) fn new(shell: Arc<Shell>, keeper: Arc<dyn Keeper>) -> Self {
        Self {
            shell,
            keeper,
            invitation: random::token(&OsRandom),
            door: tokio::sync::Mutex::default(),
            sessions: Mutex::default(),
        }
    }

    /// The path of the first run.
    pub(super) fn invitation(&self) -> Option<String> {
        (!self.keeper.exists()).then(|| format!("/setup/{}", self.invitation))
    }

    /// Who asks, as far as guesses are counted.
    pub(super) fn who(&self, client: ClientAddress) -> Who {
        Who {
            network: client.network(),
            here: client.0.is_loopback() && self.shell.is_here(),
        }
    }

    async fn open(self: &Arc<Self>, passphrase: &str, who: Who) -> Result<(), Shut> {
        let secret = Zeroizing::new(passphrase.to_owned());
        self.to_the_end(|guard| async move { guard.opening(&secret, who).await })
            .await
    }

    pub(super) async fn create(self: &Arc<Self>, passphrase: &str) -> Result<(), Shut> {
        let secret = Zeroizing::new(passphrase.to_owned());
        self.to_the_end(|guard| async move { guard.creating(&secret).await })
            .await
    }

    /// Changes the passphrase; whoever is inside has to come in again.
    pub(super) async fn change(
        self: &Arc<Self>,
        old: &str,
        new: &str,
        who: Who,
    ) -> Result<(), Shut> {
        let secrets = [old, new].map(|secret| Zeroizing::new(secret.to_owned()));
        self.to_the_end(|guard| async move {
            let [old, new] = secrets;
            guard.changing(&old, &new, who).await
        })
        .await
    }

    /// What has begun with the records goes on when the browser goes away: else the door would know
    /// another passphrase than they have.
    async fn to_the_end<F, W>(self: &Arc<Self>, work: F) -> Result<(), Shut>
    where
        F: FnOnce(Arc<Self>) -> W,
        W: Future<Output = Result<(), Shut>> + Send + 'static,
    {
        let done = tokio::spawn(work(Arc::clone(self))).await;
        done.unwrap_or(Err(Shut::Broken))
    }

    async fn opening(&self, passphrase: &str, who: Who) -> Result<(), Shut> {
        // One at a time: guesses at the same moment count one after the other.
        let mut door = self.door.lock().await;
        if let Some(wait) = door.tries.wait(who) {
            return Err(Shut::Wait(wait));
        }
        let right = match &door.opened {
            Some(opened) => opened.knows(passphrase),
            None => match self
                .work(passphrase, false)
                .await
                .map_err(|error| why(&error))
            {
                Ok(wallet) => {
                    door.opened = Some(self.opened(wallet, passphrase));
                    true
                }
                Err(Shut::Wrong) => false,
                Err(other) => return Err(other),
            },
        };
        door.tries.count(who, right);
        if right { Ok(()) } else { Err(Shut::Wrong) }
    }

    async fn creating(&self, passphrase: &str) -> Result<(), Shut> {
        let mut door = self.door.lock().await;
        if self.keeper.exists() {
            return Err(Shut::Broken);
        }
        let made = self.work(passphrase, true).await;
        let wallet = made.map_err(|error| why(&error))?;
        door.opened = Some(self.opened(wallet, passphrase));
        Ok(())
    }

    async fn changing(&self, old: &str, new: &str, who: Who) -> Result<(), Shut> {
        let mut door = self.door.lock().await;
        if let Some(wait) = door.tries.wait(who) {
            return Err(Shut::Wait(wait));
        }
        let opened = door.opened.as_ref().ok_or(Shut::Broken)?;
        let right = opened.knows(old);
        let wallet = opened.wallet.clone();
        door.tries.count(who, right);
        if !right {
            return Err(Shut::Wrong);
        }
        let (old, next) = (
            Zeroizing::new(old.to_owned()),
            Zeroizing::new(new.to_owned()),
        );
        let core = wallet.core().clone();
        let work = move || core.change_passphrase(&old, next.as_str(), KdfParams::RECOMMENDED);
        let changed = tokio::task::spawn_blocking(work).await;
        let changed = changed.map_err(|_| Shut::Broken)?;
        changed.map_err(|error| why(&error.into()))?;
        door.opened = Some(self.opened(wallet, new));
        self.sessions().clear();
        Ok(())
    }

    fn opened(&self, wallet: WalletHandle, passphrase: &str) -> Opened {
        let app = Arc::new(App::new(wallet.clone(), Arc::clone(&self.shell)));
        Opened::new(wallet, pages(app), passphrase)
    }

    /// Deriving the key takes a while, so it keeps no other request waiting.
    async fn work(&self, passphrase: &str, new: bool) -> anyhow::Result<WalletHandle> {
        let keeper = Arc::clone(&self.keeper);
        let passphrase = Zeroizing::new(passphrase.to_owned());
        let runtime = tokio::runtime::Handle::current();
        let work = move || {
            runtime.block_on(async {
                if new {
                    keeper.create(&passphrase).await
                } else {
                    keeper.open(&passphrase).await
                }
            })
        };
        tokio::task::spawn_blocking(work).await?
    }

    /// Lets a browser in.
    pub(super) fn admit(&self, to: &str) -> Response {
        let token = random::token(&OsRandom);
        let mut response = Redirect::to(to).into_response();
        // Lax: whoever follows a link with an offer need not give the passphrase again.
        let cookies = &self.shell.cookies;
        let cookie = cookies.set(SESSION_COOKIE, &token, None, SameSite::Lax);
        response.headers_mut().append(header::SET_COOKIE, cookie);
        let mut sessions = self.sessions();
        if sessions.len() >= MAX_SESSIONS {
            let oldest = sessions.iter().min_by_key(|(_, seen)| **seen);
            let oldest = oldest.map(|(token, _)| token.clone());
            oldest.and_then(|token| sessions.remove(&token));
        }
        sessions.insert(token, Instant::now());
        response
    }

    /// Whether a browser was let in, and not too long ago.
    pub(super) fn is_in(&self, headers: &HeaderMap) -> bool {
        let Some(token) = self.session(headers) else {
            return false;
        };
        let mut sessions = self.sessions();
        sessions.retain(|_, seen| seen.elapsed() < IDLE);
        match sessions.get_mut(&token) {
            Some(seen) => {
                *seen = Instant::now();
                true
            }
            None => false,
        }
    }

    fn session(&self, headers: &HeaderMap) -> Option<String> {
        let cookie = self.shell.cookies.get(headers, SESSION_COOKIE);
        cookie.ok().flatten()
    }

    fn sessions(&self) -> MutexGuard<'_, HashMap<String, Instant>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ask(&self, headers: &HeaderMap, next: &str, shut: Option<&Shut>) -> Response {
        let (status, problem, minutes) = match shut {
            None => (StatusCode::OK, None, 0),
            Some(Shut::Wrong) => (StatusCode::FORBIDDEN, Some("wrong"), 0),
            Some(Shut::Wait(wait)) => {
                let minutes = wait.as_secs().div_ceil(60);
                (StatusCode::TOO_MANY_REQUESTS, Some("wait"), minutes)
            }
            Some(Shut::Broken) => (StatusCode::INTERNAL_SERVER_ERROR, Some("broken"), 0),
        };
        let context = json!({ "next": next, "problem": problem, "minutes": minutes });
        let visitor = self.shell.visitor(headers);
        (status, self.shell.page(&visitor, "wallet/unlock", context)).into_response()
    }
}

/// The door and, behind it, the pages.
pub(super) fn router(guard: Arc<Guard>) -> Router {
    Router::new()
        .route(
            "/setup/{invitation}",
            get(first_run::begin).post(first_run::set_up),
        )
        .route("/unlock", post(unlock))
        .route("/lock", post(lock))
        .route(
            "/passphrase",
            get(passphrase::form).post(passphrase::change),
        )
        .route("/", any(enter))
        .route("/{*path}", any(enter))
        .with_state(guard)
}

/// The request without what was noted about it so far: the part of the path that the route in front
/// of the door took would stand among those that the pages read.
fn afresh(request: Request) -> Request {
    let (mut parts, body) = request.into_parts();
    parts.extensions.clear();
    Request::from_parts(parts, body)
}

async fn enter(State(guard): State<Arc<Guard>>, request: Request) -> Response {
    let headers = request.headers();
    if guard.is_in(headers) {
        let door = guard.door.lock().await;
        let pages = door.opened.as_ref().map(|opened| opened.pages.clone());
        drop(door);
        if let Some(pages) = pages {
            return match pages.oneshot(afresh(request)).await {
                Ok(response) => response,
                Err(never) => match never {},
            };
        }
    }
    if guard.keeper.exists() {
        let next = request.uri().path_and_query();
        let next = next.map_or("/", |next| next.as_str());
        return guard.ask(headers, next, None);
    }
    let visitor = guard.shell.visitor(headers);
    let page = guard.shell.page(&visitor, "wallet/not_set_up", json!({}));
    (StatusCode::FORBIDDEN, page).into_response()
}

async fn unlock(
    State(guard): State<Arc<Guard>>,
    client: ClientAddress,
    headers: HeaderMap,
    StrictForm(form): StrictForm,
) -> Response {
    let shell = &guard.shell;
    if let Err(problem) = shell.check_form(&headers, &form) {
        return problem.page(shell, &shell.visitor(&headers));
    }
    if !guard.keeper.exists() {
        return Redirect::to("/").into_response();
    }
    let next = form.get("next").filter(|next| is_ours(next)).unwrap_or("/");
    let passphrase = form.get("passphrase").unwrap_or_default();
    let opened = if passphrase.len() > LONGEST_PASSPHRASE {
        Err(Shut::Wrong)
    } else {
        guard.open(passphrase, guard.who(client)).await
    };
    match opened {
        Ok(()) => guard.admit(next),
        Err(shut) => guard.ask(&headers, next, Some(&shut)),
    }
}

/// Whether a path leads to a page of this wallet, and not to another site.
fn is_ours(next: &str) -> bool {
    let bytes = next.as_bytes();
    let local = bytes.first() == Some(&b'/') && !matches!(bytes.get(1), Some(b'/' | b'\\'));
    local && bytes.iter().all(u8::is_ascii_graphic)
}

async fn lock(
    State(guard): State<Arc<Guard>>,
    headers: HeaderMap,
    StrictForm(form): StrictForm,
) -> Response {
    let shell = &guard.shell;
    if let Err(problem) = shell.check_form(&headers, &form) {
        return problem.page(shell, &shell.visitor(&headers));
    }
    if let Some(token) = guard.session(&headers) {
        guard.sessions().remove(&token);
    }
    let mut response = Redirect::to("/").into_response();
    let gone = shell.cookies.clear(SESSION_COOKIE);
    response.headers_mut().append(header::SET_COOKIE, gone);
    response
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::super::Profile;
    use super::super::tests::door::Memory;
    use super::*;

    #[test]
    fn the_way_on_stays_in_the_wallet() {
        for own in [
            "/",
            "/present?client_id=a&request_uri=https%3A%2F%2Fb%2F",
            "/history",
        ] {
            assert!(is_ours(own), "{own}");
        }
        for foreign in [
            "",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/a b",
            "/\r\n",
        ] {
            assert!(!is_ours(foreign), "{foreign}");
        }
    }

    #[tokio::test]
    async fn cat_437_a_change_that_nobody_waits_for_is_made_all_the_same() {
        let url = "http://127.0.0.1:4010".parse().unwrap();
        let shell = Shell::new(&url, Profile::default(), true).unwrap();
        let guard = Guard::new(Arc::new(shell), Arc::new(Memory::new(false)));
        let guard = Arc::new(guard);
        guard.create("correct horse").await.unwrap();
        let who = Who {
            network: IpAddr::V4(Ipv4Addr::LOCALHOST),
            here: true,
        };
        let changing = {
            let guard = Arc::clone(&guard);
            async move { guard.change("correct horse", "another horse", who).await }
        };
        let changing = tokio::spawn(changing);
        // It has begun: the browser goes away.
        while guard.door.try_lock().is_ok() {
            tokio::task::yield_now().await;
        }
        changing.abort();
        // The door knows what the records know.
        guard.open("another horse", who).await.unwrap();
        guard.keeper.open("another horse").await.unwrap();
        assert!(guard.keeper.open("correct horse").await.is_err());
    }
}
