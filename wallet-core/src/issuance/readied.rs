//! An offer whose metadata passed every check.

use vouchsafe_credentials::crypto::Algorithm;
use vouchsafe_protocol::oauth::metadata::AuthorizationServerMetadata;
use vouchsafe_protocol::vci::encryption_of_wallet::Offered;
use vouchsafe_protocol::vci::metadata::CredentialConfiguration;
use vouchsafe_protocol::vci::offer::TxCode;
use vouchsafe_protocol::vci::{CredentialOffer, IssuerMetadata};

use super::IssuanceError;
use super::card::{card_display, names};
use super::goal::Goal;
use super::issuer::Standing;
use super::proofs::{self, ProofPlan};
use super::session::Session;
use super::store::kind_of;
use crate::WalletError;
use crate::credential::CardFormat;
use crate::display::{CardDisplay, choose};
use crate::net::same_origin;
use crate::trust::TrustList;
use crate::wallet::Wallet;

/// An offer that can be redeemed.
#[derive(Clone)]
pub(super) struct Readied {
    pub(super) offer: CredentialOffer,
    pub(super) standing: Standing,
    pub(super) issuer: IssuerMetadata,
    pub(super) server: AuthorizationServerMetadata,
    pub(super) sender_constrained: bool,
}

impl Readied {
    /// Checks that everything offered can be had and held.
    pub(super) fn new(
        session: &mut Session,
        offer: CredentialOffer,
        standing: Standing,
        issuer: IssuerMetadata,
        server: AuthorizationServerMetadata,
    ) -> Result<Self, WalletError> {
        check_endpoints(&issuer, &server)?;
        let es256 = Algorithm::Es256.name();
        let sender_constrained = server
            .dpop_signing_alg_values_supported
            .iter()
            .any(|a| a == es256);
        // Catalogue 289: with a bearer token of an honest server, whoever wrote
        // the metadata could use what the honest server gives out.
        if !sender_constrained && !same_origin(&server.issuer, issuer.issuer().as_str()) {
            return Err(IssuanceError::UnboundTokens.into());
        }
        let mut readied = Self {
            offer,
            standing,
            issuer,
            server,
            sender_constrained,
        };
        readied.choose(session)?;
        // Before anything is redeemed. What an issuer is told of a card is not encrypted.
        if !matches!(session.goal, Goal::Notify(..)) {
            let encryption = Offered::read(readied.issuer.document());
            encryption.map_err(|_| IssuanceError::Encryption)?;
        }
        for id in &readied.offer.credential_configuration_ids {
            readied.check_configuration(&session.wallet, readied.configuration(id)?)?;
        }
        let locales = session.wallet.locales();
        let named = names(
            readied
                .issuer
                .document()
                .display
                .as_deref()
                .unwrap_or_default(),
        );
        let name = choose(&named, &locales).cloned();
        session.set_name(name);
        Ok(readied)
    }

    /// Settles what it is about. Who asks without an offer chooses from all that can be held.
    fn choose(&mut self, session: &Session) -> Result<(), IssuanceError> {
        match &session.goal {
            Goal::Notify(..) => Ok(()),
            Goal::Request { chosen: None } => {
                let all = &self.issuer.document().credential_configurations_supported;
                let holdable = all
                    .iter()
                    .filter(|(_, c)| self.check_configuration(&session.wallet, c).is_ok());
                let ids: Vec<String> = holdable.map(|(id, _)| id.clone()).collect();
                if ids.is_empty() {
                    return Err(IssuanceError::UnsupportedCard);
                }
                self.offer.credential_configuration_ids = ids;
                Ok(())
            }
            Goal::Request { chosen: Some(_) } | Goal::Add | Goal::Resume(..) | Goal::Renew(..) => {
                self.leave_other_formats(session.wallet.trust())
            }
        }
    }

    /// An offer names a card in every format it comes in: this wallet takes those it can hold, and
    /// mdocs where it knows who vouches for them.
    fn leave_other_formats(&mut self, trust: &TrustList) -> Result<(), IssuanceError> {
        let issuer = self.offer.credential_issuer.as_str();
        let mut kept = Vec::new();
        for id in &self.offer.credential_configuration_ids {
            let holdable = match kind_of(self.configuration(id)?) {
                Some((CardFormat::SdJwtVc, _)) => true,
                Some((CardFormat::Mdoc, doctype)) => trust.mdoc_issuer(issuer, doctype).is_some(),
                None => false,
            };
            if holdable {
                kept.push(id.clone());
            }
        }
        if kept.is_empty() {
            return Err(IssuanceError::UnsupportedCard);
        }
        self.offer.credential_configuration_ids = kept;
        Ok(())
    }

    pub(super) fn configuration(
        &self,
        id: &str,
    ) -> Result<&CredentialConfiguration, IssuanceError> {
        if let Some(error) = self.issuer.refused_configuration(id) {
            return Err(IssuanceError::Configuration(error));
        }
        self.issuer
            .configuration(id)
            .ok_or(IssuanceError::UnsupportedCard)
    }

    pub(super) fn display(&self, configuration: &CredentialConfiguration) -> CardDisplay {
        card_display(self.issuer.document(), configuration)
    }

    fn check_configuration(
        &self,
        wallet: &Wallet,
        configuration: &CredentialConfiguration,
    ) -> Result<(), IssuanceError> {
        let (format, kind) = kind_of(configuration).ok_or(IssuanceError::UnsupportedCard)?;
        let holdable = ProofPlan::of(configuration, wallet).is_some();
        let issuer = self.offer.credential_issuer.as_str();
        let trust = wallet.trust();
        match (&self.standing, format) {
            _ if !holdable => Err(IssuanceError::UnsupportedCard),
            _ if !proofs::binds(configuration) => Err(IssuanceError::KeyBinding),
            (_, CardFormat::Mdoc) => match trust.mdoc_issuer(issuer, kind) {
                Some(_) => Ok(()),
                None => Err(IssuanceError::IssuerNotForType),
            },
            (Standing::Listed(known), _) if known.for_type(kind).is_none() => {
                Err(IssuanceError::IssuerNotForType)
            }
            (Standing::Listed(_) | Standing::Remembered(_) | Standing::Confirmed, _) => Ok(()),
            (Standing::Unknown, _) => Err(IssuanceError::UnknownIssuer),
        }
    }

    pub(super) fn tx_code(&self) -> Option<&TxCode> {
        self.offer
            .grants
            .pre_authorized_code
            .as_ref()?
            .tx_code
            .as_ref()
    }
}

/// Catalogue 289: every endpoint stands at the origin of the party it belongs to.
fn check_endpoints(
    issuer: &IssuerMetadata,
    server: &AuthorizationServerMetadata,
) -> Result<(), IssuanceError> {
    let of_issuer = [
        Some(issuer.credential_endpoint()),
        issuer.nonce_endpoint(),
        issuer.deferred_endpoint(),
        issuer.notification_endpoint(),
    ];
    let of_server = [
        Some(server.token_endpoint.as_str()),
        server.authorization_endpoint.as_deref(),
        server.pushed_authorization_request_endpoint.as_deref(),
        server.challenge_endpoint.as_deref(),
    ];
    let at_home = of_issuer
        .into_iter()
        .flatten()
        .all(|url| same_origin(url.as_str(), issuer.issuer().as_str()))
        && of_server
            .into_iter()
            .flatten()
            .all(|url| same_origin(url, &server.issuer));
    if at_home {
        Ok(())
    } else {
        Err(IssuanceError::EndpointElsewhere)
    }
}
