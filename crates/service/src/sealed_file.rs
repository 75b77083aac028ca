//! A file under a passphrase that is written and read line by line, so that it may be larger than
//! the memory.
//!
//! `vouchsafe-sealed 1`, a line with the parameters of Argon2id as JSON, then frames: the length of
//! the ciphertext (four bytes, big endian) and AES-256-GCM ciphertext of at most 64 KiB of text.
//! The nonce of a frame is its number (eleven bytes) and whether it is the last one (one byte), the
//! additional data is the SHA-256 of everything before the first frame: frames cannot be changed,
//! left out, repeated, exchanged, cut off or added without notice. The key belongs to the random
//! salt of one file, so no nonce is used twice under it.

use std::io::{self, BufRead, Read, Write};

use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Payload},
};
use argon2::{Algorithm, Argon2, Params, Version};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use vouchsafe_credentials::{
    encoding::{b64url, b64url_decode},
    random::{Rng, bytes},
};
use zeroize::Zeroizing;

const MAGIC: &str = "vouchsafe-sealed 1\n";
const FRAME: usize = 64 * 1024;
const TAG: usize = 16;
/// The longest line of parameters.
const MAX_PARAMETERS: u64 = 512;
/// The longest line of text; the largest status list token has two megabytes.
const MAX_LINE: usize = 32 * 1024 * 1024;
/// RFC 9106, section 4, second recommended option.
const USUAL: Parameters = Parameters {
    memory_kib: 64 * 1024,
    passes: 3,
    lanes: 4,
    salt: String::new(),
};

/// Why a file was not read or written.
#[derive(Debug, thiserror::Error)]
pub enum SealedFileError {
    /// The file itself.
    #[error("the file cannot be read or written")]
    Io(#[from] io::Error),
    /// Another kind of file, or a newer version.
    #[error("this is no sealed file of this version of Vouchsafe")]
    NotOurs,
    /// Less than 19 MiB or more than 1 GiB, for example: refused before any work is done with it.
    #[error("the parameters of the passphrase are out of bounds")]
    Parameters,
    /// The passphrase is another one, or the file was changed or cut off.
    #[error("the file does not open: another passphrase, or it was changed or cut off")]
    DoesNotOpen,
    /// A line is longer than any that is written.
    #[error("a line of the file is too long")]
    Line,
}

impl SealedFileError {
    /// A stable code. That the passphrase is wrong and that the file was changed look the same.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io(_) => "sealed_file_unusable",
            Self::NotOurs => "sealed_file_unknown",
            Self::Parameters => "sealed_file_parameters",
            Self::DoesNotOpen => "sealed_file_does_not_open",
            Self::Line => "sealed_file_line_too_long",
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    salt: String,
}

impl Parameters {
    fn key(&self, passphrase: &str) -> Result<Aes256Gcm, SealedFileError> {
        let Self {
            memory_kib,
            passes,
            lanes,
            salt,
        } = self;
        let bounded = (19 * 1024..=1024 * 1024).contains(memory_kib)
            && (2..=16).contains(passes)
            && (1..=8).contains(lanes);
        let salt = b64url_decode(salt).map_err(|_| SealedFileError::Parameters)?;
        if !bounded || salt.len() != 32 {
            return Err(SealedFileError::Parameters);
        }
        let wrong = |_| SealedFileError::Parameters;
        let params = Params::new(*memory_kib, *passes, *lanes, Some(32)).map_err(wrong)?;
        let mut key = Zeroizing::new([0u8; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.as_bytes(), &salt, key.as_mut())
            .map_err(|_| SealedFileError::Parameters)?;
        Ok(Aes256Gcm::new((&*key).into()))
    }
}

/// Frames under one key.
struct Frames {
    cipher: Aes256Gcm,
    header: [u8; 32],
    number: u64,
}

impl Frames {
    fn new(cipher: Aes256Gcm, parameters: &str) -> Self {
        Self {
            cipher,
            header: Sha256::digest(format!("{MAGIC}{parameters}")).into(),
            number: 0,
        }
    }

