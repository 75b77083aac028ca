//! Reading a tree: names with their namespace, and the whole text of an element.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use roxmltree::{Document, Node, ParsingOptions};

use super::TrustListError;

/// Most nodes of a document.
const MAX_NODES: u32 = 1_000_000;
/// Most `=` from one `<` to the next: a tag with more attributes costs the parser time that
/// grows with the square of their number.
const MAX_EQUALS: usize = 512;

/// Most namespace declarations of a document. The parser copies what is in scope for each element
/// that declares one; lists have about ten.
const MAX_DECLARATIONS: usize = 64;
/// Deepest accepted nesting of elements.
const MAX_DEPTH: usize = 64;
const NOT_WELL_FORMED: TrustListError =
    TrustListError::Malformed("not well-formed XML without a DTD");

pub(super) const DSIG: &str = "http://www.w3.org/2000/09/xmldsig#";

/// Parses a document without DTD and entities. Its length is bounded by who calls.
pub(super) fn parse(text: &str) -> Result<Document<'_>, TrustListError> {
    let crowded = |part: &str| part.bytes().filter(|b| *b == b'=').count() > MAX_EQUALS;
    if text.split('<').any(crowded) {
        return Err(TrustListError::Malformed("too many names in an element"));
    }
    if text.matches("xmlns").nth(MAX_DECLARATIONS).is_some() {
        return Err(TrustListError::Malformed("too many namespaces"));
    }
    check_nesting(text)?;
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: MAX_NODES,
        entity_resolver: None,
    };
    Document::parse_with_options(text, options).map_err(|_| NOT_WELL_FORMED)
}

/// One pass over the markup: what could cost the parser more than its length is refused before.
fn check_nesting(text: &str) -> Result<(), TrustListError> {
    let (mut rest, mut depth) = (text, 0_usize);
    while let Some((_, markup)) = rest.split_once('<') {
        rest = if let Some(comment) = markup.strip_prefix("!--") {
            past(comment, "-->")?
        } else if let Some(section) = markup.strip_prefix("![CDATA[") {
            past(section, "]]>")?
        } else if let Some(instruction) = markup.strip_prefix('?') {
            past(instruction, "?>")?
        } else if markup.starts_with('!') {
            return Err(NOT_WELL_FORMED);
        } else if let Some(end) = markup.strip_prefix('/') {
            depth = depth.saturating_sub(1);
            end
        } else {
            let (is_empty, after) = past_tag(markup)?;
            depth = depth.saturating_add(1);
            if depth > MAX_DEPTH {
                return Err(TrustListError::Malformed("XML nested too deeply"));
            }
            depth = depth.saturating_sub(usize::from(is_empty));
            after
        };
    }
    Ok(())
}

fn past<'t>(text: &'t str, end: &str) -> Result<&'t str, TrustListError> {
    let (_, after) = text.split_once(end).ok_or(NOT_WELL_FORMED)?;
    Ok(after)
}

/// Whether the tag is that of an empty element, and what follows it. `>` may stand in values.
fn past_tag(markup: &str) -> Result<(bool, &str), TrustListError> {
    let (mut quote, mut before) = (None, ' ');
    let mut chars = markup.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(open), _) if open == c => quote = None,
            (_, '<') => return Err(NOT_WELL_FORMED),
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '>') => return Ok((before == '/', chars.as_str())),
            (None, _) => {}
        }
        before = c;
    }
    Err(NOT_WELL_FORMED)
}

/// The elements below `node` with this name.
pub(super) fn children<'a, 'x>(
    node: Node<'a, 'x>,
    namespace: &'static str,
    name: &'static str,
) -> impl Iterator<Item = Node<'a, 'x>> {
    node.children()
        .filter(move |child| child.has_tag_name((namespace, name)))
}

/// The one element with this name; more than one is as wrong as none.
pub(super) fn child<'a, 'x>(
    node: Node<'a, 'x>,
    namespace: &'static str,
    name: &'static str,
) -> Result<Node<'a, 'x>, TrustListError> {
    optional(node, namespace, name)?.ok_or(TrustListError::Malformed(name))
}

/// The element with this name, if there is one; more than one is refused.
pub(super) fn optional<'a, 'x>(
    node: Node<'a, 'x>,
    namespace: &'static str,
    name: &'static str,
) -> Result<Option<Node<'a, 'x>>, TrustListError> {
    let mut found = children(node, namespace, name);
    let first = found.next();
    if found.next().is_some() {
        return Err(TrustListError::Malformed(name));
    }
    Ok(first)
}

/// The text of an element that has no elements in it. All of it: a comment in between splits a
/// text in the tree, and the part before it is not the signed value.
pub(super) fn text(node: Node<'_, '_>) -> Result<String, TrustListError> {
    let mut whole = String::new();
    for child in node.children() {
        if child.is_element() {
            return Err(TrustListError::Malformed("an element where a text belongs"));
        }
        if child.is_text() {
            whole.push_str(child.text().unwrap_or_default());
        }
    }
    Ok(whole.trim_matches([' ', '\t', '\n', '\r']).to_owned())
}

/// The bytes of a base64 text with white space in it.
pub(super) fn base64(node: Node<'_, '_>) -> Result<Vec<u8>, TrustListError> {
    let mut text = text(node)?;
    text.retain(|c| !c.is_ascii_whitespace());
    STANDARD
        .decode(text)
        .map_err(|_| TrustListError::Malformed("not base64"))
}
