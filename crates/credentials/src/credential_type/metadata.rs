//! From a type to its SD-JWT VC Type Metadata.

use serde_json::{Map, Value, json};

use super::card::Picture;
use super::{ClaimSpec, CredentialType, Disclosability};
use crate::json::set;

impl CredentialType {
    /// The type metadata document (SD-JWT VC, "Type Metadata Format"). `url` says where a picture
    /// is served.
    #[must_use]
    pub fn type_metadata(&self, url: &dyn Fn(&Picture) -> String) -> Value {
        let displays = self.display.names.iter().map(|(locale, name)| {
            let mut display = json!({"locale": locale, "name": name});
            if let Some(text) = self.display.descriptions.get(locale) {
                set(&mut display, "description", text.as_str().into());
            }
            let simple = self.simple_rendering(locale, url);
            if !simple.is_empty() {
                set(&mut display, "rendering", json!({ "simple": simple }));
            }
            display
        });
        json!({
            "vct": self.vct,
            "name": self.display.name("en"),
            "display": displays.collect::<Vec<_>>(),
            "claims": self.claims.iter().map(|claim| self.claim(claim)).collect::<Vec<_>>(),
        })
    }

    fn claim(&self, claim: &ClaimSpec) -> Value {
        let names = claim.display.names.iter();
        let labels = names.map(|(locale, label)| json!({"locale": locale, "label": label}));
        json!({
            "path": claim.path.to_json(),
            "display": labels.collect::<Vec<_>>(),
            "mandatory": self.is_mandatory(claim),
            "sd": match claim.sd {
                Disclosability::Always => "always",
                Disclosability::Never => "never",
            },
        })
    }

    /// "Rendering Metadata", method `simple`.
    fn simple_rendering(
        &self,
        locale: &str,
        url: &dyn Fn(&Picture) -> String,
    ) -> Map<String, Value> {
        let card = &self.card;
        let picture =
            |picture: &Picture| json!({"uri": url(picture), "uri#integrity": picture.integrity()});
        let logo = card.logo.as_ref().map(|logo| {
            let mut logo = picture(logo);
            if let Some(alt) = card.logo_alt.get(locale) {
                set(&mut logo, "alt_text", alt.as_str().into());
            }
            logo
        });
        let text = |text: &Option<String>| text.as_deref().map(Value::from);
        let members = [
            ("logo", logo),
            (
                "background_image",
                card.background_image.as_ref().map(picture),
            ),
            ("background_color", text(&card.background_color)),
            ("text_color", text(&card.text_color)),
        ];
        let present = members.into_iter();
        let present = present.filter_map(|(name, value)| Some((name.to_owned(), value?)));
        present.collect()
    }
}
