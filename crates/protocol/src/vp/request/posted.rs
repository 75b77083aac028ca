//! What a wallet posts to get a request object (OpenID4VP 1.0, section 5.10).

use vouchsafe_credentials::json;

use crate::oauth::params::Params;
use crate::vp::values::Nonce;

/// The form of a wallet that fetches a request by POST.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestForm {
    /// `wallet_nonce`, which comes back in the request object.
    pub wallet_nonce: Option<Nonce>,
}

/// Why such a form is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.description())]
pub enum RequestFormError {
    /// Not a form, or a parameter twice.
    Form,
    /// `wallet_nonce` is none.
    WalletNonce,
    /// `wallet_metadata` is none.
    WalletMetadata,
}

impl RequestFormError {
    /// A sentence for the developer of the wallet.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::Form => "the body is not a well-formed form",
            Self::WalletNonce => "wallet_nonce is malformed",
            Self::WalletMetadata => "wallet_metadata is not a JSON object",
        }
    }
}

impl RequestForm {
    /// Reads the body; an empty one says nothing. `wallet_metadata` is not needed, because every
    /// wallet of the profile reads what we send, but it must be a JSON object whose names occur
    /// once: what cannot be read is not the same as nothing (catalogue 104).
    ///
    /// # Errors
    /// [`RequestFormError`] with the first rule broken.
    pub fn parse(body: &[u8]) -> Result<Self, RequestFormError> {
        let form = Params::parse_body(body).map_err(|_| RequestFormError::Form)?;
        let nonce = form.get("wallet_nonce").map(Nonce::parse).transpose();
        if let Some(metadata) = form.get("wallet_metadata") {
            json::parse_object(metadata.as_bytes())
                .map_err(|_| RequestFormError::WalletMetadata)?;
        }
        Ok(Self {
            wallet_nonce: nonce.map_err(|_| RequestFormError::WalletNonce)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cat_104_what_a_wallet_says_of_itself_is_read_or_refused() {
        let parse = |body: &str| RequestForm::parse(body.as_bytes());
        let nothing = Ok(RequestForm::default());
        for body in [
            "",
            "future=1",
            "wallet_nonce=&wallet_metadata=",
            "wallet_metadata=%7B%7D",
            "wallet_metadata=%7B%22a%22%3A%5B1%5D%7D",
        ] {
            assert_eq!(parse(body), nothing, "{body}");
        }
        let with = parse("wallet_nonce=n-1&wallet_metadata=%7B%7D").unwrap();
        assert_eq!(with.wallet_nonce, Some(Nonce::parse("n-1").unwrap()));
        for body in [
            "wallet_metadata=%7B",
            "wallet_metadata=%5B%5D",
            "wallet_metadata=null",
            "wallet_metadata=%22a%22",
            "wallet_metadata=%7B%22a%22%3A1%2C%22a%22%3A1%7D",
            "wallet_metadata=%7B%22a%22%3A%7B%22b%22%3A1%2C%22b%22%3A2%7D%7D",
            "wallet_metadata=%7B%7D%7B%7D",
        ] {
            assert_eq!(parse(body), Err(RequestFormError::WalletMetadata), "{body}");
        }
        let twice = parse("wallet_nonce=a&wallet_nonce=a");
        assert_eq!(twice, Err(RequestFormError::Form));
        assert_eq!(parse("wallet_nonce=%ff"), Err(RequestFormError::Form));
        let nonce = parse("wallet_nonce=a%20b");
        assert_eq!(nonce, Err(RequestFormError::WalletNonce));
    }
}