    fn nonce(&mut self, last: bool) -> [u8; 12] {
        let mut nonce = [0; 12];
        nonce[3..11].copy_from_slice(&self.number.to_be_bytes());
        nonce[11] = u8::from(last);
        self.number += 1;
        nonce
    }

    fn seal(&mut self, text: &[u8], last: bool) -> Result<Vec<u8>, SealedFileError> {
        let nonce = self.nonce(last);
        let payload = Payload {
            msg: text,
            aad: &self.header,
        };
        let sealed = self.cipher.encrypt((&nonce).into(), payload);
        sealed.map_err(|_| SealedFileError::DoesNotOpen)
    }

    fn open(&mut self, frame: &[u8], last: bool) -> Result<Zeroizing<Vec<u8>>, SealedFileError> {
        let nonce = self.nonce(last);
        let payload = Payload {
            msg: frame,
            aad: &self.header,
        };
        let opened = self.cipher.decrypt((&nonce).into(), payload);
        opened
            .map(Zeroizing::new)
            .map_err(|_| SealedFileError::DoesNotOpen)
    }
}

/// Writes lines. Without [`finish`](Self::finish) the file does not open.
pub struct SealedWriter<W> {
    out: W,
    frames: Frames,
    waiting: Zeroizing<Vec<u8>>,
}

impl<W: Write> SealedWriter<W> {
    /// Begins a file under a passphrase.
    pub fn begin(mut out: W, passphrase: &str, rng: &dyn Rng) -> Result<Self, SealedFileError> {
        let parameters = Parameters {
            salt: b64url(&bytes::<32>(rng)),
            ..USUAL
        };
        let cipher = parameters.key(passphrase)?;
        let mut line = serde_json::to_string(&parameters).map_err(io::Error::other)?;
        line.push('\n');
        out.write_all(MAGIC.as_bytes())?;
        out.write_all(line.as_bytes())?;
        Ok(Self {
            out,
            frames: Frames::new(cipher, &line),
            waiting: Zeroizing::new(Vec::with_capacity(2 * FRAME)),
        })
    }

    /// Writes a line; it holds no line break of its own.
    pub fn line(&mut self, line: &[u8]) -> Result<(), SealedFileError> {
        self.waiting.extend_from_slice(line);
        self.waiting.push(b'\n');
        // The last frame is written at the end, so something always stays for it.
        while self.waiting.len() > FRAME {
            let rest = Zeroizing::new(self.waiting.split_off(FRAME));
            let full = std::mem::replace(&mut self.waiting, rest);
            self.frame(&full, false)?;
        }
        Ok(())
    }

    /// Writes the end and gives the file back.
    pub fn finish(mut self) -> Result<W, SealedFileError> {
        let rest = std::mem::take(&mut self.waiting);
        self.frame(&rest, true)?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn frame(&mut self, text: &[u8], last: bool) -> Result<(), SealedFileError> {
        let sealed = self.frames.seal(text, last)?;
        let length = u32::try_from(sealed.len()).map_err(io::Error::other)?;
        self.out.write_all(&length.to_be_bytes())?;
        self.out.write_all(&sealed)?;
        Ok(())
    }
}

impl<W> std::fmt::Debug for SealedWriter<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealedWriter")
    }
}

/// Reads lines. What it gives was written so by who knows the passphrase; that nothing is missing
/// is known at the end, `Ok(None)`.
pub struct SealedReader<R> {
    input: R,
    frames: Frames,
    text: Zeroizing<Vec<u8>>,
    /// What of `text` was given out.
    given: usize,
    next: Option<Vec<u8>>,
}

impl<R: BufRead> SealedReader<R> {
    /// Opens a file.
    pub fn open(mut input: R, passphrase: &str) -> Result<Self, SealedFileError> {
        let mut magic = vec![0; MAGIC.len()];
        input
            .read_exact(&mut magic)
            .map_err(|_| SealedFileError::NotOurs)?;
        if magic != MAGIC.as_bytes() {
            return Err(SealedFileError::NotOurs);
        }
        let mut line = Vec::new();
        (&mut input)
            .take(MAX_PARAMETERS)
            .read_until(b'\n', &mut line)?;
        let line = String::from_utf8(line).map_err(|_| SealedFileError::NotOurs)?;
        let parameters: Parameters =
            serde_json::from_str(&line).map_err(|_| SealedFileError::NotOurs)?;
        let cipher = parameters.key(passphrase)?;
        let first = read_frame(&mut input)?.ok_or(SealedFileError::DoesNotOpen)?;
        Ok(Self {
            frames: Frames::new(cipher, &line),
            input,
            text: Zeroizing::default(),
            given: 0,
            next: Some(first),
        })
    }

