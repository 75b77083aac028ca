//! That tenants are apart: no two of them share an address, a database, a secret or a key.

use std::collections::HashMap;
use std::hash::Hash;

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{DatabasePlace, DbError};
use vouchsafe_service::keys::Purpose;
use vouchsafe_service::tenant::Tenant;

use super::HouseError;
use crate::app::OpenError;
use crate::config::Config;

/// Who was seen with what.
struct Seen<T>(&'static str, HashMap<T, Tenant>);

impl<T: Eq + Hash> Seen<T> {
    fn new(what: &'static str) -> Self {
        Self(what, HashMap::new())
    }

    fn add(&mut self, thing: T, tenant: &Tenant) -> Result<(), HouseError> {
        match self.1.insert(thing, tenant.clone()) {
            Some(other) if other != *tenant => Err(HouseError::Shared {
                what: self.0,
                one: other,
                other: tenant.clone(),
            }),
            Some(_) | None => Ok(()),
        }
    }
}

/// Refuses tenants that share something, before any database is opened.
pub(super) fn check(tenants: &[(Tenant, Config)], now: UnixTime) -> Result<(), HouseError> {
    let mut urls = Seen::new("public address");
    let mut databases = Seen::new("database");
    let mut secrets = Seen::new("master secret");
    let mut keys = Seen::new("signing key");
    let mut other_keys = Seen::new("signing key");
    for (tenant, config) in tenants {
        let failed = |error: OpenError| HouseError::Open {
            tenant: tenant.clone(),
            error: Box::new(error),
        };
        urls.add(config.http.public_url.origin(), tenant)?;
        let place = config
            .database
            .resolve()
            .map_err(|error| failed(error.into()))?;
        let place = DatabasePlace::of(&place).map_err(|error: DbError| failed(error.into()))?;
        databases.add(place, tenant)?;
        let master = config.keys.master().map_err(|error| failed(error.into()))?;
        // A key that follows from the secret stands for it.
        secrets.add(*master.derive(Purpose::Binding).expose(), tenant)?;
        let (_, signing) = config.issued(now).map_err(|error| failed(error.into()))?;
        let all = signing.by_purpose();
        for key in all.into_iter().flat_map(|(_, keys)| keys.keys()) {
            keys.add(key.signer.public_key().thumbprint(), tenant)?;
        }
        for identity in &config.vc_api.identity {
            let key = identity.read_key().map_err(|error| failed(error.into()))?;
            match key.signature_signer() {
                Some(signer) => keys.add(signer.public_key().thumbprint(), tenant)?,
                None => other_keys.add(key.did(), tenant)?,
            }
        }
    }
    Ok(())
}
