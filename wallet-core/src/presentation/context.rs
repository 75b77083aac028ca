//! Who asks and why, from a verified request.

use vouchsafe_credentials::crypto::Algorithm;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_protocol::http::HttpRequest;
use vouchsafe_protocol::vp::answer::HeldCredential;
use vouchsafe_protocol::vp::dcql::{ClaimsPath, DcqlQuery, QueryId};
use vouchsafe_protocol::vp::request::{self, ApiRequest, PresentationRequest, Requester};
use vouchsafe_protocol::vp::response::{ErrorCode, error_form};
use vouchsafe_protocol::vp::transaction_data::TransactionData;
use vouchsafe_protocol::vp::values::LocalizedText;

use super::PresentationError;
use super::identity::Identity;
use super::submit::post_form;
use crate::WalletError;
use crate::consent::{Registration, TrustReason, VerifierIdentity};
use crate::history::{EventKind, HistoryEntry, Outcome, Party};
use crate::net;
use crate::text::PlainText;
use crate::verifiers::KnownVerifier;
use crate::wallet::Wallet;

/// So often may the person say no to one verifier within [`NO_LASTS_S`] seconds.
const MOST_NOES: usize = 5;
const NO_LASTS_S: i64 = 600;

/// A wallet and the verified request it has before it.
pub(super) struct Context {
    pub(super) wallet: Wallet,
    pub(super) asked: Asked,
    identity: Identity,
    /// What the wallet knows of the verifier from before.
    known: Option<KnownVerifier>,
}

/// A verified request, by the way that it came.
pub(super) enum Asked {
    /// Behind a link.
    Link(Box<PresentationRequest>),
    /// Of a page, over the Digital Credentials API.
    Page(Box<ApiRequest>),
}

impl Asked {
    pub(super) fn query(&self) -> &DcqlQuery {
        match self {
            Self::Link(request) => request.query(),
            Self::Page(request) => request.query(),
        }
    }

    pub(super) fn transaction_data(&self) -> &[TransactionData] {
        match self {
            Self::Link(request) => request.transaction_data(),
            Self::Page(request) => request.transaction_data(),
        }
    }

    /// Whether keys of this algorithm can answer any part of the request.
    pub(super) fn takes_keys(&self, algorithm: Algorithm) -> bool {
        match self {
            Self::Link(request) => request.takes_keys(algorithm),
            Self::Page(request) => request.takes_keys(algorithm),
        }
    }

    /// Whether the verifier accepts what the key of this credential signs.
    pub(super) fn takes(&self, credential: &HeldCredential<'_>) -> bool {
        match self {
            Self::Link(request) => request.takes(credential),
            Self::Page(request) => request.takes(credential),
        }
    }

    pub(super) fn expires_at(&self) -> Option<UnixTime> {
        match self {
            Self::Link(request) => request.expires_at(),
            Self::Page(request) => request.expires_at(),
        }
    }

    /// Who asks, as the wallet knows it again.
    pub(super) fn identity(&self) -> Identity {
        Identity::of(self.requester(), &self.host())
    }

    fn requester(&self) -> Option<&Requester> {
        match self {
            Self::Link(request) => Some(request.requester()),
            Self::Page(request) => request.requester(),
        }
    }

    fn client_name(&self) -> Option<&LocalizedText> {
        match self {
            Self::Link(request) => request.client_name(),
            Self::Page(request) => request.client_name(),
        }
    }

    fn purpose(&self) -> Option<&LocalizedText> {
        match self {
            Self::Link(request) => request.purpose(),
            Self::Page(request) => request.purpose(),
        }
    }

    fn registration(&self) -> &request::Registration {
        match self {
            Self::Link(request) => request.registration(),
            Self::Page(request) => request.registration(),
        }
    }

    fn host(&self) -> String {
        match self {
            Self::Link(request) => net::host_of(request.response_uri()),
            Self::Page(request) => request.origin().host().to_owned(),
        }
    }
}

