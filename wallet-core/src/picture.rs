//! Pictures of cards: logo and background, as the issuer's metadata name them.
//!
//! They are fetched once, right after a card was added, and kept with it. Showing a card, to its
//! owner or to anybody, fetches nothing: nobody learns when and where it is looked at.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use url::Url;
use vouchsafe_credentials::type_metadata::image::{ImageKind, from_data_uri};
use vouchsafe_protocol::http::{HttpRequest, HttpResponse, Method};

use crate::WalletError;
use crate::credential::{CredentialId, CredentialStore};
use crate::display::Localized;
use crate::storage::VaultBatch;
use crate::wallet::Wallet;

/// The longest address of a picture that is remembered.
const LONGEST_ADDRESS: usize = 2048;

/// A picture, here or still elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Picture {
    /// Its bytes, as a `data:` address: PNG, JPEG or WebP, by the bytes themselves.
    Here(String),
    /// Where it was when the card was added.
    At(Url),
}

impl Picture {
    /// A picture by its address in metadata: `data:` with bytes that are what they claim, or an
    /// address to ask once. Every other address is no picture.
    pub(crate) fn parse(uri: &str) -> Option<Self> {
        if uri
            .get(..5)
            .is_some_and(|s| s.eq_ignore_ascii_case("data:"))
        {
            let (kind, bytes) = from_data_uri(uri).ok()?;
            return Some(Self::here(kind, &bytes));
        }
        let url = Url::parse(uri).ok()?;
        let web = matches!(url.scheme(), "https" | "http");
        (web && uri.len() <= LONGEST_ADDRESS).then_some(Self::At(url))
    }

    fn here(kind: ImageKind, bytes: &[u8]) -> Self {
        let (media_type, data) = (kind.media_type(), STANDARD.encode(bytes));
        Self::Here(format!("data:{media_type};base64,{data}"))
    }

    /// The picture as a `data:` address, once it is here.
    pub(crate) fn data_uri(&self) -> Option<&str> {
        match self {
            Self::Here(uri) => Some(uri),
            Self::At(_) => None,
        }
    }
}

/// The pictures of one card.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pictures {
    /// The issuer's mark.
    #[serde(default)]
    pub logo: Option<Picture>,
    /// What the mark shows.
    #[serde(default)]
    pub logo_alt: Vec<Localized>,
    /// Behind everything.
    #[serde(default)]
    pub background: Option<Picture>,
}

/// Which picture of a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Logo,
    Background,
}

impl Pictures {
    fn at(&mut self, place: Place) -> &mut Option<Picture> {
        match place {
            Place::Logo => &mut self.logo,
            Place::Background => &mut self.background,
        }
    }
}

/// A picture to fetch for a card that was added.
pub struct PictureFetch {
    wallet: Wallet,
    card: CredentialId,
    place: Place,
    request: HttpRequest,
}

impl PictureFetch {
    /// The request to send, once. Redirects must not be followed.
    #[must_use]
    pub fn request(&self) -> &HttpRequest {
        &self.request
    }

    /// Keeps what came, if it is a picture. A card without its picture is as good.
    pub fn receive(self, response: &HttpResponse) -> Result<(), WalletError> {
        let picture = ImageKind::of(&response.body).ok();
        let picture = picture.filter(|_| response.is_success());
        let picture = picture.map(|kind| Picture::here(kind, &response.body));
        let mut record = self.wallet.store().record(&self.card)?;
        *record.display.pictures.at(self.place) = picture;
        let (name, bytes) = CredentialStore::encode(&record)?;
        self.wallet.commit(VaultBatch::new().put(name, bytes))
    }
}

impl Wallet {
    /// The pictures of a card that are still elsewhere. To be asked for right after the card was
    /// added, and at no other time.
    pub fn pictures_of(&self, id: &CredentialId) -> Result<Vec<PictureFetch>, WalletError> {
        let mut pictures = self.store().record(id)?.display.pictures;
        let places = [Place::Logo, Place::Background].into_iter();
        let fetches = places.filter_map(|place| match pictures.at(place).take()? {
            Picture::At(url) => {
                self.urls().check(&url).ok()?;
                let request = HttpRequest::new(Method::Get, url);
                let wanted = "image/png, image/jpeg, image/webp";
                Some(PictureFetch {
                    wallet: self.clone(),
                    card: id.clone(),
                    place,
                    request: crate::net::accepting(request, wanted),
                })
            }
            Picture::Here(_) => None,
        });
        Ok(fetches.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

    #[test]
    fn only_pictures_of_pixels_are_pictures() {
        let png = format!("data:image/png;base64,{}", STANDARD.encode(PNG));
        assert_eq!(Picture::parse(&png).unwrap().data_uri(), Some(png.as_str()));
        let away = Picture::parse("https://club.example/logo.png").unwrap();
        assert_eq!(away.data_uri(), None);
        let svg = STANDARD.encode("<svg onload=\"alert(1)\"/>");
        for bad in [
            format!("data:image/svg+xml;base64,{svg}"),
            format!("data:image/png;base64,{svg}"),
            format!("data:text/html;base64,{}", STANDARD.encode(PNG)),
            "javascript:alert(1)".to_owned(),
            "file:///etc/passwd".to_owned(),
            "logo.png".to_owned(),
            format!("https://club.example/{}", "x".repeat(LONGEST_ADDRESS)),
        ] {
            assert_eq!(Picture::parse(&bad), None, "{bad}");
        }
    }
}
