//! An incremental parser of server-sent events, after the "Interpreting an event stream" section of the HTML standard:
//! <https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation>.
//!
//! Bytes go in as the network cut them, whole events come out. Lines are found on bytes, so a character that is split over two
//! reads is never decoded in halves. `id` and `retry` fields are ignored: no model provider resumes a stream.

/// One event. A field that the event did not have is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SseEvent {
    pub event: String,
    pub data: String,
}

/// The event, or a line of it, is longer than the parser's limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventTooLarge;

#[derive(Debug)]
pub struct SseParser {
    /// The bytes of the line that has not ended yet.
    line: Vec<u8>,
    event: SseEvent,
    has_data: bool,
    /// The last byte was a carriage return, so a line feed that follows belongs to the same line end.
    after_cr: bool,
    /// A byte order mark may stand before the first line.
    at_start: bool,
    limit: usize,
}

impl SseParser {
    /// `limit` is the longest event, in bytes.
    pub fn new(limit: usize) -> Self {
        SseParser { line: Vec::new(), event: SseEvent::default(), has_data: false, after_cr: false, at_start: true, limit }
    }

    /// Takes the next bytes and hands every event that they complete to `sink`, until `sink` says stop.
    pub fn push<E>(&mut self, mut bytes: &[u8], sink: &mut impl FnMut(SseEvent) -> Result<(), E>) -> Result<(), E>
    where
        E: From<EventTooLarge>,
    {
        while !bytes.is_empty() {
            if self.after_cr {
                self.after_cr = false;
                if bytes[0] == b'\n' {
                    bytes = &bytes[1..];
                    continue;
                }
            }
            let Some(end) = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r')) else {
                self.extend(bytes)?;
                return Ok(());
            };
            self.extend(&bytes[..end])?;
            self.after_cr = bytes[end] == b'\r';
            bytes = &bytes[end + 1..];
            if let Some(event) = self.end_line() {
                sink(event)?;
            }
        }
        Ok(())
    }

    fn extend(&mut self, bytes: &[u8]) -> Result<(), EventTooLarge> {
        if self.line.len() + self.event.data.len() + bytes.len() > self.limit {
            return Err(EventTooLarge);
        }
        self.line.extend_from_slice(bytes);
        Ok(())
    }

    fn end_line(&mut self) -> Option<SseEvent> {
        let line = std::mem::take(&mut self.line);
        let mut line = line.as_slice();
        if std::mem::take(&mut self.at_start) {
            line = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line);
        }
        if line.is_empty() {
            let event = std::mem::take(&mut self.event);
            // An event without data is not dispatched.
            return std::mem::take(&mut self.has_data).then_some(event);
        }
        let (name, value) = match line.iter().position(|byte| *byte == b':') {
            Some(colon) => (&line[..colon], line[colon + 1..].strip_prefix(b" ").unwrap_or(&line[colon + 1..])),
            None => (line, &[][..]),
        };
        match name {
            b"data" => {
                if std::mem::replace(&mut self.has_data, true) {
                    self.event.data.push('\n');
                }
                self.event.data.push_str(&String::from_utf8_lossy(value));
            }
            b"event" => self.event.event = String::from_utf8_lossy(value).into_owned(),
            _ => {} // comments (an empty name), id, retry and whatever comes later
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(chunks: &[&[u8]], limit: usize) -> Result<Vec<(String, String)>, EventTooLarge> {
        let mut parser = SseParser::new(limit);
        let mut events = Vec::new();
        for chunk in chunks {
            parser.push::<EventTooLarge>(chunk, &mut |event| {
                events.push((event.event, event.data));
                Ok(())
            })?;
        }
        Ok(events)
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|(event, data)| (event.to_string(), data.to_string())).collect()
    }

    #[test]
    fn the_rules_of_the_standard() {
        let table: [(&str, &[(&str, &str)]); 12] = [
            ("data: a\n\n", &[("", "a")]),
            ("data:a\n\n", &[("", "a")]),
            ("data:  a\n\n", &[("", " a")]),
            ("data: a\r\n\r\n", &[("", "a")]),
            ("data: a\r\rdata: b\n\n", &[("", "a"), ("", "b")]),
            ("event: x\ndata: a\ndata: b\n\n", &[("x", "a\nb")]),
            (": comment\n\ndata: a\n\n", &[("", "a")]),
            ("event: x\n\ndata: a\n\n", &[("", "a")]),
            ("data\n\n", &[("", "")]),
            ("id: 1\nretry: 5\nunknown: z\ndata: a\n\n", &[("", "a")]),
            ("\u{FEFF}data: a\n\n", &[("", "a")]),
            ("data: not ended\n", &[]),
        ];
        for (text, expected) in table {
            assert_eq!(parse(&[text.as_bytes()], 1000), Ok(pairs(expected)), "{text:?}");
        }
    }

    #[test]
    fn cuts_anywhere_change_nothing() {
        let text = "event: é\r\ndata: 漢字 🦀\r\ndata: more\r\n\r\n: ping\n\ndata: last\r\r".as_bytes();
        let expected = pairs(&[("é", "漢字 🦀\nmore"), ("", "last")]);
        assert_eq!(parse(&[text], 1000), Ok(expected.clone()));
        for cut in 0..=text.len() {
            assert_eq!(parse(&[&text[..cut], &text[cut..]], 1000), Ok(expected.clone()), "cut at byte {cut}");
        }
        let bytes: Vec<&[u8]> = text.chunks(1).collect();
        assert_eq!(parse(&bytes, 1000), Ok(expected));
    }

    #[test]
    fn a_line_or_event_over_the_limit_is_refused_before_it_is_kept() {
        let long = "data: ".to_owned() + &"x".repeat(100) + "\n\n";
        assert_eq!(parse(&[long.as_bytes()], 106).map(|events| events.len()), Ok(1));
        assert_eq!(parse(&[long.as_bytes()], 105), Err(EventTooLarge));
        let many_lines = "data: 12345678\n".repeat(20);
        assert_eq!(parse(&[many_lines.as_bytes()], 100), Err(EventTooLarge));
        assert_eq!(parse(&[b"no line end at all ".repeat(10).as_slice()], 100), Err(EventTooLarge));
    }

    #[test]
    fn invalid_utf8_becomes_the_replacement_character() {
        assert_eq!(parse(&[b"data: a\xFFb\n\n"], 100), Ok(pairs(&[("", "a\u{FFFD}b")])));
    }
}
