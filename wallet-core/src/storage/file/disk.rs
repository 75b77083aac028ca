//! The few file operations the adapter needs, so that tests can fail them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// A folder with explicit durability. Paths are relative, at most one level
/// deep, and made of names this crate chose.
pub(super) trait Disk: Send + Sync {
    /// Reads a file of at most so many bytes; a larger one is an error.
    fn read(&self, path: &str, most: u64) -> io::Result<Option<Vec<u8>>>;
    fn list(&self, folder: &str) -> io::Result<Vec<String>>;
    /// Writes a file and forces its content to the disk.
    fn write_synced(&self, path: &str, bytes: &[u8]) -> io::Result<()>;
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Removes a file; a missing one is no error.
    fn remove(&self, path: &str) -> io::Result<()>;
    /// Forces the folder's entries to the disk.
    fn sync_folder(&self, folder: &str) -> io::Result<()>;
}

/// The real file system below a root folder.
pub(super) struct RealDisk {
    root: PathBuf,
    // Held for the lock on it.
    _lock: File,
}

impl RealDisk {
    /// Prepares the folders and takes the lock; `None` when another process
    /// has it.
    pub(super) fn open(root: &Path, folders: &[&str]) -> io::Result<Option<Self>> {
        create_private_folder(root)?;
        for folder in folders {
            create_private_folder(&root.join(folder))?;
        }
        let lock = private_file()
            .create(true)
            .truncate(false)
            .open(root.join("lock"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Ok(None),
            Err(fs::TryLockError::Error(error)) => return Err(error),
        }
        sync(root)?;
        Ok(Some(Self {
            root: root.to_owned(),
            _lock: lock,
        }))
    }
}

impl Disk for RealDisk {
    fn read(&self, path: &str, most: u64) -> io::Result<Option<Vec<u8>>> {
        let file = match File::open(self.root.join(path)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut bytes = Vec::new();
        file.take(most + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > most {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                "record file too large",
            ));
        }
        Ok(Some(bytes))
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.root.join(folder))? {
            let entry = entry?;
            if !entry.file_type()?.is_file() {
                continue;
            }
            let invalid = |_| io::Error::new(io::ErrorKind::InvalidData, "file name not UTF-8");
            names.push(entry.file_name().into_string().map_err(invalid)?);
        }
        Ok(names)
    }

    fn write_synced(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let mut file = private_file()
            .create(true)
            .truncate(true)
            .open(self.root.join(path))?;
        file.write_all(bytes)?;
        file.sync_all()
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.root.join(from), self.root.join(to))
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        match fs::remove_file(self.root.join(path)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }

    fn sync_folder(&self, folder: &str) -> io::Result<()> {
        sync(&self.root.join(folder))
    }
}

fn sync(folder: &Path) -> io::Result<()> {
    // Windows cannot open folders as files; its file systems journal renames.
    if cfg!(windows) {
        Ok(())
    } else {
        File::open(folder)?.sync_all()
    }
}

fn create_private_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
