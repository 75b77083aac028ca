//! Who asks and why, from a verified request.

use vouchsafe_protocol::http::HttpRequest;
use vouchsafe_protocol::vp::request::PresentationRequest;
use vouchsafe_protocol::vp::response::{ErrorCode, error_form};

use super::submit::post_form;
use crate::consent::{TrustReason, VerifierIdentity};
use crate::history::{EventKind, HistoryEntry, Outcome, Party};
use crate::net;
use crate::text::PlainText;
use crate::wallet::Wallet;

/// A wallet and the verified request it has before it.
pub(super) struct Context {
    pub(super) wallet: Wallet,
    pub(super) request: PresentationRequest,
}

impl Context {
    /// Who asks, as far as it was verified.
    pub(super) fn verifier(&self, locales: &[&str]) -> VerifierIdentity {
        let certificate = self.request.certificate();
        let name = certified_name(certificate.subject());
        let client_name = self.request.metadata().client_name.as_ref();
        let calls_itself = client_name
            .and_then(|text| PlainText::non_empty(text.for_locale(first(locales))))
            .filter(|own| *own != name);
        VerifierIdentity {
            name,
            calls_itself,
            host: net::host_of(self.request.response_uri()),
            trust: TrustReason::Certificate {
                anchor: certificate.anchor_id().to_string(),
            },
        }
    }

    /// One name for the verifier, the same for each of its requests.
    pub(super) fn verifier_key(&self) -> String {
        let certificate = self.request.certificate();
        format!("{} {}", certificate.anchor_id(), certificate.subject())
    }

    /// Why they ask, in their words.
    pub(super) fn purpose(&self, locales: &[&str]) -> Option<PlainText> {
        PlainText::non_empty(self.request.purpose()?.for_locale(first(locales)))
    }

    /// The error response when the person declines or has no card.
    // OpenID4VP 1.0, section 8.5: `access_denied` in both cases.
    pub(super) fn access_denied(&self) -> HttpRequest {
        let reply_to = self.request.reply_to();
        let form = error_form(ErrorCode::AccessDenied, &reply_to);
        post_form(reply_to.response_uri, form)
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
        let verifier = self.verifier(&locales);
        HistoryEntry {
            id: self.wallet.history_store().new_id(at),
            at,
            kind: EventKind::Presented,
            party: Party {
                name: Some(verifier.name),
                host: verifier.host,
            },
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
    let part = |kind: &str| {
        subject
            .split(',')
            .find_map(|rdn| rdn.trim().strip_prefix(kind)?.strip_prefix('='))
    };
    let name = part("O").or_else(|| part("CN")).unwrap_or(subject);
    PlainText::new(&name.replace('\\', ""))
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
        ] {
            assert_eq!(certified_name(subject).as_str(), name);
        }
    }
}
