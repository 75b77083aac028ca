//! Why a card was not added.

use vouchsafe_credentials::mdoc::MdocError;
use vouchsafe_credentials::sd_jwt_vc::VcError;
use vouchsafe_protocol::http::UrlRefused;
use vouchsafe_protocol::oauth::metadata::MetadataError as ServerMetadataError;
use vouchsafe_protocol::oauth::response::ResponseError as AuthorizationError;
use vouchsafe_protocol::oauth::token::TokenResponseError;
use vouchsafe_protocol::vci::metadata::MetadataError;
use vouchsafe_protocol::vci::offer::OfferError;
use vouchsafe_protocol::vci::response::ResponseError;

use crate::attestation::NotAttested;
use crate::error::Fault;

/// Why a card was not added.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IssuanceError {
    /// The link or the offer is not acceptable.
    #[error("the offer is not acceptable")]
    Offer(#[source] OfferError),
    /// The issuer is on no list and the wallet does not ask.
    #[error("the issuer is not known")]
    UnknownIssuer,
    /// Only the person can decide or sign in, and nobody asked them.
    #[error("the person has to decide")]
    PersonNeeded,
    /// The issuer could not be reached.
    #[error("the issuer could not be reached")]
    Unreachable,
    /// The issuer's metadata are not acceptable.
    #[error("the issuer's metadata are not acceptable")]
    Metadata(#[source] MetadataError),
    /// What the issuer's metadata say of the very card that is wanted is not acceptable.
    #[error("what the issuer says of the offered card is not acceptable")]
    Configuration(#[source] MetadataError),
    /// The metadata of the authorization server could not be fetched.
    #[error("the sign-in metadata could not be fetched")]
    ServerFetch,
    /// The metadata of the authorization server are not acceptable.
    #[error("the sign-in metadata are not acceptable")]
    ServerMetadata(#[source] ServerMetadataError),
    /// An address is not acceptable.
    #[error("an address is not acceptable")]
    Address(#[source] UrlRefused),
    /// An endpoint stands at another origin than the party it belongs to.
    #[error("an endpoint belongs to somebody else")]
    EndpointElsewhere,
    /// An authorization server of another origin without sender-constrained
    /// tokens: whoever wrote the metadata could use what it gives out.
    #[error("the sign-in does not bind its tokens to this wallet")]
    UnboundTokens,
    /// The offer names a configuration that is not in the metadata, or one this
    /// wallet cannot hold.
    #[error("the offered card is not supported")]
    UnsupportedCard,
    /// The issuer binds the card only to keys that are named by a DID, or in another way that this
    /// wallet does not have.
    #[error("the issuer binds the card to keys in a way that is not supported")]
    KeyBinding,
    /// The issuer may not issue this type.
    #[error("the issuer may not issue this type of card")]
    IssuerNotForType,
    /// The offer has no grant that the authorization server serves.
    #[error("the offer cannot be redeemed")]
    NoGrant,
    /// The answer of the authorization server after the sign-in is refused.
    #[error("the sign-in was refused")]
    Authorization(#[source] AuthorizationError),
    /// The one-time code is wrong, or the offer has ended.
    #[error("the code was not accepted")]
    TxCodeRefused,
    /// The offer was used before or has ended.
    #[error("the offer is no longer good")]
    OfferUsed,
    /// The authorization server wants this wallet to prove who it is, and it cannot.
    #[error("the sign-in wants a wallet that proves who it is")]
    ClientAuthentication,
    /// The provider of this wallet did not attest it.
    #[error("this wallet was not attested")]
    NotAttested(#[source] NotAttested),
    /// The authorization server gave no challenge for the proof of who this wallet is.
    #[error("the sign-in gave no challenge")]
    NoChallenge,
    /// The authorization request could not be pushed.
    #[error("the sign-in could not be prepared")]
    Pushed,
    /// The issuer demands an encryption that this wallet does not have, or it failed.
    #[error("the issuer demands another encryption")]
    Encryption,
    /// What was granted has ended: the issuer can no longer be asked without the person.
    #[error("the access to the issuer has ended")]
    AccessEnded,
    /// The issuer has nothing yet or is busy, for longer than anybody waits in a session.
    #[error("the issuer wants to be asked later")]
    Busy {
        /// When to come back, in seconds from now.
        seconds: i64,
    },
    /// The token request was refused.
    #[error("the token request was refused")]
    TokenRefused,
    /// The token response is not acceptable.
    #[error("the token response is not acceptable")]
    TokenResponse(#[source] TokenResponseError),
    /// The token is for more cards of one kind than the person agreed to.
    #[error("the issuer gives more cards than it offered")]
    MoreCards,
    /// No nonce could be had.
    #[error("the issuer gave no nonce")]
    NoNonce,
    /// A proof could not be signed.
    #[error("a proof could not be made")]
    Proof,
    /// No credential came.
    #[error("the issuer gave no card")]
    Response(#[source] ResponseError),
    /// What came is not a credential this wallet accepts.
    #[error("the card is not acceptable")]
    NotAcceptable(#[source] VcError),
    /// The same of an mdoc.
    #[error("the card is not acceptable")]
    MdocNotAcceptable(#[source] MdocError),
    /// The copies of one card do not say the same.
    #[error("the copies of the card differ")]
    CopiesDiffer,
}

impl IssuanceError {
    /// A stable snake_case code, also a key for translated texts.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Offer(OfferError::Issuer(_)) => "offer_issuer_refused",
            Self::Offer(OfferError::Reference(_)) => "offer_address_refused",
            Self::Offer(OfferError::Fetch | OfferError::MediaType) => "offer_not_available",
            Self::Offer(OfferError::UnknownIssuer) | Self::UnknownIssuer => "issuer_unknown",
            Self::Offer(_) => "offer_malformed",
            Self::PersonNeeded => "person_needed",
            Self::Unreachable => "issuer_unreachable",
            Self::Metadata(MetadataError::IssuerMismatch) => "issuer_metadata_mismatch",
            Self::Metadata(MetadataError::Unsigned) => "issuer_metadata_unsigned",
            Self::Metadata(MetadataError::Signature) => "issuer_metadata_signature",
            Self::Metadata(_) => "issuer_metadata",
            Self::Configuration(_) => "card_configuration",
            Self::ServerFetch => "server_metadata_not_available",
            Self::ServerMetadata(_) => "server_metadata",
            Self::Address(_) => "issuer_address_refused",
            Self::EndpointElsewhere => "issuer_endpoint_elsewhere",
            Self::UnboundTokens => "issuer_tokens_unbound",
            Self::UnsupportedCard => "card_unsupported",
            Self::KeyBinding => "card_key_binding_unsupported",
            Self::IssuerNotForType => "issuer_not_for_type",
            Self::NoGrant => "offer_no_grant",
            Self::Authorization(AuthorizationError::Refused(_)) => "sign_in_refused",
            Self::Authorization(_) => "sign_in_answer_refused",
            Self::TxCodeRefused => "tx_code_refused",
            Self::OfferUsed => "offer_used",
            Self::ClientAuthentication => "client_authentication_unsupported",
            Self::NotAttested(_) => "wallet_not_attested",
            Self::NoChallenge => "challenge_not_available",
            Self::Pushed => "sign_in_not_prepared",
            Self::Encryption => "issuer_encryption",
            Self::AccessEnded => "issuer_access_ended",
            Self::Busy { .. } => "issuer_busy",
            Self::TokenRefused => "token_refused",
            Self::TokenResponse(_) => "token_response",
            Self::MoreCards => "more_cards_than_offered",
            Self::NoNonce => "nonce_not_available",
            Self::Proof => "proof_failed",
            Self::Response(ResponseError::TooMuch) => "card_response_too_large",
            Self::Response(_) => "card_refused",
            Self::NotAcceptable(error) => error.code(),
            Self::MdocNotAcceptable(error) => error.code(),
            Self::CopiesDiffer => "card_copies_differ",
        }
    }

    /// When to come back, in seconds from now, where the issuer said it.
    #[must_use]
    pub fn retry_after(&self) -> Option<i64> {
        match self {
            Self::Busy { seconds } => Some(*seconds),
            _ => None,
        }
    }

    pub(crate) fn fault(&self) -> Fault {
        match self {
            Self::UnknownIssuer | Self::PersonNeeded | Self::TxCodeRefused => Fault::Person,
            Self::Unreachable => Fault::Network,
            Self::Busy { .. } => Fault::Network,
            Self::Proof | Self::ClientAuthentication | Self::NotAttested(_) => Fault::Wallet,
            Self::Authorization(AuthorizationError::Refused(_)) => Fault::Person,
            Self::Offer(_)
            | Self::Metadata(_)
            | Self::Configuration(_)
            | Self::ServerFetch
            | Self::ServerMetadata(_)
            | Self::Address(_)
            | Self::EndpointElsewhere
            | Self::UnboundTokens
            | Self::UnsupportedCard
            | Self::KeyBinding
            | Self::IssuerNotForType
            | Self::NoGrant
            | Self::Authorization(_)
            | Self::OfferUsed
            | Self::NoChallenge
            | Self::Pushed
            | Self::Encryption
            | Self::AccessEnded
            | Self::TokenRefused
            | Self::MoreCards
            | Self::TokenResponse(_)
            | Self::NoNonce
            | Self::Response(_)
            | Self::NotAcceptable(_)
            | Self::MdocNotAcceptable(_)
            | Self::CopiesDiffer => Fault::Issuer,
        }
    }
}
