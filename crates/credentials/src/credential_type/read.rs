//! From the text of a file to a [`CredentialType`].

mod mistakes;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value};
use toml::Spanned;

use super::card::{Card, CardFile};
use super::formats::{MdocFile, MdocFormat, W3cFile, W3cFormat};
use super::shape::Shape;
use super::{ClaimKind, ClaimSpec, CredentialType, Disclosability, Display, TypeError};
use crate::sd_jwt::{ClaimPath, Frame, PathElement, is_reserved};

/// Every element of an array, in a path of the file.
const EVERY_ELEMENT: &str = "[]";
/// Claims the issuer sets itself.
const SET_BY_ISSUER: [&str; 9] = [
    "iss",
    "iat",
    "nbf",
    "exp",
    "cnf",
    "vct",
    "vct#integrity",
    "aka_vcts",
    "status",
];
const DAY_S: i64 = 24 * 60 * 60;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TypeFile {
    id: Spanned<String>,
    vct: Spanned<String>,
    format: Spanned<String>,
    validity_days: Spanned<i64>,
    status: bool,
    key_binding: Spanned<bool>,
    #[serde(default)]
    decoys: u8,
    display: Spanned<BTreeMap<String, Texts>>,
    #[serde(default)]
    claim: Vec<ClaimFile>,
    mdoc: Option<MdocFile>,
    w3c: Option<Spanned<W3cFile>>,
    card: Option<CardFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Texts {
    name: String,
    description: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClaimFile {
    path: Spanned<Vec<String>>,
    #[serde(rename = "type")]
    kind: ClaimKind,
    sd: Disclosability,
    #[serde(default)]
    required: bool,
    #[serde(default)]
    filled: bool,
    display: Spanned<BTreeMap<String, String>>,
}

impl CredentialType {
    /// Reads a file.
    ///
    /// # Errors
    /// [`TypeError`] with the place in the file.
    pub fn from_toml(text: &str) -> Result<Self, TypeError> {
        let file: TypeFile = toml::from_str(text).map_err(|error| {
            let offset = error.span().map_or(0, |span| span.start);
            TypeError::at(text, offset, error.message())
        })?;
        let TypeFile {
            id,
            vct,
            format,
            validity_days,
            status,
            key_binding,
            decoys,
            display,
            claim,
            mdoc,
            w3c,
            card,
        } = file;
        let reader = Reader { text };
        reader.check_id(&id)?;
        reader.check(
            &vct,
            |vct| is_collision_resistant(vct),
            "must be a URI (a collision-resistant name)",
        )?;
        reader.check(
            &format,
            |format| format == "dc+sd-jwt",
            "only \"dc+sd-jwt\" is supported",
        )?;
        reader.check(
            &validity_days,
            |days| (1..=36_500).contains(days),
            "must be 1 to 36500",
        )?;
        // ISO/IEC 18013-5:2021, section 9.1.2.4: `deviceKeyInfo` is mandatory.
        reader.check(
            &key_binding,
            |bound| *bound || mdoc.is_none(),
            "an mdoc is always bound to a key",
        )?;
        let locales = reader.locales(&display)?;
        let card = card
            .map(|card| Card::read(text, card, &locales))
            .transpose()?;
        let (claims, shape) = reader.claims(claim, &locales)?;
        let decoys = usize::from(decoys);
        let mdoc = mdoc.map(|mdoc| MdocFormat::read(text, mdoc, &claims, &shape));
        let w3c = w3c.map(|w3c| {
            let place = w3c.span().start;
            W3cFormat::read(w3c.into_inner(), &claims, decoys)
                .map_err(|message| TypeError::at(text, place, message))
        });
        Ok(Self {
            id: id.into_inner(),
            vct: vct.into_inner(),
            format: format.into_inner(),
            display: type_display(display.into_inner()),
            card: card.unwrap_or_default(),
            validity_s: validity_days.into_inner() * DAY_S,
            status,
            key_binding: key_binding.into_inner(),
            frame: Arc::new(frame(&claims, decoys, &[])),
            claims,
            shape,
            mdoc: mdoc.transpose()?,
            w3c: w3c.transpose()?,
        })
    }
}

impl CredentialType {
    /// Reads a description that has the members of a file, as JSON; the text is that of a file.
    ///
    /// # Errors
    /// [`TypeError`] with a place in that text.
    pub fn from_json(definition: &Map<String, Value>) -> Result<(Self, String), TypeError> {
        let wrong = |message: String| TypeError::at("", 0, message);
        let table = toml::Table::try_from(definition).map_err(|error| wrong(error.to_string()))?;
        let text = toml::to_string(&table).map_err(|error| wrong(error.to_string()))?;
        Ok((Self::from_toml(&text)?, text))
    }

    /// The members of a file as JSON.
    ///
    /// # Errors
    /// [`TypeError`] where the text is not TOML.
    pub fn definition(text: &str) -> Result<Map<String, Value>, TypeError> {
        toml::from_str(text).map_err(|error| {
            let offset = error.span().map_or(0, |span| span.start);
            TypeError::at(text, offset, error.message())
        })
    }
}

struct Reader<'t> {
    text: &'t str,
}

impl Reader<'_> {
    fn error<T>(&self, at: &Spanned<T>, message: impl Into<String>) -> TypeError {
        TypeError::at(self.text, at.span().start, message)
    }

    fn check<T>(
        &self,
        value: &Spanned<T>,
        holds: impl Fn(&T) -> bool,
        message: &str,
    ) -> Result<(), TypeError> {
        if holds(value.get_ref()) {
            Ok(())
        } else {
            Err(self.error(value, message))
        }
    }

    fn check_id(&self, id: &Spanned<String>) -> Result<(), TypeError> {
        let allowed =
            |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
        let holds = |id: &String| !id.is_empty() && id.len() <= 64 && id.bytes().all(allowed);
        self.check(id, holds, "must be 1 to 64 of a-z, 0-9, `-`, `_`")
    }

    /// The languages of the type; every other text must have the same ones.
    fn locales(
        &self,
        display: &Spanned<BTreeMap<String, Texts>>,
    ) -> Result<BTreeSet<String>, TypeError> {
        let texts = display.get_ref();
        if !texts.contains_key("en") {
            return Err(self.error(display, "there must be texts for `en`"));
        }
        if let Some((locale, _)) = texts.iter().find(|(_, texts)| texts.name.is_empty()) {
            return Err(self.error(display, format!("the name for `{locale}` is empty")));
        }
        Ok(texts.keys().cloned().collect())
    }

    fn claims(
        &self,
        files: Vec<ClaimFile>,
        locales: &BTreeSet<String>,
    ) -> Result<(Vec<ClaimSpec>, Shape), TypeError> {
        let mut claims = Vec::with_capacity(files.len());
        let mut shape = Shape::default();
        let mut places = Vec::with_capacity(files.len());
        for file in files {
            let ClaimFile {
                path,
                kind,
                sd,
                required,
                filled,
                display,
            } = file;
            let spec = ClaimSpec {
                path: self.path(&path)?,
                kind,
                sd,
                required,
                filled,
                display: self.claim_display(display, locales)?,
            };
            shape
                .add(&spec)
                .map_err(|message| self.error(&path, message))?;
            places.push(path.span().start);
            claims.push(spec);
        }
        for (spec, place) in claims.iter().zip(places) {
            if let Some(message) = shape.incomplete(spec) {
                return Err(TypeError::at(self.text, place, message));
            }
        }
        Ok((claims, shape))
    }

    fn path(&self, path: &Spanned<Vec<String>>) -> Result<ClaimPath, TypeError> {
        let names = path.get_ref();
        let Some(first) = names.first() else {
            return Err(self.error(path, "the path is empty"));
        };
        if SET_BY_ISSUER.contains(&first.as_str()) {
            return Err(self.error(path, format!("`{first}` is set by the issuer itself")));
        }
        if first == EVERY_ELEMENT {
            return Err(self.error(path, "the path starts with a member name"));
        }
        if let Some(name) = names.iter().find(|name| is_reserved(name)) {
            return Err(self.error(path, format!("`{name}` is reserved")));
        }
        let element = |name: &String| match name.as_str() {
            EVERY_ELEMENT => PathElement::Any,
            key => PathElement::Key(key.to_owned()),
        };
        Ok(ClaimPath::new(names.iter().map(element).collect()))
    }

    fn claim_display(
        &self,
        display: Spanned<BTreeMap<String, String>>,
        locales: &BTreeSet<String>,
    ) -> Result<Display, TypeError> {
        let has = |locale: &&String| {
            display
                .get_ref()
                .get(*locale)
                .is_some_and(|t| !t.is_empty())
        };
        if let Some(missing) = locales.iter().find(|locale| !has(locale)) {
            return Err(self.error(&display, format!("there is no text for `{missing}`")));
        }
        if let Some(extra) = display.get_ref().keys().find(|l| !locales.contains(*l)) {
            let message = format!("the type itself has no texts for `{extra}`");
            return Err(self.error(&display, message));
        }
        Ok(Display {
            names: display.into_inner(),
            descriptions: BTreeMap::new(),
        })
    }
}

