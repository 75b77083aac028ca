//! `[status]` and `[metadata]`: what the service signs beside credentials.

use serde::Deserialize;

use super::SigningKeys;

/// `[status]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatusConfig {
    /// How long a relying party may keep a list, in seconds.
    #[serde(default = "default_ttl_s")]
    pub ttl_s: u32,
    /// How long a status list token is valid, in seconds.
    #[serde(default = "default_lifetime_s")]
    pub lifetime_s: i64,
    /// Entries of a list. The more, the less an index tells.
    #[serde(default = "default_list_size")]
    pub list_size: u32,
    /// Keys of their own for status lists. Without them the keys of SD-JWT VCs sign.
    #[serde(default)]
    pub signing: Option<SigningKeys>,
}

/// `[metadata]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetadataConfig {
    /// Keys of their own for signed metadata. Without them the keys of SD-JWT VCs sign.
    #[serde(default)]
    pub signing: Option<SigningKeys>,
}

fn default_ttl_s() -> u32 {
    60
}

fn default_lifetime_s() -> i64 {
    86_400
}

fn default_list_size() -> u32 {
    131_072
}

impl Default for StatusConfig {
    fn default() -> Self {
        Self {
            ttl_s: default_ttl_s(),
            lifetime_s: default_lifetime_s(),
            list_size: default_list_size(),
            signing: None,
        }
    }
}
