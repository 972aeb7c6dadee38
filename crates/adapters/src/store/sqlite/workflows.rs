//! Workflows and what belongs to them: versions, documents, drafts, bindings; and the small facts of the deployment.

use super::SqliteStore;
use super::error::store_error;
use super::journal::list;
use super::records::{from_json, to_json};
use super::rows::{self, int, shared, time};
use flowtrace_core::id::Timestamp;
use flowtrace_engine::port::BoxFuture;
use flowtrace_engine::port::store::*;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::Value;
use std::sync::Arc;

/// What a small write weighs in the queue.
const SMALL: usize = 1024;

impl Workflows for SqliteStore {
    fn create_workflow(&self, workflow: Workflow) -> BoxFuture<'_, Result<(), WorkflowError>> {
        let create = move |connection: &Connection| {
            let sql = "SELECT version FROM workflows WHERE id = ?1";
            let existing: Option<u32> = connection.prepare_cached(sql)?.query_row([&workflow.id], |row| row.get(0)).optional()?;
            if let Some(actual) = existing {
                return Ok(Err(WorkflowError::VersionConflict { expected: 0, actual }));
            }
            write_version(connection, &workflow).map(Ok)
        };
        Box::pin(async move { self.write(SMALL, create).await? })
    }

    fn workflow(&self, id: &str) -> BoxFuture<'_, Result<Option<Workflow>, StoreError>> {
        let id = id.to_string();
        Box::pin(self.readers.read(move |connection| live(connection, &id).map_err(store_error)))
    }

    fn workflows(&self, after: Option<String>, limit: usize) -> BoxFuture<'_, Result<Vec<Workflow>, StoreError>> {
        Box::pin(self.readers.read(move |connection| {
            let limit = limit.min(i64::MAX as usize) as i64;
            let from = match &after {
                None => "",
                // Without such a workflow the right side is NULL and nothing follows.
                Some(_) => "AND (updated_at, id) < (SELECT updated_at, id FROM workflows WHERE id = ?2)",
            };
            let columns = rows::WORKFLOW_COLUMNS;
            let sql = format!(
                "SELECT {columns} FROM workflows WHERE deleted_at IS NULL {from} ORDER BY updated_at DESC, id DESC LIMIT ?1"
            );
            match &after {
                None => list(connection, &sql, [limit], rows::workflow),
                Some(after) => list(connection, &sql, params![limit, after], rows::workflow),
            }
        }))
    }

    fn update_workflow(
        &self,
        id: &str,
        change: WorkflowChange,
        expected: Option<u32>,
        now: Timestamp,
    ) -> BoxFuture<'_, Result<Workflow, WorkflowError>> {
        let id = id.to_string();
        let bytes = SMALL + change.graph_json.as_ref().map_or(0, |graph_json| 2 * graph_json.len());
        let update = move |connection: &Connection| {
            let Some(current) = live(connection, &id)? else { return Ok(Err(WorkflowError::NotFound)) };
            if let Some(expected) = expected.filter(|expected| *expected != current.version) {
                return Ok(Err(WorkflowError::VersionConflict { expected, actual: current.version }));
            }
            let Some(next) = change.apply(&current, now) else { return Ok(Ok(current)) };
            write_version(connection, &next)?;
            Ok(Ok(next))
        };
        Box::pin(async move { self.write(bytes, update).await? })
    }

    fn delete_workflow(&self, id: &str, now: Timestamp) -> BoxFuture<'_, Result<(), WorkflowError>> {
        let id = id.to_string();
        let delete = move |connection: &Connection| {
            let sql = "UPDATE workflows SET deleted_at = ?2 WHERE id = ?1 AND deleted_at IS NULL";
            Ok(found(connection.execute(sql, params![id, int(now.0)])?))
        };
        Box::pin(async move { self.write(SMALL, delete).await? })
    }

    fn undelete_workflow(&self, id: &str) -> BoxFuture<'_, Result<(), WorkflowError>> {
        let id = id.to_string();
        let undelete = move |connection: &Connection| {
            Ok(found(connection.execute("UPDATE workflows SET deleted_at = NULL WHERE id = ?1", [&id])?))
        };
        Box::pin(async move { self.write(SMALL, undelete).await? })
    }

    fn workflow_versions(&self, id: &str) -> BoxFuture<'_, Result<Vec<WorkflowVersion>, StoreError>> {
        let id = id.to_string();
        Box::pin(self.readers.read(move |connection| {
            let sql = "SELECT version, hash, created_at FROM workflow_versions WHERE workflow_id = ?1 ORDER BY version";
            list(connection, sql, [id], |row| {
                Ok(WorkflowVersion { version: row.get(0)?, hash: shared(row, 1)?, created_at: time(row, 2)? })
            })
        }))
    }

    fn put_draft(&self, id: &str, draft: Option<Draft>, expected: Option<DraftTag>) -> BoxFuture<'_, Result<(), WorkflowError>> {
        let id = id.to_string();
        let bytes = SMALL + draft.as_ref().map_or(0, |draft| draft.graph_json.len());
        let put = move |connection: &Connection| {
            let Some(workflow) = live(connection, &id)? else { return Ok(Err(WorkflowError::NotFound)) };
            if let Some(expected) = expected {
                let sql = "SELECT updated_at FROM drafts WHERE workflow_id = ?1";
                let draft = connection.prepare_cached(sql)?.query_row([&id], |row| time(row, 0)).optional()?;
                if expected != (DraftTag { version: workflow.version, draft }) {
                    return Ok(Err(WorkflowError::DraftConflict));
                }
            }
            match &draft {
                Some(draft) => {
                    let sql = "INSERT OR REPLACE INTO drafts (workflow_id, graph_json, updated_at) VALUES (?1, ?2, ?3)";
                    connection.execute(sql, params![id, draft.graph_json, int(draft.updated_at.0)])?
                }
                None => connection.execute("DELETE FROM drafts WHERE workflow_id = ?1", [&id])?,
            };
            Ok(Ok(()))
        };
        Box::pin(async move { self.write(bytes, put).await? })
    }

    fn draft(&self, id: &str) -> BoxFuture<'_, Result<Option<Draft>, StoreError>> {
        let id = id.to_string();
        Box::pin(self.readers.read(move |connection| {
            let sql = "SELECT graph_json, drafts.updated_at FROM drafts WHERE workflow_id = ?1 \
                       AND workflow_id IN (SELECT id FROM workflows WHERE id = ?1 AND deleted_at IS NULL)";
            let mut query = connection.prepare_cached(sql).map_err(store_error)?;
            let row = |row: &Row<'_>| Ok(Draft { graph_json: shared(row, 0)?, updated_at: time(row, 1)? });
            query.query_row([id], row).optional().map_err(store_error)
        }))
    }

    fn put_document(&self, hash: &str, graph_json: &str) -> BoxFuture<'_, Result<(), StoreError>> {
        let (hash, graph_json): (String, Arc<str>) = (hash.to_string(), graph_json.into());
        Box::pin(async move {
            // A document that runs again and again is there already; finding that out needs no commit.
            if self.document(&hash).await?.is_some() {
                return Ok(());
            }
            let bytes = SMALL + graph_json.len();
            self.write(bytes, move |connection| keep_document(connection, &hash, &graph_json)).await
        })
    }

    fn document(&self, hash: &str) -> BoxFuture<'_, Result<Option<Arc<str>>, StoreError>> {
        let hash = hash.to_string();
        Box::pin(self.readers.read(move |connection| {
            let mut query = connection.prepare_cached("SELECT graph_json FROM documents WHERE hash = ?1").map_err(store_error)?;
            query.query_row([hash], |row| shared(row, 0)).optional().map_err(store_error)
        }))
    }

    fn bindings(&self) -> BoxFuture<'_, Result<Vec<ProviderBinding>, StoreError>> {
        Box::pin(self.readers.read(move |connection| {
            let sql = "SELECT id, owner_id, workflow_id, provider, model, temperature FROM provider_bindings ORDER BY id";
            list(connection, sql, [], |row| {
                Ok(ProviderBinding {
                    id: row.get(0)?,
                    owner_id: row.get(1)?,
                    workflow_id: row.get(2)?,
                    provider: row.get(3)?,
                    model: row.get(4)?,
                    temperature: row.get(5)?,
                })
            })
        }))
    }

    fn put_binding(&self, binding: ProviderBinding) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.write(SMALL, move |connection| {
            let sql = "INSERT OR REPLACE INTO provider_bindings (id, owner_id, workflow_id, provider, model, temperature) \
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
            let ProviderBinding { id, owner_id, workflow_id, provider, model, temperature } = &binding;
            connection.execute(sql, params![id, owner_id, workflow_id, provider, model, temperature]).map(|_| ())
        }))
    }

    fn delete_binding(&self, id: &str) -> BoxFuture<'_, Result<bool, StoreError>> {
        let id = id.to_string();
        Box::pin(
            self.write(SMALL, move |connection| {
                Ok(connection.execute("DELETE FROM provider_bindings WHERE id = ?1", [&id])? == 1)
            }),
        )
    }

    fn meta(&self, key: &str) -> BoxFuture<'_, Result<Option<Value>, StoreError>> {
        let key = key.to_string();
        Box::pin(self.readers.read(move |connection| {
            let mut query = connection.prepare_cached("SELECT value FROM meta WHERE key = ?1").map_err(store_error)?;
            query.query_row([key], |row| from_json(row, 0)).optional().map_err(store_error)
        }))
    }

    fn put_meta(&self, key: &str, value: Value) -> BoxFuture<'_, Result<(), StoreError>> {
        let key = key.to_string();
        Box::pin(async move {
            let value = to_json(&value)?;
            let put = move |connection: &Connection| {
                connection.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)", [&key, &value]).map(|_| ())
            };
            self.write(SMALL, put).await
        })
    }
}

