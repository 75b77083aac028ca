//! A browser without JavaScript: cookies and forms. It follows a redirect
//! only when it is told to, so that a test sees every step.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use reqwest::header::{ACCEPT, CONTENT_TYPE, COOKIE, ORIGIN, SET_COOKIE, USER_AGENT};
use reqwest::{Client, Method};
use url::form_urlencoded::Serializer;
use url::{Origin, Url};

use crate::page::Page;

const MOST_REDIRECTS: usize = 12;
const NAME: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

/// A browser with a profile of its own.
#[derive(Clone, Debug)]
pub struct Browser {
    client: Client,
    // By host and name: like every browser it does not look at ports.
    cookies: BTreeMap<(String, String), String>,
    // Its cookies are its own affair.
    application: Option<Origin>,
}

impl Browser {
    /// A new profile. `client` must not follow redirects.
    pub fn new(client: Client) -> Self {
        Self {
            client,
            cookies: BTreeMap::new(),
            application: None,
        }
    }

    /// The same, to visit an application that we did not write: nobody judges its cookies.
    #[must_use]
    pub fn visiting(self, application: &Url) -> Self {
        Self {
            application: Some(application.origin()),
            ..self
        }
    }

    /// Opens an address.
    pub async fn get(&mut self, url: &str) -> Result<Page> {
        self.send(Method::GET, Url::parse(url)?, None).await
    }

    /// Sends a form.
    pub async fn post(&mut self, url: &str, fields: &[(&str, &str)]) -> Result<Page> {
        let body = Serializer::new(String::new()).extend_pairs(fields).finish();
        let form = ("application/x-www-form-urlencoded", body);
        self.send(Method::POST, Url::parse(url)?, Some(form)).await
    }

    /// Sends a form with a text file (RFC 7578).
    pub async fn upload(
        &mut self,
        url: &str,
        fields: &[(&str, &str)],
        (name, file): (&str, &str),
    ) -> Result<Page> {
        const KIND: &str = "multipart/form-data; boundary=----a-boundary-of-tests";
        let start = "------a-boundary-of-tests\r\nContent-Disposition: form-data; name=";
        let mut body: String = fields
            .iter()
            .map(|(name, value)| format!("{start}\"{name}\"\r\n\r\n{value}\r\n"))
            .collect();
        body += &format!(
            "{start}\"{name}\"; filename=\"{name}.csv\"\r\nContent-Type: text/csv\r\n\r\n{file}\r\n------a-boundary-of-tests--\r\n"
        );
        let form = (KIND, body);
        self.send(Method::POST, Url::parse(url)?, Some(form)).await
    }

    /// Opens an address and follows redirects as long as they stay at its origin.
    pub async fn open(&mut self, url: &str) -> Result<Page> {
        let page = self.get(url).await?;
        self.follow(page, |from, to| from.origin() == to.origin())
            .await
    }

    /// Opens an address and follows redirects wherever they lead.
    pub async fn travel(&mut self, url: &str) -> Result<Page> {
        let page = self.get(url).await?;
        self.follow(page, |_, _| true).await
    }

    /// Follows the redirects that `may` be followed, from one address to the next.
    pub async fn follow(&mut self, mut page: Page, may: fn(&Url, &Url) -> bool) -> Result<Page> {
        for _ in 0..MOST_REDIRECTS {
            if !(300..400).contains(&page.status) {
                break;
            }
            let next = page.location()?;
            if !may(&page.url, &next) {
                break;
            }
            page = self.get(next.as_str()).await?;
        }
        Ok(page)
    }

    /// The value of a cookie.
    pub fn cookie(&self, host: &str, name: &str) -> Option<&str> {
        let key = (host.to_owned(), name.to_owned());
        self.cookies.get(&key).map(String::as_str)
    }

    async fn send(
        &mut self,
        method: Method,
        url: Url,
        form: Option<(&'static str, String)>,
    ) -> Result<Page> {
        let host = url.host_str().context("no host")?.to_owned();
        let mut request = self
            .client
            .request(method, url.clone())
            .header(ACCEPT, "text/html")
            .header(USER_AGENT, NAME);
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .filter(|((owner, _), _)| *owner == host)
            .map(|((_, name), value)| format!("{name}={value}"))
            .collect();
        if !cookies.is_empty() {
            request = request.header(COOKIE, cookies.join("; "));
        }
        if let Some((kind, body)) = form {
            request = request
                .header(ORIGIN, url.origin().ascii_serialization())
                .header(CONTENT_TYPE, kind)
                .body(body);
        }
        let response = request.send().await?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        for line in headers.get_all(SET_COOKIE) {
            self.keep(&url, line.to_str()?)?;
        }
        let body = response.text().await?;
        Ok(Page {
            url,
            status,
            headers,
            body,
        })
    }

    fn keep(&mut self, url: &Url, line: &str) -> Result<()> {
        let mut parts = line.split(';').map(str::trim);
        let (name, value) = parts
            .next()
            .and_then(|pair| pair.split_once('='))
            .context("a cookie without a name")?;
        let attributes: Vec<String> = parts.map(str::to_ascii_lowercase).collect();
        let says = |wanted: &str| attributes.iter().any(|attribute| attribute == wanted);
        if self.application.as_ref() != Some(&url.origin()) {
            ensure!(says("httponly"), "a script can read {name}");
            ensure!(
                says("secure") == (url.scheme() == "https"),
                "{name} and {}: {attributes:?}",
                url.scheme()
            );
        }
        let key = (
            url.host_str().unwrap_or_default().to_owned(),
            name.to_owned(),
        );
        if says("max-age=0") || value.is_empty() {
            self.cookies.remove(&key);
        } else {
            self.cookies.insert(key, value.to_owned());
        }
        Ok(())
    }
}
