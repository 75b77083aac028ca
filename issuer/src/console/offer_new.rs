//! `/console/offers/new`: an offer for one person.

use axum::body::Bytes;
use axum::extract::RawQuery;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};
use vouchsafe_credentials::credential_type::CredentialType;
use vouchsafe_credentials::random::token;
use vouchsafe_pages::qr;
use vouchsafe_service::db::Tx;
use vouchsafe_service::http::Params;
use vouchsafe_service::jti::{self, IdentifierKind};
use vouchsafe_service::operators::SESSION_S;

use super::claims_form::{self, Problems};
use super::{Acting, Failure, Visitor, cards, query, view};
use crate::domain::offer::GrantKind;
use crate::handlers::admin::error::ApiError;
use crate::links::OfferLinks;
use crate::prepare::{self, PrepareError, PreparedOffer, Wanted};

/// Lifetimes to choose from, in seconds.
pub const LIFETIMES: [i64; 4] = [600, 3600, 86_400, 604_800];

/// The form.
pub async fn page(Acting(visitor): Acting, RawQuery(query): RawQuery) -> Result<Response, Failure> {
    let params = query::params(query.as_deref())?;
    let core = &visitor.console.core;
    core.types.refresh(core).await?;
    let Some(id) = query::filter(&params, "type") else {
        let context = json!({ "types": cards::all(&visitor) });
        return visitor.page("console/offer_choose", context);
    };
    let kind = core.credential_type(id).ok_or(Failure::NotFound)?;
    let empty = Params::default();
    form(&visitor, &kind, &empty, &Problems::new(), StatusCode::OK)
}

