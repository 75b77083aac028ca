mod context_rules;
mod form;
mod limits;
mod properties;
mod refusals;
mod results;
mod skolem;

use serde_json::{Value, json};

use super::{JsonLdError, Options, to_quads};
use crate::contexts::Contexts;
use crate::rdf::{HashAlgorithm, Quad, WorkLimits, canonicalize};

/// The bundled contexts, processed once for all tests.
fn contexts() -> &'static Contexts {
    static CONTEXTS: std::sync::LazyLock<Contexts> = std::sync::LazyLock::new(Contexts::bundled);
    &CONTEXTS
}

const V2: &str = "https://www.w3.org/ns/credentials/v2";

fn text(quads: &[Quad]) -> String {
    canonicalize(quads, HashAlgorithm::Sha256, &WorkLimits::default())
        .expect("canonical")
        .text()
}

/// Any form that the processor knows; credentials are read with the defaults.
fn open() -> Options {
    Options {
        inline_contexts: true,
        any_form: true,
        ..Options::default()
    }
}

fn canonical_with(document: &Value, options: &Options) -> Result<String, JsonLdError> {
    to_quads(document, contexts(), options).map(|quads| text(&quads))
}

fn canonical(document: &Value) -> Result<String, JsonLdError> {
    canonical_with(document, &open())
}

fn refusal(document: &Value) -> JsonLdError {
    canonical(document).expect_err("refused")
}

/// A document with a context of its own.
fn with_context(context: Value, members: Value) -> Value {
    let mut document = json!({"@context": context});
    for (key, value) in members.as_object().expect("object") {
        document[key] = value.clone();
    }
    document
}
