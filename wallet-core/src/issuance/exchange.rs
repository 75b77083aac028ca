//! Requests to send, and where their answers lead.

use vouchsafe_protocol::http::{HttpRequest, HttpResponse};
use vouchsafe_protocol::oauth::metadata::{
    AuthorizationServerMetadata, WELL_KNOWN, well_known_url,
};
use vouchsafe_protocol::vci::offer::{self, IssuerRule};
use vouchsafe_protocol::vci::{CredentialOffer, IssuerMetadata, OfferInvocation};

use super::authorize::AuthorizeState;
use super::busy::{Busy, end, put_off};
use super::call::Call;
use super::credentials::Collecting;
use super::goal::{self, Goal};
use super::issuer::{ConfirmIssuer, Standing};
use super::later::Polling;
use super::notify::Telling;
use super::preview::Preview;
use super::readied::Readied;
use super::session::Session;
use super::{Added, Authorize, IssuanceError, Step};
use crate::wallet::Wallet;
use crate::{WalletError, net};

/// Longest metadata of an authorization server, in bytes.
const MAX_SERVER_METADATA: usize = 256 * 1024;
/// Longest wait that a session asks for, in seconds; what takes longer ends it.
pub(super) const MAX_WAIT: i64 = 300;

/// A request to send. Redirects must not be followed.
pub struct Exchange {
    session: Session,
    request: HttpRequest,
    stage: Stage,
    wait: i64,
    busy: Busy,
}

/// What the answer is for.
#[expect(
    clippy::large_enum_variant,
    reason = "a step is moved a few times per card"
)]
pub(super) enum Stage {
    Offer,
    Issuer(CredentialOffer, Standing),
    Server(Box<(CredentialOffer, Standing, IssuerMetadata)>),
    Challenge(Box<Call>),
    Call(Box<Call>),
    Nonce(Box<Collecting>),
    Credential(Box<Collecting>),
    Deferred(Box<Polling>),
    Notice(Box<Telling>),
}

/// Where an answer leads; becomes a [`Step`] with the session.
#[expect(
    clippy::large_enum_variant,
    reason = "a step is moved a few times per card"
)]
pub(super) enum Next {
    Send {
        request: HttpRequest,
        stage: Stage,
        wait: i64,
    },
    Confirm(CredentialOffer),
    Preview(Box<Readied>),
    Authorize(Box<AuthorizeState>),
    Done(Added),
}

impl Next {
    pub(super) fn send(request: HttpRequest, stage: Stage) -> Self {
        let wait = 0;
        Self::Send {
            request,
            stage,
            wait,
        }
    }

    pub(super) fn with(self, session: Session) -> Step {
        self.after(session, Busy::default())
    }

    fn after(self, session: Session, busy: Busy) -> Step {
        match self {
            Self::Send {
                request,
                stage,
                wait,
            } => Step::Send(Exchange {
                session,
                request,
                stage,
                wait,
                busy,
            }),
            Self::Confirm(offer) => Step::ConfirmIssuer(ConfirmIssuer::new(session, offer)),
            Self::Preview(readied) => Step::Preview(Preview::new(session, readied)),
            Self::Authorize(state) => Step::Authorize(Authorize::new(session, *state)),
            Self::Done(added) => Step::Done(added),
        }
    }
}

/// Reads a link or the text of a QR code.
pub(crate) fn start(wallet: Wallet, link: &str) -> Result<Step, WalletError> {
    // Catalogue 286, 287, 445: refused before any request.
    let invocation = OfferInvocation::parse(link, wallet.urls(), &IssuerRule::Any)
        .map_err(IssuanceError::Offer)?;
    match invocation {
        OfferInvocation::ByValue(offer) => {
            start_offered(Session::new(wallet, String::new()), *offer)
        }
        OfferInvocation::ByReference(url) => {
            let session = Session::new(wallet, net::host_of(&url));
            let request = HttpRequest::get_json(url);
            Ok(Next::send(request, Stage::Offer).with(session))
        }
    }
}

