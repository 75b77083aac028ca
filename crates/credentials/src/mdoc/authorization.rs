//! `KeyAuthorizations` (ISO/IEC 18013-5:2021, section 9.1.2.4): what the device key may sign.

use super::{ElementPath, MdocError};
use crate::cbor::{Item, Writer};

const MALFORMED: MdocError = MdocError::Mso("keyAuthorizations");

/// What the device key may sign.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyAuthorizations {
    /// Every element of these namespaces.
    pub namespaces: Vec<String>,
    /// These elements.
    pub elements: Vec<ElementPath>,
}

impl KeyAuthorizations {
    /// Whether the device key may sign this element.
    #[must_use]
    pub fn allow(&self, namespace: &str, element: &str) -> bool {
        self.namespaces.iter().any(|own| own == namespace)
            || self
                .elements
                .iter()
                .any(|own| own.namespace == namespace && own.element == element)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.namespaces.is_empty() && self.elements.is_empty()
    }

    pub(super) fn read(item: Item<'_>) -> Result<Self, MdocError> {
        let fields = item.fields().map_err(|_| MALFORMED)?;
        let mut own = Self::default();
        if let Some(namespaces) = fields.optional("nameSpaces") {
            own.namespaces = texts(namespaces)?;
        }
        let Some(elements) = fields.optional("dataElements") else {
            return Ok(own);
        };
        for (namespace, identifiers) in elements.map().map_err(|_| MALFORMED)? {
            let namespace = namespace.text().map_err(|_| MALFORMED)?;
            // A namespace that is authorized as a whole is not listed again.
            if own.namespaces.iter().any(|whole| whole == namespace) {
                return Err(MALFORMED);
            }
            for element in texts(identifiers)? {
                own.elements.push(ElementPath::new(namespace, &element));
            }
        }
        Ok(own)
    }

    pub(super) fn write(&self, out: &mut Writer) {
        let (whole, parts) = (!self.namespaces.is_empty(), !self.elements.is_empty());
        out.map(usize::from(whole).saturating_add(parts.into()));
        if whole {
            out.text("nameSpaces").array(self.namespaces.len());
            for namespace in &self.namespaces {
                out.text(namespace);
            }
        }
        if parts {
            let mut namespaces: Vec<_> = self.elements.iter().map(|own| &own.namespace).collect();
            namespaces.sort_unstable();
            namespaces.dedup();
            out.text("dataElements").map(namespaces.len());
            for namespace in namespaces {
                let own = self
                    .elements
                    .iter()
                    .filter(|own| own.namespace == *namespace);
                out.text(namespace).array(own.clone().count());
                for path in own {
                    out.text(&path.element);
                }
            }
        }
    }
}

fn texts(item: Item<'_>) -> Result<Vec<String>, MdocError> {
    let items = item.array().map_err(|_| MALFORMED)?;
    items
        .map(|item| item.text().map(str::to_owned).map_err(|_| MALFORMED))
        .collect()
}
