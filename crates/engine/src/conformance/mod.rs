//! What every store must do, as one suite of cases. A new store calls [`store_conformance!`](crate::store_conformance) in its
//! tests. Compiled for tests only (feature `conformance`), so a case says what went wrong by panicking.

#![allow(clippy::unwrap_used)]

mod approvals;
mod credentials;
mod journal;
mod records;
mod runs;
mod workflows;

pub use approvals::*;
pub use credentials::*;
pub use journal::*;
pub use records::*;
pub use runs::*;
pub use workflows::*;

use crate::port::store::*;
use flowtrace_core::event::{Body, Event, LogLevel};
use flowtrace_core::id::{StreamId, Timestamp};
use std::sync::Arc;

/// Makes one test of each case. `$open` gives a fresh, empty store and a value that keeps it alive, `(Arc<dyn Store>, impl Sized)`.
#[macro_export]
macro_rules! store_conformance {
    ($open:expr) => {
        $crate::store_conformance! { @cases $open;
            events_come_back_in_order_and_in_pages,
            an_append_at_the_wrong_place_writes_nothing,
            an_append_with_a_gap_is_refused,
            appends_over_streams_are_all_or_nothing,
            appends_of_one_call_may_follow_each_other,
            an_append_without_events_writes_the_rest,
            any_text_survives,
            a_watch_follows_what_is_committed,
            a_watch_starts_where_the_stream_stands,
            racing_appends_keep_seqs_dense,
            an_idempotency_key_counts_for_a_day,
            an_idempotency_key_counts_within_a_call,
            blobs_of_all_sizes_come_back,
            an_unknown_blob_is_none,
            run_rows_follow_the_events,
            runs_are_listed_newest_first_in_pages,
            runs_are_filtered,
            steps_keep_the_order_in_which_they_ended,
            unfinished_runs_are_listed_oldest_first,
            wakeups_are_set_and_cleared,
            a_question_is_open_until_it_is_decided,
            questions_are_listed_by_run_and_path_in_pages,
            the_inbox_takes_a_key_once,
            handled_items_leave_the_inbox_with_the_append,
            the_inbox_of_a_run_that_has_ended_is_empty_and_stays_so,
            cached_answers_expire,
            the_cache_can_be_cleared,
            a_workflow_gets_a_version_per_change,
            a_stale_change_is_a_conflict,
            an_id_is_taken_once,
            a_deleted_workflow_can_be_restored,
            workflows_are_listed_by_change_in_pages,
            drafts_come_and_go,
            a_draft_is_not_written_over_what_its_writer_has_not_read,
            documents_are_kept_under_their_hash,
            bindings_are_replaced_and_deleted,
            meta_keeps_any_value,
        }
    };
    (@cases $open:expr; $($case:ident),* $(,)?) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
        async fn $case() {
            let (store, _alive) = $open;
            $crate::conformance::$case(store).await;
        }
    )*};
}

/// The same for what keeps credentials: `$open` gives `(Arc<dyn Credentials>, impl Sized)`.
#[macro_export]
macro_rules! credentials_conformance {
    ($open:expr) => {
        $crate::store_conformance! { @cases $open;
            secrets_are_replaced_and_deleted,
            there_are_no_more_secrets_than_may_be,
            access_keys_come_and_go,
            an_access_key_is_named_once_and_their_number_is_bounded,
        }
    };
}

pub(crate) type AnyStore = Arc<dyn Store>;

/// Streams of a test; a higher number is a newer run.
pub(crate) fn stream(number: u128) -> StreamId {
    StreamId(0x0190_0000_0000_7000_8000_0000_0000_0000 + number)
}

pub(crate) fn log(seq: u64, message: &str) -> Event {
    let body = Body::Log { level: LogLevel::Info, message: message.to_string() };
    Event { seq, ts: Timestamp::from_millis(1_000 + seq), step: None, body }
}

/// An append of `count` small events after `expected`.
pub(crate) fn logs(stream: StreamId, expected: u64, count: u64) -> Append {
    let events = (expected + 1..=expected + count).map(|seq| log(seq, &format!("event {seq}"))).collect();
    Append { stream, expected, events, ..Append::default() }
}

pub(crate) fn seqs(events: &[Event]) -> Vec<u64> {
    events.iter().map(|event| event.seq).collect()
}

pub(crate) fn run_row(id: StreamId) -> RunRow {
    RunRow {
        id,
        workflow_id: Some("wf".to_string()),
        workflow_version: Some(3),
        workflow_hash: "abc".into(),
        session_id: None,
        trace_id: "0af7651916cd43dd8448eb211c80319c".to_string(),
        triggered_by: "api".to_string(),
        status: "running".to_string(),
        simulated: false,
        started_at: Timestamp::from_millis(1_000),
        finished_at: None,
        total_tokens: 0,
        total_cost_nanousd: 0,
        cost_complete: true,
        steps: 0,
        retries: 0,
        cache_hits: 0,
        error_summary: None,
        failed_step: None,
    }
}