/// Begins with an offer that is at hand.
pub(super) fn start_offered(
    mut session: Session,
    offer: CredentialOffer,
) -> Result<Step, WalletError> {
    match offered(&mut session, offer) {
        Ok(next) => Ok(next.with(session)),
        Err(error) => {
            session.remember_failure(&error);
            Err(error)
        }
    }
}

impl Exchange {
    /// The request to send, once.
    #[must_use]
    pub fn request(&self) -> &HttpRequest {
        &self.request
    }

    /// How many seconds to wait before it is sent: the other side asked for it, as it is busy
    /// (`Retry-After`) or has nothing yet. At most five minutes.
    #[must_use]
    pub fn wait_seconds(&self) -> u64 {
        u64::try_from(self.wait).unwrap_or(0)
    }

    /// How long this very request is being put off because the other side is busy, in seconds and
    /// with the wait before it is sent; 0 where it is not.
    #[must_use]
    pub fn busy_seconds(&self) -> u64 {
        u64::try_from(self.busy.seconds()).unwrap_or(0)
    }

    /// Whether what the issuer granted would be lost with this session: the offer is redeemed, and no
    /// card is there yet.
    #[must_use]
    pub fn is_redeemed(&self) -> bool {
        match &self.stage {
            Stage::Nonce(_) | Stage::Credential(_) => true,
            Stage::Offer
            | Stage::Issuer(..)
            | Stage::Server(_)
            | Stage::Challenge(_)
            | Stage::Call(_)
            | Stage::Deferred(_)
            | Stage::Notice(_) => false,
        }
    }

    /// Ends, as nobody waits that long. A card that was to come later can still be asked for later.
    pub async fn give_up(self) -> Result<Step, WalletError> {
        let Self {
            session,
            stage,
            wait,
            ..
        } = self;
        match end(&session, stage, wait) {
            Ok(next) => Ok(next.with(session)),
            Err(error) => {
                session.fail(&error).await;
                Err(error)
            }
        }
    }

    /// Takes the answer.
    pub async fn receive(self, response: &HttpResponse) -> Result<Step, WalletError> {
        let Self {
            mut session,
            request,
            stage,
            wait: _,
            busy,
        } = self;
        let now = session.wallet.now();
        let (next, busy) = match matches!(response.status, 429 | 503) {
            true => {
                let wait = busy.wait(response, now);
                let next = put_off(&mut session, stage, request, response, wait, busy).await;
                (next, busy.after(wait))
            }
            false => (
                advance(&mut session, stage, response).await,
                Busy::default(),
            ),
        };
        match next {
            Ok(next) => Ok(next.after(session, busy)),
            Err(error) => {
                session.fail(&error).await;
                Err(error)
            }
        }
    }

    /// The request could not be sent, or no answer came.
    pub async fn unreachable(self) -> WalletError {
        let error = IssuanceError::Unreachable.into();
        self.session.fail(&error).await;
        error
    }
}

async fn advance(
    session: &mut Session,
    stage: Stage,
    response: &HttpResponse,
) -> Result<Next, WalletError> {
    match stage {
        Stage::Offer => {
            let urls = session.wallet.urls();
            let offer = offer::CredentialOffer::from_response(response, urls, &IssuerRule::Any)
                .map_err(IssuanceError::Offer)?;
            offered(session, offer)
        }
        Stage::Issuer(offer, standing) => issuer_read(session, offer, standing, response),
        Stage::Server(read) => {
            let (offer, standing, issuer) = *read;
            let server = server_read(session, &offer, &issuer, response)?;
            let readied = Readied::new(session, offer, standing, issuer, server)?;
            goal::readied(session, Box::new(readied)).await
        }
        Stage::Challenge(call) => call.receive_challenge(session, response).await,
        Stage::Call(call) => call.receive(session, response).await,
        Stage::Nonce(collecting) => collecting.receive_nonce(session, response).await,
        Stage::Credential(collecting) => collecting.receive_credentials(session, response).await,
        Stage::Deferred(polling) => polling.receive(session, response).await,
        Stage::Notice(telling) => telling.receive(session, response).await,
    }
}

