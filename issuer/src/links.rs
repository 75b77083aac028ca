//! What an offer looks like outside: the offer object and the links that open a wallet.

use vouchsafe_protocol::http::UrlRule;
use vouchsafe_protocol::oauth::values::Secret as WireSecret;
use vouchsafe_protocol::vci::CredentialIssuerId;
use vouchsafe_protocol::vci::offer::{
    AuthorizationCodeGrant, CredentialOffer, Grants, InputMode, PreAuthorizedCodeGrant, SCHEME,
    TxCode,
};

use crate::core::Core;
use crate::domain::offer::{GrantKind, Offer};
use crate::domain::secret::{Secret, TX_CODE_DIGITS};
use crate::prepare::grant_secret;

/// Links of one offer.
#[derive(Debug, Clone)]
pub struct OfferLinks {
    /// Opens a wallet, short enough for a QR code.
    pub by_reference: String,
    /// Opens a wallet without a fetch.
    pub by_value: String,
    /// Where the offer by reference is.
    pub offer_uri: String,
}

impl OfferLinks {
    /// The links of an offer whose reference is at hand.
    pub fn new(core: &Core, offer: &Offer, reference: &Secret) -> Self {
        let offer_uri = core
            .settings
            .url(&format!("/offers/{}", reference.expose()));
        let by_reference = url::Url::parse(&offer_uri)
            .map(|url| CredentialOffer::link_by_reference(&url))
            .unwrap_or_default();
        Self {
            by_reference: open_with(core, &by_reference),
            by_value: open_with(core, &object(core, offer, reference).link_by_value()),
            offer_uri,
        }
    }
}

/// The same link for the wallet that is configured.
fn open_with(core: &Core, link: &str) -> String {
    match link.strip_prefix(SCHEME) {
        Some(query) => format!("{}{query}", core.settings.wallet_link),
        None => link.to_owned(),
    }
}

/// The offer object (OpenID4VCI 1.0, section 4.1.1).
pub fn object(core: &Core, offer: &Offer, reference: &Secret) -> CredentialOffer {
    let secret = grant_secret(offer.grant, reference);
    let grants = match offer.grant {
        GrantKind::PreAuthorizedCode => Grants {
            authorization_code: None,
            pre_authorized_code: Some(PreAuthorizedCodeGrant {
                code: WireSecret::new(secret.expose()),
                tx_code: offer.code_required.then(tx_code_form),
                authorization_server: None,
            }),
        },
        GrantKind::AuthorizationCode => Grants {
            authorization_code: Some(AuthorizationCodeGrant {
                issuer_state: Some(secret.expose().to_owned()),
                authorization_server: None,
            }),
            pre_authorized_code: None,
        },
    };
    CredentialOffer {
        credential_issuer: issuer_id(core),
        credential_configuration_ids: configuration_ids(core, offer),
        grants,
    }
}

/// Every format of the type: the wallet chooses.
fn configuration_ids(core: &Core, offer: &Offer) -> Vec<String> {
    match core.type_of(offer) {
        Some(kind) => core.configuration_ids(&kind),
        None => vec![offer.credential_type.clone()],
    }
}

/// Our own identifier. The configuration was checked, so the most liberal rule fits.
pub fn issuer_id(core: &Core) -> CredentialIssuerId {
    CredentialIssuerId::parse(&core.settings.issuer, UrlRule::LoopbackAllowed)
        .or_else(|_| CredentialIssuerId::parse(&core.settings.issuer, UrlRule::AnyHttps))
        .expect("the public URL was checked when the configuration was read")
}

fn tx_code_form() -> TxCode {
    TxCode {
        input_mode: InputMode::Numeric,
        length: u32::try_from(TX_CODE_DIGITS).ok(),
        description: None,
    }
}
