//! Exclusive XML Canonicalization 1.0 without comments (<https://www.w3.org/TR/xml-exc-c14n/>).

use std::collections::BTreeSet;

use roxmltree::{Document, Node, NodeId, NodeType};

use super::TrustListError;

/// Deepest accepted nesting of elements.
const MAX_DEPTH: usize = 64;
/// Most namespaces in scope of an element, and most attributes of it.
const MAX_NAMES: usize = 64;

const TOO_DEEP: TrustListError = TrustListError::Malformed("XML nested too deeply");
const TOO_MANY: TrustListError = TrustListError::Malformed("too many names in an element");
const NAME: TrustListError = TrustListError::Malformed("an XML name");

/// What to canonicalize.
pub(super) struct Canonical<'d, 'x> {
    document: &'d Document<'x>,
    /// The subtree that is left out: the enveloped signature.
    without: Option<NodeId>,
    /// Prefixes that are treated as in inclusive canonicalization (`PrefixList`).
    inclusive: Vec<String>,
    out: String,
}

/// The namespaces an output ancestor has declared: prefix (empty: default) and URI.
type Rendered<'d> = Vec<(&'d str, &'d str)>;

impl<'d, 'x: 'd> Canonical<'d, 'x> {
    pub(super) fn new(document: &'d Document<'x>, inclusive: Vec<String>) -> Self {
        Self {
            document,
            without: None,
            inclusive,
            out: String::new(),
        }
    }

    /// Leaves a subtree out.
    pub(super) fn without(mut self, node: NodeId) -> Self {
        self.without = Some(node);
        self
    }

    /// The whole document: the root element and the processing instructions around it.
    pub(super) fn document(mut self) -> Result<String, TrustListError> {
        let mut after_root = false;
        for child in self.document.root().children() {
            match child.node_type() {
                NodeType::Element => {
                    self.element(child, &Vec::new(), 0)?;
                    after_root = true;
                }
                NodeType::PI if after_root => {
                    self.out.push('\n');
                    self.instruction(child);
                }
                NodeType::PI => {
                    self.instruction(child);
                    self.out.push('\n');
                }
                NodeType::Root | NodeType::Comment | NodeType::Text => {}
            }
        }
        Ok(self.out)
    }

    /// One element and what is in it.
    pub(super) fn subtree(mut self, node: Node<'d, 'x>) -> Result<String, TrustListError> {
        self.element(node, &Vec::new(), 0)?;
        Ok(self.out)
    }

    fn element(
        &mut self,
        node: Node<'d, 'x>,
        rendered: &Rendered<'d>,
        depth: usize,
    ) -> Result<(), TrustListError> {
        if self.without == Some(node.id()) {
            return Ok(());
        }
        if depth >= MAX_DEPTH {
            return Err(TOO_DEEP);
        }
        if node.namespaces().len() > MAX_NAMES || node.attributes().len() > MAX_NAMES {
            return Err(TOO_MANY);
        }
        let name = self.element_name(node)?;
        let attributes = self.attributes(node)?;
        self.out.push('<');
        self.out.push_str(name);
        let rendered = self.namespaces(node, name, &attributes, rendered);
        for (_, _, name, value) in attributes {
            self.out.push(' ');
            self.out.push_str(name);
            self.out.push_str("=\"");
            escape_attribute(value, &mut self.out);
            self.out.push('"');
        }
        self.out.push('>');
        for child in node.children() {
            match child.node_type() {
                NodeType::Element => self.element(child, &rendered, depth.saturating_add(1))?,
                NodeType::Text => escape_text(child.text().unwrap_or_default(), &mut self.out),
                NodeType::PI => self.instruction(child),
                NodeType::Comment | NodeType::Root => {}
            }
        }
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
        Ok(())
    }

    /// The name as written: the tree keeps namespaces, not prefixes.
    fn element_name(&self, node: Node<'d, 'x>) -> Result<&'d str, TrustListError> {
        let text: &'d str = self.document.input_text();
        let from = node.range().start.saturating_add(1);
        let rest = text.get(from..node.range().end).ok_or(NAME)?;
        let end = rest.find(|c: char| c.is_ascii_whitespace() || c == '/' || c == '>');
        let name = rest.get(..end.ok_or(NAME)?).ok_or(NAME)?;
        (local(name) == node.tag_name().name())
            .then_some(name)
            .ok_or(NAME)
    }

    /// Namespace, local name, name as written and value, in canonical order.
    fn attributes(
        &self,
        node: Node<'d, 'x>,
    ) -> Result<Vec<(&'d str, &'d str, &'d str, &'d str)>, TrustListError> {
        let text: &'d str = self.document.input_text();
        let mut attributes = Vec::with_capacity(node.attributes().len());
        for attribute in node.attributes() {
            let name = text.get(attribute.range_qname()).ok_or(NAME)?;
            if local(name) != attribute.name() {
                return Err(NAME);
            }
            let namespace = attribute.namespace().unwrap_or_default();
            attributes.push((namespace, attribute.name(), name, attribute.value()));
        }
        attributes.sort_unstable();
        Ok(attributes)
    }

    /// Writes the namespaces that are visibly used here and not yet declared the same way.
    fn namespaces(
        &mut self,
        node: Node<'d, 'x>,
        name: &'d str,
        attributes: &[(&'d str, &'d str, &'d str, &'d str)],
        rendered: &Rendered<'d>,
    ) -> Rendered<'d> {
        let mut used: BTreeSet<&'d str> = attributes
            .iter()
            .filter_map(|(_, _, name, _)| name.split_once(':').map(|(prefix, _)| prefix))
            .collect();
        used.insert(name.split_once(':').map_or("", |(prefix, _)| prefix));
        let in_scope = node.namespaces().map(|ns| ns.name().unwrap_or_default());
        used.extend(in_scope.filter(|prefix| self.inclusive.iter().any(|p| p == prefix)));
        used.remove("xml");
        let mut after = rendered.clone();
        for prefix in used {
            let key = (!prefix.is_empty()).then_some(prefix);
            let uri = node.lookup_namespace_uri(key).unwrap_or_default();
            let before = after.iter().rfind(|(known, _)| *known == prefix);
            if before.map_or("", |(_, uri)| uri) == uri {
                continue;
            }
            self.out.push_str(" xmlns");
            if let Some(prefix) = key {
                self.out.push(':');
                self.out.push_str(prefix);
            }
            self.out.push_str("=\"");
            escape_attribute(uri, &mut self.out);
            self.out.push('"');
            after.retain(|(known, _)| *known != prefix);
            after.push((prefix, uri));
        }
        after
    }

    fn instruction(&mut self, node: Node<'d, 'x>) {
        if let Some(instruction) = node.pi() {
            self.out.push_str("<?");
            self.out.push_str(instruction.target);
            if let Some(value) = instruction.value {
                self.out.push(' ');
                self.out.push_str(value);
            }
            self.out.push_str("?>");
        }
    }
}

fn local(name: &str) -> &str {
    name.split_once(':').map_or(name, |(_, local)| local)
}

/// Canonical XML 1.0, section 2.3, text nodes.
fn escape_text(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\r' => out.push_str("&#xD;"),
            c => out.push(c),
        }
    }
}

/// Canonical XML 1.0, section 2.3, attribute nodes.
fn escape_attribute(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '"' => out.push_str("&quot;"),
            '\t' => out.push_str("&#x9;"),
            '\n' => out.push_str("&#xA;"),
            '\r' => out.push_str("&#xD;"),
            c => out.push(c),
        }
    }
}
