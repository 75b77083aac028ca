//! URLs as identifiers.

/// Longest URL that is taken as an identifier.
const MAX_LENGTH: usize = 4096;

/// Whether a text is an absolute URL by its form: `scheme:rest` of RFC 3986 characters.
///
/// VCDM 2.0, section 4.4: the value of `id` is a URL, which may be a DID or a URN,
/// and which nobody dereferences for that.
#[must_use]
pub fn is_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let mut letters = scheme.bytes();
    // RFC 3986, section 3.1.
    let scheme = letters.next().is_some_and(|b| b.is_ascii_alphabetic())
        && letters.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    scheme && !rest.is_empty() && text.len() <= MAX_LENGTH && escapes_are_whole(rest.as_bytes())
}

/// RFC 3986, section 2, and the letters beyond ASCII of RFC 3987: no spaces, no brackets but those of an address.
fn escapes_are_whole(rest: &[u8]) -> bool {
    let allowed =
        |b: u8| b.is_ascii_alphanumeric() || b >= 0x80 || b"-._~:/?#[]@!$&'()*+,;=%".contains(&b);
    rest.iter().enumerate().all(|(at, b)| {
        let escaped = || {
            rest.get(at..at.saturating_add(3))
                .is_some_and(|whole| whole.iter().skip(1).all(u8::is_ascii_hexdigit))
        };
        allowed(*b) && (*b != b'%' || escaped())
    })
}

#[cfg(test)]
mod tests {
    use super::is_url;

    #[test]
    fn urls_and_what_is_none() {
        for good in [
            "https://vc.example/issuers/5678",
            "did:example:abcdefgh#key-1",
            "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
            "data:application/vc+jwt,eyJ.eyJ.abc",
            "https://[2001:db8::1]/%20?q=1",
            "https://example.com/\u{e9}",
            "mailto:someone@example.com",
        ] {
            assert!(is_url(good), "{good}");
        }
        for bad in [
            "",
            ":",
            "https:",
            "example.com/path",
            "/path",
            "1https://example.com",
            "https ://not-a-url/contexts/example/v1",
            "https://example.com/a b",
            "https://example.com/%2",
            "https://example.com/%zz",
            "https://example.com/<x>",
            "not a url",
            "did",
        ] {
            assert!(!is_url(bad), "{bad}");
        }
        assert!(!is_url(&format!("https://e/{}", "a".repeat(5000))));
    }
}
