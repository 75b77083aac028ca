//! The ways of a request and its response, and what each binds a presentation to.

use std::borrow::Cow;

use serde_json::{Map, Value};
use url::Url;
use vouchsafe_credentials::crypto::AgreementKey;
use vouchsafe_credentials::mdoc::SessionTranscript;

use super::{PresentationError, Transaction};
use crate::vp::api::{ApiAnswer, ApiBody, Origin, Protocol};
use crate::vp::client_id::ClientId;
use crate::vp::response::EncryptedResponse;
use crate::vp::values::{Nonce, State};

/// How the request went out. A response counts only if it comes the same way.
#[derive(Clone, Copy)]
pub enum Way<'a> {
    /// By reference; the wallet posts its response (response mode `direct_post.jwt`).
    DirectPost {
        /// The full client identifier.
        client_id: &'a ClientId,
        /// `response_uri` of the request, one per request.
        response_uri: &'a Url,
        /// `state` of the request, one per request.
        state: &'a State,
        /// Opens the response; one per request.
        key: &'a AgreementKey,
    },
    /// Over the Digital Credentials API (appendix A).
    Api {
        /// The origin of the page that asked.
        origin: &'a Origin,
        /// The full client identifier, which signed requests name.
        client_id: &'a ClientId,
        /// The protocols under which the page asked.
        protocols: &'a [Protocol],
        /// Opens the response; one per request. `None`: response mode `dc_api`.
        key: Option<&'a AgreementKey>,
    },
}

/// A response, with the way that it came.
#[derive(Clone, Copy)]
pub enum Received<'a> {
    /// Posted.
    Posted {
        /// What was posted.
        response: &'a EncryptedResponse,
        /// The address.
        at: &'a Url,
    },
    /// Handed to the page that asked.
    Returned(&'a ApiAnswer),
}

/// A response that came the way it was asked for.
pub(super) enum Arrived<'a> {
    /// Closed, and the key that opens it.
    Encrypted(&'a EncryptedResponse, &'a AgreementKey),
    /// Readable, as it was asked for.
    Open(&'a Map<String, Value>),
}

/// Catalogue 148: what was made for one way is not taken on another.
pub(super) fn arrived<'a>(
    received: Received<'a>,
    transaction: &Transaction<'a>,
) -> Result<Arrived<'a>, PresentationError> {
    match (transaction.way, received) {
        // An SD-JWT VC does not name the `response_uri`: the place where a response
        // arrives, the key it is encrypted to and the nonce tie it to the transaction.
        // An mdoc is bound to all of them by its session transcript.
        (
            Way::DirectPost {
                response_uri,
                state,
                key,
                ..
            },
            Received::Posted { response, at },
        ) => {
            if at != response_uri {
                return Err(PresentationError::ResponseUri);
            }
            // The `state` stands inside; one that is posted beside it as well must be the same.
            if response
                .state_beside()
                .is_some_and(|beside| beside != state)
            {
                return Err(PresentationError::State);
            }
            Ok(Arrived::Encrypted(response, key))
        }
        (Way::Api { protocols, key, .. }, Received::Returned(answer)) => {
            if !protocols.contains(&answer.protocol) {
                return Err(PresentationError::Protocol);
            }
            match (&answer.body, key) {
                (ApiBody::Encrypted(response), Some(key)) => Ok(Arrived::Encrypted(response, key)),
                (ApiBody::Open(payload), None) => Ok(Arrived::Open(payload)),
                (ApiBody::Error(error), _) => Err(PresentationError::Wallet(error.clone())),
                (ApiBody::Encrypted(_), None) | (ApiBody::Open(_), Some(_)) => {
                    Err(PresentationError::NotEncrypted)
                }
            }
        }
        (Way::DirectPost { .. }, Received::Returned(_))
        | (Way::Api { .. }, Received::Posted { .. }) => Err(PresentationError::Way),
    }
}

impl Way<'_> {
    /// `aud` of a KB-JWT. Appendix B.3.6: the full client identifier; appendix A.4: over the API
    /// the origin, "even for signed requests".
    pub(super) fn audience(&self) -> Cow<'_, str> {
        match self {
            Way::DirectPost { client_id, .. } => Cow::Borrowed(client_id.as_str()),
            Way::Api { origin, .. } => Cow::Owned(origin.audience()),
        }
    }

    /// Whether a response that names its recipient may name this one: by client identifier or by
    /// `response_uri`, over the API by client identifier or by origin.
    pub(super) fn is_recipient(&self, name: &str) -> bool {
        match self {
            Way::DirectPost {
                client_id,
                response_uri,
                ..
            } => name == client_id.as_str() || name == response_uri.as_str(),
            Way::Api {
                origin, client_id, ..
            } => {
                let named = name == client_id.as_str() || name == origin.as_str();
                named || name == self.audience()
            }
        }
    }

    /// What the device authentication of an mdoc is bound to.
    pub(super) fn transcript(&self, nonce: &Nonce) -> SessionTranscript {
        match *self {
            // Appendix B.2.6.1: `client_id`, `nonce`, the key that the response is encrypted to
            // and `response_uri`.
            Way::DirectPost {
                client_id,
                response_uri,
                state: _,
                key,
            } => SessionTranscript::openid4vp(
                client_id.as_str(),
                nonce.as_str(),
                Some(key.public_key()),
                response_uri.as_str(),
            ),
            // Appendix B.2.6.2: origin, `nonce`, and that key or `null`.
            Way::Api {
                origin,
                client_id: _,
                protocols: _,
                key,
            } => SessionTranscript::openid4vp_dc_api(
                origin.as_str(),
                nonce.as_str(),
                key.map(AgreementKey::public_key),
            ),
        }
    }
}
