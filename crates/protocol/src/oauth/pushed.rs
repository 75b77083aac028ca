//! The parameters of a pushed authorization request (RFC 9126).

use super::params::Params;

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

#[cfg(test)]
mod tests {
    use super::*;

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
