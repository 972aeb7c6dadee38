-- The journal and everything that commits with it. Ids of runs are the hyphenated text of a UUIDv7, so they sort by age and a
-- person with a SQLite shell can read and paste them. Times are microseconds since 1970 (UTC), money is nano-dollars.

PRAGMA application_id = 0x466C5472; -- "FlTr"

-- A short number for each stream. The two tables that grow with every turn refer to it instead of repeating the 36 characters of
-- the id: their index entries shrink to a quarter, and with them the pages that a commit has to write.
CREATE TABLE streams (
  no INTEGER PRIMARY KEY,
  id TEXT    NOT NULL UNIQUE
);

-- One row per append: all events of a turn stand in one JSON array, because one row costs one index entry and one page write
-- where a row per event would cost several. Rows are only ever added at the end; the random part is the small index.
CREATE TABLE journal (
  no     INTEGER PRIMARY KEY,
  stream INTEGER NOT NULL,
  seq    INTEGER NOT NULL,  -- of the first event of the row
  count  INTEGER NOT NULL,  -- events in the row; the last one has seq + count - 1
  format INTEGER NOT NULL,  -- version of the stored form, as in flowtrace_core::event::FORMAT
  ts     INTEGER NOT NULL,  -- of the first event
  events TEXT    NOT NULL
);
CREATE UNIQUE INDEX journal_by_stream ON journal (stream, seq);

-- The events one by one. A condition on run_id reaches journal_by_stream.
CREATE VIEW trace_events (id, run_id, step_id, ts, kind, payload, seq, path) AS
SELECT streams.id || '/' || (event.value ->> 'seq'),
       streams.id,
       streams.id || '/' || (event.value ->> 'step'),
       event.value ->> 'ts',
       event.value ->> 'kind',
       event.value -> 'payload',
       event.value ->> 'seq',
       event.value ->> 'step'
FROM streams JOIN journal ON journal.stream = streams.no, json_each(journal.events) AS event;

-- A summary per run, written with the events that it sums up.
-- Clustered by id: a list of the newest runs reads neighbouring rows.
CREATE TABLE workflow_runs (
  id               TEXT    PRIMARY KEY,
  workflow_id      TEXT,
  workflow_version INTEGER,
  workflow_hash    TEXT    NOT NULL,
  session_id       TEXT,
  trace_id         TEXT    NOT NULL,
  triggered_by     TEXT    NOT NULL,
  status           TEXT    NOT NULL,
  simulated        INTEGER NOT NULL,
  started_at       INTEGER NOT NULL,
  finished_at      INTEGER,
  total_tokens     INTEGER NOT NULL,
  total_cost       INTEGER NOT NULL,  -- nano-dollars
  cost_complete    INTEGER NOT NULL,
  total_latency_ms REAL    GENERATED ALWAYS AS ((finished_at - started_at) / 1000.0) VIRTUAL,
  steps            INTEGER NOT NULL,
  retries          INTEGER NOT NULL,
  cache_hits       INTEGER NOT NULL,
  error_summary    TEXT,
  failed_step      TEXT
) WITHOUT ROWID;
CREATE INDEX workflow_runs_by_workflow ON workflow_runs (workflow_id, id) WHERE workflow_id IS NOT NULL;
CREATE INDEX workflow_runs_by_session ON workflow_runs (session_id, id) WHERE session_id IS NOT NULL;
CREATE INDEX workflow_runs_by_status ON workflow_runs (status, id);
-- Recovery asks for exactly these; the index stays as small as the work in flight.
CREATE INDEX workflow_runs_unfinished ON workflow_runs (id) WHERE finished_at IS NULL;

-- The steps that ended, in the order in which they did.
CREATE TABLE steps (
  no            INTEGER PRIMARY KEY,
  stream        INTEGER NOT NULL,
  path          TEXT    NOT NULL,
  node_id       TEXT    NOT NULL,
  node_type     TEXT    NOT NULL,
  status        TEXT    NOT NULL,
  started_at    INTEGER,
  finished_at   INTEGER,
  tokens_input  INTEGER,
  tokens_output INTEGER,
  cost          INTEGER,  -- nano-dollars; NULL where unknown
  error         TEXT
);
CREATE INDEX steps_by_stream ON steps (stream);

