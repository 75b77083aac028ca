//! ETSI TS 119 612: what is accepted and what is refused. The lists are made and signed here;
//! `xmlsec` has the same judged by xmlsec1.

mod forms;
mod hostile;
mod keys;
mod refusals;
mod xmlsec;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::canonical::Canonical;
use super::tree::{DSIG, child};
use super::{import_trusted_list, tree};
use crate::Verified;
use crate::crypto::{Portable, Signer as _, sha256};
use crate::trust::tests::{ISSUED, NEXT, Scheme, code, known};
use crate::trust::{ListKind, TrustList, TrustListError};
use crate::x509::tests::Node;

const QEAA: &str = "http://uri.etsi.org/TrstSvc/Svctype/EAA/Q";
const GRANTED: &str = "http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/granted";
const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";

/// What differs from a good list.
#[derive(Clone)]
struct Draft {
    kind: String,
    version: String,
    sequence: String,
    next_update: String,
    service_type: String,
    status: String,
    /// In front of the providers: any XML.
    extension: String,
    /// `URI` of the reference to the document.
    uri: String,
    transforms: Vec<String>,
    method: String,
    xades: bool,
}

impl Draft {
    fn new() -> Self {
        Self {
            kind: "http://uri.etsi.org/TrstSvc/TrustedList/TSLType/EUgeneric".to_owned(),
            version: "6".to_owned(),
            sequence: "9".to_owned(),
            next_update: format!("<NextUpdate><dateTime>{NEXT}</dateTime></NextUpdate>"),
            service_type: QEAA.to_owned(),
            status: GRANTED.to_owned(),
            extension: String::new(),
            uri: String::new(),
            transforms: vec![
                "http://www.w3.org/2000/09/xmldsig#enveloped-signature".to_owned(),
                EXCLUSIVE.to_owned(),
            ],
            method: "ecdsa-sha256".to_owned(),
            xades: true,
        }
    }

    /// A list with the frame of a signature: no digests and no value yet.
    fn frame(&self, listed: &[u8], signer: &[u8]) -> String {
        let Self {
            kind,
            version,
            sequence,
            next_update,
            service_type,
            status,
            extension,
            uri,
            transforms,
            method,
            xades,
        } = self;
        let transforms: String = transforms
            .iter()
            .map(|one| format!("<ds:Transform Algorithm=\"{one}\"/>"))
            .collect();
        let digest = "<ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/>";
        let (reference, object) = if *xades {
            (
                format!(
                    "<ds:Reference Type=\"http://uri.etsi.org/01903#SignedProperties\" URI=\"#props\">\
                     <ds:Transforms><ds:Transform Algorithm=\"{EXCLUSIVE}\"/></ds:Transforms>{digest}\
                     <ds:DigestValue></ds:DigestValue></ds:Reference>"
                ),
                format!(
                    "<ds:Object><xades:QualifyingProperties xmlns:xades=\"http://uri.etsi.org/01903/v1.3.2#\" \
                     Target=\"#sig\"><xades:SignedProperties Id=\"props\"><xades:SignedSignatureProperties>\
                     <xades:SigningTime>{ISSUED}</xades:SigningTime><xades:SigningCertificateV2><xades:Cert>\
                     <xades:CertDigest>{digest}<ds:DigestValue>{}</ds:DigestValue></xades:CertDigest>\
                     </xades:Cert></xades:SigningCertificateV2></xades:SignedSignatureProperties>\
                     </xades:SignedProperties></xades:QualifyingProperties></ds:Object>",
                    STANDARD.encode(sha256(signer))
                ),
            )
        } else {
            (String::new(), String::new())
        };
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<?note before?>\n\
             <TrustServiceStatusList xmlns=\"http://uri.etsi.org/02231/v2#\" \
             xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\" xmlns:unused=\"urn:unused\" Id=\"list\" \
             TSLTag=\"http://uri.etsi.org/19612/TSLTag\">\n<SchemeInformation>\
             <TSLVersionIdentifier>{version}</TSLVersionIdentifier>\
             <TSLSequenceNumber>{sequence}</TSLSequenceNumber><TSLType>{kind}</TSLType>\
             <SchemeOperatorName><Name xml:lang=\"de\">Behörde</Name>\
             <Name xml:lang=\"en\">Authority &amp; <!-- kept out -->Co</Name></SchemeOperatorName>\
             <SchemeTerritory>DE</SchemeTerritory>\
             <ListIssueDateTime>{ISSUED}</ListIssueDateTime>{next_update}{extension}</SchemeInformation>\n\
             <TrustServiceProviderList><TrustServiceProvider><TSPInformation><TSPName>\
             <Name xml:lang=\"en\">Attestation provider</Name></TSPName></TSPInformation><TSPServices>\
             <TSPService><ServiceInformation><ServiceTypeIdentifier>{service_type}</ServiceTypeIdentifier>\
             <ServiceName><Name xml:lang=\"en\">A service</Name></ServiceName><ServiceDigitalIdentity>\
             <DigitalId><X509Certificate>{}</X509Certificate></DigitalId></ServiceDigitalIdentity>\
             <ServiceStatus>{status}</ServiceStatus><StatusStartingTime>{ISSUED}</StatusStartingTime>\
             </ServiceInformation></TSPService></TSPServices></TrustServiceProvider>\
             </TrustServiceProviderList><ds:Signature Id=\"sig\"><ds:SignedInfo>\
             <ds:CanonicalizationMethod Algorithm=\"{EXCLUSIVE}\"/>\
             <ds:SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#{method}\"/>\
             <ds:Reference URI=\"{uri}\"><ds:Transforms>{transforms}</ds:Transforms>{digest}\
             <ds:DigestValue></ds:DigestValue></ds:Reference>{reference}</ds:SignedInfo>\
             <ds:SignatureValue></ds:SignatureValue><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{}\
             </ds:X509Certificate></ds:X509Data></ds:KeyInfo>{object}</ds:Signature>\n\
             </TrustServiceStatusList>\n<?note after?>",
            STANDARD.encode(listed),
            STANDARD.encode(signer),
        )
    }

    async fn signed(&self, scheme: &Scheme) -> String {
        sign(
            &self.frame(&scheme.listed.der, &scheme.signer.der),
            &scheme.signer,
        )
        .await
    }
}