impl Context {
    /// Refuses who is blocked.
    pub(super) fn new(wallet: Wallet, asked: Asked) -> Result<Self, WalletError> {
        let identity = asked.identity();
        // Nothing is sent and nothing is written: who is blocked causes no work.
        if identity.is_blocked(wallet.verifier_store())? {
            return Err(PresentationError::Blocked.into());
        }
        Ok(Self {
            known: identity.known(wallet.verifier_store())?,
            identity,
            wallet,
            asked,
        })
    }

    /// What is to be known of the verifier from now on, before more is said about it.
    pub(super) fn to_know(&self) -> KnownVerifier {
        let verifier = self.verifier(&self.wallet.locales());
        let fresh = KnownVerifier::new(&verifier);
        let known = self.known.as_ref();
        KnownVerifier {
            last_shown_at: known.and_then(|known| known.last_shown_at),
            ..fresh
        }
    }

    /// Who asks, as far as it was verified.
    pub(super) fn verifier(&self, locales: &[&str]) -> VerifierIdentity {
        let host = self.asked.host();
        let (name, trust) = match self.asked.requester() {
            Some(Requester::Certified(certificate)) => (
                certified_name(certificate.subject()),
                TrustReason::Certificate {
                    anchor: certificate.anchor_id().to_string(),
                },
            ),
            Some(Requester::Attested(attested)) => (
                PlainText::new(attested.subject()),
                TrustReason::Attestation {
                    issuer: PlainText::new(attested.issuer()),
                },
            ),
            Some(Requester::Registered { name, .. }) => {
                (PlainText::new(name), TrustReason::Registered)
            }
            Some(Requester::Did(did)) => (
                PlainText::new(&host),
                TrustReason::Did {
                    did: PlainText::new(did.as_str()),
                },
            ),
            Some(Requester::Address) => (PlainText::new(&host), TrustReason::Address),
            None => (PlainText::new(&host), TrustReason::Origin),
        };
        // OpenID4VP 1.0, appendix A.2: who signs nothing has no name but its origin, and what it calls
        // itself may be the name of somebody else. So it is with whoever has but a DID.
        let client_name = match trust {
            TrustReason::Certificate { .. }
            | TrustReason::Attestation { .. }
            | TrustReason::Registered => self.asked.client_name(),
            TrustReason::Did { .. } | TrustReason::Address | TrustReason::Origin => None,
        };
        let calls_itself = client_name
            .and_then(|text| PlainText::non_empty(text.for_locale(first(locales))))
            .filter(|own| *own != name);
        VerifierIdentity {
            id: self.identity.id(),
            last_shown_at: self.known.as_ref().and_then(|known| known.last_shown_at),
            name,
            calls_itself,
            host,
            trust,
        }
    }

    /// One name for the verifier, the same for each of its requests.
    pub(super) fn verifier_key(&self) -> &str {
        self.identity.key()
    }

    /// Whether the person blocked the verifier since it asked.
    pub(super) fn is_blocked(&self) -> Result<bool, WalletError> {
        self.identity.is_blocked(self.wallet.verifier_store())
    }

    /// Whether the person said no to this verifier so often lately that it is not put before them
    /// now (catalogue 317). Nothing is sent: what is not answered teaches nobody to ask again.
    pub(super) fn was_declined_often(&self) -> Result<bool, WalletError> {
        let party = self.party();
        let since = self.wallet.now().plus(-NO_LASTS_S);
        let declined = self.wallet.history_store().declined_since(&party, since)?;
        Ok(declined >= MOST_NOES)
    }

    fn party(&self) -> Party {
        let verifier = self.verifier(&self.wallet.locales());
        Party {
            name: Some(verifier.name),
            host: verifier.host,
        }
    }

    /// Why they ask, in their words.
    pub(super) fn purpose(&self, locales: &[&str]) -> Option<PlainText> {
        PlainText::non_empty(self.asked.purpose()?.for_locale(first(locales)))
    }

