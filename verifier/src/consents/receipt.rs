//! Receipts: what was recorded of a consent, in the words of ISO/IEC TS 27560:2023 as the guide of the
//! W3C Data Privacy Vocabularies group writes them (`dpv-27560`, sections 8 and 9), and signed.
//!
//! A receipt has names of facts, never their values, and of the person only what the application calls
//! them anyway.

use serde::Serialize;
use serde_json::{Map, Value, json};
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_protocol::oidc::subject::pairwise_sub;
use vouchsafe_service::db::Table;

use crate::app::Parts;
use crate::domain::consent::{Consent, Event, State};
use crate::domain::notice::{Controller, How, Notice, Record};
use crate::domain::session::Session;
use crate::domain::transaction::Channel;
use crate::store::{StoreError, consents};
use crate::tokens::TokenError;

/// The schema that every receipt keeps to: `specs/consent-receipt.schema.json`.
pub const SCHEMA: &str = "urn:vouchsafe:consent-receipt:1";
/// Guide, section 2. Claimed only where everything is known that the guide demands.
const DPV_RECEIPT: &str = "https://w3id.org/dpv/schema/dpv-27560#receipt";
const DPV_RECORD: &str = "https://w3id.org/dpv/schema/dpv-27560#record";

/// A receipt, and the same signed.
#[derive(Debug, Clone, Serialize)]
pub struct Receipt {
    /// The document.
    pub receipt: Value,
    /// A compact JWS with it.
    pub signed: String,
}

/// Why there is no receipt.
#[derive(Debug, thiserror::Error)]
pub enum ReceiptError {
    /// The database, or a record that somebody changed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It could not be signed.
    #[error(transparent)]
    Sign(#[from] TokenError),
}

impl From<vouchsafe_service::db::DbError> for ReceiptError {
    fn from(error: vouchsafe_service::db::DbError) -> Self {
        Self::Store(error.into())
    }
}

/// The receipt of a consent; consents of an earlier version have none.
pub async fn of(app: &Parts, consent: &Consent) -> Result<Option<Receipt>, ReceiptError> {
    let Some(record) = consents::record(&app.db, &app.vault, consent).await? else {
        return Ok(None);
    };
    let client = app.client(&consent.client).await?;
    let sub = match (&consent.subject, &client) {
        (Some(subject), Some(client)) => pairwise_sub(&app.pairwise_key, &client.sector, subject),
        // Nobody whom the application would know again.
        (None, _) | (_, None) => consent.id.to_string(),
    };
    let events = consents::events_of(&app.db, &consent.id).await?;
    let ended = events
        .iter()
        .rev()
        .find(|event| event.state != State::Given);
    if ended.map(|event| event.at) != consent.over_at {
        let changed =
            Table("consent_events").invalid("state", "says other things than the consent");
        return Err(StoreError::from(changed).into());
    }
    let now = app.now();
    let about = About {
        consent,
        record: &record,
        events: &events,
        sub: &sub,
        publisher: app.issuer(),
        account: app.url("/account").to_string(),
        address: app
            .url(&format!("/account/consents/{}/receipt", consent.id))
            .to_string(),
    };
    let receipt = about.receipt(now);
    // RFC 8725, section 3.11: a type of its own, so that no receipt stands for another token; nor has
    // it the `sub` of an ID token (the record in it names the person).
    let claims = json!({
        "iss": app.issuer(), "aud": consent.client.as_str(), "iat": now.seconds(),
        "jti": consent.id.as_str(),
        "receipt": receipt,
    });
    let signed = app.tokens.consent_receipt(&claims)?;
    Ok(Some(Receipt { receipt, signed }))
}

/// The most receipts that are kept at once: those that hold first, then the newest.
const MOST: i64 = 200;

/// The receipts of a person.
pub async fn of_person(app: &Parts, owner: &Session) -> Result<Vec<Receipt>, ReceiptError> {
    let subject = owner.subject.as_ref();
    let all = consents::of_person(&app.db, subject, &owner.id, MOST).await?;
    let mut receipts = Vec::with_capacity(all.len());
    for consent in &all {
        receipts.extend(of(app, consent).await?);
    }
    Ok(receipts)
}

fn time(at: UnixTime) -> String {
    let at = jiff::Timestamp::from_second(at.0);
    at.map(|at| at.to_string()).unwrap_or_default()
}

struct About<'a> {
    consent: &'a Consent,
    record: &'a Record,
    events: &'a [Event],
    sub: &'a str,
    publisher: &'a str,
    account: String,
    address: String,
}

