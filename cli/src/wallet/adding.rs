//! `vouchsafe wallet add`, `request`, `pending`, `resume`, `renew`: getting cards.

use std::time::Duration;

use anyhow::bail;
use vouchsafe_credentials::time::Clock as _;
use vouchsafe_service::clock::SystemClock;
use vouchsafe_wallet_core::WalletError;
use vouchsafe_wallet_core::credential::CredentialId;
use vouchsafe_wallet_core::issuance::{
    Added, IssuanceError, IssuancePreview, PendingId, Preview, Step,
};

use super::arguments::Common;
use super::describe::describe_offer;
use super::handle::WalletHandle;
use super::polling::until_there;
use super::sign_in::sign_in;
use super::terminal::{ask, say, say_json, yes};

/// What the person decided before.
pub struct Answers<'a> {
    /// The one-time code.
    pub code: Option<&'a str>,
    /// Agrees to everything.
    pub agreed: bool,
    /// How long to wait for cards that come later, in seconds.
    pub wait: u64,
}

/// Adds the cards of an offer.
pub async fn add(
    wallet: &WalletHandle,
    common: &Common,
    link: &str,
    answers: &Answers<'_>,
) -> anyhow::Result<()> {
    let wallet = &wallet.clone().patient(answers.wait, tell_busy);
    let step = wallet.offer(link).await.map_err(explained)?;
    to_the_end(wallet, common, step, answers).await
}

/// Asks an issuer for a card that it has not offered.
pub async fn request(
    wallet: &WalletHandle,
    common: &Common,
    issuer: &str,
    type_id: Option<&str>,
    answers: &Answers<'_>,
) -> anyhow::Result<()> {
    let wallet = &wallet.clone().patient(answers.wait, tell_busy);
    let step = wallet.request(issuer, type_id).await.map_err(explained)?;
    to_the_end(wallet, common, step, answers).await
}

/// Lists the cards that come later.
pub fn pending(wallet: &WalletHandle, common: &Common) -> anyhow::Result<()> {
    let list = wallet.pending()?;
    if common.json {
        return say_json(&list);
    }
    for one in list {
        let from = jiff::Timestamp::from_second(one.not_before.seconds())?;
        say(&format!(
            "{}  {}, {}  not before {from}",
            one.id, one.title, one.issuer
        ))?;
    }
    Ok(())
}

/// Asks for cards that were to come later: one, or all that are due.
pub async fn resume(
    wallet: &WalletHandle,
    common: &Common,
    id: Option<&str>,
    wait: u64,
) -> anyhow::Result<()> {
    let ids = match id {
        Some(id) => vec![PendingId::parse(id).map_err(WalletError::from)?],
        None => wallet.pending()?.into_iter().map(|one| one.id).collect(),
    };
    let wallet = &wallet.clone().patient(wait, tell_busy);
    let cards = poll(wallet, ids, wait).await?;
    print_cards(wallet, common, &cards)
}

/// Gets new copies: of one card, or of all whose copies run out.
pub async fn renew(
    wallet: &WalletHandle,
    common: &Common,
    card: Option<&str>,
) -> anyhow::Result<()> {
    let ids = match card {
        Some(card) => vec![CredentialId::parse(card)?],
        None => wallet.cards_to_top_up()?,
    };
    let mut cards = Vec::new();
    for id in ids {
        let Added {
            cards: renewed,
            pending,
        } = wallet.renew(&id).await?;
        cards.extend(renewed);
        print_pending(&pending);
    }
    print_cards(wallet, common, &cards)
}

fn tell_busy(seconds: u64) {
    eprintln!("The issuer is busy; trying again in {seconds} s.");
}

/// What to do about it, where there is something to do.
fn explained(error: WalletError) -> anyhow::Error {
    let busy = matches!(&error, WalletError::Issuance(IssuanceError::Busy { .. }));
    let error = anyhow::Error::from(error);
    match busy {
        true => error.context(
            "the issuer is busy (hint: the same command may work later; --wait SECONDS waits longer)",
        ),
        false => error,
    }
}