    /// The next line, without its end. `None`: that was all, and the file is whole.
    pub fn line(&mut self) -> Result<Option<Zeroizing<Vec<u8>>>, SealedFileError> {
        let mut searched = 0;
        loop {
            let rest = &self.text[self.given..];
            if let Some(end) = rest[searched..].iter().position(|byte| *byte == b'\n') {
                let line = Zeroizing::new(rest[..searched + end].to_vec());
                self.given += searched + end + 1;
                return Ok(Some(line));
            }
            searched = rest.len();
            if searched > MAX_LINE {
                return Err(SealedFileError::Line);
            }
            if !self.more()? {
                return match searched {
                    0 => Ok(None),
                    _ => Err(SealedFileError::DoesNotOpen),
                };
            }
        }
    }

    /// Opens the next frame. A frame is the last one if nothing follows it.
    fn more(&mut self) -> Result<bool, SealedFileError> {
        let Some(frame) = self.next.take() else {
            return Ok(false);
        };
        self.next = read_frame(&mut self.input)?;
        let opened = self.frames.open(&frame, self.next.is_none())?;
        self.text.drain(..self.given);
        self.given = 0;
        self.text.extend_from_slice(&opened);
        Ok(true)
    }
}

/// `None`: the file ends here.
fn read_frame(input: &mut impl BufRead) -> Result<Option<Vec<u8>>, SealedFileError> {
    if input.fill_buf()?.is_empty() {
        return Ok(None);
    }
    let cut = |error: io::Error| match error.kind() {
        io::ErrorKind::UnexpectedEof => SealedFileError::DoesNotOpen,
        _ => SealedFileError::Io(error),
    };
    let mut length = [0; 4];
    input.read_exact(&mut length).map_err(cut)?;
    let length = u32::from_be_bytes(length) as usize;
    if !(TAG..=FRAME + TAG).contains(&length) {
        return Err(SealedFileError::DoesNotOpen);
    }
    let mut frame = vec![0; length];
    input.read_exact(&mut frame).map_err(cut)?;
    Ok(Some(frame))
}

impl<R> std::fmt::Debug for SealedReader<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealedReader")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::OsRandom;

    /// A file of one that knows the passphrase, with cheap parameters.
    fn sealed(lines: &[Vec<u8>]) -> Vec<u8> {
        let parameters = Parameters {
            memory_kib: 19 * 1024,
            passes: 2,
            lanes: 1,
            salt: b64url(&[7; 32]),
        };
        let line = serde_json::to_string(&parameters).unwrap() + "\n";
        let mut writer = SealedWriter {
            out: format!("{MAGIC}{line}").into_bytes(),
            frames: Frames::new(parameters.key("secret words").unwrap(), &line),
            waiting: Zeroizing::default(),
        };
        for line in lines {
            writer.line(line).unwrap();
        }
        writer.finish().unwrap()
    }

    fn read(file: &[u8]) -> Result<Vec<Vec<u8>>, SealedFileError> {
        let mut reader = SealedReader::open(file, "secret words")?;
        let mut lines = Vec::new();
        while let Some(line) = reader.line()? {
            lines.push(line.to_vec());
        }
        Ok(lines)
    }

