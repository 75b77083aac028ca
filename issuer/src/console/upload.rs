//! Forms with a file (`multipart/form-data`, RFC 7578).

use axum::extract::Multipart;
use axum::extract::multipart::MultipartRejection;
use axum::http::HeaderMap;
use vouchsafe_service::http::Params;

use super::{Failure, Visitor};

/// Fields of one form at most.
const MAX_FIELDS: usize = 16;

/// What was uploaded.
#[derive(Debug)]
pub struct Upload {
    /// The fields but the file.
    pub fields: Params,
    /// The file; empty where none was chosen.
    pub file: Vec<u8>,
}

/// Reads a form with one file from a page of the visitor's session. The size of the body is limited by
/// the route.
pub async fn read(
    visitor: &Visitor,
    headers: &HeaderMap,
    body: Result<Multipart, MultipartRejection>,
) -> Result<Upload, Failure> {
    let mut body = body.map_err(|_| Failure::Malformed)?;
    let (mut fields, mut file) = (Vec::<(String, String)>::new(), Vec::new());
    while let Some(part) = body.next_field().await.map_err(|_| Failure::Malformed)? {
        let name = part.name().unwrap_or_default().to_owned();
        let is_file = part.file_name().is_some();
        let bytes = part.bytes().await.map_err(|_| Failure::Malformed)?;
        if is_file {
            file = bytes.to_vec();
            continue;
        }
        let text = String::from_utf8(bytes.to_vec()).map_err(|_| Failure::Malformed)?;
        fields.push((name, text));
        if fields.len() > MAX_FIELDS {
            return Err(Failure::Malformed);
        }
    }
    // In the one form in which the rest of the console reads fields: each name at most once.
    let encoded = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(&fields)
        .finish();
    let fields = Params::parse(encoded.as_bytes()).map_err(|_| Failure::Malformed)?;
    let token = fields.get("csrf").unwrap_or_default();
    let own = visitor.console.csrf.check(headers, &visitor.cookie, token);
    own.map_err(|_| Failure::Form)?;
    visitor.recheck().await?;
    Ok(Upload { fields, file })
}
