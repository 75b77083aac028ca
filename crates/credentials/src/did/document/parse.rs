//! From JSON to a [`DidDocument`].

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{
    Did, DidDocument, DidUrl, DocumentError, Entry, MAX_METHODS, Relationship, Service, method,
};

pub(super) fn document(json: Value, did: &Did) -> Result<DidDocument, DocumentError> {
    let members = json.as_object().ok_or(DocumentError::Json)?;
    // DID Core 1.0, section 5.1.1: id is the DID itself, compared byte by byte.
    if members.get("id").and_then(Value::as_str) != Some(did.as_str()) {
        return Err(DocumentError::Id);
    }
    context(members.get("@context"))?;
    texts(members.get("alsoKnownAs")).map_err(|()| DocumentError::AlsoKnownAs)?;
    let controllers = controllers(members.get("controller"))?;
    let mut methods = Methods {
        base: did,
        entries: Vec::new(),
    };
    for value in list(members.get("verificationMethod")).map_err(|()| DocumentError::Method)? {
        methods.add(value.as_object().ok_or(DocumentError::Method)?)?;
    }
    let mut relationships = Vec::new();
    for relationship in Relationship::ALL {
        let values =
            list(members.get(relationship.name())).map_err(|()| DocumentError::Relationship)?;
        if values.len() > MAX_METHODS {
            return Err(DocumentError::TooMany);
        }
        for value in values {
            relationships.push((relationship, methods.related(value)?));
        }
    }
    let entries = methods.entries;
    let services = services(members.get("service"), did)?;
    Ok(DidDocument {
        id: did.clone(),
        controllers,
        methods: entries,
        relationships,
        services,
        json,
    })
}

/// The verification methods found so far.
struct Methods<'d> {
    base: &'d Did,
    entries: Vec<Entry>,
}

impl Methods<'_> {
    fn add(&mut self, members: &Map<String, Value>) -> Result<DidUrl, DocumentError> {
        if self.entries.len() == MAX_METHODS {
            return Err(DocumentError::TooMany);
        }
        let (id, controller, method) = method::parse(members, self.base)?;
        // DID Core 1.0, section 5.2: no two methods with the same id.
        if self.entries.iter().any(|known| known.id == id) {
            return Err(DocumentError::DuplicateId);
        }
        self.entries.push(Entry {
            id: id.clone(),
            controller,
            method,
        });
        Ok(id)
    }

    /// DID Core 1.0, section 5.3: a verification method or the DID URL of one.
    fn related(&mut self, value: &Value) -> Result<DidUrl, DocumentError> {
        match value {
            Value::String(text) => {
                DidUrl::parse_within(text, self.base).map_err(|_| DocumentError::Relationship)
            }
            Value::Object(members) => self.add(members),
            _ => Err(DocumentError::Relationship),
        }
    }
}

/// JSON-LD 1.1, section 4.1.3: `@base` in a context would move every relative id elsewhere.
fn context(value: Option<&Value>) -> Result<(), DocumentError> {
    let contexts = match value {
        None => return Ok(()),
        Some(Value::Array(list)) => list.as_slice(),
        Some(one) => std::slice::from_ref(one),
    };
    let acceptable = |context: &Value| match context {
        Value::String(_) => true,
        Value::Object(members) => !members.contains_key("@base"),
        _ => false,
    };
    if contexts.iter().all(acceptable) {
        Ok(())
    } else {
        Err(DocumentError::Context)
    }
}

/// DID Core 1.0, section 5.1.2: a DID or a set of DIDs.
fn controllers(value: Option<&Value>) -> Result<Vec<Did>, DocumentError> {
    let values = match value {
        None => return Ok(Vec::new()),
        Some(Value::Array(list)) => list.as_slice(),
        Some(one) => std::slice::from_ref(one),
    };
    if values.len() > MAX_METHODS {
        return Err(DocumentError::TooMany);
    }
    let did = |value: &Value| Did::parse(value.as_str()?).ok();
    values
        .iter()
        .map(|value| did(value).ok_or(DocumentError::Controller))
        .collect()
}

/// DID Core 1.0, section 5.4.
fn services(value: Option<&Value>, did: &Did) -> Result<Vec<Service>, DocumentError> {
    let values = list(value).map_err(|()| DocumentError::Service)?;
    if values.len() > MAX_METHODS {
        return Err(DocumentError::TooMany);
    }
    let services: Option<Vec<_>> = values.iter().map(|value| service(value, did)).collect();
    let services = services.ok_or(DocumentError::Service)?;
    let ids: BTreeSet<_> = services.iter().map(|service| &service.id).collect();
    if ids.len() < services.len() {
        Err(DocumentError::DuplicateId)
    } else {
        Ok(services)
    }
}

fn service(value: &Value, did: &Did) -> Option<Service> {
    let members = value.as_object()?;
    let id = members.get("id")?.as_str().filter(|id| !id.is_empty())?;
    let id = if id.starts_with('#') {
        format!("{did}{id}")
    } else {
        id.to_owned()
    };
    let types = match members.get("type")? {
        Value::String(one) => vec![one.clone()],
        several => texts(Some(several))
            .ok()
            .filter(|types| !types.is_empty())?,
    };
    let endpoint = members.get("serviceEndpoint")?;
    let part = |value: &Value| value.is_string() || value.is_object();
    let good = match endpoint {
        Value::Array(list) => !list.is_empty() && list.iter().all(part),
        one => part(one),
    };
    good.then(|| Service {
        id,
        types,
        endpoint: endpoint.clone(),
    })
}

fn list(value: Option<&Value>) -> Result<&[Value], ()> {
    match value {
        None => Ok(&[]),
        Some(Value::Array(list)) => Ok(list),
        Some(_) => Err(()),
    }
}

fn texts(value: Option<&Value>) -> Result<Vec<String>, ()> {
    let text = |value: &Value| value.as_str().map(str::to_owned).ok_or(());
    list(value)?.iter().map(text).collect()
}
