//! The offer on the wire.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{AuthorizationCodeGrant, Grants, OfferError, PreAuthorizedCodeGrant, TxCode};
use crate::oauth::token::{AUTHORIZATION_CODE, PRE_AUTHORIZED_CODE};
use crate::oauth::values::Secret;

/// Most credentials in one offer.
const MAX_CONFIGURATIONS: usize = 32;
/// Longest `tx_code.description` in characters (section 4.1.1).
const MAX_DESCRIPTION: usize = 300;
/// Longest transaction code.
const MAX_TX_CODE: u32 = 64;

#[derive(Serialize, Deserialize)]
pub(super) struct WireOffer {
    pub(super) credential_issuer: String,
    pub(super) credential_configuration_ids: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) grants: Option<Map<String, Value>>,
}

#[derive(Serialize, Deserialize)]
struct WireAuthorizationCode {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    issuer_state: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    authorization_server: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct WirePreAuthorizedCode {
    #[serde(rename = "pre-authorized_code")]
    code: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tx_code: Option<TxCode>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    authorization_server: Option<String>,
}

pub(super) fn check_configurations(ids: &[String]) -> Result<(), OfferError> {
    let unique: BTreeSet<&String> = ids.iter().collect();
    let sane = !ids.is_empty() && ids.len() <= MAX_CONFIGURATIONS && unique.len() == ids.len();
    if sane && ids.iter().all(|id| !id.is_empty()) {
        Ok(())
    } else {
        Err(OfferError::Configurations)
    }
}

impl Grants {
    pub(super) fn read(mut wire: Map<String, Value>) -> Result<Self, OfferError> {
        let empty = wire.is_empty();
        let code = wire
            .shift_remove(AUTHORIZATION_CODE)
            .map(read_authorization_code)
            .transpose()?;
        let pre = wire
            .shift_remove(PRE_AUTHORIZED_CODE)
            .map(read_pre_authorized)
            .transpose()?;
        if !empty && code.is_none() && pre.is_none() {
            return Err(OfferError::Grants);
        }
        Ok(Self {
            authorization_code: code,
            pre_authorized_code: pre,
        })
    }

    pub(super) fn to_wire(&self) -> Option<Map<String, Value>> {
        let Self {
            authorization_code,
            pre_authorized_code,
        } = self;
        let mut wire = Map::new();
        let plain = "a grant has string keys";
        if let Some(AuthorizationCodeGrant {
            issuer_state,
            authorization_server,
        }) = authorization_code
        {
            let grant = WireAuthorizationCode {
                issuer_state: issuer_state.clone(),
                authorization_server: authorization_server.clone(),
            };
            wire.insert(
                AUTHORIZATION_CODE.into(),
                serde_json::to_value(grant).expect(plain),
            );
        }
        if let Some(PreAuthorizedCodeGrant {
            code,
            tx_code,
            authorization_server,
        }) = pre_authorized_code
        {
            let grant = WirePreAuthorizedCode {
                code: code.expose().to_owned(),
                tx_code: tx_code.clone(),
                authorization_server: authorization_server.clone(),
            };
            wire.insert(
                PRE_AUTHORIZED_CODE.into(),
                serde_json::to_value(grant).expect(plain),
            );
        }
        (!wire.is_empty()).then_some(wire)
    }
}

fn read_authorization_code(value: Value) -> Result<AuthorizationCodeGrant, OfferError> {
    let WireAuthorizationCode {
        issuer_state,
        authorization_server,
    } = serde_json::from_value(value).map_err(|_| OfferError::Malformed)?;
    Ok(AuthorizationCodeGrant {
        issuer_state,
        authorization_server,
    })
}

fn read_pre_authorized(value: Value) -> Result<PreAuthorizedCodeGrant, OfferError> {
    // Serde reads a null as absent; here an explicit null is neither (section 4.1.1: an object).
    if value.get("tx_code").is_some_and(|t| !t.is_object()) {
        return Err(OfferError::Malformed);
    }
    let WirePreAuthorizedCode {
        code,
        tx_code,
        authorization_server,
    } = serde_json::from_value(value).map_err(|_| OfferError::Malformed)?;
    let too_long = |t: &TxCode| {
        t.description
            .as_ref()
            .is_some_and(|d| d.chars().count() > MAX_DESCRIPTION)
            || t.length.is_some_and(|l| !(1..=MAX_TX_CODE).contains(&l))
    };
    if code.is_empty() || tx_code.as_ref().is_some_and(too_long) {
        return Err(OfferError::Malformed);
    }
    Ok(PreAuthorizedCodeGrant {
        code: Secret::new(code),
        tx_code,
        authorization_server,
    })
}