    fn some_lines() -> Vec<Vec<u8>> {
        let lengths = [0, 1, 70_000, 5, FRAME - 1, FRAME, 200_000, 0];
        lengths.map(|length| vec![b'x'; length]).to_vec()
    }

    #[test]
    fn lines_come_back_whatever_their_length() {
        let out = Vec::new();
        let mut writer = SealedWriter::begin(out, "secret words", &OsRandom).unwrap();
        for line in some_lines() {
            writer.line(&line).unwrap();
        }
        assert_eq!(read(&writer.finish().unwrap()).unwrap(), some_lines());
        assert_eq!(read(&sealed(&[])).unwrap(), Vec::<Vec<u8>>::new());
        let aligned = vec![vec![b'x'; FRAME - 1], vec![b'y'; FRAME - 1]];
        assert_eq!(read(&sealed(&aligned)).unwrap(), aligned);
    }

    #[test]
    fn what_was_changed_cut_off_or_added_does_not_open() {
        let file = sealed(&[vec![b'a'; 10], vec![b'b'; FRAME], vec![b'c'; FRAME]]);
        for end in (0..file.len()).step_by(997).chain([file.len() - 1]) {
            assert!(read(&file[..end]).is_err(), "{end}");
        }
        let body = MAGIC.len() + 80;
        for place in (body..file.len()).step_by(4999) {
            let mut changed = file.clone();
            changed[place] ^= 1;
            assert!(read(&changed).is_err(), "{place}");
        }
        assert!(read(&[file.as_slice(), b"\0"].concat()).is_err());
        assert!(read(&[file.as_slice(), &file[file.len() - 100..]].concat()).is_err());
        // The first frame alone is a file that lacks the others, and frames stay in their order.
        let header = MAGIC.len()
            + file[MAGIC.len()..]
                .iter()
                .position(|b| *b == b'\n')
                .unwrap()
            + 1;
        let frame = 4 + FRAME + TAG;
        assert!(read(&file[..header + frame]).is_err());
        let swapped = [
            &file[..header],
            &file[header + frame..header + 2 * frame],
            &file[header..header + frame],
            &file[header + 2 * frame..],
        ]
        .concat();
        assert!(read(&swapped).is_err());
        assert!(
            SealedReader::open(file.as_slice(), "other")
                .unwrap()
                .line()
                .is_err()
        );
    }

    #[test]
    fn cat_439_parameters_are_bounded_before_they_are_used() {
        let parameters = |memory: u64, passes: u64, lanes: u64, salt: &str| {
            let text = format!(
                "{MAGIC}{{\"memory_kib\":{memory},\"passes\":{passes},\"lanes\":{lanes},\"salt\":\"{salt}\"}}\n"
            );
            SealedReader::open(text.as_bytes(), "secret words")
                .err()
                .unwrap()
        };
        let salt = b64url(&[7; 32]);
        for (memory, passes, lanes, salt) in [
            (8, 3, 4, salt.as_str()),
            (64 * 1024 * 1024, 3, 4, &salt),
            (65_536, 1, 4, &salt),
            (65_536, 1000, 4, &salt),
            (65_536, 3, 0, &salt),
            (65_536, 3, 200, &salt),
            (65_536, 3, 4, "AAAA"),
        ] {
            let error = parameters(memory, passes, lanes, salt);
            assert!(
                matches!(error, SealedFileError::Parameters),
                "{memory} {passes} {lanes} {salt}"
            );
        }
        for foreign in [
            "",
            "PK\u{3}\u{4}",
            "vouchsafe-sealed 2\n{}",
            "vouchsafe-sealed 1\n{}\n",
        ] {
            let error = SealedReader::open(foreign.as_bytes(), "x").err().unwrap();
            assert!(matches!(error, SealedFileError::NotOurs), "{foreign}");
        }
    }
}
