//! Requests that nobody should send, made from an OpenAPI document (attack catalogue 124).
//!
//! Each is nearly right, so that it gets far: the right path with a wrong id, the right body with
//! one wrong member, the right body cut short. One seed makes the same requests again.

use axum::body::Body;
use http::{HeaderValue, Method, Request, header};
use serde_json::{Map, Value, json};

/// Deepest generated value.
const DEPTH: usize = 4;
/// Ids and texts that are none.
const JUNK: [&str; 16] = [
    "",
    "0",
    "-1",
    "null",
    "../../etc/passwd",
    "%00",
    "%ff%fe",
    "%0d%0aset-cookie:a=b",
    "0190a6f0-0000-7000-8000-000000000001",
    "0190A6F0-0000-7000-8000-000000000001",
    "18446744073709551616",
    "1e400",
    "a%2fb",
    "%f0%9f%92%a9",
    "%e2%80%ae",
    "'%20OR%20'1'='1",
];
const TEXTS: [&str; 10] = [
    "",
    " ",
    "\u{0}",
    "\u{202e}txt",
    "\r\nset-cookie: a=b",
    "<script>",
    "2026-02-30",
    "9999999999999999999999",
    "crm-4711",
    "pre_authorized_code",
];
const MEDIA_TYPES: [&str; 5] = [
    "application/json",
    "application/x-www-form-urlencoded",
    "application/json; charset=utf-16",
    "text/plain",
    "multipart/form-data; boundary=x",
];

/// What a route takes.
#[derive(Debug, Clone)]
pub enum Takes {
    /// No body.
    Nothing,
    /// JSON by this schema.
    Json(Value),
    /// A form with these fields.
    Form(Vec<String>),
}

/// A route.
#[derive(Debug, Clone)]
pub struct Route {
    /// Its method.
    pub method: Method,
    /// Its path, with `{name}` where an id stands.
    pub path: String,
    /// Names of query parameters.
    pub query: Vec<String>,
    /// Its body.
    pub takes: Takes,
}

impl Route {
    /// A route without a description: `fields` are those of its query or form.
    pub fn new(method: Method, path: &str, fields: &[&str]) -> Self {
        let fields = fields.iter().map(|field| (*field).to_owned()).collect();
        let is_get = method == Method::GET;
        Self {
            method,
            path: path.to_owned(),
            query: if is_get {
                Vec::clone(&fields)
            } else {
                Vec::new()
            },
            takes: if is_get {
                Takes::Nothing
            } else {
                Takes::Form(fields)
            },
        }
    }

    /// The routes of an OpenAPI document.
    pub fn of_document(document: &Value) -> Vec<Self> {
        let paths = document["paths"].as_object().into_iter().flatten();
        let operations = paths.flat_map(|(path, item)| {
            let operations = item.as_object().into_iter().flatten();
            operations.map(move |(method, operation)| (path, method, operation))
        });
        let route = |(path, method, operation): (&String, &String, &Value)| {
            let method = Method::from_bytes(method.to_ascii_uppercase().as_bytes()).ok()?;
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let query = parameters.filter(|one| one["in"] == "query");
            let query = query.filter_map(|one| one["name"].as_str().map(str::to_owned));
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            Some(Self {
                method,
                path: path.clone(),
                query: query.collect(),
                takes: match schema {
                    Value::Null => Takes::Nothing,
                    schema => Takes::Json(schema.clone()),
                },
            })
        };
        operations.filter_map(route).collect()
    }
}

/// Makes requests.
#[derive(Debug)]
pub struct Hostile {
    state: u64,
    schemas: Value,
    /// Ids and secrets that exist, so that some requests get past the lookup.
    pub known: Vec<String>,
    /// Values of `Authorization` that are good.
    pub credentials: Vec<String>,
}

impl Hostile {
    /// `document` is where the schemas of the routes are.
    pub fn new(document: &Value, seed: u64) -> Self {
        Self {
            state: seed,
            schemas: document["components"]["schemas"].clone(),
            known: Vec::new(),
            credentials: Vec::new(),
        }
    }

