//! QR codes: as SVG, black on white with a quiet zone (brand.md, "QR panel"), and for terminals.

use qrcode::{
    EcLevel, QrCode,
    render::{svg, unicode::Dense1x2},
};

/// The text is too long for a QR code (about 2,900 bytes).
#[derive(Debug, thiserror::Error)]
#[error("the text is too long for a QR code")]
pub struct TooLong;

/// Draws `text` as an SVG element of at least 300 pixels, without an XML
/// declaration, so that it can stand inside a page.
pub fn svg(text: &str) -> Result<String, TooLong> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).map_err(|_| TooLong)?;
    let image = code
        .render::<svg::Color<'_>>()
        .min_dimensions(300, 300)
        .quiet_zone(true)
        .dark_color(svg::Color("#000000"))
        .light_color(svg::Color("#ffffff"))
        .build();
    let start = image.find("<svg").unwrap_or(0);
    Ok(image[start..].to_owned())
}

/// Draws `text` with half blocks, two rows of the code in a line: dark where a character is, so the
/// terminal must write dark on light.
pub fn blocks(text: &str) -> Result<String, TooLong> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L).map_err(|_| TooLong)?;
    Ok(code.render::<Dense1x2>().quiet_zone(true).build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_black_on_white_and_refuses_a_novel() {
        let image = svg(
            "openid4vp://?client_id=x509_hash%3Aabc&request_uri=https%3A%2F%2Flogin.example%2Fr",
        )
        .unwrap();
        assert!(image.starts_with("<svg"));
        assert!(image.contains("#000000") && image.contains("#ffffff"));
        assert!(svg(&"x".repeat(5000)).is_err());
    }

    #[test]
    fn a_terminal_gets_lines_of_one_width() {
        let drawn = blocks("openid-credential-offer://?credential_offer_uri=x").unwrap();
        let widths: Vec<usize> = drawn.lines().map(|line| line.chars().count()).collect();
        assert!(widths.len() > 15 && widths.iter().all(|width| *width == widths[0]));
        assert!(
            drawn
                .chars()
                .all(|c| " \n\u{2580}\u{2584}\u{2588}".contains(c))
        );
        assert!(blocks(&"x".repeat(5000)).is_err());
    }
}
