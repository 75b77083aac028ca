//! IRIs: what is absolute, what is well formed, how a reference is resolved (RFC 3986, section 5).

/// Whether `text` starts with a scheme and has no character that an IRI never has.
pub(crate) fn is_absolute(text: &str) -> bool {
    has_scheme(text)
        && !text.chars().any(is_forbidden)
        && text.bytes().filter(|byte| *byte == b'#').take(2).count() < 2
}

/// RFC 3986, section 3.1: a letter, then letters, digits, `+`, `-`, `.`, up to the colon.
pub(crate) fn has_scheme(text: &str) -> bool {
    scheme_end(text).is_some()
}

fn scheme_end(text: &str) -> Option<usize> {
    let colon = text.find(':')?;
    let scheme = text.as_bytes().get(..colon)?;
    let (first, rest) = scheme.split_first()?;
    let valid = first.is_ascii_alphabetic()
        && rest
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    valid.then_some(colon)
}

/// Characters that IRIREF of N-Quads excludes.
fn is_forbidden(character: char) -> bool {
    character <= ' '
        || matches!(
            character,
            '<' | '>' | '"' | '{' | '}' | '|' | '^' | '`' | '\\'
        )
}

/// The parts of a reference (RFC 3986, appendix B).
struct Parts<'a> {
    scheme: Option<&'a str>,
    authority: Option<&'a str>,
    path: &'a str,
    query: Option<&'a str>,
    fragment: Option<&'a str>,
}

fn parts(text: &str) -> Parts<'_> {
    let (scheme, rest) = match scheme_end(text) {
        Some(colon) => (Some(&text[..colon]), &text[colon + 1..]),
        None => (None, text),
    };
    let (rest, fragment) = cut(rest, '#');
    let (rest, query) = cut(rest, '?');
    let (authority, path) = match rest.strip_prefix("//") {
        Some(after) => {
            let end = after.find('/').unwrap_or(after.len());
            (Some(&after[..end]), &after[end..])
        }
        None => (None, rest),
    };
    Parts {
        scheme,
        authority,
        path,
        query,
        fragment,
    }
}

fn cut(text: &str, at: char) -> (&str, Option<&str>) {
    match text.split_once(at) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

/// Resolves `reference` against the absolute IRI `base` (RFC 3986, section 5.2.2).
pub(crate) fn resolve(base: &str, reference: &str) -> String {
    let base = parts(base);
    let relative = parts(reference);
    let (scheme, authority, path, query);
    if relative.scheme.is_some() {
        scheme = relative.scheme;
        authority = relative.authority;
        path = without_dots(relative.path);
        query = relative.query;
    } else {
        scheme = base.scheme;
        if relative.authority.is_some() {
            authority = relative.authority;
            path = without_dots(relative.path);
            query = relative.query;
        } else {
            authority = base.authority;
            if relative.path.is_empty() {
                path = base.path.to_owned();
                query = relative.query.or(base.query);
            } else {
                path = if relative.path.starts_with('/') {
                    without_dots(relative.path)
                } else {
                    without_dots(&merged(&base, relative.path))
                };
                query = relative.query;
            }
        }
    }
    let mut out = String::with_capacity(path.len() + 32);
    if let Some(scheme) = scheme {
        out.push_str(scheme);
        out.push(':');
    }
    if let Some(authority) = authority {
        out.push_str("//");
        out.push_str(authority);
    }
    out.push_str(&path);
    if let Some(query) = query {
        out.push('?');
        out.push_str(query);
    }
    if let Some(fragment) = relative.fragment {
        out.push('#');
        out.push_str(fragment);
    }
    out
}

/// RFC 3986, section 5.2.3.
fn merged(base: &Parts<'_>, path: &str) -> String {
    if base.authority.is_some() && base.path.is_empty() {
        return format!("/{path}");
    }
    match base.path.rfind('/') {
        Some(slash) => format!("{}{path}", &base.path[..=slash]),
        None => path.to_owned(),
    }
}

/// RFC 3986, section 5.2.4.
fn without_dots(path: &str) -> String {
    let absolute = path.starts_with('/');
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.strip_prefix('/').unwrap_or(path).split('/').peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            "." | ".." => {
                if segment == ".." {
                    kept.pop();
                }
                if last {
                    kept.push("");
                }
            }
            _ => kept.push(segment),
        }
    }
    let joined = kept.join("/");
    if absolute {
        format!("/{joined}")
    } else {
        joined
    }
}
