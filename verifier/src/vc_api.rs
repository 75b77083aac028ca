//! The verifying half of the VC API, where the configuration turns it on.

use std::sync::Arc;

use vouchsafe_service::id::Ids;
use vouchsafe_service::keys::SymmetricKey;
use vouchsafe_service::vc_api::{Outbound, Ports, VcApi};

use crate::app::Parts;
use crate::config::{Config, ConfigError};
use crate::verifier::OpenError;

/// Opens it on the parts of the service.
pub fn open(
    config: &Config,
    app: &Parts,
    ids: &Ids,
    audit: SymmetricKey,
) -> Result<Option<VcApi>, OpenError> {
    if !config.vc_api.enabled {
        return Ok(None);
    }
    let ports = Ports {
        db: app.db.clone(),
        audit,
        clock: Arc::clone(&app.clock),
        rng: Arc::clone(&app.rng),
        crypto: Arc::clone(&app.crypto),
        ids: ids.clone(),
        outbound: Outbound::guarded(
            &config.vc_api,
            &config.fetch,
            &config.dev,
            Arc::clone(&app.clock),
        )?,
    };
    VcApi::open(&config.vc_api, &config.http, ports)
        .map_err(|error| ConfigError::Shared(error.to_string()).into())
}
