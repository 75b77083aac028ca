//! What the wallet is called, and in which language it speaks: beside the encrypted records,
//! because the page that asks for the passphrase is in that language, too.

use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use vouchsafe_credentials::text::PlainText;
use vouchsafe_pages::Locale;

/// The longest name, in characters: it stands beside the mark on every page.
const LONGEST_NAME: usize = 40;

/// Name and language, kept in a file or for the life of the process.
#[derive(Debug, Default)]
pub struct Profile {
    file: Option<PathBuf>,
    values: Mutex<Values>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Values {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    locale: Option<String>,
}

impl Profile {
    /// The profile in a file, which need not be there yet.
    pub fn open(file: PathBuf) -> anyhow::Result<Self> {
        let values = match std::fs::read_to_string(&file) {
            Ok(text) => toml::from_str(&text)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Values::default(),
            Err(error) => return Err(error.into()),
        };
        Ok(Self {
            file: Some(file),
            values: Mutex::new(values),
        })
    }

    pub(super) fn name(&self) -> Option<String> {
        self.values().name.clone()
    }

    pub(super) fn locale(&self) -> Option<String> {
        self.values().locale.clone()
    }

    /// Gives the wallet a name; an empty one takes it away.
    pub(super) fn set_name(&self, name: &str) -> anyhow::Result<()> {
        let short: String = name.trim().chars().take(LONGEST_NAME).collect();
        let name = PlainText::non_empty(&short).map(|name| name.as_str().to_owned());
        self.change(|values| values.name = name)
    }

    pub(super) fn set_locale(&self, locale: Locale) -> anyhow::Result<()> {
        self.change(|values| values.locale = Some(locale.tag().to_owned()))
    }

    fn change(&self, change: impl FnOnce(&mut Values)) -> anyhow::Result<()> {
        let mut values = self.values();
        let mut next = values.clone();
        change(&mut next);
        if let Some(file) = &self.file {
            if let Some(folder) = file.parent() {
                std::fs::create_dir_all(folder)?;
            }
            crate::development::replace(file, &toml::to_string(&next)?, 0o600)?;
        }
        *values = next;
        Ok(())
    }

    fn values(&self) -> MutexGuard<'_, Values> {
        self.values.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_and_language_outlive_the_process() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("wallet").join("profile.toml");
        let profile = Profile::open(file.clone()).unwrap();
        assert_eq!((profile.name(), profile.locale()), (None, None));
        profile.set_name("  Ada\u{202e}'s wallet ").unwrap();
        profile.set_locale(Locale::Ar).unwrap();
        let again = Profile::open(file).unwrap();
        assert!(!again.name().unwrap().contains('\u{202e}'));
        assert!(again.name().unwrap().starts_with("Ada"));
        assert_eq!(again.locale().as_deref(), Some("ar"));
        again.set_name("").unwrap();
        assert_eq!(again.name(), None);
    }

    #[test]
    fn a_name_is_short() {
        let profile = Profile::default();
        profile.set_name(&"x".repeat(5000)).unwrap();
        assert_eq!(profile.name().unwrap().chars().count(), LONGEST_NAME);
    }
}
