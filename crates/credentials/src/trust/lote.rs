//! The JSON binding of lists of trusted entities (ETSI TS 119 602 v1.1.1, annex A).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::list::Candidate;
use super::{Checkpoint, ListPolicy, TrustList, TrustListError, instant, jades};
use crate::Verified;
use crate::crypto::CryptoProvider;

/// Largest accepted list in bytes (of the compact serialisation).
pub const MAX_LOTE_BYTES: usize = 8 * 1024 * 1024;
/// The version of the binding.
const VERSION: u64 = 1;

/// Reads and verifies a list of trusted entities in compact JAdES form.
///
/// # Errors
/// See [`TrustListError`].
pub fn import_lote(
    compact: &str,
    policy: &ListPolicy<'_>,
    provider: &dyn CryptoProvider,
) -> Result<Verified<TrustList>, TrustListError> {
    if compact.len() > MAX_LOTE_BYTES {
        return Err(TrustListError::TooLarge);
    }
    let compact = compact.trim_ascii_end();
    let (payload, digest) = jades::verify(compact, policy, provider)?;
    let list = read(payload, policy, digest)?;
    list.check(policy)?;
    Ok(Verified::new(list))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Lote {
    list_and_scheme_information: SchemeInformation,
    #[serde(default)]
    trusted_entities_list: Vec<Entity>,
}

#[derive(Deserialize)]
struct SchemeInformation {
    #[serde(rename = "LoTEVersionIdentifier")]
    version: u64,
    #[serde(rename = "LoTESequenceNumber")]
    sequence: u64,
    #[serde(rename = "LoTEType")]
    kind: String,
    #[serde(rename = "SchemeOperatorName")]
    operator: Vec<Text>,
    #[serde(rename = "SchemeTerritory")]
    territory: Option<String>,
    #[serde(rename = "ListIssueDateTime")]
    issued: String,
    #[serde(rename = "NextUpdate")]
    next_update: String,
}

#[derive(Deserialize)]
struct Text {
    lang: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entity {
    trusted_entity_information: EntityInformation,
    trusted_entity_services: Vec<Service>,
}

#[derive(Deserialize)]
struct EntityInformation {
    #[serde(rename = "TEName")]
    name: Vec<Text>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Service {
    service_information: ServiceInformation,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ServiceInformation {
    service_type_identifier: String,
    service_status: Option<String>,
    status_starting_time: Option<String>,
    service_digital_identity: DigitalIdentity,
}

#[derive(Deserialize)]
struct DigitalIdentity {
    #[serde(rename = "X509Certificates", default)]
    certificates: Vec<CertificateObject>,
}

#[derive(Deserialize)]
struct CertificateObject {
    val: String,
}

fn read(
    payload: Map<String, Value>,
    policy: &ListPolicy<'_>,
    digest: [u8; 32],
) -> Result<TrustList, TrustListError> {
    let lote = unwrap(payload)?;
    let Lote {
        list_and_scheme_information: scheme,
        trusted_entities_list: entities,
    } = serde_json::from_value(lote).map_err(|_| TrustListError::Malformed("a member"))?;
    let SchemeInformation {
        version,
        sequence,
        kind,
        operator,
        territory,
        issued,
        next_update,
    } = scheme;
    if version != VERSION {
        return Err(TrustListError::Malformed("LoTEVersionIdentifier"));
    }
    if !policy.kind.is(&kind) {
        return Err(TrustListError::Kind);
    }
    let mut list = TrustList {
        kind: policy.kind,
        operator: name(operator)?,
        territory,
        checkpoint: Checkpoint { sequence, digest },
        issued_at: instant::parse(&issued)?,
        next_update: instant::parse(&next_update)?,
        services: Vec::new(),
        left_out: 0,
    };
    for entity in entities {
        add_entity(&mut list, entity, policy)?;
    }
    Ok(list)
}

/// The schema has one member `LoTE` around the list; some publishers leave it out.
fn unwrap(mut payload: Map<String, Value>) -> Result<Value, TrustListError> {
    let bare = payload.contains_key("ListAndSchemeInformation");
    match (payload.remove("LoTE"), bare) {
        (Some(lote), false) => Ok(lote),
        (None, true) => Ok(Value::Object(payload)),
        _ => Err(TrustListError::Malformed("LoTE")),
    }
}

/// The English name, or the first.
fn name(texts: Vec<Text>) -> Result<String, TrustListError> {
    let english = texts.iter().position(|text| text.lang == "en");
    let chosen = texts.into_iter().nth(english.unwrap_or(0));
    chosen
        .map(|Text { lang: _, value }| value)
        .ok_or(TrustListError::Malformed("a name"))
}

fn add_entity(
    list: &mut TrustList,
    entity: Entity,
    policy: &ListPolicy<'_>,
) -> Result<(), TrustListError> {
    let Entity {
        trusted_entity_information: EntityInformation { name: names },
        trusted_entity_services: services,
    } = entity;
    let entity = name(names)?;
    for Service {
        service_information: information,
    } in services
    {
        let ServiceInformation {
            service_type_identifier: service_type,
            service_status: status,
            status_starting_time: since,
            service_digital_identity: DigitalIdentity { certificates },
        } = information;
        let candidate = Candidate {
            entity: &entity,
            service_type,
            status: status.as_deref(),
            since: since.as_deref().map(instant::parse).transpose()?,
            certificates: certificates
                .into_iter()
                .map(|CertificateObject { val }| STANDARD.decode(val))
                .collect::<Result<_, _>>()
                .map_err(|_| TrustListError::Malformed("a certificate is not base64"))?,
        };
        list.add(candidate, policy.now);
    }
    Ok(())
}
