//! From a body to durable spans.

use super::spool::Spool;
use flowtrace_adapters::background;
use flowtrace_adapters::otlp::{Decoded, Refused, Rejected, langfuse};
use flowtrace_core::id::{SpanId, TraceId};
use flowtrace_core::price::PriceTable;
use flowtrace_core::span::normalise::{log_piece, normalise};
use flowtrace_core::span::{Score, Span};
use flowtrace_core::trace::merge::empty;
use flowtrace_engine::port::span_store::{Admission, Part, SpanStore, SpanStoreError, SpanWrite};
use flowtrace_engine::port::store::StoreError;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Bodies above this are decoded where they keep no other request waiting.
const LARGE: usize = 64 << 10;

/// What takes spans in.
pub struct Ingest {
    pub store: Arc<dyn SpanStore>,
    prices: PriceTable,
    pub spool: Spool,
    pub counters: Counters,
}

/// Since the start of the process.
#[derive(Debug, Default)]
pub struct Counters {
    /// Spans in requests that were acknowledged.
    pub spans: AtomicU64,
    /// Log records and changes that became pieces of spans.
    pub pieces: AtomicU64,
    pub scores: AtomicU64,
    /// Spans and records that could not be read.
    pub rejected: AtomicU64,
    /// Log records that name no span; they are not kept.
    pub homeless: AtomicU64,
    /// Metrics, which are not kept.
    pub metrics: AtomicU64,
    /// Requests that were told to come back.
    pub overloaded: AtomicU64,
    /// Requests that were refused for good.
    pub refused: AtomicU64,
}

impl Counters {
    fn add(counter: &AtomicU64, more: usize) {
        counter.fetch_add(more as u64, Ordering::Relaxed);
    }
}

/// What became of a request that was acknowledged.
#[derive(Debug, Default, PartialEq)]
pub struct Done {
    pub rejected: Rejected,
}

/// Why a request is not acknowledged.
#[derive(Debug)]
pub enum Failure {
    /// It would be refused again.
    Refused(Refused),
    TooLarge,
    /// Something else that is wrong with it.
    Bad(u16, String),
    /// It may be sent again after the time.
    Later(Duration, String),
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        Failure::Refused(refused)
    }
}

impl From<SpanStoreError> for Failure {
    fn from(error: SpanStoreError) -> Self {
        let after = match &error {
            SpanStoreError::Overloaded { retry_after } => *retry_after,
            SpanStoreError::Store(StoreError::Full(_)) => Duration::from_secs(30),
            _ => Duration::from_secs(5),
        };
        if let SpanStoreError::Store(error) = &error {
            tracing::error!(%error, "spans could not be stored");
        }
        Failure::Later(after, error.to_string())
    }
}

impl Ingest {
    pub fn open(store: Arc<dyn SpanStore>, prices: PriceTable, data: &Path) -> std::io::Result<Self> {
        Ok(Ingest { store, prices, spool: Spool::open(data.join("spool"))?, counters: Counters::default() })
    }

    /// Decodes a body and writes its spans. `Ok` means that they are durable.
    pub async fn put<D>(self: &Arc<Self>, body: Vec<u8>, admission: Admission, decode: D) -> Result<Done, Failure>
    where
        D: FnOnce(&[u8]) -> Result<Decoded, Refused> + Send + 'static,
    {
        let (writes, done) = self
            .aside(body, move |ingest, body| {
                let decoded = decode(body)?;
                let done = Done { rejected: decoded.rejected };
                Counters::add(&ingest.counters.rejected, usize::try_from(done.rejected.count).unwrap_or(usize::MAX));
                ingest.counters.homeless.fetch_add(decoded.homeless, Ordering::Relaxed);
                let write = |span, part| SpanWrite { span, part };
                let mut writes = Vec::with_capacity(decoded.spans.len() + decoded.pieces.len() + decoded.logs.len());
                writes.extend(decoded.spans.into_iter().map(|raw| write(normalise(raw, &ingest.prices), Part::Whole)));
                writes.extend(decoded.pieces.into_iter().map(|raw| write(normalise(raw, &ingest.prices), Part::Piece)));
                writes.extend(decoded.logs.into_iter().map(|log| write(log_piece(log, &ingest.prices), Part::Piece)));
                Ok((writes, done))
            })
            .await?;
        self.write(writes, admission).await?;
        Ok(done)
    }

