//! Credentials that are shown by the key that they belong to: SD-JWT VCs and mdocs.

use anyhow::{Context, Result, bail};
use vouchsafe_credentials::crypto::{PublicKey, Signer};
use vouchsafe_credentials::encoding::b64url;
use vouchsafe_credentials::mdoc::{ElementPath, Elements, HeldMdoc, SessionTranscript};
use vouchsafe_credentials::sd_jwt_vc::{HeldSdJwtVc, IssuerAuthority, IssuerIdentity, kb};
use vouchsafe_credentials::time::Clock;
use vouchsafe_service::clock::SystemClock;
use vouchsafe_service::vc_api::IssuerKey;

use super::{Options, output};
use crate::credential::disclose;

/// A presentation with key binding (RFC 9901, section 4.3).
pub async fn sd_jwt_vc(options: &Options, key: &IssuerKey, compact: String) -> Result<()> {
    let held = HeldSdJwtVc::reopen_stored(compact, nobody())?;
    let bound = held.registered().holder_key.as_ref();
    let signer = holder(key, bound)?;
    let (audience, nonce) = options.verifier()?;
    let chosen = held.present(&disclose::paths(&options.reveal, held.claims())?)?;
    let binding = kb::Binding {
        audience,
        nonce,
        issued_at: SystemClock.now(),
    };
    let shown = chosen.bind(&binding, signer).await?;
    let names = |paths: &[_]| paths.iter().map(ToString::to_string).collect();
    say(names(chosen.disclosed()), names(chosen.withheld()));
    output::line(&shown)
}

/// A `DeviceResponse` for the Digital Credentials API without encryption (OpenID4VP 1.0, appendix
/// B.2.6.2): bound to an origin and a nonce.
pub async fn mdoc(options: &Options, key: &IssuerKey, bytes: Vec<u8>) -> Result<()> {
    let held = HeldMdoc::reopen_stored(bytes, nobody())?;
    let signer = holder(key, Some(held.device_key()))?;
    let (origin, nonce) = options.verifier()?;
    let paths = options.reveal.iter().map(|pointer| element(pointer));
    let chosen = held
        .present(&paths.collect::<Result<Vec<_>>>()?)
        .with_context(|| format!("it has: {}", pointers(&held.elements().paths()).join(", ")))?;
    let transcript = SessionTranscript::openid4vp_dc_api(origin, nonce, None);
    let response = chosen.sign(&transcript, &Elements::new(), signer).await?;
    let names = |paths: &[ElementPath]| paths.iter().map(|one| one.element.clone()).collect();
    say(names(chosen.disclosed()), names(chosen.withheld()));
    output::line(&b64url(&response))
}

/// The holder's own file is read without asking again who issued it: whoever it is shown to asks.
fn nobody() -> IssuerIdentity {
    IssuerIdentity {
        trusted: String::new(),
        authority: IssuerAuthority::Did(String::new()),
    }
}

fn holder<'k>(key: &'k IssuerKey, bound: Option<&PublicKey>) -> Result<&'k dyn Signer> {
    let signer = key.signature_signer().filter(|signer| {
        let own = signer.public_key();
        bound.is_some_and(|bound| bound == own)
    });
    signer.context("the credential belongs to another key than --key, or to none")
}

fn element(pointer: &str) -> Result<ElementPath> {
    match disclose::tokens(pointer)?.as_slice() {
        [namespace, element] => Ok(ElementPath::new(namespace, element)),
        _ => bail!("--reveal {pointer}: of an mdoc, /NAMESPACE/ELEMENT"),
    }
}

fn pointers(paths: &[ElementPath]) -> Vec<String> {
    let pointer = |one: &ElementPath| format!("/{}/{}", one.namespace, one.element);
    paths.iter().map(pointer).collect()
}

/// What leaves and what stays, for the person in front of the terminal.
fn say(disclosed: Vec<String>, withheld: Vec<String>) {
    for (what, mut names) in [("disclosed", disclosed), ("kept back", withheld)] {
        names.sort_unstable();
        if !names.is_empty() {
            eprintln!("{what}: {}", output::harmless(&names.join(", ")));
        }
    }
}
