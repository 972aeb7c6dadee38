//! What can be done with spans before the writer has its turn: on the threads of the callers, so that the one writer only writes.

use super::block;
use super::terms::{self, Field};
use super::words::Words;
use flowtrace_core::id::{SpanId, TraceId};
use flowtrace_core::span::Span;
use flowtrace_core::trace::facts::{SpanFacts, Symbol};
use flowtrace_core::trace::merge::{merge, replaces};
use flowtrace_engine::port::span_store::{Part, SpanWrite};
use flowtrace_engine::port::store::StoreError;
use std::collections::HashMap;

/// A write with less than this many bytes leaves compressing to the writer, which puts several such writes into one block.
pub const SMALL: usize = 16 * 1024;

/// Characters of an error that a list shows.
const ERROR_CHARS: usize = 300;

/// One call of `write`, ready to be written.
#[derive(Debug, Default)]
pub struct Prepared {
    /// Texts that the facts refer to: symbol `n` is text `n - 1`.
    pub symbols: Vec<String>,
    pub traces: Vec<PreparedTrace>,
    pub blocks: Vec<Vec<u8>>,
    /// The only block, not compressed yet.
    pub small: Option<Vec<u8>>,
    /// Spans that came more than once in the call.
    pub repeated: u64,
}

#[derive(Debug)]
pub struct PreparedTrace {
    pub id: TraceId,
    pub spans: Vec<PreparedSpan>,
    /// Fields and symbols that follow from no fact.
    pub terms: Vec<(Field, Symbol)>,
    /// The words of the texts, each once, with a space after each.
    pub words: String,
}

#[derive(Debug)]
pub struct PreparedSpan {
    pub facts: SpanFacts,
    pub error: Option<String>,
    /// Index into the blocks of the call.
    pub block: usize,
    pub offset: usize,
    pub length: usize,
    /// A piece, or a whole span on top of a piece, with the span that it is.
    pub piece: Option<Box<Span>>,
}

impl Prepared {
    /// The JSON of one of its spans. Each call decompresses a block.
    pub fn json(&self, span: &PreparedSpan) -> Result<Vec<u8>, StoreError> {
        let range = span.offset..span.offset + span.length;
        if let Some(small) = &self.small {
            return Ok(small[range].to_vec());
        }
        Ok(block::decompress(&self.blocks[span.block], "a write")?[range].to_vec())
    }
}

/// Numbers for the texts of one call.
#[derive(Default)]
struct Symbols {
    ids: HashMap<String, Symbol>,
    texts: Vec<String>,
}

impl Symbols {
    fn id(&mut self, text: &str) -> Symbol {
        if let Some(id) = self.ids.get(text) {
            return *id;
        }
        self.texts.push(text.to_owned());
        let id = self.texts.len() as Symbol;
        self.ids.insert(text.to_owned(), id);
        id
    }
}

pub fn prepare(writes: Vec<SpanWrite>) -> Result<Prepared, StoreError> {
    let mut prepared = Prepared::default();
    let mut symbols = Symbols::default();
    let mut at: HashMap<TraceId, usize> = HashMap::new();
    // The spans of each trace in the order in which they came, each once.
    let mut traces: Vec<(TraceId, Vec<(Span, bool)>)> = Vec::new();
    let mut known: HashMap<(TraceId, SpanId), usize> = HashMap::with_capacity(writes.len());
    for SpanWrite { span, part } in writes {
        let trace = *at.entry(span.trace_id).or_insert_with(|| {
            traces.push((span.trace_id, Vec::new()));
            traces.len() - 1
        });
        let spans = &mut traces[trace].1;
        match known.get(&(span.trace_id, span.span_id)) {
            None => {
                known.insert((span.trace_id, span.span_id), spans.len());
                spans.push((span, part == Part::Piece));
            }
            Some(earlier) => {
                prepared.repeated += 1;
                let (stored, pieces) = &mut spans[*earlier];
                if part == Part::Whole && !*pieces {
                    if replaces((stored.started_at, stored.ended_at), (span.started_at, span.ended_at)) {
                        *stored = span;
                    }
                } else {
                    let under = std::mem::replace(stored, flowtrace_core::trace::merge::empty(span.trace_id, span.span_id));
                    *stored = merge(under, span);
                    *pieces = true;
                }
            }
        }
    }
    let mut blocks = Blocks::default();
    for (id, spans) in traces {
        let mut words = Words::default();
        let mut found = Vec::new();
        let mut rows = Vec::with_capacity(spans.len());
        for (span, pieces) in spans {
            words.add(&span);
            terms_of(&span, &mut |field, text| found.push((field, symbols.id(text))));
            let facts = SpanFacts::of(&span, |text| symbols.id(text));
            let (block, offset, length) = blocks.push(&span)?;
            let error = shown_error(&span);
            rows.push(PreparedSpan { facts, error, block, offset, length, piece: pieces.then(|| Box::new(span)) });
        }
        found.sort_unstable();
        found.dedup();
        prepared.traces.push(PreparedTrace { id, spans: rows, terms: found, words: words.text });
    }
    prepared.symbols = symbols.texts;
    blocks.finish(&mut prepared)?;
    Ok(prepared)
}

fn terms_of(span: &Span, term: &mut impl FnMut(Field, &str)) {
    for tag in &span.tags {
        term(Field::Tag, tag);
    }
    for (key, value) in &span.metadata {
        term(Field::Metadata, &terms::metadata(key, value));
    }
    if let Some(prompt) = &span.prompt_name {
        term(Field::Prompt, prompt);
    }
    if let Some(version) = &span.prompt_version {
        term(Field::PromptVersion, &terms::prompt_version("", version));
        if let Some(prompt) = span.prompt_name.as_deref().filter(|prompt| !prompt.is_empty()) {
            term(Field::PromptVersion, &terms::prompt_version(prompt, version));
        }
    }
}

/// What went wrong, in a line: the first one, or of a Python traceback the last one, which says what was raised.
pub fn shown_error(span: &Span) -> Option<String> {
    if span.status != flowtrace_core::span::SpanStatus::Error {
        return None;
    }
    let mut lines = span.error.as_deref().unwrap_or("").trim().lines();
    let first = lines.next().unwrap_or("");
    let line = match first.starts_with("Traceback (most recent call last)") {
        true => lines.next_back().unwrap_or(first),
        false => first,
    };
    Some(line.chars().take(ERROR_CHARS).collect())
}

#[derive(Default)]
struct Blocks {
    done: Vec<Vec<u8>>,
    open: Vec<u8>,
}

impl Blocks {
    /// The block, and the place of the span in it.
    fn push(&mut self, span: &Span) -> Result<(usize, usize, usize), StoreError> {
        let offset = self.open.len();
        block::append(&mut self.open, span)?;
        let place = (self.done.len(), offset, self.open.len() - offset);
        if self.open.len() >= block::SIZE {
            self.done.push(block::compress(&self.open)?);
            self.open.clear();
        }
        Ok(place)
    }

    /// Compressed blocks, or the one small block as it is.
    fn finish(mut self, prepared: &mut Prepared) -> Result<(), StoreError> {
        if self.done.is_empty() && self.open.len() < SMALL {
            prepared.small = Some(self.open);
            return Ok(());
        }
        if !self.open.is_empty() {
            self.done.push(block::compress(&self.open)?);
        }
        prepared.blocks = self.done;
        Ok(())
    }
}
