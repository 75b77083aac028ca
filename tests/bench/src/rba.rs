//! `cargo xtask bench rba`: what thresholds cost, beside the published figures.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;
use vouchsafe_service::keys::SymmetricKey;
use vouchsafe_verifier::risk::experiment::{Attacker, Outcome, play, population};
use vouchsafe_verifier::risk::history::History;
use vouchsafe_verifier::risk::values::Level;
use vouchsafe_verifier::risk::{ValueKey, Values};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// A made population instead of the public data set.
    #[arg(long)]
    synthetic: bool,
    /// Seed of the population and of the attacks.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// People of the made population.
    #[arg(long, default_value_t = 3_000)]
    people: usize,
    /// The public data set (das-group/rba-dataset, CC BY 4.0), unpacked.
    #[arg(long, value_name = "FILE")]
    dataset: Option<PathBuf>,
}

const TARGETS: [f64; 4] = [0.999, 0.995, 0.99, 0.98];

/// Share of the first 12 and 39 logins at which more was asked for: median over people, read from
/// the figure of Wiefling et al. (ACM TOPS 2022) for each of [`TARGETS`].
fn published(attacker: Attacker) -> [[Option<f64>; 2]; 4] {
    match attacker {
        Attacker::Naive => [
            [Some(0.58), Some(0.15)],
            [Some(0.25), Some(0.05)],
            [Some(0.17), Some(0.03)],
            [Some(0.08), None],
        ],
        Attacker::Vpn => [
            [Some(0.58), Some(0.21)],
            [Some(0.33), Some(0.08)],
            [Some(0.25), Some(0.05)],
            [Some(0.17), None],
        ],
        Attacker::Targeted => [
            [Some(0.67), Some(0.23)],
            [Some(0.42), Some(0.10)],
            [Some(0.33), Some(0.08)],
            [Some(0.17), Some(0.05)],
        ],
    }
}

pub fn run(arguments: &Arguments) -> Result<()> {
    if let Some(dataset) = &arguments.dataset {
        return self_test(dataset);
    }
    if !arguments.synthetic {
        bail!(
            "name the public data set with --dataset, or take a made population with --synthetic"
        );
    }
    let logins = population(arguments.seed, arguments.people);
    println!(
        "{} people, {} logins, seed {}\n",
        arguments.people,
        logins.len(),
        arguments.seed
    );
    let outcome = play(&logins, arguments.seed);
    table(&outcome);
    shape(&outcome)
}

fn table(outcome: &Outcome) {
    println!(
        "Share of logins at which more is asked for: median over people (published: real people, 2020 to 2021)\n"
    );
    println!("attacker    TPR      T            all    k=2    k=12 (published)  k=39 (published)");
    for attacker in Attacker::ALL {
        for (target, published) in TARGETS.into_iter().zip(published(attacker)) {
            let Some(threshold) = outcome.threshold(attacker, target) else {
                continue;
            };
            let (all, _) = outcome.false_positives(threshold);
            let rate = |k| number(outcome.median_rate(threshold, k));
            let [twelve, thirty_nine] = published.map(number);
            println!(
                "{:<10}  {target:<5}  {threshold:<11.3e}  {all:.3}  {:<5}  {:<5} ({twelve})      {:<5} ({thirty_nine})",
                attacker.name(),
                rate(2),
                rate(12),
                rate(39)
            );
        }
    }
}

fn number(rate: Option<f64>) -> String {
    rate.map_or_else(|| "-".to_owned(), |rate| format!("{rate:.2}"))
}

/// What must hold of every population: the shape of the published figure, not its numbers.
fn shape(outcome: &Outcome) -> Result<()> {
    let mut rates = Vec::new();
    for (attacker, logins) in [
        (Attacker::Naive, [12, 39].as_slice()),
        (Attacker::Vpn, &[2, 12, 39]),
        // In a made population this one looks too much like the victim.
        (Attacker::Targeted, &[]),
    ] {
        let threshold = outcome.threshold(attacker, 0.99).context("attacks")?;
        rates.push(outcome.false_positives(threshold).0);
        let medians: Vec<_> = (logins.iter())
            .map(|k| outcome.median_rate(threshold, *k))
            .collect();
        ensure!(
            medians.iter().all(Option::is_some) && medians.is_sorted_by(|a, b| a > b),
            "medians do not fall with logins for {}: {medians:?}",
            attacker.name()
        );
    }
    ensure!(
        rates.is_sorted_by(|a, b| a < b),
        "stronger attackers do not cost more: {rates:?}"
    );
    println!(
        "\nholds at 0.99: medians fall at 12 and 39 logins (naive) and at 2, 12 and 39 (VPN); naive < VPN < targeted"
    );
    Ok(())
}

