//! What of the dealings with issuers moves in a backup: where cards came from, what comes later, and
//! the access and the keys that go with them. What issuers are to hear stays behind: the wallet
//! that has it tells them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::later::Pending;
use super::records::{self, Access, InstanceKey, Origin, Waiting};
use crate::WalletError;
use crate::credential::CredentialId;
use crate::secure_area::{KeyHandle, KeyId};
use crate::storage::{RecordId, Vault, VaultBatch};

/// A record of dealings with an issuer.
#[derive(Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Dealing {
    /// Tokens.
    Access {
        /// Its name.
        id: String,
        /// What is stored.
        access: Access,
    },
    /// Where a card came from.
    Origin {
        /// The card.
        card: CredentialId,
        /// What is stored.
        origin: Origin,
    },
    /// A card that comes later; its keys are beside it.
    Pending {
        /// Its name.
        id: String,
        /// What is stored.
        waiting: Waiting,
    },
    /// The key of the wallet at a server, which is beside it.
    Instance {
        /// Its name.
        id: String,
        /// What is stored.
        instance: InstanceKey,
    },
}

impl std::fmt::Debug for Dealing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Dealing(..)")
    }
}

/// The record of this name; `None`: it is gone, or does not move.
pub(crate) fn dealing(vault: &Vault, name: &RecordId) -> Result<Option<Dealing>, WalletError> {
    let Some((letter, id)) = name.as_str().split_once('-') else {
        return Ok(None);
    };
    let own = || id.to_owned();
    Ok(match letter {
        "a" => records::get(vault, id)?.map(|access| Dealing::Access { id: own(), access }),
        "o" => match (records::get(vault, id)?, CredentialId::parse(id)) {
            (Some(origin), Ok(card)) => Some(Dealing::Origin { card, origin }),
            _ => None,
        },
        "w" => records::get(vault, id)?.map(|waiting| Dealing::Pending { id: own(), waiting }),
        "i" => records::get(vault, id)?.map(|instance| Dealing::Instance {
            id: own(),
            instance,
        }),
        _ => None,
    })
}

impl Dealing {
    /// The keys without which it is worth nothing.
    pub(crate) fn keys(&self) -> Result<Vec<KeyHandle>, WalletError> {
        match self {
            Self::Access { .. } | Self::Origin { .. } => Ok(Vec::new()),
            Self::Pending { waiting, .. } => waiting.keys(),
            Self::Instance { instance, .. } => Ok(instance.handle().into_iter().collect()),
        }
    }

    /// Whether it serves what is in the backup already. Cards come first, then what refers to them.
    pub(crate) fn serves(&self, moved: &MovedDealings) -> bool {
        match self {
            Self::Access { id, .. } => moved.accesses.contains(id),
            Self::Origin { card, .. } => moved.cards.contains(card),
            Self::Pending { waiting, .. } => {
                let renews = waiting.renews.as_ref();
                renews.is_none_or(|card| moved.cards.contains(card))
            }
            Self::Instance { instance, .. } => {
                instance.handle().is_some() && moved.servers.contains(&instance.server)
            }
        }
    }

    /// As the person knows it, where it is something that they wait for.
    pub(crate) fn awaited(&self, vault: &Vault) -> Result<Option<Pending>, WalletError> {
        let Self::Pending { id, waiting } = self else {
            return Ok(None);
        };
        let access = records::get::<Access>(vault, waiting.access.as_str())?;
        Ok(Some(Pending::of(
            id.clone(),
            waiting.clone(),
            access.as_ref(),
        )))
    }
}

/// What is in a backup so far.
#[derive(Default)]
pub(crate) struct MovedDealings {
    cards: BTreeSet<CredentialId>,
    accesses: BTreeSet<String>,
    servers: BTreeSet<String>,
}

impl MovedDealings {
    /// The order in which records go into a backup: each after those that it serves.
    pub(crate) fn rank(name: &RecordId) -> u8 {
        match name.as_str().split_once('-') {
            Some(("o" | "w", _)) => 0,
            Some(("a", _)) => 1,
            _ => 2,
        }
    }

