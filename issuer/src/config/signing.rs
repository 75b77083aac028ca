//! `[signing]`: private keys, how they are named, what they sign and when.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use vouchsafe_credentials::credential_type::Format;
use vouchsafe_credentials::crypto::{
    Algorithm, AwsLc, AwsLcSigningKey, PublicKey, Signer, SigningKey, is_published,
};
use vouchsafe_credentials::did;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_credentials::x509::{Chain, Role, TrustAnchors, verify_chain};
use vouchsafe_service::config::{ConfigError, PublicUrl, SecretText};
use vouchsafe_service::keys::secret_text;

use super::Config;
use crate::signing::{KeyName, NamedSigner, Rotation, Signing, Term};

/// How a signature names its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyMethod {
    /// A certificate chain.
    X5c,
    /// `did:key`.
    DidKey,
    /// `did:jwk`.
    DidJwk,
    /// `did:web` of the public URL; the document is served with all keys that are configured so.
    DidWeb,
}

/// One table of `[signing]` or `[status.signing]`: a key and its name.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SigningConfig {
    /// What it signs: `dc+sd-jwt`, `mso_mdoc`, `ldp_vc`, `jwt_vc_json`. Status lists have keys of
    /// their own, or that of SD-JWT VCs.
    #[serde(default = "default_formats")]
    pub formats: Vec<String>,
    /// How the key is named.
    pub method: KeyMethod,
    /// Private key, PKCS#8 PEM.
    #[serde(default)]
    pub key: Option<SecretText>,
    /// File with the private key.
    #[serde(default)]
    pub key_file: Option<PathBuf>,
    /// Certificate chain in PEM, leaf first, without the anchor. For `x5c`.
    #[serde(default)]
    pub certificates: Option<String>,
    /// File with the certificate chain.
    #[serde(default)]
    pub certificates_file: Option<PathBuf>,
    /// The IACA certificate above a document signer, PEM. For `mso_mdoc`.
    #[serde(default)]
    pub authority: Option<String>,
    /// File with the IACA certificate.
    #[serde(default)]
    pub authority_file: Option<PathBuf>,
    /// The cryptosuite of `ldp_vc`: `eddsa-rdfc-2022` or `ecdsa-rdfc-2019` if nothing is said, or
    /// `eddsa-jcs-2022`, `ecdsa-jcs-2019`.
    #[serde(default)]
    pub cryptosuite: Option<String>,
    /// RFC 3339: the key signs from this moment on.
    #[serde(default)]
    pub not_before: Option<String>,
    /// RFC 3339: the key signs until this moment; what it signed stays good.
    #[serde(default)]
    pub retired: Option<String>,
}

fn default_formats() -> Vec<String> {
    vec![Format::SdJwtVc.name().to_owned()]
}

/// `[signing]`, or `[[signing]]` several times.
#[derive(Debug, Clone)]
pub struct SigningKeys(Vec<SigningConfig>);

impl<'de> Deserialize<'de> for SigningKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMany;
        impl<'de> Visitor<'de> for OneOrMany {
            type Value = SigningKeys;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a table or a list of tables")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<SigningKeys, A::Error> {
                let one = SigningConfig::deserialize(MapAccessDeserializer::new(map))?;
                Ok(SigningKeys(vec![one]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<SigningKeys, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(SigningKeys)
            }
        }
        deserializer.deserialize_any(OneOrMany)
    }
}

impl Config {
    /// The signers, with a key in use at `now` for every purpose that has keys.
    pub fn signers(&self, now: UnixTime) -> Result<Signing, ConfigError> {
        let url = &self.http.public_url;
        let keys = self.signing.load("signing", url, now)?;
        let of = |format| rotation("signing", &keys, Some(format), now);
        let sd_jwt = of(Format::SdJwtVc)?;
        if sd_jwt.is_empty() {
            let problem = "no key signs dc+sd-jwt";
            return Err(ConfigError::setting("signing", problem));
        }
        let status = match &self.status.signing {
            Some(own) => {
                let setting = "status.signing";
                rotation(setting, &own.load(setting, url, now)?, None, now)?
            }
            None => sd_jwt.clone(),
        };
        let (ldp_vc, jwt_vc) = (of(Format::LdpVc)?, of(Format::JwtVc)?);
        // A list tells the status of both, and is their issuer's own.
        let both = ldp_vc.keys().chain(jwt_vc.keys());
        if both.map(|key| &key.iss).collect::<BTreeSet<_>>().len() > 1 {
            let problem = "ldp_vc and jwt_vc_json are signed in the name of one DID";
            return Err(ConfigError::setting("signing", problem));
        }
        Ok(Signing {
            mdoc: of(Format::Mdoc)?,
            ldp_vc,
            jwt_vc,
            sd_jwt,
            status,
        })
    }
}

