//! The version that was asked for, and what is said about it.

use serde_json::{Map, Value, json};

use super::invalid;
use super::log::{Log, Version};
use super::witness::Approvals;
use crate::crypto::CryptoProvider;
use crate::did::web::document_error;
use crate::did::{
    DidDocument, DocumentMetadata, ErrorCode, Resolution, ResolutionError, ResolutionMetadata,
    ResolutionOptions,
};
use crate::json::set;

impl Log {
    /// Checks the witnesses and gives the version that the options ask for, the last one without.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidDid`] when the version does not verify, [`ErrorCode::NotFound`] when
    /// there is no such version.
    pub fn resolve(
        mut self,
        witnesses: Option<&[u8]>,
        options: &ResolutionOptions,
        crypto: &dyn CryptoProvider,
    ) -> Result<Resolution, ResolutionError> {
        self.approve(witnesses, crypto)?;
        self.version(options)
    }

    /// Checks the witnesses: what they did not approve does not count.
    pub(in crate::did) fn approve(
        &mut self,
        witnesses: Option<&[u8]>,
        crypto: &dyn CryptoProvider,
    ) -> Result<(), ResolutionError> {
        if !self.is_witnessed() {
            return Ok(());
        }
        let file = witnesses.ok_or(invalid("the proofs of the witnesses are missing"))?;
        let approvals = Approvals::read(file, &self.versions, self.now, crypto)?;
        if let Some(first) = approvals.first_missing(&self.versions) {
            self.versions.truncate(first);
            self.refused = Some(invalid("too few witnesses approved an entry"));
        }
        Ok(())
    }

    /// The version that the options ask for, of a log whose witnesses were checked.
    pub(in crate::did) fn version(
        &self,
        options: &ResolutionOptions,
    ) -> Result<Resolution, ResolutionError> {
        let asked = options.version_id.is_some()
            || options.version_time.is_some()
            || options.version_number.is_some();
        let refused = self.refused.clone();
        // "Read", step 11: an invalid entry spoils the DID, but not the versions before it.
        if let Some(error) = refused.clone().filter(|_| !asked) {
            return Err(error);
        }
        let not_found = ResolutionError::new(ErrorCode::NotFound, "there is no such version");
        let missing = refused.unwrap_or(not_found);
        let last = self.versions.last().ok_or(missing.clone())?;
        let version = if asked {
            self.find(options).ok_or(missing)?
        } else {
            last
        };
        let metadata = self.metadata(version, last);
        // "Deactivate": no document, unless a version is asked for.
        if last.parameters.deactivated && !asked {
            return Ok(Resolution {
                document: None,
                resolution_metadata: ResolutionMetadata::default(),
                document_metadata: metadata,
            });
        }
        if version.did != *self.place.did() {
            return Err(invalid("the document is of another DID: the DID was moved"));
        }
        let json = self.with_services(version);
        let document = DidDocument::from_json(json, &version.did).map_err(document_error)?;
        Ok(Resolution::found(document, metadata))
    }

    /// "Reading did:webvh DID URLs": by id, number or time; several must agree.
    fn find(&self, options: &ResolutionOptions) -> Option<&Version> {
        let by_time = |version: &&Version| {
            options
                .version_time
                .is_none_or(|time| version.entry.time <= time)
        };
        let version = self.versions.iter().rfind(|version| {
            by_time(version)
                && options
                    .version_id
                    .as_ref()
                    .is_none_or(|id| *id == version.entry.version_id)
                && options
                    .version_number
                    .is_none_or(|number| number == version.entry.number)
        })?;
        // A version that another had replaced by then was not the one in force.
        let active = self.versions.iter().rfind(by_time)?;
        (options.version_time.is_none() || active.entry.number == version.entry.number)
            .then_some(version)
    }

    fn metadata(&self, version: &Version, last: &Version) -> DocumentMetadata {
        let parameters = &last.parameters;
        let mut members = Map::new();
        let mut say = |name: &str, value: Value| members.insert(name.to_owned(), value);
        say("versionId", json!(version.entry.version_id));
        say("versionTime", json!(version.entry.time_text));
        if let Some(first) = self.versions.first() {
            say("created", json!(first.entry.time_text));
        }
        // "Read": the last valid entry, whichever version is shown.
        say("updated", json!(last.entry.time_text));
        say("scid", json!(parameters.scid));
        say("portable", json!(parameters.portable));
        say("deactivated", json!(parameters.deactivated));
        say("ttl", json!(parameters.ttl.to_string()));
        // "Read": those that were active in the last valid entry.
        let witness = last.approval.as_ref().map_or(json!({}), |witnesses| {
            let mut json = witnesses.json.clone();
            let threshold = json!(witnesses.threshold.to_string());
            set(&mut json, "threshold", threshold);
            json
        });
        say("witness", witness);
        say("watchers", json!(parameters.watchers));
        DocumentMetadata(members)
    }

    /// "DID URL Resolution": the services that every did:webvh has, unless the document has its own.
    fn with_services(&self, version: &Version) -> Value {
        let did = &version.did;
        let base = self.place.location.base();
        let implicit = [
            json!({"id": format!("{did}#files"), "type": "relativeRef", "serviceEndpoint": format!("{base}/")}),
            json!({
                "@context": "https://identity.foundation/linked-vp/contexts/v1",
                "id": format!("{did}#whois"),
                "type": "LinkedVerifiablePresentation",
                "serviceEndpoint": format!("{base}/whois.vp"),
            }),
        ];
        let own = version.document.services();
        let missing = implicit
            .into_iter()
            .filter(|service| !own.iter().any(|own| service["id"] == own.id.as_str()));
        let mut json = version.document.as_json().clone();
        if let Some(members) = json.as_object_mut() {
            let services = members.entry("service").or_insert_with(|| json!([]));
            if let Value::Array(services) = services {
                services.extend(missing);
            }
        }
        json
    }
}