CREATE VIEW run_steps (id, run_id, node_id, node_type, status, started_at, finished_at, latency_ms, tokens_input, tokens_output,
                       cost, error, path) AS
SELECT streams.id || '/' || path, streams.id, node_id, node_type, status, started_at, finished_at,
       (finished_at - started_at) / 1000.0, tokens_input, tokens_output, cost, error, path
FROM streams JOIN steps ON steps.stream = streams.no;

CREATE TABLE wakeups (
  stream TEXT    NOT NULL,
  step   TEXT    NOT NULL,  -- '' for the run itself
  due    INTEGER NOT NULL,
  PRIMARY KEY (stream, step)
) WITHOUT ROWID;

-- AUTOINCREMENT: the id of an item that was handled is never given to another one.
CREATE TABLE inbox (
  id      INTEGER PRIMARY KEY AUTOINCREMENT,
  stream  TEXT NOT NULL,
  key     TEXT NOT NULL,
  request TEXT NOT NULL,
  UNIQUE (stream, key)
);

CREATE TABLE idempotency_keys (
  key         TEXT    PRIMARY KEY,
  fingerprint TEXT    NOT NULL,
  run_id      TEXT    NOT NULL,
  created_at  INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

CREATE TABLE cache (
  key_hash   TEXT    PRIMARY KEY,
  response   TEXT    NOT NULL,
  tokens     INTEGER,
  cost       INTEGER,  -- what the original call cost, in nano-dollars; NULL where unknown
  created_at INTEGER NOT NULL,
  expires_at INTEGER
);
CREATE INDEX cache_by_expiry ON cache (expires_at) WHERE expires_at IS NOT NULL;

-- Values that left the journal, compressed with zstd. `data` is NULL where the blob is the file blobs/<first two digits>/<hash>.zst.
CREATE TABLE blobs (
  hash  TEXT    PRIMARY KEY,
  bytes INTEGER NOT NULL,  -- of the JSON text
  data  BLOB
);
-- Which streams use a blob. Owner first: a turn's references are then neighbours.
CREATE TABLE blob_refs (
  owner TEXT NOT NULL,
  hash  TEXT NOT NULL,
  PRIMARY KEY (owner, hash)
) WITHOUT ROWID;

CREATE TABLE workflows (
  id          TEXT    PRIMARY KEY,
  owner_id    TEXT,
  name        TEXT    NOT NULL,
  description TEXT,
  graph_json  TEXT    NOT NULL,
  version     INTEGER NOT NULL,
  hash        TEXT    NOT NULL,
  created_at  INTEGER NOT NULL,
  updated_at  INTEGER NOT NULL,
  deleted_at  INTEGER
);
CREATE INDEX workflows_by_change ON workflows (updated_at, id) WHERE deleted_at IS NULL;

CREATE TABLE workflow_versions (
  workflow_id TEXT    NOT NULL,
  version     INTEGER NOT NULL,
  hash        TEXT    NOT NULL,  -- of the document in `documents`
  name        TEXT    NOT NULL,
  description TEXT,
  created_at  INTEGER NOT NULL,
  PRIMARY KEY (workflow_id, version)
) WITHOUT ROWID;

-- Every document that a run or a version pins, under the hash of its text.
CREATE TABLE documents (
  hash       TEXT PRIMARY KEY,
  graph_json TEXT NOT NULL
);

CREATE TABLE drafts (
  workflow_id TEXT    PRIMARY KEY,
  graph_json  TEXT    NOT NULL,
  updated_at  INTEGER NOT NULL
);

CREATE TABLE provider_bindings (
  id          TEXT PRIMARY KEY,
  owner_id    TEXT,
  workflow_id TEXT,  -- NULL: for the whole deployment
  provider    TEXT NOT NULL,
  model       TEXT NOT NULL,
  temperature REAL
) WITHOUT ROWID;
CREATE INDEX provider_bindings_by_workflow ON provider_bindings (workflow_id);

CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;