/// The keys of one purpose. They follow each other, so they are those of one issuer.
fn rotation(
    setting: &'static str,
    keys: &[(Vec<Format>, Term)],
    format: Option<Format>,
    now: UnixTime,
) -> Result<Rotation, ConfigError> {
    let wrong = |problem: &str| ConfigError::setting(setting, problem);
    let signs = |formats: &[Format]| format.is_none_or(|format| formats.contains(&format));
    let terms = keys.iter().filter(|(formats, _)| signs(formats));
    let terms: Vec<Term> = terms.map(|(_, term)| term.clone()).collect();
    let mut issuers = terms.iter().map(|term| issuer(&term.key.name));
    let first = issuers.next();
    // What an older key signed has its status in lists that a newer one signs: relying parties
    // want the same DID, or a certificate with the same subject.
    if issuers.any(|other| Some(other) != first) {
        return Err(wrong(
            "keys that follow each other need certificates with the same subject, or did_web",
        ));
    }
    let rotation = Rotation::new(terms);
    if !rotation.is_empty() && rotation.at(now).is_err() {
        return Err(wrong(
            "no key is in use now: look at not_before, retired and the certificates",
        ));
    }
    Ok(rotation)
}

fn issuer(name: &KeyName) -> Option<String> {
    match name {
        KeyName::X5c(chain) => chain.leaf_subject().ok(),
        KeyName::Did(url) => Some(did_of(url)),
    }
}

fn did_of(url: &str) -> String {
    url.split('#').next().unwrap_or(url).to_owned()
}

impl SigningKeys {
    /// All of them.
    pub(super) fn all(&self) -> impl Iterator<Item = &SigningConfig> {
        self.0.iter()
    }

    /// Reads the keys and checks that their names fit them.
    fn load(
        &self,
        setting: &'static str,
        url: &PublicUrl,
        now: UnixTime,
    ) -> Result<Vec<(Vec<Format>, Term)>, ConfigError> {
        let load = |key: &SigningConfig| key.load(setting, url, now);
        self.0.iter().map(load).collect()
    }
}

impl SigningConfig {
    fn load(
        &self,
        setting: &'static str,
        url: &PublicUrl,
        now: UnixTime,
    ) -> Result<(Vec<Format>, Term), ConfigError> {
        let wrong = |problem: &str| ConfigError::setting(setting, problem);
        let pem = secret_text(
            setting,
            self.key.as_ref().map(SecretText::expose),
            self.key_file.as_deref(),
        )?;
        let key = SigningKey::from_pkcs8_pem(&pem)
            .map_err(|_| wrong("the key is not a P-256 or Ed25519 key in PKCS#8 PEM"))?;
        if is_published(key.public_key()) {
            return Err(wrong(
                "the key is printed in a specification: everybody has it",
            ));
        }
        let formats = self.formats(&wrong)?;
        let name = self.name(key.public_key(), url, &wrong)?;
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
            true => self.cryptosuite(key.public_key().algorithm(), &wrong)?,
            false => String::new(),
        };
        if formats.contains(&Format::Mdoc) {
            self.check_document_signer(&name, now.clamp(from, until), &wrong)?;
        }
        let signer = AwsLcSigningKey::new(&key).map_err(|_| wrong("the key cannot sign"))?;
        let key = NamedSigner {
            signer: Arc::new(signer),
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

/// A text given by value or in a file.
fn pem(name: &str, value: &Option<String>, file: &Option<PathBuf>) -> Result<String, String> {
    match (value, file) {
        (Some(pem), None) => Ok(pem.clone()),
        (None, Some(path)) => std::fs::read_to_string(path)
            .map_err(|_| format!("the file of `{name}` cannot be read")),
        (Some(_), Some(_)) | (None, None) => Err(format!("give either {name} or {name}_file")),
    }
}
