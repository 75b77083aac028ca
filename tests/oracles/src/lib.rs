//! Other implementations of what `vouchsafe-credentials` and `vouchsafe-credentials-jsonld` do. The
//! tests of this package are all there is to it; the heavy oracles stay out of other builds.
//!
//! | oracle | what goes both ways | what it does not do |
//! |---|---|---|
//! | affinidi-sd-jwt, sd-jwt-payload, `@sd-jwt` | SD-JWT and key binding | |
//! | affinidi-mdoc, `@owf/mdoc` | mdocs, responses over OpenID4VP | affinidi-mdoc signs and verifies with our keys |
//! | isomdl (feature `isomdl`) | mdocs, responses over OpenID4VP and in proximity, certificates by ISO/IEC 18013-5 annex B | its reader compares no element with its digest |
//! | affinidi-data-integrity, Digital Bazaar's packages, `ssi` | Data Integrity | |
//! | didwebvh-rs | logs of did:webvh: creation, pre-rotation, deactivation, witnesses | |
//! | zkryptium | BBS signatures and proofs, BLS12-381-SHA-256 | |
//!
//! isomdl 0.2 has an older `ssi-jwk` below it, which turns on `arbitrary_precision` of `serde_json` in
//! the whole build, so its tests run where those of `ssi` do (`cargo xtask test --part ssi`). Its `rsa`
//! 0.6 has no key here: nothing of it is called. didwebvh-rs is taken without its HTTP client and
//! zkryptium with the plain scheme alone.
