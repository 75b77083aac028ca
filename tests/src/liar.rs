//! A wallet that answers with any card at any time it likes: what wallet-core
//! would not do.

use std::sync::Arc;

use anyhow::{Context, Result};
use reqwest::header::CONTENT_TYPE;
use serde_json::Value;
use vouchsafe_credentials::crypto::{Portable, Signer, SigningKey};
use vouchsafe_credentials::sd_jwt_vc::{
    HeldSdJwtVc, IssuancePolicy, IssuerMethod, IssuerTrust, StatusMethod, TrustedIssuer,
    verify_issued,
};
use vouchsafe_credentials::time::{Clock, UnixTime};
use vouchsafe_protocol::http::UrlRule;
use vouchsafe_protocol::vp::answer::{HeldCandidate, Presented, make_response};
use vouchsafe_protocol::vp::dcql::{Candidate, find_matches};
use vouchsafe_protocol::vp::invocation::Invocation;
use vouchsafe_protocol::vp::request::{WalletPolicy, verify_request};
use vouchsafe_service::clock::SystemClock;
use vouchsafe_service::random::OsRandom;

use crate::hand::{Hand, key};
use crate::world::World;

/// One card and its key.
pub struct Liar {
    held: HeldSdJwtVc,
    key: SigningKey,
}

impl Liar {
    /// Gets a card from an offer.
    pub async fn take(world: &World, offer: &crate::admin::Offer, kind: &str) -> Result<Self> {
        let key = key();
        let compact = Hand::of(world).take(offer, kind, &key).await?;
        let vct = format!("urn:vouchsafe:{kind}:1");
        let trust = IssuerTrust::new(vec![TrustedIssuer {
            id: world.issuer_url.clone(),
            method: IssuerMethod::X509 {
                anchors: Arc::new(world.issuer_anchors()?),
                subject: None,
            },
            types: vec![vct.clone()],
            status: StatusMethod::SameIssuer,
        }])?;
        let policy = IssuancePolicy {
            trust: &trust,
            vct: &vct,
            holder_key: Some(key.public_key()),
            now: SystemClock.now(),
        };
        let held = verify_issued(&compact, &policy, &Portable)?;
        Ok(Self {
            held: held.into_inner(),
            key,
        })
    }

    /// When the card ends.
    pub fn expires_at(&self) -> Option<UnixTime> {
        self.held.registered().expires_at
    }

    /// Answers a request at a time of its own; gives the verifier's status and reply.
    pub async fn show(&self, world: &World, link: &str, now: UnixTime) -> Result<(u16, Value)> {
        let urls = UrlRule::LoopbackAllowed;
        let invocation = Invocation::parse(link, urls)?;
        let object = world.client.get(invocation.request_uri.clone());
        let object = object.send().await?.error_for_status()?.text().await?;
        let anchors = world.verifier_anchors()?;
        let policy = WalletPolicy {
            anchors: &anchors,
            crypto: &Portable,
            now,
            urls,
        };
        let request = verify_request(&object, &invocation.client_id, None, &policy)?;
        let candidate = HeldCandidate::new(&self.held);
        let candidates: [&dyn Candidate; 1] = [&candidate];
        let matches = find_matches(request.query(), &candidates)
            .ok()
            .context("the card does not fit")?;
        let selection = matches.smallest();
        let presented: Vec<Presented<'_>> = selection
            .picks()
            .iter()
            .map(|pick| Presented {
                query: &pick.query,
                credential: (&self.held).into(),
                claims: &pick.claims,
                signer: &self.key,
            })
            .collect();
        let response = make_response(&request, &presented, &Portable, &OsRandom, now).await?;
        let answer = world
            .client
            .post(request.response_uri().clone())
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(response.to_form())
            .send()
            .await?;
        Ok((answer.status().as_u16(), answer.json().await?))
    }
}
