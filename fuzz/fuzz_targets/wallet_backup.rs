#![no_main]
//! A backup of a wallet: the header as it lies in the file, and content as it is once the file has
//! opened. What stands between them is AES-GCM.

use libfuzzer_sys::fuzz_target;
use vouchsafe_wallet_core::testing::{read_backup_content, read_backup_header};

fuzz_target!(|data: &[u8]| {
    let _ = read_backup_header(data);
    let Some((size, content)) = data.split_first() else {
        return;
    };
    let whole = read_backup_content(content, content.len());
    // In which pieces it comes makes no difference.
    let pieces = read_backup_content(content, usize::from(*size));
    assert_eq!(whole.ok(), pieces.ok());
});