fn type_display(texts: BTreeMap<String, Texts>) -> Display {
    let mut display = Display::default();
    for (locale, Texts { name, description }) in texts {
        if let Some(description) = description {
            display.descriptions.insert(locale.clone(), description);
        }
        display.names.insert(locale, name);
    }
    display
}

/// SD-JWT VC, "`vct` Claim": a collision-resistant name; here always a URI.
fn is_collision_resistant(vct: &str) -> bool {
    vct.split_once(':').is_some_and(|(scheme, rest)| {
        !scheme.is_empty()
            && scheme
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'-' || b == b'.')
            && !rest.is_empty()
            && rest.bytes().all(|b| b.is_ascii_graphic())
    })
}

/// What is hidden where the claims stand below `place`.
pub(super) fn frame(claims: &[ClaimSpec], decoys: usize, place: &[PathElement]) -> Frame {
    let hidden = || {
        let hidden = claims.iter().filter(|one| one.sd == Disclosability::Always);
        hidden.map(|one| ClaimPath::new([place, one.path.elements()].concat()))
    };
    let mut frame = Frame::new();
    for path in hidden() {
        frame = frame
            .hide_if_present(&path)
            .expect("the paths of a type are not empty");
    }
    if decoys > 0 {
        let parents: BTreeSet<ClaimPath> = hidden().filter_map(|path| object_of(&path)).collect();
        for parent in parents {
            frame = frame.decoys(&parent, decoys);
        }
    }
    frame
}

/// The object a member stands in.
fn object_of(path: &ClaimPath) -> Option<ClaimPath> {
    match path.elements().split_last() {
        Some((PathElement::Key(_), parent)) => Some(ClaimPath::new(parent.to_vec())),
        Some(_) | None => None,
    }
}