/// Makes the offer. Its links and codes are shown this once.
pub async fn create(
    Acting(visitor): Acting,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Failure> {
    let typed = visitor.form(&headers, &body).await?;
    let core = visitor.console.core.clone();
    core.types.refresh(&core).await?;
    let id = typed.get("type").unwrap_or_default();
    let kind = core.credential_type(id).ok_or(Failure::NotFound)?;
    let refused = StatusCode::UNPROCESSABLE_ENTITY;
    let record = typed.get("record_id").unwrap_or_default().trim();
    let prepared = match prepared(&visitor, &kind, &typed, record) {
        Ok(prepared) => prepared,
        Err(Refused::Problems(problems)) => {
            return form(&visitor, &kind, &typed, &problems, refused);
        }
        Err(Refused::Failure(failure)) => return Err(failure),
    };
    let (author, stored) = (visitor.author(), prepared.clone());
    let sent = Sent::of(&visitor, &typed)?;
    let told = core.clone();
    core.db
        .write(async move |tx| {
            sent.first(tx).await?;
            prepare::create(&told, tx, &author, &stored).await?;
            Ok::<_, Failure>(())
        })
        .await?;
    result(&visitor, &kind, &prepared, None)
}

/// Why the form makes no offer.
pub enum Refused {
    /// Something that was typed; the form says where.
    Problems(Problems),
    /// Everything else.
    Failure(Failure),
}

/// The offer that a form asks for, for the record with this name. Writes nothing.
pub fn prepared(
    visitor: &Visitor,
    kind: &CredentialType,
    typed: &Params,
    record: &str,
) -> Result<PreparedOffer, Refused> {
    let claims = claims_form::read(kind, typed).map_err(Refused::Problems)?;
    let (grant, tx_code, expires_in_s) = terms(typed).map_err(Refused::Failure)?;
    // Where a system of the organisation knows the claims, nobody needs to type them.
    let sourced = visitor
        .console
        .core
        .settings
        .claims_source(&kind.id)
        .is_some();
    let claims = Some(claims).filter(|claims| !(sourced && claims.is_empty()));
    let wanted = Wanted {
        record_id: record.to_owned(),
        credential_type: kind.id.clone(),
        claims,
        grant,
        tx_code,
        wallet_initiated: false,
        redemptions: 1,
        expires_in_s,
        hold: false,
    };
    let one = |name: &str, code| Refused::Problems(Problems::from([(name.to_owned(), code)]));
    prepare::prepare(&visitor.console.core, wanted).map_err(|error| match error {
        PrepareError::Claims(refused) => Refused::Problems(claims_form::problems(kind, &refused)),
        PrepareError::RecordId => one("record_id", "record"),
        PrepareError::TxCode => one("tx_code", "tx-code"),
        other => Refused::Failure(ApiError::Prepare(other).into()),
    })
}

/// How an offer is redeemed, and for how long: fields that two forms share.
pub fn terms(typed: &Params) -> Result<(GrantKind, bool, Option<i64>), Failure> {
    let grant = typed.get("grant").and_then(GrantKind::parse);
    let lifetime = match query::filter(typed, "lifetime") {
        None => None,
        Some(text) => {
            let seconds = text.parse().ok().filter(|one| LIFETIMES.contains(one));
            Some(seconds.ok_or(Failure::Malformed)?)
        }
    };
    let grant = grant.ok_or(Failure::Malformed)?;
    Ok((grant, typed.get("tx_code") == Some("yes"), lifetime))
}

/// A form that is sent once: codes are shown once, and a reload makes nothing twice.
pub struct Sent {
    session: String,
    once: String,
    until: vouchsafe_credentials::time::UnixTime,
}

impl Sent {
    /// The form of a session.
    pub fn of(visitor: &Visitor, typed: &Params) -> Result<Self, Failure> {
        let once = query::filter(typed, "once").ok_or(Failure::Malformed)?;
        Ok(Self {
            session: visitor.session.id.clone(),
            once: once.to_owned(),
            until: visitor.console.core.clock.now().plus(SESSION_S),
        })
    }

    /// Refuses the same form again.
    pub async fn first(&self, tx: &mut Tx) -> Result<(), Failure> {
        let kind = IdentifierKind::ConsoleForm;
        match jti::first_use(tx, kind, &self.session, &self.once, self.until).await? {
            true => Ok(()),
            false => Err(Failure::Again),
        }
    }
}

fn form(
    visitor: &Visitor,
    kind: &CredentialType,
    typed: &Params,
    problems: &Problems,
    status: StatusCode,
) -> Result<Response, Failure> {
    let fields = claims_form::shown(kind, visitor.locale.tag(), typed, problems);
    let context = view::with(
        shared(visitor, typed, problems),
        json!({
            "type": { "id": kind.id, "name": kind.display.name(visitor.locale.tag()) },
            "fields": fields,
        }),
    );
    visitor.page_with(status, "console/offer_new", context)
}

/// What the forms for one person and for many share.
pub fn shared(visitor: &Visitor, typed: &Params, problems: &Problems) -> Value {
    let text = |name: &str| typed.get(name).unwrap_or_default();
    json!({
        "once": token(&*visitor.console.core.rng),
        "record_id": text("record_id"),
        "grant": typed.get("grant").unwrap_or(GrantKind::PreAuthorizedCode.as_str()),
        // Without a registered wallet nobody could use a code.
        "code_grant": !visitor.console.core.settings.clients.is_empty(),
        "tx_code": typed.get("tx_code") == Some("yes"),
        "lifetime": text("lifetime"),
        "lifetimes": LIFETIMES,
        "problems": problems,
    })
}

/// The page with the links and codes of a new offer. `replaces` is the page of the credential in whose
/// place it is.
pub fn result(
    visitor: &Visitor,
    kind: &CredentialType,
    prepared: &PreparedOffer,
    replaces: Option<&str>,
) -> Result<Response, Failure> {
    let core = &visitor.console.core;
    let offer = &prepared.new.offer;
    let links = OfferLinks::new(core, offer, &prepared.reference);
    let opens_here = ["https://", "http://"];
    let opens_here = opens_here
        .iter()
        .any(|scheme| links.by_reference.starts_with(scheme));
    let context = json!({
        "type": { "id": kind.id, "name": kind.display.name(visitor.locale.tag()) },
        "replaces": replaces,
        "qr": qr::svg(&links.by_reference).ok(),
        "link": links.by_reference,
        "opens_here": opens_here,
        "grant": offer.grant.as_str(),
        "code": prepared.code,
        "expires_at": offer.expires_at.0,
    });
    visitor.page_with(StatusCode::CREATED, "console/offer_made", context)
}
