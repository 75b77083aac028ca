//! `vouchsafe issuer certificate install`: nothing is changed unless the service would start with it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, value};
use vouchsafe_credentials::credential_type::Format;
use vouchsafe_credentials::time::{Clock, UnixTime};
use vouchsafe_issuer::Config;
use vouchsafe_issuer::config::{ConfiguredKey, NewCertificates};
use vouchsafe_service::clock::SystemClock;
use vouchsafe_service::config::load;

use crate::development::{replace, write_new};
use crate::serve::{ISSUER_ENVIRONMENT, load_issuer};

/// Options.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The issuer's configuration file.
    #[arg(
        long,
        short,
        env = "VOUCHSAFE_CONFIG",
        default_value = "issuer.toml",
        value_name = "FILE"
    )]
    pub config: PathBuf,
    /// The key, by its `name` in the configuration or by table and number, such as `signing-1`.
    #[arg(long, value_name = "NAME")]
    pub key: Option<String>,
    /// The new chain in PEM, leaf first, without the authority.
    #[arg(long, value_name = "FILE")]
    pub chain: PathBuf,
    /// The authority that made it, PEM: what relying parties trust.
    #[arg(long, value_name = "FILE")]
    pub authority: PathBuf,
    /// RFC 3339: begin to use it at this time, and not when it begins to be valid.
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
}

/// Installs the certificates.
pub fn run(options: &Options) -> Result<()> {
    let installed = install(options, SystemClock.now())?;
    eprintln!(
        "{} signs with it from {} until {}",
        installed.key, installed.from, installed.until
    );
    eprintln!(
        "wrote {} and {}",
        installed.chain.display(),
        options.config.display()
    );
    eprintln!("next: restart the issuer; the certificates before it stay in place until then");
    Ok(())
}

/// What was done.
pub struct Installed {
    key: String,
    from: Timestamp,
    until: Timestamp,
    chain: PathBuf,
}

/// Checks the certificates, writes them beside the others and changes the configuration.
pub fn install(options: &Options, now: UnixTime) -> Result<Installed> {
    let config = load_issuer(&options.config)?;
    let key = super::find(&config, options.key.as_deref())?;
    let wanted = match &options.from {
        None => now,
        Some(text) => UnixTime(text.parse::<Timestamp>().context("--from")?.as_second()).max(now),
    };
    let signer = key.config.open(key.table, &config)?;
    let read = |path: &Path| {
        std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))
    };
    let (chain, authority) = (read(&options.chain)?, read(&options.authority)?);
    let checked = NewCertificates::check(&key, signer.public_key(), &chain, &authority, wanted)?;
    let from = Timestamp::from_second(checked.from.0)?;
    // Told apart by what they are, too: one may be taken back and another installed.
    let hash = checked.chain.x509_hash();
    let hash: String = hash
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(8)
        .collect();
    let day = format!("{}-{hash}", from.strftime("%Y%m%d"));
    let beside = |what: &str| file_beside(&options.config, &key, &format!("{what}-{day}"));
    let (chain_file, authority_file) = (beside("certificates")?, beside("authority")?);
    let mut document: DocumentMut = read(&options.config)?.parse()?;
    let mut table = table(&mut document, &key)?.clone();
    let first = !table.contains_key("certificates") && !table.contains_key("certificates_file");
    table.remove("certificates");
    table["certificates_file"] = path_value(&chain_file)?;
    if key.table == "signing" && key.config.signs(Format::Mdoc) {
        table.remove("authority");
        table["authority_file"] = path_value(&authority_file)?;
    }
    table["not_before"] = value(from.to_string());
    place(&mut document, &key, table, first)?;

    write_new(&chain_file, &chain, 0o644)?;
    let made = write_new(&authority_file, &authority, 0o644)
        .and_then(|()| change(options, &document.to_string(), now, checked.from));
    if let Err(error) = made {
        // Nothing refers to them.
        let _ = std::fs::remove_file(&chain_file);
        let _ = std::fs::remove_file(&authority_file);
        return Err(error);
    }
    Ok(Installed {
        key: key.name.clone(),
        from,
        until: Timestamp::from_second(checked.until.0)?,
        chain: chain_file,
    })
}

/// Replaces the configuration by one that the service accepts, now and when the certificates take
/// over.
fn change(options: &Options, text: &str, now: UnixTime, from: UnixTime) -> Result<()> {
    let trial = options
        .config
        .with_extension(format!("{}.trial", std::process::id()));
    write_new(&trial, text, 0o600)?;
    let accepted = (|| {
        let config: Config = load(Some(&trial), ISSUER_ENVIRONMENT)?;
        config.settings()?;
        config.issued(from)?;
        config.issued(now)?;
        anyhow::Ok(())
    })();
    std::fs::remove_file(&trial)?;
    accepted.context("the service would not start with it, so nothing was changed")?;
    replace(&options.config, text, 0o600)
}

fn file_beside(config: &Path, key: &ConfiguredKey<'_>, what: &str) -> Result<PathBuf> {
    let own = key.config.certificates_file.as_deref();
    let folder = own
        .unwrap_or(config)
        .parent()
        .context("a file without a folder")?;
    let folder = match folder.as_os_str().is_empty() {
        true => Path::new("."),
        false => folder,
    };
    let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
    let name: String = key.name.chars().filter(|letter| plain(*letter)).collect();
    Ok(folder.canonicalize()?.join(format!("{name}-{what}.pem")))
}

fn path_value(path: &Path) -> Result<Item> {
    Ok(value(path.to_str().context("a path that is not text")?))
}

/// The table above the keys, and what they are called there.
fn parent<'a>(document: &'a mut DocumentMut, key: &ConfiguredKey<'_>) -> Result<&'a mut Item> {
    let mut item = document.as_item_mut();
    for part in key.table.split('.') {
        item = item
            .get_mut(part)
            .context("the key does not stand in the configuration file")?;
    }
    Ok(item)
}

fn table<'a>(document: &'a mut DocumentMut, key: &ConfiguredKey<'_>) -> Result<&'a Table> {
    let found = match parent(document, key)? {
        Item::Table(table) if key.number == 0 => Some(&*table),
        Item::ArrayOfTables(tables) => tables.get(key.number),
        _ => None,
    };
    found.context("the key is not written as a table: [[signing]]")
}

/// Puts a table in the place of the key's, or after it.
fn place(
    document: &mut DocumentMut,
    key: &ConfiguredKey<'_>,
    new: Table,
    instead: bool,
) -> Result<()> {
    let item = parent(document, key)?;
    if let Item::Table(table) = item {
        let mut tables = ArrayOfTables::new();
        tables.push(table.clone());
        *item = Item::ArrayOfTables(tables);
    }
    let tables = item.as_array_of_tables_mut().context("[[signing]]")?;
    match instead {
        true => {
            let own = tables.get_mut(key.number).context("[[signing]]")?;
            *own = new;
        }
        false => {
            let mut new = new;
            // Two keys of one name could not be told apart.
            let stamp = new["not_before"].as_str().unwrap_or_default();
            let stamp: String = stamp.chars().filter(char::is_ascii_digit).collect();
            ensure!(stamp.len() >= 8, "no time");
            let name = key.name.split('@').next().unwrap_or_default();
            new["name"] = value(format!("{name}@{stamp}"));
            let last = tables.iter().filter_map(Table::position).max();
            new.set_position(last);
            tables.push(new);
        }
    }
    Ok(())
}
