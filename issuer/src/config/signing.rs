//! `[signing]`: private keys, how they are named, what they sign and when.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use vouchsafe_credentials::credential_type::Format;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::config::{ConfigError, SecretText};
use vouchsafe_service::signers::{ExternalConfig, Pkcs11Config};

use super::Config;
use super::signing_key::did_of;
use crate::signing::{KeyName, Rotation, Signing, Term};

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

/// One table of `[signing]`, `[status.signing]` or `[metadata.signing]`: a key and how it is named.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SigningConfig {
    /// What commands, metrics and log lines call it. Default: its table and its number in it, such
    /// as `signing-1`.
    #[serde(default)]
    pub name: Option<String>,
    /// What it signs: `dc+sd-jwt`, `mso_mdoc`, `ldp_vc`, `jwt_vc_json`. Status lists have keys of
    /// their own, or that of SD-JWT VCs.
    #[serde(default = "default_formats")]
    pub formats: Vec<String>,
    /// How the key is named.
    pub method: KeyMethod,
    /// Private key, PKCS#8 PEM, plain or encrypted.
    #[serde(default)]
    pub key: Option<SecretText>,
    /// File with the private key.
    #[serde(default)]
    pub key_file: Option<PathBuf>,
    /// File with the passphrase of an encrypted key.
    #[serde(default)]
    pub key_passphrase_file: Option<PathBuf>,
    /// Environment variable with the passphrase of an encrypted key.
    #[serde(default)]
    pub key_passphrase_environment: Option<String>,
    /// The key is behind an external signer.
    #[serde(default)]
    pub external: Option<ExternalConfig>,
    /// The key is in a PKCS#11 module.
    #[serde(default)]
    pub pkcs11: Option<Pkcs11Config>,
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

/// A key of the configuration, for the commands around certificates.
#[derive(Debug, Clone)]
pub struct ConfiguredKey<'a> {
    /// What it is called.
    pub name: String,
    /// The table it stands in: `signing`, `status.signing` or `metadata.signing`.
    pub table: &'static str,
    /// Which one of the table.
    pub number: usize,
    /// What the configuration says.
    pub config: &'a SigningConfig,
}

impl Config {
    /// Every signing key of the configuration, in its order.
    pub fn configured_keys(&self) -> Vec<ConfiguredKey<'_>> {
        let tables = [
            ("signing", Some(&self.signing)),
            ("status.signing", self.status.signing.as_ref()),
            ("metadata.signing", self.metadata.signing.as_ref()),
        ];
        let mut keys = Vec::new();
        for (table, list) in tables {
            for (number, config) in list.into_iter().flat_map(SigningKeys::all).enumerate() {
                keys.push(ConfiguredKey {
                    name: config.called(table, number),
                    table,
                    number,
                    config,
                });
            }
        }
        keys
    }

    /// The signers, with a key in use at `now` for every purpose that has keys.
    pub fn signers(&self, now: UnixTime) -> Result<Signing, ConfigError> {
        let keys = self.signing.load("signing", self, now)?;
        let of = |format| rotation("signing", &keys, Some(format), now);
        let sd_jwt = of(Format::SdJwtVc)?;
        if sd_jwt.is_empty() {
            let problem = "no key signs dc+sd-jwt";
            return Err(ConfigError::setting("signing", problem));
        }
        let status = match &self.status.signing {
            Some(own) => {
                let setting = "status.signing";
                rotation(setting, &own.load(setting, self, now)?, None, now)?
            }
            None => sd_jwt.clone(),
        };
        let metadata = match &self.metadata.signing {
            Some(own) => {
                let setting = "metadata.signing";
                rotation(setting, &own.load(setting, self, now)?, None, now)?
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
            metadata,
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

impl SigningKeys {
    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &SigningConfig> {
        self.0.iter()
    }

    /// Reads the keys and checks that their names fit them.
    fn load(
        &self,
        setting: &'static str,
        config: &Config,
        now: UnixTime,
    ) -> Result<Vec<(Vec<Format>, Term)>, ConfigError> {
        let load = |(number, key): (usize, &SigningConfig)| {
            key.load(setting, key.called(setting, number), config, now)
        };
        self.0.iter().enumerate().map(load).collect()
    }
}
