//! The way of one login, stage by stage: [`start`] makes the transaction, [`ask`] puts the
//! question to a wallet, [`accept`] judges the answer (the one place that says "accept"),
//! [`finish`] turns it into a session and an authorization code, [`redeem`]
//! takes the code, [`end`] ends sessions.

pub mod accept;
pub mod ask;
mod code;
pub mod end;
mod evidence;
pub mod finish;
pub mod grant;
pub mod redeem;
pub mod start;

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
/// Seconds that an ID token is good.
pub const ID_TOKEN_S: u32 = 300;
/// Seconds that an access token is good.
pub const ACCESS_TOKEN_S: i64 = 300;
