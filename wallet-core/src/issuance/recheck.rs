//! Cards out of a backup: that their issuers signed them is the word of a file until it was checked
//! here.

use vouchsafe_credentials::sd_jwt_vc::{IssuerIdentity, IssuerTrust};
use vouchsafe_credentials::time::UnixTime;

use super::issuer::{by_did, remembered};
use crate::WalletError;
use crate::credential::{Acceptance, CardFormat, Held, Record, accept_mdoc, accept_sd_jwt_vc};
use crate::secure_area::KeyHandle;
use crate::wallet::Wallet;

/// Checks every copy of a card as when it came: signature, issuer, type, key. Nothing is fetched for
/// it. `confirmed` is the DID of its issuer, where the person confirmed it elsewhere. `None`: a copy
/// fails, or the wallet does not know what to check it against.
pub(crate) fn recheck(
    wallet: &Wallet,
    record: &Record,
    confirmed: Option<&str>,
) -> Result<Option<IssuerIdentity>, WalletError> {
    let Some(trust) = trust_in(wallet, record, confirmed)? else {
        return Ok(None);
    };
    let copies = 0..record.copies.len();
    let mut issuers = copies.map(|place| signed_by(wallet, record, place, &trust));
    let first = issuers.next().flatten();
    let same = issuers.all(|issuer| issuer == first);
    Ok(first.filter(|_| same))
}

/// What a card, and the list of its status, is checked against; `None`: the wallet does not know its
/// issuer.
pub(crate) fn trust_in(
    wallet: &Wallet,
    record: &Record,
    confirmed: Option<&str>,
) -> Result<Option<IssuerTrust>, WalletError> {
    let issuer = record.credential_issuer.as_str();
    let trust = wallet.trust();
    if record.format == CardFormat::Mdoc {
        return Ok(trust.mdoc_issuer(issuer, &record.vct));
    }
    let known = match trust.issuer(issuer) {
        Some(known) => Some(known.clone()),
        None => {
            let did = remembered(wallet, issuer)?;
            let did = did.or_else(|| confirmed.map(str::to_owned));
            did.map(|did| by_did(issuer, did))
        }
    };
    let known = known.and_then(|known| known.for_type(&record.vct));
    Ok(known.and_then(Result::ok))
}

fn signed_by(
    wallet: &Wallet,
    record: &Record,
    place: usize,
    trust: &IssuerTrust,
) -> Option<IssuerIdentity> {
    let copy = record.copies.get(place)?;
    let held = record.open_copy(place).ok()?;
    let key = KeyHandle {
        id: copy.key.clone(),
        public_key: held.holder_key()?,
    };
    let wanted = Acceptance {
        trust,
        kind: &record.vct,
        now: within(&held, wallet.now()),
        crypto: wallet.crypto(),
    };
    let checked = match record.format {
        CardFormat::SdJwtVc => accept_sd_jwt_vc(&copy.compact, &[&key], &wanted).ok()?.0,
        CardFormat::Mdoc => accept_mdoc(&copy.compact, &[&key], &wanted).ok()?.0,
    };
    Some(checked.issuer().clone())
}

/// Now, or the moment of its validity that is nearest: a card that has ended was signed all the same.
fn within(held: &Held, now: UnixTime) -> UnixTime {
    let last = held.expires_at().map(|end| end.plus(-1));
    let now = last.map_or(now, |last| now.min(last));
    held.valid_from().map_or(now, |start| now.max(start))
}
