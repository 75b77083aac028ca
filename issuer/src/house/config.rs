//! The configuration of a process that hosts several issuers.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use vouchsafe_service::config::{ConfigError, LogConfig, load, load_file};
use vouchsafe_service::tenant::Tenant;
use vouchsafe_service::tls::TlsFiles;

use crate::config::Config;

/// What a configuration file describes.
#[derive(Debug, Clone)]
pub enum Hosted {
    /// One issuer.
    One(Box<Config>),
    /// Several, each with a file of its own.
    Several(HouseConfig),
}

/// A file that names tenants.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HouseConfig {
    /// Where the process listens.
    pub http: HouseHttp,
    /// Log lines.
    #[serde(default)]
    pub log: LogConfig,
    /// Who lives here.
    pub tenant: Vec<TenantConfig>,
}

/// `[http]` of a process that hosts several issuers.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HouseHttp {
    /// Address to listen on, for all of them.
    pub listen: SocketAddr,
    /// Certificate and key for https, with the names of all of them.
    #[serde(default)]
    pub tls: Option<TlsFiles>,
    /// Address of the listener for metrics; none without it.
    #[serde(default)]
    pub metrics_listen: Option<SocketAddr>,
}

/// `[[tenant]]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TenantConfig {
    /// Its configuration file, or a folder of them; relative to this file.
    pub config: PathBuf,
    /// Its name in log lines and metrics; that of its file without this. Not for folders.
    #[serde(default)]
    pub name: Option<String>,
}

#[derive(Deserialize)]
struct Peek {
    #[serde(default)]
    tenant: Option<serde::de::IgnoredAny>,
}

impl Hosted {
    /// Reads a file, with the environment variables of the service.
    pub fn load(file: &Path, environment: &str) -> Result<Self, ConfigError> {
        let peek: Peek = load_file(file)?;
        match peek.tenant {
            None => load(Some(file), environment).map(|config| Self::One(Box::new(config))),
            Some(_) => load(Some(file), environment).map(Self::Several),
        }
    }
}

impl HouseConfig {
    /// The tenants and their configurations. `file` is where this one was read from. No
    /// environment variable changes what a tenant's file says: it would change all of them.
    pub fn tenants(&self, file: &Path) -> Result<Vec<(Tenant, Config)>, ConfigError> {
        let folder = file.parent().unwrap_or(Path::new(""));
        let mut tenants = Vec::new();
        for TenantConfig { config, name } in &self.tenant {
            let place = folder.join(config);
            let files = match (place.is_dir(), name) {
                (false, _) => vec![place],
                (true, None) => files_of(&place)?,
                (true, Some(_)) => return wrong("a folder has no name of its own"),
            };
            for file in files {
                let stem = || Some(file.file_stem()?.to_str()?.to_owned());
                let name = name.clone().or_else(stem).unwrap_or_default();
                let tenant = Tenant::parse(&name).ok_or_else(|| {
                    let problem = "a name has 1 to 63 lower-case letters, digits and hyphens";
                    ConfigError::setting(format!("tenant {name}"), problem)
                })?;
                let config: Config = load_file(&file)?;
                self.check(&tenant, &config)?;
                tenants.push((tenant, config));
            }
        }
        let names: BTreeSet<&Tenant> = tenants.iter().map(|(tenant, _)| tenant).collect();
        match (tenants.is_empty(), names.len() == tenants.len()) {
            (true, _) => wrong("nobody lives here"),
            (_, false) => wrong("two tenants with the same name"),
            (false, true) => Ok(tenants),
        }
    }

    /// The listener belongs to the house: what a tenant says of it says the same, or nothing.
    fn check(&self, tenant: &Tenant, config: &Config) -> Result<(), ConfigError> {
        let http = &config.http;
        let wrong = |problem: &str| Err(ConfigError::setting(format!("tenant {tenant}"), problem));
        if http.listen != self.http.listen {
            return wrong("http.listen is another one than that of the process");
        }
        if http.tls.is_some() || http.metrics_listen.is_some() {
            return wrong(
                "http.tls and http.metrics_listen belong into the file that names the tenants",
            );
        }
        Ok(())
    }
}

fn wrong<T>(problem: &str) -> Result<T, ConfigError> {
    Err(ConfigError::setting("tenant", problem))
}

/// The configuration files of a folder, by name.
fn files_of(folder: &Path) -> Result<Vec<PathBuf>, ConfigError> {
    let unreadable = |_| ConfigError::setting("tenant", "a folder cannot be read");
    let entries = std::fs::read_dir(folder).map_err(unreadable)?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|end| end == "toml") && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
