//! Pictures that type metadata refers to.
//!
//! Only pictures made of pixels are shown. SVG is refused: it is a program that can fetch and
//! run, and a template filled with claims would carry them along (SD-JWT VC, "SVG Rendering").

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Largest accepted picture in bytes.
pub const MAX_IMAGE_BYTES: usize = 256 * 1024;

/// A kind of picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageKind {
    /// `image/png`
    Png,
    /// `image/jpeg`
    Jpeg,
    /// `image/webp`
    Webp,
}

/// Why a picture is not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// Larger than [`MAX_IMAGE_BYTES`].
    #[error("the picture is too large")]
    TooLarge,
    /// Not PNG, JPEG or WebP, by its first bytes.
    #[error("the picture is of a kind that is not shown")]
    Kind,
    /// Not a base64 `data:` address, or its media type is not what the bytes are.
    #[error("the address of the picture is malformed")]
    DataUri,
}

impl ImageKind {
    /// The media type.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Webp => "image/webp",
        }
    }

    /// The kind of these bytes. What a server calls them does not count.
    ///
    /// # Errors
    /// [`ImageError::TooLarge`], [`ImageError::Kind`].
    pub fn of(bytes: &[u8]) -> Result<Self, ImageError> {
        if bytes.len() > MAX_IMAGE_BYTES {
            return Err(ImageError::TooLarge);
        }
        let webp = bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP");
        if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            Ok(Self::Png)
        } else if bytes.starts_with(&[0xff, 0xd8, 0xff]) {
            Ok(Self::Jpeg)
        } else if webp {
            Ok(Self::Webp)
        } else {
            Err(ImageError::Kind)
        }
    }
}

/// The bytes and the kind of a `data:` address in base64.
///
/// # Errors
/// See [`ImageError`].
pub fn from_data_uri(uri: &str) -> Result<(ImageKind, Vec<u8>), ImageError> {
    if uri.len() > MAX_IMAGE_BYTES.saturating_mul(2) {
        return Err(ImageError::TooLarge);
    }
    let scheme = uri
        .get(..5)
        .filter(|scheme| scheme.eq_ignore_ascii_case("data:"));
    let rest = scheme
        .and_then(|_| uri.get(5..))
        .ok_or(ImageError::DataUri)?;
    let (head, data) = rest.split_once(',').ok_or(ImageError::DataUri)?;
    let media_type = head.strip_suffix(";base64").ok_or(ImageError::DataUri)?;
    let bytes = STANDARD.decode(data).map_err(|_| ImageError::DataUri)?;
    let kind = ImageKind::of(&bytes)?;
    if media_type.eq_ignore_ascii_case(kind.media_type()) {
        Ok((kind, bytes))
    } else {
        Err(ImageError::DataUri)
    }
}