    /// What a register says of who asks; `label` names a claim of a query, or all of it.
    pub(super) fn registration(
        &self,
        locales: &[&str],
        label: impl Fn(&QueryId, Option<&ClaimsPath>) -> PlainText,
    ) -> Registration {
        match self.asked.registration() {
            request::Registration::None => Registration::Unknown,
            request::Registration::Unusable(error) => Registration::Unusable { code: error.code() },
            request::Registration::Registered(registered) => {
                let purpose = registered
                    .purpose()
                    .map(|text| text.for_locale(first(locales)));
                let beyond = registered.beyond(self.asked.query());
                let beyond = beyond.iter();
                Registration::Registered {
                    purpose: purpose.and_then(PlainText::non_empty),
                    beyond: beyond
                        .map(|(query, path)| label(query, path.as_ref()))
                        .collect(),
                }
            }
        }
    }

    /// The error response when the person declines or has no card.
    // OpenID4VP 1.0, section 8.5: `access_denied` in both cases.
    pub(super) fn access_denied(&self) -> Option<HttpRequest> {
        self.refusal(ErrorCode::AccessDenied)
    }

    /// An error response.
    pub(super) fn refusal(&self, code: ErrorCode) -> Option<HttpRequest> {
        match &self.asked {
            Asked::Link(request) => {
                let reply_to = request.reply_to();
                let form = error_form(code, &reply_to);
                Some(post_form(reply_to.response_uri, form))
            }
            // Goes back to the browser.
            Asked::Page(_) => None,
        }
    }

    /// An entry for the history, to be saved.
    pub(super) fn entry(
        &self,
        outcome: Outcome,
        cards: Vec<PlainText>,
        facts: Vec<PlainText>,
    ) -> HistoryEntry {
        let at = self.wallet.now();
        let locales = self.wallet.locales();
        HistoryEntry {
            id: self.wallet.history_store().new_id(at),
            at,
            kind: EventKind::Presented,
            party: self.party(),
            purpose: self.purpose(&locales),
            cards,
            facts,
            outcome,
            consent_uri: None,
            withdrawn_at: None,
        }
    }
}

fn first<'a>(locales: &[&'a str]) -> &'a str {
    locales.first().copied().unwrap_or("en")
}

/// The name in a certificate: organisation or common name, else the whole
/// subject (RFC 4514).
fn certified_name(subject: &str) -> PlainText {
    let parts = name_parts(subject);
    let part = |wanted: &str| parts.iter().find(|(kind, _)| kind == wanted);
    match part("O").or_else(|| part("CN")) {
        Some((_, value)) => PlainText::new(value),
        None => PlainText::new(subject),
    }
}

/// Types and values of a name. A comma or plus that belongs to a value is escaped (RFC 4514,
/// section 2.4), so a value that looks like another part stays a value.
fn name_parts(subject: &str) -> Vec<(String, String)> {
    let mut parts = Vec::new();
    let (mut kind, mut text) = (None, String::new());
    let mut chars = subject.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => text.extend(chars.next()),
            '=' if kind.is_none() => kind = Some(std::mem::take(&mut text).trim().to_owned()),
            ',' | '+' => parts.extend(kind.take().zip(Some(std::mem::take(&mut text)))),
            other => text.push(other),
        }
    }
    parts.extend(kind.zip(Some(text)));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_the_organisation_then_the_common_name() {
        for (subject, name) in [
            ("CN=Access 7,O=Wine Shop,C=AT", "Wine Shop"),
            ("C=AT, CN=Wine Shop", "Wine Shop"),
            ("OU=x", "OU=x"),
            ("CN=Access 7+O=Wine Shop", "Wine Shop"),
            ("O=Wine\\, Beer \\+ More=Fun,C=AT", "Wine, Beer + More=Fun"),
        ] {
            assert_eq!(certified_name(subject).as_str(), name);
        }
    }

    #[test]
    fn cat_443_a_part_inside_a_value_is_no_part() {
        for (subject, name) in [
            ("CN=evil\\,O=Big Bank,C=AT", "evil,O=Big Bank"),
            ("CN=evil\\+O=Big Bank", "evil+O=Big Bank"),
            ("OU=\\,O=Big Bank,CN=evil", "evil"),
            ("CN=evil\\\\,O=Wine Shop", "Wine Shop"),
        ] {
            assert_eq!(certified_name(subject).as_str(), name, "{subject}");
        }
    }
}
