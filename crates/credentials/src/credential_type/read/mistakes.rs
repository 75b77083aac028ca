//! Every mistake of a file, for its author.

use serde::Deserialize;
use serde::de::IntoDeserializer as _;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{ClaimFile, Reader, TypeFile, is_collision_resistant};
use crate::credential_type::card::Card;
use crate::credential_type::{CredentialType, TypeError};

impl CredentialType {
    /// What is wrong with a file, from its beginning to its end; nothing where
    /// [`Self::from_toml`] reads it. What a mistake hides comes out when it is mended: of a table
    /// with a member of the wrong form the first mistake alone is told.
    #[must_use]
    pub fn mistakes(text: &str) -> Vec<TypeError> {
        let (root, syntax) = DeTable::parse_recoverable(text);
        let mut mistakes: Vec<TypeError> = syntax.iter().map(|error| placed(text, error)).collect();
        if mistakes.is_empty() {
            members(text, root, &mut mistakes);
        }
        if mistakes.is_empty() {
            mistakes.extend(Self::from_toml(text).err());
        }
        mistakes.sort_by(|one, other| {
            let place = |error: &TypeError| (error.line, error.column);
            place(one).cmp(&place(other))
        });
        mistakes.dedup();
        mistakes
    }
}

fn placed(text: &str, error: &toml::de::Error) -> TypeError {
    let offset = error.span().map_or(0, |span| span.start);
    TypeError::at(text, offset, error.message())
}

/// The claims one by one, and then all else.
fn members(text: &str, root: Spanned<DeTable<'_>>, mistakes: &mut Vec<TypeError>) {
    let reader = Reader { text };
    let span = root.span();
    let mut table = root.into_inner();
    let mut claims = Vec::new();
    let is_list = |value: &Spanned<DeValue<'_>>| matches!(value.get_ref(), DeValue::Array(_));
    if table.get("claim").is_some_and(is_list)
        && let Some(DeValue::Array(list)) = table.remove("claim").map(Spanned::into_inner)
    {
        for claim in list {
            match ClaimFile::deserialize(claim.into_deserializer()) {
                Ok(claim) => claims.push(claim),
                Err(error) => mistakes.push(placed(text, &error)),
            }
        }
    }
    let file = Spanned::new(span, table).into_deserializer();
    let mut note = |result: Result<(), TypeError>| mistakes.extend(result.err());
    for claim in &claims {
        note(reader.path(&claim.path).map(drop));
    }
    let file = match TypeFile::deserialize(file) {
        Ok(file) => file,
        Err(error) => return note(Err(placed(text, &error))),
    };
    note(reader.check_id(&file.id));
    let is_uri = |vct: &String| is_collision_resistant(vct);
    let message = "must be a URI (a collision-resistant name)";
    note(reader.check(&file.vct, is_uri, message));
    let is_known = |format: &String| format == "dc+sd-jwt";
    let message = "only \"dc+sd-jwt\" is supported";
    note(reader.check(&file.format, is_known, message));
    let is_span = |days: &i64| (1..=36_500).contains(days);
    note(reader.check(&file.validity_days, is_span, "must be 1 to 36500"));
    let is_bound = |bound: &bool| *bound || file.mdoc.is_none();
    let message = "an mdoc is always bound to a key";
    note(reader.check(&file.key_binding, is_bound, message));
    match reader.locales(&file.display) {
        Err(error) => note(Err(error)),
        Ok(locales) => {
            if let Some(card) = file.card {
                note(Card::read(text, card, &locales).map(drop));
            }
            for claim in claims {
                note(reader.claim_display(claim.display, &locales).map(drop));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGE: &str = include_str!("../../../../../specs/credential-types/age.toml");

    fn places(text: &str) -> Vec<(usize, usize, String)> {
        let mistakes = CredentialType::mistakes(text).into_iter();
        mistakes
            .map(|one| (one.line, one.column, one.message))
            .collect()
    }

    #[test]
    fn a_good_file_has_no_mistakes() {
        assert_eq!(places(AGE), []);
    }

    #[test]
    fn every_mistake_has_its_place() {
        let text = r#"id = "Card"
vct = "card"
format = "dc+sd-jwt"
validity_days = 0
status = true
key_binding = true

[display.en]
name = "Card"

[card]
text_color = "white"

[[claim]]
path = ["iss"]
type = "string"
sd = "always"
display = { en = "Issuer" }

[[claim]]
path = ["number"]
type = "text"
sd = "always"
display = { en = "Number" }

[[claim]]
path = ["branch"]
type = "string"
sd = "always"
display = { de = "Zweigstelle" }
"#;
        let found = places(text);
        let lines: Vec<usize> = found.iter().map(|(line, _, _)| *line).collect();
        assert_eq!(lines, [1, 2, 4, 12, 15, 22, 30], "{found:?}");
        assert_eq!(found[0].1, 6);
        assert!(found[5].2.contains("unknown variant"), "{found:?}");
        for (line, column, message) in found {
            let error = TypeError {
                line,
                column,
                message,
            };
            assert!(
                error
                    .to_string()
                    .starts_with(&format!("line {line}, column {column}: "))
            );
        }
    }

    #[test]
    fn mistakes_of_the_notation_come_first() {
        let found = places("id = \nvct = \"urn:a:b\"\nformat = dc\n[display\n");
        assert!(found.len() >= 2, "{found:?}");
        assert_eq!(found[0].0, 1);
        // What only all claims together show is found at last.
        let twice = AGE.replace("\"14\"]\ntype", "\"12\"]\ntype");
        assert_ne!(twice, AGE);
        assert_eq!(places(&twice).len(), 1);
    }
}
