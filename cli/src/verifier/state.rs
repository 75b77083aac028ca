//! `vouchsafe verifier backup`, `restore`, `restored`, `export` and `import`.

use std::path::PathBuf;

use anyhow::{Context, Result};
use jiff::Timestamp;
use vouchsafe_service::audit::Head;
use vouchsafe_service::config::load;
use vouchsafe_verifier::portable::{self, PortableError};
use vouchsafe_verifier::restore::{self, Restored};
use vouchsafe_verifier::{Config, Ports};

use crate::ConfigFile;
use crate::instance::new_passphrase;
use crate::serve::VERIFIER_ENVIRONMENT;
use crate::wallet::terminal::passphrase;

/// A new file.
#[derive(Debug, clap::Args)]
pub struct BackupOptions {
    #[command(flatten)]
    file: ConfigFile,
    /// The new file.
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
}

/// A copy, and what is known of the time after it.
#[derive(Debug, clap::Args)]
pub struct RestoreOptions {
    #[command(flatten)]
    file: ConfigFile,
    /// The copy.
    #[arg(long, value_name = "FILE")]
    input: PathBuf,
    /// The latest end of the audit log that you know of, `NUMBER:HASH`: tells how much is lost.
    #[arg(long, value_name = "HEAD")]
    since: Option<String>,
}

/// A database that is there already.
#[derive(Debug, clap::Args)]
pub struct RestoredOptions {
    #[command(flatten)]
    file: ConfigFile,
    /// The latest end of the audit log that you know of, `NUMBER:HASH`: tells how much is lost.
    #[arg(long, value_name = "HEAD")]
    since: Option<String>,
}

/// An export.
#[derive(Debug, clap::Args)]
pub struct ExportOptions {
    #[command(flatten)]
    file: ConfigFile,
    /// The export.
    #[arg(value_name = "FILE")]
    export: PathBuf,
}

fn config(file: &ConfigFile) -> Result<Config> {
    Ok(load(Some(&file.verifier()?), VERIFIER_ENVIRONMENT)?)
}

/// Copies the database. The end of its audit log goes to standard output, to be kept elsewhere.
#[expect(
    clippy::print_stdout,
    reason = "the end of the log is this command's result"
)]
pub async fn backup(options: &BackupOptions) -> Result<()> {
    let BackupOptions { file, output } = options;
    let head = restore::backup(&config(file)?, &Ports::system(), output).await?;
    println!("{head}");
    eprintln!(
        "{} is a copy. Keys are not in it: keep them, and this line, somewhere else.",
        output.display()
    );
    Ok(())
}

/// Puts a copy to use.
pub async fn restore(options: &RestoreOptions) -> Result<()> {
    let RestoreOptions { file, input, since } = options;
    let since = head(since.as_deref())?;
    let done = restore::restore(&config(file)?, &Ports::system(), input, since.as_ref()).await?;
    tell(&done);
    Ok(())
}

/// Puts to use what stands in the database already.
pub async fn restored(options: &RestoredOptions) -> Result<()> {
    let RestoredOptions { file, since } = options;
    let since = head(since.as_deref())?;
    let done = restore::restored(&config(file)?, &Ports::system(), since.as_ref()).await?;
    tell(&done);
    Ok(())
}

fn head(text: Option<&str>) -> Result<Option<Head>> {
    text.map(|text| Head::parse(text).context("`--since` is not the end of a log, NUMBER:HASH"))
        .transpose()
}

/// What ended, what is lost, and what is to be done about it.
fn tell(restored: &Restored) {
    let Restored {
        epoch,
        ended,
        head,
        last_event,
        lost,
        api_keys,
    } = restored;
    eprintln!(
        "epoch {epoch} begins: sessions, codes and tokens of before are dead; everybody logs in again"
    );
    eprintln!("{ended} logins of applications ended; those that take logout tokens are told");
    let end = last_event.and_then(|at| Timestamp::from_second(at.0).ok());
    let end = end.map_or_else(|| "its beginning".to_owned(), |at| at.to_string());
    eprintln!("the audit log ends with event {} of {end}", head.seq);
    match lost {
        Some(0) => eprintln!("nothing that you know of is lost from it"),
        Some(lost) => eprintln!("{lost} events behind it are lost, at least"),
        None => eprintln!(
            "whether more happened cannot be seen from here: --since compares with an end that you kept"
        ),
    }
    eprintln!(
        "lost too: accounts that began after the copy (whoever logs in gets another `sub`), consents that were given \
         and withdrawn, applications that registered or were stopped: stop those again first"
    );
    if !api_keys.is_empty() {
        eprintln!(
            "these API keys are good, those among them too that were ended since: {}",
            api_keys.join(", ")
        );
    }
}

/// Writes all state into an encrypted file.
pub async fn export(options: &ExportOptions) -> Result<()> {
    let ExportOptions { file, export } = options;
    let (config, words) = (config(file)?, new_passphrase()?);
    let done = portable::export(&config, &Ports::system(), export, &words).await;
    let done = done.map_err(refused)?;
    eprintln!("{}: {} rows", export.display(), done.rows);
    match done.head {
        Some(head) => eprintln!("its audit log ends with {head}: keep this line somewhere else"),
        None => eprintln!("its audit log was changed: it cannot be imported"),
    }
    eprintln!(
        "the keys behind every `sub` are in it, the configuration and the signing keys are not. Sessions, codes and \
         tokens are not in it: people log in again"
    );
    eprintln!(
        "what happens here from now on is not in it: stop this verifier before the other one starts"
    );
    Ok(())
}

/// Puts an export into the empty database of a configuration.
pub async fn import(options: &ExportOptions) -> Result<()> {
    let ExportOptions { file, export } = options;
    let (config, words) = (config(file)?, passphrase()?);
    let done = portable::import(&config, &Ports::system(), export, &words).await;
    let done = done.map_err(refused)?;
    eprintln!(
        "{} rows; epoch {} begins: {} logins of applications were left behind, those that take logout tokens are told",
        done.rows, done.epoch, done.ended
    );
    eprintln!("the audit log of the export ends with {}", done.head);
    if !done.missing.is_empty() {
        eprintln!(
            "this configuration lacks {}: take their `[[client]]` along, with the same sector",
            done.missing.join(", ")
        );
    }
    Ok(())
}

fn refused(error: PortableError) -> anyhow::Error {
    let code = error.code();
    anyhow::Error::new(error).context(code)
}
