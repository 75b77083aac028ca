//! Where the vectors of the specifications are, and what of them was used.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The folder of one set of vectors. Without `VOUCHSAFE_VECTORS` the caller
/// skips, and the run says so.
///
/// # Panics
/// When the variable names a folder without this set.
#[must_use]
pub fn folder(set: &str, files: usize) -> Option<PathBuf> {
    match std::env::var_os("VOUCHSAFE_VECTORS") {
        Some(root) => {
            let folder = PathBuf::from(root).join(set);
            assert!(folder.is_dir(), "VOUCHSAFE_VECTORS has no folder {set}");
            Some(folder)
        }
        None => {
            note(&format!("skipped: vectors, {files} files ({set})"));
            None
        }
    }
}

/// One set of vectors in use: reads its files and, at the end, says how many
/// were read, how many steps were compared, and what was left out and why.
#[derive(Debug)]
pub struct Run {
    set: String,
    folder: PathBuf,
    read: RefCell<BTreeMap<PathBuf, usize>>,
    steps: RefCell<usize>,
    left_out: Vec<(String, String)>,
}

impl Run {
    /// Opens a set; `files` is how many it has. `None` where the vectors are
    /// not at hand (said aloud).
    #[must_use]
    pub fn open(set: &str, files: usize) -> Option<Self> {
        Some(Self {
            set: set.to_owned(),
            folder: folder(set, files)?,
            read: RefCell::default(),
            steps: RefCell::default(),
            left_out: Vec::new(),
        })
    }

    /// Leaves out every file below `prefix`, for this reason.
    #[must_use]
    pub fn without(mut self, prefix: &str, reason: &str) -> Self {
        self.left_out.push((prefix.to_owned(), reason.to_owned()));
        self
    }

    /// The bytes of a file, which counts as used.
    ///
    /// # Panics
    /// When it is not there.
    #[must_use]
    pub fn bytes(&self, file: &str) -> Vec<u8> {
        *self
            .read
            .borrow_mut()
            .entry(PathBuf::from(file))
            .or_default() += 1;
        match std::fs::read(self.folder.join(file)) {
            Ok(bytes) => bytes,
            Err(error) => panic!("{}/{file}: {error}", self.set),
        }
    }

    /// The text of a file.
    ///
    /// # Panics
    /// When it is not there or not UTF-8.
    #[must_use]
    pub fn text(&self, file: &str) -> String {
        match String::from_utf8(self.bytes(file)) {
            Ok(text) => text,
            Err(error) => panic!("{}/{file}: {error}", self.set),
        }
    }

    /// Compares one step of a vector and counts it.
    ///
    /// # Panics
    /// When they differ.
    pub fn step<T: PartialEq + std::fmt::Debug>(&self, what: &str, ours: T, theirs: T) {
        assert_eq!(ours, theirs, "{}: {what}", self.set);
        *self.steps.borrow_mut() += 1;
    }

    /// Says what was used. Every file must have been read or left out by name.
    ///
    /// # Panics
    /// When a file of the set was neither.
    pub fn close(self) {
        let mut files = Vec::new();
        collect(&self.folder, &self.folder, &mut files);
        let read = self.read.into_inner();
        let left_out = |file: &Path| {
            self.left_out
                .iter()
                .any(|(prefix, _)| file.to_string_lossy().starts_with(prefix.as_str()))
        };
        let forgotten: Vec<_> = files
            .iter()
            .filter(|file| !read.contains_key(*file) && !left_out(file))
            .collect();
        assert!(
            forgotten.is_empty(),
            "{}: neither read nor left out: {forgotten:?}",
            self.set
        );
        note(&format!(
            "vectors {}: {} of {} files, {} steps compared",
            self.set,
            read.len(),
            files.len(),
            self.steps.into_inner()
        ));
        for (prefix, reason) in &self.left_out {
            let count = files
                .iter()
                .filter(|file| {
                    file.to_string_lossy().starts_with(prefix.as_str()) && !read.contains_key(*file)
                })
                .count();
            note(&format!(
                "skipped: {}/{prefix}*, {count} files: {reason}",
                self.set
            ));
        }
    }
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        panic!("{} is not readable", folder.display());
    };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(root, &path, files);
        } else if let Ok(relative) = path.strip_prefix(root) {
            files.push(relative.to_owned());
        }
    }
}

/// Past the test runner's capture: what was skipped and counted is always seen.
fn note(line: &str) {
    use std::io::Write as _;
    // A closed stderr is no reason to fail a test.
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
