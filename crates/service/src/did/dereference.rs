//! Dereferencing of DID URLs (DID Resolution v0.3, section 5).

use serde_json::{Value, json};
use url::Url;
use vouchsafe_credentials::did::{
    DidDocument, DidUrl, DocumentMetadata, ErrorCode, Relationship, ResolutionError,
    ResolutionOptions, Resolver, Service,
};

/// What a DID URL leads to.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// A document, whole or with selected services alone.
    Document(Value),
    /// A verification method or a service.
    Part(Value),
    /// Addresses of services.
    Urls(Vec<String>),
}

impl Content {
    /// Its media type.
    pub fn media_type(&self) -> &'static str {
        match self {
            Self::Document(_) | Self::Part(_) => "application/did",
            Self::Urls(_) => "text/uri-list",
        }
    }
}

/// The result of dereferencing.
#[derive(Debug, Clone)]
pub struct Dereferenced {
    /// What was found; absent exactly when there is an error, or the DID is deactivated.
    pub content: Option<Content>,
    /// Why there is nothing.
    pub error: Option<ResolutionError>,
    /// About the document.
    pub metadata: DocumentMetadata,
}

/// Options beside those of resolution.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Passed on to resolution.
    pub resolution: ResolutionOptions,
    /// `service`: the id of a service, or its fragment.
    pub service: Option<String>,
    /// `serviceType`.
    pub service_type: Option<String>,
    /// `relativeRef`: appended to the address of the service.
    pub relative_ref: Option<String>,
    /// `verificationRelationship`: what the method must be good for.
    pub relationship: Option<Relationship>,
    /// Addresses of services are wanted, not a document.
    pub urls: bool,
}

impl Options {
    fn selects_service(&self) -> bool {
        self.service.is_some() || self.service_type.is_some()
    }
}

fn not_found(detail: &'static str) -> ResolutionError {
    ResolutionError::new(ErrorCode::NotFound, detail)
}

/// Dereferences `url`. Its parameters must already be in `options`.
pub async fn dereference(resolver: &dyn Resolver, url: &DidUrl, options: &Options) -> Dereferenced {
    let resolution = resolver
        .resolve(url.did().as_str(), &options.resolution)
        .await;
    let metadata = resolution.document_metadata.clone();
    let (content, error) = match (&resolution.document, &resolution.resolution_metadata.error) {
        (_, Some(error)) => (None, Some(error.clone())),
        (None, None) => (None, None),
        (Some(document), None) => match select(document, url, options) {
            Ok(content) => (Some(content), None),
            Err(error) => (None, Some(error)),
        },
    };
    Dereferenced {
        content,
        error,
        metadata,
    }
}

fn select(
    document: &DidDocument,
    url: &DidUrl,
    options: &Options,
) -> Result<Content, ResolutionError> {
    if options.selects_service() {
        return services(document, url, options);
    }
    match (url.path(), url.fragment()) {
        ("" | "/", None) => Ok(Content::Document(document.as_json().clone())),
        ("" | "/", Some(_)) => fragment(document, url, options.relationship),
        // did:webvh 1.0, "DID URL Resolution": a path goes to the implicit services.
        ("/whois", None) if document.id().method() == "webvh" => endpoint(document, "whois", None),
        (path, None) if document.id().method() == "webvh" => {
            endpoint(document, "files", Some(path))
        }
        _ => Err(not_found("the method does not say where this path leads")),
    }
}

/// Section 5.3, "Dereferencing the Fragment": a verification method or a service with this id.
fn fragment(
    document: &DidDocument,
    url: &DidUrl,
    relationship: Option<Relationship>,
) -> Result<Content, ResolutionError> {
    let wanted = format!("{}#{}", document.id(), url.fragment().unwrap_or_default());
    if let Some(relationship) = relationship {
        let known = DidUrl::parse(&wanted).map_err(|_| not_found("no such part"))?;
        document
            .method(&known, relationship)
            .map_err(|error| match error {
                vouchsafe_credentials::did::MethodError::Relationship => ResolutionError::new(
                    ErrorCode::InvalidRelationshipForVerificationMethod,
                    "the verification method is not for this purpose",
                ),
                _ => ResolutionError::new(
                    ErrorCode::InvalidVerificationMethod,
                    "no usable verification method",
                ),
            })?;
    }
    let names = ["verificationMethod", "service"].into_iter();
    let names = names.chain(Relationship::ALL.map(Relationship::name));
    let parts = names
        .filter_map(|name| document.as_json().get(name)?.as_array())
        .flatten();
    let is_it = |part: &&Value| {
        part.get("id")
            .and_then(Value::as_str)
            .is_some_and(|id| absolute(document, id) == wanted)
    };
    let found = parts
        .into_iter()
        .find(is_it)
        .ok_or(not_found("the document has no such part"))?;
    let mut part = found.clone();
    if let (Value::Object(members), Some(context)) = (&mut part, document.as_json().get("@context"))
    {
        members.entry("@context").or_insert_with(|| context.clone());
    }
    Ok(Content::Part(part))
}

fn absolute(document: &DidDocument, id: &str) -> String {
    if id.starts_with('#') {
        format!("{}{id}", document.id())
    } else {
        id.to_owned()
    }
}

