//! `vouchsafe wallet present`.

use anyhow::bail;
use serde_json::json;
use vouchsafe_wallet_core::WalletError;
use vouchsafe_wallet_core::consent::Selection;
use vouchsafe_wallet_core::presentation::PresentationError;

use super::arguments::Common;
use super::describe::describe_question;
use super::handle::WalletHandle;
use super::terminal::{say, say_json, yes};

/// Answers a request: shows what is suggested, after the person agreed.
pub async fn present(
    wallet: &WalletHandle,
    common: &Common,
    link: &str,
    agreed: bool,
) -> anyhow::Result<()> {
    let prepared = match wallet.prepare(link, &["en"]).await {
        Ok(prepared) => prepared,
        Err(refused) => {
            if let Some(request) = refused.tell_them
                && may_tell(agreed, || {
                    yes("No card answers. Tell them that you show none?")
                })?
            {
                wallet.tell(request).await;
            }
            return Err(refused.error.into());
        }
    };
    describe_question(&prepared.consent);
    if !agreed && !yes("Show this?")? {
        wallet.decline(prepared.session).await?;
        bail!("nothing was shown");
    }
    let selection: Selection = prepared.consent.suggested.clone();
    let presented = wallet
        .respond(prepared.session, &selection)
        .await
        .map_err(|unanswered| explained(unanswered.error))?;
    let redirect = presented.redirect_uri.as_ref().map(|url| url.as_str());
    match (common.json, redirect) {
        (true, _) => say_json(&json!({ "redirect_uri": redirect, "history": presented.history })),
        (false, Some(url)) => say(&format!("Continue in your browser: {url}")),
        (false, None) => say("Shown."),
    }
}

/// Who agreed to everything before is not asked whether the verifier may hear of it.
fn may_tell(agreed: bool, ask: impl FnOnce() -> anyhow::Result<bool>) -> anyhow::Result<bool> {
    match agreed {
        true => Ok(true),
        false => ask(),
    }
}

/// With what the verifier said, as the verifier's words.
fn explained(error: WalletError) -> anyhow::Error {
    let said = match &error {
        WalletError::Presentation(PresentationError::NotAccepted { said, .. }) => said.clone(),
        _ => None,
    };
    let error = anyhow::Error::from(error);
    match said {
        Some(said) => error.context(format!(
            "the answer was not accepted; the verifier says: {said}"
        )),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_agreed_before_is_not_asked_whether_to_tell() {
        assert!(may_tell(true, || bail!("asked")).unwrap());
        assert!(may_tell(false, || Ok(true)).unwrap());
        assert!(!may_tell(false, || Ok(false)).unwrap());
    }

    #[test]
    fn the_words_of_the_verifier_are_named_as_such() {
        let refused = |said: Option<&str>| {
            let error = PresentationError::NotAccepted {
                status: 400,
                explained_at: None,
                said: said.map(str::to_owned),
            };
            format!("{:#}", explained(error.into()))
        };
        let told = refused(Some("invalid_request: nonce"));
        let expected = "the answer was not accepted; the verifier says: invalid_request: nonce";
        assert!(told.starts_with(expected), "{told}");
        assert!(!refused(None).contains("says"));
    }
}
