//! Rules of section 12.2.4 beyond the types of the members.

use std::collections::BTreeSet;

use vouchsafe_credentials::sd_jwt::ClaimPath;

use super::{
    ClaimDescription, CredentialConfiguration, CredentialDisplay, CredentialIssuerMetadata,
    DC_SD_JWT, Display, MetadataError, ProofType, ResponseEncryption,
};

impl CredentialIssuerMetadata {
    /// Rules of section 12.2.4 beyond the types. An issuer runs it on its own document too.
    ///
    /// # Errors
    /// [`MetadataError`].
    pub fn check(&self) -> Result<(), MetadataError> {
        self.check_issuer()?;
        self.credential_configurations_supported
            .values()
            .try_for_each(CredentialConfiguration::check)
    }

    /// The rules for everything but the configurations.
    pub(super) fn check_issuer(&self) -> Result<(), MetadataError> {
        let empty = |list: &Option<Vec<String>>| list.as_ref().is_some_and(Vec::is_empty);
        let small_batch = self
            .batch_credential_issuance
            .is_some_and(|b| b.batch_size < 2);
        let weak = |e: &ResponseEncryption| {
            e.alg_values_supported.is_empty() || e.enc_values_supported.is_empty()
        };
        if empty(&self.authorization_servers)
            || small_batch
            || self
                .credential_response_encryption
                .as_ref()
                .is_some_and(weak)
        {
            return Err(MetadataError::Range);
        }
        check_locales(self.display.as_deref())
    }
}

impl CredentialConfiguration {
    pub(super) fn check(&self) -> Result<(), MetadataError> {
        // Section 12.2.4: proof types are present exactly where binding methods are.
        match (
            &self.cryptographic_binding_methods_supported,
            &self.proof_types_supported,
        ) {
            (None, None) => {}
            (Some(methods), Some(types)) => {
                let no_alg = |t: &ProofType| t.proof_signing_alg_values_supported.is_empty();
                if methods.is_empty() || types.is_empty() || types.values().any(no_alg) {
                    return Err(MetadataError::Range);
                }
            }
            (Some(_), None) | (None, Some(_)) => return Err(MetadataError::Binding),
        }
        // Appendix A.3.2: vct is REQUIRED.
        if self.format == DC_SD_JWT && self.vct.as_ref().is_none_or(String::is_empty) {
            return Err(MetadataError::Configuration);
        }
        let Some(CredentialDisplay {
            display,
            claims,
            credential_reuse_policy: _,
        }) = &self.credential_metadata
        else {
            return Ok(());
        };
        check_locales(display.as_deref())?;
        check_claims(claims.as_deref().unwrap_or_default())
    }
}

fn check_locales(display: Option<&[Display]>) -> Result<(), MetadataError> {
    let Some(display) = display else {
        return Ok(());
    };
    let mut seen = BTreeSet::new();
    // There MUST be only one object for each language identifier.
    if display.iter().all(|d| seen.insert(d.locale.as_deref())) {
        Ok(())
    } else {
        Err(MetadataError::Locale)
    }
}

fn check_claims(claims: &[ClaimDescription]) -> Result<(), MetadataError> {
    let mut seen = BTreeSet::new();
    for ClaimDescription {
        path,
        mandatory: _,
        display,
    } in claims
    {
        let path = ClaimPath::from_json(path).map_err(|_| MetadataError::Configuration)?;
        // Appendix B.3: a repeated description aborts the processing.
        if !seen.insert(path) {
            return Err(MetadataError::Configuration);
        }
        check_locales(display.as_deref())?;
    }
    Ok(())
}
