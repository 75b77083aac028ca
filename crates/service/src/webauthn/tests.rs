use serde_json::{Value, json};
use vouchsafe_credentials::cbor::Item;
use vouchsafe_credentials::cose::key_from_item;
use vouchsafe_credentials::crypto::{AwsLc, PublicKey};
use vouchsafe_credentials::encoding::b64url;
use vouchsafe_credentials::testing::SeededRng;

use super::testing::Device;
use super::*;

const VECTORS: &str = include_str!("vectors.txt");

fn site(url: &str) -> Option<RelyingParty> {
    RelyingParty::of(&url.parse().unwrap(), "The Club")
}

struct Vector {
    name: &'static str,
    registered: [Vec<u8>; 3],
    signed_in: [Vec<u8>; 4],
}

fn hex(text: &str) -> Vec<u8> {
    let pair = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(pair).collect()
}

fn vectors() -> Vec<Vector> {
    let lines = VECTORS.lines().filter(|line| !line.starts_with('#'));
    let vector = |line: &'static str| {
        let parts: Vec<&'static str> = line.split(' ').collect();
        let part = |at: usize| hex(parts[at]);
        Vector {
            name: parts[0],
            registered: [part(1), part(2), part(3)],
            signed_in: [part(4), part(5), part(6), part(7)],
        }
    };
    lines.map(vector).collect()
}

fn attested(object: &[u8]) -> (Vec<u8>, Option<PublicKey>) {
    let object = Item::parse(object).unwrap();
    let data = object.fields().unwrap().required("authData").unwrap();
    let data = data.bytes().unwrap();
    let length = usize::from(u16::from_be_bytes([data[53], data[54]]));
    let key = Item::parse(&data[55 + length..]).unwrap();
    let id = data[55..55 + length].to_vec();
    (id, key_from_item(key).ok())
}

fn registration(id: &[u8], client_data: &[u8], object: &[u8]) -> RegistrationResponse {
    serde_json::from_value(json!({
        "id": b64url(id), "rawId": b64url(id), "type": "public-key",
        "response": { "clientDataJSON": b64url(client_data), "attestationObject": b64url(object) },
    }))
    .unwrap()
}

/// Sections 16.2 to 16.15. Most of the vectors are of a device that did not verify the person: those are
/// refused here, and refused for that.
#[test]
fn the_vectors_of_the_specification() {
    let site = site("https://example.org").unwrap();
    let mut seen = 0;
    for Vector {
        name,
        registered: [challenge, client_data, object],
        signed_in: [second, client_data_2, data, signature],
    } in vectors()
    {
        let (id, key) = attested(&object);
        let response = registration(&id, &client_data, &object);
        assert_eq!(response.challenge().unwrap(), b64url(&challenge), "{name}");
        let verified = response.verify(&site, &b64url(&challenge), &AwsLc);
        let expected = match name {
            "none-es256" | "none-es256-long-credential-id" => WebauthnError::UserVerification,
            "none-es256-crossOrigin" | "none-es256-topOrigin" => WebauthnError::ClientData,
            "packed-self-es256" => {
                let passkey = verified.clone().unwrap();
                assert_eq!((&passkey.credential_id, passkey.sign_count), (&id, 0));
                assert!(passkey.backup_eligible);
                seen += 1;
                continue;
            }
            _ => {
                assert!(verified.is_err(), "{name}");
                continue;
            }
        };
        assert_eq!(verified, Err(expected), "{name}");
        // Whatever the flags are, the signature is of the key.
        let key = key.unwrap();
        let hash = sha256(&client_data_2);
        let signed = [data.as_slice(), &hash].concat();
        let check =
            |signed: &[u8]| registration::verify_signature(&key, signed, &signature, &AwsLc);
        assert_eq!(check(&signed), Ok(()), "{name}");
        assert_eq!(check(&signed[1..]), Err(WebauthnError::Signature), "{name}");
        assert!(!second.is_empty());
        seen += 1;
    }
    assert_eq!(seen, 5);
}

