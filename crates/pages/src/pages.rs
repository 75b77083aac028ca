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
        Self::with_texts(Catalogue::shared()?, |text| text)
    }

    /// Pages whose texts of the catalogue go through `dress` first.
    fn with_texts(
        catalogue: Arc<Catalogue>,
        dress: fn(String) -> String,
    ) -> Result<Self, PagesError> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(minijinja::UndefinedBehavior::SemiStrict);
        add_templates(&mut environment, &TEMPLATES)?;
        environment.add_function("t", {
            let catalogue = Arc::clone(&catalogue);
            move |state: &State<'_, '_>, key: String, arguments: Kwargs| {
                translate(&catalogue, locale_of(state), &key, &arguments).map(dress)
            }
        });
        environment.add_function("asset", |name: String| asset_path(&name));
        environment.add_global("languages", languages());
        environment.add_filter("datetime", {
            move |state: &State<'_, '_>, seconds: i64| {
                date_time(&catalogue, locale_of(state), seconds).map(dress)
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
            direction => locale.direction(),
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

/// Every language with its own name, for whoever chooses one.
fn languages() -> Value {
    let one =
        |locale: Locale| minijinja::context! { tag => locale.tag(), name => locale.own_name() };
    Locale::ALL.into_iter().map(one).collect()
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
mod tests;
