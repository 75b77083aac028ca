//! IRIs of RDF, XML Schema and i18n.

use std::sync::{Arc, LazyLock};

macro_rules! iris {
    ($($name:ident = $iri:literal),+ $(,)?) => {
        $(pub(crate) fn $name() -> &'static Arc<str> {
            static IRI: LazyLock<Arc<str>> = LazyLock::new(|| Arc::from($iri));
            &IRI
        })+
    };
}

iris! {
    rdf_type = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type",
    rdf_first = "http://www.w3.org/1999/02/22-rdf-syntax-ns#first",
    rdf_rest = "http://www.w3.org/1999/02/22-rdf-syntax-ns#rest",
    rdf_nil = "http://www.w3.org/1999/02/22-rdf-syntax-ns#nil",
    rdf_json = "http://www.w3.org/1999/02/22-rdf-syntax-ns#JSON",
    rdf_lang_string = "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString",
    xsd_string = "http://www.w3.org/2001/XMLSchema#string",
    xsd_boolean = "http://www.w3.org/2001/XMLSchema#boolean",
    xsd_integer = "http://www.w3.org/2001/XMLSchema#integer",
    xsd_double = "http://www.w3.org/2001/XMLSchema#double",
}

/// A datatype that carries a base direction (JSON-LD 1.1, section 10.1).
pub(crate) const I18N: &str = "https://www.w3.org/ns/i18n#";
