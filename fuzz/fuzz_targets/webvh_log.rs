#![no_main]
//! A did:webvh log and its witness file of a stranger: bounded, no panic.

use libfuzzer_sys::fuzz_target;
use vouchsafe_credentials::crypto::Portable;
use vouchsafe_credentials::did::webvh::{Log, Place};
use vouchsafe_credentials::did::{Did, ResolutionOptions};
use vouchsafe_credentials::time::UnixTime;

fuzz_target!(|bytes: &[u8]| {
    let text = "did:webvh:QmVVo7PVBXzxBAvYrSLaauyoRK1tHUe81J8TxCYyuRe8Vy:example.com";
    let Ok(place) = Did::parse(text).map_err(drop).and_then(|did| Place::parse(&did).map_err(drop)) else {
        return;
    };
    let (log, witness) = match bytes.iter().position(|b| *b == 0) {
        Some(at) => (&bytes[..at], Some(&bytes[at + 1..])),
        None => (bytes, None),
    };
    if let Ok(log) = Log::verify(log, &place, UnixTime(1_795_392_000), &Portable) {
        let _ = log.resolve(witness, &ResolutionOptions::default(), &Portable);
    }
});
