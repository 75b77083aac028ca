//! The device authorization grant (RFC 8628): a device without a browser shows a short code, and a
//! person types it into a browser elsewhere.

use serde::Serialize;
use vouchsafe_credentials::random::{Rng, bytes};

use super::params::Params;
use super::token::TokenRequestError;
use super::values::Secret;

/// Grant type of the device at the token endpoint (section 3.4).
pub const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// Letters of a user code (section 6.1): no vowels, so no words, and nothing that looks like
/// another one.
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
/// So many letters: 20^8 codes, about 34.5 bits.
const LENGTH: usize = 8;
/// More than this was not typed by a person.
const MAX_TYPED: usize = 32;

/// The code that a person reads on the device and types elsewhere.
#[derive(Clone, PartialEq, Eq)]
pub struct UserCode(String);

impl UserCode {
    /// A fresh one, each equally likely.
    #[must_use]
    pub fn random(rng: &dyn Rng) -> Self {
        let mut code = String::with_capacity(LENGTH);
        while code.len() < LENGTH {
            let [byte] = bytes::<1>(rng);
            // 240 is the largest multiple of 20 in a byte.
            let letter = (byte < 240).then(|| LETTERS.get(usize::from(byte % 20)));
            code.extend(letter.flatten().map(|letter| char::from(*letter)));
        }
        Self(code)
    }

    /// What was typed. Section 6.1: case and characters outside the set do not count.
    #[must_use]
    pub fn parse(typed: &str) -> Option<Self> {
        if typed.len() > MAX_TYPED {
            return None;
        }
        let letters = typed.bytes().map(|byte| byte.to_ascii_uppercase());
        let code: String = letters
            .filter(|byte| byte.is_ascii_alphanumeric())
            .map(char::from)
            .collect();
        let known = code.len() == LENGTH && code.bytes().all(|byte| LETTERS.contains(&byte));
        known.then_some(Self(code))
    }

    /// The letters alone, to look it up.
    #[must_use]
    pub fn letters(&self) -> &str {
        &self.0
    }

    /// As people see it: `WDJB-MJHT`.
    #[must_use]
    pub fn shown(&self) -> String {
        let (first, second) = self.0.split_at(LENGTH / 2);
        format!("{first}-{second}")
    }
}

impl std::fmt::Debug for UserCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UserCode(..)")
    }
}

/// What the device is told (section 3.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeviceAuthorization {
    /// What the device polls with.
    pub device_code: String,
    /// What it shows.
    pub user_code: String,
    /// Where the person types it.
    pub verification_uri: String,
    /// The same with the code in it, for a QR code.
    pub verification_uri_complete: String,
    /// Seconds that both codes live.
    pub expires_in: u64,
    /// Seconds between two questions at the token endpoint.
    pub interval: u64,
}

/// A device that asks for its tokens (section 3.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceRequest {
    /// What it polls with.
    pub device_code: Secret,
}

impl DeviceRequest {
    /// Reads the form body; `None` for another grant.
    ///
    /// # Errors
    /// [`TokenRequestError`].
    pub fn parse(params: &Params) -> Result<Option<Self>, TokenRequestError> {
        if params.get("grant_type") != Some(DEVICE_CODE) {
            return Ok(None);
        }
        let device_code = Secret::new(params.required("device_code")?);
        Ok(Some(Self { device_code }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vouchsafe_credentials::testing::SeededRng;

    #[test]
    fn rfc_8628_section_6_1_codes_are_typed_as_people_type() {
        let code = UserCode::parse("WDJBMJHT").unwrap();
        for typed in ["WDJB-MJHT", "wdjb mjht", " w d j b . m j h t ", "wdjbmjht"] {
            assert_eq!(UserCode::parse(typed), Some(code.clone()), "{typed:?}");
        }
        assert_eq!(code.shown(), "WDJB-MJHT");
        for typed in [
            "",
            "WDJB",
            "WDJB-MJHTX",
            "ADJB-MJHT",
            "WDJB-MJH1",
            "WDJB-MJH\u{422}",
            &"-".repeat(33),
        ] {
            assert_eq!(UserCode::parse(typed), None, "{typed:?}");
        }
    }

    #[test]
    fn rfc_8628_section_6_1_codes_use_every_letter_and_do_not_repeat() {
        let rng = SeededRng::new(1);
        let codes: Vec<UserCode> = (0..500).map(|_| UserCode::random(&rng)).collect();
        let mut letters: Vec<u8> = codes.iter().flat_map(|c| c.letters().bytes()).collect();
        letters.sort_unstable();
        letters.dedup();
        assert_eq!(letters, LETTERS);
        assert!(
            codes
                .iter()
                .all(|c| UserCode::parse(&c.shown()) == Some(c.clone()))
        );
        let mut shown: Vec<String> = codes.iter().map(UserCode::shown).collect();
        shown.sort();
        shown.dedup();
        assert_eq!(shown.len(), 500);
    }

    #[test]
    fn a_code_stays_out_of_debug_output() {
        let code = UserCode::parse("WDJB-MJHT").unwrap();
        assert!(!format!("{code:?}").contains("WDJB"));
    }

    #[test]
    fn token_requests_of_devices() {
        let parse = |body: &str| DeviceRequest::parse(&Params::parse(body).unwrap());
        let grant = "grant_type=urn:ietf:params:oauth:grant-type:device_code";
        assert!(parse(grant).is_err());
        assert!(
            parse("grant_type=authorization_code&device_code=x")
                .unwrap()
                .is_none()
        );
        let request = parse(&format!("{grant}&device_code=x")).unwrap().unwrap();
        assert_eq!(request.device_code.expose(), "x");
    }
}
