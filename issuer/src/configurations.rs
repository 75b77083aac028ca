//! The credential configurations: each type in each format that there are keys for.

use std::collections::BTreeMap;

use vouchsafe_credentials::credential_type::{CredentialType, Format};
use vouchsafe_protocol::vci::metadata::{BackgroundImage, CredentialConfiguration, Logo};

use crate::core::Core;
use crate::handlers::wire::PROOF_ALGORITHMS;
use crate::proof_types;
use crate::types::picture_url;

/// All of them, by id.
pub fn all(core: &Core) -> BTreeMap<String, CredentialConfiguration> {
    let mut all = BTreeMap::new();
    for version in core.types.all_current() {
        let kind = &version.kind;
        for format in core.formats(kind) {
            if let Some(mut configuration) = configuration(core, kind, format) {
                draw(core, kind, &mut configuration);
                all.insert(kind.configuration_id(format), configuration);
            }
        }
    }
    all
}

/// Their scopes: one each, the same as the id.
pub fn scopes(core: &Core) -> Vec<String> {
    let types = core.types.all_current();
    let ids = types
        .iter()
        .flat_map(|version| core.configuration_ids(&version.kind));
    ids.collect()
}

/// How a wallet draws the card (OpenID4VCI 1.0, section 12.2.4, `credential_metadata`). The
/// pictures are served here, so that a wallet asks nobody else for them.
fn draw(core: &Core, kind: &CredentialType, configuration: &mut CredentialConfiguration) {
    let card = &kind.card;
    let displays = configuration.credential_metadata.as_mut();
    let displays = displays.and_then(|metadata| metadata.display.as_mut());
    for display in displays.into_iter().flatten() {
        let locale = display.locale.as_deref().unwrap_or_default();
        display.background_color.clone_from(&card.background_color);
        display.text_color.clone_from(&card.text_color);
        display.logo = card.logo.as_ref().map(|logo| Logo {
            uri: picture_url(&core.settings, logo),
            alt_text: card.logo_alt.get(locale).cloned(),
        });
        let background = card.background_image.as_ref();
        display.background_image = background.map(|picture| BackgroundImage {
            uri: picture_url(&core.settings, picture),
        });
    }
}

/// A type in a format; `None` while no key of the format is in use.
fn configuration(
    core: &Core,
    kind: &CredentialType,
    format: Format,
) -> Option<CredentialConfiguration> {
    let key = core.signing.of(format).at(core.clock.now()).ok()?;
    let algorithm = key.signer.algorithm();
    let id = kind.configuration_id(format);
    let proofs = &PROOF_ALGORITHMS;
    let mut configuration = match format {
        Format::SdJwtVc => {
            let algorithms = [algorithm.name()];
            CredentialConfiguration::of_type(kind, &id, &algorithms, proofs)
        }
        Format::Mdoc => {
            let mdoc = kind.mdoc()?;
            CredentialConfiguration::of_mdoc(kind, mdoc, algorithm, proofs)
        }
        Format::LdpVc | Format::JwtVc => {
            let w3c = kind.w3c()?;
            let algorithm = match format {
                Format::LdpVc => key.cryptosuite.as_str(),
                _ => algorithm.name(),
            };
            CredentialConfiguration::of_w3c(kind, w3c, format, algorithm, proofs)
        }
    };
    if configuration.proof_types_supported.is_some() {
        let types = proof_types::supported(&core.settings, &kind.id);
        configuration.proof_types_supported = Some(types);
    }
    if let Some(policy) = core.settings.reuse_policy(&kind.id) {
        let shown = configuration.credential_metadata.get_or_insert_default();
        shown.credential_reuse_policy = serde_json::to_value(policy).ok();
    }
    Some(configuration)
}
