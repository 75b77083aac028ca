//! The bundled context documents; their sources and licences stand in `contexts/NOTICE.md`.

/// A bundled context document.
#[derive(Clone, Copy, Debug)]
pub struct Bundled {
    /// The URL by which documents name it.
    pub url: &'static str,
    /// SHA-256 of the document, in hexadecimal.
    pub sha256: &'static str,
    /// The document.
    pub text: &'static str,
}

/// Every bundled context document.
pub const BUNDLED: &[Bundled] = &[
    Bundled {
        url: "https://www.w3.org/ns/credentials/v2",
        sha256: "59955ced6697d61e03f2b2556febe5308ab16842846f5b586d7f1f7adec92734",
        text: include_str!("../../contexts/credentials-v2.jsonld"),
    },
    Bundled {
        url: "https://www.w3.org/2018/credentials/v1",
        sha256: "ab4ddd9a531758807a79a5b450510d61ae8d147eab966cc9a200c07095b0cdcc",
        text: include_str!("../../contexts/credentials-v1.jsonld"),
    },
    Bundled {
        url: "https://www.w3.org/2018/credentials/examples/v1",
        sha256: "2070ae4e75bc3b4c2cfe2b8b6e86ec45119672bbb5da283f0399ea96c60a0104",
        text: include_str!("../../contexts/credentials-examples-v1.jsonld"),
    },
    Bundled {
        url: "https://www.w3.org/ns/credentials/examples/v2",
        sha256: "57393fbc69d6efb9b9b5dc9cb6b9880b0944360abfe2eaf459c9e58cf2279d7c",
        text: include_str!("../../contexts/credentials-examples-v2.jsonld"),
    },
    Bundled {
        url: "https://www.w3.org/ns/credentials/undefined-terms/v2",
        sha256: "82dab514ba44eb18f5d1b0f638c5e140c6a556fbfb5089601bdc0fa5eb8b2581",
        text: include_str!("../../contexts/undefined-terms-v2.jsonld"),
    },
    Bundled {
        url: "https://w3id.org/security/data-integrity/v1",
        sha256: "b5d829bd09aa7c42abc6efa0c8ed7635313b5487f37ccfce3ecd149ca9418554",
        text: include_str!("../../contexts/data-integrity-v1.jsonld"),
    },
    Bundled {
        url: "https://w3id.org/security/data-integrity/v2",
        sha256: "67f21e6e33a6c14e5ccfd2fc7865f7474fb71a04af7e94136cb399dfac8ae8f4",
        text: include_str!("../../contexts/data-integrity-v2.jsonld"),
    },
    Bundled {
        url: "https://w3id.org/security/multikey/v1",
        sha256: "ba2c182de2d92f7e47184bcca8fcf0beaee6d3986c527bf664c195bbc7c58597",
        text: include_str!("../../contexts/multikey-v1.jsonld"),
    },
    Bundled {
        url: "https://w3id.org/security/jwk/v1",
        sha256: "0f14b62f6071aafe00df265770ea0c7508e118247d79b7d861a406d2aa00bece",
        text: include_str!("../../contexts/jwk-v1.jsonld"),
    },
    Bundled {
        url: "https://w3id.org/security/suites/ed25519-2020/v1",
        sha256: "b9e1ab971fd8bf2c7553e0c4a9438e0b9450afde1ea1ca5b2492368b9f549588",
        text: include_str!("../../contexts/ed25519-signature-2020-v1.jsonld"),
    },
    Bundled {
        url: "https://www.w3.org/ns/did/v1",
        sha256: "4f3eae5568c9c5f036a082088f9e192019ee06faa78973c87ff91d5421b88dad",
        text: include_str!("../../contexts/did-v1.jsonld"),
    },
    Bundled {
        url: "https://w3id.org/citizenship/v1",
        sha256: "9ffdc9e92801959e8f7416744aca720d06e0a4702dd83043c02c74700c161d93",
        text: include_str!("../../contexts/citizenship-v1.jsonld"),
    },
    Bundled {
        url: "https://w3id.org/citizenship/v2",
        sha256: "4b50a8580f99ddb2df2ad94e93eee1725f6c185a34306e1c98f4d631b160a9fc",
        text: include_str!("../../contexts/citizenship-v2.jsonld"),
    },
    Bundled {
        url: "https://w3id.org/citizenship/v3",
        sha256: "b8fa8872d5af1686f13c1d17a663a78334a93becba1407c41548f10b515ad7fa",
        text: include_str!("../../contexts/citizenship-v3.jsonld"),
    },
    Bundled {
        url: "https://w3id.org/citizenship/v4rc1",
        sha256: "5038c7383afd7ab2158f1b997913a8f60978a0abcf96e0b0d08e29f146d2db1e",
        text: include_str!("../../contexts/citizenship-v4rc1.jsonld"),
    },
    Bundled {
        url: "https://www.w3.org/ns/credentials/status/v1",
        sha256: "fd08cbf28ddd829ab2f1978c48f43ab07a112c1c90245a0cfac7ba721c65170c",
        text: include_str!("../../contexts/bitstring-status-list-v1.jsonld"),
    },
    Bundled {
        url: "https://w3id.org/vc/status-list/2021/v1",
        sha256: "634d71c159289f068c96012e4511c657fdf82ac4231900081bda3ba24e2e1160",
        text: include_str!("../../contexts/status-list-2021-v1.jsonld"),
    },
    Bundled {
        url: "https://w3id.org/vdl/v1",
        sha256: "5e61aa138bc6a1bf92299edd01408df52f20c24057b9dbea72ccaeef5b792010",
        text: include_str!("../../contexts/vdl-v1.jsonld"),
    },
    Bundled {
        url: "https://w3id.org/vdl/aamva/v1",
        sha256: "8394e1f448f15c12b173b264a6f6006f85b343a81548f8e5f1a532bc258894e6",
        text: include_str!("../../contexts/vdl-aamva-v1.jsonld"),
    },
    Bundled {
        url: "https://www.w3.org/ns/odrl.jsonld",
        sha256: "a83cb98005bce546531131d4042318d8267aff71b1451f53cc926587fcef42c6",
        text: include_str!("../../contexts/odrl.jsonld"),
    },
];
