//! Mobile documents, verified with what was given on the command line.

use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use vouchsafe_credentials::crypto::AwsLc;
use vouchsafe_credentials::mdoc::{
    DeviceResponse, IssuancePolicy, IssuerSigned, MdocError, MobileSecurityObject, Policy,
    SessionTranscript, verify_issued, verify_presented,
};
use vouchsafe_credentials::sd_jwt_vc::{
    IssuerMethod, IssuerTrust, StatusMethod, StatusPolicy, TrustedIssuer,
};
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_credentials::x509::Role;

use super::against::Means;
use super::explain::{Explanation, facts};
use super::verify::{HOLDER, No, STATUS, Verdict};

fn no(error: MdocError) -> No {
    (error.code(), error.into())
}

/// Verifies what the issuer gave out: the certificate below a given authority, the signature, the
/// digest of each element, the times.
pub fn judge_issued(bytes: &[u8], means: &Means, now: UnixTime) -> Result<Verdict, No> {
    let parsed = IssuerSigned::parse(bytes).map_err(no)?;
    let auth = parsed.issuer_auth().map_err(no)?;
    let payload = auth.payload_unverified().ok_or(MdocError::Item);
    let claimed = MobileSecurityObject::parse(payload.map_err(no)?).map_err(no)?;
    let policy = IssuancePolicy {
        trust: &believed(claimed.doctype, means)?,
        doctype: claimed.doctype,
        // Nobody shows it: whichever key it names, it is somebody's.
        device_key: &claimed.device_key,
        now,
    };
    let held = verify_issued(bytes, &policy, &AwsLc).map_err(no)?;
    let held = held.get();
    let mut verdict = verdict(&parsed, held.status().is_some());
    verdict.unchecked.push(HOLDER);
    Ok(verdict)
}

/// Verifies a presentation too: that the device signed it for us, now.
pub fn judge_response(bytes: &[u8], means: &Means, now: UnixTime) -> Result<Verdict, No> {
    let response = DeviceResponse::parse(bytes).map_err(no)?;
    let doctypes = response.documents.iter();
    let doctypes: Vec<String> = doctypes.map(|one| one.doctype.to_owned()).collect();
    let (Some(origin), Some(nonce)) = (&means.domain, &means.challenge) else {
        let what = "it is shown to somebody: give their --domain and --challenge";
        return Err(("key_binding_not_checked", anyhow!(what)));
    };
    let transcript = SessionTranscript::openid4vp_dc_api(origin, nonce, None);
    let doctype = doctypes.first().map_or("", String::as_str);
    let policy = Policy {
        trust: &believed(doctype, means)?,
        doctypes: &doctypes,
        transcript: &transcript,
        reader_key: None,
        status: StatusPolicy::WhenPresent,
        now,
    };
    let owed = verify_presented(bytes, &policy, &AwsLc).map_err(no)?;
    let document = response.documents.first().ok_or(MdocError::Documents);
    let signed = &document.map_err(no)?.issuer_signed;
    Ok(verdict(signed, owed.status().is_some()))
}

/// Whoever the given authorities vouch for.
fn believed(doctype: &str, means: &Means) -> Result<IssuerTrust, No> {
    let Some(anchors) = means.anchors(Role::MdocIssuer) else {
        let what = "it brings a certificate: name the authority that must vouch for it (--anchor)";
        return Err(("issuer_untrusted", anyhow!(what)));
    };
    let issuer = TrustedIssuer {
        id: "the given authorities".to_owned(),
        method: IssuerMethod::Iaca {
            anchors: Arc::clone(&anchors),
        },
        types: vec![doctype.to_owned()],
        status: StatusMethod::SameIssuer,
    };
    IssuerTrust::new(vec![issuer]).map_err(|error| ("issuer_untrusted", error.into()))
}

/// What was verified before; its issuer goes by the name of the document signer.
fn verdict(document: &IssuerSigned<'_>, has_status: bool) -> Verdict {
    let chain = document.issuer_auth().ok();
    let chain = chain.and_then(|auth| auth.x5chain_unprotected().ok().flatten());
    let issuer = chain.and_then(|chain| chain.leaf_subject().ok());
    let issuer = issuer.unwrap_or_default();
    let unchecked = has_status.then_some(STATUS).into_iter().collect();
    Verdict::of(vec![issuer], unchecked)
}

/// What is inside.
pub fn explain(document: &IssuerSigned<'_>) -> Result<Explanation> {
    let auth = document.issuer_auth()?;
    let payload = auth.payload_unverified();
    let mso = MobileSecurityObject::parse(payload.context("the mdoc has no security object")?)?;
    let moment = |at: UnixTime| {
        let at = jiff::Timestamp::from_second(at.0).ok()?;
        Some(at.to_string())
    };
    let elements = document.elements_unverified()?;
    let mut shown = Vec::new();
    for (_namespace, own) in elements.namespaces() {
        for (name, value) in own {
            let value = vouchsafe_credentials::cbor::to_json(value)?;
            // Each element by itself can be left out (ISO/IEC 18013-5:2021, section 9.1.2.5).
            facts(name, &value, std::slice::from_ref(name), &mut shown);
        }
    }
    Ok(Explanation {
        format: "mso_mdoc".to_owned(),
        kinds: vec![mso.doctype.to_owned()],
        issuer: None,
        presenter: None,
        from: moment(mso.validity.valid_from),
        until: moment(mso.validity.valid_until),
        hidden: mso.digest_count()?.saturating_sub(elements.paths().len()),
        shown,
        can_be_withdrawn: mso.status.is_some(),
        bound_to_key: true,
    })
}
