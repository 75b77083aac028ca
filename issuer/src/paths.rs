//! Paths of the service, written once.

use sha2::{Digest, Sha256};

/// Credential issuer metadata (OpenID4VCI 1.0, section 12.2.2).
pub const ISSUER_METADATA: &str = "/.well-known/openid-credential-issuer";
/// The document of the service's `did:web`.
pub const DID_DOCUMENT: &str = "/.well-known/did.json";
/// Authorization server metadata (RFC 8414).
pub const SERVER_METADATA: &str = "/.well-known/oauth-authorization-server";
/// Offers by reference.
pub const OFFER: &str = "/offers/{reference}";
/// Authorization endpoint and its code page.
pub const AUTHORIZE: &str = "/authorize";
/// Where a provider that signs persons in sends the browser back to, see [`authorize_upstream`].
pub const AUTHORIZE_UPSTREAM: &str = "/authorize/upstream/{provider}";
/// The page that asks whether a card may go to a wallet.
pub const AUTHORIZE_CONSENT: &str = "/authorize/consent";
/// The page that asks what the organisation wants to know.
pub const AUTHORIZE_PERSON: &str = "/authorize/person";
/// The signed request for a card that a person is to show.
pub const PRESENTATION_REQUEST: &str = "/authorize/request/{id}";
/// Where a wallet posts its answer to it.
pub const PRESENTATION_RESPONSE: &str = "/authorize/response/{id}";
/// Where the wallet sends the browser then.
pub const AUTHORIZE_PRESENTED: &str = "/authorize/presented";
/// Pushed authorization requests.
pub const PAR: &str = "/par";
/// Challenges for client attestations.
pub const CHALLENGE: &str = "/challenge";
/// Token endpoint.
pub const TOKEN: &str = "/token";
/// Nonce endpoint.
pub const NONCE: &str = "/nonce";
/// Credential endpoint.
pub const CREDENTIAL: &str = "/credential";
/// Deferred credential endpoint.
pub const DEFERRED: &str = "/deferred_credential";
/// Notification endpoint.
pub const NOTIFICATION: &str = "/notification";
/// Status lists.
pub const STATUS: &str = "/status/{list}";
/// Status lists of W3C credentials.
pub const STATUS_W3C: &str = "/status/{list}/{purpose}";
/// What the `vct` of a type begins with when its metadata are served here.
pub const TYPES: &str = "/types/";
/// Type metadata.
pub const TYPE_METADATA: &str = "/types/{*rest}";
/// Pictures of types.
pub const PICTURE: &str = "/pictures/{name}";
/// The description of the administration API.
pub const OPENAPI: &str = "/openapi.json";
/// The same as a page.
pub const DOCS: &str = "/docs";
/// Alive.
pub const HEALTHZ: &str = "/healthz";
/// Ready for requests.
pub const READYZ: &str = "/readyz";
/// Administration: offers.
pub const ADMIN_OFFERS: &str = "/v1/offers";
/// Administration: offers from a table.
pub const ADMIN_OFFER_BATCHES: &str = "/v1/offer-batches";
/// Administration: one offer.
pub const ADMIN_OFFER: &str = "/v1/offers/{id}";
/// Administration: what waits may be issued.
pub const ADMIN_APPROVE: &str = "/v1/offers/{id}/approve";
/// Administration: what waits is not issued.
pub const ADMIN_DENY: &str = "/v1/offers/{id}/deny";
/// Administration: credentials.
pub const ADMIN_CREDENTIALS: &str = "/v1/credentials";
/// Administration: one credential.
pub const ADMIN_CREDENTIAL: &str = "/v1/credentials/{id}";
/// Administration: the audit log.
pub const ADMIN_AUDIT: &str = "/v1/audit";
/// Administration: endpoints that are told of events.
pub const ADMIN_WEBHOOKS: &str = "/v1/webhooks";
/// Administration: one endpoint.
pub const ADMIN_WEBHOOK: &str = "/v1/webhooks/{id}";
/// Administration: a new secret of an endpoint.
pub const ADMIN_WEBHOOK_ROTATE: &str = "/v1/webhooks/{id}/rotate-secret";
/// Administration: messages to an endpoint.
pub const ADMIN_WEBHOOK_DELIVERIES: &str = "/v1/webhooks/{id}/deliveries";
/// Administration: a message again.
pub const ADMIN_WEBHOOK_REPLAY: &str = "/v1/webhooks/{id}/deliveries/{message}/replay";
/// Administration: valid to suspended.
pub const ADMIN_SUSPEND: &str = "/v1/credentials/{id}/suspend";
/// Administration: suspended to valid.
pub const ADMIN_RESUME: &str = "/v1/credentials/{id}/resume";
/// Administration: to revoked, for good.
pub const ADMIN_REVOKE: &str = "/v1/credentials/{id}/revoke";
/// Administration: to expired, now or later.
pub const ADMIN_EXPIRE: &str = "/v1/credentials/{id}/expire";
/// Administration: a new offer in the place of a credential.
pub const ADMIN_RENEW: &str = "/v1/credentials/{id}/renew";
/// Administration: to superseded.
pub const ADMIN_SUPERSEDE: &str = "/v1/credentials/{id}/supersede";
/// Administration: changes of many credentials.
pub const ADMIN_STATUS_JOBS: &str = "/v1/status-jobs";
/// Administration: one of them.
pub const ADMIN_STATUS_JOB: &str = "/v1/status-jobs/{id}";
/// Administration: no further step of it.
pub const ADMIN_STATUS_JOB_CANCEL: &str = "/v1/status-jobs/{id}/cancel";
/// Access tokens for clients of the administration API.
pub const ADMIN_TOKEN: &str = "/oauth2/token";
/// Administration: credential types.
pub const ADMIN_TYPES: &str = "/v1/credential-types";
/// Administration: one credential type.
pub const ADMIN_TYPE: &str = "/v1/credential-types/{id}";

/// [`AUTHORIZE_UPSTREAM`] of one provider, named by the first half of the SHA-256 of its issuer
/// identifier: no two providers have the same (RFC 9700, section 4.4.2.2).
pub fn authorize_upstream(issuer: &str) -> String {
    let digest = Sha256::digest(issuer.as_bytes());
    let name: String = digest[..16].iter().map(|b| format!("{b:02x}")).collect();
    AUTHORIZE_UPSTREAM.replace("{provider}", &name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `printf %s https://login.example | sha256sum | cut -c1-32`
    #[test]
    fn each_provider_has_a_way_back_of_its_own() {
        let path = authorize_upstream("https://login.example");
        assert_eq!(path, "/authorize/upstream/ced4229bf4ad3faa114cd9e344f79886");
        assert_ne!(path, authorize_upstream("https://login.example/"));
    }
}