impl About<'_> {
    /// Guide, section 9: a receipt is a wrapper around a record.
    fn receipt(&self, now: UnixTime) -> Value {
        let id = self.consent.id.as_str();
        json!({
            // Names alone: nothing is fetched to read them.
            "@context": {
                "dpv": "https://w3id.org/dpv#",
                "loc": "https://w3id.org/dpv/loc#",
                "dct": "http://purl.org/dc/terms/",
                "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
                "schema": "https://schema.org/",
            },
            "@id": self.address,
            "@type": "dpv:ConsentReceipt",
            "dct:identifier": id,
            "dpv:hasIdentifier": id,
            "dct:conformsTo": self.conforms(DPV_RECEIPT),
            "dct:created": time(now),
            "dct:publisher": self.publisher,
            "schema:recipient": "dpv:DataSubject",
            "dpv:hasRecordOfActivity": self.record(),
        })
    }

    /// Guide, sections 8.3 and 8.4: what must be there has to be known.
    fn conforms(&self, profile: &str) -> Vec<String> {
        let Notice {
            controller,
            stays_days,
            ..
        } = &self.record.notice;
        let Controller {
            name: _,
            contact,
            privacy_policy: _,
            address,
            country,
            storage,
        } = controller;
        let whole = contact.is_some()
            && address.is_some()
            && country.is_some()
            && !storage.is_empty()
            && stays_days.is_some();
        let mut names = vec![SCHEMA.to_owned()];
        names.extend(whole.then(|| profile.to_owned()));
        names
    }

    /// Guide, section 8.
    fn record(&self) -> Value {
        let Record {
            notice,
            claims: _,
            how: _,
            given_at,
            expires_at: _,
        } = self.record;
        let mut record = json!({
            "@type": "dpv:ConsentRecord",
            // Section 8.1: header fields.
            "dct:identifier": self.consent.id.as_str(),
            "dct:conformsTo": self.conforms(DPV_RECORD),
            "dct:created": time(*given_at),
            "dpv:hasDataSubject": { "@type": "dpv:DataSubject", "dct:identifier": self.sub },
            // Section 8.2: notice fields.
            "dpv:hasNotice": self.notices(),
            "dct:language": notice.language,
            // Section 8.3: processing fields.
            "dpv:hasProcess": self.process(),
            "dpv:hasConsentControl": { "@type": "dpv:WithdrawConsent", "dpv:isExercisedAt": self.account },
            "dpv:hasRight": [{ "@type": "dpv:DataSubjectRight", "dpv:isExercisedAt": self.account }],
            // Section 8.4: entity fields.
            "dpv:hasDataController": controller(&notice.controller, notice.client.as_str()),
            // Section 8.5: event fields.
            "dpv:hasConsentStatus": self.events.iter().map(|event| self.event(event)).collect::<Vec<_>>(),
        });
        if let (Some(record), Some(country)) = (record.as_object_mut(), &notice.controller.country)
        {
            let place = format!("loc:{country}");
            record.insert("dpv:hasJurisdiction".to_owned(), place.into());
        }
        record
    }

    fn notices(&self) -> Vec<Value> {
        let notice = &self.record.notice;
        let shown = json!({
            "@type": "dpv:ConsentNotice",
            "dct:identifier": format!("sha-256:{}", notice.hash()),
            "dct:language": notice.language,
        });
        let policy = notice.controller.privacy_policy.as_ref();
        let policy = policy.map(|url| json!({ "@type": "dpv:PrivacyNotice", "schema:url": url }));
        [Some(shown), policy].into_iter().flatten().collect()
    }

    fn process(&self) -> Value {
        let notice = &self.record.notice;
        let mut recipients = vec![notice.app.clone()];
        recipients.extend(notice.recipients.iter().cloned());
        let mut storage = Vec::new();
        if let Some(days) = notice.stays_days {
            let duration = format!("P{days}D");
            storage.push(json!({ "@type": "dpv:StorageDuration", "dpv:hasDuration": duration }));
        }
        if !notice.controller.storage.is_empty() {
            let places = notice.controller.storage.iter();
            let places: Vec<String> = places.map(|place| format!("loc:{place}")).collect();
            storage.push(json!({ "@type": "dpv:StorageLocation", "dpv:hasLocation": places }));
        }
        json!({
            "@type": "dpv:Process",
            "dpv:hasPurpose": {
                "@type": "dpv:Purpose", "dct:identifier": notice.about, "dct:description": notice.purpose,
            },
            "dpv:hasLegalBasis": kind(self.record.how),
            "dpv:hasPersonalData": self.facts(),
            "dpv:hasRecipient": recipients,
            "dpv:hasService": notice.app,
            "dpv:hasStorageCondition": storage,
        })
    }

    /// Names of what the application learned, and the name by which it knows the person.
    fn facts(&self) -> Vec<Value> {
        let notice = &self.record.notice;
        let mut names = vec!["sub".to_owned()];
        names.extend(self.record.claims.iter().cloned());
        names.extend(notice.external_id.then(|| "external_id".to_owned()));
        let fact = |name: &String| {
            let mut fact = json!({ "@type": "dpv:PersonalData", "dct:identifier": name });
            let known = notice.facts.iter().find(|fact| fact.name == *name);
            if let (Some(fact), Some(known)) = (fact.as_object_mut(), known) {
                fact.insert("dct:title".to_owned(), known.label.as_str().into());
            }
            fact
        };
        names.iter().map(fact).collect()
    }

    fn event(&self, event: &Event) -> Value {
        let person = "dpv:DataSubject";
        let (status, by) = match event.state {
            State::Given => ("dpv:ConsentGiven", person),
            State::Withdrawn => ("dpv:ConsentWithdrawn", person),
            State::Expired => ("dpv:ConsentExpired", self.publisher),
            // The vocabulary has no word for it: another consent stands in its place.
            State::Replaced => ("dpv:ConsentTerminated", person),
            // "revoked by an entity other than the data subject".
            State::Revoked => ("dpv:ConsentRevoked", self.publisher),
        };
        let mut value = json!({
            "@type": [status, kind(self.record.how)],
            "dpv:isIndicatedAtTime": time(event.at),
            "dpv:isIndicatedBy": by,
        });
        let Some(object) = value.as_object_mut() else {
            return value;
        };
        match event.state {
            State::Given => {
                object.insert(
                    "dpv:hasIndicationMethod".to_owned(),
                    method(self.record.how).into(),
                );
                let duration = match self.record.expires_at {
                    Some(end) => {
                        json!({ "@type": "dpv:UntilTimeDuration", "rdf:value": time(end) })
                    }
                    None => json!({ "@type": "dpv:UntilEventDuration", "rdf:value": "withdrawn" }),
                };
                object.insert("dpv:hasDuration".to_owned(), duration);
            }
            State::Replaced => {
                object.insert("dpv:hasIndicationMethod".to_owned(), "replaced".into());
            }
            State::Withdrawn | State::Expired | State::Revoked => {}
        }
        value
    }
}

