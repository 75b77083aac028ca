//! Which form of a document somebody wants: `Accept` and `Accept-Language` (RFC 9110, section 12).

use axum::http::{HeaderMap, HeaderName};

/// Most elements of a header that are looked at.
const MAX_ELEMENTS: usize = 32;

/// How well a media type fits a request, for comparison: weight first, then how exactly it was
/// named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fit {
    /// Thousandths.
    weight: u16,
    /// 3 for the name, 2 for `type/*`, 1 for `*/*`, 0 where there is no header.
    exactness: u8,
}

/// How well a media type fits `Accept`. `None` when it is not acceptable.
pub fn media_type(headers: &HeaderMap, name: &str) -> Option<Fit> {
    let elements = elements(headers, &axum::http::header::ACCEPT);
    if elements.is_empty() {
        return Some(Fit {
            weight: 1000,
            exactness: 0,
        });
    }
    let (kind, _) = name.split_once('/').unwrap_or((name, ""));
    let exactness = |range: &str| match range.split_once('/') {
        _ if range.eq_ignore_ascii_case(name) => 3,
        Some((range_kind, "*")) if range_kind.eq_ignore_ascii_case(kind) => 2,
        Some(("*", "*")) => 1,
        _ => 0,
    };
    // RFC 9110, section 12.5.1: the most specific range decides.
    let fits = elements.iter().map(|(range, weight)| Fit {
        weight: *weight,
        exactness: exactness(range),
    });
    let best = fits
        .filter(|fit| fit.exactness > 0)
        .max_by_key(|fit| (fit.exactness, fit.weight))?;
    (best.weight > 0).then_some(best)
}

/// The languages of `Accept-Language`, the dearest first. Empty where every language is welcome.
pub fn languages(headers: &HeaderMap) -> Vec<String> {
    let mut ranges = elements(headers, &axum::http::header::ACCEPT_LANGUAGE);
    ranges.retain(|(_, weight)| *weight > 0);
    if ranges.iter().any(|(range, _)| range == "*") {
        return Vec::new();
    }
    ranges.sort_by_key(|(_, weight)| std::cmp::Reverse(*weight));
    ranges.into_iter().map(|(range, _)| range).collect()
}

/// The elements of a list header with their weights. What is malformed is left out.
fn elements(headers: &HeaderMap, name: &HeaderName) -> Vec<(String, u16)> {
    let texts = headers.get_all(name).iter().filter_map(|v| v.to_str().ok());
    let elements = texts
        .flat_map(|text| text.split(','))
        .filter_map(|element| {
            let mut parts = element.split(';').map(str::trim);
            let range = parts.next().filter(|range| !range.is_empty())?;
            let mut weight = 1000;
            for part in parts {
                if let Some((name, value)) = part.split_once('=')
                    && name.trim().eq_ignore_ascii_case("q")
                {
                    weight = read_weight(value.trim())?;
                }
            }
            Some((range.to_owned(), weight))
        });
    elements.take(MAX_ELEMENTS).collect()
}

/// RFC 9110, section 12.4.2: 0 to 1 with three digits at most, in thousandths.
fn read_weight(text: &str) -> Option<u16> {
    let (whole, digits) = text.split_once('.').unwrap_or((text, ""));
    if digits.len() > 3 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let thousandths: u16 = format!("{digits:0<3}").parse().ok()?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, values: &[&str]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for value in values {
            map.append(name, value.parse().unwrap());
        }
        map
    }

    #[test]
    fn weights() {
        for (text, weight) in [
            ("1", Some(1000)),
            ("1.000", Some(1000)),
            ("0.5", Some(500)),
            ("0.123", Some(123)),
            ("0", Some(0)),
            ("0.", Some(0)),
            ("1.1", None),
            ("2", None),
            ("0.1234", None),
            ("-0.1", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(read_weight(text), weight, "{text}");
        }
    }

    #[test]
    fn the_better_of_two_media_types() {
        let jwt_is_better = |accept: &[&str]| {
            let map = headers("accept", accept);
            media_type(&map, "application/jwt") > media_type(&map, "application/json")
        };
        for accept in [
            &["application/jwt"][..],
            &["application/jwt, application/json;q=0.9"],
            &["application/json;q=0.1", "application/jwt"],
            &["APPLICATION/JWT, */*"],
            &["application/jwt, */*;q=0.8"],
            &["application/json;q=0, */*"],
        ] {
            assert!(jwt_is_better(accept), "{accept:?}");
        }
        for accept in [
            &[][..],
            &["*/*"],
            &["application/*"],
            &["application/json"],
            &["application/jwt, application/json"],
            &["application/jwt;q=0.5, application/json"],
            &["application/jwt;q=0, */*"],
            &["application/jwt;q=0"],
            &["application/jwt;q=x"],
            &["text/html"],
        ] {
            assert!(!jwt_is_better(accept), "{accept:?}");
        }
    }

    #[test]
    fn languages_by_weight() {
        let read = |values: &[&str]| languages(&headers("accept-language", values));
        let swiss = read(&["fr;q=0.9, en;q=0.8, fr-ch, it;q=0"]);
        assert_eq!(swiss, ["fr-ch", "fr", "en"]);
        assert!(read(&["de, *;q=0.1"]).is_empty());
        assert!(read(&[]).is_empty());
        let many = vec!["aa"; 1000].join(",");
        assert_eq!(read(&[&many]).len(), MAX_ELEMENTS);
    }
}