async fn to_the_end(
    wallet: &WalletHandle,
    common: &Common,
    mut step: Step,
    answers: &Answers<'_>,
) -> anyhow::Result<()> {
    loop {
        step = match step {
            Step::Done(Added { mut cards, pending }) => {
                match answers.wait {
                    0 => print_pending(&pending),
                    wait => cards.extend(poll(wallet, pending, wait).await?),
                }
                return print_cards(wallet, common, &cards);
            }
            Step::ConfirmIssuer(confirm) => {
                if !yes(&format!(
                    "{} is not known to this wallet. Go on?",
                    confirm.host()
                ))? {
                    return Ok(confirm.decline()?);
                }
                confirm.confirm().await.map_err(explained)?
            }
            Step::Preview(preview) => match decide(preview, answers).await? {
                Some(step) => step,
                None => return Ok(()),
            },
            Step::Authorize(authorize) => {
                let query = sign_in(&authorize).await?;
                authorize.complete(&query).await?
            }
            step @ Step::Send(_) => wallet.drive(step).await.map_err(explained)?,
        };
    }
}

async fn decide(mut preview: Preview, answers: &Answers<'_>) -> anyhow::Result<Option<Step>> {
    let mut data = preview.data(&["en"]);
    if data.choose && data.cards.len() > 1 {
        preview.choose(&choice(&data)?)?;
        data = preview.data(&["en"]);
    }
    describe_offer(&data);
    let typed = match (&data.tx_code, answers.code) {
        (Some(_), None) => Some(ask("The code you were given: ")?),
        (_, code) => code.map(str::to_owned),
    };
    if data.code_missing && answers.code.is_some() {
        bail!("the code does not fit this offer");
    }
    if !answers.agreed && !yes("Add to the wallet?")? {
        preview.decline()?;
        return Ok(None);
    }
    Ok(Some(preview.accept(typed.as_deref()).await?))
}

/// Which of the cards that an issuer has.
fn choice(data: &IssuancePreview) -> anyhow::Result<String> {
    eprintln!("{} ({}) has:", data.issuer, data.host);
    for (number, card) in (1..).zip(&data.cards) {
        eprintln!("  {number}  {}  ({})", card.title, card.type_id);
    }
    let typed = ask("Which one (number or name)? ")?;
    let number = typed.parse::<usize>().ok();
    let place = number.and_then(|number| number.checked_sub(1));
    let card = match place {
        Some(place) => data.cards.get(place),
        None => data.cards.iter().find(|card| card.type_id == typed),
    };
    match card {
        Some(card) => Ok(card.type_id.clone()),
        None => bail!("there is no such card"),
    }
}

/// Asks for cards until they are there or the time is up; those that came.
async fn poll(
    wallet: &WalletHandle,
    ids: Vec<PendingId>,
    seconds: u64,
) -> anyhow::Result<Vec<CredentialId>> {
    let ahead = async |id: &PendingId| {
        let pending = wallet.pending()?;
        let one = pending.iter().find(|one| one.id == *id);
        // What is not there any more is for the session to tell.
        let seconds = one.map_or(0, |one| one.not_before.since(SystemClock.now()));
        Ok::<_, WalletError>(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
    };
    let resume = async |id: &PendingId| wallet.resume(id).await;
    let Added { cards, pending } =
        until_there(Duration::from_secs(seconds), ids, ahead, resume).await?;
    print_pending(&pending);
    Ok(cards)
}

fn print_pending(pending: &[PendingId]) {
    for id in pending {
        eprintln!("{id}  comes later (hint: vouchsafe wallet resume)");
    }
}

fn print_cards(
    wallet: &WalletHandle,
    common: &Common,
    cards: &[CredentialId],
) -> anyhow::Result<()> {
    let cards = cards.iter().map(|id| wallet.card(id, &["en"]));
    let cards = cards.collect::<Result<Vec<_>, _>>()?;
    if common.json {
        return say_json(&cards);
    }
    let mut lines = cards
        .iter()
        .map(|card| format!("{}  {}", card.id, card.title));
    lines.try_for_each(|line| say(&line))
}