fn live(connection: &Connection, id: &str) -> rusqlite::Result<Option<Workflow>> {
    let sql = format!("SELECT {} FROM workflows WHERE id = ?1 AND deleted_at IS NULL", rows::WORKFLOW_COLUMNS);
    connection.prepare_cached(&sql)?.query_row([id], rows::workflow).optional()
}

/// Makes `workflow` the current version, and keeps it in the history with its document.
fn write_version(connection: &Connection, workflow: &Workflow) -> rusqlite::Result<()> {
    let Workflow { id, owner_id, name, description, version, hash, graph_json, created_at, updated_at } = workflow;
    keep_document(connection, hash, graph_json)?;
    let sql = "INSERT OR REPLACE INTO workflows (id, owner_id, name, description, version, hash, graph_json, created_at, \
               updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    let (created_at, updated_at) = (int(created_at.0), int(updated_at.0));
    connection.execute(sql, params![id, owner_id, name, description, version, hash, graph_json, created_at, updated_at])?;
    let sql = "INSERT INTO workflow_versions (workflow_id, version, hash, name, description, created_at) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    connection.execute(sql, params![id, version, hash, name, description, updated_at])?;
    Ok(())
}

fn keep_document(connection: &Connection, hash: &str, graph_json: &str) -> rusqlite::Result<()> {
    let sql = "INSERT INTO documents (hash, graph_json) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    connection.execute(sql, [hash, graph_json]).map(|_| ())
}

fn found(rows: usize) -> Result<(), WorkflowError> {
    if rows == 0 { Err(WorkflowError::NotFound) } else { Ok(()) }
}
