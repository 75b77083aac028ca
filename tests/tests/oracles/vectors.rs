//! Where the vectors of the specifications are.

use std::path::PathBuf;

/// The folder of one set of vectors. Without `VOUCHSAFE_VECTORS` the caller
/// skips, and the run says so.
pub fn folder(set: &str, files: usize) -> Option<PathBuf> {
    match std::env::var_os("VOUCHSAFE_VECTORS") {
        Some(root) => {
            let folder = PathBuf::from(root).join(set);
            assert!(folder.is_dir(), "VOUCHSAFE_VECTORS has no folder {set}");
            Some(folder)
        }
        None => {
            println!("skipped: vectors, {files} files ({set})");
            None
        }
    }
}
