//! A browser without JavaScript: cookies, forms, links. It follows no redirect by itself.

use std::collections::BTreeMap;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use tower::ServiceExt as _;
use url::form_urlencoded;

/// What it says it is.
const AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn location(&self) -> String {
        self.headers
            .get(header::LOCATION)
            .expect("a redirect")
            .to_str()
            .unwrap()
            .to_owned()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("JSON, not {}", self.body))
    }

    /// The value of an attribute of the first element that contains `mark`.
    pub fn attribute(&self, mark: &str, name: &str) -> Option<String> {
        let at = self.body.find(mark)?;
        let start = self.body[..at].rfind('<')?;
        let element = &self.body[start..start + self.body[start..].find('>')?];
        let value = element
            .split(&format!("{name}=\""))
            .nth(1)?
            .split('"')
            .next()?;
        Some(unescape(value))
    }

    pub fn assert_page(&self, status: StatusCode, text: &str) {
        assert_eq!(self.status, status, "{}", self.body);
        assert!(self.body.contains(text), "no {text:?} in {}", self.body);
        assert_eq!(self.headers[header::REFERRER_POLICY], "no-referrer");
        let policy = self.headers[header::CONTENT_SECURITY_POLICY]
            .to_str()
            .unwrap();
        assert!(
            policy.contains("script-src 'self'") && !policy.contains("unsafe"),
            "{policy}"
        );
        // Browsers apply `form-action` to redirects too, and ours lead to the application.
        assert!(
            policy.contains("frame-ancestors 'none'") && !policy.contains("form-action"),
            "{policy}"
        );
    }
}

fn unescape(text: &str) -> String {
    text.replace("&#x2f;", "/")
        .replace("&#x3d;", "=")
        .replace("&quot;", "\"")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

pub async fn send(router: &Router, request: Request<Body>) -> Answer {
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, 4 << 20).await.unwrap();
    Answer {
        status: parts.status,
        headers: parts.headers,
        body: String::from_utf8(bytes.to_vec()).unwrap(),
    }
}

pub fn form(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish()
}

pub struct Browser {
    router: Router,
    cookies: BTreeMap<String, String>,
    language: &'static str,
    address: Option<&'static str>,
}

impl Browser {
    pub fn new(router: Router) -> Self {
        Self {
            router,
            cookies: BTreeMap::new(),
            language: "en",
            address: None,
        }
    }

    pub fn speaking(mut self, language: &'static str) -> Self {
        self.language = language;
        self
    }

    /// The same browser at an address that the proxy in front tells.
    pub fn from(mut self, address: &'static str) -> Self {
        self.address = Some(address);
        self
    }

    /// The same browser, where the service has started again.
    pub fn at(self, router: Router) -> Self {
        Self { router, ..self }
    }

    /// Another window of the same browser, where this process serves it.
    pub fn window(&self, router: Router) -> Self {
        Self {
            router,
            cookies: self.cookies.clone(),
            ..*self
        }
    }

    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.get(name).map(String::as_str)
    }

    pub fn cookies(&self) -> &BTreeMap<String, String> {
        &self.cookies
    }

    pub fn set_cookie(&mut self, name: &str, value: &str) {
        self.cookies.insert(name.to_owned(), value.to_owned());
    }

    pub async fn get(&mut self, address: &str) -> Answer {
        self.send(Method::GET, address, None).await
    }

    pub async fn post(&mut self, address: &str, fields: &[(&str, &str)]) -> Answer {
        self.send(Method::POST, address, Some(form(fields))).await
    }

    /// What a script of a page sends: JSON, with the token of the page in a header.
    pub async fn post_json(
        &mut self,
        address: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let path = address.strip_prefix(super::OP).unwrap_or(address);
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let mut request = Request::post(path);
        if !cookies.is_empty() {
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(address) = self.address {
            request = request.header("x-forwarded-for", address);
        }
        let request = request
            .header(header::USER_AGENT, AGENT)
            .body(Body::from(body.to_owned()));
        send(&self.router, request.unwrap()).await
    }

    async fn send(&mut self, method: Method, address: &str, body: Option<String>) -> Answer {
        let path = address.strip_prefix(super::OP).unwrap_or(address);
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::ACCEPT_LANGUAGE, self.language)
            .header(header::USER_AGENT, AGENT);
        if let Some(address) = self.address {
            request = request.header("x-forwarded-for", address);
        }
        if !cookies.is_empty() {
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        let request = match body {
            Some(body) => request
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(Body::from(body)),
            None => request.body(Body::empty()),
        };
        let answer = send(&self.router, request.unwrap()).await;
        for line in answer.headers.get_all(header::SET_COOKIE) {
            self.keep(line.to_str().unwrap());
        }
        answer
    }

    fn keep(&mut self, line: &str) {
        let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
        // People arrive from elsewhere, but nobody's numbers are read from there.
        let same_site = match name {
            "vs_op_numbers" => "SameSite=Strict",
            _ => "SameSite=Lax",
        };
        let gone = value.is_empty();
        assert!(
            line.contains("HttpOnly") && (gone || line.contains(same_site)),
            "{line}"
        );
        if value.is_empty() {
            self.cookies.remove(name);
        } else {
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }
}