    /// splitmix64
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        let sample = self.next() % (limit.max(1) as u64);
        usize::try_from(sample).unwrap_or(0)
    }

    fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    fn pick<'a>(&mut self, list: &'a [&'a str]) -> &'a str {
        list[self.below(list.len())]
    }

    /// The next request for one of the routes.
    pub fn request(&mut self, routes: &[Route]) -> Request<Body> {
        let at = self.below(routes.len());
        let route = &routes[at];
        let method = match self.percent(95) {
            true => route.method.clone(),
            false => {
                let others = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"];
                self.pick(&others).parse().unwrap_or(Method::GET)
            }
        };
        let uri = self.uri(route);
        let mut request = Request::builder().method(method).uri(uri);
        let (media_type, body) = match &route.takes {
            Takes::Nothing => ("application/json", Vec::new()),
            Takes::Json(schema) => ("application/json", self.json(schema)),
            Takes::Form(fields) => ("application/x-www-form-urlencoded", self.form(fields)),
        };
        let media_type = match self.percent(95) {
            true => media_type,
            false => self.pick(&MEDIA_TYPES),
        };
        request = request.header(header::CONTENT_TYPE, media_type);
        for (name, value) in self.headers() {
            request = request.header(name, value);
        }
        let body = self.damaged(body);
        // The parts are all legal, so this is never the empty request.
        request.body(Body::from(body)).unwrap_or_default()
    }

    fn headers(&mut self) -> Vec<(&'static str, HeaderValue)> {
        let mut headers = Vec::new();
        if !self.credentials.is_empty() && self.percent(90) {
            let at = self.below(self.credentials.len());
            headers.push(("authorization", self.credentials[at].clone()));
        } else {
            let junk = ["Bearer x", "Basic !!", "DPoP e30.e30.", "Bearer", ""];
            headers.push(("authorization", self.pick(&junk).to_owned()));
        }
        let odd: [(&str, &[&str]); 6] = [
            ("if-match", &["\"1\"", "*", "1", "W/\"1\", \"2\"", "\""]),
            ("idempotency-key", &["a", "", "\"", "0190a6f0", "a b"]),
            ("dpop", &["x", "e30.e30.AA", ""]),
            ("accept-language", &["de", "*;q=0", "xx-\u{7f}", "en;q=9"]),
            ("cookie", &["a=b; a=c", "__Host-login=x", "=;;;"]),
            ("origin", &["https://evil.example", "null"]),
        ];
        for (name, values) in odd {
            if self.percent(20) {
                headers.push((name, self.pick(values).to_owned()));
            }
        }
        let legal = |(name, value): (&'static str, String)| {
            Some((name, HeaderValue::try_from(value).ok()?))
        };
        headers.into_iter().filter_map(legal).collect()
    }

    fn uri(&mut self, route: &Route) -> String {
        let mut uri = String::new();
        for part in route.path.split_inclusive('/') {
            if part.starts_with('{') {
                uri.push_str(&self.id());
                uri.push_str(if part.ends_with('/') { "/" } else { "" });
            } else {
                uri.push_str(part);
            }
        }
        let mut separator = '?';
        for name in route.query.iter().map(String::as_str).chain(["x", "time"]) {
            // Some are left out, some stand twice.
            for _ in 0..[0, 1, 1, 2][self.below(4)] {
                uri.push(separator);
                uri.push_str(name);
                uri.push('=');
                uri.push_str(&self.id());
                separator = '&';
            }
        }
        uri
    }

    fn id(&mut self) -> String {
        if !self.known.is_empty() && self.percent(60) {
            let at = self.below(self.known.len());
            return self.known[at].clone();
        }
        match self.percent(5) {
            true => "a".repeat(1 << self.below(13)),
            false => self.pick(&JUNK).to_owned(),
        }
    }

    fn form(&mut self, fields: &[String]) -> Vec<u8> {
        let mut form = String::new();
        for name in fields.iter().map(String::as_str).chain(["x"]) {
            for _ in 0..[0, 1, 1, 1, 2][self.below(5)] {
                let value = self.id();
                form.push_str(&format!("{name}={value}&"));
            }
        }
        form.into_bytes()
    }

    fn json(&mut self, schema: &Value) -> Vec<u8> {
        let value = self.value(schema, DEPTH);
        value.to_string().into_bytes()
    }

    /// A value by a schema, now and then another one.
    fn value(&mut self, schema: &Value, depth: usize) -> Value {
        if depth == 0 || self.percent(6) {
            return self.wrong();
        }
        if let Some(name) = schema["$ref"].as_str() {
            let name = name.rsplit('/').next().unwrap_or_default();
            let schema = self.schemas[name].clone();
            return self.value(&schema, depth);
        }
        for choice in ["oneOf", "anyOf", "allOf", "enum"] {
            if let Some(choices) = schema[choice].as_array().filter(|list| !list.is_empty()) {
                let one = &choices[self.below(choices.len())];
                return match choice {
                    "enum" => one.clone(),
                    _ => self.value(one, depth),
                };
            }
        }
        let kind = match &schema["type"] {
            Value::Array(kinds) => kinds.first().and_then(Value::as_str),
            kind => kind.as_str(),
        };
        match kind {
            Some("object") => self.object(schema, depth),
            Some("array") => {
                let count = self.below(4);
                let items = (0..count).map(|_| self.value(&schema["items"], depth - 1));
                Value::Array(items.collect())
            }
            Some("integer" | "number") => json!([0, 1, 600, -1, i64::MAX][self.below(5)]),
            Some("boolean") => Value::Bool(self.percent(50)),
            Some("string") => Value::from(self.pick(&TEXTS)),
            _ => self.wrong(),
        }
    }

    fn object(&mut self, schema: &Value, depth: usize) -> Value {
        let mut object = Map::new();
        let properties = schema["properties"].as_object().cloned();
        for (name, schema) in properties.unwrap_or_default() {
            if self.percent(85) {
                object.insert(name, self.value(&schema, depth - 1));
            }
        }
        if self.percent(5) {
            object.insert("__proto__".to_owned(), self.wrong());
        }
        Value::Object(object)
    }

    fn wrong(&mut self) -> Value {
        match self.below(10) {
            0 => Value::Null,
            1 => json!([]),
            2 => json!({}),
            3 => json!(-1),
            4 => json!(u64::MAX),
            5 => json!(1.5e300),
            6 => json!("x".repeat(1 << self.below(14))),
            7 => json!([[[[[[[[[[1]]]]]]]]]]),
            8 => json!({"a": {"b": {"c": [true, null]}}}),
            _ => Value::from(self.pick(&TEXTS)),
        }
    }

    /// Bytes that are no longer what they were, in one request of five.
    fn damaged(&mut self, mut body: Vec<u8>) -> Vec<u8> {
        if body.is_empty() || self.percent(80) {
            return body;
        }
        let at = self.below(body.len());
        match self.below(6) {
            0 => body.truncate(at),
            1 => body[at] = u8::try_from(self.below(256)).unwrap_or(0),
            2 => body.insert(at, b'"'),
            3 => body.extend_from_slice(b"{}"),
            4 => {
                body = b"[".repeat(10_000);
            }
            _ => {
                let text = String::from_utf8_lossy(&body).into_owned();
                // Every name stands twice.
                body = text.replacen('{', "{\"a\":1,\"a\":2,", 1).into_bytes();
            }
        }
        body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_and_requests_of_a_document() {
        let document = json!({
            "paths": {"/v1/a/{id}": {"post": {
                "parameters": [{"name": "limit", "in": "query"}, {"name": "id", "in": "path"}],
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/A"}}}},
            }}},
            "components": {"schemas": {"A": {"type": "object", "properties": {"n": {"type": "integer"}}}}},
        });
        let routes = Route::of_document(&document);
        assert_eq!(routes.len(), 1);
        assert_eq!(routes[0].method, Method::POST);
        assert_eq!(routes[0].query, ["limit"]);
        let list = |seed| {
            let mut hostile = Hostile::new(&document, seed);
            let requests = (0..500).map(|_| hostile.request(&routes));
            requests
                .map(|one| one.uri().to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(list(1), list(1), "one seed makes the same requests");
        assert_ne!(list(1), list(2));
        assert!(list(1).iter().all(|uri| uri.starts_with("/v1/a/")));
    }
}
