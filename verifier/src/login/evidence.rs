//! From a verified presentation to what the login keeps of it: whose card it was, the claims for
//! the application, where the status of the cards is published. Nothing else of it stays.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use vouchsafe_credentials::sd_jwt_vc::IssuerAuthority;
use vouchsafe_protocol::oidc::subject::{StableClaim, binding_key};
use vouchsafe_protocol::vp::verify::{VerifiedCredential, VerifiedPresentation};

use super::ask::Asking;
use super::{presented, run, verified};
use crate::app::Parts;
use crate::config::{ClaimMapping, Query, SubjectClaim, SubjectStrategy};
use crate::domain::ids::ConsentId;
use crate::domain::reason::{Explanation, Failure};
use crate::domain::session::{CardRef, StatusPointer};
use crate::domain::transaction::{Answer, BindingKey, Channel, Evidence, Login, VerifiedAnswer};
use crate::journey::Hasher as _;
use crate::journeys::Bindings;
use crate::store::requests::PresentationRequest;

/// What the login takes from a verified presentation; nothing else of it is kept.
pub(super) fn answer(
    app: &Parts,
    asking: &Asking<'_>,
    login: &Login,
    request: &PresentationRequest,
    presentation: &VerifiedPresentation,
) -> Result<Answer, Failure> {
    let query = asking.query.as_ref();
    let facts = asking.facts.names();
    let mut claims = mapped_claims(query, &facts, presentation);
    let (presented, verified) = match login.run {
        Some(_) => (Vec::new(), VerifiedAnswer::default()),
        None => {
            let wish = login.request.presented.as_ref();
            let cards = wish.map(|wish| presented::told(query, wish, presentation, app.now()));
            let cards = cards.transpose()?.unwrap_or_default();
            let answer = verified::told(app, query, &login.request.verified, presentation);
            // What was not met is not told, and is no fact of this login.
            let (flat, names) = (login.request.facts.names(), verified::names(&answer));
            let told = |name: &str| {
                flat.contains(name) || names.contains(name) || cards.names.contains(name)
            };
            claims.retain(|name, _| told(name));
            (cards.sets, answer)
        }
    };
    Ok(Answer {
        channel: request.channel,
        number: match request.channel {
            Channel::SameDevice | Channel::DcApi => None,
            Channel::Qr => Some(two_digits(app)),
        },
        evidence: evidence(app, query, login, presentation)?,
        claims,
        presented,
        verified,
        cards: presentation.credentials().iter().map(card).collect(),
        consent: ConsentId::random(app.rng.as_ref()),
        consent_until: None,
        external_id: false,
        answered_at: app.now(),
        // The one function that verifies a presentation compared the hashes.
        approved: (login.request.approval.as_ref())
            .zip(asking.transaction_data.first())
            .map(|(approval, data)| approval.approved(data)),
        cards_read: match login.run {
            Some(_) => run::cards(presentation, app.now()),
            None => BTreeMap::new(),
        },
        bound: match is_told(asking, login) {
            true => bound(app, query, presentation),
            false => BTreeMap::new(),
        },
    })
}

fn evidence(
    app: &Parts,
    query: &Query,
    login: &Login,
    presentation: &VerifiedPresentation,
) -> Result<Evidence, Failure> {
    let Some(claim) = query.subject.claim() else {
        return Ok(Evidence::Guest);
    };
    let key = key(app, claim, presentation)?;
    // Whoever adds a card to an account is not looking for one; and whose session counts is known.
    let known = login.passkey.is_some();
    let (run, login) = (login.run.as_deref(), &login.request);
    let known = known || run.is_some_and(|run| run.pinned.is_some());
    if login.linking().is_some() || (known && query.subject.is_asserted()) {
        return Ok(Evidence::Bound(key));
    }
    Ok(match &query.subject {
        SubjectStrategy::Guest => Evidence::Guest,
        SubjectStrategy::IssuerScopedClaim(_) => Evidence::IssuerScoped(key),
        SubjectStrategy::SessionBinding(_) => Evidence::Bound(key),
        SubjectStrategy::AssertedLookup(_) => Evidence::Asserted {
            // The page names the account first; a question that was found by another way proves
            // nobody.
            identifier_mac: (login.asserted.clone())
                .ok_or_else(|| Failure::new("nobody_asserted", Explanation::NotProven))?,
            key,
        },
    })
}