/// Section 5.2, "Dereferencing the Resource": `service`, `serviceType` and `relativeRef`.
fn services(
    document: &DidDocument,
    url: &DidUrl,
    options: &Options,
) -> Result<Content, ResolutionError> {
    let id = options
        .service
        .as_ref()
        .map(|service| match service.contains(':') {
            true => service.clone(),
            false => absolute(document, &format!("#{}", service.trim_start_matches('#'))),
        });
    let selected: Vec<&Service> = document
        .services()
        .iter()
        .filter(|service| id.as_ref().is_none_or(|id| *id == service.id))
        .filter(|service| {
            options
                .service_type
                .as_ref()
                .is_none_or(|kind| service.types.contains(kind))
        })
        .collect();
    if selected.is_empty() {
        return Err(not_found("the document has no such service"));
    }
    if options.urls {
        let reference = options.relative_ref.as_deref();
        let mut urls = Vec::new();
        for text in selected.iter().flat_map(|service| texts(&service.endpoint)) {
            urls.push(join(text, reference, url.fragment())?);
        }
        return match urls.is_empty() {
            true => Err(not_found("the service has no address")),
            false => Ok(Content::Urls(urls)),
        };
    }
    let mut json = document.as_json().clone();
    let chosen = |part: &Value| {
        let id = part
            .get("id")
            .and_then(Value::as_str)
            .map(|id| absolute(document, id));
        id.is_some_and(|id| selected.iter().any(|service| service.id == id))
    };
    if let Some(list) = json.get_mut("service").and_then(Value::as_array_mut) {
        list.retain(chosen);
    }
    Ok(Content::Document(json))
}

/// The address of an implicit service of did:webvh, which the document may override.
fn endpoint(
    document: &DidDocument,
    name: &str,
    path: Option<&str>,
) -> Result<Content, ResolutionError> {
    let id = format!("{}#{name}", document.id());
    let service = document.services().iter().find(|service| service.id == id);
    let service = service.ok_or(not_found("the document has no such service"))?;
    check_path(path.unwrap_or_default())?;
    let base = texts(&service.endpoint)
        .next()
        .ok_or(not_found("the service has no address"))?;
    let text = match path {
        Some(path) => format!("{}{path}", base.trim_end_matches('/')),
        None => base.to_owned(),
    };
    Ok(Content::Urls(vec![join(&text, None, None)?]))
}

fn texts(endpoint: &Value) -> impl Iterator<Item = &str> {
    let list = match endpoint {
        Value::Array(list) => list.as_slice(),
        one => std::slice::from_ref(one),
    };
    list.iter().filter_map(Value::as_str)
}

/// RFC 3986, section 5.2.4, would take `..` away together with a part of the service's own
/// address: what is asked for would lie beside the service, with somebody else of the same host.
/// So no segment is `..`, in any spelling that a server may take for it. A reference that begins
/// with `/` says by itself that it starts at the host (section 4.2).
fn check_path(reference: &str) -> Result<(), ResolutionError> {
    let path = reference.split(['?', '#']).next().unwrap_or_default();
    let path = path.to_ascii_lowercase();
    let path = path.replace("%2e", ".").replace("%2f", "/");
    let path = path.replace("%5c", "\\");
    // URL parsers of browsers take tabs and line breaks out, and spaces off the ends, before they look for `..`.
    let hidden = path.chars().any(|c| c <= ' ');
    match hidden || path.split(['/', '\\']).any(|segment| segment == "..") {
        true => Err(ResolutionError::new(
            ErrorCode::InvalidDidUrl,
            "the path leaves the service",
        )),
        false => Ok(()),
    }
}

/// RFC 3986, section 5: the reference on the address, and the fragment of the DID URL behind it.
fn join(
    base: &str,
    reference: Option<&str>,
    fragment: Option<&str>,
) -> Result<String, ResolutionError> {
    let malformed = ResolutionError::new(
        ErrorCode::InvalidDidDocument,
        "the address of a service is not https",
    );
    let base = Url::parse(base).map_err(|_| malformed.clone())?;
    check_path(reference.unwrap_or_default())?;
    let mut url = match reference {
        None => base.clone(),
        Some(reference) => base.join(reference).map_err(|_| {
            ResolutionError::new(ErrorCode::InvalidDidUrl, "the relativeRef is malformed")
        })?,
    };
    // A reference to another host is no reference relative to the service.
    if url.scheme() != "https" || url.origin() != base.origin() {
        return Err(malformed);
    }
    if let Some(fragment) = fragment {
        if url.fragment().is_some() {
            return Err(ResolutionError::new(
                ErrorCode::InvalidDidUrl,
                "two fragments",
            ));
        }
        url.set_fragment(Some(fragment));
    }
    Ok(url.into())
}

impl Dereferenced {
    /// Why there is nothing, before anything was resolved.
    pub fn failed(error: ResolutionError) -> Self {
        Self {
            content: None,
            error: Some(error),
            metadata: DocumentMetadata::default(),
        }
    }

    /// `dereferencingMetadata`.
    pub fn metadata_json(&self) -> Value {
        match (&self.error, &self.content) {
            (Some(error), _) => json!({"error": error.to_json()}),
            (None, Some(content)) => json!({"contentType": content.media_type()}),
            (None, None) => json!({}),
        }
    }

    /// The content as JSON; addresses as a list of texts.
    pub fn content_json(&self) -> Value {
        match &self.content {
            None => Value::Null,
            Some(Content::Document(value) | Content::Part(value)) => value.clone(),
            Some(Content::Urls(urls)) => json!(urls),
        }
    }
}
