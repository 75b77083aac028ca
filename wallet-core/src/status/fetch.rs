//! The session with the host of one list.

use std::collections::BTreeMap;

use vouchsafe_credentials::status_list::{
    IDENTIFIER_LIST_CWT, MAX_CWT_BYTES, STATUS_LIST_CWT, StatusCheck, StatusError,
    VerifiedIdentifierList, VerifiedStatusList, verify_identifier_list, verify_status_list,
    verify_status_list_cwt,
};
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_protocol::http::{HttpRequest, HttpResponse, Method};

use super::due::Wanted;
use super::known::{Known, ListId, Said};
use super::reference::{ListKind, Reference};
use crate::WalletError;
use crate::error::{CredentialError, Fault};
use crate::storage::{StorageError, VaultBatch};
use crate::wallet::Wallet;

/// Redirects that are followed, each to the host that was asked.
const MAX_REDIRECTS: u8 = 3;
const STATUS_LIST_JWT: &str = "application/statuslist+jwt";
/// Token Status List, section 8.1: the publisher chooses by `Accept`.
const EITHER: &str = "application/statuslist+jwt, application/statuslist+cwt;q=0.9";

/// Why a status list says nothing. No card is worse for it than "not checked".
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StatusListError {
    /// Its host gave no answer.
    #[error("the host of a status list could not be reached")]
    Unreachable,
    /// Its host has another answer than a list.
    #[error("the host of a status list answers {0}")]
    Answer(u16),
    /// Its host sends the wallet elsewhere, or around.
    #[error("the host of a status list redirects")]
    Redirect,
    /// The answer is no list by its media type.
    #[error("the answer is no status list")]
    MediaType,
    /// The list breaks a rule, or whoever signed it may not.
    #[error("the status list is not acceptable")]
    List(#[source] StatusError),
}

impl StatusListError {
    /// A stable snake_case code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreachable => "status_list_unreachable",
            Self::Answer(_) => "status_list_not_available",
            Self::Redirect => "status_list_redirected",
            Self::MediaType => "status_list_media_type",
            Self::List(error) => error.code(),
        }
    }

    pub(crate) fn fault(&self) -> Fault {
        match self {
            Self::Unreachable => Fault::Network,
            Self::Answer(_) | Self::Redirect | Self::MediaType | Self::List(_) => Fault::Issuer,
        }
    }
}

/// A status list to ask for.
pub struct StatusFetch {
    wallet: Wallet,
    list: ListId,
    wanted: Wanted,
    request: HttpRequest,
    redirects: u8,
}

/// What comes next.
#[expect(
    clippy::large_enum_variant,
    reason = "a step is moved a few times per list"
)]
pub enum StatusStep {
    /// A request to send: the host of the list has it elsewhere.
    Send(StatusFetch),
    /// What the list says is known now.
    Done,
}

/// Shows no address: it names the issuer of a card.
impl std::fmt::Debug for StatusFetch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StatusFetch(..)")
    }
}

impl StatusFetch {
    /// `None`: the wallet sends nothing to the address of the list.
    pub(super) fn new(wallet: Wallet, list: ListId, wanted: Wanted) -> Option<Self> {
        let url = wallet.urls().endpoint(&list.uri).ok()?;
        let accepted = match list.kind {
            ListKind::Statuses => EITHER,
            ListKind::Identifiers => IDENTIFIER_LIST_CWT,
        };
        Some(Self {
            wallet,
            list,
            wanted,
            request: HttpRequest::new(Method::Get, url).header("accept", accepted),
            redirects: 0,
        })
    }

    /// The request to send, once. Redirects must not be followed.
    #[must_use]
    pub fn request(&self) -> &HttpRequest {
        &self.request
    }

    /// Takes the answer. An error means that the list is asked again some time later, and that what
    /// it said before counts as long as it may.
    pub fn receive(mut self, response: &HttpResponse) -> Result<StatusStep, WalletError> {
        let heard = match response.status {
            // Token Status List, section 8.2: clients should follow. To another host they would tell
            // somebody of the card whom its issuer did not name.
            301 | 302 | 303 | 307 | 308 => match self.follow(response) {
                Ok(()) => return Ok(StatusStep::Send(self)),
                Err(error) => Err(error),
            },
            _ => self.read(response)?,
        };
        match heard {
            Ok(said) => {
                self.keep(Some(said))?;
                Ok(StatusStep::Done)
            }
            Err(error) => {
                self.keep(None)?;
                Err(CredentialError::StatusList(error).into())
            }
        }
    }

    /// The request could not be sent, or no answer came.
    pub fn unreachable(self) -> WalletError {
        match self.keep(None) {
            Ok(()) => CredentialError::StatusList(StatusListError::Unreachable).into(),
            Err(error) => error,
        }
    }

