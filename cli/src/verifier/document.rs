//! The configuration file, changed by commands: what its author wrote stays as it is, and nothing
//! is written that the service would not start with.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table};
use vouchsafe_verifier::Config;
use vouchsafe_verifier::config::Settings;

use crate::development::replace;

/// An open configuration file.
pub struct Document {
    file: PathBuf,
    toml: DocumentMut,
}

impl Document {
    /// Reads it.
    pub fn open(file: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("{} cannot be read", file.display()))?;
        let toml = text.parse();
        Ok(Self {
            file: file.to_owned(),
            toml: toml.with_context(|| format!("{} is not TOML", file.display()))?,
        })
    }

    /// What it says.
    pub fn config(&self) -> Result<Config> {
        Ok(vouchsafe_service::config::parse(&self.toml.to_string())?)
    }

    /// Adds a table to the array of tables at `path`.
    pub fn push(&mut self, path: &[&str], table: Table) -> Result<()> {
        self.tables(path)?.push(table);
        Ok(())
    }

    /// Removes the tables at `path` with this `id`; false: there is none.
    pub fn remove(&mut self, path: &[&str], id: &str) -> Result<bool> {
        let tables = self.tables(path)?;
        let before = tables.len();
        let is_it = |table: &Table| table.get("id").and_then(Item::as_str) == Some(id);
        tables.retain(|table| !is_it(table));
        Ok(tables.len() < before)
    }

    fn tables(&mut self, path: &[&str]) -> Result<&mut ArrayOfTables> {
        let Some((last, above)) = path.split_last() else {
            bail!("no table has no name");
        };
        let mut table = self.toml.as_table_mut();
        for name in above {
            let mut implicit = Table::new();
            implicit.set_implicit(true);
            let below = table.entry(name).or_insert(Item::Table(implicit));
            table = below
                .as_table_mut()
                .with_context(|| format!("`{name}` is not a table"))?;
        }
        let none = Item::ArrayOfTables(ArrayOfTables::new());
        let tables = table.entry(last).or_insert(none);
        tables
            .as_array_of_tables_mut()
            .with_context(|| format!("`{last}` is not written as [[{}]]", path.join(".")))
    }

    /// Writes it, if the service would start with it.
    pub fn save(self) -> Result<()> {
        Settings::parse(&self.config()?).context("nothing was changed")?;
        let mode = std::fs::metadata(&self.file)?.permissions().mode() & 0o777;
        replace(&self.file, &self.toml.to_string(), mode)
    }
}
