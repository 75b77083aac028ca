//! The Fluent catalogue: every text that a person reads.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use include_dir::{Dir, include_dir};
use unic_langid::LanguageIdentifier;

use crate::Locale;

static LOCALES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/locales");

/// A catalogue that cannot be used: a mistake in a `.ftl` file.
#[derive(Clone, Debug, thiserror::Error)]
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

    /// The embedded catalogue, read once for all services of a process.
    pub fn shared() -> Result<Arc<Self>, CatalogueError> {
        static SHARED: LazyLock<Result<Arc<Catalogue>, CatalogueError>> =
            LazyLock::new(|| Catalogue::load().map(Arc::new));
        SHARED.clone()
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
        Locale::Fr => unic_langid::langid!("fr"),
        Locale::Es => unic_langid::langid!("es"),
        Locale::It => unic_langid::langid!("it"),
        Locale::Ar => unic_langid::langid!("ar"),
    };
    let mut bundle = FluentBundle::new_concurrent(vec![language]);
    // Values that stand alone are in <bdi> in the templates. Inside a sentence that runs from right
    // to left a name in Latin letters, a number or a host would tear the words around it apart, so
    // there each value is isolated (UAX #9, FSI and PDI).
    bundle.set_use_isolating(locale.is_right_to_left());
    if locale == Locale::Ar {
        bundle
            .add_function("FORM", arabic_form)
            .map_err(|error| CatalogueError::Duplicate {
                file: locale.to_string(),
                message: error.to_string(),
            })?;
    }
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

/// `FORM($number)` in the Arabic texts: the form of a noun that is counted (CLDR, plural rules of
/// `ar`). The rules that come with Fluent compare the whole number where CLDR compares what is left
/// of the hundreds: 103 days and 365 days would be written wrongly.
fn arabic_form<'a>(arguments: &[FluentValue<'a>], _: &FluentArgs<'_>) -> FluentValue<'a> {
    let Some(FluentValue::Number(number)) = arguments.first() else {
        return FluentValue::Error;
    };
    let whole = number.value.fract() == 0.0;
    let rest = number.value % 100.0;
    FluentValue::from(if !whole {
        "other"
    } else if number.value == 0.0 {
        "zero"
    } else if number.value == 1.0 {
        "one"
    } else if number.value == 2.0 {
        "two"
    } else if (3.0..=10.0).contains(&rest) {
        "few"
    } else if rest >= 11.0 {
        "many"
    } else {
        "other"
    })
}

#[cfg(test)]
mod tests;
