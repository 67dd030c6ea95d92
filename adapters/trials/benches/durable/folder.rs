//! A folder for files of one pass, on the disk that holds temporary files (`TMPDIR` says which).

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

pub(crate) struct Folder(PathBuf);

static MADE: AtomicU64 = AtomicU64::new(0);

impl Folder {
    pub(crate) fn new() -> Self {
        let name =
            format!("chatflow-durable-{}-{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("a folder can be made");
        Self(path)
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
