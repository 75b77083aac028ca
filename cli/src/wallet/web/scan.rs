//! A code on a picture that the person gives to the wallet.

use std::io::Cursor;
use std::sync::Arc;

use axum::extract::multipart::MultipartRejection;
use axum::extract::{Multipart, State};
use axum::http::HeaderMap;
use axum::response::Response;
use image::imageops::thumbnail;
use image::{GrayImage, ImageReader, Limits};
use tokio::sync::Semaphore;
use vouchsafe_service::http::StrictForm;

use super::app::App;
use super::error::Problem;
use super::shell::Visitor;
use super::{finders, offer, request};

/// A photograph of a phone has less.
pub(super) const LARGEST_UPLOAD: usize = 12 * 1024 * 1024;
/// Pixels along one side, and bytes that decoding may take.
const LONGEST_SIDE: u32 = 10_000;
const MOST_MEMORY: u64 = 256 * 1024 * 1024;
/// Pixels of one picture.
const MOST_PIXELS: u64 = 60_000_000;
/// Corners of codes on one picture: a code has three.
const MOST_CORNERS: usize = 24;
/// Codes are looked for at these sizes: small pictures are fast, and blur helps against noise.
const SIDES: [u32; 3] = [800, 1600, 3200];
/// One picture after the other: decoding takes memory.
static ONE: Semaphore = Semaphore::const_new(1);

/// A pasted link: an offer, or a question to show a card.
pub(super) async fn paste(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    StrictForm(form): StrictForm,
) -> Response {
    match app.check_form(&headers, &form) {
        Ok(visitor) => {
            let link = form.get("link").unwrap_or_default();
            follow(&app, &visitor, link).await
        }
        Err(problem) => problem.page(&app, &app.visitor(&headers)),
    }
}

/// A picture of a code.
pub(super) async fn picture(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    form: Result<Multipart, MultipartRejection>,
) -> Response {
    let visitor = app.visitor(&headers);
    let read = match form {
        Ok(form) => read(&app, &headers, form).await,
        Err(_) => Err(Problem::picture()),
    };
    match read {
        Ok(link) => follow(&app, &visitor, &link).await,
        Err(problem) => problem.page(&app, &visitor),
    }
}

async fn read(app: &App, headers: &HeaderMap, mut form: Multipart) -> Result<String, Problem> {
    let mut ours = false;
    while let Some(field) = form.next_field().await.map_err(|_| Problem::picture())? {
        match field.name() {
            Some("csrf") => {
                let token = field.text().await.map_err(|_| Problem::picture())?;
                app.check_token(headers, &token)?;
                ours = true;
            }
            // The token comes first; before it nothing is read.
            Some("picture") if ours => {
                let bytes = field.bytes().await.map_err(|_| Problem::picture())?;
                let one = ONE.acquire().await.map_err(|_| Problem::picture())?;
                let decode = move || {
                    // The next one begins when this one has ended, though nobody waits for it.
                    let _one = one;
                    code_on(&bytes)
                };
                let found = tokio::task::spawn_blocking(decode).await;
                // A picture that breaks the decoder is a picture without a code.
                return found.ok().flatten().ok_or_else(Problem::picture);
            }
            _ => return Err(Problem::form()),
        }
    }
    Err(if ours {
        Problem::picture()
    } else {
        Problem::form()
    })
}

/// The text of a code on a picture: of several, the first that the wallet can follow.
fn code_on(bytes: &[u8]) -> Option<String> {
    is_measured(bytes)?;
    let picture = reader(bytes)?.decode().ok()?.into_luma8();
    let longest = picture.width().max(picture.height());
    let mut texts = Vec::new();
    for side in SIDES {
        if side >= longest {
            texts.extend(codes(&picture));
            break;
        }
        let part = |length: u32| {
            let scaled = u64::from(length) * u64::from(side) / u64::from(longest);
            u32::try_from(scaled).unwrap_or(side).max(1)
        };
        texts.extend(codes(&thumbnail(
            &picture,
            part(picture.width()),
            part(picture.height()),
        )));
        if texts.iter().any(|text| kind(text).is_some()) {
            break;
        }
    }
    let wanted = texts.iter().position(|text| kind(text).is_some());
    (!texts.is_empty()).then(|| texts.swap_remove(wanted.unwrap_or(0)))
}

/// Before a pixel is decoded: a few bytes may stand for more than memory holds.
fn is_measured(bytes: &[u8]) -> Option<()> {
    let (width, height) = reader(bytes)?.into_dimensions().ok()?;
    let pixels = u64::from(width) * u64::from(height);
    (width.max(height) <= LONGEST_SIDE && pixels <= MOST_PIXELS).then_some(())
}

fn reader(bytes: &[u8]) -> Option<ImageReader<Cursor<&[u8]>>> {
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format();
    let mut reader = reader.ok()?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(LONGEST_SIDE);
    limits.max_image_height = Some(LONGEST_SIDE);
    limits.max_alloc = Some(MOST_MEMORY);
    reader.limits(limits);
    Some(reader)
}

fn codes(picture: &GrayImage) -> Vec<String> {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let raw = picture.as_raw();
    let mut prepared = rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| {
        raw.get(y * width + x).copied().unwrap_or(0)
    });
    let dark = |x: usize, y: usize| prepared.get_pixel_at(x, y) == 1;
    if finders::more_than(MOST_CORNERS, (width, height), dark) {
        return Vec::new();
    }
    let grids = prepared.detect_grids();
    grids
        .iter()
        .filter_map(|grid| grid.decode().ok())
        .map(|(_, text)| text)
        .collect()
}

