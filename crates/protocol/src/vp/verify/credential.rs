//! One presentation in its format: checked, its status settled, and what it then says.

use std::sync::Arc;

use serde_json::Value;
use vouchsafe_credentials::crypto::PublicKey;
use vouchsafe_credentials::encoding::b64url_decode;
use vouchsafe_credentials::mdoc::{self, DeviceResponse, Mdoc, MdocError};
use vouchsafe_credentials::sd_jwt_vc::kb::Agreed;
use vouchsafe_credentials::sd_jwt_vc::{
    self, IssuerIdentity, KeyBindingPolicy, RegisteredClaims, SdJwtVc,
};
use vouchsafe_credentials::status_list::{StatusRef, VerifiedStatusList};
use vouchsafe_credentials::time::UnixTime;

use super::token::authority_key_ids;
use super::{PresentationError, Transaction, VerifierPolicy};
use crate::vp::dcql::{CredentialFacts, CredentialQuery, Format, Meta};

/// A presentation that is valid but for its status.
pub(super) struct Owed {
    proven: Proven,
    /// What it says, as DCQL looks at it.
    claims: Value,
    /// The authority key identifiers of its issuer's chain.
    authority_key_ids: Vec<Vec<u8>>,
}

enum Proven {
    SdJwtVc(Box<sd_jwt_vc::StatusOwed>),
    Mdoc(Box<mdoc::StatusOwed>),
}

/// A presentation that is valid.
pub(super) struct Accepted {
    /// The validated issuer.
    pub(super) issuer: IssuerIdentity,
    /// The type under which it was asked for.
    pub(super) credential_type: String,
    /// What it says, as DCQL looks at it.
    pub(super) claims: Value,
    /// The key that it is bound to.
    pub(super) holder_key: Option<PublicKey>,
    /// When it was issued, where it says so.
    pub(super) issued_at: Option<UnixTime>,
    /// When it ends.
    pub(super) expires_at: Option<UnixTime>,
    /// Where its status stands.
    pub(super) status: Option<StatusRef>,
}

impl Owed {
    /// Integrity, issuer, type, time, holder binding to this very request; and what it agrees to.
    pub(super) fn check(
        query: &CredentialQuery,
        text: &str,
        transaction: &Transaction<'_>,
        policy: &VerifierPolicy<'_>,
    ) -> Result<(Self, Option<Agreed>), PresentationError> {
        match (query.format(), query.meta()) {
            (Format::SdJwtVc, Meta::SdJwtVc { vct_values }) => {
                let (owed, agreed) = check_sd_jwt_vc(query, vct_values, text, transaction, policy)?;
                let owed = Self {
                    claims: Value::Object(owed.unsettled().claims.clone()),
                    authority_key_ids: authority_key_ids(text),
                    proven: Proven::SdJwtVc(Box::new(owed)),
                };
                Ok((owed, agreed))
            }
            (Format::MsoMdoc, Meta::MsoMdoc { doctype_value }) => {
                let owed = check_mdoc(doctype_value, text, transaction, policy);
                Ok((owed.map_err(of_mdoc(query))?, None))
            }
            _ => Err(PresentationError::Format),
        }
    }

    /// What its query is checked against. That can be done before the status is settled, because
    /// nothing is told of a credential that answers its query and is revoked.
    pub(super) fn facts(&self) -> CredentialFacts<'_> {
        let (format, credential_type, also_known_as, holder_bound) = match &self.proven {
            Proven::SdJwtVc(owed) => {
                let SdJwtVc {
                    issuer: _,
                    registered,
                    claims: _,
                    disclosed: _,
                    holder_bound,
                } = owed.unsettled();
                let names = registered.aka_vcts.as_slice();
                (&Format::SdJwtVc, &registered.vct, names, *holder_bound)
            }
            Proven::Mdoc(owed) => {
                let names: &[String] = &[];
                (&Format::MsoMdoc, &owed.unsettled().doctype, names, true)
            }
        };
        CredentialFacts {
            format: format.as_str(),
            credential_type,
            also_known_as,
            claims: &self.claims,
            authority_key_ids: &self.authority_key_ids,
            holder_bound,
        }
    }

    /// The key that it is bound to.
    pub(super) fn holder_key(&self) -> Option<&PublicKey> {
        match &self.proven {
            Proven::SdJwtVc(owed) => owed.unsettled().registered.holder_key.as_ref(),
            Proven::Mdoc(owed) => Some(&owed.unsettled().device_key),
        }
    }

    /// Where its status stands, and who says so.
    fn status(&self) -> (Option<&StatusRef>, &IssuerIdentity) {
        match &self.proven {
            Proven::SdJwtVc(owed) => (owed.status_ref(), owed.issuer()),
            Proven::Mdoc(owed) => {
                let lists = owed.status().and_then(|status| status.status_list.as_ref());
                (lists, owed.issuer())
            }
        }
    }

    /// Nothing is fetched before the credential is known to be valid and to answer its query.
    pub(super) async fn settle(
        self,
        query: &CredentialQuery,
        policy: &VerifierPolicy<'_>,
    ) -> Result<Accepted, PresentationError> {
        let list = match self.status() {
            (None, _) => None,
            (Some(reference), issuer) => Some(list(reference, issuer, policy).await?),
        };
        let (list, now) = (list.as_deref(), policy.now);
        match self.proven {
            Proven::SdJwtVc(owed) => {
                let settled = owed.settle(list, now).map_err(of_sd_jwt_vc(query))?;
                Ok(Accepted::sd_jwt_vc(query, settled.into_inner()))
            }
            // Rule of our own: an identifier list is not looked at; where a document names both,
            // the status list speaks for it, and where it names no other it is not accepted.
            Proven::Mdoc(owed) => {
                let settled = owed.settle_by_one(list, None, now);
                let mdoc = settled.map_err(of_mdoc(query))?.into_inner();
                Accepted::mdoc(mdoc).map_err(of_mdoc(query))
            }
        }
    }
}

