//! The description of the administration API for people: the OpenAPI document, rearranged for a page.
//!
//! What stands on the page is read from the document and nothing else, so it cannot differ from it.

mod example;

use serde::Serialize;
use serde_json::{Map, Value};

/// The page.
#[derive(Debug, Serialize)]
pub struct Docs {
    groups: Vec<Group>,
    access: Vec<Scheme>,
    scopes: Vec<ScopeLine>,
    schemas: Vec<Schema>,
}

#[derive(Debug, Serialize)]
struct Group {
    name: String,
    anchor: String,
    description: String,
    operations: Vec<Operation>,
}

#[derive(Debug, Serialize)]
struct Operation {
    id: String,
    method: String,
    path: String,
    summary: String,
    summary_words: Words,
    words: Words,
    parameters: Vec<Member>,
    body: Option<Body>,
    answers: Vec<Answer>,
    curl: String,
}

#[derive(Debug, Serialize)]
struct Body {
    media_type: String,
    shape: Shape,
    members: Vec<Member>,
}

#[derive(Debug, Serialize)]
struct Answer {
    status: String,
    words: Words,
    shape: Option<Shape>,
}

#[derive(Debug, Serialize)]
struct Member {
    name: String,
    required: bool,
    shape: Shape,
    words: Words,
}

/// A type in words, and the object that it links to.
#[derive(Debug, Default, Clone, Serialize)]
struct Shape {
    name: String,
    link: Option<String>,
}

#[derive(Debug, Serialize)]
struct Scheme {
    name: String,
    words: Words,
}

#[derive(Debug, Serialize)]
struct ScopeLine {
    name: String,
    text: String,
}

#[derive(Debug, Serialize)]
struct Schema {
    name: String,
    words: Words,
    values: Vec<String>,
    members: Vec<Member>,
}

/// Paragraphs of text with names in between.
type Words = Vec<Vec<Part>>;

#[derive(Debug, Serialize)]
struct Part {
    code: bool,
    text: String,
}

impl Docs {
    /// The page of a document; `base` is where the service is.
    pub fn new(document: &Value, base: &str) -> Self {
        let read = Reader { document, base };
        Self {
            groups: read.groups(),
            access: read.access(),
            scopes: read.scopes(),
            schemas: read.schemas(),
        }
    }
}

struct Reader<'a> {
    document: &'a Value,
    base: &'a str,
}

/// Methods in the order of the page.
const METHODS: [&str; 4] = ["get", "post", "put", "delete"];

impl<'a> Reader<'a> {
    fn groups(&self) -> Vec<Group> {
        let tags = self.document["tags"].as_array().into_iter().flatten();
        tags.map(|tag| {
            let name = text(&tag["name"]);
            Group {
                anchor: name.replace(' ', "-"),
                description: text(&tag["description"]),
                operations: self.operations(&name),
                name,
            }
        })
        .collect()
    }

    fn operations(&self, tag: &str) -> Vec<Operation> {
        let mut found = Vec::new();
        for (path, item) in object(&self.document["paths"]) {
            for method in METHODS {
                let operation = &item[method];
                if operation["tags"][0].as_str() == Some(tag) {
                    found.push(self.operation(path, method, operation));
                }
            }
        }
        found
    }

    fn operation(&self, path: &str, method: &str, operation: &Value) -> Operation {
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let parameter = |one: &Value| Member {
            name: text(&one["name"]),
            required: one["required"] == true,
            shape: Shape {
                name: format!("{}, {}", shape(&one["schema"]).name, text(&one["in"])),
                link: shape(&one["schema"]).link,
            },
            words: words(&one["description"]),
        };
        let answers = object(&operation["responses"]).map(|(status, answer)| Answer {
            status: status.clone(),
            words: words(&answer["description"]),
            shape: media(answer).map(|(_, schema)| shape(schema)),
        });
        let summary = text(&operation["summary"]);
        Operation {
            id: text(&operation["operationId"]),
            method: method.to_uppercase(),
            path: path.to_owned(),
            summary_words: words(&operation["summary"]),
            summary,
            words: words(&operation["description"]),
            parameters: parameters.map(parameter).collect(),
            body: media(&operation["requestBody"]).map(|(media_type, schema)| Body {
                media_type: media_type.to_owned(),
                shape: shape(schema),
                members: self.members(schema),
            }),
            answers: answers.collect(),
            curl: self.curl(path, method, operation),
        }
    }

