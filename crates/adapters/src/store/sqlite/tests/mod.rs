#![allow(clippy::unwrap_used)]

mod conformance {
    use crate::store::sqlite::SqliteStore;
    use flowtrace_engine::port::store::Store;
    use std::sync::Arc;

    fn open() -> (Arc<dyn Store>, tempfile::TempDir) {
        let dir = tempfile::tempdir().unwrap();
        (Arc::new(SqliteStore::open(dir.path()).unwrap()), dir)
    }

    flowtrace_engine::store_conformance!(open());
}
