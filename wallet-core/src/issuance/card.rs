//! How a card looks, from the issuer's metadata.

use vouchsafe_protocol::vci::metadata::{
    ClaimDescription, CredentialConfiguration, CredentialIssuerMetadata, Display,
};

use crate::display::{CardDisplay, ClaimDisplay, Localized};
use crate::picture::{Picture, Pictures};
use crate::text::PlainText;

/// Most names and claims that are kept of a card.
const MAX_ENTRIES: usize = 128;

/// The look of a card of this configuration.
pub(super) fn card_display(
    issuer: &CredentialIssuerMetadata,
    configuration: &CredentialConfiguration,
) -> CardDisplay {
    let metadata = configuration.credential_metadata.as_ref();
    let display = metadata
        .and_then(|m| m.display.as_deref())
        .unwrap_or_default();
    let claims = metadata
        .and_then(|m| m.claims.as_deref())
        .unwrap_or_default();
    let colour = |pick: fn(&Display) -> Option<&String>| display.iter().find_map(pick);
    let mut card = CardDisplay::new(
        names(display),
        names(issuer.display.as_deref().unwrap_or_default()),
        colour(|d| d.background_color.as_ref()).map(String::as_str),
        colour(|d| d.text_color.as_ref()).map(String::as_str),
        claims.iter().take(MAX_ENTRIES).filter_map(claim).collect(),
    );
    card.pictures = pictures(display);
    card
}

/// The pictures of the first entry that names them: a card has the same in every language.
fn pictures(display: &[Display]) -> Pictures {
    let logos = || display.iter().filter_map(|entry| entry.logo.as_ref());
    let alt = display.iter().take(MAX_ENTRIES).filter_map(|entry| {
        let text = PlainText::non_empty(entry.logo.as_ref()?.alt_text.as_deref()?)?;
        let locale = entry.locale.clone().filter(|tag| is_language_tag(tag));
        Some(Localized { locale, text })
    });
    let mut behind = display
        .iter()
        .filter_map(|entry| entry.background_image.as_ref());
    Pictures {
        logo: logos().next().and_then(|logo| Picture::parse(&logo.uri)),
        logo_alt: alt.collect(),
        background: behind.next().and_then(|one| Picture::parse(&one.uri)),
    }
}

/// The names in all languages.
pub(super) fn names(display: &[Display]) -> Vec<Localized> {
    let named = display.iter().take(MAX_ENTRIES).filter_map(|entry| {
        let text = PlainText::non_empty(entry.name.as_deref()?)?;
        let locale = entry.locale.clone().filter(|tag| is_language_tag(tag));
        Some(Localized { locale, text })
    });
    named.collect()
}

fn claim(claim: &ClaimDescription) -> Option<ClaimDisplay> {
    let path = claim.path.as_array()?.clone();
    let label = names(claim.display.as_deref().unwrap_or_default());
    Some(ClaimDisplay { path, label })
}

fn is_language_tag(tag: &str) -> bool {
    tag.len() <= 35 && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}