/// What a link leads to.
enum Kind {
    Offer,
    Request,
}

/// Links of cards, under any of their schemes or as the address of a wallet (OpenID4VCI 1.0,
/// section 4.1; OpenID4VP 1.0, section 5). Nothing else is opened, and nothing by itself.
fn kind(link: &str) -> Option<Kind> {
    let (_, query) = link.trim().split_once('?')?;
    if query.contains("credential_offer") {
        Some(Kind::Offer)
    } else if query.contains("request_uri") {
        Some(Kind::Request)
    } else {
        None
    }
}

async fn follow(app: &App, visitor: &Visitor, link: &str) -> Response {
    let link = link.trim();
    match kind(link) {
        Some(Kind::Offer) => offer::begin(app, visitor, link).await,
        Some(Kind::Request) => request::begin(app, visitor, link).await,
        None => Problem::link().page(app, visitor),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use image::{ImageFormat, Luma};
    use qrcode::QrCode;

    use super::super::finders::tests::corners;
    use super::*;

    /// A code as a picture with `pixel` pixels a module and a quiet zone.
    pub(in crate::wallet::web) fn drawn(text: &str, pixel: u32, format: ImageFormat) -> Vec<u8> {
        let code = QrCode::new(text).unwrap();
        let modules = u32::try_from(code.width()).unwrap();
        let colours = code.to_colors();
        let side = (modules + 8) * pixel;
        let picture = GrayImage::from_fn(side, side, |x, y| {
            let (x, y) = (i64::from(x / pixel) - 4, i64::from(y / pixel) - 4);
            let inside =
                (0..i64::from(modules)).contains(&x) && (0..i64::from(modules)).contains(&y);
            let dark = inside
                && colours[usize::try_from(y * i64::from(modules) + x).unwrap()]
                    == qrcode::Color::Dark;
            Luma([if dark { 0 } else { 255 }])
        });
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn a_code_is_read_from_every_kind_of_picture() {
        let link = "openid-credential-offer://?credential_offer_uri=https%3A%2F%2Fclub.example%2Foffers%2F1";
        for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP] {
            assert_eq!(
                code_on(&drawn(link, 6, format)).as_deref(),
                Some(link),
                "{format:?}"
            );
        }
        // As large as a photograph.
        assert_eq!(
            code_on(&drawn(link, 40, ImageFormat::Png)).as_deref(),
            Some(link)
        );
    }

    #[test]
    fn cat_445_what_is_no_picture_or_too_large_has_no_code() {
        let png = drawn("x", 4, ImageFormat::Png);
        let mut wide = png.clone();
        // The width in the header of a PNG: 2^30 pixels.
        wide[16] = 0x40;
        for bytes in [
            &b""[..],
            b"GIF89a",
            b"<svg/>",
            &png[..40],
            &wide,
            &[0xff; 4096],
        ] {
            assert_eq!(code_on(bytes), None);
        }
    }

    /// The beginning of a PNG that says how large it is; nothing follows.
    fn begun(width: u32, height: u32) -> Vec<u8> {
        let chunk = |name: &[u8; 4], data: &[u8]| {
            let body = [&name[..], data].concat();
            let crc = body.iter().fold(u32::MAX, |crc, byte| {
                (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
                    (crc >> 1) ^ (0xedb8_8320 * (crc & 1))
                })
            });
            let length = u32::try_from(data.len()).unwrap().to_be_bytes();
            [&length[..], &body, &(!crc).to_be_bytes()].concat()
        };
        let sides = [width.to_be_bytes(), height.to_be_bytes()].concat();
        let header = [&sides[..], &[8, 0, 0, 0, 0]].concat();
        let begin = b"\x89PNG\r\n\x1a\n";
        [&begin[..], &chunk(b"IHDR", &header), &chunk(b"IDAT", &[])].concat()
    }

    #[test]
    fn cat_445_a_picture_is_measured_before_it_is_decoded() {
        assert!(is_measured(&begun(7000, 8000)).is_some());
        for (width, height) in [(8000, 8000), (10_001, 10), (10, 10_001), (1 << 30, 1 << 30)] {
            assert!(
                is_measured(&begun(width, height)).is_none(),
                "{width} {height}"
            );
        }
    }

    #[test]
    fn cat_445_a_picture_full_of_corners_is_given_up_at_once() {
        // Beside a code that is as good as any other.
        let (width, height, dark) = corners(60, 60, 4);
        let side = |length: usize| u32::try_from(length).unwrap();
        let picture = GrayImage::from_fn(side(width), side(height), |x, y| {
            let dark = dark(usize::try_from(x).unwrap(), usize::try_from(y).unwrap());
            Luma([if dark { 0 } else { 255 }])
        });
        assert!(codes(&picture).is_empty());
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
        assert_eq!(code_on(&bytes.into_inner()), None);
        // A sheet with some codes is none of that.
        let link = "haip-vp://?client_id=a&request_uri=b";
        assert_eq!(
            code_on(&drawn(link, 4, ImageFormat::Png)).as_deref(),
            Some(link)
        );
    }

    #[test]
    fn only_links_of_cards_are_followed() {
        for other in [
            "",
            "tel:+43",
            "otpauth://totp/x?secret=y",
            "javascript:alert(1)",
            "https://evil.example/",
        ] {
            assert!(kind(other).is_none(), "{other}");
        }
        assert!(matches!(
            kind(" haip-vp://?client_id=a&request_uri=b "),
            Some(Kind::Request)
        ));
        assert!(matches!(
            kind("HAIP-VCI://?credential_offer=x"),
            Some(Kind::Offer)
        ));
    }
}