fn offered(session: &mut Session, offer: CredentialOffer) -> Result<Next, WalletError> {
    session.set_offer(&offer);
    match Standing::of(&session.wallet, &offer)? {
        Standing::Unknown if session.goal.confirmed() => {
            fetch_issuer(&session.wallet, offer, Standing::Confirmed)
        }
        Standing::Unknown => Ok(Next::Confirm(offer)),
        standing => fetch_issuer(&session.wallet, offer, standing),
    }
}

pub(super) fn fetch_issuer(
    wallet: &Wallet,
    offer: CredentialOffer,
    standing: Standing,
) -> Result<Next, WalletError> {
    let url = offer.credential_issuer.metadata_url(wallet.urls());
    let request = HttpRequest::get_json(url.map_err(IssuanceError::Address)?);
    // OpenID4VCI 1.0, section 12.2.3.
    let request = match standing.wants_signed_metadata(wallet) {
        true => net::accepting(request, "application/jwt"),
        false => request,
    };
    Ok(Next::send(request, Stage::Issuer(offer, standing)))
}

fn issuer_read(
    session: &mut Session,
    offer: CredentialOffer,
    standing: Standing,
    response: &HttpResponse,
) -> Result<Next, WalletError> {
    let wallet = &session.wallet;
    let issuer = standing
        .read_metadata(wallet, &offer.credential_issuer, response)
        .map_err(IssuanceError::Metadata)?;
    let server = authorization_server(&session.goal, &offer, &issuer)?;
    let url = well_known_url(server, WELL_KNOWN, wallet.urls()).map_err(IssuanceError::Address)?;
    let request = HttpRequest::get_json(url);
    let stage = Stage::Server(Box::new((offer, standing, issuer)));
    Ok(Next::send(request, stage))
}

fn server_read(
    session: &Session,
    offer: &CredentialOffer,
    issuer: &IssuerMetadata,
    response: &HttpResponse,
) -> Result<AuthorizationServerMetadata, WalletError> {
    let json = response.is_media_type("application/json");
    if response.status != 200 || !json || response.body.len() > MAX_SERVER_METADATA {
        return Err(IssuanceError::ServerFetch.into());
    }
    let id = authorization_server(&session.goal, offer, issuer)?;
    let server = AuthorizationServerMetadata::parse(&response.body, id, session.wallet.urls());
    Ok(server.map_err(IssuanceError::ServerMetadata)?)
}

/// The authorization server of the grant that will be used.
fn authorization_server<'a>(
    goal: &Goal,
    offer: &CredentialOffer,
    issuer: &'a IssuerMetadata,
) -> Result<&'a str, IssuanceError> {
    if let Some(server) = goal.server() {
        return issuer_server(issuer, server);
    }
    let grants = &offer.grants;
    let hint = match (&grants.pre_authorized_code, &grants.authorization_code) {
        (Some(grant), _) => grant.authorization_server.as_deref(),
        (None, Some(grant)) => grant.authorization_server.as_deref(),
        (None, None) => None,
    };
    issuer
        .authorization_server(hint)
        .map_err(IssuanceError::Metadata)
}

/// The server that gave our tokens, as long as the issuer still works with it.
fn issuer_server<'a>(issuer: &'a IssuerMetadata, server: &str) -> Result<&'a str, IssuanceError> {
    let listed = issuer.document().authorization_servers.as_ref();
    let hint = listed.map(|_| server);
    let found = issuer.authorization_server(hint);
    let found = found.map_err(IssuanceError::Metadata)?;
    match found == server {
        true => Ok(found),
        false => Err(IssuanceError::AccessEnded),
    }
}
