//! Requests in OTLP protobuf (`opentelemetry/proto/collector/trace/v1`), made once and sent often: ids and times of a finished body
//! are changed where they stand, so that the generator takes next to no time while the clock runs.

pub enum Attribute {
    Text(String),
    Int(i64),
    Double(f64),
}

impl From<&str> for Attribute {
    fn from(text: &str) -> Self {
        Attribute::Text(text.to_owned())
    }
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn bytes(out: &mut Vec<u8>, field: u8, value: &[u8]) {
    out.push(field << 3 | 2);
    varint(out, value.len() as u64);
    out.extend_from_slice(value);
}

fn fixed64(out: &mut Vec<u8>, field: u8, value: u64) {
    out.push(field << 3 | 1);
    out.extend_from_slice(&value.to_le_bytes());
}

fn key_value(key: &str, value: &Attribute) -> Vec<u8> {
    let mut any = Vec::new();
    match value {
        Attribute::Text(text) => bytes(&mut any, 1, text.as_bytes()),
        Attribute::Int(number) => {
            any.push(3 << 3);
            varint(&mut any, *number as u64);
        }
        Attribute::Double(number) => fixed64(&mut any, 4, number.to_bits()),
    }
    let mut out = Vec::with_capacity(any.len() + key.len() + 8);
    bytes(&mut out, 1, key.as_bytes());
    bytes(&mut out, 2, &any);
    out
}

/// A span that begins with its ids and times, so that those are found again.
pub struct SpanBytes(Vec<u8>);

const TRACE_AT: usize = 2;
const START_AT: usize = 29;
const END_AT: usize = 38;

impl SpanBytes {
    pub fn new(trace: u128, id: u64, parent: Option<u64>, name: &str, start: i64, end: i64) -> SpanBytes {
        let mut out = Vec::with_capacity(2048);
        bytes(&mut out, 1, &trace.to_be_bytes());
        bytes(&mut out, 2, &id.to_be_bytes());
        fixed64(&mut out, 7, start as u64);
        fixed64(&mut out, 8, end as u64);
        if let Some(parent) = parent {
            bytes(&mut out, 4, &parent.to_be_bytes());
        }
        bytes(&mut out, 5, name.as_bytes());
        SpanBytes(out)
    }

    pub fn attribute(&mut self, key: &str, value: &Attribute) {
        bytes(&mut self.0, 9, &key_value(key, value));
    }

    pub fn exception(&mut self, at: i64, kind: &str, message: &str, trace: &str) {
        let mut event = Vec::new();
        fixed64(&mut event, 1, at as u64);
        bytes(&mut event, 2, b"exception");
        for (key, value) in [("exception.type", kind), ("exception.message", message), ("exception.stacktrace", trace)] {
            bytes(&mut event, 3, &key_value(key, &value.into()));
        }
        bytes(&mut self.0, 11, &event);
    }

    pub fn status(&mut self, error: Option<&str>) {
        let mut status = Vec::new();
        if let Some(message) = error {
            bytes(&mut status, 2, message.as_bytes());
        }
        status.extend([3 << 3, if error.is_some() { 2 } else { 1 }]);
        bytes(&mut self.0, 15, &status);
    }
}

#[derive(Default)]
pub struct Request {
    pub spans: Vec<SpanBytes>,
}

/// A finished request.
pub struct Body {
    pub bytes: Vec<u8>,
    /// Where each span begins.
    spans: Vec<usize>,
}

impl Request {
    pub fn finish(self) -> Body {
        let mut resource = Vec::new();
        for (key, value) in
            [("service.name", "bench-svc"), ("telemetry.sdk.language", "python"), ("telemetry.sdk.version", "1.36.0")]
        {
            bytes(&mut resource, 1, &key_value(key, &value.into()));
        }
        let mut scope = Vec::new();
        bytes(&mut scope, 1, b"openinference.instrumentation.bench");
        let mut inner = Vec::new();
        bytes(&mut inner, 1, &scope);
        let mut spans = Vec::with_capacity(self.spans.len());
        for SpanBytes(span) in self.spans {
            bytes(&mut inner, 2, &span);
            spans.push(inner.len() - span.len());
        }
        let mut outer = Vec::new();
        bytes(&mut outer, 1, &resource);
        bytes(&mut outer, 2, &inner);
        let inside = outer.len() - inner.len();
        let mut whole = Vec::new();
        bytes(&mut whole, 1, &outer);
        let inside = inside + whole.len() - outer.len();
        spans.iter_mut().for_each(|at| *at += inside);
        Body { bytes: whole, spans }
    }
}

impl Body {
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    pub fn trace_id(&self, span: usize) -> u128 {
        let at = self.spans[span] + TRACE_AT;
        u128::from_be_bytes(self.bytes[at..at + 16].try_into().expect("16 bytes were asked for"))
    }

    /// Copies the body with other trace ids, and times that are `later` nanoseconds later.
    pub fn copy(&self, ids: impl Fn(u128) -> u128, later: i64, into: &mut Vec<u8>) {
        into.extend_from_slice(&self.bytes);
        let base = into.len() - self.bytes.len();
        for (span, at) in self.spans.iter().enumerate() {
            let at = base + at;
            into[at + TRACE_AT..at + TRACE_AT + 16].copy_from_slice(&ids(self.trace_id(span)).to_be_bytes());
            for time in [at + START_AT, at + END_AT] {
                let nanos = i64::from_le_bytes(into[time..time + 8].try_into().expect("8 bytes were asked for"));
                into[time..time + 8].copy_from_slice(&(nanos + later).to_le_bytes());
            }
        }
    }
}
