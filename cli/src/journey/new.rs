//! `vouchsafe journey new`.

use std::path::Path;

use anyhow::{Result, bail};
use vouchsafe_verifier::journey::{template, templates};

use crate::credential::output;

/// Writes a template, or says which there are.
pub fn run(name: Option<&str>, out: Option<&Path>) -> Result<()> {
    let Some(name) = name else {
        for template in templates() {
            output::line(&format!("{:<21} {}", template.name, template.meaning))?;
        }
        return Ok(());
    };
    match template(name) {
        Some(template) => super::written(template.text, out),
        None => {
            let names: Vec<&str> = templates().iter().map(|template| template.name).collect();
            bail!(
                "there is no template {name}; there are {}",
                names.join(", ")
            )
        }
    }
}
