//! The outcome of an answer, written once: the state of the login, what was agreed to, and the way
//! back.

use url::Url;
use vouchsafe_service::db::DbError;
use vouchsafe_service::single_use::{self, Kind, NewObject};

use super::RESPONSE_CODE_S;
use super::accept::AcceptError;
use crate::app::Parts;
use crate::domain::ids::{DeviceGrantId, Secret};
use crate::login::run::Beside;
use crate::store::requests::PresentationRequest;
use crate::store::transactions::Sealed;
use crate::store::{StoreError, consents, device_grants, requests, transactions};

/// What a person agrees to with an answer.
pub(super) struct Given {
    pub(super) consent: Option<consents::Sealed>,
    /// Who must still wait for it.
    pub(super) device: Option<DeviceGrantId>,
}

/// Why an outcome is not written.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConcludeError {
    /// The device that asked does not wait any more.
    #[error("the device does not wait any more")]
    Device,
    /// As for every answer.
    #[error(transparent)]
    Accept(#[from] AcceptError),
}

impl From<DbError> for ConcludeError {
    fn from(error: DbError) -> Self {
        Self::Accept(error.into())
    }
}

impl From<StoreError> for ConcludeError {
    fn from(error: StoreError) -> Self {
        Self::Accept(error.into())
    }
}

impl From<ConcludeError> for AcceptError {
    fn from(error: ConcludeError) -> Self {
        match error {
            // Only who gives something asks whether somebody waits for it.
            ConcludeError::Device => Self::Unknown,
            ConcludeError::Accept(error) => error,
        }
    }
}

/// Writes the outcome. `turn` is the turn of a run that was answered. Catalogue 299: of any number of answers exactly one gets through.
pub(super) async fn conclude(
    app: &Parts,
    request: &PresentationRequest,
    (row, turn): (Sealed, Option<i64>),
    given: Option<Given>,
    beside: Option<Beside>,
) -> Result<Url, ConcludeError> {
    // The page of the login goes on by itself; a wallet leads its person back to it.
    let comes_back = request.channel.has_addresses();
    let code = Secret::random(app.rng.as_ref());
    let object = NewObject {
        // RFC 10027: the way back belongs to this turn of a run, and opens no later one.
        payload: app.vault.seal(
            &["response_code"],
            &(&request.transaction, request.channel, turn),
        )?,
        family: request.transaction.as_str().to_owned(),
        expires_at: app.now().plus(RESPONSE_CODE_S),
    };
    let transaction = request.transaction.clone();
    let (secret, now) = (code.reveal().to_owned(), app.now());
    app.db
        .write(async move |tx| {
            if !transactions::advance(tx, "pending", &row, now).await? {
                return Err(AcceptError::AlreadyAnswered.into());
            }
            if row.is_run() {
                // The next step has questions of its own.
                requests::end(tx, &transaction).await?;
            }
            if let Some(beside) = &beside {
                beside.put(tx, now).await?;
            }
            if let Some(Given { consent, device }) = &given {
                if let Some(device) = device
                    && !device_grants::hold(tx, device, now).await?
                {
                    return Err(ConcludeError::Device);
                }
                if let Some(consent) = consent {
                    consents::insert(tx, consent).await?;
                }
            }
            if comes_back {
                single_use::put(tx, Kind::ResponseCode, &secret, &object).await?;
            }
            Ok::<_, ConcludeError>(())
        })
        .await?;
    if !comes_back {
        return Ok(app.url(&format!("/login/{}", request.transaction)));
    }
    let mut url = app.url("/vp/return");
    url.query_pairs_mut()
        .append_pair("response_code", code.reveal());
    Ok(url)
}
