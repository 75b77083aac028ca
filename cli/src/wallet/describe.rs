//! Offers, questions and history in words for the terminal.

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_wallet_core::consent::{
    Approval, ConsentRequest, Registration, Transaction, TrustReason, VerifierIdentity, value_text,
};
use vouchsafe_wallet_core::credential::Card;
use vouchsafe_wallet_core::history::{HistoryEntry, Outcome};
use vouchsafe_wallet_core::issuance::IssuancePreview;
use vouchsafe_wallet_core::status::CardStatus;

use super::terminal::{say, say_json};

/// Who offers what, to stderr.
pub fn describe_offer(offer: &IssuancePreview) {
    eprintln!("{} ({}) offers:", offer.issuer, offer.host);
    for card in &offer.cards {
        let facts: Vec<&str> = card.facts.iter().map(|fact| fact.as_str()).collect();
        eprintln!("  {}: {}", card.title, facts.join(", "));
    }
}

/// Who asks for what, to stderr.
pub fn describe_question(consent: &ConsentRequest) {
    eprintln!(
        "{} ({}) asks.",
        consent.verifier.name, consent.verifier.host
    );
    describe_verifier(&consent.verifier);
    if let Some(purpose) = &consent.purpose {
        eprintln!("Why: {purpose}");
    }
    describe_registration(&consent.registration);
    for approval in &consent.approvals {
        describe_approval(approval);
    }
    for card in consent
        .suggested
        .picks
        .iter()
        .filter_map(|pick| consent.option(pick))
    {
        eprintln!("From {}, they will learn:", card.title);
        for fact in &card.learns {
            let kept = if fact.kept { " (they keep it)" } else { "" };
            let text = value_text(&fact.value, "yes", "no");
            eprintln!("  {}: {text}{kept}", fact.label);
        }
        let keeps: Vec<&str> = card.keeps.iter().map(|label| label.as_str()).collect();
        if let Some(line) = not_learned(&keeps) {
            eprintln!("{line}");
        }
        for line in validity(card.expires_at, card.expires_soon, card.status) {
            eprintln!("{line}");
        }
        if card.linkable {
            eprintln!("This copy was shown elsewhere before; the two could be linked.");
        }
    }
}

/// What is behind a card in the list.
pub fn marks(card: &Card) -> String {
    let mut marks = Vec::new();
    if card.expired {
        marks.push("expired");
    }
    if card.unchecked {
        marks.push("not checked since it was restored");
    }
    match card.status {
        CardStatus::Revoked { .. } => marks.push("revoked by its issuer"),
        CardStatus::Suspended { .. } => marks.push("suspended by its issuer"),
        CardStatus::Unclear { .. } => marks.push("status unclear"),
        CardStatus::NotChecked { .. } if !card.expired && !card.unchecked => {
            marks.push("status not checked");
        }
        CardStatus::NotChecked { .. } | CardStatus::Valid { .. } | CardStatus::None => {}
    }
    if card.expires_soon {
        marks.push("ends soon");
    }
    match marks.is_empty() {
        true => String::new(),
        false => format!("  ({})", marks.join(", ")),
    }
}

/// How long a card is good, and whether its issuer stands by it.
pub fn validity(ends: Option<UnixTime>, soon: bool, status: CardStatus) -> Vec<String> {
    let end = ends.and_then(|end| date(end.seconds()));
    let soon = if soon { ": it ends soon" } else { "" };
    let end = end.map(|end| format!("The card is valid until {end}{soon}."));
    let known = status.known_at().and_then(|at| moment(at.seconds()));
    let known = known.as_deref().unwrap_or("never");
    let status = match status {
        CardStatus::None => None,
        CardStatus::Valid { .. } => Some(format!("Its issuer stands by it (checked {known}).")),
        CardStatus::NotChecked { .. } => Some(format!(
            "Whether its issuer still stands by it is not checked (last found valid: {known})."
        )),
        CardStatus::Unclear { .. } => Some(format!(
            "Warning: its issuer says something about it that this wallet does not understand (checked {known})."
        )),
        CardStatus::Suspended { .. } => Some(format!(
            "Warning: its issuer has suspended it (checked {known}). Whoever checks it refuses it."
        )),
        CardStatus::Revoked { .. } => Some(format!(
            "Warning: its issuer has revoked it (checked {known}). Whoever checks it refuses it."
        )),
    };
    end.into_iter().chain(status).collect()
}

