//! The folder of journeys.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::held::{self, Known};
use super::loaded::Loaded;
use crate::config::SubjectConfig;
use crate::journey::{Code, Mistake, Places, read};
use crate::numbers::NO_JOURNEY;

/// `[journeys]`, checked.
#[derive(Debug, Clone)]
pub struct JourneySettings {
    /// The folder.
    pub dir: PathBuf,
    /// Whose login it is where neither a file nor a question says it.
    pub(super) usual: Option<SubjectConfig>,
    /// What the files said at the start.
    pub(super) first: Arc<Set>,
}

impl JourneySettings {
    /// Reads the folder.
    ///
    /// # Errors
    /// [`FolderError`]: every mistake of every file.
    pub fn read(dir: &Path, known: &Known<'_>) -> Result<Self, FolderError> {
        let mut set = Set::default();
        let mut wrong = Vec::new();
        for (name, text) in texts(dir)? {
            match one(&text, known) {
                Ok(loaded) => drop(set.0.insert(name, Arc::new(loaded))),
                Err(mistakes) => wrong.extend(told(dir, &name, &mistakes)),
            }
        }
        wrong.extend(set.overlaps(dir));
        if !wrong.is_empty() {
            return Err(FolderError::Mistakes(wrong));
        }
        Ok(Self {
            dir: dir.to_owned(),
            usual: known.usual.cloned(),
            first: Arc::new(set),
        })
    }
}

/// The folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// It cannot be read.
    #[error("journeys: {0} cannot be read")]
    Unreadable(PathBuf),
    /// Files with mistakes: `file:line:column: code: what is wrong (what to do)`.
    #[error("{}", .0.join("\n"))]
    Mistakes(Vec<String>),
}

/// The files of a folder, by their names.
#[derive(Debug, Default)]
pub struct Set(BTreeMap<String, Arc<Loaded>>);

impl Set {
    /// All journeys, by their ids.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Loaded>> {
        let mut all: Vec<&Arc<Loaded>> = self.0.values().collect();
        all.sort_by(|a, b| a.journey.id.cmp(&b.journey.id));
        all.into_iter()
    }

    /// Files that cannot stand beside each other: of one id, or for the same requests.
    fn overlaps(&self, dir: &Path) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut seen: BTreeMap<(&'static str, &str), &str> = BTreeMap::new();
        for (name, loaded) in &self.0 {
            let journey = &loaded.journey;
            let Some(mut places) = Places::of(&loaded.text) else {
                continue;
            };
            if let Some(other) = seen.insert(("id", &journey.id), name) {
                let message = format!("{other} has the id `{}` too", journey.id);
                places.at_top(
                    "id",
                    Code::BadValue,
                    message,
                    "each journey has an id of its own",
                );
            }
            for before in &journey.after {
                let mut all = self.0.values();
                let leads =
                    |one: &Arc<Loaded>| one.journey.id == *before && one.journey.after.is_empty();
                if !all.any(leads) {
                    let message = format!("`after` names `{before}`, which leads no login here");
                    let hint = "the `id` of a journey of the folder that has no `after`";
                    places.at_top("after", Code::BadValue, message, hint);
                }
            }
            let mut served: BTreeSet<&str> = BTreeSet::new();
            if journey.matches.is_none() && journey.after.is_empty() {
                served.extend(journey.clients.iter().map(String::as_str));
                served.extend(journey.clients.is_empty().then_some(""));
            }
            for client in served {
                if let Some(other) = seen.insert(("client", client), name) {
                    let message = format!("{other} serves every request of `{client}` too");
                    let hint = "write a `match` in one of them";
                    places.at_client(client, Code::AmbiguousClient, message, hint);
                }
            }
            wrong.extend(told(dir, name, &places.mistakes()));
        }
        wrong
    }
}

/// The texts of the folder: files whose names end with `.toml`.
fn texts(dir: &Path) -> Result<BTreeMap<String, String>, FolderError> {
    let unreadable = |path: &Path| FolderError::Unreadable(path.to_owned());
    let entries = std::fs::read_dir(dir).map_err(|_| unreadable(dir))?;
    let mut texts = BTreeMap::new();
    for entry in entries {
        let path = entry.map_err(|_| unreadable(dir))?.path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let text = std::fs::read_to_string(&path).map_err(|_| unreadable(&path))?;
        let name = path.file_name().unwrap_or_default();
        texts.insert(name.to_string_lossy().into_owned(), text);
    }
    Ok(texts)
}

/// Reads one text and checks that the service can hold it.
pub(super) fn one(text: &str, known: &Known<'_>) -> Result<Loaded, Vec<Mistake>> {
    let journey = read(text)?;
    let Some(mut places) = Places::of(text) else {
        return Err(Vec::new());
    };
    if journey.id == NO_JOURNEY {
        let message = "logins without a journey are counted as those of `none`".to_owned();
        places.at_top("id", Code::BadValue, message, "choose another id");
    }
    let questions = held::check(&journey, known, &mut places);
    let mistakes = places.mistakes();
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    Ok(Loaded {
        journey,
        text: text.to_owned(),
        questions,
    })
}

fn told(dir: &Path, name: &str, mistakes: &[Mistake]) -> Vec<String> {
    let file = dir.join(name);
    let line = |mistake: &Mistake| {
        let Mistake {
            code,
            line,
            column,
            message,
            hint,
        } = mistake;
        let (file, code) = (file.display(), code.as_str());
        format!("{file}:{line}:{column}: {code}: {message} ({hint})")
    };
    mistakes.iter().map(line).collect()
}

/// Looks at the folder again: the new set where something changed, and what is wrong.
pub(super) fn again(dir: &Path, known: &Known<'_>, before: &Set) -> (Option<Set>, Vec<String>) {
    let found = match texts(dir) {
        Ok(found) => found,
        Err(error) => return (None, vec![error.to_string()]),
    };
    let mut wrong = Vec::new();
    let mut set = Set(before.0.clone());
    let mut changed = false;
    for name in before.0.keys().filter(|name| !found.contains_key(*name)) {
        // An editor may be about to write it; and nobody loses a rule because a file was lost.
        let file = dir.join(name);
        let file = file.display();
        wrong.push(format!(
            "{file}: is gone; it holds until the service starts again"
        ));
    }
    for (name, text) in found {
        if before.0.get(&name).is_some_and(|old| old.text == text) {
            continue;
        }
        match one(&text, known) {
            Ok(loaded) => {
                set.0.insert(name, Arc::new(loaded));
                changed = true;
            }
            Err(mistakes) => wrong.extend(told(dir, &name, &mistakes)),
        }
    }
    let overlaps = set.overlaps(dir);
    if changed && overlaps.is_empty() {
        return (Some(set), wrong);
    }
    wrong.extend(overlaps);
    (None, wrong)
}
