//! Telling formats apart by what they are, never by the name of a file.

use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::Value;
use vouchsafe_credentials::cbor::Item;
use vouchsafe_credentials::encoding::b64url_decode;
use vouchsafe_credentials::json::{parse_object, parse_strict};
use vouchsafe_credentials::vcdm::{
    ENVELOPED_CREDENTIAL, ENVELOPED_PRESENTATION, EnvelopeType, Enveloped,
};

/// A credential or presentation in one of the formats.
#[derive(Debug)]
pub enum Input {
    /// A JSON document with embedded proofs.
    Document(Value),
    /// `vc+jwt`, `vp+jwt`, `vc+sd-jwt`, `vp+sd-jwt`, `vc+cose`, `vp+cose`.
    Envelope(Enveloped),
    /// SD-JWT VC, compact.
    SdJwtVc(String),
    /// `IssuerSigned` of an mdoc.
    Mdoc(Vec<u8>),
    /// `DeviceResponse`: an mdoc that is presented.
    DeviceResponse(Vec<u8>),
}

/// Reads what a file holds.
pub fn read(bytes: &[u8]) -> Result<Input> {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return binary(bytes.to_vec());
    };
    let text = text.trim();
    if text.starts_with('{') {
        let document = parse_strict(text.as_bytes()).context("not acceptable JSON")?;
        return json(document);
    }
    if text.starts_with("-----BEGIN") {
        bail!("this is a key or a certificate, not a credential");
    }
    if text.contains('.') {
        return compact(text);
    }
    let decoded = URL_SAFE_NO_PAD
        .decode(text.trim_end_matches('='))
        .or_else(|_| STANDARD_NO_PAD.decode(text.trim_end_matches('=')));
    let decoded = decoded.ok().context(UNKNOWN)?;
    binary(decoded)
}

fn json(document: Value) -> Result<Input> {
    let enveloped = |name: &Value| name == ENVELOPED_CREDENTIAL || name == ENVELOPED_PRESENTATION;
    Ok(match document.get("type").is_some_and(enveloped) {
        true => Input::Envelope(Enveloped::parse(&document)?),
        false => Input::Document(document),
    })
}

fn compact(text: &str) -> Result<Input> {
    let header = text.split('.').next().unwrap_or_default();
    let header = b64url_decode(header).ok().context(UNKNOWN)?;
    let header = parse_object(&header).context("the header of the token is not JSON")?;
    let kind = header
        .get("typ")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let kind = kind.strip_prefix("application/").unwrap_or(kind);
    if kind == "dc+sd-jwt" {
        return Ok(Input::SdJwtVc(text.to_owned()));
    }
    let envelope = EnvelopeType::ALL.into_iter().find(|one| one.typ() == kind);
    match envelope {
        Some(one) if !one.is_binary() => Ok(Input::Envelope(Enveloped::new(one, text))),
        _ => bail!(
            "a token of a type that is not known here (its header says no `typ` of a credential)"
        ),
    }
}

/// COSE_Sign1 has tag 18 or is an array of four; an mdoc's IssuerSigned is a map of two.
fn binary(bytes: Vec<u8>) -> Result<Input> {
    match bytes.first() {
        Some(0xd2 | 0x84) => {
            let is_presentation = bytes.windows(6).take(256).any(|part| part == b"vp+cos");
            let kind = match is_presentation {
                true => EnvelopeType::VpCose,
                false => EnvelopeType::VcCose,
            };
            Ok(Input::Envelope(Enveloped::new(kind, bytes)))
        }
        Some(0xa1..=0xbf) if has_member(&bytes, "issuerAuth") => Ok(Input::Mdoc(bytes)),
        Some(0xa1..=0xbf) if has_member(&bytes, "version") => Ok(Input::DeviceResponse(bytes)),
        _ => bail!(UNKNOWN),
    }
}

/// What somebody reads who gave another kind of file.
const UNKNOWN: &str = "this is no credential that is known here: neither JSON, nor a token \
    (vc+jwt, vc+sd-jwt, dc+sd-jwt), nor COSE or an mdoc as bytes or in base64";

fn has_member(bytes: &[u8], name: &str) -> bool {
    let fields = Item::parse(bytes).and_then(Item::fields);
    fields.is_ok_and(|fields| fields.optional(name).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_credential_is_refused() {
        for text in ["", "{", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", "!!!", "AAAA"] {
            assert!(read(text.as_bytes()).is_err(), "{text}");
        }
        assert!(read(&[0xff, 0x00]).is_err());
    }

    #[test]
    fn formats_are_told_apart() {
        assert!(matches!(read(b"{\"a\":1}").unwrap(), Input::Document(_)));
        // {"typ":"dc+sd-jwt"}
        let sd_jwt = "eyJ0eXAiOiJkYytzZC1qd3QifQ.e30.AA~";
        assert!(matches!(
            read(sd_jwt.as_bytes()).unwrap(),
            Input::SdJwtVc(_)
        ));
        // {"typ":"vc+jwt"}
        let jwt = "eyJ0eXAiOiJ2Yytqd3QifQ.e30.AA";
        assert!(matches!(read(jwt.as_bytes()).unwrap(), Input::Envelope(_)));
        // {"issuerAuth": 0}, {"version": 0}, and a map that is neither.
        let map = |name: &str| [&[0xa1, 0x60 + name.len() as u8], name.as_bytes(), &[0]].concat();
        let mdoc = read(&map("issuerAuth")).unwrap();
        assert!(matches!(mdoc, Input::Mdoc(_)));
        let response = read(&map("version")).unwrap();
        assert!(matches!(response, Input::DeviceResponse(_)));
        assert!(read(&map("other")).is_err());
        assert!(read(&[0xa2, 0xff]).is_err());
    }
}
