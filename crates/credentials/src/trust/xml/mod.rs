//! Trusted lists in XML (ETSI TS 119 612 v2.4.1).

mod canonical;
mod key;
mod signature;
#[cfg(test)]
mod tests;
mod tree;

use roxmltree::{Document, Node};

use super::list::Candidate;
use super::{Checkpoint, ListPolicy, TrustList, TrustListError, instant};
use crate::Verified;
use crate::crypto::CryptoProvider;
use tree::{base64, child, children, optional, text};

/// Largest accepted list in bytes. National lists have up to 5 MB.
pub const MAX_XML_BYTES: usize = 16 * 1024 * 1024;

const TSL: &str = "http://uri.etsi.org/02231/v2#";
const XML: &str = "http://www.w3.org/XML/1998/namespace";
/// TS 119 612, section 5.3.1: 5 until version 2.2.1 of the document, 6 since.
const VERSIONS: [&str; 2] = ["5", "6"];

/// Reads and verifies a trusted list with an enveloped XAdES signature. A list without DTD, with
/// one signature that covers all of it.
///
/// # Errors
/// See [`TrustListError`].
pub fn import_trusted_list(
    xml: &[u8],
    policy: &ListPolicy<'_>,
    provider: &dyn CryptoProvider,
) -> Result<Verified<TrustList>, TrustListError> {
    if xml.len() > MAX_XML_BYTES {
        return Err(TrustListError::TooLarge);
    }
    let text = std::str::from_utf8(xml).map_err(|_| TrustListError::Malformed("not UTF-8"))?;
    // A byte order mark is no part of the document (XML 1.0, section 4.3.3).
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let document = tree::parse(text)?;
    let digest = signature::verify(&document, policy, provider)?;
    let list = read(&document, policy, digest)?;
    list.check(policy)?;
    Ok(Verified::new(list))
}

fn read(
    document: &Document<'_>,
    policy: &ListPolicy<'_>,
    digest: [u8; 32],
) -> Result<TrustList, TrustListError> {
    let root = document.root_element();
    if !root.has_tag_name((TSL, "TrustServiceStatusList")) {
        return Err(TrustListError::Malformed("TrustServiceStatusList"));
    }
    let scheme = child(root, TSL, "SchemeInformation")?;
    let member = |name| child(scheme, TSL, name).and_then(text);
    if !VERSIONS.contains(&member("TSLVersionIdentifier")?.as_str()) {
        return Err(TrustListError::Malformed("TSLVersionIdentifier"));
    }
    if !policy.kind.is(&member("TSLType")?) {
        return Err(TrustListError::Kind);
    }
    // TS 119 612, section 5.3.15: empty when the scheme has ended.
    let next_update = child(scheme, TSL, "NextUpdate")?;
    let next_update = optional(next_update, TSL, "dateTime")?.ok_or(TrustListError::Outdated)?;
    let mut list = TrustList {
        kind: policy.kind,
        operator: name(child(scheme, TSL, "SchemeOperatorName")?)?,
        territory: optional(scheme, TSL, "SchemeTerritory")?
            .map(text)
            .transpose()?,
        checkpoint: Checkpoint {
            sequence: sequence(&member("TSLSequenceNumber")?)?,
            digest,
        },
        issued_at: instant::parse(&member("ListIssueDateTime")?)?,
        next_update: instant::parse(&text(next_update)?)?,
        services: Vec::new(),
        left_out: 0,
    };
    if let Some(providers) = optional(root, TSL, "TrustServiceProviderList")? {
        for provider in children(providers, TSL, "TrustServiceProvider") {
            add_provider(&mut list, provider, policy)?;
        }
    }
    Ok(list)
}

fn sequence(digits: &str) -> Result<u64, TrustListError> {
    let malformed = TrustListError::Malformed("TSLSequenceNumber");
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(malformed);
    }
    digits.parse().map_err(|_| malformed)
}

/// The English name, or the first.
fn name(names: Node<'_, '_>) -> Result<String, TrustListError> {
    let all: Vec<_> = children(names, TSL, "Name").collect();
    let is_english = |node: &&Node<'_, '_>| node.attribute((XML, "lang")) == Some("en");
    let chosen = all.iter().find(is_english).or(all.first());
    text(*chosen.ok_or(TrustListError::Malformed("Name"))?)
}

fn add_provider(
    list: &mut TrustList,
    provider: Node<'_, '_>,
    policy: &ListPolicy<'_>,
) -> Result<(), TrustListError> {
    let information = child(provider, TSL, "TSPInformation")?;
    let entity = name(child(information, TSL, "TSPName")?)?;
    let services = child(provider, TSL, "TSPServices")?;
    for service in children(services, TSL, "TSPService") {
        let information = child(service, TSL, "ServiceInformation")?;
        let member = |name| child(information, TSL, name).and_then(text);
        let identity = child(information, TSL, "ServiceDigitalIdentity")?;
        let certificates: Result<_, _> = children(identity, TSL, "DigitalId")
            .flat_map(|id| children(id, TSL, "X509Certificate"))
            .map(base64)
            .collect();
        let candidate = Candidate {
            entity: &entity,
            service_type: member("ServiceTypeIdentifier")?,
            status: Some(&member("ServiceStatus")?),
            since: Some(instant::parse(&member("StatusStartingTime")?)?),
            certificates: certificates?,
        };
        list.add(candidate, policy.now);
    }
    Ok(())
}
