//! The same lists before xmlsec1 (Debian package `xmlsec1`): it accepts what we signed, and we
//! accept what it signed, with ECDSA and with RSA.

use std::path::Path;
use std::process::{Command, Output};

use super::*;
use crate::x509::{Role, TrustAnchors};

/// Everything that canonical forms are made of.
const NASTY: &str = "<SchemeExtensions xmlns:b=\"urn:b\" xmlns:a=\"urn:a\" xmlns:a2=\"urn:a\">\
    <e b:z=\"1\" a:z='2' y=\"&#9;&#10;&#13;&lt;&quot;&apos;&amp; &gt;\" x=\"  two  spaces \"/>\
    <a2:e a:one=\"1\"><none xmlns=\"\"><in xmlns:b=\"urn:other\" b:x=\"\"/></none></a2:e>\
    <a:f><!-- out --><?pi some  data?><?bare?><![CDATA[<cdata> & ]]&gt;]]> tail&#13; ü €</a:f>\
    <space xml:space=\"preserve\" xmlns:c=\"urn:c\"><c:d xmlns:c=\"urn:c\"/></space>\
    <t\n\ta=\"new\nline\"\n/></SchemeExtensions>";

fn run(folder: &Path, program: &str, arguments: &[&str]) -> Output {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .output();
    output.unwrap_or_else(|error| panic!("{program} (`cargo xtask setup` installs it): {error}"))
}

fn succeed(folder: &Path, program: &str, arguments: &[&str]) {
    let output = run(folder, program, arguments);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{program} {arguments:?}: {text}");
}

/// What xmlsec1 says about a signed list.
fn xmlsec_accepts(folder: &Path, xml: &str, trusted: &str) -> bool {
    std::fs::write(folder.join("signed.xml"), xml).unwrap();
    let output = run(
        folder,
        "xmlsec1",
        &[
            "--verify",
            "--trusted-pem",
            trusted,
            "--verification-time",
            "2027-01-15 08:00:00",
            "--id-attr:Id",
            "http://uri.etsi.org/01903/v1.3.2#:SignedProperties",
            "--id-attr:Id",
            "http://uri.etsi.org/02231/v2#:TrustServiceStatusList",
            "signed.xml",
        ],
    );
    output.status.success()
}

#[tokio::test]
async fn xmlsec_accepts_what_we_sign() {
    let folder = tempfile::tempdir().unwrap();
    let scheme = Scheme::new();
    std::fs::write(folder.path().join("root.pem"), &scheme.root.pem).unwrap();
    for (uri, xades, extension) in [
        ("", true, ""),
        ("", false, NASTY),
        ("", true, NASTY),
        ("#list", true, NASTY),
    ] {
        let mut draft = Draft::new();
        draft.uri = uri.to_owned();
        draft.xades = xades;
        draft.extension = extension.to_owned();
        let xml = draft.signed(&scheme).await;
        import(&xml, &scheme).unwrap();
        assert!(
            xmlsec_accepts(folder.path(), &xml, "root.pem"),
            "{uri} {xades}"
        );
        // And it is a judge: one changed letter, and neither accepts.
        let altered = xml.replacen("Attestation provider", "Attestation Provider", 1);
        assert!(!xmlsec_accepts(folder.path(), &altered, "root.pem"));
        assert!(import(&altered, &scheme).is_err());
    }
}

#[test]
fn we_accept_what_xmlsec_signs() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let scheme = Scheme::new();
    for (name, key, method) in [
        (
            "ec",
            vec!["ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
            "ecdsa-sha256",
        ),
        ("rsa", vec!["rsa:2048"], "rsa-sha256"),
        ("rsa", vec!["rsa:3072"], "rsa-sha512"),
    ] {
        let mut request = vec![
            "req",
            "-x509",
            "-nodes",
            "-days",
            "400",
            "-subj",
            "/CN=Operator",
        ];
        request.push("-newkey");
        request.extend(key);
        request.extend(["-keyout", "key.pem", "-out", "cert.pem"]);
        succeed(folder, "openssl", &request);
        succeed(
            folder,
            "openssl",
            &[
                "x509", "-in", "cert.pem", "-outform", "DER", "-out", "cert.der",
            ],
        );
        let signer = std::fs::read(folder.join("cert.der")).unwrap();
        for (uri, extension) in [("", NASTY), ("#list", NASTY)] {
            let mut draft = Draft::new();
            draft.method = method.to_owned();
            draft.uri = uri.to_owned();
            draft.extension = extension.to_owned();
            let frame = draft.frame(&scheme.listed.der, &signer);
            std::fs::write(folder.join("frame.xml"), frame).unwrap();
            let arguments = [
                "--sign",
                "--privkey-pem",
                "key.pem,cert.pem",
                "--id-attr:Id",
                "http://uri.etsi.org/01903/v1.3.2#:SignedProperties",
                "--id-attr:Id",
                "http://uri.etsi.org/02231/v2#:TrustServiceStatusList",
                "--output",
                "out.xml",
                "frame.xml",
            ];
            succeed(folder, "xmlsec1", &arguments);
            let xml = std::fs::read_to_string(folder.join("out.xml")).unwrap();
            let mut operators = TrustAnchors::new(Role::ListOperator);
            operators.add_signer_der(&signer).unwrap();
            let mut policy = scheme.policy(ListKind::QualifiedServices);
            policy.operators = &operators;
            let ask = |xml: &str| import_trusted_list(xml.as_bytes(), &policy, &Portable);
            let list = ask(&xml).unwrap_or_else(|error| panic!("{name} {method} {uri}: {error}"));
            assert_eq!(list.get().services.len(), 1);
            let altered = xml.replacen("Attestation provider", "Attestation Provider", 1);
            assert_eq!(code(ask(&altered)), "trust_list_signature");
            // Another signer with the same name is not listed.
            assert_eq!(code(import(&xml, &scheme)), "trust_list_signer");
        }
    }
}
