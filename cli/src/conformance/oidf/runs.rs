//! What is run in the suite: one configuration, choice of variants and test person for each run.

use serde_json::{Value, json};

/// How the wallet of the suite begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begin {
    /// In the wallet; the person types the code on the issuer's page.
    Wallet,
    /// With an offer, and the code on the issuer's page.
    Offer,
    /// With an offer that carries a pre-authorized code, and the transaction code in the wallet.
    PreAuthorized,
}

/// How the wallet of the suite authenticates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Auth {
    /// With an attestation of its provider.
    Attested,
    /// With assertions of its own key.
    Key,
}

impl Auth {
    /// The suite's first and second client.
    pub fn clients(self) -> [&'static str; 2] {
        match self {
            Self::Attested => ["oidf-wallet-1", "oidf-wallet-2"],
            Self::Key => ["oidf-key-1", "oidf-key-2"],
        }
    }

    /// The method's name for the service.
    pub fn name(self) -> &'static str {
        match self {
            Self::Attested => "attest_jwt_client_auth",
            Self::Key => "private_key_jwt",
        }
    }
}

/// A plan with its variants.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    /// Names the files.
    pub name: &'static str,
    /// The credential configuration.
    pub configuration: &'static str,
    /// How the wallet begins.
    pub begin: Begin,
    /// How it authenticates.
    pub auth: Auth,
    /// Asks with `authorization_details`.
    pub details: bool,
    /// Requests and responses are encrypted. The plan of HAIP chooses itself.
    pub encrypted: bool,
}

const HAIP: Run = Run {
    name: "sd-jwt-wallet",
    configuration: "pid",
    begin: Begin::Wallet,
    auth: Auth::Attested,
    details: false,
    encrypted: false,
};

/// The runs of `oid4vci-1_0-issuer-haip-test-plan`.
pub const HAIP_RUNS: [Run; 4] = [
    HAIP,
    Run {
        name: "sd-jwt-offer",
        begin: Begin::Offer,
        ..HAIP
    },
    Run {
        name: "mdoc-wallet",
        configuration: "pid.mso_mdoc",
        ..HAIP
    },
    Run {
        name: "mdoc-offer",
        configuration: "mdl.mso_mdoc",
        begin: Begin::Offer,
        ..HAIP
    },
];

/// The runs of `oid4vci-1_0-issuer-test-plan`.
pub const OPEN_RUNS: [Run; 6] = [
    HAIP,
    Run {
        name: "sd-jwt-details-encrypted",
        details: true,
        encrypted: true,
        ..HAIP
    },
    Run {
        name: "sd-jwt-offer-encrypted",
        begin: Begin::Offer,
        auth: Auth::Key,
        encrypted: true,
        ..HAIP
    },
    // The suite sends broken attestations in pushed requests alone, which this grant has none of.
    Run {
        name: "sd-jwt-pre-authorized",
        begin: Begin::PreAuthorized,
        auth: Auth::Key,
        ..HAIP
    },
    Run {
        name: "mdoc-wallet",
        configuration: "pid.mso_mdoc",
        auth: Auth::Key,
        ..HAIP
    },
    Run {
        name: "mdoc-attested-keys",
        configuration: "mdl.mso_mdoc",
        ..HAIP
    },
];

impl Run {
    /// The credential type.
    pub fn kind(&self) -> &'static str {
        let kind = self.configuration.split_once('.');
        kind.map_or(self.configuration, |(kind, _)| kind)
    }

    /// Whether the credential is an mdoc.
    pub fn is_mdoc(&self) -> bool {
        self.configuration.ends_with(".mso_mdoc")
    }

    /// What is chosen in the suite when the plan is made.
    pub fn variant(&self, haip: bool) -> Value {
        let choose = |condition, yes: &'static str, no: &'static str| match condition {
            true => yes,
            false => no,
        };
        let mut variant = json!({
            "credential_format": choose(self.is_mdoc(), "mdoc", "sd_jwt_vc"),
            "vci_authorization_code_flow_variant":
                choose(self.begin == Begin::Wallet, "wallet_initiated", "issuer_initiated"),
        });
        if !haip {
            variant["fapi_profile"] = json!("vci");
            variant["sender_constrain"] = json!("dpop");
            variant["fapi_request_method"] = json!("unsigned");
            let attested = self.auth == Auth::Attested;
            variant["client_auth_type"] =
                json!(choose(attested, "client_attestation", "private_key_jwt"));
            let code = self.begin != Begin::PreAuthorized;
            variant["vci_grant_type"] =
                json!(choose(code, "authorization_code", "pre_authorization_code"));
            variant["authorization_request_type"] = json!(choose(self.details, "rar", "simple"));
            variant["vci_credential_encryption"] =
                json!(choose(self.encrypted, "encrypted", "plain"));
        }
        variant
    }
}
