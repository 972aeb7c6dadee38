//! Sealed secrets and hashes of access keys.

use super::SqliteStore;
use super::journal::list;
use super::rows::{int, optional_time, time};
use flowtrace_core::id::Timestamp;
use flowtrace_engine::port::BoxFuture;
use flowtrace_engine::port::credentials::{AccessKey, Credentials, KeyError, SealedSecret};
use flowtrace_engine::port::store::StoreError;
use rusqlite::{Connection, params};

/// What a small write weighs in the queue.
const SMALL: usize = 1024;

impl Credentials for SqliteStore {
    fn secrets(&self) -> BoxFuture<'_, Result<Vec<SealedSecret>, StoreError>> {
        Box::pin(self.readers.read(|connection| {
            list(connection, "SELECT name, sealed, key_id, set_at FROM secrets ORDER BY name", [], |row| {
                Ok(SealedSecret { name: row.get(0)?, sealed: row.get(1)?, key_id: row.get(2)?, set_at: time(row, 3)? })
            })
        }))
    }

    fn put_secret(&self, secret: SealedSecret, most: usize) -> BoxFuture<'_, Result<bool, StoreError>> {
        let bytes = SMALL + secret.sealed.len();
        Box::pin(self.write(bytes, move |connection| {
            let SealedSecret { name, sealed, key_id, set_at } = &secret;
            if count(connection, "SELECT count(*) FROM secrets WHERE name <> ?1", name)? >= most {
                return Ok(false);
            }
            let sql = "INSERT OR REPLACE INTO secrets (name, sealed, key_id, set_at) VALUES (?1, ?2, ?3, ?4)";
            connection.execute(sql, params![name, sealed, key_id, int(set_at.0)]).map(|_| true)
        }))
    }

    fn delete_secret(&self, name: &str) -> BoxFuture<'_, Result<bool, StoreError>> {
        let name = name.to_owned();
        Box::pin(self.write(SMALL, move |connection| {
            connection.execute("DELETE FROM secrets WHERE name = ?1", [&name]).map(|rows| rows == 1)
        }))
    }

    fn access_keys(&self) -> BoxFuture<'_, Result<Vec<AccessKey>, StoreError>> {
        Box::pin(self.readers.read(|connection| {
            let sql = "SELECT id, name, hash, hint, scope, created_at, last_used_at FROM access_keys ORDER BY created_at, id";
            list(connection, sql, [], |row| {
                Ok(AccessKey {
                    id: row.get(0)?,
                    name: row.get(1)?,
                    hash: row.get(2)?,
                    hint: row.get(3)?,
                    scope: row.get(4)?,
                    created_at: time(row, 5)?,
                    last_used_at: optional_time(row, 6)?,
                })
            })
        }))
    }

    fn create_access_key(&self, key: AccessKey, most: usize) -> BoxFuture<'_, Result<(), KeyError>> {
        let create = move |connection: &Connection| {
            let AccessKey { id, name, hash, hint, scope, created_at, last_used_at } = &key;
            if count(connection, "SELECT count(*) FROM access_keys WHERE name = ?1", name)? > 0 {
                return Ok(Err(KeyError::NameTaken));
            }
            if count(connection, "SELECT count(*) FROM access_keys WHERE id <> ?1", id)? >= most {
                return Ok(Err(KeyError::TooMany));
            }
            let sql = "INSERT INTO access_keys (id, name, hash, hint, scope, created_at, last_used_at) \
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
            let used_at = last_used_at.map(|at| int(at.0));
            connection.execute(sql, params![id, name, hash, hint, scope, int(created_at.0), used_at])?;
            Ok(Ok(()))
        };
        Box::pin(async move { self.write(SMALL, create).await? })
    }

    fn delete_access_key(&self, id: &str) -> BoxFuture<'_, Result<bool, StoreError>> {
        let id = id.to_owned();
        Box::pin(self.write(SMALL, move |connection| {
            connection.execute("DELETE FROM access_keys WHERE id = ?1", [&id]).map(|rows| rows == 1)
        }))
    }

    fn touch_access_key(&self, id: &str, used_at: Timestamp) -> BoxFuture<'_, Result<(), StoreError>> {
        let id = id.to_owned();
        Box::pin(self.write(SMALL, move |connection| {
            let sql = "UPDATE access_keys SET last_used_at = ?2 WHERE id = ?1";
            connection.execute(sql, params![id, int(used_at.0)]).map(|_| ())
        }))
    }
}

fn count(connection: &Connection, sql: &str, value: &str) -> rusqlite::Result<usize> {
    connection.prepare_cached(sql)?.query_row([value], |row| row.get(0))
}