/// Fills in digests and value, as a signer of lists does.
async fn sign(frame: &str, signer: &Node) -> String {
    sign_with(frame, signer, &[], |octets| sha256(octets).to_vec()).await
}

/// The same with a `PrefixList` and another digest; the frame names them.
async fn sign_with(
    frame: &str,
    signer: &Node,
    prefixes: &[String],
    digest: fn(&[u8]) -> Vec<u8>,
) -> String {
    let empty = "<ds:DigestValue></ds:DigestValue>";
    let fill = |text: &str, octets: &str| {
        let value = STANDARD.encode(digest(octets.as_bytes()));
        text.replacen(
            empty,
            &format!("<ds:DigestValue>{value}</ds:DigestValue>"),
            1,
        )
    };
    let (covered, properties) = {
        let document = tree::parse(frame).unwrap();
        let find = |name: &str| {
            let mut all = document.descendants();
            all.find(|node| node.tag_name().name() == name)
        };
        let signature = find("Signature").unwrap();
        let whole = |document| Canonical::new(document, prefixes.to_vec()).without(signature.id());
        let covered = if frame.contains("<ds:Reference URI=\"\">") {
            whole(&document).document().unwrap()
        } else {
            whole(&document).subtree(document.root_element()).unwrap()
        };
        let properties = find("SignedProperties")
            .map(|node| Canonical::new(&document, prefixes.to_vec()).subtree(node));
        let properties = properties.map(Result::unwrap);
        (covered, properties)
    };
    let mut signed = fill(frame, &covered);
    if let Some(properties) = properties {
        signed = fill(&signed, &properties);
    }
    let octets = {
        let document = tree::parse(&signed).unwrap();
        let signature = document
            .descendants()
            .find(|node| node.has_tag_name((DSIG, "Signature")))
            .unwrap();
        let info = child(signature, DSIG, "SignedInfo").unwrap();
        let canonical = Canonical::new(&document, prefixes.to_vec());
        canonical.subtree(info).unwrap()
    };
    let value = signer.key.sign(octets.as_bytes()).await.unwrap();
    let value = format!(
        "<ds:SignatureValue>{}</ds:SignatureValue>",
        STANDARD.encode(value)
    );
    signed.replacen("<ds:SignatureValue></ds:SignatureValue>", &value, 1)
}

fn import(xml: &str, scheme: &Scheme) -> Result<Verified<TrustList>, TrustListError> {
    let policy = scheme.policy(ListKind::QualifiedServices);
    import_trusted_list(xml.as_bytes(), &policy, &Portable)
}
