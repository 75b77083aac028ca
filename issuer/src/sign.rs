//! One credential in one of its formats.

use serde_json::Value;
use vouchsafe_credentials::credential_type::{CredentialType, Format, Prepared, W3cInput};
use vouchsafe_credentials::crypto::PublicKey;
use vouchsafe_credentials::data_integrity::{
    ProofError, ProofOptions, ProofPurpose, SuiteSigner, add_proof,
};
use vouchsafe_credentials::did;
use vouchsafe_credentials::encoding::b64url;
use vouchsafe_credentials::mdoc::{self, DigestAlgorithm, KeyAuthorizations, MsoStatus, Validity};
use vouchsafe_credentials::sd_jwt::HashAlg;
use vouchsafe_credentials::sd_jwt_vc;
use vouchsafe_credentials::status_list::StatusRef;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_credentials::vc_jose_cose;
use vouchsafe_credentials::vcdm::{DateTimeStamp, EnvelopeType};

use vouchsafe_service::vc_api;

use crate::bitstring;
use crate::core::Core;
use crate::domain::credential::StatusPlace;
use crate::signing::{KeyName, NamedSigner, NoKey, Signing};

/// Times are rounded down to this, so that credentials of one batch and one hour look alike.
const ROUNDING_S: i64 = 3600;

/// What one credential is made of.
#[derive(Debug, Clone, Copy)]
pub struct Draft<'a> {
    /// Its type.
    pub kind: &'a CredentialType,
    /// The hash of the metadata that its type has published.
    pub integrity: Option<&'a str>,
    /// How it is encoded and signed.
    pub format: Format,
    /// What it says.
    pub prepared: &'a Prepared,
    /// The key it is bound to.
    pub holder_key: &'a PublicKey,
    /// Its place in the status lists.
    pub place: &'a StatusPlace,
    /// The time now.
    pub now: UnixTime,
}

