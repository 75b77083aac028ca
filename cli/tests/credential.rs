//! `vouchsafe credential` as a person or a script uses it: one definition of a type, every format.

#![allow(clippy::unwrap_used, reason = "tests stop at the first surprise")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use serde_json::{Value, json};

/// A folder with the keys of an issuer and of a person, and the issuer's certificate.
struct Desk {
    folder: tempfile::TempDir,
    holder: String,
}

/// What a command said.
struct Said {
    good: bool,
    out: String,
    err: String,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut desk = Self {
            folder,
            holder: String::new(),
        };
        desk.good("generate-key --kind p256 --output issuer.key");
        let holder = desk.good("generate-key --kind p256 --output holder.key");
        desk.holder = holder.trim().to_owned();
        desk.good("generate-certificate --key issuer.key --country AT --output issuer.pem --authority authority.pem");
        let claims = json!({"age_equal_or_over": {"18": true, "21": false}});
        desk.write("claims.json", claims.to_string());
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), content).unwrap();
    }

    /// `vouchsafe credential …`; `HOLDER` is the person's DID.
    fn run(&self, arguments: &str) -> Said {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vouchsafe"));
        command.arg("credential").current_dir(self.folder.path());
        for word in arguments.split_whitespace() {
            match word {
                "HOLDER" => command.arg(&self.holder),
                word => command.arg(word),
            };
        }
        let Output {
            status,
            stdout,
            stderr,
        } = command.output().unwrap();
        Said {
            good: status.success(),
            out: String::from_utf8(stdout).unwrap(),
            err: String::from_utf8(stderr).unwrap(),
        }
    }

    fn good(&self, arguments: &str) -> String {
        let said = self.run(arguments);
        assert!(said.good, "{arguments}: {}", said.err);
        said.out
    }

    /// Runs and keeps the result as a file.
    fn keep(&self, file: &str, arguments: &str) {
        let out = self.good(arguments);
        self.write(file, out);
    }

    /// The code of a refusal.
    fn code(&self, arguments: &str) -> String {
        let said = self.run(&format!("verify --json {arguments}"));
        assert!(!said.good, "{arguments}: {}", said.out);
        let body: Value = serde_json::from_str(&said.out).unwrap();
        assert_eq!(body["verified"], false);
        body["code"].as_str().unwrap().to_owned()
    }

    fn verdict(&self, arguments: &str) -> Value {
        let out = self.good(&format!("verify --json {arguments}"));
        let body: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(body["verified"], true, "{arguments}");
        body
    }

    /// What is said to somebody whose command cannot work.
    fn refusal(&self, arguments: &str) -> String {
        let said = self.run(arguments);
        assert!(
            !said.good && said.out.is_empty(),
            "{arguments}: {}",
            said.out
        );
        said.err
    }
}

/// The bytes of a file in base64url with one thing changed.
fn altered(file: &Path, from: &[u8], to: &[u8]) -> String {
    let text = std::fs::read_to_string(file).unwrap();
    let mut bytes = BASE64URL.decode(text.trim()).unwrap();
    let at = bytes.windows(from.len()).position(|part| part == from);
    bytes[at.unwrap()..][..to.len()].copy_from_slice(to);
    BASE64URL.encode(bytes)
}

#[test]
fn one_type_is_issued_verified_and_explained_in_every_format() {
    let desk = Desk::new();
    for (format, more, needs) in [
        ("ldp_vc", "", ""),
        ("vc+jwt", "", ""),
        ("vc+sd-jwt", "", ""),
        ("vc+cose", "", ""),
        ("dc+sd-jwt", "", ""),
        (
            "dc+sd-jwt",
            "--certificate issuer.pem",
            "--anchor authority.pem",
        ),
        (
            "mso_mdoc",
            "--certificate issuer.pem",
            "--anchor authority.pem",
        ),
    ] {
        let issue = "issue --type age --holder HOLDER --key issuer.key claims.json --format";
        desk.keep("card", &format!("{issue} {format} {more}"));
        let verdict = desk.verdict(&format!("{needs} card"));
        assert_eq!(verdict["hidden"], 0, "{format}");
        let issuer = verdict["issuer"].as_str().unwrap();
        let named = match needs {
            "" => issuer.starts_with("did:key:zDn"),
            _ => issuer.contains("An issuer to try with"),
        };
        assert!(named, "{format}: {issuer}");
        let told = desk.good(&format!("inspect --json {needs} card"));
        let told: Value = serde_json::from_str(&told).unwrap();
        assert_eq!(told["verified"], true, "{format}");
        let facts = told["credential"]["shown"].as_array().unwrap();
        for (threshold, value) in [("18", "true"), ("21", "false")] {
            let fact = |fact: &&Value| fact["name"].as_str().unwrap().ends_with(threshold);
            let fact = facts.iter().find(fact).unwrap();
            assert_eq!(fact["value"], value, "{format}");
        }
        // Whom to believe is said by who asks, never by what is shown.
        if !needs.is_empty() {
            assert_eq!(desk.code("card"), "issuer_untrusted", "{format}");
        }
    }
}