fn controller(controller: &Controller, client: &str) -> Value {
    let Controller {
        name,
        contact,
        privacy_policy: _,
        address,
        country: _,
        storage: _,
    } = controller;
    let mut value = Map::new();
    let types = json!(["dpv:Organisation", "dpv:DataController"]);
    value.insert("@type".to_owned(), types);
    value.insert("dct:identifier".to_owned(), client.into());
    value.insert("dpv:hasName".to_owned(), name.as_str().into());
    let more = [("dpv:hasContact", contact), ("dpv:hasAddress", address)];
    for (key, text) in more {
        if let Some(text) = text {
            value.insert(key.to_owned(), text.as_str().into());
        }
    }
    Value::Object(value)
}

/// Guide, section 8.5.1. Showing a card says yes to the login and its facts; the button of our page
/// concerns nothing else.
fn kind(how: How) -> &'static str {
    match how {
        How::Card(_) => "dpv:ExpressedConsent",
        How::Page => "dpv:ExplicitlyExpressedConsent",
    }
}

/// Guide, section 8.5.6.
fn method(how: How) -> &'static str {
    match how {
        How::Card(Channel::SameDevice) => "card_same_device",
        How::Card(Channel::Qr) => "card_other_device",
        How::Card(Channel::DcApi) => "card_browser",
        How::Page => "button",
    }
}
