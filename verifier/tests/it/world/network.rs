//! What stands outside of the service: status lists and applications that take logout tokens.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::http::HeaderMap;
use tokio::sync::Semaphore;
use url::Url;
use vouchsafe_protocol::oauth::values::Secret;
use vouchsafe_service::config::{DevConfig, FetchConfig};
use vouchsafe_verifier::outbound::{
    ClientDocument, Guarded, HookReply, Outbound, OutboundError, Pushed, StatusToken,
};

#[derive(Default)]
pub struct Network {
    lists: Mutex<HashMap<String, StatusToken>>,
    key_sets: Mutex<HashMap<String, String>>,
    key_set_fetches: AtomicUsize,
    failing: Mutex<Option<fn() -> OutboundError>>,
    silent: Mutex<Option<String>>,
    fetches: AtomicUsize,
    documents: Mutex<HashMap<String, ClientDocument>>,
    asked: Mutex<Vec<String>>,
    refuse_logouts: AtomicUsize,
    logouts: Mutex<Vec<(String, String)>>,
    event_answers: Mutex<Vec<Result<&'static str, u16>>>,
    events: Mutex<Vec<PushedEvent>>,
    hooks: Mutex<HashMap<String, HookReply>>,
    hook_gate: Mutex<Option<Arc<Semaphore>>>,
    questions: Mutex<Vec<Asked>>,
}

/// A question that a run put to a system.
#[derive(Clone, Debug)]
pub struct Asked {
    pub url: String,
    pub headers: HeaderMap,
    pub body: String,
    pub timeout: Duration,
}

/// A security event that an application took or refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushedEvent {
    pub uri: String,
    pub authorization: Option<String>,
    pub token: String,
}

impl Network {
    pub fn publish(&self, uri: &str, token: String) {
        self.publish_as(uri, StatusToken::Jwt(token));
    }

    pub fn publish_as(&self, uri: &str, token: StatusToken) {
        self.lists.lock().unwrap().insert(uri.to_owned(), token);
    }

    /// What a client answers at its `jwks_uri`; nothing where it does not answer.
    pub fn publish_keys(&self, uri: &str, keys: Option<String>) {
        let mut sets = self.key_sets.lock().unwrap();
        match keys {
            Some(keys) => drop(sets.insert(uri.to_owned(), keys)),
            None => drop(sets.remove(uri)),
        }
    }

    /// What stands at another address of an application: the list of a sector, a document about
    /// it; nothing where it does not answer.
    pub fn publish_document(&self, uri: &str, document: Option<(String, Option<i64>)>) {
        let mut documents = self.documents.lock().unwrap();
        let Some((body, max_age)) = document else {
            documents.remove(uri);
            return;
        };
        let body = body.into_bytes();
        documents.insert(uri.to_owned(), ClientDocument { body, max_age });
    }

    /// Addresses of applications that were asked, keys aside.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    fn document(&self, uri: &Url) -> Result<ClientDocument, OutboundError> {
        self.asked.lock().unwrap().push(uri.to_string());
        let documents = self.documents.lock().unwrap();
        let found = documents.get(uri.as_str()).cloned();
        found.ok_or(OutboundError::Status(404))
    }

    pub fn key_set_fetches(&self) -> usize {
        self.key_set_fetches.load(Ordering::SeqCst)
    }

    pub fn set_down(&self, down: bool) {
        self.set_failing(down.then_some(|| OutboundError::Status(503)));
    }

    /// Every request for a list fails like this.
    pub fn set_failing(&self, failing: Option<fn() -> OutboundError>) {
        *self.failing.lock().unwrap() = failing;
    }

    /// The host of this list takes requests and never answers.
    pub fn silence(&self, uri: &str) {
        *self.silent.lock().unwrap() = Some(uri.to_owned());
    }

    async fn wait_if_silent(&self, uri: &Url) {
        let silent = self.silent.lock().unwrap().as_deref() == Some(uri.as_str());
        if silent {
            std::future::pending::<()>().await;
        }
    }

    /// What systems say to runs from now on; silence where nothing is set.
    pub fn answer_hooks(&self, body: &str) {
        self.reply_to_hooks(HookReply::Body(body.as_bytes().to_vec()));
    }

    pub fn reply_to_hooks(&self, reply: HookReply) {
        self.hooks.lock().unwrap().insert(String::new(), reply);
    }

    /// What the system at this address says, whatever others do.
    pub fn answer_hook_at(&self, url: &str, body: &str) {
        let reply = HookReply::Body(body.as_bytes().to_vec());
        self.hooks.lock().unwrap().insert(url.to_owned(), reply);
    }

    /// Systems answer once they are let.
    pub fn hold_hooks(&self) -> Arc<Semaphore> {
        let gate = Arc::new(Semaphore::new(0));
        *self.hook_gate.lock().unwrap() = Some(Arc::clone(&gate));
        gate
    }

    /// Every question that runs put to systems.
    pub fn questions(&self) -> Vec<Asked> {
        self.questions.lock().unwrap().clone()
    }

    pub fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }

    /// The next `count` logout tokens are not taken.
    pub fn refuse_logouts(&self, count: usize) {
        self.refuse_logouts.store(count, Ordering::SeqCst);
    }

    /// The next security events are answered with these codes or statuses, the last one first; others
    /// are taken.
    pub fn answer_events(&self, answers: &[Result<&'static str, u16>]) {
        *self.event_answers.lock().unwrap() = answers.to_vec();
    }

    /// Every security event that was taken.
    pub fn events(&self) -> Vec<PushedEvent> {
        self.events.lock().unwrap().clone()
    }

    /// Address and logout token of every delivery that was taken.
    pub fn logouts(&self) -> Vec<(String, String)> {
        self.logouts.lock().unwrap().clone()
    }
}

