//! The file with the key that seals secrets. It lies outside of the data directory: whoever gets a copy of that, a backup for
//! instance, has secrets that nobody can open.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Generate, Key, KeyInit};
use chacha20poly1305::{Tag, XChaCha20Poly1305, XNonce};
use flowtrace_core::payload::sha256_hex;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// A key of XChaCha20-Poly1305. It shows nothing of itself but its id.
#[derive(Clone)]
pub struct SealingKey {
    cipher: XChaCha20Poly1305,
    pub id: String,
}

/// Why there is no key. The text of `Unusable` is a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoKey {
    /// The file is not there.
    Absent,
    Unusable(String),
}

const NONCE: usize = size_of::<XNonce>();

impl SealingKey {
    fn new(key: &Key<XChaCha20Poly1305>) -> Self {
        let id = sha256_hex(&[b"flowtrace secret key\0", key.as_slice()].concat());
        SealingKey { cipher: XChaCha20Poly1305::new(key), id: id[..16].to_owned() }
    }

    /// A nonce and the ciphertext; `name` is bound into it.
    pub fn seal(&self, name: &str, value: &str) -> Result<Vec<u8>, String> {
        use chacha20poly1305::aead::{Aead, Payload};
        let nonce = XNonce::try_generate().map_err(no_randomness)?;
        let payload = Payload { msg: value.as_bytes(), aad: name.as_bytes() };
        let sealed = self.cipher.encrypt(&nonce, payload).map_err(|_| "the secret could not be sealed".to_owned())?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// `None` if it was not sealed with this key under this name.
    pub fn open(&self, name: &str, sealed: &[u8]) -> Option<String> {
        use chacha20poly1305::aead::{Aead, Payload};
        if sealed.len() < NONCE + size_of::<Tag>() {
            return None;
        }
        let (nonce, text) = sealed.split_at(NONCE);
        let nonce = XNonce::try_from(nonce).ok()?;
        let opened = self.cipher.decrypt(&nonce, Payload { msg: text, aad: name.as_bytes() }).ok()?;
        String::from_utf8(opened).ok()
    }
}

fn no_randomness(error: impl std::fmt::Display) -> String {
    format!("the operating system gave no random bytes: {error}")
}

/// Where the key is, and where it must not be.
#[derive(Clone, Debug)]
pub struct KeyFile {
    /// `None`: nobody said, and there is no home directory to put it into.
    pub path: Option<PathBuf>,
    pub data: PathBuf,
}

impl KeyFile {
    fn path(&self) -> Result<&Path, NoKey> {
        let unusable = |what: String| NoKey::Unusable(what);
        let path = self.path.as_deref().ok_or_else(|| {
            unusable("there is no home directory to keep the key of secrets in: name a file with --secret-key-file".to_owned())
        })?;
        if self.is_inside(path) {
            return Err(unusable(format!(
                "the key file {} lies in the data directory, where a copy of the data would bring the key along: name another \
                 place with --secret-key-file",
                path.display()
            )));
        }
        Ok(path)
    }

    fn is_inside(&self, path: &Path) -> bool {
        let real = |path: &Path| path.canonicalize().or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_owned());
        let data = real(&self.data);
        // The file itself, which may be a link, and the place where its name stands. What is not there yet has a parent that is.
        let mut place = path;
        while let Some(parent) = place.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            place = parent;
            if place.exists() {
                break;
            }
        }
        let place = if place == path { Path::new(".") } else { place };
        real(path).starts_with(&data) || real(place).starts_with(&data)
    }

    /// Reads the key.
    pub fn read(&self) -> Result<SealingKey, NoKey> {
        let path = self.path()?;
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(NoKey::Absent),
            Err(error) => return Err(NoKey::Unusable(format!("the key file {} cannot be read: {error}", path.display()))),
        };
        let bytes = STANDARD.decode(text.trim()).ok();
        let key = bytes.and_then(|bytes| Key::<XChaCha20Poly1305>::try_from(bytes.as_slice()).ok());
        let key = key.ok_or_else(|| {
            let what = "holds no key, which is 32 random bytes in base64: restore it, or remove it and set the secrets again";
            NoKey::Unusable(format!("the file {} {what}", path.display()))
        })?;
        warn_if_shared(path);
        Ok(SealingKey::new(&key))
    }

    /// Reads the key, and makes one where there is none yet. Two processes that do so at once end up with the same.
    pub fn read_or_make(&self) -> Result<SealingKey, NoKey> {
        match self.read() {
            Err(NoKey::Absent) => {}
            other => return other,
        }
        let path = self.path()?;
        let failed = |error: std::io::Error| NoKey::Unusable(format!("the key file {} cannot be made: {error}", path.display()));
        let key = Key::<XChaCha20Poly1305>::try_generate().map_err(|error| NoKey::Unusable(no_randomness(error)))?;
        make(path, &STANDARD.encode(key)).map_err(failed)?;
        tracing::info!(path = %path.display(), "made the key that seals secrets; keep a copy of it apart from the data");
        self.read()
    }
}

/// Whole and for its owner only, or not at all; what is there already stays.
fn make(path: &Path, text: &str) -> std::io::Result<()> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut directories = std::fs::DirBuilder::new();
    directories.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut directories, 0o700);
    directories.create(dir)?;
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".new-{}", uuid::Uuid::new_v4().simple()));
    let temporary = PathBuf::from(name);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&temporary).and_then(|mut file| {
        writeln!(file, "{text}")?;
        file.sync_all()
    });
    // A link fails where the name is taken, which a rename would not.
    let linked = written.and_then(|()| match std::fs::hard_link(&temporary, path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        other => other,
    });
    let _ = std::fs::remove_file(&temporary);
    linked?;
    crate::store::sqlite::data_dir::sync_dir(dir).map_err(std::io::Error::other)
}

#[cfg(unix)]
fn warn_if_shared(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    if std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0) {
        tracing::warn!(path = %path.display(), "other users may read the key that seals secrets: `chmod 600` it");
    }
}

#[cfg(not(unix))]
fn warn_if_shared(_path: &Path) {}
