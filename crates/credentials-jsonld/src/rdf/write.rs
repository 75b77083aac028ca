//! Canonical N-Quads (RDFC-1.0, section 5).

use super::{Literal, Quad, Term};

const XSD_STRING: &str = "http://www.w3.org/2001/XMLSchema#string";
const LANG_STRING: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString";

/// One statement as a line of canonical N-Quads, with its line feed.
#[must_use]
pub fn to_nquad(quad: &Quad) -> String {
    let mut line = String::with_capacity(160);
    write_quad(&mut line, quad, |label, out| plain(out, label));
    line
}

/// Writes a line; `name` writes what comes after `_:` for a label.
pub(super) fn write_quad(out: &mut String, quad: &Quad, mut name: impl FnMut(&str, &mut String)) {
    write_term(out, &quad.subject, &mut name);
    out.push_str(" <");
    plain(out, &quad.predicate);
    out.push_str("> ");
    write_term(out, &quad.object, &mut name);
    if let Some(graph) = &quad.graph {
        out.push(' ');
        write_term(out, graph, &mut name);
    }
    out.push_str(" .\n");
}

fn write_term(out: &mut String, term: &Term, name: &mut impl FnMut(&str, &mut String)) {
    match term {
        Term::Iri(iri) => {
            out.push('<');
            plain(out, iri);
            out.push('>');
        }
        Term::Blank(label) => {
            out.push_str("_:");
            name(label, out);
        }
        Term::Literal(literal) => write_literal(out, literal),
    }
}

fn write_literal(out: &mut String, literal: &Literal) {
    out.push('"');
    escape(out, &literal.value);
    out.push('"');
    match &literal.language {
        Some(tag) => {
            out.push('@');
            plain(out, tag);
        }
        None if &*literal.datatype == XSD_STRING || &*literal.datatype == LANG_STRING => {}
        None => {
            out.push_str("^^<");
            plain(out, &literal.datatype);
            out.push('>');
        }
    }
}

/// Writes an IRI, a label or a language tag. What the grammar excludes from an IRI (IRIREF of N-Quads)
/// is escaped, so that no term can end itself or its line.
pub(super) fn plain(out: &mut String, text: &str) {
    let excluded = |byte: u8| {
        byte <= b' '
            || matches!(
                byte,
                b'<' | b'>' | b'"' | b'{' | b'}' | b'|' | b'^' | b'`' | b'\\'
            )
    };
    if !text.bytes().any(excluded) {
        out.push_str(text);
        return;
    }
    for character in text.chars() {
        match u8::try_from(character) {
            Ok(byte) if excluded(byte) => {
                use std::fmt::Write as _;
                // Writing to a String does not fail.
                let _ = write!(out, "\\u{byte:04X}");
            }
            Ok(_) | Err(_) => out.push(character),
        }
    }
}

/// Which characters are escaped, and how, is part of the canonical form.
fn escape(out: &mut String, text: &str) {
    let special = |byte: u8| byte < 0x20 || matches!(byte, b'"' | b'\\' | 0x7f);
    if !text.bytes().any(special) {
        out.push_str(text);
        return;
    }
    for character in text.chars() {
        match character {
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            control if u32::from(control) < 0x20 || control == '\u{7f}' => {
                use std::fmt::Write as _;
                // Writing to a String does not fail.
                let _ = write!(out, "\\u{:04X}", u32::from(control));
            }
            other => out.push(other),
        }
    }
}
