//! Requests to send, and where their answers lead.

use vouchsafe_protocol::http::{HttpRequest, HttpResponse};
use vouchsafe_protocol::oauth::metadata::{
    AuthorizationServerMetadata, WELL_KNOWN, well_known_url,
};
use vouchsafe_protocol::vci::offer::{self, IssuerRule};
use vouchsafe_protocol::vci::{CredentialOffer, IssuerMetadata, OfferInvocation};

use super::authorize::AuthorizeState;
use super::credentials::Collecting;
use super::issuer::{ConfirmIssuer, Standing};
use super::preview::Preview;
use super::readied::Readied;
use super::session::Session;
use super::token::TokenAttempt;
use super::{Added, Authorize, IssuanceError, Step};
use crate::wallet::Wallet;
use crate::{WalletError, net};

/// Longest metadata of an authorization server, in bytes.
const MAX_SERVER_METADATA: usize = 256 * 1024;

/// A request to send. Redirects must not be followed.
pub struct Exchange {
    session: Session,
    request: HttpRequest,
    stage: Stage,
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
    Token(Box<TokenAttempt>),
    Nonce(Box<Collecting>),
    Credential(Box<Collecting>),
}

/// Where an answer leads; becomes a [`Step`] with the session.
#[expect(
    clippy::large_enum_variant,
    reason = "a step is moved a few times per card"
)]
pub(super) enum Next {
    Send(HttpRequest, Stage),
    Confirm(CredentialOffer),
    Preview(Box<Readied>),
    Authorize(Box<AuthorizeState>),
    Done(Added),
}

impl Next {
    pub(super) fn with(self, session: Session) -> Step {
        match self {
            Self::Send(request, stage) => Step::Send(Exchange::new(session, request, stage)),
            Self::Confirm(offer) => Step::ConfirmIssuer(ConfirmIssuer::new(session, offer)),
            Self::Preview(readied) => Step::Preview(Preview::new(session, *readied)),
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
            let mut session = Session::new(wallet, String::new());
            match offered(&mut session, *offer) {
                Ok(next) => Ok(next.with(session)),
                Err(error) => {
                    session.remember_failure(&error);
                    Err(error)
                }
            }
        }
        OfferInvocation::ByReference(url) => {
            let session = Session::new(wallet, net::host_of(&url));
            let request = HttpRequest::get_json(url);
            Ok(Step::Send(Exchange::new(session, request, Stage::Offer)))
        }
    }
}

impl Exchange {
    pub(super) fn new(session: Session, request: HttpRequest, stage: Stage) -> Self {
        Self {
            session,
            request,
            stage,
        }
    }

    /// The request to send, once.
    #[must_use]
    pub fn request(&self) -> &HttpRequest {
        &self.request
    }

    /// Takes the answer.
    pub async fn receive(self, response: &HttpResponse) -> Result<Step, WalletError> {
        let Self {
            mut session,
            request: _,
            stage,
        } = self;
        match advance(&mut session, stage, response).await {
            Ok(next) => Ok(next.with(session)),
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
            Ok(Next::Preview(Box::new(readied)))
        }
        Stage::Token(attempt) => attempt.receive(session, response).await,
        Stage::Nonce(collecting) => collecting.receive_nonce(session, response).await,
        Stage::Credential(collecting) => collecting.receive_credentials(session, response).await,
    }
}

fn offered(session: &mut Session, offer: CredentialOffer) -> Result<Next, WalletError> {
    session.set_offer(&offer);
    match Standing::of(&session.wallet, &offer)? {
        Standing::Unknown => Ok(Next::Confirm(offer)),
        standing => {
            let (request, stage) = fetch_issuer(&session.wallet, offer, standing)?;
            Ok(Next::Send(request, stage))
        }
    }
}

pub(super) fn fetch_issuer(
    wallet: &Wallet,
    offer: CredentialOffer,
    standing: Standing,
) -> Result<(HttpRequest, Stage), WalletError> {
    let url = offer.credential_issuer.metadata_url(wallet.urls());
    let request = HttpRequest::get_json(url.map_err(IssuanceError::Address)?);
    Ok((request, Stage::Issuer(offer, standing)))
}

fn issuer_read(
    session: &mut Session,
    offer: CredentialOffer,
    standing: Standing,
    response: &HttpResponse,
) -> Result<Next, WalletError> {
    let urls = session.wallet.urls();
    let issuer = IssuerMetadata::from_response(response, &offer.credential_issuer, urls)
        .map_err(IssuanceError::Metadata)?;
    let server = authorization_server(&offer, &issuer)?;
    let url = well_known_url(server, WELL_KNOWN, urls).map_err(IssuanceError::Address)?;
    let request = HttpRequest::get_json(url);
    Ok(Next::Send(
        request,
        Stage::Server(Box::new((offer, standing, issuer))),
    ))
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
    let id = authorization_server(offer, issuer)?;
    let server = AuthorizationServerMetadata::parse(&response.body, id, session.wallet.urls());
    Ok(server.map_err(IssuanceError::ServerMetadata)?)
}

/// The authorization server of the grant that will be used.
fn authorization_server<'a>(
    offer: &CredentialOffer,
    issuer: &'a IssuerMetadata,
) -> Result<&'a str, IssuanceError> {
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
