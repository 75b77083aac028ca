//! Where keys and certificates stand: inside the configuration, or in files
//! beside it.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// By value (the demo, in memory) or as files of a folder.
#[derive(Clone, Debug)]
pub enum Placement {
    /// Nothing touches the disk.
    Inline,
    /// Files of this folder, secret ones readable by their owner alone.
    Folder(PathBuf),
}

impl Placement {
    /// The TOML line that names a secret: `key = "…"` or `key_file = "…"`.
    pub fn secret(&mut self, name: &str, file: &str, text: &str) -> Result<String> {
        self.line(name, file, text, 0o600)
    }

    /// The TOML line that names something public.
    pub fn certificate(&mut self, name: &str, file: &str, text: &str) -> Result<String> {
        self.line(name, file, text, 0o644)
    }

    /// Keeps something public beside the configurations, if they are files.
    pub fn public(&mut self, file: &str, text: &str) -> Result<()> {
        match self {
            Self::Inline => Ok(()),
            Self::Folder(folder) => write_new(&folder.join(file), text, 0o644),
        }
    }

    fn line(&mut self, name: &str, file: &str, text: &str, mode: u32) -> Result<String> {
        match self {
            Self::Inline => Ok(format!("{name} = {}\n", toml::Value::from(text))),
            Self::Folder(folder) => {
                let path = folder.join(file);
                write_new(&path, text, mode)?;
                let path = path.to_str().context("a path that is not text")?;
                Ok(format!("{name}_file = {}\n", toml::Value::from(path)))
            }
        }
    }
}

/// Writes a file that must not exist yet: a key is never overwritten.
pub fn write_new(path: &Path, text: &str, mode: u32) -> Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .with_context(|| format!("{} exists already or cannot be made", path.display()))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(())
}

/// Puts a new text in the place of a file, at once: whoever reads gets the old or the new one.
pub fn replace(path: &Path, text: &str, mode: u32) -> Result<()> {
    let mut name = path.file_name().context("not a file")?.to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let new = path.with_file_name(name);
    write_new(&new, text, mode)?;
    let replaced = std::fs::rename(&new, path);
    if replaced.is_err() {
        // The half that was made is of no use to anybody.
        let _ = std::fs::remove_file(&new);
    }
    replaced.with_context(|| format!("{} cannot be replaced", path.display()))
}
