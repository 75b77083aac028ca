//! N-Quads (RDF 1.1 N-Quads, section 4): a strict reader.

use std::sync::Arc;

use super::{Literal, Quad, RdfError, Term};

const XSD_STRING: &str = "http://www.w3.org/2001/XMLSchema#string";
const LANG_STRING: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString";

/// Parses N-Quads, at most `limit` statements. Empty lines and comments are skipped.
///
/// # Errors
/// [`RdfError::Syntax`] or [`RdfError::TooManyQuads`].
pub fn parse_nquads(text: &str, limit: usize) -> Result<Vec<Quad>, RdfError> {
    let mut quads = Vec::new();
    for line in text.split(['\n', '\r']) {
        let mut line = Line { rest: line };
        line.space();
        if line.rest.is_empty() || line.rest.starts_with('#') {
            continue;
        }
        if quads.len() >= limit {
            return Err(RdfError::TooManyQuads);
        }
        quads.push(line.quad()?);
    }
    Ok(quads)
}

struct Line<'a> {
    rest: &'a str,
}

impl Line<'_> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
    }

    fn take(&mut self, prefix: &str) -> bool {
        match self.rest.strip_prefix(prefix) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn quad(&mut self) -> Result<Quad, RdfError> {
        let subject = self.resource()?;
        self.space();
        let Term::Iri(predicate) = self.resource()? else {
            return Err(RdfError::Syntax);
        };
        self.space();
        let object = if self.rest.starts_with('"') {
            self.literal()?
        } else {
            self.resource()?
        };
        self.space();
        let graph = if self.rest.starts_with('.') {
            None
        } else {
            Some(self.resource()?)
        };
        self.space();
        if !self.take(".") {
            return Err(RdfError::Syntax);
        }
        self.space();
        if self.rest.is_empty() || self.rest.starts_with('#') {
            Ok(Quad {
                subject,
                predicate,
                object,
                graph,
            })
        } else {
            Err(RdfError::Syntax)
        }
    }

    fn resource(&mut self) -> Result<Term, RdfError> {
        if self.take("<") {
            return self.iri().map(Term::Iri);
        }
        if !self.take("_:") {
            return Err(RdfError::Syntax);
        }
        let inner = |character: char| {
            character.is_alphanumeric() || matches!(character, '_' | '-' | '.' | ':')
        };
        let end = self
            .rest
            .find(|character| !inner(character))
            .unwrap_or(self.rest.len());
        let label = self.rest[..end].trim_end_matches('.');
        if label.is_empty() || label.starts_with(['-', '.']) {
            return Err(RdfError::Syntax);
        }
        let label: Arc<str> = Arc::from(label);
        self.rest = &self.rest[label.len()..];
        Ok(Term::Blank(label))
    }

    /// After `<`.
    fn iri(&mut self) -> Result<Arc<str>, RdfError> {
        let end = self.rest.find('>').ok_or(RdfError::Syntax)?;
        let raw = &self.rest[..end];
        self.rest = &self.rest[end + 1..];
        let iri = if raw.contains('\\') {
            unescape(raw, false)?
        } else {
            raw.to_owned()
        };
        let forbidden = |character: char| {
            character <= ' ' || matches!(character, '<' | '"' | '{' | '}' | '|' | '^' | '`' | '\\')
        };
        if iri.contains(forbidden) || !iri.contains(':') {
            return Err(RdfError::Syntax);
        }
        Ok(Arc::from(iri))
    }

    fn literal(&mut self) -> Result<Term, RdfError> {
        self.take("\"");
        let mut escaped = false;
        let end = self.rest.find(|character| {
            let ends = character == '"' && !escaped;
            escaped = character == '\\' && !escaped;
            ends
        });
        let end = end.ok_or(RdfError::Syntax)?;
        let value: Arc<str> = Arc::from(unescape(&self.rest[..end], true)?);
        self.rest = &self.rest[end + 1..];
        if self.take("^^<") {
            let datatype = self.iri()?;
            return Ok(Term::Literal(Literal {
                value,
                datatype,
                language: None,
            }));
        }
        if !self.take("@") {
            let datatype = Arc::from(XSD_STRING);
            return Ok(Term::Literal(Literal {
                value,
                datatype,
                language: None,
            }));
        }
        let end = self
            .rest
            .find(|character: char| !character.is_ascii_alphanumeric() && character != '-')
            .unwrap_or(self.rest.len());
        let tag = &self.rest[..end];
        if !tag.starts_with(|first: char| first.is_ascii_alphabetic()) || tag.ends_with('-') {
            return Err(RdfError::Syntax);
        }
        let language = Some(Arc::from(tag));
        self.rest = &self.rest[end..];
        Ok(Term::Literal(Literal {
            value,
            datatype: Arc::from(LANG_STRING),
            language,
        }))
    }
}

/// `named`: whether `\n` and the like are allowed (in literals) besides `\u`.
fn unescape(raw: &str, named: bool) -> Result<String, RdfError> {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let mut after = rest[at + 1..].chars();
        let kind = after.next().ok_or(RdfError::Syntax)?;
        rest = after.as_str();
        let character = match kind {
            'u' => hexadecimal(&mut rest, 4)?,
            'U' => hexadecimal(&mut rest, 8)?,
            't' if named => '\t',
            'b' if named => '\u{8}',
            'n' if named => '\n',
            'r' if named => '\r',
            'f' if named => '\u{c}',
            '"' | '\'' | '\\' if named => kind,
            _ => return Err(RdfError::Syntax),
        };
        out.push(character);
    }
    out.push_str(rest);
    Ok(out)
}

fn hexadecimal(rest: &mut &str, digits: usize) -> Result<char, RdfError> {
    let text = rest.get(..digits).ok_or(RdfError::Syntax)?;
    if !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(RdfError::Syntax);
    }
    let code = u32::from_str_radix(text, 16).map_err(|_| RdfError::Syntax)?;
    *rest = &rest[digits..];
    char::from_u32(code).ok_or(RdfError::Syntax)
}
