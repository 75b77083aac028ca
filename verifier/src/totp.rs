//! One-time codes of authenticator apps (RFC 6238 over RFC 4226): HMAC-SHA-1, six digits, thirty seconds, as
//! every such app reads them. Pure; what an account keeps of it is `login::authenticator`.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};
use url::Url;
use vouchsafe_credentials::encoding::{b64url, b64url_decode};
use vouchsafe_credentials::random::{Rng, bytes};
use vouchsafe_credentials::time::UnixTime;
use zeroize::Zeroizing;

/// RFC 6238, section 4.1: X, the time step in seconds.
pub const STEP_S: i64 = 30;
/// RFC 4226, section 4, R6: 160 bits are recommended.
const SECRET: usize = 20;
const DIGITS: usize = 6;
/// RFC 6238, section 5.2: one step for the way, and section 6 as much for a clock that is wrong.
const DRIFT: i64 = 1;

/// What a service and one authenticator app share. It is shown once, and never written to a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<[u8; SECRET]>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

impl Secret {
    /// A fresh one.
    #[must_use]
    pub fn random(rng: &dyn Rng) -> Self {
        Self(Zeroizing::new(bytes(rng)))
    }

    /// As it is sealed.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(b64url(self.0.as_slice()))
    }

    /// From what was sealed.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(b64url_decode(text).ok()?);
        let bytes: [u8; SECRET] = bytes.as_slice().try_into().ok()?;
        Some(Self(Zeroizing::new(bytes)))
    }

    /// As people type it into an app: base32 (RFC 4648, section 6) without padding.
    #[must_use]
    pub fn to_base32(&self) -> Zeroizing<String> {
        const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let mut text = Zeroizing::new(String::with_capacity(SECRET * 8 / 5));
        // 160 bits are 32 letters, without a rest.
        for five in self.0.chunks(5) {
            let bits = five
                .iter()
                .fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
            for at in (0..8).rev() {
                let letter = usize::try_from(bits >> (5 * at) & 31).unwrap_or_default();
                text.push(char::from(LETTERS[letter]));
            }
        }
        text
    }

    /// The address that an app reads from a QR code; `account` tells several of one service apart.
    #[must_use]
    pub fn address(&self, service: &str, account: &str) -> Zeroizing<String> {
        // A colon parts the two in the label.
        let clean = |text: &str| text.replace(':', " ");
        let (service, account) = (clean(service), clean(account));
        let secret = self.to_base32();
        let mut url = match Url::parse("otpauth://totp/") {
            Ok(url) => url,
            Err(_) => return Zeroizing::new(String::new()),
        };
        if let Ok(mut path) = url.path_segments_mut() {
            path.clear().push(&format!("{service}:{account}"));
        }
        // Some apps read `+` as it is: a space is `%20`.
        let issuer: String = url::form_urlencoded::byte_serialize(service.as_bytes()).collect();
        let issuer = issuer.replace('+', "%20");
        let query = Zeroizing::new(format!(
            "secret={}&issuer={issuer}&algorithm=SHA1&digits={DIGITS}&period={STEP_S}",
            secret.as_str()
        ));
        url.set_query(Some(&query));
        Zeroizing::new(url.into())
    }

    /// RFC 4226, section 5.3: the code of a counter.
    fn code(&self, counter: i64) -> u32 {
        let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(self.0.as_slice()) else {
            // HMAC takes a key of any length.
            return u32::MAX;
        };
        mac.update(&counter.to_be_bytes());
        let hash = mac.finalize().into_bytes();
        let offset = usize::from(hash[19] & 0xf);
        let cut: [u8; 4] = [
            hash[offset] & 0x7f,
            hash[offset + 1],
            hash[offset + 2],
            hash[offset + 3],
        ];
        u32::from_be_bytes(cut) % 10_u32.pow(6)
    }

    /// The time step of which `code` is, if it is of now or of the step beside it and later than `after`:
    /// RFC 6238, section 5.2, no code is accepted twice.
    #[must_use]
    pub fn accepts(&self, code: Code, now: UnixTime, after: i64) -> Option<i64> {
        let current = step(now);
        let (mut found, mut right) = (0, Choice::from(0));
        for step in current - DRIFT..=current + DRIFT {
            let same = self.code(step).ct_eq(&code.0);
            found.conditional_assign(&step, same & !right);
            right |= same;
        }
        (bool::from(right) && found > after).then_some(found)
    }

    /// The code of a time.
    #[must_use]
    pub fn at(&self, time: UnixTime) -> String {
        format!("{:0DIGITS$}", self.code(step(time)))
    }
}

/// The time step of a time: RFC 6238, section 4.2, with T0 = 0.
fn step(time: UnixTime) -> i64 {
    time.0.div_euclid(STEP_S)
}

/// A code that somebody typed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Code(u32);

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Code")
    }
}

