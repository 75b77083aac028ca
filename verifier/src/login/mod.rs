//! The way of one login, stage by stage: [`choose`] finds the question, [`start`] makes the transaction, [`ask`] puts the
//! question to a wallet, [`accept`] judges the answer (the one place that says "accept"),
//! [`finish`] turns it into a session and an authorization code, [`redeem`]
//! takes the code, [`deliver`] lets cards go to an application once, [`device`] holds it for a device that shows a code, [`refresh`] goes on while the person is away, [`end`] ends sessions, [`introspect`] and [`revoke`] answer for tokens.

pub mod accept;
pub mod administer;
pub mod approval;
pub mod ask;
mod asking;
pub mod authenticator;
pub mod choose;
mod code;
mod conclude;
pub mod deliver;
pub mod device;
pub mod end;
mod evidence;
pub mod finish;
pub mod grant;
mod id_token;
pub mod introspect;
pub mod judge;
pub mod known;
pub mod link;
pub mod linking;
pub mod notice;
pub mod passkey;
pub mod presented;
pub mod redeem;
pub mod refresh;
mod refresh_token;
mod resolve;
pub mod revoke;
pub mod run;
pub mod start;
mod verified;

/// Seconds that a login may take.
pub const LOGIN_S: i64 = 300;
/// Seconds that one QR code is shown.
pub const QR_S: i64 = 60;
/// Seconds that a request object is valid.
pub const REQUEST_OBJECT_S: i64 = 120;
/// Seconds that the way back from the wallet is open.
pub const RESPONSE_CODE_S: i64 = 60;
/// Seconds that an authorization code is good.
pub const CODE_S: i64 = 60;
/// Seconds that the codes of a device are good.
pub const DEVICE_S: i64 = 300;
/// Seconds between two questions of a device.
pub const DEVICE_INTERVAL_S: i64 = 5;
/// Seconds that an ID token is good.
pub const ID_TOKEN_S: u32 = 300;
/// Seconds that an access token is good.
pub const ACCESS_TOKEN_S: i64 = 300;
