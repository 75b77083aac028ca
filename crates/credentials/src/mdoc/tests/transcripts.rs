//! Transcripts that are not of OpenID4VP. Those of its appendix B.2.6 are compared with the
//! vectors.

use super::*;

#[test]
fn a_transcript_has_three_parts() {
    let transcript = |bytes: &[u8]| SessionTranscript::from_bytes(bytes.to_vec()).map(drop);
    assert!(transcript(&[0x83, 0xf6, 0xf6, 0x80]).is_ok());
    for wrong in [
        &[0x82, 0xf6, 0xf6][..],
        &[0x84, 0xf6, 0xf6, 0xf6, 0xf6],
        &[0xa0],
        &[],
        &[0x9f, 0xff],
        &[0x83, 0xf6, 0xf6, 0xf6, 0],
    ] {
        assert!(transcript(wrong).is_err());
    }
}

#[test]
fn other_transcripts_bind_as_well() {
    let world = World::new();
    let own = SessionTranscript::from_bytes(vec![0x83, 0xf6, 0xf6, 0x61, b'a']).unwrap();
    let other = SessionTranscript::from_bytes(vec![0x83, 0xf6, 0xf6, 0x61, b'b']).unwrap();
    let held = world.held(&world.issued());
    let presentation = held.present(&[element("family_name")]).unwrap();
    let response = ready(presentation.sign(&own, &none(), &world.device)).unwrap();
    assert!(
        world
            .check_with(&response, |policy| policy.transcript = &own)
            .is_ok()
    );
    let refused = world.check_with(&response, |policy| policy.transcript = &other);
    assert_eq!(refused.unwrap_err().code(), "mdoc_device_auth");
}
