//! Issuing: who signs, what is checked first, the proof, the second opinion.

use serde_json::Value;
use uuid::Builder;
use vouchsafe_credentials::data_integrity::{Cryptosuite, ProofOptions, ProofPurpose, add_proof};
use vouchsafe_credentials::problem::Problem as Kind;
use vouchsafe_credentials::random;
use vouchsafe_credentials::vcdm::{Credential, DateTimeStamp};

use super::access::Caller;
use super::identity::{Identity, is_selective, issuer_of};
use super::log::{self, Record};
use super::problem::Refusal;
use super::{Parts, status};

/// Pointers at most.
const MAX_POINTERS: usize = 256;
/// Longest `credentialId`.
const MAX_ID: usize = 2048;

/// What is to be issued.
pub(super) struct Order {
    pub credential: Value,
    pub mandatory_pointers: Option<Vec<String>>,
    pub credential_id: Option<String>,
    pub cryptosuite: Option<String>,
}

/// Issues a credential.
pub(super) async fn issue(parts: &Parts, caller: &Caller, order: Order) -> Result<Value, Refusal> {
    let Order {
        mut credential,
        mandatory_pointers,
        credential_id,
        cryptosuite,
    } = order;
    let pointers = mandatory_pointers.as_deref().unwrap_or_default();
    if pointers.len() > MAX_POINTERS {
        let detail = "too many pointers";
        return Err(Refusal::invalid(Kind::Range, "too_many_pointers", detail));
    }
    let (identity, suite) = identity(parts, &credential, cryptosuite.as_deref())?;
    caller.check_may_issue_as(parts, &identity.id)?;
    add_context(&mut credential);
    super::related::check(&Credential::parse(&credential)?)?;
    let now = parts.clock.now();
    let suite = parts.suites.get(suite).ok_or_else(Refusal::internal)?;
    let mut options =
        ProofOptions::new(&identity.verification_method, ProofPurpose::AssertionMethod);
    options.created = Some(DateTimeStamp::from_time(now));
    if is_selective(suite.name()) {
        options.mandatory_pointers =
            mandatory_pointers.unwrap_or_else(|| identity.mandatory_pointers.clone());
    } else if !pointers.is_empty() {
        let detail = "the cryptosuite has no selective disclosure";
        return Err(Refusal::invalid(
            Kind::ProofGeneration,
            "proof_options",
            detail,
        ));
    }
    let record = Record::new(parts, caller, log::ISSUED, &identity.id);
    if !identity.status {
        let secured = prove(parts, identity, suite, &options, &credential).await?;
        record.write(parts).await?;
        return Ok(secured);
    }
    refuse_status(&credential)?;
    let id = known_id(parts, &mut credential, credential_id)?;
    let place = status::allocate(parts, identity).await?;
    credential["credentialStatus"] = place.entry.clone();
    // The id is taken when there is a credential of that id, so that a failure can be tried again.
    let done = async {
        let secured = prove(parts, identity, suite, &options, &credential).await?;
        status::assign(parts, identity, &place, &id, record).await?;
        Ok(secured)
    };
    let done = done.await;
    if done.is_err() {
        status::release(parts, &place).await;
    }
    done
}

async fn prove(
    parts: &Parts,
    identity: &Identity,
    suite: &dyn Cryptosuite,
    options: &ProofOptions,
    credential: &Value,
) -> Result<Value, Refusal> {
    let signer = identity.key.signer();
    let secured = add_proof(credential, options, suite, signer, &*parts.rng).await?;
    super::second_opinion::ask(parts, &secured).await?;
    Ok(secured)
}

/// The name by which the credential can be revoked: the caller's, its `id`, or a new `id`.
fn known_id(
    parts: &Parts,
    credential: &mut Value,
    given: Option<String>,
) -> Result<String, Refusal> {
    let own = || Some(credential.get("id")?.as_str()?.to_owned());
    let id = match given.or_else(own) {
        Some(id) => id,
        None => {
            let id = Builder::from_random_bytes(random::bytes(&*parts.rng)).into_uuid();
            let id = id.urn().to_string();
            credential["id"] = id.clone().into();
            id
        }
    };
    if id.is_empty() || id.len() > MAX_ID {
        let detail = "the id is empty or too long to be found again";
        return Err(Refusal::invalid(Kind::Range, "credential_id", detail));
    }
    Ok(id)
}

/// The identity that `issuer` names and the suite to use.
fn identity<'p>(
    parts: &'p Parts,
    credential: &Value,
    cryptosuite: Option<&'p str>,
) -> Result<(&'p Identity, &'p str), Refusal> {
    let issuer = issuer_of(credential).ok_or_else(|| {
        let detail = "the credential names no issuer";
        Refusal::invalid(Kind::MalformedValue, "issuer_missing", detail)
    })?;
    let mut own = parts
        .identities
        .iter()
        .filter(|one| one.id == issuer)
        .peekable();
    // A service never signs in a name that is not its own.
    if own.peek().is_none() {
        let detail = "this service does not issue in the name of that issuer";
        return Err(Refusal::invalid(
            Kind::MalformedValue,
            "issuer_unknown",
            detail,
        ));
    }
    let found = own.find_map(|identity| match cryptosuite {
        None => Some((identity, identity.cryptosuites.first()?.as_str())),
        Some(name) => {
            let names = identity.cryptosuites.iter();
            Some((
                identity,
                names.map(String::as_str).find(|own| *own == name)?,
            ))
        }
    });
    found.ok_or_else(|| {
        let detail = "the issuer does not use that cryptosuite";
        Refusal::invalid(Kind::ProofGeneration, "cryptosuite_unknown", detail)
    })
}

const CONTEXT_1: &str = "https://www.w3.org/2018/credentials/v1";
const CONTEXT_INTEGRITY: &str = "https://w3id.org/security/data-integrity/v2";

/// Data Integrity 1.0, section 2.4.1: version 1.1 of the data model does not define the terms of
/// a `DataIntegrityProof`, so their context is added.
pub fn add_context(credential: &mut Value) {
    if let Some(one) = credential.get_mut("@context")
        && one == CONTEXT_1
    {
        *one = Value::Array(vec![one.take()]);
    }
    if let Some(Value::Array(contexts)) = credential.get_mut("@context")
        && contexts.first().is_some_and(|first| first == CONTEXT_1)
        && !contexts.iter().any(|context| context == CONTEXT_INTEGRITY)
    {
        contexts.push(CONTEXT_INTEGRITY.into());
    }
}

/// A status that the caller brings would be one that this service does not keep.
fn refuse_status(credential: &Value) -> Result<(), Refusal> {
    match credential.get("credentialStatus") {
        None => Ok(()),
        Some(_) => Err(Refusal::invalid(
            Kind::MalformedValue,
            "status_given",
            "the service gives out the status of these credentials",
        )),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn version_1_1_gets_the_context_of_its_proof() {
        let added = json!([CONTEXT_1, CONTEXT_INTEGRITY]);
        let version_2 = json!(["https://www.w3.org/ns/credentials/v2"]);
        for (given, wanted) in [
            (json!(CONTEXT_1), &added),
            (json!([CONTEXT_1]), &added),
            (added.clone(), &added),
            (version_2.clone(), &version_2),
            (json!("urn:x"), &json!("urn:x")),
        ] {
            let mut credential = json!({ "@context": given });
            add_context(&mut credential);
            assert_eq!(credential["@context"], *wanted);
        }
    }
}
