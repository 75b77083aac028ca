//! Templates: rendered on the server, escaped, in the person's language.

use std::sync::Arc;

use axum::response::Html;
use fluent_bundle::FluentArgs;
use include_dir::{Dir, include_dir};
use minijinja::value::{Kwargs, Value};
use minijinja::{Environment, Error, ErrorKind, State};
use serde::Serialize;

use crate::context::plain;
use crate::{Catalogue, CatalogueError, Locale, asset_path};

static TEMPLATES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/templates");

/// A page that cannot be rendered: always a fault of ours.
#[derive(Debug, thiserror::Error)]
pub enum PagesError {
    /// The catalogue of texts is broken.
    #[error("catalogue")]
    Catalogue(#[from] CatalogueError),
    /// A template is broken, or a text or a variable is missing.
    #[error("template")]
    Template(#[from] minijinja::Error),
}

/// All pages, ready to render. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Pages {
    environment: Arc<Environment<'static>>,
}

impl Pages {
    /// Reads the embedded templates and texts.
    pub fn new() -> Result<Self, PagesError> {
        let catalogue = Arc::new(Catalogue::load()?);
        let mut environment = Environment::new();
        environment.set_undefined_behavior(minijinja::UndefinedBehavior::SemiStrict);
        add_templates(&mut environment, &TEMPLATES)?;
        environment.add_function("t", {
            let catalogue = Arc::clone(&catalogue);
            move |state: &State<'_, '_>, key: String, arguments: Kwargs| {
                translate(&catalogue, locale_of(state), &key, &arguments)
            }
        });
        environment.add_function("asset", |name: String| asset_path(&name));
        environment.add_filter("datetime", {
            move |state: &State<'_, '_>, seconds: i64| {
                date_time(&catalogue, locale_of(state), seconds)
            }
        });
        Ok(Self {
            environment: Arc::new(environment),
        })
    }

    /// Renders the template `name` (`"verifier/login"`) for a person who reads
    /// `locale`. The context's members are the template's variables.
    pub fn render(
        &self,
        name: &str,
        locale: Locale,
        context: impl Serialize,
    ) -> Result<Html<String>, PagesError> {
        let template = self.environment.get_template(&format!("{name}.html"))?;
        let page = minijinja::context! {
            locale => locale.tag(),
            ..plain(context)?
        };
        Ok(Html(template.render(page)?))
    }
}

fn add_templates(
    environment: &mut Environment<'static>,
    folder: &Dir<'static>,
) -> Result<(), PagesError> {
    for file in folder.files() {
        let name = file.path().to_string_lossy().replace('\\', "/");
        environment.add_template_owned(name, file.contents_utf8().unwrap_or_default())?;
    }
    for inner in folder.dirs() {
        add_templates(environment, inner)?;
    }
    Ok(())
}

fn locale_of(state: &State<'_, '_>) -> Locale {
    state
        .lookup("locale")
        .and_then(|value| value.as_str().and_then(Locale::from_tag))
        .unwrap_or_default()
}

fn translate(
    catalogue: &Catalogue,
    locale: Locale,
    key: &str,
    arguments: &Kwargs,
) -> Result<String, Error> {
    let mut args = FluentArgs::new();
    for name in arguments.args() {
        let value: Value = arguments.get(name)?;
        match i64::try_from(value.clone()) {
            Ok(number) => args.set(name.to_owned(), number),
            Err(_) => args.set(name.to_owned(), value.to_string()),
        }
    }
    catalogue.text(locale, key, Some(&args)).ok_or_else(|| {
        Error::new(
            ErrorKind::InvalidOperation,
            format!("no text for {key}, or an argument is missing"),
        )
    })
}

/// A moment in words, in UTC: `23 November 2026, 14:05 UTC`.
fn date_time(catalogue: &Catalogue, locale: Locale, seconds: i64) -> Result<String, Error> {
    let moment = jiff::Timestamp::from_second(seconds)
        .map_err(|_| Error::new(ErrorKind::InvalidOperation, "a time out of range"))?
        .to_zoned_datetime(jiff::tz::TimeZone::UTC);
    let month = catalogue
        .text(locale, &format!("month-{}", moment.month()), None)
        .unwrap_or_default();
    let mut args = FluentArgs::new();
    args.set("day", i64::from(moment.day()));
    args.set("month", month);
    args.set("year", moment.year().to_string());
    args.set(
        "time",
        format!("{:02}:{:02}", moment.hour(), moment.minute()),
    );
    catalogue
        .text(locale, "date-time", Some(&args))
        .ok_or_else(|| Error::new(ErrorKind::InvalidOperation, "no text for date-time"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_page_is_escaped_and_speaks_the_language() {
        let pages = Pages::new().unwrap();
        let context = serde_json::json!({
            "title": "<script>alert(1)</script>",
            "message": "a & b",
            "reference": "AB12CD",
        });
        let Html(page) = pages.render("message", Locale::De, context).unwrap();
        assert!(page.contains("&lt;script&gt;") && !page.contains("<script>alert"));
        assert!(page.contains("lang=\"de\"") && page.contains("AB12CD"));
    }

    /// With `arbitrary_precision` of `serde_json` too: a time that the filter cannot read is an
    /// error page in front of a person.
    #[test]
    fn a_time_in_a_context_is_written_in_words() {
        let mut pages = Pages::new().unwrap();
        let environment = Arc::get_mut(&mut pages.environment).unwrap();
        let template = "{{ at|datetime }}, {{ list[0] }}";
        environment.add_template("time.html", template).unwrap();
        let context = serde_json::json!({"at": 1_795_443_900, "list": [42]});
        let Html(page) = pages.render("time", Locale::En, context).unwrap();
        assert_eq!(page, "23 November 2026, 14:25 UTC, 42");
    }

    #[test]
    fn times_are_written_in_words() {
        let catalogue = Catalogue::load().unwrap();
        let text = date_time(&catalogue, Locale::En, 1_795_443_900).unwrap();
        assert_eq!(text, "23 November 2026, 14:25 UTC");
    }

    /// A key that a template names but the catalogue lacks would be an error
    /// page in front of a person.
    #[test]
    fn every_text_that_a_template_names_exists() {
        fn walk(
            folder: &Dir<'_>,
            keys: &std::collections::BTreeSet<String>,
            missing: &mut Vec<String>,
        ) {
            for file in folder.files() {
                let source = file.contents_utf8().unwrap_or_default();
                for part in source.replace("asset(\"", "").split("t(\"").skip(1) {
                    let key = part.split('"').next().unwrap_or_default();
                    let dynamic = part[key.len()..]
                        .trim_start_matches('"')
                        .trim_start()
                        .starts_with('~');
                    if !dynamic && !keys.contains(key) {
                        missing.push(format!("{}: {key}", file.path().display()));
                    }
                }
            }
            for inner in folder.dirs() {
                walk(inner, keys, missing);
            }
        }
        let mut missing = Vec::new();
        walk(&TEMPLATES, &Catalogue::keys(Locale::En), &mut missing);
        assert!(missing.is_empty(), "{missing:?}");
    }
}
