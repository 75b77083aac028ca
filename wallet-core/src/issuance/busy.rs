//! The other side is busy: the same again, later and later, or not at all.

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_protocol::http::{HttpRequest, HttpResponse, retry_after};

use super::IssuanceError;
use super::exchange::{MAX_WAIT, Next, Stage};
use super::session::Session;
use crate::WalletError;

/// How often one request is put off.
const MAX_BUSY: u8 = 40;
/// The first wait where the other side does not say one, in seconds; each further one is twice as long.
const FIRST_WAIT: i64 = 5;

/// How often a request was put off in a row, and for how many seconds altogether.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Busy {
    times: u8,
    seconds: i64,
}

impl Busy {
    /// For how long, with the wait that is still ahead.
    pub(super) fn seconds(self) -> i64 {
        self.seconds
    }

    /// How long to wait now. RFC 9110, section 10.2.3: as long as the other side says.
    pub(super) fn wait(self, response: &HttpResponse, now: UnixTime) -> i64 {
        let doubled = FIRST_WAIT << self.times.min(10);
        retry_after(response, now).unwrap_or(doubled)
    }

    pub(super) fn after(self, seconds: i64) -> Self {
        Self {
            times: self.times.saturating_add(1),
            seconds: self.seconds.saturating_add(seconds),
        }
    }
}

/// The same again after a wait; what proves something proves it anew.
pub(super) async fn put_off(
    session: &mut Session,
    stage: Stage,
    request: HttpRequest,
    response: &HttpResponse,
    seconds: i64,
    busy: Busy,
) -> Result<Next, WalletError> {
    if seconds > MAX_WAIT || busy.times >= MAX_BUSY {
        return end(session, stage, seconds);
    }
    session.ahead = seconds;
    let next = match stage {
        Stage::Call(call) => call.send(session).await,
        Stage::Credential(collecting) => collecting.again(session, response).await,
        Stage::Deferred(polling) => polling.send(session).await,
        Stage::Notice(telling) => telling.send(session).await,
        plain @ (Stage::Offer
        | Stage::Issuer(..)
        | Stage::Server(_)
        | Stage::Challenge(_)
        | Stage::Nonce(_)) => Ok(Next::send(request, plain)),
    };
    session.ahead = 0;
    Ok(match next? {
        Next::Send { request, stage, .. } => Next::Send {
            request,
            stage,
            wait: seconds,
        },
        other => other,
    })
}

/// Nobody waits for so long: what can be asked for later is put off durably.
pub(super) fn end(session: &Session, stage: Stage, seconds: i64) -> Result<Next, WalletError> {
    match stage {
        Stage::Deferred(polling) => polling.put_off(session, seconds),
        Stage::Notice(telling) => telling.put_off(session, seconds),
        Stage::Offer
        | Stage::Issuer(..)
        | Stage::Server(_)
        | Stage::Challenge(_)
        | Stage::Call(_)
        | Stage::Nonce(_)
        | Stage::Credential(_) => Err(IssuanceError::Busy { seconds }.into()),
    }
}