/// The sign-in of section 16.6, where the device verified the person.
#[test]
fn a_sign_in_of_the_specification() {
    let vector = vectors()
        .into_iter()
        .find(|v| v.name == "none-es256-long-credential-id");
    let vector = vector.unwrap();
    let site = site("https://example.org").unwrap();
    let (id, key) = attested(&vector.registered[2]);
    assert_eq!(id.len(), MAX_CREDENTIAL_ID);
    let key = vouchsafe_credentials::cose::key_to_vec(&key.unwrap());
    let [challenge, client_data, data, signature] = &vector.signed_in;
    let response = |user: &str| -> SignInResponse {
        serde_json::from_value(json!({
            "id": b64url(&id), "rawId": b64url(&id), "type": "public-key",
            "response": {
                "clientDataJSON": b64url(client_data), "authenticatorData": b64url(data),
                "signature": b64url(signature), "userHandle": b64url(user.as_bytes()),
            },
        }))
        .unwrap()
    };
    let known = Known {
        handle: "ada",
        public_key: &key,
        sign_count: 0,
        backup_eligible: true,
    };
    let verify =
        |user, challenge: &str, known| response(user).verify(&site, challenge, known, &AwsLc);
    let challenge = b64url(challenge);
    let used = verify("ada", &challenge, known).unwrap();
    assert_eq!(used.sign_count, 0);
    for (user, challenge, known, expected) in [
        ("bob", challenge.as_str(), known, WebauthnError::Credential),
        ("ada", "AAAA", known, WebauthnError::ClientData),
        (
            "ada",
            challenge.as_str(),
            Known {
                backup_eligible: false,
                ..known
            },
            WebauthnError::Credential,
        ),
        (
            "ada",
            challenge.as_str(),
            Known {
                sign_count: 1,
                ..known
            },
            WebauthnError::Counter,
        ),
    ] {
        assert_eq!(verify(user, challenge, known), Err(expected));
    }
}

fn device() -> Device {
    Device::new(
        "https://issuer.example",
        "issuer.example",
        &SeededRng::new(5),
    )
}

fn options() -> Value {
    let site = site("https://issuer.example").unwrap();
    site.creation_options("Y2hhbGxlbmdl", ("ada", "Ada"), &[])
}

fn register(change: impl Fn(&mut Device)) -> Result<NewPasskey, WebauthnError> {
    let mut device = device();
    change(&mut device);
    let answer = device.register(&options());
    let answer: RegistrationResponse = serde_json::from_value(answer).unwrap();
    let site = site("https://issuer.example").unwrap();
    answer.verify(&site, "Y2hhbGxlbmdl", &AwsLc)
}

#[test]
fn what_is_not_for_this_site_or_person_is_refused() {
    assert!(register(|_| {}).is_ok());
    let refused = |change: fn(&mut Device)| register(change).unwrap_err();
    assert_eq!(refused(|d| d.flags = 0x19), WebauthnError::UserVerification);
    assert_eq!(refused(|d| d.flags = 0x1c), WebauthnError::UserVerification);
    // Backed up, though it cannot be.
    assert_eq!(refused(|d| d.flags = 0x15), WebauthnError::Malformed);
    assert_eq!(refused(|d| d.flags = 0x9d), WebauthnError::Malformed);
    assert_eq!(
        refused(|d| d.rp_id = "evil.example".into()),
        WebauthnError::RelyingParty
    );
    for origin in [
        "https://evil.example",
        "http://issuer.example",
        "https://issuer.example:8443",
        "https://issuer.example.evil.example",
        "",
    ] {
        let result = register(|d| d.origin = origin.to_owned());
        assert_eq!(result, Err(WebauthnError::ClientData), "{origin}");
    }
    for extra in [
        json!({ "type": "webauthn.get" }),
        json!({ "crossOrigin": true }),
        json!({ "crossOrigin": "false" }),
        json!({ "topOrigin": "https://issuer.example" }),
        json!({ "challenge": "b3RoZXI" }),
    ] {
        let result = register(|d| d.extra = extra.clone());
        assert_eq!(result, Err(WebauthnError::ClientData), "{extra}");
    }
}

#[test]
fn mangled_answers_are_refused_and_nothing_panics() {
    let mut device = device();
    let answer = device.register(&options());
    let site = site("https://issuer.example").unwrap();
    let object = answer["response"]["attestationObject"].as_str().unwrap();
    let object = vouchsafe_credentials::encoding::b64url_decode(object).unwrap();
    for at in 0..object.len() {
        let mut cut = answer.clone();
        cut["response"]["attestationObject"] = json!(b64url(&object[..at]));
        let cut: RegistrationResponse = serde_json::from_value(cut).unwrap();
        assert!(cut.verify(&site, "Y2hhbGxlbmdl", &AwsLc).is_err(), "{at}");
    }
    let mut other = answer.clone();
    other["id"] = json!("b3RoZXI");
    let other: RegistrationResponse = serde_json::from_value(other).unwrap();
    let other = other.verify(&site, "Y2hhbGxlbmdl", &AwsLc);
    assert_eq!(other, Err(WebauthnError::Credential));
}

#[test]
fn an_ip_address_is_no_site_for_passkeys() {
    assert!(site("http://127.0.0.1:4001").is_none());
    assert!(site("http://[::1]:4001").is_none());
    assert_eq!(site("http://localhost:4001").unwrap().id, "localhost");
}
