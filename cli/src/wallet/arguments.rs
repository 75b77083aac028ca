//! Arguments of `vouchsafe wallet …`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What every wallet command takes.
#[derive(Debug, Args)]
pub struct Common {
    /// Folder of the wallet.
    #[arg(long, env = "VOUCHSAFE_WALLET", default_value = "vouchsafe-wallet")]
    pub home: PathBuf,
    /// Print data as JSON.
    #[arg(long)]
    pub json: bool,
}

/// What `vouchsafe wallet` can do.
#[derive(Debug, Subcommand)]
pub enum WalletCommand {
    /// Make a wallet.
    Init {
        #[command(flatten)]
        common: Common,
        /// Allow plain http on this machine, for development.
        #[arg(long)]
        dev_loopback: bool,
        /// Believe the services of this folder: one that `config generate`, `issuer init` or
        /// `verifier init` made.
        #[arg(long, value_name = "FOLDER")]
        trust: Option<PathBuf>,
    },
    /// Add the card of an offer.
    Add {
        #[command(flatten)]
        common: Common,
        /// Link of the offer.
        link: String,
        /// The one-time code that came with it.
        #[arg(long)]
        code: Option<String>,
        /// Agree without being asked.
        #[arg(long)]
        yes: bool,
        /// Seconds to wait for cards that come later, and for an issuer that is busy (a minute otherwise).
        #[arg(long, default_value_t = 0)]
        wait: u64,
    },
    /// Ask an issuer for a card that it has not offered.
    Request {
        #[command(flatten)]
        common: Common,
        /// Identifier of the issuer, an https address.
        issuer: String,
        /// Which card: a key of the issuer's `credential_configurations_supported`.
        #[arg(long = "type")]
        type_id: Option<String>,
        /// Agree without being asked.
        #[arg(long)]
        yes: bool,
        /// Seconds to wait for cards that come later, and for an issuer that is busy (a minute otherwise).
        #[arg(long, default_value_t = 0)]
        wait: u64,
    },
    /// List the cards that come later.
    Pending {
        #[command(flatten)]
        common: Common,
    },
    /// Ask for cards that were to come later.
    Resume {
        #[command(flatten)]
        common: Common,
        /// Id of one of them, from `wallet pending`; without it, all.
        card: Option<String>,
        /// Seconds to wait until they are there. What its issuer does not want to be asked for within them is left for later.
        #[arg(long, default_value_t = 0)]
        wait: u64,
    },
    /// Give up a card that was to come later.
    Forget {
        #[command(flatten)]
        common: Common,
        /// Its id, from `wallet pending`.
        card: String,
    },
    /// Get new copies of cards, without signing in again.
    Renew {
        #[command(flatten)]
        common: Common,
        /// Id of a card; without it, all whose copies run out or that end soon.
        card: Option<String>,
    },
    /// List the cards.
    List {
        #[command(flatten)]
        common: Common,
        /// Only cards of this type (`vct` or document type).
        #[arg(long = "type")]
        kind: Option<String>,
        /// Only cards of this issuer.
        #[arg(long)]
        issuer: Option<String>,
    },
    /// Show one card to yourself.
    Show {
        #[command(flatten)]
        common: Common,
        /// Id of the card, from the list.
        card: String,
    },
    /// Answer a question with a card.
    Present {
        #[command(flatten)]
        common: Common,
        /// Link of the question.
        link: String,
        /// Agree without being asked.
        #[arg(long)]
        yes: bool,
    },
    /// Answer a question that a page asks its browser (Digital Credentials API).
    Page {
        #[command(flatten)]
        common: Common,
        /// Where the page is from, as the browser knows it.
        #[arg(long)]
        origin: String,
        /// A file with what the page asks: what `navigator.credentials.get` takes, as JSON.
        request: PathBuf,
        /// Agree without being asked.
        #[arg(long)]
        yes: bool,
    },
    /// Who saw what.
    History {
        #[command(flatten)]
        common: Common,
        /// Only this party: its host, or a part of its name.
        #[arg(long)]
        party: Option<String>,
        /// Print everything as one JSON document, to be kept elsewhere.
        #[arg(long)]
        export: bool,
        /// Delete an entry that cannot be read.
        #[arg(long, value_name = "ENTRY", conflicts_with_all = ["party", "export"])]
        delete: Option<String>,
    },
    /// Ask who was shown a card to delete what it learned.
    Erase {
        #[command(flatten)]
        common: Common,
        /// Id of the entry, from the history.
        entry: String,
    },
    /// Write what an authority needs to know about who asked for a card.
    Report {
        #[command(flatten)]
        common: Common,
        /// Id of the entry, from the history.
        entry: String,
    },
    /// Write the wallet into one encrypted file.
    Backup {
        #[command(flatten)]
        common: Common,
        /// The file; it must not exist.
        file: PathBuf,
    },
    /// Take a backup in. Cards that are here already stay as they are.
    Restore {
        #[command(flatten)]
        common: Common,
        /// The file.
        file: PathBuf,
    },
    /// Cards of a backup that their issuers have to issue anew.
    Reissue {
        #[command(flatten)]
        common: Common,
    },
    /// Change the passphrase, or put a PIN in its place.
    Passphrase {
        #[command(flatten)]
        common: Common,
        /// Take a PIN: after so many wrong attempts in a row, at most 10, the key is destroyed.
        #[arg(long, value_name = "ATTEMPTS")]
        pin: Option<u8>,
    },
    /// Withdraw the consent given with an entry of the history.
    Withdraw {
        #[command(flatten)]
        common: Common,
        /// Id of the entry, from the history.
        entry: String,
    },
    /// Delete a card and destroy its keys.
    Delete {
        #[command(flatten)]
        common: Common,
        /// Id of the card, from the list.
        card: String,
        /// Delete without being asked.
        #[arg(long)]
        yes: bool,
    },
    /// Serve the wallet as pages for a browser on this machine; without a wallet, make one there.
    Web {
        #[command(flatten)]
        common: Common,
        /// Port on 127.0.0.1.
        #[arg(long, default_value_t = 4010)]
        port: u16,
    },
}
