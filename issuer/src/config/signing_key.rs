//! One signing key: where it is, how it is named, when it signs.

use std::path::PathBuf;
use std::sync::Arc;

use vouchsafe_credentials::credential_type::Format;
use vouchsafe_credentials::crypto::{Algorithm, AwsLc, PublicKey, Signer, is_published};
use vouchsafe_credentials::did;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_credentials::x509::{Chain, Role, TrustAnchors, verify_chain};
use vouchsafe_service::config::{ConfigError, PublicUrl, SecretText};
use vouchsafe_service::signers::{OpenSignerError, Place};

use super::Config;
use super::signing::{KeyMethod, SigningConfig};
use crate::signing::{KeyName, NamedSigner, Term};

impl SigningConfig {
    /// What the key is called; `number` counts from zero.
    pub(super) fn called(&self, table: &str, number: usize) -> String {
        let table = table.replace(".signing", "");
        let own = self.name.clone();
        own.unwrap_or_else(|| format!("{table}-{}", number + 1))
    }

    /// The key, wherever it is.
    pub fn open(
        &self,
        setting: &'static str,
        config: &Config,
    ) -> Result<Arc<dyn Signer>, ConfigError> {
        let place = Place {
            key: self.key.as_ref().map(SecretText::expose),
            key_file: self.key_file.as_deref(),
            passphrase_file: self.key_passphrase_file.as_deref(),
            passphrase_environment: self.key_passphrase_environment.as_deref(),
            external: self.external.as_ref(),
            pkcs11: self.pkcs11.as_ref(),
        };
        let signer = place.open(&config.fetch, &config.dev);
        let signer = signer.map_err(|error| match error {
            OpenSignerError::File(error) => ConfigError::Key(error),
            other => ConfigError::setting(setting, other.to_string()),
        })?;
        if is_published(signer.public_key()) {
            let problem = "the key is printed in a specification: everybody has it";
            return Err(ConfigError::setting(setting, problem));
        }
        Ok(signer)
    }

    /// What the key signs.
    pub fn signs(&self, format: Format) -> bool {
        self.formats.iter().any(|name| name == format.name())
    }

    pub(super) fn load(
        &self,
        setting: &'static str,
        called: String,
        config: &Config,
        now: UnixTime,
    ) -> Result<(Vec<Format>, Term), ConfigError> {
        let wrong = |problem: &str| ConfigError::setting(setting, problem);
        let url = &config.http.public_url;
        let signer = self.open(setting, config)?;
        let public = signer.public_key();
        let formats = self.formats(&wrong)?;
        let name = self.name(public, url, &wrong)?;
        // SD-JWT VC: `iss` is an https URL or a DID; on loopback http there is none.
        let iss = match &name {
            KeyName::X5c(_) => url.is_https().then(|| url.as_str().to_owned()),
            KeyName::Did(kid) => Some(did_of(kid)),
        };
        let (from, until) = self.term(&name, &wrong)?;
        let is_w3c = |format: &Format| matches!(format, Format::LdpVc | Format::JwtVc);
        if formats.iter().any(is_w3c) && name.chain().is_some() {
            return Err(wrong("ldp_vc and jwt_vc_json need a key with a DID"));
        }
        let cryptosuite = match formats.contains(&Format::LdpVc) {
            true => self.cryptosuite(public.algorithm(), &wrong)?,
            false => String::new(),
        };
        if formats.contains(&Format::Mdoc) {
            self.check_document_signer(&name, now.clamp(from, until), &wrong)?;
        }
        let key = NamedSigner {
            signer,
            called,
            certified_from: name
                .chain()
                .and_then(|chain| Some(chain.leaf_validity().ok()?.0))
                .unwrap_or(UnixTime(i64::MIN)),
            name,
            iss,
            cryptosuite,
        };
        Ok((formats, Term { from, until, key }))
    }

    fn formats(&self, wrong: &dyn Fn(&str) -> ConfigError) -> Result<Vec<Format>, ConfigError> {
        let known = |name: &String| {
            let problem = "formats are dc+sd-jwt, mso_mdoc, ldp_vc and jwt_vc_json";
            Format::from_name(name).ok_or_else(|| wrong(problem))
        };
        self.formats.iter().map(known).collect()
    }

    /// OpenID4VCI 1.0, appendix A.1.2: `ldp_vc` has a suite with RDF canonicalization, unless the
    /// operator wants another.
    fn cryptosuite(
        &self,
        algorithm: Algorithm,
        wrong: &dyn Fn(&str) -> ConfigError,
    ) -> Result<String, ConfigError> {
        let known: &[&str] = match algorithm {
            Algorithm::EdDsa => &["eddsa-rdfc-2022", "eddsa-jcs-2022"],
            Algorithm::Es256 | Algorithm::Es384 => &["ecdsa-rdfc-2019", "ecdsa-jcs-2019"],
            Algorithm::Es512 => &[],
        };
        let wanted = self
            .cryptosuite
            .as_deref()
            .or_else(|| known.first().copied());
        let found = known.iter().find(|name| Some(**name) == wanted);
        let found = found.map(|name| (*name).to_owned());
        found.ok_or_else(|| wrong("the key is of another type than the cryptosuite uses"))
    }

