//! What the pages of an open wallet share: the wallet and the open questions.

use std::collections::VecDeque;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use vouchsafe_credentials::random;
use vouchsafe_protocol::http::HttpRequest;
use vouchsafe_service::random::OsRandom;
use vouchsafe_wallet_core::issuance::Step;
use vouchsafe_wallet_core::presentation::Asking;

use super::error::Problem;
use super::shell::Shell;
use crate::wallet::handle::WalletHandle;

/// Most open questions; the oldest gives way.
const MAX_OPEN: usize = 64;

/// Something that waits for the person.
#[expect(
    clippy::large_enum_variant,
    reason = "a step is moved a few times per card"
)]
pub(super) enum Open {
    Offer(Step),
    Request(Asking),
    NoCard(HttpRequest),
}

pub(super) struct App {
    pub(super) wallet: WalletHandle,
    shell: Arc<Shell>,
    open: Mutex<VecDeque<(String, Open)>>,
}

/// The pages of an open wallet are pages.
impl Deref for App {
    type Target = Shell;

    fn deref(&self) -> &Shell {
        &self.shell
    }
}

impl App {
    pub(super) fn new(wallet: WalletHandle, shell: Arc<Shell>) -> Self {
        Self {
            wallet,
            shell,
            open: Mutex::default(),
        }
    }

    /// Keeps something for a later request of the person, under a secret name.
    pub(super) fn keep(&self, open: Open) -> String {
        let name = random::token(&OsRandom);
        self.keep_as(name.clone(), open);
        name
    }

    pub(super) fn keep_as(&self, name: String, open: Open) {
        let mut all = self.all_open();
        if all.len() >= MAX_OPEN {
            all.pop_front();
        }
        all.push_back((name, open));
    }

    /// Takes something out again: it is answered once.
    pub(super) fn take(&self, name: &str) -> Result<Open, Problem> {
        let mut all = self.all_open();
        let position = all.iter().position(|(other, _)| other == name);
        let found = position.and_then(|position| all.remove(position));
        found.map(|(_, open)| open).ok_or_else(Problem::gone)
    }

    fn all_open(&self) -> MutexGuard<'_, VecDeque<(String, Open)>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
