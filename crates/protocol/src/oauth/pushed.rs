//! Pushed authorization requests (RFC 9126): the parameters that a server keeps, and the answer as
//! a client reads it.

use serde::Deserialize;
use vouchsafe_credentials::json;

use super::params::Params;
use crate::http::HttpResponse;

/// What every `request_uri` of ours begins with (RFC 9126, section 2.2).
pub const PREFIX: &str = "urn:ietf:params:oauth:request_uri:";
/// Parameters that authenticate the client and are no part of the request.
const CREDENTIALS: [&str; 3] = ["client_assertion", "client_assertion_type", "client_secret"];

/// The parameters of a request without those that authenticate. `client_id` is the one that was
/// authenticated.
#[must_use]
pub fn without_credentials(params: &Params, client_id: &str) -> String {
    written(params, client_id, |name| !CREDENTIALS.contains(&name))
}

/// The parameters of a request that say something to a server that reads `known`, and nothing
/// else. `client_id` is the one that was authenticated.
#[must_use]
pub fn known(params: &Params, client_id: &str, known: &[&str]) -> String {
    written(params, client_id, |name| known.contains(&name))
}

fn written(params: &Params, client_id: &str, keep: impl Fn(&str) -> bool) -> String {
    let mut text = url::form_urlencoded::Serializer::new(String::new());
    text.append_pair("client_id", client_id);
    for (name, value) in params.iter() {
        if name != "client_id" && keep(name) {
            text.append_pair(name, value);
        }
    }
    text.finish()
}

/// Longest answer of the endpoint that a client reads, in bytes.
const MAX_BYTES: usize = 16 * 1024;
/// Longest `request_uri` that a client sends on, in bytes.
const MAX_REQUEST_URI: usize = 2048;

/// What a client keeps of the answer (RFC 9126, section 2.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// Goes into the authorization request beside `client_id`.
    pub request_uri: String,
    /// How long it is good, in seconds.
    pub expires_in: u64,
}

/// The answer is not one of RFC 9126, section 2.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("malformed answer to a pushed authorization request")]
pub struct MalformedAnswer;

#[derive(Deserialize)]
struct WireAnswer {
    request_uri: String,
    expires_in: u64,
}

impl Pushed {
    /// Reads the answer; unknown members are ignored.
    ///
    /// # Errors
    /// [`MalformedAnswer`], for every status but 201 too.
    pub fn from_response(response: &HttpResponse) -> Result<Self, MalformedAnswer> {
        if response.status != 201 || response.body.len() > MAX_BYTES {
            return Err(MalformedAnswer);
        }
        let value = json::parse_strict(&response.body).map_err(|_| MalformedAnswer)?;
        let WireAnswer {
            request_uri,
            expires_in,
        } = serde_json::from_value(value).map_err(|_| MalformedAnswer)?;
        let printable = request_uri.bytes().all(|b| (0x21..=0x7e).contains(&b));
        // Section 2.2: `expires_in` is a positive number.
        let fits = (1..=MAX_REQUEST_URI).contains(&request_uri.len()) && printable;
        if !fits || expires_in == 0 {
            return Err(MalformedAnswer);
        }
        Ok(Self {
            request_uri,
            expires_in,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_the_endpoint() {
        let read = |status: u16, body: &str| {
            Pushed::from_response(&HttpResponse {
                status,
                headers: crate::http::Headers::new(),
                body: body.as_bytes().to_vec(),
            })
        };
        let good = r#"{"request_uri":"urn:ietf:params:oauth:request_uri:x","expires_in":60,"x":1}"#;
        let pushed = read(201, good).unwrap();
        assert_eq!(pushed.request_uri, format!("{PREFIX}x"));
        assert_eq!(pushed.expires_in, 60);
        assert_eq!(read(200, good), Err(MalformedAnswer));
        let long = format!(
            r#"{{"request_uri":"{}","expires_in":60}}"#,
            "a".repeat(3000)
        );
        for bad in [
            "{}",
            "[]",
            r#"{"request_uri":"","expires_in":60}"#,
            r#"{"request_uri":"urn:x","expires_in":0}"#,
            r#"{"request_uri":"urn:x","expires_in":-1}"#,
            r#"{"request_uri":"urn:x y","expires_in":60}"#,
            r#"{"request_uri":"urn:x"}"#,
            &long,
        ] {
            assert_eq!(read(201, bad), Err(MalformedAnswer), "{bad}");
        }
    }

    #[test]
    fn what_is_kept_of_a_pushed_request() {
        let params = "client_id=evil&client_secret=s&client_assertion=a&scope=openid&x=1";
        let params = Params::parse(params).unwrap();
        assert_eq!(
            without_credentials(&params, "shop"),
            "client_id=shop&scope=openid&x=1"
        );
        assert_eq!(
            known(&params, "shop", &["scope"]),
            "client_id=shop&scope=openid"
        );
    }
}