#[test]
fn what_was_altered_is_refused_in_every_format() {
    let desk = Desk::new();
    let issue = "issue --type age --holder HOLDER --key issuer.key claims.json --format";
    desk.keep("ldp", &format!("{issue} ldp_vc"));
    let text = std::fs::read_to_string(desk.path("ldp")).unwrap();
    desk.write("ldp", text.replace("\"21\": false", "\"21\": true"));
    assert_eq!(desk.code("ldp"), "proof_signature");

    desk.keep("jwt", &format!("{issue} vc+jwt"));
    let token = std::fs::read_to_string(desk.path("jwt")).unwrap();
    let [header, payload, signature] = *token.trim().split('.').collect::<Vec<_>>() else {
        panic!("a JWT has three parts")
    };
    let payload = String::from_utf8(BASE64URL.decode(payload).unwrap()).unwrap();
    let payload = payload.replace("\"21\":false", "\"21\":true");
    desk.write(
        "jwt",
        format!("{header}.{}.{signature}", BASE64URL.encode(payload)),
    );
    assert_eq!(desk.code("jwt"), "jws_signature");

    for format in ["vc+sd-jwt", "dc+sd-jwt"] {
        desk.keep("sd", &format!("{issue} {format}"));
        let token = std::fs::read_to_string(desk.path("sd")).unwrap();
        let forged = BASE64URL.encode(br#"["c2FsdHNhbHRzYWx0c2FsdA","21",true]"#);
        desk.write("sd", format!("{}{forged}~", token.trim()));
        assert_eq!(desk.code("sd"), "disclosure_unreferenced", "{format}");
    }

    desk.keep("cose", &format!("{issue} vc+cose"));
    desk.write(
        "cose",
        altered(&desk.path("cose"), b"\"21\":false", b"\"21\":true "),
    );
    assert_eq!(desk.code("cose"), "cose_signature");

    desk.keep(
        "mdoc",
        &format!("{issue} mso_mdoc --certificate issuer.pem"),
    );
    // `elementIdentifier` and `elementValue` follow each other: false is 0xf4, true 0xf5.
    let value = [b"age_over_21".as_slice(), b"\x6celementValue"].concat();
    let (no, yes) = (
        [&value[..], b"\xf4"].concat(),
        [&value[..], b"\xf5"].concat(),
    );
    desk.write("mdoc", altered(&desk.path("mdoc"), &no, &yes));
    assert_eq!(
        desk.code("--anchor authority.pem mdoc"),
        "mdoc_digest_mismatch"
    );
}

#[test]
fn an_sd_jwt_vc_is_shown_to_one_verifier_once() {
    let desk = Desk::new();
    desk.keep(
        "card",
        "issue --type age --format dc+sd-jwt --holder HOLDER --key issuer.key claims.json",
    );
    let present = "present --key holder.key --reveal /age_equal_or_over/18";
    let said = desk.run(&format!(
        "{present} --challenge 42 --domain shop.example card"
    ));
    assert!(said.good, "{}", said.err);
    assert_eq!(
        said.err,
        "disclosed: age_equal_or_over.18\nkept back: age_equal_or_over.21\n"
    );
    desk.write("shown", &said.out);
    let verdict = desk.verdict("--challenge 42 --domain shop.example shown");
    assert_eq!(
        (&verdict["hidden"], &verdict["notChecked"]),
        (&json!(1), &json!([]))
    );
    let told = desk.good("verify --challenge 42 --domain shop.example shown");
    assert!(told.contains("kept back: up to 1 more fact\n"), "{told}");

    assert_eq!(
        desk.code("--challenge 43 --domain shop.example shown"),
        "kb_nonce"
    );
    assert_eq!(
        desk.code("--challenge 42 --domain other.example shown"),
        "kb_audience"
    );
    assert_eq!(desk.code("shown"), "key_binding_not_checked");
    assert_eq!(
        desk.code("--challenge 42 --domain shop.example card"),
        "kb_missing"
    );
    let said = desk.refusal("present --key issuer.key --challenge 42 --domain shop.example card");
    assert!(said.contains("belongs to another key"), "{said}");
    let said = desk.refusal("present --key holder.key card");
    assert!(said.contains("--domain and --challenge"), "{said}");
    let said = desk.refusal(
        "present --key holder.key --challenge 42 --domain d --reveal /age_equal_or_over/65 card",
    );
    assert!(said.contains("has no such claim"), "{said}");
    // A copy that reveals less, for the holder alone.
    desk.keep("copy", "derive --reveal /age_equal_or_over/21 card");
    assert_eq!(desk.verdict("copy")["hidden"], 1);
}

#[test]
fn an_mdoc_is_shown_to_one_verifier_once() {
    let desk = Desk::new();
    desk.keep("card", "issue --type age --format mso_mdoc --certificate issuer.pem --holder HOLDER --key issuer.key claims.json");
    let present = "present --key holder.key --challenge 42 --domain https://shop.example";
    let said = desk.run(&format!(
        "{present} --reveal /eu.europa.ec.av.1/age_over_18 card"
    ));
    assert!(said.good, "{}", said.err);
    assert_eq!(said.err, "disclosed: age_over_18\nkept back: age_over_21\n");
    desk.write("shown", &said.out);
    let asked = "--anchor authority.pem --challenge 42 --domain https://shop.example";
    let verdict = desk.verdict(&format!("{asked} shown"));
    assert_eq!(
        (&verdict["hidden"], &verdict["notChecked"]),
        (&json!(1), &json!([]))
    );
    let told = desk.good(&format!("inspect {asked} shown"));
    assert!(
        told.contains("age_over_18: true") && !told.contains("age_over_21"),
        "{told}"
    );

    let other = "--anchor authority.pem --domain https://shop.example --challenge";
    assert_eq!(desk.code(&format!("{other} 43 shown")), "mdoc_device_auth");
    assert_eq!(
        desk.code("--anchor authority.pem shown"),
        "key_binding_not_checked"
    );
    let unasked = "--challenge 42 --domain https://shop.example";
    assert_eq!(desk.code(&format!("{unasked} shown")), "issuer_untrusted");
    // Another authority of the same name.
    desk.good(
        "generate-certificate --key issuer.key --country AT --output o.pem --authority other.pem",
    );
    assert_eq!(
        desk.code(&format!("--anchor other.pem {unasked} shown")),
        "issuer_chain"
    );
    let said = desk.refusal(&format!(
        "{present} --reveal /eu.europa.ec.av.1/age_over_65 card"
    ));
    assert!(said.contains("/eu.europa.ec.av.1/age_over_18"), "{said}");
}

#[test]
fn credentials_of_the_w3c_model_go_into_one_presentation() {
    let desk = Desk::new();
    let issue = "issue --type age --holder HOLDER --key issuer.key claims.json --format";
    for format in ["ldp_vc", "vc+jwt", "vc+cose"] {
        desk.keep(format, &format!("{issue} {format}"));
    }
    desk.keep("whole", &format!("{issue} vc+sd-jwt"));
    desk.keep(
        "vc+sd-jwt",
        "derive --reveal /credentialSubject/age_equal_or_over/18 whole",
    );
    assert_eq!(desk.verdict("vc+sd-jwt")["hidden"], 1);
    let issuer = desk.verdict("ldp_vc")["issuer"].clone();
    let issuer = issuer.as_str().unwrap();
    let bound = "--challenge 42 --domain shop.example";
    for format in ["ldp_vp", "vp+jwt", "vp+cose"] {
        let present = format!("present --key holder.key {bound} --format {format}");
        desk.keep(
            "shown",
            &format!("{present} ldp_vc vc+jwt vc+sd-jwt vc+cose"),
        );
        let verdict = desk.verdict(&format!("{bound} shown"));
        // Who shows them vouches for nothing.
        assert_eq!(verdict["presenter"], desk.holder.as_str(), "{format}");
        assert_eq!(verdict["issuers"], json!([issuer]), "{format}");
        assert_eq!(verdict["issuer"], issuer, "{format}");
        let told = desk.good(&format!("verify {bound} shown"));
        let said = format!("good: by {issuer}\nshown by {}\n", desk.holder);
        assert!(told.starts_with(&said), "{format}: {told}");
        let told = desk.good(&format!("inspect {bound} shown"));
        let said = format!("  who says so: {issuer}\n  who shows it: {}\n", desk.holder);
        assert!(told.contains(&said), "{format}: {told}");
        let code = desk.code("--challenge 43 --domain shop.example shown");
        assert!(code.ends_with("_challenge"), "{format}: {code}");
    }
    let said = desk.refusal(&format!(
        "present --key holder.key {bound} --reveal /x ldp_vc"
    ));
    assert!(said.contains("derive --reveal"), "{said}");
}

/// Whoever copies a presentation that is for nobody, or of no moment, can show it as theirs.
#[test]
fn nothing_is_presented_without_a_verifier_and_a_moment() {
    let desk = Desk::new();
    let issue = "issue --type age --holder HOLDER --key issuer.key claims.json --format";
    for format in ["ldp_vc", "vc+jwt"] {
        desk.keep(format, &format!("{issue} {format}"));
        for shown in ["ldp_vp", "vp+jwt", "vp+cose"] {
            for given in ["", "--challenge 42", "--domain shop.example"] {
                let said = desk.refusal(&format!(
                    "present --key holder.key --format {shown} {given} {format}"
                ));
                assert!(said.contains("--domain and --challenge"), "{said}");
            }
        }
    }
}

/// Two issuers in one presentation are two, whatever order they stand in.
#[test]
fn every_issuer_inside_a_presentation_is_named() {
    let desk = Desk::new();
    desk.good("generate-key --kind p256 --output other.key");
    for key in ["issuer", "other"] {
        let issue = "issue --type age --holder HOLDER claims.json --format ldp_vc --key";
        desk.keep(key, &format!("{issue} {key}.key"));
    }
    let issuers = ["other", "issuer"].map(|card| desk.verdict(card)["issuer"].clone());
    let bound = "--challenge 42 --domain shop.example";
    desk.keep(
        "shown",
        &format!("present --key holder.key {bound} other issuer other"),
    );
    let verdict = desk.verdict(&format!("{bound} shown"));
    assert_eq!(verdict["issuers"], json!(issuers));
    assert_eq!(verdict["issuer"], Value::Null);
}

#[test]
fn a_type_says_what_a_holder_must_disclose() {
    let desk = Desk::new();
    let types = Path::new(env!("CARGO_MANIFEST_DIR")).join("../specs/credential-types/age.toml");
    let text = std::fs::read_to_string(types).unwrap();
    // The first claim is "12 or older"; here it cannot be withheld.
    desk.write(
        "open.toml",
        text.replacen("sd = \"always\"", "sd = \"never\"", 1),
    );
    let claims = json!({"age_equal_or_over": {"12": true, "18": true, "21": false}});
    desk.write("claims.json", claims.to_string());
    desk.good("generate-key --kind bls12381 --output bbs.key");
    for (key, suite) in [("issuer.key", "ecdsa-sd-2023"), ("bbs.key", "bbs-2023")] {
        let issue = "issue --type open.toml --holder HOLDER claims.json";
        desk.keep(
            "base",
            &format!("{issue} --key {key} --cryptosuite {suite}"),
        );
        desk.keep(
            "copy",
            "derive --reveal /credentialSubject/age_equal_or_over/18 base",
        );
        desk.verdict("copy");
        let copy: Value =
            serde_json::from_slice(&std::fs::read(desk.path("copy")).unwrap()).unwrap();
        let shown = &copy["credentialSubject"]["age_equal_or_over"];
        assert_eq!(shown, &json!({"12": true, "18": true}), "{suite}");
        assert!(copy["validUntil"].is_string(), "{suite}");
    }
}

/// The credential of the example script of `didkit`: data model 1.1, one context as a string.
#[test]
fn a_credential_of_version_1_1_is_issued_and_shown() {
    let desk = Desk::new();
    let did = desk.good("generate-key --output ed25519.key");
    let credential = json!({
        "@context": "https://www.w3.org/2018/credentials/v1",
        "id": "http://example.org/credentials/3731",
        "type": ["VerifiableCredential"],
        "issuer": did.trim(),
        "issuanceDate": "2020-08-19T21:41:50Z",
        "credentialSubject": {"id": "did:example:d23dd687a7dc6787646f2eb98d0"},
    });
    desk.write("old.json", credential.to_string());
    desk.keep("signed", "issue --key ed25519.key old.json");
    assert_eq!(desk.verdict("signed")["issuer"], did.trim());
    desk.keep(
        "shown",
        "present --key holder.key --challenge 42 --domain d signed",
    );
    desk.verdict("--challenge 42 --domain d shown");
    // In an envelope it would need the form of its own version.
    let said = desk.refusal("issue --format vc+jwt --key ed25519.key old.json");
    assert!(said.contains("data model 1.1"), "{said}");
}

#[test]
fn what_was_presented_to_nobody_answers_no_challenge() {
    let desk = Desk::new();
    let issue = "issue --type age --holder HOLDER --key issuer.key claims.json --format";
    for format in ["ldp_vc", "vc+jwt", "vc+sd-jwt", "vc+cose"] {
        desk.keep("copied", &format!("{issue} {format}"));
        desk.verdict("copied");
        for asked in ["--challenge 43", "--domain shop.example"] {
            assert_eq!(
                desk.code(&format!("{asked} copied")),
                "not_presented",
                "{format}"
            );
        }
    }
    let mdoc = format!("{issue} mso_mdoc --certificate issuer.pem");
    desk.keep("copied", &mdoc);
    desk.verdict("--anchor authority.pem copied");
    let asked = "--anchor authority.pem --challenge 43 --domain https://shop.example copied";
    assert_eq!(desk.code(asked), "not_presented");
}

#[test]
fn what_the_holder_alone_may_have_is_not_presented() {
    let desk = Desk::new();
    let issue = "issue --type age --holder HOLDER --key issuer.key claims.json --cryptosuite";
    desk.keep("base", &format!("{issue} ecdsa-sd-2023"));
    let present = "present --key holder.key --challenge 1 --domain shop.example";
    let said = desk.refusal(&format!("{present} base"));
    assert!(said.contains("credential derive"), "{said}");
    desk.keep("copy", "derive --reveal /credentialSubject base");
    desk.keep("shown", &format!("{present} copy"));
    desk.verdict("--challenge 1 --domain shop.example shown");
}

#[test]
fn who_makes_a_mistake_is_told_what_to_do() {
    let desk = Desk::new();
    desk.write("photo", [0xff, 0xd8, 0xff, 0xe0]);
    desk.write("note", "hello");
    desk.write(
        "wrong.json",
        json!({"age_equal_or_over": {"18": "yes"}}).to_string(),
    );
    desk.good("generate-key --output ed25519.key");
    let issue = "issue --type age --key issuer.key claims.json";
    for (arguments, wanted) in [
        ("verify missing".to_owned(), "missing cannot be read"),
        ("verify photo".to_owned(), "no credential that is known here"),
        ("verify note".to_owned(), "no credential that is known here"),
        ("issue --key missing.key claims.json".to_owned(), "missing.key"),
        ("issue --key claims.json claims.json".to_owned(), "claims.json"),
        (format!("{issue} --format dc+sd-jwt"), "--holder DID"),
        (format!("{issue} --format mso_mdoc"), "--holder DID"),
        (format!("{issue} --format vc+jwt"), "--holder says to whose"),
        (format!("{issue} --format dc+sd-jwt --holder HOLDER --mandatory /a"), "W3C data model"),
        (format!("{issue} --format mso_mdoc --holder HOLDER"), "generate-certificate"),
        (format!("{issue} --format mso_mdoc --holder bob"), "did:key:"),
        (
            "issue --type age --key holder.key --format mso_mdoc --holder HOLDER --certificate issuer.pem claims.json".to_owned(),
            "certificate of another key",
        ),
        ("issue --format dc+sd-jwt --key issuer.key claims.json".to_owned(), "this format needs --type"),
        ("issue --type passport --key issuer.key claims.json".to_owned(), "passport"),
        ("issue --type claims.json --key issuer.key claims.json".to_owned(), "describes no type"),
        ("issue --type age --key issuer.key wrong.json".to_owned(), "`age_equal_or_over.18` must be true or false"),
        (
            "generate-certificate --key ed25519.key --output c.pem --authority a.pem".to_owned(),
            "--kind p256",
        ),
    ] {
        let said = desk.refusal(&arguments);
        assert!(said.contains(wanted), "{arguments}: {said}");
        assert!(!said.contains("panicked"), "{said}");
    }
    // What was good once.
    let old = json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"], "type": ["VerifiableCredential"],
        "validUntil": "2020-01-01T00:00:00Z", "credentialSubject": {"id": "did:example:a"},
    });
    desk.write("old.json", old.to_string());
    desk.keep("old", "issue --key issuer.key old.json");
    assert_eq!(desk.code("old"), "credential_expired");
    // A type that is no mdoc says so.
    let claims = json!({"member_id": "M-1", "tier": "gold", "valid_until": "2030-01-01"});
    desk.write("member.json", claims.to_string());
    let said = desk.refusal("issue --type membership --key issuer.key --holder HOLDER --certificate issuer.pem --format mso_mdoc member.json");
    assert!(said.contains("has no [mdoc]"), "{said}");
}
