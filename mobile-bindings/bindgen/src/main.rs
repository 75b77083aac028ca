//! `vouchsafe-bindgen LIBRARY LANGUAGE FOLDER`: writes the Kotlin or the Swift side of the library
//! into a folder. The same library gives the same files.

use anyhow::{Context, Result, bail};
use uniffi_bindgen::bindings::{GenerateOptions, TargetLanguage, generate};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [library, language, folder] = arguments.as_slice() else {
        bail!("usage: vouchsafe-bindgen LIBRARY kotlin|swift FOLDER");
    };
    let language = match language.as_str() {
        "kotlin" => TargetLanguage::Kotlin,
        "swift" => TargetLanguage::Swift,
        other => bail!("no {other}: kotlin or swift"),
    };
    generate(GenerateOptions {
        languages: vec![language],
        source: library.into(),
        out_dir: folder.into(),
        config_override: None,
        format: false,
        crate_filter: None,
        metadata_no_deps: false,
    })
    .with_context(|| format!("cannot write {folder}"))
}
