//! How a wallet draws the card of a type.
//!
//! ```toml
//! [card]
//! background_color = "#1d3557"
//! text_color = "#ffffff"
//! logo = "data:image/svg+xml;base64,…"            # PNG, JPEG, WebP or SVG
//! logo_alt = { en = "Crest of the club" }         # in the languages of the type
//! background_image = "data:image/png;base64,…"
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use toml::Spanned;

use super::TypeError;
use crate::crypto::sha256;
use crate::encoding::b64url;
use crate::type_metadata::Integrity;
use crate::type_metadata::image::{MAX_IMAGE_BYTES, from_data_uri};

const SVG_URL: &str = "data:image/svg+xml;base64,";

/// `[card]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CardFile {
    background_color: Option<Spanned<String>>,
    text_color: Option<Spanned<String>>,
    logo: Option<Spanned<String>>,
    logo_alt: Option<Spanned<BTreeMap<String, String>>>,
    background_image: Option<Spanned<String>>,
}

/// How a wallet draws the card.
#[derive(Debug, Clone, Default)]
pub struct Card {
    /// `#rrggbb`
    pub background_color: Option<String>,
    /// `#rrggbb`
    pub text_color: Option<String>,
    /// Drawn on the card.
    pub logo: Option<Picture>,
    /// What the logo shows, per locale.
    pub logo_alt: BTreeMap<String, String>,
    /// Drawn behind all.
    pub background_image: Option<Picture>,
}

/// A picture that the issuer serves itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    media_type: &'static str,
    extension: &'static str,
    bytes: Arc<[u8]>,
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Picture({}, {} bytes)",
            self.media_type,
            self.bytes.len()
        )
    }
}

impl Picture {
    /// Reads a `data:` URL in base64. An SVG draws and does nothing else: it has no script, no
    /// events, no foreign content, no entities, and nothing to fetch.
    ///
    /// # Errors
    /// A message for the author of the file.
    pub fn parse(url: &str) -> Result<Self, &'static str> {
        const PROBLEM: &str = "must be a picture as `data:image/png;base64,…` (PNG, JPEG, WebP, SVG), 256 KiB at most";
        let (media_type, extension, bytes) = match url.strip_prefix(SVG_URL) {
            Some(data) if data.len() <= MAX_IMAGE_BYTES.saturating_mul(2) => {
                let bytes = STANDARD.decode(data).map_err(|_| PROBLEM)?;
                check_svg(&bytes)?;
                ("image/svg+xml", "svg", bytes)
            }
            _ => {
                let (kind, bytes) = from_data_uri(url).map_err(|_| PROBLEM)?;
                let media_type = kind.media_type();
                (media_type, media_type.trim_start_matches("image/"), bytes)
            }
        };
        if bytes.len() > MAX_IMAGE_BYTES {
            return Err(PROBLEM);
        }
        Ok(Self {
            media_type,
            extension,
            bytes: bytes.into(),
        })
    }

    /// Its media type.
    #[must_use]
    pub const fn media_type(&self) -> &'static str {
        self.media_type
    }

    /// The picture.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Its name: base64url(SHA-256) and an ending. Another picture has another name.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}.{}", b64url(&sha256(&self.bytes)), self.extension)
    }

    /// Its hash for `uri#integrity`.
    #[must_use]
    pub fn integrity(&self) -> String {
        Integrity::of(&self.bytes)
    }
}

impl Card {
    pub(super) fn read(
        text: &str,
        file: CardFile,
        locales: &BTreeSet<String>,
    ) -> Result<Self, TypeError> {
        let CardFile {
            background_color,
            text_color,
            logo,
            logo_alt,
            background_image,
        } = file;
        let wrong = |at: usize, message: &str| TypeError::at(text, at, message);
        let color = |color: Option<Spanned<String>>| match color {
            Some(color) if !is_color(color.get_ref()) => Err(wrong(
                color.span().start,
                "must be a colour such as `#1d3557`",
            )),
            color => Ok(color.map(Spanned::into_inner)),
        };
        let place = logo.as_ref().map(|logo| logo.span().start);
        let picture = |picture: Option<Spanned<String>>| {
            let parse = |one: Spanned<String>| {
                Picture::parse(one.get_ref()).map_err(|message| wrong(one.span().start, message))
            };
            picture.map(parse).transpose()
        };
        let alt = logo_alt.map(|alt| (alt.span().start, alt.into_inner()));
        let (alt_place, logo_alt) = alt.unwrap_or_default();
        match place {
            // WCAG 2.2, 1.1.1: a picture has a text in its place.
            Some(place) if !logo_alt.keys().eq(locales) => {
                let message = "`logo_alt` says in every language of the type what the logo shows";
                return Err(wrong(place, message));
            }
            None if !logo_alt.is_empty() => {
                return Err(wrong(alt_place, "there is no logo"));
            }
            Some(_) | None => {}
        }
        Ok(Self {
            background_color: color(background_color)?,
            text_color: color(text_color)?,
            logo: picture(logo)?,
            logo_alt,
            background_image: picture(background_image)?,
        })
    }

