//! Names of certificates as people write them: `CN=The Club,O=The Club,C=SE` (RFC 4514).

use anyhow::{Context, Result, bail, ensure};
use rcgen::{DistinguishedName, DnType, DnValue};

/// Reads a name. As in RFC 4514, section 2.1, the last part stands first in the certificate.
pub fn parse(text: &str) -> Result<DistinguishedName> {
    let mut parts = Vec::new();
    for part in split(text)? {
        let (kind, value) = part
            .split_once('=')
            .with_context(|| format!("{part}: expected NAME=VALUE"))?;
        ensure!(!value.is_empty(), "{kind} is empty");
        parts.push((kind.trim().to_ascii_uppercase(), value.to_owned()));
    }
    ensure!(!parts.is_empty(), "the subject is empty");
    let mut name = DistinguishedName::new();
    for (kind, value) in parts.into_iter().rev() {
        let (kind, value) = match kind.as_str() {
            "CN" => (DnType::CommonName, DnValue::Utf8String(value)),
            "O" => (DnType::OrganizationName, DnValue::Utf8String(value)),
            "OU" => (DnType::OrganizationalUnitName, DnValue::Utf8String(value)),
            "ST" => (DnType::StateOrProvinceName, DnValue::Utf8String(value)),
            "L" => (DnType::LocalityName, DnValue::Utf8String(value)),
            // ISO/IEC 18013-5:2021, table B.1: two capital letters, PrintableString.
            "C" => {
                let good = value.len() == 2 && value.bytes().all(|b| b.is_ascii_uppercase());
                ensure!(good, "C is a country in two capital letters, such as SE");
                (
                    DnType::CountryName,
                    DnValue::PrintableString(value.try_into()?),
                )
            }
            other => bail!("{other}: a subject has CN, O, OU, L, ST and C"),
        };
        ensure!(
            name.get(&kind).is_none(),
            "a part of the subject stands there twice"
        );
        name.push(kind, value);
    }
    Ok(name)
}

/// At the commas that no backslash protects.
fn split(text: &str) -> Result<Vec<String>> {
    let mut parts = vec![String::new()];
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match (letter, parts.last_mut()) {
            ('\\', Some(part)) => part.push(letters.next().context("nothing after a backslash")?),
            (',', _) => parts.push(String::new()),
            (other, Some(part)) => part.push(other),
            (_, None) => {}
        }
    }
    Ok(parts)
}