fn of_sd_jwt_vc(query: &CredentialQuery) -> impl Fn(sd_jwt_vc::VcError) -> PresentationError {
    |error| PresentationError::Credential {
        query: query.id().clone(),
        error,
    }
}

fn of_mdoc(query: &CredentialQuery) -> impl Fn(MdocError) -> PresentationError {
    |error| PresentationError::Mdoc {
        query: query.id().clone(),
        error,
    }
}

async fn list(
    reference: &StatusRef,
    issuer: &IssuerIdentity,
    policy: &VerifierPolicy<'_>,
) -> Result<Arc<VerifiedStatusList>, PresentationError> {
    match policy.statuses.at_hand(reference, issuer) {
        Some(list) => Ok(list),
        None => {
            let list = policy.statuses.list(reference, issuer).await;
            list.map_err(PresentationError::StatusSource)
        }
    }
}

fn check_sd_jwt_vc(
    query: &CredentialQuery,
    types: &[String],
    compact: &str,
    transaction: &Transaction<'_>,
    policy: &VerifierPolicy<'_>,
) -> Result<(sd_jwt_vc::StatusOwed, Option<Agreed>), PresentationError> {
    // Section 14, "Preventing Replay of Verifiable Presentations": linked to `client_id` and `nonce` of this very request;
    // appendix A.5: over the API to the origin instead of the `client_id`.
    let audience = transaction.way.audience();
    let (audience, nonce) = (audience.as_ref(), transaction.nonce.as_str());
    let key_binding = if query.requires_holder_binding() {
        KeyBindingPolicy::Required { audience, nonce }
    } else {
        KeyBindingPolicy::Optional { audience, nonce }
    };
    let wanted = sd_jwt_vc::Policy {
        trust: policy.trust,
        types,
        key_binding,
        status: policy.status,
        now: policy.now,
    };
    let of_query = of_sd_jwt_vc(query);
    // Whoever was asked nothing agrees to nothing.
    if transaction.transaction_data.is_empty() {
        let owed = sd_jwt_vc::verify_presented(compact, &wanted, policy.crypto);
        return Ok((owed.map_err(of_query)?, None));
    }
    sd_jwt_vc::verify_agreeing(compact, &wanted, policy.crypto).map_err(of_query)
}

/// Appendix B.2: "the base64url-encoded `DeviceResponse`". Holder binding is part of the format,
/// so a query that does without it gets it all the same.
fn check_mdoc(
    doctype: &str,
    text: &str,
    transaction: &Transaction<'_>,
    policy: &VerifierPolicy<'_>,
) -> Result<Owed, MdocError> {
    let response = b64url_decode(text).map_err(|_| MdocError::Encoding)?;
    let transcript = transaction.way.transcript(transaction.nonce);
    let wanted = mdoc::Policy {
        trust: policy.trust,
        doctypes: &[doctype.to_owned()],
        transcript: &transcript,
        // Only signatures: the key of the request is there to encrypt.
        reader_key: None,
        status: policy.status,
        now: policy.now,
    };
    let owed = mdoc::verify_presented(&response, &wanted, policy.crypto)?;
    Ok(Owed {
        claims: owed.unsettled().elements.to_json()?,
        authority_key_ids: document_signers(&response),
        proven: Proven::Mdoc(Box::new(owed)),
    })
}

/// The AuthorityKeyIdentifiers of the certificates in a response whose chain was verified before.
fn document_signers(response: &[u8]) -> Vec<Vec<u8>> {
    let chain = || {
        let response = DeviceResponse::parse(response).ok()?;
        let auth = response.documents.first()?.issuer_signed.issuer_auth();
        auth.ok()?.x5chain_unprotected().ok()?
    };
    chain()
        .map(|chain| chain.authority_key_ids())
        .unwrap_or_default()
}

impl Accepted {
    fn sd_jwt_vc(query: &CredentialQuery, credential: SdJwtVc) -> Self {
        let SdJwtVc {
            issuer,
            registered,
            claims,
            disclosed: _,
            holder_bound: _,
        } = credential;
        Self {
            issuer,
            credential_type: accepted_type(query, &registered),
            claims: Value::Object(claims),
            holder_key: registered.holder_key,
            issued_at: registered.issued_at,
            expires_at: registered.expires_at,
            status: registered.status,
        }
    }

    /// Appendix B.2.4: a path is a namespace and an element of it. What the device states of itself
    /// is no claim of the issuer.
    fn mdoc(credential: Mdoc) -> Result<Self, MdocError> {
        let Mdoc {
            issuer,
            doctype,
            validity,
            device_key,
            status,
            elements,
            device_elements: _,
        } = credential;
        Ok(Self {
            issuer,
            credential_type: doctype,
            claims: elements.to_json()?,
            holder_key: Some(device_key),
            issued_at: Some(validity.signed),
            expires_at: Some(validity.valid_until),
            status: status.and_then(|status| status.status_list),
        })
    }
}

/// The type under which the credential was asked for: `vct`, or one of `aka_vcts`
/// for which the verification has checked that the issuer may issue it.
fn accepted_type(query: &CredentialQuery, registered: &RegisteredClaims) -> String {
    let wanted = |vct: &&String| match query.meta() {
        Meta::SdJwtVc { vct_values } => vct_values.contains(vct),
        Meta::MsoMdoc { doctype_value: _ } | Meta::Other => false,
    };
    let mut types = std::iter::once(&registered.vct).chain(&registered.aka_vcts);
    types.find(wanted).unwrap_or(&registered.vct).clone()
}
