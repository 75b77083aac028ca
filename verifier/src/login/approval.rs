//! `authorization_details` of a request (RFC 9396): which transaction a person is to approve.

use serde_json::Value;
use vouchsafe_credentials::json::parse_strict;
use vouchsafe_credentials::random;
use vouchsafe_protocol::oauth::error::{ErrorCode, OAuthError};

use crate::app::Parts;
use crate::config::Client;
use crate::domain::approval::Approval;
use crate::journeys::Loaded;

/// The transaction of a request, where it brings one. A journey that has one signed wants one, and nothing
/// else takes one: what nobody is shown nobody approves.
pub fn of_request(
    app: &Parts,
    client: &Client,
    text: Option<&str>,
    served: Option<&Loaded>,
) -> Result<Option<Approval>, OAuthError> {
    let approves = served.is_some_and(Loaded::approves);
    let Some(text) = text else {
        return match approves {
            false => Ok(None),
            true => Err(OAuthError::invalid_request(
                "authorization_details is missing",
            )),
        };
    };
    let approval = read(text, random::token(app.rng.as_ref()));
    let approval = approval.filter(|approval| client.approvals.contains(&approval.kind()));
    match approval.filter(|_| approves) {
        Some(approval) => Ok(Some(approval)),
        // RFC 9396, section 5: unknown types, and details that are not as their type says.
        None => Err(ErrorCode::InvalidAuthorizationDetails.into()),
    }
}

/// Rule of our own: one login approves one transaction.
fn read(text: &str, id: String) -> Option<Approval> {
    let value = parse_strict(text.as_bytes()).ok()?;
    let Value::Array(mut list) = value else {
        return None;
    };
    match (list.pop(), list.is_empty()) {
        (Some(Value::Object(object)), true) => Approval::read(object, id).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"[{"type":"payment","payee":"Shop","amount":"12.50","currency":"EUR"}]"#;

    #[test]
    fn rfc_9396_section_5_what_is_not_as_its_type_says_is_refused() {
        let id = || "0123456789abcdefghij".to_owned();
        assert!(read(GOOD, id()).is_some());
        for (from, to) in [
            ("\"payment\"", "\"openid_credential\""),
            ("\"payment\"", "7"),
            ("\"type\":\"payment\",", ""),
            ("\"12.50\"", "12.50"),
            ("\"EUR\"", "\"EUR\",\"locations\":[]"),
            ("\"EUR\"", "\"EUR\",\"transaction_data\":\"x\""),
            (
                "\"EUR\"",
                "\"EUR\",\"transaction_id\":\"0123456789abcdefghij\"",
            ),
            ("\"payee\":\"Shop\",", ""),
            ("[{", "[{},{"),
            ("}]", "},{}]"),
            ("[{", "["),
            ("[", ""),
            ("\"amount\"", "\"payee\":\"Other\",\"amount\""),
        ] {
            let text = GOOD.replacen(from, to, 1);
            assert!(read(&text, id()).is_none(), "{text}");
        }
        for text in ["", "null", "[]", "{}", "[null]"] {
            assert!(read(text, id()).is_none(), "{text}");
        }
    }
}