    /// As [`Ingest::put`], of a batch of Langfuse.
    pub async fn put_batch(self: &Arc<Self>, body: Vec<u8>, admission: Admission) -> Result<langfuse::Batch, Failure> {
        let (writes, mut batch) = self
            .aside(body, |ingest, body| {
                let mut batch = langfuse::batch(body, now())?;
                Counters::add(&ingest.counters.rejected, batch.refused.len());
                let pieces = std::mem::take(&mut batch.pieces).into_iter();
                let write = |raw| SpanWrite { span: normalise(raw, &ingest.prices), part: Part::Piece };
                Ok((pieces.map(write).collect(), batch))
            })
            .await?;
        self.write(writes, admission).await?;
        self.put_scores(std::mem::take(&mut batch.scores)).await?;
        Ok(batch)
    }

    pub async fn put_scores(&self, scores: Vec<Score>) -> Result<(), Failure> {
        let count = scores.len();
        if count > 0 {
            self.store.score(scores).await?;
            Counters::add(&self.counters.scores, count);
        }
        Ok(())
    }

    /// Does the work of a body in the background if it is large.
    async fn aside<T: Send + 'static>(
        self: &Arc<Self>,
        body: Vec<u8>,
        work: impl FnOnce(&Ingest, &[u8]) -> Result<T, Refused> + Send + 'static,
    ) -> Result<T, Failure> {
        if body.len() <= LARGE {
            return Ok(work(self, &body)?);
        }
        let ingest = self.clone();
        let outcome = background::run(move || work(&ingest, &body)).await;
        match outcome {
            Ok(outcome) => Ok(outcome?),
            Err(_) => Err(Failure::Bad(
                500,
                "the body could not be read: this is a fault of FlowTrace, and its log says more".to_owned(),
            )),
        }
    }

    async fn write(&self, writes: Vec<SpanWrite>, admission: Admission) -> Result<(), Failure> {
        if writes.is_empty() {
            return Ok(());
        }
        let pieces = writes.iter().filter(|write| write.part == Part::Piece).count();
        let spans = writes.len() - pieces;
        let calls: Vec<(TraceId, SpanId)> = match self.prices.has_overrides() {
            true => writes
                .iter()
                .filter(|write| is_part_of_call(write))
                .map(|write| (write.span.trace_id, write.span.span_id))
                .collect(),
            false => Vec::new(),
        };
        self.store.write(writes, admission).await?;
        self.price(calls).await?;
        Counters::add(&self.counters.spans, spans);
        Counters::add(&self.counters.pieces, pieces);
        Ok(())
    }

    /// Applies the prices of the operator to calls that came in pieces, of which one may have named the model and another what was
    /// used. The store puts pieces together by the embedded prices alone.
    async fn price(&self, calls: Vec<(TraceId, SpanId)>) -> Result<(), SpanStoreError> {
        let mut pieces = Vec::new();
        for (trace_id, span_id) in calls {
            let Some(mut span) = self.store.span(trace_id, span_id).await? else { continue };
            let stored = span.cost_nanousd;
            span.price(&self.prices);
            if span.cost_nanousd != stored {
                let span = Span { cost_nanousd: span.cost_nanousd, ..empty(trace_id, span_id) };
                pieces.push(SpanWrite { span, part: Part::Piece });
            }
        }
        if pieces.is_empty() {
            return Ok(());
        }
        let admission = self.store.admit(pieces.len() * PIECE)?;
        self.store.write(pieces, admission).await.map(|_| ())
    }

    /// Counts why a request was not acknowledged.
    pub fn note(&self, failure: &Failure) {
        let counter = match failure {
            Failure::Later(..) => &self.counters.overloaded,
            _ => &self.counters.refused,
        };
        Counters::add(counter, 1);
    }
}

/// Bytes on the wire that a piece with nothing but a cost stands for.
const PIECE: usize = 500;

fn is_part_of_call(write: &SpanWrite) -> bool {
    let span = &write.span;
    let says = span.tokens.usage().is_some() || span.model.is_some() || span.model_requested.is_some();
    write.part == Part::Piece && span.kind.spends() && says
}

/// Nanoseconds since the Unix epoch.
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}
