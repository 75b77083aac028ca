use serde_json::{Value, json};

use super::{child, parent};
use crate::type_metadata::image::{ImageError, ImageKind, from_data_uri};
use crate::type_metadata::{Disclosable, TypeMetadata};

fn parse(document: &Value) -> Result<TypeMetadata, &'static str> {
    TypeMetadata::parse(document.to_string().as_bytes()).map_err(|error| error.code())
}

fn with(pointer: &str, value: Value) -> Value {
    let mut document = rich();
    *document.pointer_mut(pointer).unwrap() = value;
    document
}

fn rich() -> Value {
    json!({
        "vct": "urn:example:1",
        "name": "For developers",
        "description": "More for developers",
        "schema": {"ignored": true},
        "future": [1],
        "display": [{
            "locale": "de-AT",
            "name": "Karte",
            "description": "Zeigt etwas",
            "rendering": {
                "simple": {
                    "logo": {"uri": "https://types.example/logo.png", "uri#integrity": "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", "alt_text": "Logo"},
                    "background_image": {"uri": "data:image/png;base64,AAAA"},
                    "background_color": "#12107C",
                    "text_color": "#FFFFFF",
                },
                "svg_templates": [
                    {"uri": "https://types.example/a.svg", "properties": {"orientation": "landscape"}},
                    {"uri": "https://types.example/b.svg", "properties": {"contrast": "high", "color_scheme": "dark"}},
                ],
            },
        }],
        "claims": [{
            "path": ["address", "street", null, 0],
            "display": [{"locale": "en", "label": "Street", "description": "Where"}],
            "sd": "always",
            "mandatory": true,
            "svg_id": "address_street",
        }],
    })
}

#[test]
fn a_document_is_read() {
    let type_metadata = parse(&rich()).unwrap();
    assert_eq!(type_metadata.vct, "urn:example:1");
    let display = &type_metadata.display.as_ref().unwrap()[0];
    assert_eq!(
        (display.locale.as_str(), display.name.as_str()),
        ("de-AT", "Karte")
    );
    let simple = display.simple.as_ref().unwrap();
    assert_eq!(simple.background_color.as_deref(), Some("#12107c"));
    assert_eq!(
        simple.logo.as_ref().unwrap().1.as_ref().unwrap().as_str(),
        "Logo"
    );
    assert_eq!(display.svg_templates.len(), 2);
    let claim = &type_metadata.claims[0];
    assert_eq!(claim.sd, Some(Disclosable::Always));
    assert_eq!(claim.path.to_json(), json!(["address", "street", null, 0]));
    assert!(parse(&parent()).is_ok() && parse(&child()).is_ok());
    // Drafts before 13.
    let older = with("/display/0", json!({"lang": "en", "name": "Card"}));
    assert_eq!(parse(&older).unwrap().display.unwrap()[0].locale, "en");
}