#[async_trait]
impl Outbound for Network {
    async fn status_list(&self, uri: &str) -> Result<StatusToken, OutboundError> {
        self.fetches.fetch_add(1, Ordering::SeqCst);
        let silent = self.silent.lock().unwrap().as_deref() == Some(uri);
        if silent {
            std::future::pending::<()>().await;
        }
        if let Some(failure) = *self.failing.lock().unwrap() {
            return Err(failure());
        }
        self.lists
            .lock()
            .unwrap()
            .get(uri)
            .cloned()
            .ok_or(OutboundError::Status(404))
    }

    async fn key_set(&self, uri: &Url) -> Result<Vec<u8>, OutboundError> {
        self.key_set_fetches.fetch_add(1, Ordering::SeqCst);
        let sets = self.key_sets.lock().unwrap();
        let keys = sets.get(uri.as_str()).ok_or(OutboundError::Status(503))?;
        Ok(keys.clone().into_bytes())
    }

    fn may_ask(&self, uri: &Url) -> bool {
        // The rules of the real one.
        let guarded = Guarded::new(&FetchConfig::default(), &DevConfig::default());
        guarded.unwrap().may_ask(uri)
    }

    async fn sector_list(&self, uri: &Url) -> Result<Vec<u8>, OutboundError> {
        self.document(uri).map(|document| document.body)
    }

    async fn client_document(&self, uri: &Url) -> Result<ClientDocument, OutboundError> {
        self.document(uri)
    }

    async fn logout(&self, uri: &Url, logout_token: &str) -> Result<(), OutboundError> {
        self.wait_if_silent(uri).await;
        let refused =
            self.refuse_logouts
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                    left.checked_sub(1)
                });
        if refused.is_ok() {
            return Err(OutboundError::Status(503));
        }
        self.logouts
            .lock()
            .unwrap()
            .push((uri.to_string(), logout_token.to_owned()));
        Ok(())
    }

    async fn security_event(
        &self,
        uri: &Url,
        authorization: Option<&Secret>,
        token: String,
    ) -> Result<Pushed, OutboundError> {
        self.wait_if_silent(uri).await;
        match self.event_answers.lock().unwrap().pop() {
            Some(Ok(code)) => return Ok(Pushed::Refused(code)),
            Some(Err(status)) => return Err(OutboundError::Status(status)),
            None => {}
        }
        self.events.lock().unwrap().push(PushedEvent {
            uri: uri.to_string(),
            authorization: authorization.map(|secret| secret.expose().to_owned()),
            token,
        });
        Ok(Pushed::Taken)
    }

    async fn question(
        &self,
        uri: &Url,
        headers: HeaderMap,
        body: String,
        timeout: Duration,
    ) -> HookReply {
        self.questions.lock().unwrap().push(Asked {
            url: uri.to_string(),
            headers,
            body,
            timeout,
        });
        let gate = self.hook_gate.lock().unwrap().clone();
        if let Some(gate) = gate {
            let _let = gate.acquire().await.unwrap();
        }
        let hooks = self.hooks.lock().unwrap();
        let reply = hooks.get(uri.as_str()).or_else(|| hooks.get(""));
        reply.cloned().unwrap_or(HookReply::Silent)
    }
}
