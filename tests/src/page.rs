//! Reading the pages that the services render.

use anyhow::{Context, Result};
use reqwest::header::{HeaderMap, LOCATION};
use url::Url;

/// An answer of a service, as text.
#[derive(Debug)]
pub struct Page {
    /// Where it came from.
    pub url: Url,
    /// The HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: String,
}

impl Page {
    /// Where a redirect leads.
    pub fn location(&self) -> Result<Url> {
        let location = self
            .headers
            .get(LOCATION)
            .with_context(|| format!("no redirect: {} {}", self.status, self.body))?;
        Ok(self.url.join(location.to_str()?)?)
    }

    /// The body as JSON.
    pub fn json(&self) -> Result<serde_json::Value> {
        serde_json::from_str(&self.body)
            .with_context(|| format!("{}: {} is not JSON", self.status, self.body))
    }

    /// Whether `mark` stands in the body.
    pub fn has(&self, mark: &str) -> bool {
        self.body.contains(mark)
    }

    /// An attribute of the element in whose opening tag `mark` stands.
    pub fn attribute(&self, mark: &str, name: &str) -> Result<String> {
        let missing = || format!("no {name} of {mark} in {}: {}", self.status, self.body);
        let at = self.body.find(mark).with_context(missing)?;
        let start = self.body[..at].rfind('<').with_context(missing)?;
        let end = at + self.body[at..].find('>').with_context(missing)?;
        let tag = &self.body[start..end];
        let value = tag
            .split(&format!(" {name}=\""))
            .nth(1)
            .and_then(|rest| rest.split('"').next())
            .with_context(missing)?;
        Ok(unescape(value))
    }

    /// The text after `mark` up to the next tag.
    pub fn text_after(&self, mark: &str) -> Result<String> {
        let rest = self
            .body
            .split(mark)
            .nth(1)
            .and_then(|rest| rest.split('<').next())
            .with_context(|| format!("no {mark} in {}: {}", self.status, self.body))?;
        Ok(unescape(rest.trim()))
    }
}

/// The entities that the templates write.
fn unescape(text: &str) -> String {
    [
        ("&#x2f;", "/"),
        ("&#x27;", "'"),
        ("&#x3d;", "="),
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
    fn finds_attributes_and_texts() {
        let page = Page {
            url: Url::parse("http://127.0.0.1/").unwrap(),
            status: 200,
            headers: HeaderMap::new(),
            body: r#"<a class="b" id="go" href="https:&#x2f;&#x2f;w.example?a=1&amp;b=2">Go</a><p id="number">42</p>"#.to_owned(),
        };
        assert_eq!(
            page.attribute("id=\"go\"", "href").unwrap(),
            "https://w.example?a=1&b=2"
        );
        assert_eq!(page.text_after("id=\"number\">").unwrap(), "42");
        assert!(page.attribute("id=\"none\"", "href").is_err());
    }
}