impl Code {
    /// Six digits, of whatever script a keyboard has; apps show them in groups, and so are they typed.
    #[must_use]
    pub fn parse(typed: &str) -> Option<Self> {
        let digits = typed.chars().filter(|c| !c.is_whitespace() && *c != '-');
        let (mut code, mut count) = (0_u32, 0);
        for digit in digits {
            count += 1;
            if count > DIGITS {
                return None;
            }
            code = code * 10 + digit_of(digit)?;
        }
        (count == DIGITS).then_some(Self(code))
    }
}

/// A digit, also as Arabic and Persian write it.
fn digit_of(c: char) -> Option<u32> {
    let zero = match c {
        '0'..='9' => '0',
        '\u{660}'..='\u{669}' => '\u{660}',
        '\u{6f0}'..='\u{6f9}' => '\u{6f0}',
        _ => return None,
    };
    Some(u32::from(c) - u32::from(zero))
}

#[cfg(test)]
mod tests {
    use vouchsafe_credentials::testing::SeededRng;

    use super::*;

    /// The secret of RFC 4226, appendix D, and RFC 6238, appendix B.
    fn published() -> Secret {
        Secret(Zeroizing::new(*b"12345678901234567890"))
    }

    fn typed(code: &str) -> Code {
        Code::parse(code).unwrap()
    }

    #[test]
    fn rfc_4226_appendix_d() {
        let codes = [
            755_224, 287_082, 359_152, 969_429, 338_314, 254_676, 287_922, 162_583, 399_871,
            520_489,
        ];
        for (counter, code) in (0..).zip(codes) {
            assert_eq!(published().code(counter), code);
        }
    }

    /// The table has eight digits; six are the last six of them (RFC 4226, section 5.3).
    #[test]
    fn rfc_6238_appendix_b() {
        for (time, code) in [
            (59, "94287082"),
            (1_111_111_109, "07081804"),
            (1_111_111_111, "14050471"),
            (1_234_567_890, "89005924"),
            (2_000_000_000, "69279037"),
            (20_000_000_000, "65353130"),
        ] {
            let now = UnixTime(time);
            assert_eq!(published().at(now), code[2..]);
            let accepted = published().accepts(typed(&code[2..]), now, -1);
            assert_eq!(accepted, Some(time / 30));
        }
    }

    #[test]
    fn a_code_is_of_now_or_of_the_step_beside_it() {
        let (secret, now) = (published(), UnixTime(1_111_111_111));
        let step = step(now);
        for drift in -3..=3 {
            let code = typed(&secret.at(now.plus(drift * STEP_S)));
            let expected = (-1..=1).contains(&drift).then_some(step + drift);
            assert_eq!(secret.accepts(code, now, -1), expected, "{drift}");
        }
    }

    #[test]
    fn a_code_that_was_accepted_and_those_before_it_are_not_accepted_again() {
        let (secret, now) = (published(), UnixTime(1_111_111_111));
        let code = |drift: i64| typed(&secret.at(now.plus(drift * STEP_S)));
        let used = secret.accepts(code(0), now, -1).unwrap();
        assert_eq!(secret.accepts(code(0), now, used), None);
        assert_eq!(secret.accepts(code(-1), now, used), None);
        assert_eq!(secret.accepts(code(1), now, used), Some(used + 1));
    }

    #[test]
    fn what_is_typed_is_six_digits_of_any_keyboard() {
        let right = typed("012345");
        for same in ["012 345", " 012345\n", "012-345", "٠١٢٣٤٥", "۰۱۲۳۴۵"] {
            assert_eq!(Code::parse(same), Some(right), "{same}");
        }
        for wrong in [
            "",
            "12345",
            "0123456",
            "01234a",
            "+12345",
            "0x1234",
            "¹²³⁴⁵⁶",
        ] {
            assert_eq!(Code::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_app_reads_the_address_and_a_person_the_letters() {
        let secret = published();
        // RFC 4648, section 6, by the vectors of section 10: "fooba" is MZXW6YTB.
        assert_eq!(
            secret.to_base32().as_str(),
            "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
        );
        let address = secret.address("The Club: Oslo", "a1b2");
        let url = Url::parse(&address).unwrap();
        assert_eq!((url.scheme(), url.host_str()), ("otpauth", Some("totp")));
        assert_eq!(url.path(), "/The%20Club%20%20Oslo:a1b2");
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        let text = |name: &str| {
            let found = pairs.iter().find(|(key, _)| key == name);
            found.map(|(_, value)| value.as_str())
        };
        assert_eq!(text("issuer"), Some("The Club  Oslo"));
        assert_eq!(text("secret"), Some("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"));
        assert_eq!((text("digits"), text("period")), (Some("6"), Some("30")));
        assert!(!url.query().unwrap().contains('+'));
    }

    #[test]
    fn a_secret_is_random_kept_and_not_printed() {
        let rng = SeededRng::new(7);
        let (one, two) = (Secret::random(&rng), Secret::random(&rng));
        assert_ne!(one, two);
        assert_eq!(Secret::parse(&one.to_text()), Some(one.clone()));
        assert_eq!(Secret::parse("AAAA"), None);
        assert_eq!(format!("{one:?}{:?}", typed("123456")), "SecretCode");
    }
}
