//! Examples: a call with curl for each operation, made of the examples in the document.

use serde_json::{Map, Value, json};

use super::{Reader, media, object, reference, text};

/// Schemas within schemas at most.
const DEPTH: usize = 6;

impl Reader<'_> {
    pub(super) fn curl(&self, path: &str, method: &str, operation: &Value) -> String {
        let mut lines = vec![self.first_line(path, method, operation)];
        let by_secret = operation["security"][0].get("client_basic").is_some();
        match by_secret {
            true => lines.push("-u \"$CLIENT_ID:$CLIENT_SECRET\"".to_owned()),
            false => lines.push("-H \"Authorization: Bearer $KEY\"".to_owned()),
        }
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            if parameter["in"] == "header" && parameter["required"] == true {
                lines.push(format!("-H '{}: \"1\"'", text(&parameter["name"])));
            }
        }
        if let Some((media_type, schema)) = media(&operation["requestBody"]) {
            lines.extend(self.body(media_type, schema));
        }
        lines.join(" \\\n  ")
    }

    fn first_line(&self, path: &str, method: &str, operation: &Value) -> String {
        let mut query = Vec::new();
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            if parameter["in"] == "query" && parameter["required"] == true {
                let value = self.value(&parameter["schema"], DEPTH);
                let value = value.as_str().unwrap_or("membership").to_owned();
                query.push(format!("{}={value}", text(&parameter["name"])));
            }
        }
        let path = path.replace('{', "$").replace('}', "");
        let url = match query.is_empty() {
            true => format!("{}{path}", self.base),
            false => format!("{}{path}?{}", self.base, query.join("&")),
        };
        match method {
            "get" => format!("curl \"{url}\""),
            method => format!("curl -X {} \"{url}\"", method.to_uppercase()),
        }
    }

    fn body(&self, media_type: &str, schema: &Value) -> Vec<String> {
        let header = format!("-H \"Content-Type: {media_type}\"");
        match media_type {
            "application/json" => {
                let body = self.value(schema, DEPTH);
                vec![header, format!("-d '{body}'")]
            }
            "application/x-www-form-urlencoded" => {
                let body = self.value(schema, DEPTH);
                let fields = object(&body);
                fields
                    .map(|(name, value)| format!("-d {name}={}", text(value)))
                    .collect()
            }
            _ => vec![header, "--data-binary @members.csv".to_owned()],
        }
    }

    /// An example of a schema: what is required, and what has an example of its own.
    fn value(&self, schema: &Value, depth: usize) -> Value {
        if let Some(example) = schema.get("example") {
            return example.clone();
        }
        if depth == 0 {
            return Value::Null;
        }
        if let Some(name) = reference(schema) {
            let found = &self.document["components"]["schemas"][name];
            return self.value(found, depth - 1);
        }
        if let Some(first) = schema["enum"].get(0) {
            return first.clone();
        }
        for choice in ["oneOf", "anyOf"] {
            let choices = schema[choice].as_array().into_iter().flatten();
            if let Some(one) = choices.into_iter().find(|one| one["type"] != "null") {
                return self.value(one, depth - 1);
            }
        }
        let kind = match &schema["type"] {
            Value::Array(names) => names.first().cloned().unwrap_or_default(),
            kind => kind.clone(),
        };
        match kind.as_str() {
            Some("string") => json!("…"),
            Some("integer" | "number") => json!(1),
            Some("boolean") => json!(false),
            Some("array") => json!([self.value(&schema["items"], depth - 1)]),
            _ => self.members_of(schema, depth),
        }
    }

    fn members_of(&self, schema: &Value, depth: usize) -> Value {
        let mut members = Map::new();
        for part in schema["allOf"].as_array().into_iter().flatten() {
            if let Value::Object(part) = self.value(part, depth - 1) {
                members.extend(part);
            }
        }
        let required: Vec<_> = schema["required"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        for (name, member) in object(&schema["properties"]) {
            if required.contains(&name.as_str()) {
                members.insert(name.clone(), self.value(member, depth - 1));
            }
        }
        Value::Object(members)
    }
}