/// What a card is known again by.
fn key(
    app: &Parts,
    subject: &SubjectClaim,
    presentation: &VerifiedPresentation,
) -> Result<BindingKey, Failure> {
    let SubjectClaim {
        claim,
        path,
        credential,
    } = subject;
    let card = presentation
        .credential(credential)
        .ok_or_else(|| Failure::new("subject_credential_missing", Explanation::NotProven))?;
    // Catalogue 343, 385: the claim counts only from an issuer that was declared to keep it stable.
    if !app
        .settings
        .trust
        .claim_is_stable(&card.issuer().trusted, card.credential_type(), claim)
    {
        return Err(Failure::new(
            "subject_claim_not_stable",
            Explanation::Issuer,
        ));
    }
    let value = card.claim(path).and_then(stable_text);
    let value =
        value.ok_or_else(|| Failure::new("subject_claim_unusable", Explanation::NotProven))?;
    let (framework, issuer) = match &card.issuer().authority {
        IssuerAuthority::X509 { anchor, subject } => ("x509", format!("{anchor} {subject}")),
        IssuerAuthority::Iaca { anchor } => ("iaca", anchor.clone()),
        IssuerAuthority::Did(did) => ("did", did.clone()),
    };
    let stable = StableClaim {
        framework,
        issuer: &issuer,
        credential_type: card.credential_type(),
        claim,
        value: &value,
    };
    Ok(BindingKey {
        framework: framework.to_owned(),
        claim_mac: binding_key(&app.binding_key, &stable),
        issuer,
        credential_type: card.credential_type().to_owned(),
    })
}

/// Whether the person was told that keyed hashes are kept: with the card itself, and of an account.
pub(super) fn is_told(asking: &Asking<'_>, login: &Login) -> bool {
    !asking.later && login.request.linking().is_none()
}

/// Keyed hashes of the claims that the question binds, as far as the cards show them.
fn bound(
    app: &Parts,
    query: &Query,
    presentation: &VerifiedPresentation,
) -> BTreeMap<String, String> {
    let hasher = Bindings(&app.binding_key, None);
    let mut bound = BTreeMap::new();
    for mapping in &query.bind {
        let mut cards = mapping.credentials.iter();
        let found = cards.find_map(|id| presentation.credential(id)?.claim(&mapping.path));
        // Nothing else can be compared with it.
        if let Some(value) = found.filter(|value| stable_text(value).is_some()) {
            bound.insert(mapping.name.clone(), hasher.hash(&mapping.name, value));
        }
    }
    bound
}

/// A text or an integer, in its JSON form, so that `1` and `"1"` are different people.
fn stable_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(value.to_string()),
        Value::Number(number) if number.is_i64() || number.is_u64() => Some(value.to_string()),
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => None,
    }
}

/// A card may show more than it was asked for (not everything on it can be kept back): that goes
/// nowhere.
fn mapped_claims(
    query: &Query,
    facts: &BTreeSet<&str>,
    presentation: &VerifiedPresentation,
) -> Map<String, Value> {
    let mut claims = Map::new();
    let told = |mapping: &&ClaimMapping| facts.contains(mapping.name.as_str());
    for mapping in query.claims.iter().filter(told) {
        let found = mapping
            .credentials
            .iter()
            .find_map(|id| presentation.credential(id)?.claim(&mapping.path));
        if let Some(value) = found {
            claims.insert(mapping.name.clone(), value.clone());
        }
    }
    claims
}

fn card(credential: &VerifiedCredential) -> CardRef {
    CardRef {
        issuer: credential.issuer().clone(),
        credential_type: credential.credential_type().to_owned(),
        status: credential.status().map(|status| StatusPointer {
            uri: status.uri.clone(),
            idx: status.idx,
        }),
        expires_at: credential.expires_at(),
    }
}

/// 10 to 99, each equally likely.
fn two_digits(app: &Parts) -> u8 {
    loop {
        let [byte] = vouchsafe_credentials::random::bytes::<1>(app.rng.as_ref());
        // 180 is the largest multiple of 90 in a byte.
        if byte < 180 {
            return 10 + byte % 90;
        }
    }
}
