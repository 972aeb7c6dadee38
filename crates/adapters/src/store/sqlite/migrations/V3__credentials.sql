-- Secrets, sealed with a key that is not in this directory. The name goes into the seal, so that a row cannot be moved to
-- another name.
CREATE TABLE secrets (
  name   TEXT PRIMARY KEY,
  sealed BLOB    NOT NULL,  -- a nonce of 24 bytes, then the ciphertext with its tag (XChaCha20-Poly1305)
  key_id TEXT    NOT NULL,  -- which key seals it, without the key
  set_at INTEGER NOT NULL   -- microseconds since the Unix epoch, as all times
) WITHOUT ROWID;

-- Keys of clients. The key itself is nowhere: its SHA-256 is enough to know it again.
CREATE TABLE access_keys (
  id           TEXT PRIMARY KEY,
  name         TEXT    NOT NULL UNIQUE,
  hash         TEXT    NOT NULL UNIQUE,
  hint         TEXT    NOT NULL,  -- how the key begins
  scope        TEXT    NOT NULL,  -- all, ingest
  created_at   INTEGER NOT NULL,
  last_used_at INTEGER            -- to about an hour
) WITHOUT ROWID;