    fn access(&self) -> Vec<Scheme> {
        let schemes = object(&self.document["components"]["securitySchemes"]);
        schemes
            .map(|(name, scheme)| Scheme {
                name: name.clone(),
                words: words(&scheme["description"]),
            })
            .collect()
    }

    fn scopes(&self) -> Vec<ScopeLine> {
        let flows = &self.document["components"]["securitySchemes"]["client_credentials"]["flows"];
        let scopes = object(&flows["clientCredentials"]["scopes"]);
        scopes
            .map(|(name, scope)| ScopeLine {
                name: name.clone(),
                text: text(scope),
            })
            .collect()
    }

    fn schemas(&self) -> Vec<Schema> {
        let schemas = object(&self.document["components"]["schemas"]);
        schemas
            .map(|(name, schema)| Schema {
                name: name.clone(),
                words: words(&schema["description"]),
                values: values(schema),
                members: self.members(schema),
            })
            .collect()
    }

    /// The members of an object, those of its parts too.
    fn members(&self, schema: &Value) -> Vec<Member> {
        let schema = self.resolve(schema);
        let mut members: Vec<Member> = Vec::new();
        for part in schema["allOf"].as_array().into_iter().flatten() {
            members.extend(self.members(part));
        }
        let required = &schema["required"];
        let is_required = |name: &str| {
            let mut names = required.as_array().into_iter().flatten();
            names.any(|one| one.as_str() == Some(name))
        };
        members.extend(object(&schema["properties"]).map(|(name, member)| Member {
            required: is_required(name),
            name: name.clone(),
            shape: shape(member),
            words: words(&member["description"]),
        }));
        members
    }

    fn resolve(&self, schema: &'a Value) -> &'a Value {
        let Some(name) = reference(schema) else {
            return schema;
        };
        &self.document["components"]["schemas"][name]
    }
}

/// A type in words.
fn shape(schema: &Value) -> Shape {
    if let Some(name) = reference(schema) {
        return Shape {
            name: name.to_owned(),
            link: Some(name.to_owned()),
        };
    }
    for choice in ["oneOf", "anyOf"] {
        let choices = schema[choice].as_array().into_iter().flatten();
        if let Some(one) = choices.into_iter().find(|one| one["type"] != "null") {
            return shape(one);
        }
    }
    let name = match &schema["type"] {
        Value::String(name) => name.clone(),
        Value::Array(names) => {
            let names = names.iter().filter_map(Value::as_str);
            let names: Vec<_> = names.filter(|name| *name != "null").collect();
            names.join(" or ")
        }
        _ => "object".to_owned(),
    };
    if name != "array" {
        return Shape { name, link: None };
    }
    let item = shape(&schema["items"]);
    Shape {
        name: format!("array of {}", item.name),
        link: item.link,
    }
}

fn reference(schema: &Value) -> Option<&str> {
    let name = schema["$ref"].as_str()?;
    name.strip_prefix("#/components/schemas/")
}

fn values(schema: &Value) -> Vec<String> {
    let own = schema["enum"].as_array().into_iter().flatten();
    let parts = schema["oneOf"].as_array().into_iter().flatten();
    let parts = parts.flat_map(|part| {
        let own = part["enum"].as_array().into_iter().flatten();
        own.chain(part.get("const"))
    });
    own.chain(parts).map(text).collect()
}

/// The first media type of a body or an answer, and its schema.
fn media(part: &Value) -> Option<(&str, &Value)> {
    let (media_type, content) = part["content"].as_object()?.iter().next()?;
    Some((media_type, &content["schema"]))
}

fn object(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Paragraphs are separated by an empty line, names stand between backticks.
fn words(value: &Value) -> Words {
    let text = value.as_str().unwrap_or_default();
    let paragraphs = text.split("\n\n").filter(|one| !one.trim().is_empty());
    let parts = |paragraph: &str| {
        let parts = paragraph.split('`').enumerate();
        let parts = parts.filter(|(_, text)| !text.is_empty());
        parts
            .map(|(place, text)| Part {
                code: place % 2 == 1,
                text: text.replace('\n', " "),
            })
            .collect()
    };
    paragraphs.map(parts).collect()
}
