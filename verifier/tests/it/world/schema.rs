//! JSON Schema 2020-12, as far as our schemas use it. A keyword that is not known here fails, so that
//! nothing of a schema is skipped.

use serde_json::Value;

/// Whether a value keeps to a schema; the first place where it does not.
pub fn check(schema: &Value, value: &Value) -> Result<(), String> {
    at(schema, schema, value, "$")
}

fn at(root: &Value, schema: &Value, value: &Value, path: &str) -> Result<(), String> {
    let Some(rules) = schema.as_object() else {
        return Err(format!("{path}: not a schema"));
    };
    for (name, rule) in rules {
        let holds = match name.as_str() {
            "$schema" | "$id" | "$defs" | "title" | "then" => true,
            "$ref" => {
                let pointer = rule.as_str().unwrap().trim_start_matches('#');
                at(root, root.pointer(pointer).unwrap(), value, path)?;
                true
            }
            "type" => match rule.as_str().unwrap() {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                other => return Err(format!("the type {other} is not known")),
            },
            "const" => rule == value,
            "enum" => rule.as_array().unwrap().contains(value),
            "required" => {
                let names = rule.as_array().unwrap().iter();
                let object = value.as_object();
                object.is_none_or(|object| {
                    names
                        .clone()
                        .all(|name| object.contains_key(name.as_str().unwrap()))
                })
            }
            "properties" => {
                for (name, member) in rule.as_object().unwrap() {
                    if let Some(found) = value.get(name) {
                        at(root, member, found, &format!("{path}.{name}"))?;
                    }
                }
                true
            }
            "additionalProperties" => {
                assert_eq!(*rule, false);
                let known = rules["properties"].as_object().unwrap();
                let object = value.as_object();
                object.is_none_or(|object| object.keys().all(|name| known.contains_key(name)))
            }
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    at(root, rule, item, &format!("{path}[{index}]"))?;
                }
                true
            }
            "minItems" => value.as_array().is_none_or(|all| all.len() >= number(rule)),
            "maxItems" => value.as_array().is_none_or(|all| all.len() <= number(rule)),
            "minLength" => value
                .as_str()
                .is_none_or(|text| text.chars().count() >= number(rule)),
            "maxLength" => value
                .as_str()
                .is_none_or(|text| text.chars().count() <= number(rule)),
            "if" => {
                if at(root, rule, value, path).is_ok() {
                    at(root, &rules["then"], value, path)?;
                }
                true
            }
            other => return Err(format!("the keyword {other} is not known")),
        };
        if !holds {
            return Err(format!("{path}: {name}"));
        }
    }
    Ok(())
}

fn number(rule: &Value) -> usize {
    usize::try_from(rule.as_u64().unwrap()).unwrap()
}