/// Why it was not signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// Every key of the format is retired, or not in use yet.
    #[error(transparent)]
    NoKey(#[from] NoKey),
    /// The type has no such format, or the key has no certificate.
    #[error("the type is not issued in this format")]
    Format,
    /// A stored index is out of range.
    #[error("a stored index is out of range")]
    Range,
    /// An SD-JWT VC.
    #[error("the SD-JWT VC could not be signed")]
    SdJwtVc(#[from] sd_jwt_vc::IssueError),
    /// A W3C credential with a proof.
    #[error("the proof could not be made")]
    DataIntegrity(#[from] ProofError),
    /// A W3C credential as JWT.
    #[error("the JWT could not be signed")]
    Jwt(#[from] vc_jose_cose::IssueError),
    /// An mdoc.
    #[error("the mdoc could not be signed")]
    Mdoc(#[from] mdoc::IssueError),
}

impl Draft<'_> {
    /// When it ends.
    pub fn expires_at(&self) -> UnixTime {
        // RFC 9901, section 10.1, and EUDI ISSU_36: the end does not tell credentials apart either.
        let hours = self
            .kind
            .validity_s
            .saturating_add(ROUNDING_S - 1)
            .div_euclid(ROUNDING_S);
        self.issued_at().plus(hours.saturating_mul(ROUNDING_S))
    }

    fn issued_at(&self) -> UnixTime {
        UnixTime(self.now.0 - self.now.0.rem_euclid(ROUNDING_S))
    }

    fn status(&self, core: &Core) -> Result<Option<StatusRef>, SignError> {
        if !self.kind.status {
            return Ok(None);
        }
        Ok(Some(StatusRef {
            uri: core.settings.status_uri(&self.place.list),
            idx: u64::try_from(self.place.idx).map_err(|_| SignError::Range)?,
        }))
    }

    /// The credential as the credential response carries it (OpenID4VCI 1.0, appendix A).
    pub async fn sign(&self, core: &Core) -> Result<Value, SignError> {
        let key = core.signing.of(self.format).at(self.now)?;
        match self.format {
            Format::SdJwtVc => self.sd_jwt_vc(core, key).await,
            Format::Mdoc => self.mdoc(core, key).await,
            Format::LdpVc | Format::JwtVc => self.w3c(core, key).await,
        }
    }

    async fn sd_jwt_vc(&self, core: &Core, key: &NamedSigner) -> Result<Value, SignError> {
        let status = self.status(core)?;
        let input = sd_jwt_vc::IssueInput {
            vct: &self.kind.vct,
            issuer: key.iss.as_deref(),
            key: key.name.as_issuer_key(),
            issued_at: Some(self.issued_at()),
            not_before: None,
            expires_at: Some(self.expires_at()),
            holder_key: self.kind.key_binding.then_some(self.holder_key),
            status: status.as_ref(),
            claims: self.prepared.claims.clone(),
            frame: &self.prepared.frame,
            hash: HashAlg::Sha256,
        };
        let (signer, rng) = (&*key.signer, &*core.rng);
        let compact = match self.integrity {
            None => sd_jwt_vc::issue(input, signer, rng).await?,
            Some(hash) => sd_jwt_vc::issue_with_type(input, hash, signer, rng).await?,
        };
        Ok(Value::from(compact))
    }

    /// Appendix A.1: an object with a proof, or a JWT. The subject is the holder's key.
    async fn w3c(&self, core: &Core, key: &NamedSigner) -> Result<Value, SignError> {
        let w3c = self.kind.w3c().ok_or(SignError::Format)?;
        let subject = did::key::encode(self.holder_key);
        let [from, until] = [self.issued_at(), self.expires_at()].map(DateTimeStamp::from_time);
        let input = W3cInput {
            issuer: key.iss.as_deref().ok_or(SignError::Format)?,
            subject: self.kind.key_binding.then_some(&subject),
            valid_from: from.as_str(),
            valid_until: until.as_str(),
        };
        let mut credential = w3c.credential(self.prepared, input);
        if self.kind.status {
            let idx = u64::try_from(self.place.idx).map_err(|_| SignError::Range)?;
            credential["credentialStatus"] = bitstring::entries(core, &self.place.list, idx);
        }
        secure_w3c(core, key, self.format, &credential, self.issued_at()).await
    }

    /// Appendix A.2.4: the `IssuerSigned` structure in base64url.
    async fn mdoc(&self, core: &Core, key: &NamedSigner) -> Result<Value, SignError> {
        let mdoc = self.kind.mdoc().ok_or(SignError::Format)?;
        let chain = key.name.chain().ok_or(SignError::Format)?;
        // ISO/IEC 18013-5:2021, section 9.3.1, step 5: signed while the certificate is valid.
        let signed = self.issued_at().max(key.certified_from);
        let status = self.status(core)?.map(|list| MsoStatus {
            status_list: Some(list),
            identifier_list: None,
        });
        let elements = mdoc.elements(self.prepared);
        let input = mdoc::IssueInput {
            doctype: &mdoc.doctype,
            elements: &elements,
            validity: Validity {
                signed,
                valid_from: signed,
                valid_until: self.expires_at(),
                expected_update: None,
            },
            device_key: self.holder_key,
            key_authorizations: &KeyAuthorizations::default(),
            status: status.as_ref(),
            chain,
            digest_algorithm: DigestAlgorithm::Sha256,
        };
        let issued = mdoc::issue(input, &*key.signer, &*core.rng).await?;
        Ok(Value::from(b64url(&issued)))
    }
}

/// A document of the W3C data model with a proof made at `created`, or as JWT.
pub async fn secure_w3c(
    core: &Core,
    key: &NamedSigner,
    format: Format,
    credential: &Value,
    created: UnixTime,
) -> Result<Value, SignError> {
    let KeyName::Did(kid) = &key.name else {
        return Err(SignError::Format);
    };
    if format == Format::JwtVc {
        let kind = EnvelopeType::VcJwt;
        let jwt = vc_jose_cose::issue_jwt(credential, kind, kid, &*key.signer).await?;
        return Ok(Value::from(jwt));
    }
    let suite = core.suites.get(&key.cryptosuite).ok_or(SignError::Format)?;
    let mut options = ProofOptions::new(kid, ProofPurpose::AssertionMethod);
    options.created = Some(DateTimeStamp::from_time(created));
    let signer = SuiteSigner::Signature(&*key.signer);
    Ok(add_proof(credential, &options, suite, signer, &*core.rng).await?)
}

/// A context of the type that this program does not have: what it says cannot be canonicalized, so
/// no credential could be signed.
pub fn unknown_context(kind: &CredentialType, signing: &Signing) -> Option<String> {
    let mut suites = signing.ldp_vc.keys().map(|key| key.cryptosuite.as_str());
    if !suites.any(|suite| suite.contains("-rdfc-")) {
        return None;
    }
    let mut contexts = kind.w3c()?.contexts.iter();
    contexts.find(|url| !vc_api::knows_context(url)).cloned()
}