    fn name(
        &self,
        key: &PublicKey,
        url: &PublicUrl,
        wrong: &dyn Fn(&str) -> ConfigError,
    ) -> Result<KeyName, ConfigError> {
        let did = match self.method {
            KeyMethod::X5c => return self.chain(key, wrong).map(KeyName::X5c),
            KeyMethod::DidKey => did::key::encode(key),
            KeyMethod::DidJwk => did::jwk::encode(key),
            KeyMethod::DidWeb => {
                // did:web, "Method-specific identifier": the port's colon is encoded.
                let host = url.as_str().strip_prefix("https://");
                let host = host.ok_or_else(|| wrong("did_web needs an https address"))?;
                let did = format!("did:web:{}", host.replace(':', "%3A"));
                return Ok(KeyName::Did(format!("{did}#{}", key.thumbprint())));
            }
        };
        let (_, kid) = did::resolve_local(&did).map_err(|_| wrong("the key has no DID"))?;
        Ok(KeyName::Did(kid))
    }

    fn chain(
        &self,
        key: &PublicKey,
        wrong: &dyn Fn(&str) -> ConfigError,
    ) -> Result<Chain, ConfigError> {
        let pem = pem("certificates", &self.certificates, &self.certificates_file);
        let pem = pem.map_err(|problem| wrong(&problem))?;
        let chain = Chain::from_pem(&pem).map_err(|error| wrong(&error.to_string()))?;
        match chain.leaf_public_key() {
            Ok(leaf) if leaf == *key => Ok(chain),
            Ok(_) => Err(wrong("key and certificate do not fit each other")),
            Err(error) => Err(wrong(&error.to_string())),
        }
    }

    /// From when until when the key signs: never while its certificate is not valid.
    fn term(
        &self,
        name: &KeyName,
        wrong: &dyn Fn(&str) -> ConfigError,
    ) -> Result<(UnixTime, UnixTime), ConfigError> {
        let time = |text: &Option<String>| {
            let time = text.as_deref().map(str::parse::<jiff::Timestamp>);
            let time = time.map(|time| time.map(|time| UnixTime(time.as_second())));
            time.transpose()
                .map_err(|_| wrong("not_before and retired are times such as 2027-01-01T00:00:00Z"))
        };
        let from = time(&self.not_before)?.unwrap_or(UnixTime(i64::MIN));
        let until = time(&self.retired)?.unwrap_or(UnixTime(i64::MAX));
        let (begin, end) = match name.chain() {
            None => (from, until),
            Some(chain) => chain
                .leaf_validity()
                .map_err(|error| wrong(&error.to_string()))?,
        };
        let (from, until) = (from.max(begin), until.min(end));
        if from < until {
            Ok((from, until))
        } else {
            Err(wrong("the key is retired before it signs anything"))
        }
    }

    /// ISO/IEC 18013-5:2021, tables B.1 and B.3, as relying parties will check it: signature,
    /// country, extended key usage, validity.
    fn check_document_signer(
        &self,
        name: &KeyName,
        at: UnixTime,
        wrong: &dyn Fn(&str) -> ConfigError,
    ) -> Result<(), ConfigError> {
        let chain = name
            .chain()
            .ok_or_else(|| wrong("mso_mdoc needs a key with certificates"))?;
        let pem = pem("authority", &self.authority, &self.authority_file);
        let pem = pem.map_err(|problem| wrong(&problem))?;
        let refused = |error: vouchsafe_credentials::x509::X509Error| {
            wrong(&format!(
                "not a document signer below its authority: {error}"
            ))
        };
        let mut anchors = TrustAnchors::new(Role::MdocIssuer);
        anchors.add_pem(&pem).map_err(refused)?;
        verify_chain(chain, &anchors, Role::MdocIssuer, at, &AwsLc)
            .map(drop)
            .map_err(refused)
    }
}

/// The DID of a key's URL.
pub(super) fn did_of(url: &str) -> String {
    url.split('#').next().unwrap_or(url).to_owned()
}

/// A text given by value or in a file.
pub(super) fn pem(
    name: &str,
    value: &Option<String>,
    file: &Option<PathBuf>,
) -> Result<String, String> {
    match (value, file) {
        (Some(pem), None) => Ok(pem.clone()),
        (None, Some(path)) => std::fs::read_to_string(path)
            .map_err(|_| format!("the file of `{name}` cannot be read")),
        (Some(_), Some(_)) | (None, None) => Err(format!("give either {name} or {name}_file")),
    }
}
