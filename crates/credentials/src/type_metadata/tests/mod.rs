mod claims;
mod documents;
mod integrity;
mod issuer;
mod limits;
mod properties;
mod resolving;

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::*;

pub(super) const PARENT: &str = "https://types.example/parent";
pub(super) const CHILD: &str = "https://types.example/child";

/// A port over a table, which counts what is asked.
#[derive(Default)]
pub(super) struct Table {
    documents: BTreeMap<String, Vec<u8>>,
    asked: Mutex<Vec<String>>,
}

impl Table {
    pub(super) fn of(documents: &[Value]) -> Self {
        let mut table = Self::default();
        for document in documents {
            let vct = document["vct"].as_str().unwrap().to_owned();
            table
                .documents
                .insert(vct, document.to_string().into_bytes());
        }
        table
    }

    pub(super) fn put(&mut self, vct: &str, octets: &[u8]) {
        self.documents.insert(vct.to_owned(), octets.to_vec());
    }

    pub(super) fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

#[async_trait]
impl TypeMetadataFetch for Table {
    async fn fetch(&self, vct: &str, _: Option<&Integrity>) -> Result<Vec<u8>, FetchFailed> {
        self.asked.lock().unwrap().push(vct.to_owned());
        let found = self.documents.get(vct).cloned();
        found.ok_or_else(|| FetchFailed("not found".into()))
    }
}

pub(super) fn parent() -> Value {
    json!({
        "vct": PARENT,
        "display": [{"locale": "en", "name": "Parent"}, {"locale": "de", "name": "Eltern"}],
        "claims": [
            {"path": ["name"], "display": [{"locale": "en", "label": "Name"}], "mandatory": true, "sd": "always"},
            {"path": ["kind"], "sd": "never", "mandatory": true},
            {"path": ["nick"]},
        ],
    })
}

pub(super) fn child() -> Value {
    json!({
        "vct": CHILD,
        "extends": PARENT,
        "extends#integrity": Integrity::of(parent().to_string().as_bytes()),
        "claims": [
            {"path": ["nick"], "sd": "never", "mandatory": true},
            {"path": ["name"], "display": [{"locale": "fr", "label": "Nom"}]},
            {"path": ["cities", null], "sd": "always"},
        ],
    })
}