#[derive(Debug, Deserialize)]
struct Row {
    #[serde(rename = "Login Timestamp")]
    at: String,
    #[serde(rename = "User ID")]
    user: String,
    #[serde(rename = "IP Address")]
    address: String,
    #[serde(rename = "Country")]
    country: String,
    #[serde(rename = "ASN")]
    network: String,
    #[serde(rename = "User Agent String")]
    agent: String,
    #[serde(rename = "Browser Name and Version")]
    browser: String,
    #[serde(rename = "OS Name and Version")]
    system: String,
    #[serde(rename = "Device Type")]
    device: String,
    #[serde(rename = "Login Successful")]
    successful: String,
}

/// Rows of the data set that the published check reads.
const ROWS: usize = 1_000_000;
/// Its first score is that of this login.
const FIRST: usize = 50_000;
/// Its scores (das-group/rba-algorithm).
const SCORES: [f64; 24] = [
    0.001_735_608_896_331_267,
    0.000_313_193_091_169_633_8,
    0.000_384_812_099_818_644_45,
    0.000_233_803_433_888_818_07,
    0.006_298_427_168_245_526_6,
    0.024_024_171_011_906_934,
    0.362_418_602_054_655_37,
    0.000_348_961_515_225_057_8,
    0.000_487_015_294_419_070_65,
    1.246_223_027_333_996_7,
    0.000_259_993_222_742_494_94,
    0.000_219_767_149_698_514_79,
    0.470_147_663_815_860_93,
    0.000_979_841_230_938_581_8,
    0.084_122_947_444_473_7,
    0.442_127_870_494_799_1,
    0.014_721_192_512_576_46,
    0.033_660_139_149_100_71,
    0.000_483_684_972_634_349,
    0.000_256_891_343_217_257_3,
    0.004_580_714_618_502_775_5,
    1.176_522_284_255_606e-5,
    0.000_654_335_294_574_096_2,
    0.000_905_156_207_562_379_5,
];

fn self_test(path: &Path) -> Result<()> {
    let mut reader = csv::Reader::from_path(path)
        .with_context(|| format!("{} cannot be read", path.display()))?;
    let mut rows = Vec::new();
    for row in reader.deserialize::<Row>().take(ROWS) {
        let row = row?;
        let known = [
            &row.address,
            &row.country,
            &row.network,
            &row.agent,
            &row.browser,
            &row.system,
            &row.device,
        ];
        if row.successful == "True" && known.iter().all(|text| !text.is_empty()) {
            rows.push(row);
        }
    }
    rows.sort_by(|a, b| a.at.cmp(&b.at));
    let key = ValueKey::new(SymmetricKey::from_token("bench", "rba"));
    let mut history = History::default();
    let mut scores = Vec::new();
    for (index, row) in rows.iter().enumerate().take(FIRST + 50) {
        let values = row.values(&key);
        if index >= FIRST {
            scores.extend(history.score(&row.user, &values));
        }
        history.add(&row.user, values);
    }
    println!("{} successful logins of the first {ROWS} rows", rows.len());
    ensure!(
        scores.len() == SCORES.len(),
        "{} scores instead of {}",
        scores.len(),
        SCORES.len()
    );
    for (ours, theirs) in scores.iter().zip(SCORES) {
        let off = (ours / theirs - 1.0).abs();
        println!("{ours:<24} {theirs:<24} {off:.1e}");
        ensure!(off < 1e-9, "a score is off by {off:.1e}");
    }
    println!("holds: all {} published scores", SCORES.len());
    Ok(())
}

impl Row {
    fn values(&self, key: &ValueKey) -> Values {
        let texts = [
            &self.address,
            &self.network,
            &self.country,
            &self.agent,
            &self.browser,
            &self.system,
            &self.device,
        ];
        Values(Level::ALL.map(|level| key.hash(level, texts[level.index()])))
    }
}
