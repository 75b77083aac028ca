//! Paths of the console, written once.

/// The start page without its slash, as people type it.
pub const BARE: &str = "/console";
/// Start page.
pub const HOME: &str = "/console/";
/// Signing in.
pub const SIGN_IN: &str = "/console/sign-in";
/// What a browser needs to sign in with a passkey.
pub const SIGN_IN_CHALLENGE: &str = "/console/sign-in/challenge";
/// What a passkey answers.
pub const SIGN_IN_PASSKEY: &str = "/console/sign-in/passkey";
/// Signing out.
pub const SIGN_OUT: &str = "/console/sign-out";
/// To the organisation's OpenID Provider.
pub const UPSTREAM: &str = "/console/upstream";
/// Back from there.
pub const UPSTREAM_CALLBACK: &str = "/console/upstream/callback";
/// The link of an invitation.
pub const INVITATION: &str = "/console/invitations/{secret}";
/// What a browser needs to make a passkey.
pub const INVITATION_CHALLENGE: &str = "/console/invitations/{secret}/challenge";
/// The new passkey.
pub const INVITATION_PASSKEY: &str = "/console/invitations/{secret}/passkey";
/// The operator's own passkeys.
pub const ACCOUNT: &str = "/console/account";
/// What a browser needs to make another passkey.
pub const ACCOUNT_CHALLENGE: &str = "/console/account/challenge";
/// Another passkey.
pub const ACCOUNT_PASSKEY: &str = "/console/account/passkeys";
/// A passkey less.
pub const ACCOUNT_REMOVE: &str = "/console/account/passkeys/{id}/remove";
/// All operators.
pub const OPERATORS: &str = "/console/operators";
/// One operator.
pub const OPERATOR: &str = "/console/operators/{id}";
/// Whether one operator is removed.
pub const OPERATOR_REMOVE: &str = "/console/operators/{id}/remove";
/// Credential types.
pub const TYPES: &str = "/console/types";
/// One type.
pub const TYPE: &str = "/console/types/{id}";
/// Colours of the cards.
pub const CARD_COLOURS: &str = "/console/cards.css";
/// Offers.
pub const OFFERS: &str = "/console/offers";
/// A new offer.
pub const OFFER_NEW: &str = "/console/offers/new";
/// A table of persons.
pub const BATCH_NEW: &str = "/console/batches/new";
/// How far a table is.
pub const BATCH: &str = "/console/batches/{id}";
/// Issued credentials.
pub const CREDENTIALS: &str = "/console/credentials";
/// One credential.
pub const CREDENTIAL: &str = "/console/credentials/{id}";
/// A change of its status.
pub const CREDENTIAL_CHANGE: &str = "/console/credentials/{id}/{change}";
/// A new offer in its place.
pub const CREDENTIAL_RENEW: &str = "/console/credentials/{id}/renew";
/// Its end at a moment to come.
pub const CREDENTIAL_END: &str = "/console/credentials/{id}/end";
/// Another one in its place that was issued already.
pub const CREDENTIAL_SUPERSEDE: &str = "/console/credentials/{id}/supersede";
/// Changes of many credentials.
pub const JOBS: &str = "/console/jobs";
/// A new one.
pub const JOB_NEW: &str = "/console/jobs/new";
/// One of them.
pub const JOB: &str = "/console/jobs/{id}";
/// No further step of it.
pub const JOB_CANCEL: &str = "/console/jobs/{id}/cancel";
/// Signing keys.
pub const KEYS: &str = "/console/keys";
/// Who is told of events.
pub const WEBHOOKS: &str = "/console/webhooks";
/// One of them.
pub const WEBHOOK: &str = "/console/webhooks/{id}";
/// The audit log.
pub const AUDIT: &str = "/console/audit";
/// Its chain.
pub const AUDIT_CHECK: &str = "/console/audit/check";
