//! A browser without a screen: cookies, redirects, links and forms. The
//! headless demo uses it where a person would use theirs.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use url::Url;
use url::form_urlencoded::Serializer;
use vouchsafe_service::fetch::{Fetcher, Limits, Request};

/// Redirects that are followed before giving up.
const MOST_REDIRECTS: usize = 10;

/// A browser with an empty profile.
pub struct Browser {
    fetcher: Arc<Fetcher>,
    /// Cookies by host and name: like every browser it does not look at ports.
    cookies: BTreeMap<(String, String), String>,
}

/// A page that the browser shows.
#[derive(Debug)]
pub struct Page {
    /// Where it came from, after redirects.
    pub url: Url,
    /// The HTTP status.
    pub status: u16,
    /// Its HTML.
    pub html: String,
}

impl Browser {
    /// A new profile.
    pub fn new(fetcher: Arc<Fetcher>) -> Self {
        Self {
            fetcher,
            cookies: BTreeMap::new(),
        }
    }

    /// Opens an address.
    pub async fn open(&mut self, url: &str) -> Result<Page> {
        self.go(Method::GET, Url::parse(url)?, None).await
    }

    /// Sends a form.
    pub async fn submit(&mut self, url: &str, fields: &[(&str, &str)]) -> Result<Page> {
        let body = Serializer::new(String::new()).extend_pairs(fields).finish();
        self.go(Method::POST, Url::parse(url)?, Some(body)).await
    }

    async fn go(
        &mut self,
        mut method: Method,
        mut url: Url,
        mut form: Option<String>,
    ) -> Result<Page> {
        for _ in 0..MOST_REDIRECTS {
            let host = url
                .host_str()
                .context("an address without a host")?
                .to_owned();
            let body = form
                .take()
                .map(|form| (form.into_bytes(), "application/x-www-form-urlencoded"));
            let headers = self.headers(&url, &host, body.is_some())?;
            let request = Request {
                method,
                url: url.as_str(),
                headers,
                body,
                limits: Limits::EXCHANGE,
            };
            let response = self.fetcher.send(request).await?;
            for cookie in response.headers.get_all(header::SET_COOKIE) {
                self.keep(&host, cookie.to_str()?);
            }
            if !matches!(response.status, 301 | 302 | 303 | 307 | 308) {
                let html = String::from_utf8(response.body).context("a page that is not text")?;
                return Ok(Page {
                    url,
                    status: response.status,
                    html,
                });
            }
            ensure!(response.status < 307, "a redirect that would repeat a form");
            let location = response
                .header("location")
                .context("a redirect to nowhere")?;
            url = url.join(location)?;
            method = Method::GET;
        }
        bail!("more than {MOST_REDIRECTS} redirects");
    }

    fn headers(&self, url: &Url, host: &str, form: bool) -> Result<HeaderMap> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static("text/html"));
        let cookies = self.cookies_for(host);
        if !cookies.is_empty() {
            headers.insert(header::COOKIE, HeaderValue::from_str(&cookies)?);
        }
        if form {
            let origin = url.origin().ascii_serialization();
            headers.insert(header::ORIGIN, HeaderValue::from_str(&origin)?);
        }
        Ok(headers)
    }

    fn cookies_for(&self, host: &str) -> String {
        let ours = self.cookies.iter().filter(|((owner, _), _)| owner == host);
        ours.map(|((_, name), value)| format!("{name}={value}"))
            .collect::<Vec<_>>()
            .join("; ")
    }

    fn keep(&mut self, host: &str, cookie: &str) {
        let mut parts = cookie.split(';');
        let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else {
            return;
        };
        let key = (host.to_owned(), name.trim().to_owned());
        let gone = parts.any(|attribute| attribute.trim().eq_ignore_ascii_case("max-age=0"));
        if gone {
            self.cookies.remove(&key);
        } else {
            self.cookies.insert(key, value.trim().to_owned());
        }
    }
}

impl Page {
    /// The address of the link with this `id`.
    pub fn link(&self, id: &str) -> Result<String> {
        let tag = self.tag(id)?;
        let href = attribute(tag, "href").with_context(|| format!("{id} is no link"))?;
        Ok(unescape(href))
    }

    /// The text of the element with this `id`, which holds no other element.
    pub fn text(&self, id: &str) -> Result<String> {
        let tag = self.tag(id)?;
        let start = self.html.find(tag).context("no such element")? + tag.len() + 1;
        let rest = self
            .html
            .get(start..)
            .context("an element without an end")?;
        let end = rest.find('<').context("an element without an end")?;
        Ok(unescape(rest[..end].trim()))
    }

    /// The token of the page's forms.
    pub fn csrf(&self) -> Result<String> {
        let mark = "name=\"csrf\" value=\"";
        let at = self.html.find(mark).context("no form")? + mark.len();
        let token = self.html[at..].split('"').next();
        token.map(unescape).context("no token")
    }

    /// Whether an element with this `id` is on the page.
    pub fn has(&self, id: &str) -> bool {
        self.tag(id).is_ok()
    }

    /// The opening tag with this `id`, without its angle brackets.
    fn tag(&self, id: &str) -> Result<&str> {
        let mark = format!("id=\"{id}\"");
        let at = self
            .html
            .find(&mark)
            .with_context(|| format!("no element {id} on {} ({})", self.url.path(), self.status))?;
        let start = self.html[..at].rfind('<').context("no tag")? + 1;
        let end = at + self.html[at..].find('>').context("no tag")?;
        Ok(&self.html[start..end])
    }
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let start = tag.find(&format!("{name}=\""))? + name.len() + 2;
    tag[start..].split('"').next()
}

/// The entities that the templates write.
fn unescape(text: &str) -> String {
    [
        ("&#x2f;", "/"),
        ("&#x27;", "'"),
        ("&quot;", "\""),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&amp;", "&"),
    ]
    .into_iter()
    .fold(text.to_owned(), |text, (entity, character)| {
        text.replace(entity, character)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_links_and_texts() {
        let page = Page {
            url: Url::parse("http://127.0.0.1/").unwrap(),
            status: 200,
            html: r#"<a class="b" id="go" href="https:&#x2f;&#x2f;w.example?a=1&amp;b=2">Go</a><pre id="out">{&quot;a&quot;: 1}</pre>"#.to_owned(),
        };
        assert_eq!(page.link("go").unwrap(), "https://w.example?a=1&b=2");
        assert_eq!(page.text("out").unwrap(), "{\"a\": 1}");
        assert!(page.link("out").is_err() && page.text("none").is_err() && !page.has("none"));
    }
}
