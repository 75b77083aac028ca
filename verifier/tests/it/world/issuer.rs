//! An issuer of test cards, with a status list.

use std::sync::{Arc, Mutex};

use serde_json::{Map, Value};
use vouchsafe_credentials::crypto::{PublicKey, SigningKey};
use vouchsafe_credentials::random::Rng;
use vouchsafe_credentials::sd_jwt::{ClaimPath, Frame, HashAlg};
use vouchsafe_credentials::sd_jwt_vc::{IssueInput, IssuerKey, issue};
use vouchsafe_credentials::status_list::{
    Bits, Status, StatusCwtInput, StatusList, StatusRef, StatusTokenInput, sign_status_list,
    sign_status_list_cwt,
};
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_credentials::x509::Chain;
use vouchsafe_verifier::outbound::StatusToken;

use super::network::Network;
use super::pki::Party;

pub struct TestIssuer {
    pub id: String,
    pub key: SigningKey,
    pub chain: Chain,
    list: Mutex<StatusList>,
    next: Mutex<u64>,
    named: Mutex<Option<String>>,
    network: Arc<Network>,
}

/// What is written on a card.
pub struct Card<'a> {
    pub vct: &'a str,
    pub claims: Value,
    /// Paths of the hidden claims.
    pub hidden: &'a [&'a [&'a str]],
    pub holder: Option<&'a PublicKey>,
    pub expires_at: UnixTime,
}

impl TestIssuer {
    pub fn new(party: &Party, id: &str, network: Arc<Network>) -> Self {
        Self {
            id: id.to_owned(),
            key: party.key(),
            chain: party.chain(),
            list: Mutex::new(StatusList::new(Bits::Two, 16_384).unwrap()),
            next: Mutex::new(0),
            named: Mutex::default(),
            network,
        }
    }

    pub fn list_uri(&self) -> String {
        format!("{}/status/1", self.id)
    }

    /// Cards name this list from now on.
    pub fn name_list(&self, uri: &str) {
        *self.named.lock().unwrap() = Some(uri.to_owned());
    }

    pub fn next_status(&self) -> StatusRef {
        let mut next = self.next.lock().unwrap();
        *next += 1;
        let named = self.named.lock().unwrap().clone();
        StatusRef {
            uri: named.unwrap_or_else(|| self.list_uri()),
            idx: *next,
        }
    }

    pub async fn issue(
        &self,
        card: Card<'_>,
        status: Option<&StatusRef>,
        now: UnixTime,
        rng: &dyn Rng,
    ) -> String {
        let mut frame = Frame::new();
        for path in card.hidden {
            frame = frame.hide(&ClaimPath::of_keys(path)).unwrap();
        }
        let Value::Object(claims) = card.claims else {
            panic!("claims are an object")
        };
        let input = IssueInput {
            vct: card.vct,
            issuer: Some(&self.id),
            key: IssuerKey::X5c(&self.chain),
            issued_at: Some(now),
            not_before: None,
            expires_at: Some(card.expires_at),
            holder_key: card.holder,
            status,
            claims: claims as Map<String, Value>,
            frame: &frame,
            hash: HashAlg::Sha256,
        };
        issue(input, &self.key, rng).await.unwrap()
    }

    /// Sets a status; `publish` makes it known.
    pub fn set(&self, status: &StatusRef, value: Status) {
        self.list.lock().unwrap().set(status.idx, value).unwrap();
    }

    pub async fn publish(&self, now: UnixTime) {
        let list = self.list.lock().unwrap().clone();
        let uri = self.list_uri();
        let input = StatusTokenInput {
            uri: &uri,
            issuer: Some(&self.id),
            list: &list,
            issued_at: now,
            expires_at: now.plus(3600),
            ttl_s: 1,
            key: IssuerKey::X5c(&self.chain),
        };
        let token = sign_status_list(&input, &self.key).await.unwrap();
        self.network.publish(&uri, token);
    }

    /// The same list as CWT.
    pub async fn publish_cwt(&self, now: UnixTime) {
        let list = self.list.lock().unwrap().clone();
        let uri = self.list_uri();
        let input = StatusCwtInput {
            uri: &uri,
            list: &list,
            issued_at: now,
            expires_at: now.plus(3600),
            ttl_s: 1,
            chain: &self.chain,
        };
        let token = sign_status_list_cwt(&input, &self.key).await.unwrap();
        self.network.publish_as(&uri, StatusToken::Cwt(token));
    }
}