    /// The pictures.
    pub fn pictures(&self) -> impl Iterator<Item = &Picture> {
        self.logo.iter().chain(&self.background_image)
    }
}

fn is_color(text: &str) -> bool {
    let digits = text.strip_prefix('#');
    digits.is_some_and(|digits| {
        digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

/// Catalogue 33: a picture is not a program.
fn check_svg(bytes: &[u8]) -> Result<(), &'static str> {
    const ACTIVE: [&str; 9] = [
        "<!",
        "<script",
        "<foreignobject",
        "<iframe",
        "<handler",
        "<?xml-stylesheet",
        "javascript:",
        "@import",
        "http-equiv",
    ];
    const PROBLEM: &str = "the SVG does more than draw: scripts, events, references, entities";
    let text = std::str::from_utf8(bytes).map_err(|_| PROBLEM)?;
    let text = text.to_ascii_lowercase();
    let begins = text.trim_start();
    if !(begins.starts_with("<svg") || begins.starts_with("<?xml ") && begins.contains("<svg")) {
        return Err("the SVG does not begin with `<svg`");
    }
    if ACTIVE.iter().any(|active| text.contains(active)) || has_event(&text) {
        return Err(PROBLEM);
    }
    // What is referred to stands in the picture itself.
    let own = |at: usize, rest: &str| match rest.strip_prefix(['"', '\'']) {
        Some(value) => value.starts_with('#'),
        None => at == 0 && rest.starts_with('#'),
    };
    let outside = |mark: &str, unquoted: usize| {
        let mut places = text.match_indices(mark);
        places.any(|(at, mark)| {
            let rest = text
                .get(at.saturating_add(mark.len())..)
                .unwrap_or_default();
            let rest = rest.trim_start().trim_start_matches('=').trim_start();
            !own(unquoted, rest)
        })
    };
    if outside("href", 1) || outside("url(", 0) || text.contains("&#") {
        return Err(PROBLEM);
    }
    Ok(())
}

/// An attribute such as `onload`.
fn has_event(text: &str) -> bool {
    text.match_indices("on").any(|(at, _)| {
        let before = text.get(..at).and_then(|before| before.chars().last());
        let after = text.get(at..).unwrap_or_default();
        let name = after.trim_start_matches(|c: char| c.is_ascii_alphabetic());
        let is_attribute = name.trim_start().starts_with('=');
        is_attribute && before.is_some_and(|c| c.is_whitespace() || matches!(c, '"' | '\'' | '/'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn svg(body: &str) -> Result<Picture, &'static str> {
        Picture::parse(&format!("{SVG_URL}{}", STANDARD.encode(body)))
    }

    #[test]
    fn pictures_are_named_after_what_they_are() {
        let png = STANDARD.encode(b"\x89PNG\r\n\x1a\n....");
        let png = Picture::parse(&format!("data:image/png;base64,{png}")).unwrap();
        assert_eq!(png.media_type(), "image/png");
        assert!(png.name().ends_with(".png") && png.name().len() == 47);
        assert!(png.integrity().starts_with("sha256-"));
        let drawing =
            svg("<svg xmlns=\"http://www.w3.org/2000/svg\"><rect fill=\"url(#a)\"/></svg>");
        assert_eq!(drawing.unwrap().media_type(), "image/svg+xml");
        assert!(svg("<?xml version=\"1.0\"?><svg><use href=\"#a\"/></svg>").is_ok());
    }

    #[test]
    fn a_picture_is_not_a_program() {
        for bad in [
            "",
            "<html><svg/></html>",
            "<svg><script>alert(1)</script></svg>",
            "<svg><SCRIPT/></svg>",
            "<svg onload=\"alert(1)\"/>",
            "<svg\nonload =\"alert(1)\"/>",
            "<svg x=\"\"onload=\"alert(1)\"/>",
            "<!DOCTYPE svg [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><svg>&a;</svg>",
            "<svg><foreignObject/></svg>",
            "<svg><image href=\"https://tracker.example/a.png\"/></svg>",
            "<svg><image xlink:href = 'data:image/svg+xml;base64,AA'/></svg>",
            "<svg><a href=\"javascript:alert(1)\"/></svg>",
            "<svg><a href=\"&#106;avascript:alert(1)\"/></svg>",
            "<svg><style>@import 'https://tracker.example'</style></svg>",
            "<svg style=\"background:url(https://tracker.example)\"/>",
            "<svg style=\"background:url('//tracker.example')\"/>",
        ] {
            assert!(svg(bad).is_err(), "{bad}");
        }
        for bad in [
            "https://club.example/logo.png",
            "logo.png",
            "data:image/png;base64,AAAA",
            "data:text/html;base64,AAAA",
        ] {
            assert!(Picture::parse(bad).is_err(), "{bad}");
        }
        assert!(svg(&format!("<svg>{}</svg>", " ".repeat(MAX_IMAGE_BYTES))).is_err());
    }
}
