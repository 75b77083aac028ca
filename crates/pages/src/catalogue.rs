//! The Fluent catalogue: every text that a person reads.

use std::collections::BTreeSet;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use include_dir::{Dir, include_dir};
use unic_langid::LanguageIdentifier;

use crate::Locale;

static LOCALES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/locales");

/// A catalogue that cannot be used: a mistake in a `.ftl` file.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// The file is not Fluent.
    #[error("{file}: {message}")]
    Syntax {
        /// Path inside `locales/`.
        file: String,
        /// What the Fluent parser said.
        message: String,
    },
    /// Two files of one locale define the same key.
    #[error("{file}: a key is defined twice: {message}")]
    Duplicate {
        /// Path inside `locales/`.
        file: String,
        /// Which one.
        message: String,
    },
    /// A locale has no folder of texts.
    #[error("no texts for locale {0}")]
    Missing(Locale),
}

/// Texts of all locales.
pub struct Catalogue {
    bundles: Vec<(Locale, FluentBundle<FluentResource>)>,
}

impl std::fmt::Debug for Catalogue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Catalogue").finish_non_exhaustive()
    }
}

impl Catalogue {
    /// Reads the embedded catalogue.
    pub fn load() -> Result<Self, CatalogueError> {
        let bundles = Locale::ALL
            .into_iter()
            .map(|locale| Ok((locale, bundle(locale)?)))
            .collect::<Result<_, CatalogueError>>()?;
        Ok(Self { bundles })
    }

    /// The text of `key`, or `None` where neither the locale nor English has
    /// it. The value of each argument is inserted as it is: the template
    /// escapes the whole.
    pub fn text(&self, locale: Locale, key: &str, args: Option<&FluentArgs<'_>>) -> Option<String> {
        [locale, Locale::En]
            .into_iter()
            .find_map(|locale| self.text_in(locale, key, args))
    }

    fn text_in(&self, locale: Locale, key: &str, args: Option<&FluentArgs<'_>>) -> Option<String> {
        let (_, bundle) = self.bundles.iter().find(|(l, _)| *l == locale)?;
        let pattern = bundle.get_message(key)?.value()?;
        let mut errors = Vec::new();
        let text = bundle
            .format_pattern(pattern, args, &mut errors)
            .into_owned();
        errors.is_empty().then_some(text)
    }

    /// Every key of a locale, sorted: for tests and tools.
    pub fn keys(locale: Locale) -> BTreeSet<String> {
        let folder = LOCALES.get_dir(locale.tag());
        folder
            .into_iter()
            .flat_map(|dir| dir.files())
            .filter_map(|file| file.contents_utf8())
            .flat_map(str::lines)
            .filter(|line| line.starts_with(|c: char| c.is_ascii_alphabetic()))
            .filter_map(|line| line.split_once('=').map(|(key, _)| key.trim().to_owned()))
            .collect()
    }
}

fn bundle(locale: Locale) -> Result<FluentBundle<FluentResource>, CatalogueError> {
    let language: LanguageIdentifier = match locale {
        Locale::En => unic_langid::langid!("en"),
        Locale::De => unic_langid::langid!("de"),
    };
    let mut bundle = FluentBundle::new_concurrent(vec![language]);
    // Untrusted values stand in <bdi> in the templates instead.
    bundle.set_use_isolating(false);
    let folder = LOCALES
        .get_dir(locale.tag())
        .ok_or(CatalogueError::Missing(locale))?;
    for file in folder.files() {
        let name = file.path().display().to_string();
        let text = file.contents_utf8().unwrap_or_default().to_owned();
        let resource =
            FluentResource::try_new(text).map_err(|(_, errors)| CatalogueError::Syntax {
                file: name.clone(),
                message: format!("{errors:?}"),
            })?;
        bundle
            .add_resource(resource)
            .map_err(|errors| CatalogueError::Duplicate {
                file: name,
                message: format!("{errors:?}"),
            })?;
    }
    Ok(bundle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_locale_has_every_key() {
        let english = Catalogue::keys(Locale::En);
        assert!(english.len() > 10);
        for locale in Locale::ALL {
            let theirs = Catalogue::keys(locale);
            let missing: Vec<_> = english.symmetric_difference(&theirs).collect();
            assert!(
                missing.is_empty(),
                "{locale}: keys that differ from en: {missing:?}"
            );
        }
    }

    #[test]
    fn loads_and_formats() {
        let catalogue = Catalogue::load().unwrap();
        let mut args = FluentArgs::new();
        args.set("reference", "AB12");
        let text = catalogue
            .text(Locale::De, "error-reference", Some(&args))
            .unwrap();
        assert!(text.contains("AB12"), "{text}");
        assert_eq!(catalogue.text(Locale::De, "no-such-key", None), None);
    }
}
