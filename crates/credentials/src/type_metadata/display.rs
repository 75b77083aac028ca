//! How a type is shown (SD-JWT VC, "Display Metadata").

use serde_json::{Map, Value};

use super::document::{array, object, optional_text, text};
use super::{Integrity, TypeMetadataError};
use crate::text::PlainText;

/// Longest accepted address of a picture: `data:` addresses hold the picture.
const MAX_URI_BYTES: usize = 256 * 1024;

/// A type in one language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeDisplay {
    /// Language tag (RFC 5646), as written.
    pub locale: String,
    /// Name for persons.
    pub name: PlainText,
    /// Description for persons.
    pub description: Option<PlainText>,
    /// How to show it without a template.
    pub simple: Option<Simple>,
    /// Templates, which this system does not render.
    pub svg_templates: Vec<SvgTemplate>,
}

/// Rendering method `simple`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Simple {
    /// Logo, with its alternative text.
    pub logo: Option<(Resource, Option<PlainText>)>,
    /// Picture in the background.
    pub background_image: Option<Resource>,
    /// `#rrggbb`
    pub background_color: Option<String>,
    /// `#rrggbb`
    pub text_color: Option<String>,
}

/// Rendering method `svg_templates`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SvgTemplate {
    /// Where it is.
    pub resource: Resource,
    /// `portrait` or `landscape`
    pub orientation: Option<String>,
    /// `light` or `dark`
    pub color_scheme: Option<String>,
    /// `normal` or `high`
    pub contrast: Option<String>,
}

/// A picture: an `https:` address or a `data:` one, never anything else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// The address.
    pub uri: String,
    /// Its expected hash.
    pub integrity: Option<Integrity>,
}

impl TypeDisplay {
    pub(super) fn read(value: &Value) -> Result<Self, TypeMetadataError> {
        let display = object(value, "display")?;
        let rendering = match display.get("rendering") {
            Some(rendering) => object(rendering, "rendering")?.clone(),
            None => Map::new(),
        };
        let templates = match rendering.get("svg_templates") {
            Some(templates) => array(templates, "svg_templates")?,
            None => &[],
        };
        let svg_templates: Vec<_> = templates
            .iter()
            .map(SvgTemplate::read)
            .collect::<Result<_, _>>()?;
        // "SVG Templates": properties are required where there is a choice.
        if svg_templates.len() > 1 && svg_templates.iter().any(SvgTemplate::is_bare) {
            return Err(TypeMetadataError::Malformed("svg_templates"));
        }
        Ok(Self {
            locale: locale(display)?,
            name: PlainText::new(text(display, "name")?),
            description: optional_text(display, "description")?.map(PlainText::new),
            simple: rendering.get("simple").map(Simple::read).transpose()?,
            svg_templates,
        })
    }
}

/// `locale`; drafts before 13 called it `lang`.
pub(super) fn locale(display: &Map<String, Value>) -> Result<String, TypeMetadataError> {
    let tag = match optional_text(display, "locale")? {
        Some(tag) => tag,
        None => text(display, "lang")?,
    };
    let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    if tag.is_empty() || tag.len() > 64 || !tag.bytes().all(legal) {
        return Err(TypeMetadataError::Malformed("locale"));
    }
    Ok(tag.to_owned())
}

impl Simple {
    fn read(value: &Value) -> Result<Self, TypeMetadataError> {
        let simple = object(value, "simple")?;
        let logo = match simple.get("logo") {
            Some(logo) => {
                let logo = object(logo, "logo")?;
                let alt_text = optional_text(logo, "alt_text")?.map(PlainText::new);
                Some((Resource::read(logo)?, alt_text))
            }
            None => None,
        };
        let background_image = match simple.get("background_image") {
            Some(image) => Some(Resource::read(object(image, "background_image")?)?),
            None => None,
        };
        Ok(Self {
            logo,
            background_image,
            background_color: colour(simple, "background_color")?,
            text_color: colour(simple, "text_color")?,
        })
    }
}

/// A colour that can be put into a style sheet as it is; every other notation is not shown.
fn colour(
    simple: &Map<String, Value>,
    name: &'static str,
) -> Result<Option<String>, TypeMetadataError> {
    let value = optional_text(simple, name)?;
    let plain = |text: &&str| {
        let digits = text.strip_prefix('#').unwrap_or_default();
        digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit())
    };
    Ok(value.filter(plain).map(str::to_ascii_lowercase))
}

impl SvgTemplate {
    fn read(value: &Value) -> Result<Self, TypeMetadataError> {
        let template = object(value, "svg_templates")?;
        let none = Map::new();
        let properties = match template.get("properties") {
            Some(properties) => object(properties, "properties")?,
            None => &none,
        };
        let one_of = |name: &'static str, values: [&str; 2]| match optional_text(properties, name)?
        {
            Some(value) if values.contains(&value) => Ok(Some(value.to_owned())),
            Some(_) => Err(TypeMetadataError::Malformed(name)),
            None => Ok(None),
        };
        let read = Self {
            resource: Resource::read(template)?,
            orientation: one_of("orientation", ["portrait", "landscape"])?,
            color_scheme: one_of("color_scheme", ["light", "dark"])?,
            contrast: one_of("contrast", ["normal", "high"])?,
        };
        // "SVG Template Properties": at least one, where there are any.
        if template.contains_key("properties") && read.is_bare() {
            return Err(TypeMetadataError::Malformed("properties"));
        }
        Ok(read)
    }

    const fn is_bare(&self) -> bool {
        self.orientation.is_none() && self.color_scheme.is_none() && self.contrast.is_none()
    }
}

impl Resource {
    fn read(object: &Map<String, Value>) -> Result<Self, TypeMetadataError> {
        let uri = text(object, "uri")?;
        // "Rendering Metadata": an https URL or a data URI.
        let scheme = uri.split_once(':').map_or("", |(scheme, _)| scheme);
        let allowed = scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("data");
        if !allowed || uri.len() > MAX_URI_BYTES || !uri.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(TypeMetadataError::Malformed("uri"));
        }
        let integrity = optional_text(object, "uri#integrity")?.map(Integrity::parse);
        Ok(Self {
            uri: uri.to_owned(),
            integrity: integrity
                .transpose()
                .map_err(TypeMetadataError::Integrity)?,
        })
    }
}
