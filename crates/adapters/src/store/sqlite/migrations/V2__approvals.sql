-- What people are asked, or were. A view of the journal, written with the events that it follows from.
CREATE TABLE approvals (
  run_id      TEXT    NOT NULL,
  path        TEXT    NOT NULL,
  node_id     TEXT    NOT NULL,
  workflow_id TEXT,
  message     TEXT    NOT NULL,
  payload     TEXT    NOT NULL,  -- a payload as in the events: the value, or a reference to a blob
  interrupted INTEGER NOT NULL,
  asked_at    INTEGER NOT NULL,  -- microseconds since the Unix epoch, as all times
  deadline    INTEGER,
  decision    TEXT,              -- NULL: open
  decided_by  TEXT,
  decided_at  INTEGER,
  reason      TEXT,
  PRIMARY KEY (run_id, path)
) WITHOUT ROWID;
CREATE INDEX approvals_open ON approvals (run_id) WHERE decision IS NULL;
