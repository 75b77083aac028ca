//! Whether what a step asks for can be asked in this run.

use super::{RunError, codes, newkey, taps, vouched};
use crate::app::Parts;
use crate::domain::transaction::Login;
use crate::journey::{Step, StepKind};
use crate::journeys::Loaded;

/// Whether a passkey, another provider or a code can be asked for. Of other steps nobody asks.
pub(super) async fn possible(
    app: &Parts,
    login: &Login,
    (loaded, step): (&Loaded, &Step),
) -> Result<bool, RunError> {
    match &step.kind {
        StepKind::Passkey { register: false } => taps::possible(app, login, loaded).await,
        StepKind::Passkey { register: true } => Ok(newkey::possible(app, login, loaded)),
        StepKind::Upstream { providers } => vouched::possible(app, login, providers).await,
        StepKind::Totp => Ok(codes::possible(app, login)),
        _ => Ok(false),
    }
}
