//! Cookies: one way to write them, one way to read them.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header};

use crate::config::PublicUrl;

/// Whether a cookie goes along when another site sends the browser here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SameSite {
    /// Only on links and redirects.
    Lax,
    /// Never.
    Strict,
}

/// More than one cookie of a name: somebody planted one, so none is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the cookie is there more than once")]
pub struct DuplicateCookie;

/// How cookies of a service are named and written.
///
/// Under https every cookie is `__Host-` + name and `Secure`; on loopback http it is the plain
/// name, which must begin with the service's own prefix because ports share cookies.
#[derive(Debug, Clone, Copy)]
pub struct CookiePolicy {
    https: bool,
    /// The port in the names, under http.
    port: Option<u16>,
}

impl CookiePolicy {
    /// The policy for a public address.
    pub fn new(public_url: &PublicUrl) -> Self {
        Self {
            https: public_url.is_https(),
            port: None,
        }
    }

    /// The same for a service that shares its host with strangers: under http its port is in the
    /// names, because browsers send a cookie to every port of a host and let each of them replace it.
    pub fn with_port(public_url: &PublicUrl) -> Self {
        let origin = public_url.origin();
        let port = origin
            .rsplit_once(':')
            .and_then(|(_, port)| port.parse().ok());
        Self {
            port: Some(port.unwrap_or(80)),
            ..Self::new(public_url)
        }
    }

    /// A `Set-Cookie` value: `HttpOnly`, `Path=/`. Without `lifetime` the cookie ends with the
    /// browser session. `value` is a token or base64url; anything else is dropped from it.
    pub fn set(
        &self,
        name: &str,
        value: &str,
        lifetime: Option<Duration>,
        same_site: SameSite,
    ) -> HeaderValue {
        let mut text = self.full_name(name);
        text.push('=');
        text.extend(value.chars().filter(|c| is_cookie_char(*c)));
        text.push_str("; Path=/; HttpOnly; SameSite=");
        text.push_str(match same_site {
            SameSite::Lax => "Lax",
            SameSite::Strict => "Strict",
        });
        if self.https {
            text.push_str("; Secure");
        }
        if let Some(lifetime) = lifetime {
            text.push_str(&format!("; Max-Age={}", lifetime.as_secs()));
        }
        HeaderValue::from_str(&text).expect("a cookie of visible ASCII is a header value")
    }

    /// A `Set-Cookie` value that removes the cookie.
    pub fn clear(&self, name: &str) -> HeaderValue {
        self.set(name, "", Some(Duration::ZERO), SameSite::Lax)
    }

    /// The value of a cookie of a request; an empty value counts as none.
    pub fn get(&self, headers: &HeaderMap, name: &str) -> Result<Option<String>, DuplicateCookie> {
        let name = self.full_name(name);
        let mut found = None;
        for line in headers.get_all(header::COOKIE) {
            // Bytes that are not ASCII belong to no cookie of ours.
            let line = line.to_str().unwrap_or_default();
            for (own, value) in line.split(';').filter_map(|pair| pair.split_once('=')) {
                if own.trim() != name {
                    continue;
                }
                if found.is_some() {
                    return Err(DuplicateCookie);
                }
                found = Some(value.trim().to_owned());
            }
        }
        Ok(found.filter(|value| !value.is_empty()))
    }

    fn full_name(&self, name: &str) -> String {
        debug_assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'));
        match (self.https, self.port) {
            (true, _) => format!("__Host-{name}"),
            (false, Some(port)) => format!("{name}_{port}"),
            (false, None) => name.to_owned(),
        }
    }
}

/// RFC 6265, section 4.1.1, without the characters that some servers treat specially.
fn is_cookie_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~' | '!')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(url: &str) -> CookiePolicy {
        CookiePolicy::new(&url.parse().unwrap())
    }

    fn request(cookies: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in cookies {
            headers.append(header::COOKIE, HeaderValue::from_str(line).unwrap());
        }
        headers
    }

    #[test]
    fn https_cookies_are_host_bound_and_secure() {
        let policy = policy("https://op.example");
        let minute = Some(Duration::from_secs(60));
        assert_eq!(
            policy.set("vs_op_session", "abc", minute, SameSite::Lax),
            "__Host-vs_op_session=abc; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=60"
        );
        // A plain cookie of the name, planted by a sibling domain, is not ours.
        let headers = request(&["vs_op_session=planted"]);
        assert_eq!(policy.get(&headers, "vs_op_session"), Ok(None));
    }

    #[test]
    fn loopback_cookies_have_plain_names() {
        let policy = policy("http://127.0.0.1:4001");
        assert_eq!(
            policy.set("vs_op_session", "abc", None, SameSite::Strict),
            "vs_op_session=abc; Path=/; HttpOnly; SameSite=Strict"
        );
        let headers = request(&["vs_shop_session=1; vs_op_session=abc"]);
        let found = policy.get(&headers, "vs_op_session");
        assert_eq!(found, Ok(Some("abc".into())));
    }

    #[test]
    fn a_cookie_of_another_port_is_another_cookie() {
        let own = CookiePolicy::with_port(&"http://127.0.0.1:4010".parse().unwrap());
        let other = CookiePolicy::with_port(&"http://127.0.0.1:4011".parse().unwrap());
        let set = own.set("vs_wallet_session", "abc", None, SameSite::Lax);
        assert_eq!(
            set,
            "vs_wallet_session_4010=abc; Path=/; HttpOnly; SameSite=Lax"
        );
        let headers = request(&["vs_wallet_session=x; vs_wallet_session_4011=y"]);
        assert_eq!(own.get(&headers, "vs_wallet_session"), Ok(None));
        let found = other.get(&headers, "vs_wallet_session");
        assert_eq!(found, Ok(Some("y".into())));
        let https = CookiePolicy::with_port(&"https://wallet.example:8443".parse().unwrap());
        let set = https.set("vs_wallet_session", "abc", None, SameSite::Lax);
        assert!(
            set.to_str()
                .unwrap()
                .starts_with("__Host-vs_wallet_session=abc;")
        );
        let plain = CookiePolicy::with_port(&"http://localhost".parse().unwrap());
        let set = plain.set("vs_wallet_session", "abc", None, SameSite::Lax);
        assert!(
            set.to_str()
                .unwrap()
                .starts_with("vs_wallet_session_80=abc;")
        );
    }

    #[test]
    fn a_doubled_cookie_is_refused() {
        let policy = policy("http://127.0.0.1:4001");
        for cookies in [
            &["vs_op_s=1; vs_op_s=2"][..],
            &["vs_op_s=1", "vs_op_s=1"][..],
        ] {
            let found = policy.get(&request(cookies), "vs_op_s");
            assert_eq!(found, Err(DuplicateCookie));
        }
    }

    #[test]
    fn cat_118_no_header_can_be_smuggled_into_a_cookie() {
        let value = "x\r\nSet-Cookie: b=1; Domain=evil";
        assert_eq!(
            policy("https://op.example").set("a", value, None, SameSite::Lax),
            "__Host-a=xSet-Cookieb1Domainevil; Path=/; HttpOnly; SameSite=Lax; Secure"
        );
    }
}
