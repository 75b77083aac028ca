//! What a person is told before they agree, and what is recorded of it. Names of facts alone, never
//! their values.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use vouchsafe_credentials::encoding::b64url;
use vouchsafe_credentials::jcs::canonicalize;
use vouchsafe_credentials::time::UnixTime;

use super::ids::ClientId;
use super::transaction::Channel;

/// Who is responsible for what an application does with the facts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Controller {
    /// What it is called.
    pub name: String,
    /// Where people reach it.
    pub contact: Option<String>,
    /// Address of its privacy policy.
    pub privacy_policy: Option<String>,
    /// Postal address.
    pub address: Option<String>,
    /// Country whose law applies (ISO 3166-1 alpha-2).
    pub country: Option<String>,
    /// Countries where the facts are stored.
    pub storage: Vec<String>,
}

/// A fact that an application would learn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeFact {
    /// Name of the claim.
    pub name: String,
    /// What the person reads.
    pub label: String,
}

/// What a person is told before they agree: ISO/IEC TS 27560:2023, `privacy_notice`, in the words and
/// the language that were shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// BCP 47 tag of the language.
    pub language: String,
    /// Who asks.
    pub client: ClientId,
    /// What people call it.
    pub app: String,
    /// Its host.
    pub app_host: Option<String>,
    /// The question, or the step of a journey, that asks.
    pub about: String,
    /// Why.
    pub purpose: String,
    /// What the application would learn.
    pub facts: Vec<NoticeFact>,
    /// Whether it learns by which id the organisation knows the account.
    pub external_id: bool,
    /// Days for which it may go on while the person is away.
    pub away_days: Option<i64>,
    /// Who is responsible.
    pub controller: Controller,
    /// Others who are given the facts.
    pub recipients: Vec<String>,
    /// Days for which the facts are kept.
    pub stays_days: Option<i64>,
    /// Days after which the consent ends.
    pub expires_days: Option<i64>,
}

impl Notice {
    /// SHA-256 of its canonical form (RFC 8785), base64url.
    #[must_use]
    pub fn hash(&self) -> String {
        // Texts, lists and small numbers alone: they serialise.
        let value = serde_json::to_value(self).unwrap_or_default();
        b64url(&Sha256::digest(canonicalize(&value).unwrap_or_default()))
    }

    /// When a consent ends that is given now.
    #[must_use]
    pub fn ends(&self, now: UnixTime) -> Option<UnixTime> {
        self.expires_days.map(|days| now.plus(days * 86_400))
    }
}

/// How a person agreed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// They showed a card to exactly this question.
    Card(Channel),
    /// They pressed a button of our page.
    Page,
}

/// What is recorded of a consent; it never changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// What they were told.
    pub notice: Notice,
    /// Names of the facts that the application learned.
    pub claims: Vec<String>,
    /// How.
    pub how: How,
    /// When.
    pub given_at: UnixTime,
    /// When it ends by itself.
    pub expires_at: Option<UnixTime>,
}

impl Record {
    /// Whether whatever rests on `older` may rest on this one.
    #[must_use]
    pub fn covers(&self, older: &Self) -> bool {
        let away = match (older.notice.away_days, self.notice.away_days) {
            (None, _) => true,
            (Some(old), Some(new)) => new >= old,
            (Some(_), None) => false,
        };
        let mut claims = older.claims.iter();
        away && claims.all(|name| self.claims.contains(name))
            && (self.notice.external_id || !older.notice.external_id)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn notice() -> Notice {
        Notice {
            language: "en".to_owned(),
            client: ClientId::from_text("shop"),
            app: "Shop".to_owned(),
            app_host: Some("shop.example".to_owned()),
            about: "membership".to_owned(),
            purpose: "Log in".to_owned(),
            facts: vec![NoticeFact {
                name: "tier".to_owned(),
                label: "Tier".to_owned(),
            }],
            external_id: false,
            away_days: None,
            controller: Controller {
                name: "Shop Ltd".to_owned(),
                contact: Some("privacy@shop.example".to_owned()),
                privacy_policy: Some("https://shop.example/privacy".to_owned()),
                address: Some("1 Street".to_owned()),
                country: Some("NO".to_owned()),
                storage: vec!["NO".to_owned()],
            },
            recipients: Vec::new(),
            stays_days: Some(30),
            expires_days: Some(90),
        }
    }

    #[test]
    fn whatever_changes_of_a_notice_changes_its_hash() {
        let one = notice();
        assert_eq!(one.hash(), notice().hash());
        let changes: [fn(&mut Notice); 8] = [
            |n| n.language = "de".to_owned(),
            |n| n.purpose.push('!'),
            |n| n.facts[0].label.push('!'),
            |n| n.stays_days = None,
            |n| n.expires_days = Some(91),
            |n| n.recipients.push("Other".to_owned()),
            |n| n.controller.contact = None,
            |n| n.away_days = Some(1),
        ];
        for change in changes {
            let mut other = notice();
            change(&mut other);
            assert_ne!(one.hash(), other.hash());
        }
    }

    #[test]
    fn a_record_covers_what_asks_for_no_more() {
        let record = |change: fn(&mut Record)| {
            let mut record = Record {
                notice: notice(),
                claims: vec!["tier".to_owned()],
                how: How::Page,
                given_at: UnixTime(1),
                expires_at: None,
            };
            change(&mut record);
            record
        };
        let plain = record(|_| {});
        assert!(plain.covers(&plain));
        let wider: [fn(&mut Record); 3] = [
            |one| one.claims.push("name".to_owned()),
            |one| one.notice.external_id = true,
            |one| one.notice.away_days = Some(90),
        ];
        for change in wider {
            assert!(record(change).covers(&plain));
            assert!(!plain.covers(&record(change)));
        }
        let shorter = record(|one| one.notice.away_days = Some(30));
        assert!(!shorter.covers(&record(wider[2])));
    }
}