#[test]
fn malformed_documents_are_refused() {
    for (pointer, value) in [
        ("/vct", json!("")),
        ("/vct", json!(1)),
        ("/name", json!({})),
        ("/display", json!({})),
        ("/display/0", json!("x")),
        ("/display/0/locale", json!("de AT")),
        ("/display/0/locale", json!("\"><script>")),
        ("/display/0/name", json!(null)),
        ("/display/0/rendering", json!([])),
        ("/display/0/rendering/simple", json!([])),
        (
            "/display/0/rendering/simple/logo/uri",
            json!("http://types.example/logo.png"),
        ),
        (
            "/display/0/rendering/simple/logo/uri",
            json!("javascript:alert(1)"),
        ),
        (
            "/display/0/rendering/simple/logo/uri",
            json!("file:///etc/passwd"),
        ),
        (
            "/display/0/rendering/simple/logo/uri",
            json!("//types.example/logo.png"),
        ),
        ("/display/0/rendering/simple/background_color", json!(7)),
        ("/display/0/rendering/svg_templates", json!({})),
        ("/display/0/rendering/svg_templates/0/properties", json!({})),
        (
            "/display/0/rendering/svg_templates/0/properties/orientation",
            json!("diagonal"),
        ),
        (
            "/display/0/rendering/svg_templates/1",
            json!({"uri": "https://types.example/b.svg"}),
        ),
        ("/claims", json!({})),
        ("/claims/0/path", json!([])),
        ("/claims/0/path", json!("address")),
        ("/claims/0/path", json!([-1])),
        ("/claims/0/path", json!([1.5])),
        ("/claims/0/path", json!([true])),
        ("/claims/0/mandatory", json!("true")),
        ("/claims/0/sd", json!("sometimes")),
        ("/claims/0/svg_id", json!("1st")),
        ("/claims/0/svg_id", json!("a-b")),
        ("/claims/0/svg_id", json!("")),
        ("/claims/0/display/0/label", json!(null)),
        ("/claims/0", json!({})),
    ] {
        let answer = parse(&with(pointer, value.clone()));
        assert_eq!(
            answer.unwrap_err(),
            "type_metadata_malformed",
            "{pointer} {value}"
        );
    }
    let claim = rich()["claims"][0].clone();
    let mut other = claim.clone();
    other["path"] = json!(["other"]);
    for claims in [json!([claim, claim]), json!([claim, other])] {
        let answer = parse(&with("/claims", claims));
        assert_eq!(answer.unwrap_err(), "type_metadata_malformed");
    }
    let mut alone = rich();
    alone["extends#integrity"] = json!("sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    assert_eq!(parse(&alone).unwrap_err(), "type_metadata_malformed");
    alone["extends"] = json!("urn:example:2");
    assert!(parse(&alone).is_ok());
    alone["extends#integrity"] = json!("md5-AAAA");
    assert_eq!(parse(&alone).unwrap_err(), "type_metadata_integrity");
    let many = vec![json!({"locale": "en", "name": "x"}); 65];
    assert!(parse(&with("/display", json!(many))).is_err());
    assert!(TypeMetadata::parse(b"{\"vct\":\"a\",\"vct\":\"b\"}").is_err());
    let big = vec![b' '; super::MAX_DOCUMENT_BYTES + 1];
    let answer = TypeMetadata::parse(&big).unwrap_err();
    assert_eq!(answer.code(), "type_metadata_too_large");
}

#[test]
fn cat_034_texts_of_type_metadata_are_made_harmless() {
    let hostile = format!("<b>\u{202e}gold\u{200b}\u{2066}</b>{}", "x".repeat(300_000));
    let name = with("/display/0/name", json!(hostile));
    let type_metadata = parse(&name).unwrap();
    let name = &type_metadata.display.unwrap()[0].name;
    assert!(name.as_str().starts_with("<b>gold</b>x"));
    assert!(name.as_str().chars().count() <= 121);
    assert!(name.to_html().starts_with("<bdi>&lt;b&gt;gold&lt;/b&gt;x"));
    // A colour is a colour or nothing: it goes into a style sheet.
    for colour in ["red;background:url(//x)", "#12345", "#12345g", "rgb(1,2,3)"] {
        let document = with("/display/0/rendering/simple/text_color", json!(colour));
        let display = parse(&document).unwrap().display.unwrap();
        assert_eq!(
            display[0].simple.as_ref().unwrap().text_color,
            None,
            "{colour}"
        );
    }
}

#[test]
fn cat_032_only_pictures_made_of_pixels_are_shown() {
    let png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    let (kind, bytes) = from_data_uri(&format!("data:image/png;base64,{png}")).unwrap();
    assert_eq!(
        (kind, ImageKind::of(&bytes)),
        (ImageKind::Png, Ok(ImageKind::Png))
    );
    assert_eq!(ImageKind::of(b"RIFF\0\0\0\0WEBPVP8 "), Ok(ImageKind::Webp));
    assert_eq!(
        ImageKind::of(&[0xff, 0xd8, 0xff, 0xe0]),
        Ok(ImageKind::Jpeg)
    );
    for (uri, why) in [
        (
            format!("data:image/svg+xml;base64,{png}"),
            ImageError::DataUri,
        ),
        (format!("data:image/jpeg;base64,{png}"), ImageError::DataUri),
        (format!("data:image/png,{png}"), ImageError::DataUri),
        (format!("https://a.example/{png}"), ImageError::DataUri),
        ("data:image/png;base64".to_owned(), ImageError::DataUri),
        ("data:image/png;base64,*".to_owned(), ImageError::DataUri),
        // "<svg onload=…>", a page, a GIF, nothing.
        (
            "data:image/png;base64,PHN2ZyBvbmxvYWQ9Ig==".to_owned(),
            ImageError::Kind,
        ),
        (
            "data:text/html;base64,PGh0bWw+".to_owned(),
            ImageError::Kind,
        ),
        (
            "data:image/gif;base64,R0lGODlh".to_owned(),
            ImageError::Kind,
        ),
        ("data:image/png;base64,".to_owned(), ImageError::Kind),
        ("é".to_owned(), ImageError::DataUri),
        ("daté:".to_owned(), ImageError::DataUri),
    ] {
        assert_eq!(from_data_uri(&uri).unwrap_err(), why, "{uri}");
    }
    let mut big = vec![0; crate::type_metadata::image::MAX_IMAGE_BYTES + 1];
    big[..8].copy_from_slice(b"\x89PNG\r\n\x1a\n");
    assert_eq!(ImageKind::of(&big), Err(ImageError::TooLarge));
}
