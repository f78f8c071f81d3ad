//! Files that are looked at again and again.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

/// Some files, and what they looked like.
#[derive(Debug)]
pub(super) struct Watched {
    paths: Vec<PathBuf>,
    seen: Vec<Option<Look>>,
}

/// What changes when a file is replaced or written: also behind a symbolic link, which container platforms turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Look {
    device: u64,
    inode: u64,
    len: u64,
    modified: (i64, i64),
}

impl Watched {
    /// Watches from now on. A file that is not there may come.
    pub(super) fn new(paths: Vec<PathBuf>) -> Self {
        let seen = look_at(&paths);
        Self { paths, seen }
    }

    /// Whether any file has changed since the last time that it was asked. One system call per file.
    pub(super) fn has_changed(&mut self) -> bool {
        let now = look_at(&self.paths);
        let changed = now != self.seen;
        self.seen = now;
        changed
    }
}

fn look_at(paths: &[PathBuf]) -> Vec<Option<Look>> {
    let look = |path: &PathBuf| {
        let metadata = fs::metadata(path).ok()?;
        Some(Look {
            device: metadata.dev(),
            inode: metadata.ino(),
            len: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        })
    };
    paths.iter().map(look).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn change_is_seen_once() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        let mut watched = Watched::new(vec![link.clone()]);
        assert!(!watched.has_changed());
        fs::write(&file, "one").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert!(watched.has_changed() && !watched.has_changed());
        fs::write(&file, "longer").unwrap();
        assert!(watched.has_changed() && !watched.has_changed());
        fs::write(folder.path().join("other"), "longer").unwrap();
        fs::rename(folder.path().join("other"), &file).unwrap();
        assert!(watched.has_changed() && !watched.has_changed());
        fs::remove_file(&file).unwrap();
        assert!(watched.has_changed());
    }
}
