//! `vouchsafe wallet …`.

use std::path::Path;

use anyhow::bail;
use vouchsafe_wallet_core::WalletError;
use vouchsafe_wallet_core::consent::value_text;
use vouchsafe_wallet_core::credential::CredentialId;
use vouchsafe_wallet_core::history::HistoryId;
use vouchsafe_wallet_core::issuance::PendingId;
use vouchsafe_wallet_core::wallet::CardFilter;

use super::adding::{self, Answers};
use super::arguments::{Common, WalletCommand};
use super::describe::{marks, print_entry, validity};
use super::handle::WalletHandle;
use super::page::page;
use super::terminal::{passphrase, say, say_json, yes};
use super::{home, keeping, presenting, serve, trusting};

/// Runs a wallet command.
pub async fn run(command: WalletCommand) -> anyhow::Result<()> {
    match command {
        WalletCommand::Init {
            common,
            dev_loopback,
            trust,
        } => init(&common, dev_loopback, trust.as_deref()),
        WalletCommand::Add {
            common,
            link,
            code,
            yes: agreed,
            wait,
        } => {
            let answers = Answers {
                code: code.as_deref(),
                agreed,
                wait,
            };
            adding::add(&open(&common.home).await?, &common, &link, &answers).await
        }
        WalletCommand::Request {
            common,
            issuer,
            type_id,
            yes: agreed,
            wait,
        } => {
            let answers = Answers {
                code: None,
                agreed,
                wait,
            };
            let wallet = open(&common.home).await?;
            adding::request(&wallet, &common, &issuer, type_id.as_deref(), &answers).await
        }
        WalletCommand::Pending { common } => adding::pending(&open(&common.home).await?, &common),
        WalletCommand::Resume { common, card, wait } => {
            let wallet = open(&common.home).await?;
            adding::resume(&wallet, &common, card.as_deref(), wait).await
        }
        WalletCommand::Forget { common, card } => {
            let id = PendingId::parse(&card).map_err(WalletError::from)?;
            Ok(open(&common.home).await?.forget(&id).await?)
        }
        WalletCommand::Renew { common, card } => {
            let wallet = open(&common.home).await?;
            adding::renew(&wallet, &common, card.as_deref()).await
        }
        WalletCommand::List {
            common,
            kind,
            issuer,
        } => {
            let filter = CardFilter {
                kind: kind.as_deref(),
                issuer: issuer.as_deref(),
            };
            let wallet = open(&common.home).await?;
            wallet.ask_statuses().await;
            list(&wallet, &common, &filter)
        }
        WalletCommand::Show { common, card } => {
            let wallet = open(&common.home).await?;
            wallet.ask_statuses().await;
            show(&wallet, &common, &card)
        }
        WalletCommand::Present { common, link, yes } => {
            presenting::present(&open(&common.home).await?, &common, &link, yes).await
        }
        WalletCommand::History {
            common,
            party: _,
            export: _,
            delete: Some(entry),
        } => {
            let wallet = open(&common.home).await?;
            let id = HistoryId::parse(&entry)?;
            Ok(wallet.core().delete_unreadable_entry(&id)?)
        }
        WalletCommand::History {
            common,
            party,
            export,
            delete: None,
        } => {
            let wallet = open(&common.home).await?;
            history(&wallet, &common, party.as_deref(), export)
        }
        WalletCommand::Erase { common, entry } => {
            keeping::erase(&open(&common.home).await?, &common, &entry)
        }
        WalletCommand::Report { common, entry } => {
            keeping::report(&open(&common.home).await?, &common, &entry)
        }
        WalletCommand::Backup { common, file } => {
            keeping::backup(&open(&common.home).await?, &common, &file).await
        }
        WalletCommand::Restore { common, file } => {
            keeping::restore(&open(&common.home).await?, &common, &file)
        }
        WalletCommand::Reissue { common } => keeping::reissue(&open(&common.home).await?, &common),
        WalletCommand::Passphrase { common, pin } => {
            let old = passphrase()?;
            let wallet = home::open(&common.home, &old).await?;
            keeping::change_passphrase(&wallet, &old, pin)
        }
        WalletCommand::Page {
            common,
            origin,
            request,
            yes,
        } => page(&open(&common.home).await?, &origin, &request, yes).await,
        WalletCommand::Withdraw { common, entry } => {
            let entry = open(&common.home)
                .await?
                .withdraw(&HistoryId::parse(&entry)?)
                .await?;
            print_entry(&entry, common.json)
        }
        WalletCommand::Delete {
            common,
            card,
            yes: agreed,
        } => {
            let wallet = open(&common.home).await?;
            let id = CredentialId::parse(&card)?;
            if !agreed && !yes("Delete the card and its keys?")? {
                bail!("nothing was deleted");
            }
            Ok(wallet.delete(&id).await?)
        }
        WalletCommand::Web { common, port } => serve::serve(&common.home, port).await,
    }
}

async fn open(folder: &Path) -> anyhow::Result<WalletHandle> {
    home::open(folder, &passphrase()?).await
}

fn init(common: &Common, dev_loopback: bool, services: Option<&Path>) -> anyhow::Result<()> {
    let trusted = services.map(trusting::read).transpose()?;
    home::init(&common.home, &passphrase()?, dev_loopback, trusted.as_ref())?;
    eprintln!("The wallet is in {}.", common.home.display());
    Ok(())
}

fn list(wallet: &WalletHandle, common: &Common, filter: &CardFilter<'_>) -> anyhow::Result<()> {
    let cards = wallet.core().cards_where(filter, &["en"])?;
    if common.json {
        return say_json(&cards);
    }
    for damaged in wallet.core().unreadable_cards()? {
        eprintln!("{damaged}  is damaged: it can only be deleted");
    }
    for card in cards {
        let (id, marks) = (&card.id, marks(&card));
        say(&format!("{id}  {}, {}{marks}", card.title, card.issuer))?;
    }
    Ok(())
}

fn show(wallet: &WalletHandle, common: &Common, card: &str) -> anyhow::Result<()> {
    let card = wallet.card(&CredentialId::parse(card)?, &["en"])?;
    if common.json {
        return say_json(&card);
    }
    say(&format!("{}, {}", card.title, card.issuer))?;
    for fact in &card.facts {
        say(&format!(
            "  {}: {}",
            fact.label,
            value_text(&fact.value, "yes", "no")
        ))?;
    }
    let lines = validity(card.expires_at, card.expires_soon, card.status);
    lines.iter().try_for_each(|line| say(line))
}

fn history(
    wallet: &WalletHandle,
    common: &Common,
    party: Option<&str>,
    export: bool,
) -> anyhow::Result<()> {
    let all = wallet.core().export_history(party)?;
    if export {
        return say_json(&all);
    }
    for damaged in wallet.core().unreadable_history()? {
        let id = damaged.as_str();
        eprintln!("{id}  cannot be read: it can only be deleted (history --delete {id})");
    }
    if common.json {
        return say_json(&all.entries);
    }
    all.entries
        .iter()
        .try_for_each(|entry| print_entry(entry, false))
}