    fn follow(&mut self, response: &HttpResponse) -> Result<(), StatusListError> {
        let location = response.headers.at_most_one("location").ok().flatten();
        let target = location.and_then(|place| self.request.url.join(place).ok());
        let target = target.filter(|url| self.wallet.urls().endpoint(url.as_str()).is_ok());
        let target = target.filter(|url| url.origin() == self.request.url.origin());
        let target = target.filter(|_| self.redirects < MAX_REDIRECTS);
        self.request.url = target.ok_or(StatusListError::Redirect)?;
        self.redirects += 1;
        Ok(())
    }

    fn read(&self, response: &HttpResponse) -> Result<Result<Said, StatusListError>, WalletError> {
        let known = Known::read(self.wallet.vault(), &self.list)?;
        let newest_seen = known
            .and_then(|known| known.said)
            .map(|said| said.issued_at);
        Ok(self.verified(response, newest_seen))
    }

    fn verified(
        &self,
        response: &HttpResponse,
        newest_seen: Option<UnixTime>,
    ) -> Result<Said, StatusListError> {
        if !response.is_success() {
            return Err(StatusListError::Answer(response.status));
        }
        let body = response.body.as_slice();
        if body.len() > MAX_CWT_BYTES {
            return Err(StatusListError::List(StatusError::TooLarge));
        }
        let (now, crypto) = (self.wallet.now(), self.wallet.crypto());
        let check = StatusCheck {
            uri: &self.list.uri,
            issuer: &self.list.issuer,
            trust: &self.wanted.trust,
            newest_seen,
            min_refresh_s: self.wallet.config().status.least_s,
            now,
        };
        let is = |media_type: &str| response.is_media_type(media_type);
        match self.list.kind {
            ListKind::Statuses if is(STATUS_LIST_JWT) => {
                let compact = std::str::from_utf8(body).map_err(|_| StatusListError::MediaType)?;
                verify_status_list(compact, &check, crypto).map(|list| self.statuses(&list, now))
            }
            ListKind::Statuses if is(STATUS_LIST_CWT) => {
                verify_status_list_cwt(body, &check, crypto).map(|list| self.statuses(&list, now))
            }
            ListKind::Identifiers if is(IDENTIFIER_LIST_CWT) => {
                verify_identifier_list(body, &check, crypto).map(|list| self.listed(&list, now))
            }
            ListKind::Statuses | ListKind::Identifiers => return Err(StatusListError::MediaType),
        }
        .map_err(StatusListError::List)
    }

    fn statuses(&self, list: &VerifiedStatusList, now: UnixTime) -> Said {
        Said {
            issued_at: list.issued_at(),
            heard_at: now,
            refresh_at: list.refresh_at(),
            expires_at: list.expires_at(),
            places: self.places(|reference| match reference {
                Reference::Status(reference) => {
                    let status = list.status(reference, now);
                    status.ok().map(|status| status.value())
                }
                Reference::Identifier(_) => None,
            }),
        }
    }

    fn listed(&self, list: &VerifiedIdentifierList, now: UnixTime) -> Said {
        Said {
            issued_at: list.issued_at(),
            heard_at: now,
            refresh_at: list.refresh_at(),
            expires_at: Some(list.expires_at()),
            places: self.places(|reference| match reference {
                Reference::Identifier(reference) => match list.require_not_listed(reference, now) {
                    Ok(()) => Some(0),
                    Err(StatusError::Revoked) => Some(1),
                    Err(_) => None,
                },
                Reference::Status(_) => None,
            }),
        }
    }

    fn places(&self, value: impl Fn(&Reference) -> Option<u8>) -> BTreeMap<String, Option<u8>> {
        let places = self.wanted.places.iter();
        places
            .map(|(place, (reference, _))| (place.clone(), value(reference)))
            .collect()
    }

    /// Remembers that the list was asked, and what it said.
    fn keep(&self, said: Option<Said>) -> Result<(), WalletError> {
        let (wallet, vault) = (&self.wallet, self.wallet.vault());
        let _changing = wallet.changing_cards();
        let mut known = Known::read(vault, &self.list)?.unwrap_or_default();
        known.asked_at = Some(wallet.now());
        // Somebody else may have heard of a newer one meanwhile.
        let newer = |said: &Said| {
            let before = known.said.as_ref();
            before.is_none_or(|before| before.issued_at <= said.issued_at)
        };
        if let Some(said) = said.filter(newer) {
            known.said = Some(said);
        }
        // Nothing is remembered of a card that was deleted while its list was on its way.
        let is_here = |place: &String| match self.wanted.places.get(place) {
            Some((_, card)) => !is_gone(wallet.store().record(card)),
            None => true,
        };
        if let Some(said) = &mut known.said {
            said.places.retain(|place, _| is_here(place));
        }
        if !self.wanted.places.keys().any(is_here) {
            known.asked_at = None;
        }
        let batch = known.write(vault, &self.list, VaultBatch::new())?;
        match vault.commit(batch) {
            // It can be asked for again.
            Err(StorageError::TooLarge) => Ok(()),
            committed => Ok(committed?),
        }
    }
}

fn is_gone<T>(read: Result<T, WalletError>) -> bool {
    matches!(read, Err(WalletError::Credential(CredentialError::Unknown)))
}