fn moment(seconds: i64) -> Option<String> {
    let at = jiff::Timestamp::from_second(seconds).ok()?;
    Some(at.strftime("%Y-%m-%d %H:%M UTC").to_string())
}

/// What stays with the person; nothing where they learn everything.
fn not_learned(keeps: &[&str]) -> Option<String> {
    (!keeps.is_empty()).then(|| format!("They will not learn: {}", keeps.join(", ")))
}

/// What is authorised with the answer.
fn describe_approval(approval: &Approval) {
    let Transaction::Payment {
        payee,
        amount,
        currency,
        reference,
    } = &approval.transaction;
    eprintln!("You approve a payment with this: {amount} {currency} to {payee}");
    if let Some(reference) = reference {
        eprintln!("  For: {reference}");
    }
}

/// What is known of who asks, where it is less than a certificate, or more.
fn describe_verifier(verifier: &VerifierIdentity) {
    match &verifier.trust {
        TrustReason::Certificate { .. } | TrustReason::Registered => {}
        TrustReason::Attestation { issuer } => eprintln!("{issuer} vouches for them."),
        TrustReason::Did { did } => eprintln!("Nobody vouches for them. Their DID: {did}"),
        TrustReason::Origin | TrustReason::Address => eprintln!("Nobody vouches for them."),
    }
    match verifier.last_shown_at.and_then(|at| date(at.seconds())) {
        Some(at) => eprintln!("You showed them something on {at}."),
        None => eprintln!("You showed them nothing before."),
    }
}

/// What a register says of them, where it says something.
fn describe_registration(registration: &Registration) {
    match registration {
        Registration::Unknown => {}
        Registration::Unusable { code } => {
            eprintln!("They say they are registered, but that does not hold ({code}).");
        }
        Registration::Registered { purpose, beyond } => {
            if let Some(purpose) = purpose {
                eprintln!("They are registered for: {purpose}");
            }
            if !beyond.is_empty() {
                let names: Vec<&str> = beyond.iter().map(|name| name.as_str()).collect();
                eprintln!(
                    "Warning: they are not registered to ask for {}.",
                    names.join(", ")
                );
            }
        }
    }
}

fn date(seconds: i64) -> Option<String> {
    let at = jiff::Timestamp::from_second(seconds).ok()?;
    Some(at.strftime("%Y-%m-%d").to_string())
}

/// One entry of the history, to stdout.
pub fn print_entry(entry: &HistoryEntry, as_json: bool) -> anyhow::Result<()> {
    if as_json {
        return say_json(entry);
    }
    let result = match &entry.outcome {
        Outcome::Unknown => "may have arrived",
        Outcome::Completed => "done",
        Outcome::Declined => "declined",
        Outcome::Failed { code } => code,
    };
    let facts: Vec<&str> = entry.facts.iter().map(|fact| fact.as_str()).collect();
    let withdrawn = if entry.withdrawn_at.is_some() {
        ", withdrawn"
    } else {
        ""
    };
    let at = jiff::Timestamp::from_second(entry.at.seconds())?;
    let (id, host) = (entry.id.as_str(), &entry.party.host);
    say(&format!(
        "{id}  {at}  {:?}  {host}  {result}{withdrawn}  {}",
        entry.kind,
        facts.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_never_called_valid() {
        let at = UnixTime(1_780_272_000);
        let unknown = validity(None, false, CardStatus::NotChecked { valid_at: None });
        assert_eq!(unknown.len(), 1);
        assert!(unknown[0].contains("not checked (last found valid: never)"));
        let old = CardStatus::NotChecked { valid_at: Some(at) };
        assert!(validity(None, false, old)[0].contains("2026-06-01 00:00 UTC"));
        let revoked = validity(Some(at), true, CardStatus::Revoked { checked_at: at });
        assert!(revoked[0].contains("ends soon") && revoked[1].starts_with("Warning"));
        assert!(validity(None, false, CardStatus::None).is_empty());
    }

    #[test]
    fn a_line_without_an_end_is_not_said() {
        assert_eq!(not_learned(&[]), None);
        let line = not_learned(&["Name", "Birthday"]);
        assert_eq!(line.as_deref(), Some("They will not learn: Name, Birthday"));
    }
}
