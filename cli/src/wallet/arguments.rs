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
    },
    /// List the cards.
    List {
        #[command(flatten)]
        common: Common,
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
    /// Who saw what.
    History {
        #[command(flatten)]
        common: Common,
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
