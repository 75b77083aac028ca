//! `vouchsafe issuer backup`, `restore`, `restored`, `export`, `import` and `move`.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use vouchsafe_issuer::Ports;
use vouchsafe_issuer::restore::{Restored, StoppedJob};
use vouchsafe_service::audit::Head;

use crate::serve::load_issuer;
use crate::wallet::terminal::passphrase;

/// Whoever has the file can try passphrases as fast as a machine allows.
const SHORTEST_PASSPHRASE: usize = 12;

/// Copies the database. The end of its audit log goes to standard output, to be kept elsewhere.
#[expect(
    clippy::print_stdout,
    reason = "the end of the log is this command's result"
)]
pub async fn backup(file: &Path, output: &Path) -> Result<()> {
    let config = load_issuer(file)?;
    let head = vouchsafe_issuer::restore::backup(&config, &Ports::system(), output).await?;
    println!("{head}");
    eprintln!(
        "{} is a copy. Keys are not in it: keep them, and this line, somewhere else.",
        output.display()
    );
    Ok(())
}

/// Puts a copy to use: `input`, or what stands in the database already.
pub async fn restore(file: &Path, input: Option<&Path>, since: Option<&str>) -> Result<()> {
    let since = since
        .map(|text| Head::parse(text).context("`--since` is not the end of a log, NUMBER:HASH"))
        .transpose()?;
    let (config, ports) = (load_issuer(file)?, Ports::system());
    let restored = match input {
        Some(input) => {
            vouchsafe_issuer::restore::restore(&config, &ports, input, since.as_ref()).await
        }
        None => vouchsafe_issuer::restore::restored(&config, &ports, since.as_ref()).await,
    };
    tell(&restored?);
    Ok(())
}

/// What ended, what is lost, and what is to be done about it.
fn tell(restored: &Restored) {
    let Restored {
        epoch,
        head,
        last_event,
        lost,
        offers,
        lists,
        vc_lists,
        jobs,
        api_keys,
        operators,
    } = restored;
    let end = last_event.and_then(|at| Timestamp::from_second(at.0).ok());
    let end = end.map_or_else(|| "its beginning".to_owned(), |at| at.to_string());
    eprintln!("epoch {epoch} begins: codes, nonces and tokens of before are dead");
    eprintln!("{offers} offers were closed; make new ones for who still waits");
    eprintln!(
        "{lists} status lists are published anew; cards that were issued after {end} count as revoked"
    );
    if *vc_lists > 0 {
        eprintln!(
            "{vc_lists} status lists of the VC API go on in new ones: credentials that were issued through it \
             after {end} stay valid and cannot be revoked"
        );
    }
    tell_stopped(jobs);
    eprintln!("the audit log ends with event {} of {end}", head.seq);
    match lost {
        Some(0) => eprintln!("nothing that you know of is lost"),
        Some(lost) => eprintln!("{lost} events behind it are lost, at least"),
        None => eprintln!(
            "whether more happened cannot be seen from here: --since compares with an end that you kept"
        ),
    }
    eprintln!(
        "do again what was done after {end}: revocations and suspensions first (your webhooks told of them), \
         then decisions, types and webhooks"
    );
    for (what, names) in [("API keys and clients", api_keys), ("operators", operators)] {
        if !names.is_empty() {
            let names = names.join(", ");
            eprintln!(
                "these {what} are good, those among them too that were ended after {end}: {names}"
            );
        }
    }
}

/// Which changes of many credentials did not go on.
fn tell_stopped(jobs: &[StoppedJob]) {
    for StoppedJob {
        id,
        action,
        done,
        total,
    } in jobs
    {
        eprintln!(
            "job {id} ({action}, {done} of {total} done) is cancelled; begin it again if it is still wanted"
        );
    }
}

/// A passphrase for a file that does not exist yet.
pub fn new_passphrase() -> Result<String> {
    let words = passphrase()?;
    ensure!(
        words.chars().count() >= SHORTEST_PASSPHRASE,
        "the passphrase has fewer than {SHORTEST_PASSPHRASE} characters"
    );
    Ok(words)
}

/// Writes all state into an encrypted file.
pub async fn export(file: &Path, output: &Path, with_keys: bool) -> Result<()> {
    let (config, ports, words) = (load_issuer(file)?, Ports::system(), new_passphrase()?);
    let done = vouchsafe_issuer::portable::export(&config, &ports, output, &words, with_keys);
    let done = done.await?;
    eprintln!("{}: {} rows", output.display(), done.rows);
    match done.head {
        Some(head) => eprintln!("its audit log ends with {head}: keep this line somewhere else"),
        None => eprintln!(
            "its audit log was changed (`vouchsafe issuer audit verify` says where): it cannot be imported"
        ),
    }
    match with_keys {
        true => eprintln!("the keys are in it: whoever opens it is this issuer"),
        false => eprintln!("no keys are in it: take the files of your configuration along"),
    }
    eprintln!(
        "what happens here from now on is not in it: stop this issuer before the other one starts"
    );
    Ok(())
}

/// Puts an export into the empty database of a configuration.
pub async fn import(file: &Path, input: &Path) -> Result<()> {
    let (config, ports, words) = (load_issuer(file)?, Ports::system(), passphrase()?);
    let done = vouchsafe_issuer::portable::import(&config, &ports, input, &words).await?;
    eprintln!(
        "{} rows; epoch {} begins: codes, nonces, tokens and open offers were left behind",
        done.rows, done.epoch
    );
    eprintln!("the audit log of the export ends with {}", done.head);
    tell_stopped(&done.jobs);
    Ok(())
}

/// Writes the keys of an export as files.
pub fn keys_of(input: &Path, folder: &Path) -> Result<()> {
    let names = vouchsafe_issuer::portable::write_keys(input, &passphrase()?, folder)?;
    for name in names {
        eprintln!("wrote {}", folder.join(name).display());
    }
    Ok(())
}

/// Gives the database to the address that the configuration has now.
pub async fn move_to(file: &Path, to: &str) -> Result<()> {
    let config = load_issuer(file)?;
    let before = vouchsafe_issuer::instance::move_to(&config, &Ports::system(), to).await?;
    let here = config.http.public_url.as_str();
    if before == here {
        eprintln!("the database belongs to {here}");
        return Ok(());
    }
    eprintln!("{before} is {here} now");
    eprintln!(
        "cards that were issued before name {before}: let it go on answering for their status"
    );
    Ok(())
}
