//! Status lists compressed: DEFLATE (RFC 1951) that only looks for runs.
//!
//! A status list is long runs of one byte with a few others between them, at random places. A
//! search for repeated strings finds little in it but noise: the distances cost more bits than
//! they save. Runs alone come out smaller than the usual search at level 6, in a fraction of its
//! time, and any inflate reads them.

use miniz_oxide::deflate::core::{
    CompressionStrategy, CompressorOxide, TDEFLFlush, TDEFLStatus, compress,
    create_comp_flags_from_zip_params, deflate_flags::TDEFL_COMPUTE_ADLER32,
};

/// Beside the runs: what level 6 does.
const LEVEL: i32 = 6;
/// RFC 1950, section 2.2: DEFLATE, window of 32 KiB, default level. Runs would do with a smaller
/// window, but the usual header is what every reader has seen.
const ZLIB_HEADER: [u8; 2] = [0x78, 0x9c];
/// RFC 1952, section 2.3: DEFLATE, no optional fields, no time, unknown system.
const GZIP_HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// One zlib stream (RFC 1950).
pub(crate) fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut out = ZLIB_HEADER.to_vec();
    let adler32 = deflate(bytes, &mut out);
    out.extend(adler32.to_be_bytes());
    out
}

/// One GZIP member (RFC 1952).
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = GZIP_HEADER.to_vec();
    deflate(bytes, &mut out);
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    out.extend(crc.sum().to_le_bytes());
    // RFC 1952, section 2.3.1: the length modulo 2^32, which is what `amount` counts.
    out.extend(crc.amount().to_le_bytes());
    out
}

/// Appends the raw stream; returns the Adler-32 of what went in.
fn deflate(mut bytes: &[u8], out: &mut Vec<u8>) -> u32 {
    let runs = CompressionStrategy::RLE as i32;
    let flags = create_comp_flags_from_zip_params(LEVEL, 0, runs) | TDEFL_COMPUTE_ADLER32;
    let mut compressor = CompressorOxide::new(flags);
    let mut end = out.len();
    loop {
        // Some room at least, or the compressor could not go on.
        out.resize(end + (bytes.len() / 8).max(4096), 0);
        let (status, read, written) =
            compress(&mut compressor, bytes, &mut out[end..], TDEFLFlush::Finish);
        bytes = &bytes[read..];
        end += written;
        match status {
            TDEFLStatus::Okay => {}
            TDEFLStatus::Done => {
                out.truncate(end);
                return compressor.adler32();
            }
            TDEFLStatus::BadParam | TDEFLStatus::PutBufFailed => {
                unreachable!("there is room, and nothing comes after `Finish`")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::bufread::{GzDecoder, ZlibDecoder};
    use proptest::prelude::*;

    use super::*;

    fn inflate(compressed: &[u8]) -> Vec<u8> {
        let mut decoder = ZlibDecoder::new(compressed);
        let mut bytes = Vec::new();
        decoder.read_to_end(&mut bytes).unwrap();
        assert_eq!(decoder.total_in(), compressed.len() as u64);
        bytes
    }

    fn gunzip(compressed: &[u8]) -> Vec<u8> {
        let mut rest = compressed;
        let mut bytes = Vec::new();
        GzDecoder::new(&mut rest).read_to_end(&mut bytes).unwrap();
        assert!(rest.is_empty());
        bytes
    }

    /// A list of two bits an entry, in which one of `one_in` is revoked.
    fn list(entries: usize, one_in: usize) -> Vec<u8> {
        let mut bytes = vec![0; entries / 4];
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        for _ in 0..entries / one_in {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let index = usize::try_from(state % entries as u64).unwrap();
            bytes[index / 4] |= 1 << (index % 4 * 2);
        }
        bytes
    }

    #[test]
    fn lists_of_every_kind_read_back() {
        let noise: Vec<u8> = (0..1_u32 << 20)
            .map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8)
            .collect();
        for bytes in [
            Vec::new(),
            vec![0],
            vec![0; 16 * 1024 * 1024],
            vec![0xff; 70_000],
            list(1 << 20, 100),
            list(1 << 20, 2),
            noise,
        ] {
            assert!(inflate(&zlib(&bytes)) == bytes, "{} bytes", bytes.len());
            assert!(gunzip(&gzip(&bytes)) == bytes, "{} bytes", bytes.len());
        }
    }

    /// The goal for the size of a published list, and why runs alone are looked for.
    #[test]
    fn a_list_with_a_hundredth_revoked_is_near_its_entropy() {
        let entries = 1 << 20;
        let bytes = list(entries, 100);
        let set = bytes.iter().map(|byte| byte.count_ones()).sum::<u32>();
        let part = f64::from(set) / entries as f64;
        let bits = -part * part.log2() - (1.0 - part) * (1.0 - part).log2();
        let bound = bits * entries as f64 / 8.0;
        let ours = zlib(&bytes).len();
        assert!((ours as f64) < 1.6 * bound, "{ours} bytes, bound {bound}");
        let mut usual = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::new(6));
        std::io::Write::write_all(&mut usual, &bytes).unwrap();
        assert!(ours < usual.finish().unwrap().len());
    }

    proptest! {
        #[test]
        fn any_bytes_read_back(bytes in prop::collection::vec(prop_oneof![Just(0_u8), any::<u8>()], 0..5000)) {
            prop_assert_eq!(&inflate(&zlib(&bytes)), &bytes);
            prop_assert_eq!(&gunzip(&gzip(&bytes)), &bytes);
        }
    }
}
