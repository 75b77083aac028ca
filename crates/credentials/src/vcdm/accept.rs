//! What is asked of a credential after its signature: the policy, the same for every securing mechanism.

use super::confirmation::{self, Presenter};
use super::{Credential, Policy, StatusPolicy, VcdmError, VerifyError};
use crate::bitstring_status_list;
use crate::crypto::CryptoProvider;
use crate::data_integrity::Suites;
use crate::did::Resolver;

/// Status entries of one credential that are looked up; each may be a request.
const MAX_STATUS: usize = 8;

/// What verifying needs beside a policy.
#[derive(Clone, Copy)]
pub(crate) struct Means<'a> {
    pub(crate) suites: &'a Suites,
    pub(crate) resolver: &'a dyn Resolver,
    pub(crate) crypto: &'a dyn CryptoProvider,
}

/// Who, what, when, whose and status. That the signature is the issuer's was checked before.
pub(crate) async fn accept(
    credential: &Credential,
    policy: &Policy<'_>,
    means: Means<'_>,
    presenter: Option<&Presenter>,
) -> Result<(), VerifyError> {
    if !policy.issuers.accept(credential.issuer()) {
        return Err(VerifyError::IssuerNotAccepted);
    }
    let wanted = |name: &String| policy.types.contains(name);
    if !policy.types.is_empty() && !credential.types().iter().any(wanted) {
        return Err(VerifyError::TypeNotAccepted);
    }
    check_period(credential, policy)?;
    confirmation::check(credential, policy, presenter)?;
    check_status(credential, policy, means).await
}

/// VCDM 2.0, section 4.9.
fn check_period(credential: &Credential, policy: &Policy<'_>) -> Result<(), VerifyError> {
    let from = credential.valid_from().map(|stamp| stamp.time());
    if from.is_some_and(|from| from > policy.now.plus(policy.skew_s)) {
        return Err(VerifyError::NotYetValid);
    }
    let until = credential.valid_until().map(|stamp| stamp.time());
    if until.is_some_and(|until| until.plus(policy.skew_s) < policy.now) {
        return Err(VerifyError::Expired);
    }
    Ok(())
}

/// VCDM 2.0, section 4.10.
async fn check_status(
    credential: &Credential,
    policy: &Policy<'_>,
    means: Means<'_>,
) -> Result<(), VerifyError> {
    let (lists, required) = match policy.status {
        StatusPolicy::Unchecked => return Ok(()),
        StatusPolicy::CheckIfPresent(lists) => (lists, false),
        StatusPolicy::Required(lists) => (lists, true),
    };
    if required && credential.status().next().is_none() {
        return Err(VerifyError::StatusMissing);
    }
    if credential.status().count() > MAX_STATUS {
        return Err(VcdmError::TooMany("credentialStatus").into());
    }
    for entry in credential.status() {
        let status = bitstring_status_list::check(entry, credential, lists, policy, means).await?;
        status.require_usable()?;
    }
    Ok(())
}
