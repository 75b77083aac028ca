//! The way back from the provider (OpenID Connect Core 1.0, sections 3.1.2.5 to 3.1.2.7).

use std::collections::HashMap;

use zeroize::Zeroizing;

use super::{UpstreamError, error_code};

/// Longest query that is looked at, in bytes.
const LONGEST: usize = 16 * 1024;

/// What the browser brought back.
pub struct Callback {
    pub(super) redirect_uri: String,
    pub(super) state: String,
    pub(super) iss: Option<String>,
    pub(super) outcome: Result<Zeroizing<String>, String>,
}

impl Callback {
    /// Reads the query of the redirection. Every parameter occurs once. `redirect_uri` is the
    /// address of ours that the browser came to, without the query: it says whose answer this is
    /// (RFC 9700, section 4.4.2.2).
    ///
    /// # Errors
    /// [`UpstreamError::Callback`].
    pub fn parse(redirect_uri: &str, query: &str) -> Result<Self, UpstreamError> {
        if query.len() > LONGEST {
            return Err(UpstreamError::Callback);
        }
        let mut found: HashMap<String, String> = HashMap::new();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            // RFC 6749, section 3.1: a repeated parameter is an error.
            if found
                .insert(name.into_owned(), value.into_owned())
                .is_some()
            {
                return Err(UpstreamError::Callback);
            }
        }
        let mut take = |name: &str| found.remove(name).filter(|value| !value.is_empty());
        let state = take("state").ok_or(UpstreamError::Callback)?;
        let outcome = match (take("code"), take("error")) {
            (Some(code), None) => Ok(Zeroizing::new(code)),
            (None, Some(error)) => Err(error_code(&error)),
            (Some(_), Some(_)) | (None, None) => return Err(UpstreamError::Callback),
        };
        Ok(Self {
            redirect_uri: redirect_uri.to_owned(),
            state,
            iss: take("iss"),
            outcome,
        })
    }

    /// The `state`: it says which sign-in this may be the end of.
    pub fn state(&self) -> &str {
        &self.state
    }
}

impl std::fmt::Debug for Callback {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.outcome {
            Ok(_) => "Callback(code)",
            Err(_) => "Callback(error)",
        })
    }
}
