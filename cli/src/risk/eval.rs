//! `vouchsafe risk eval`.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow};
use serde::{Deserialize, Serialize};
use vouchsafe_service::keys::SymmetricKey;
use vouchsafe_verifier::risk::history::History;
use vouchsafe_verifier::risk::score::score;
use vouchsafe_verifier::risk::values::{FEATURES, Level};
use vouchsafe_verifier::risk::{ValueKey, Values};

/// What to score.
#[derive(Debug, clap::Args)]
pub struct EvalOptions {
    /// Past logins, a JSON object on each line:
    /// `{"user": …, "login": {"ip", "asn", "cc", "ua", "br", "os", "dt"}}`.
    #[arg(long, value_name = "FILE")]
    history: PathBuf,
    /// The login to score: one such object.
    #[arg(long, value_name = "FILE")]
    login: PathBuf,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    user: String,
    login: Facts,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Facts {
    ip: String,
    asn: u32,
    cc: String,
    ua: String,
    br: String,
    os: String,
    dt: String,
}

impl Facts {
    fn text(&self, level: Level) -> String {
        match level {
            Level::Address => self.ip.clone(),
            Level::Network => self.asn.to_string(),
            Level::Country => self.cc.clone(),
            Level::Agent => self.ua.clone(),
            Level::Browser => self.br.clone(),
            Level::System => self.os.clone(),
            Level::Device => self.dt.clone(),
        }
    }

    fn values(&self, key: &ValueKey) -> Values {
        Values(Level::ALL.map(|level| key.hash(level, &self.text(level))))
    }
}

/// One row of the table: a value, how often the account had it, how often everybody.
#[derive(Debug, Serialize)]
struct Factor {
    level: &'static str,
    weight: f64,
    value: String,
    account: u64,
    everybody: u64,
}

#[derive(Debug, Serialize)]
struct Scored {
    score: Option<f64>,
    logins_of_the_account: u64,
    logins: u64,
    accounts: u64,
    factors: Vec<Factor>,
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))
}

/// Scores the login and says what its score is made of.
pub fn run(options: &EvalOptions) -> Result<()> {
    // The hashes leave this process no more than the key does.
    let key = ValueKey::new(SymmetricKey::from_token("risk eval", "values"));
    let mut history = History::default();
    let file = File::open(&options.history)
        .with_context(|| format!("{} cannot be read", options.history.display()))?;
    for (number, line) in BufReader::new(file).lines().enumerate() {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        let place = || format!("{}, line {}", options.history.display(), number + 1);
        let entry: Entry = serde_json::from_str(&line).with_context(place)?;
        history.add(&entry.user, entry.login.values(&key));
    }
    let Entry { user, login } = serde_json::from_str(&read(&options.login)?)
        .with_context(|| options.login.display().to_string())?;
    let counts = history.counts(&user, &login.values(&key));
    let factors = FEATURES.iter().flat_map(|feature| feature.levels);
    let result = Scored {
        score: score(&counts),
        logins_of_the_account: counts.my_logins,
        logins: counts.all_logins,
        accounts: counts.accounts,
        factors: factors
            .map(|(level, weight)| Factor {
                level: name(*level),
                weight: *weight,
                value: login.text(*level),
                account: counts.values[level.index()].mine,
                everybody: counts.values[level.index()].all,
            })
            .collect(),
    };
    print(&result, options.json).map_err(|error| anyhow!(error))
}

fn name(level: Level) -> &'static str {
    match level {
        Level::Address => "address",
        Level::Network => "network",
        Level::Country => "country",
        Level::Agent => "user agent",
        Level::Browser => "browser",
        Level::System => "system",
        Level::Device => "device",
    }
}

#[expect(clippy::print_stdout, reason = "the score is this command's result")]
fn print(result: &Scored, json: bool) -> Result<()> {
    if json {
        println!("{}", serde_json::to_string_pretty(result)?);
        return Ok(());
    }
    match result.score {
        Some(score) => println!("score {score:.6}"),
        None => println!("no score: the account has not logged in before"),
    }
    println!(
        "{} of {} logins are the account's; {} accounts\n",
        result.logins_of_the_account, result.logins, result.accounts
    );
    println!(
        "{:<12}{:>8}{:>9}{:>11}  value",
        "level", "weight", "account", "everybody"
    );
    for factor in &result.factors {
        let Factor {
            level,
            weight,
            value,
            account,
            everybody,
        } = factor;
        println!("{level:<12}{weight:>8.4}{account:>9}{everybody:>11}  {value}");
    }
    Ok(())
}