    /// A card is in the backup.
    pub(crate) fn card(&mut self, id: &CredentialId) {
        self.cards.insert(id.clone());
    }

    /// A record is in the backup.
    pub(crate) fn dealing(&mut self, dealing: &Dealing) {
        match dealing {
            Dealing::Access { access, .. } => self.servers.insert(access.server.clone()),
            Dealing::Origin {
                origin: Origin { access, .. },
                ..
            }
            | Dealing::Pending {
                waiting: Waiting { access, .. },
                ..
            } => self.accesses.insert(access.as_str().to_owned()),
            Dealing::Instance { .. } => false,
        };
    }
}

/// What came out of a backup.
#[derive(Default)]
pub(crate) struct Dealings {
    accesses: BTreeMap<String, Access>,
    origins: Vec<(CredentialId, Origin)>,
    pending: Vec<(String, Waiting)>,
    instances: Vec<(String, InstanceKey)>,
}

/// What of it a wallet takes in.
pub(crate) struct Wanted {
    /// The records.
    pub(crate) batch: VaultBatch,
    /// The keys that belong to them.
    pub(crate) keys: Vec<KeyId>,
    /// How many cards are waited for.
    pub(crate) pending: usize,
    /// Those that cannot be waited for here.
    pub(crate) left_behind: Vec<Pending>,
}

impl Dealings {
    pub(crate) fn take(&mut self, dealing: Dealing) {
        match dealing {
            Dealing::Access { id, access } => drop(self.accesses.insert(id, access)),
            Dealing::Origin { card, origin } => self.origins.push((card, origin)),
            Dealing::Pending { id, waiting } => self.pending.push((id, waiting)),
            Dealing::Instance { id, instance } => self.instances.push((id, instance)),
        }
    }

    /// What serves the cards that came, and those that come later. `software`: keys can be taken in;
    /// `is_here`: a key is in this wallet already, and what it belongs to with it.
    pub(crate) fn wanted(
        self,
        vault: &Vault,
        mut batch: VaultBatch,
        cards: &BTreeSet<CredentialId>,
        software: bool,
        is_here: impl Fn(&KeyId) -> Result<bool, WalletError>,
    ) -> Result<Wanted, WalletError> {
        let (mut accesses, mut keys) = (BTreeSet::new(), Vec::new());
        let (mut pending, mut left_behind) = (0, Vec::new());
        for (card, origin) in self.origins {
            if cards.contains(&card) {
                accesses.insert(origin.access.as_str().to_owned());
                batch = records::put(batch, card.as_str(), &origin)?;
            }
        }
        for (id, waiting) in self.pending {
            let mut here = records::get::<Waiting>(vault, &id)?.is_some();
            for key in waiting.key_ids() {
                here |= is_here(key)?;
            }
            let access = self.accesses.get(waiting.access.as_str());
            let renewed = waiting.renews.as_ref();
            let served = renewed.is_none_or(|card| cards.contains(card));
            match access {
                _ if here => {}
                Some(_) if software && served => {
                    accesses.insert(waiting.access.as_str().to_owned());
                    keys.extend(waiting.key_ids().cloned());
                    batch = records::put(batch, &id, &waiting)?;
                    pending += 1;
                }
                // New copies of a card that is not here are no loss.
                _ if renewed.is_some() => {}
                access => left_behind.push(Pending::of(id, waiting, access)),
            }
        }
        let mut servers = BTreeSet::new();
        for (id, access) in &self.accesses {
            // What is here may have newer tokens.
            if accesses.contains(id) && records::get::<Access>(vault, id)?.is_none() {
                servers.insert(access.server.as_str());
                batch = records::put(batch, id, access)?;
            }
        }
        for (id, instance) in self.instances {
            let own = records::get::<InstanceKey>(vault, &id)?;
            let wanted = software && servers.contains(instance.server.as_str());
            if wanted && own.is_none() && !is_here(instance.id())? {
                keys.push(instance.id().clone());
                batch = records::put(batch, &id, &instance)?;
            }
        }
        Ok(Wanted {
            batch,
            keys,
            pending,
            left_behind,
        })
    }
}
