//! Answers that every operation may give, described once.

use utoipa::Modify;
use utoipa::openapi::path::{Operation, ParameterIn};
use utoipa::openapi::{Content, OpenApi, Ref, RefOr, Response, ResponseBuilder};

/// Adds them where an operation does not describe them itself.
pub struct Answers;

/// Status and description of what every operation may answer.
const COMMON: [(&str, &str); 3] = [
    (
        "429",
        "Too many requests; `Retry-After` says when to come back",
    ),
    ("500", "A fault of ours"),
    (
        "503",
        "Busy or without database; `Retry-After` says when to come back",
    ),
];

const JSON: &str = "application/json";
const PROBLEM: &str = "application/problem+json";

impl Modify for Answers {
    fn modify(&self, api: &mut OpenApi) {
        for item in api.paths.paths.values_mut() {
            let operations = [
                &mut item.get,
                &mut item.put,
                &mut item.post,
                &mut item.delete,
            ];
            for operation in operations.into_iter().flatten() {
                describe(operation);
            }
        }
    }
}

fn describe(operation: &mut Operation) {
    for answer in operation.responses.responses.values_mut() {
        if let RefOr::T(answer) = answer {
            name_media_type(answer);
        }
    }
    for (status, words) in COMMON {
        add(operation, status, words);
    }
    let has_headers = operation.parameters.iter().flatten().any(
        |parameter| matches!(parameter, RefOr::T(own) if own.parameter_in == ParameterIn::Header),
    );
    if has_headers {
        add(operation, "400", "A header is malformed");
        add(
            operation,
            "422",
            "The idempotency key was used for another request",
        );
    }
    if operation.request_body.is_some() {
        add(operation, "413", "The body is too long");
    }
}

/// RFC 9457, section 3: a problem has a media type of its own.
fn name_media_type(answer: &mut Response) {
    let is_problem = |content: &RefOr<Content>| {
        let RefOr::T(content) = content else {
            return false;
        };
        let schema = content.schema.as_ref();
        matches!(schema, Some(RefOr::Ref(to)) if to.ref_location.ends_with("/Problem"))
    };
    if answer.content.get(JSON).is_some_and(is_problem)
        && let Some(content) = answer.content.shift_remove(JSON)
    {
        answer.content.insert(PROBLEM.to_owned(), content);
    }
}

fn add(operation: &mut Operation, status: &str, words: &str) {
    let answers = &mut operation.responses.responses;
    if !answers.contains_key(status) {
        answers.insert(status.to_owned(), RefOr::T(problem(words)));
    }
}

fn problem(words: &str) -> Response {
    let schema = Ref::from_schema_name("Problem");
    ResponseBuilder::new()
        .description(words)
        .content(PROBLEM, Content::new(Some(schema)))
        .build()
}
