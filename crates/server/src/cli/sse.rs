//! Reads server-sent events. <https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation>

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Message {
    pub id: Option<String>,
    pub event: String,
    pub data: String,
}

/// Takes bytes as they arrive and gives messages as they are complete.
#[derive(Default)]
pub struct Parser {
    buffer: Vec<u8>,
    message: Message,
    has_data: bool,
}

impl Parser {
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Message> {
        self.buffer.extend_from_slice(bytes);
        let mut messages = Vec::new();
        let mut start = 0;
        while let Some(length) = self.buffer[start..].iter().position(|byte| *byte == b'\n') {
            let end = start + length;
            let text = self.buffer[start..end].strip_suffix(b"\r").unwrap_or(&self.buffer[start..end]);
            let text = String::from_utf8_lossy(text).into_owned();
            start = end + 1;
            messages.extend(self.line(&text));
        }
        self.buffer.drain(..start);
        messages
    }

    fn line(&mut self, text: &str) -> Option<Message> {
        if text.is_empty() {
            let message = std::mem::take(&mut self.message);
            return std::mem::take(&mut self.has_data).then_some(message);
        }
        let (field, value) = text.split_once(':').unwrap_or((text, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "id" => self.message.id = Some(value.to_owned()),
            "event" => self.message.event = value.to_owned(),
            "data" => {
                if self.has_data {
                    self.message.data.push('\n');
                }
                self.has_data = true;
                self.message.data.push_str(value);
            }
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_out_however_the_bytes_are_cut() {
        let text = ": still here\n\nid: 1\nevent: trace\ndata: {\"a\":1}\n\nevent: end\r\ndata: x\r\ndata: y\r\n\r\nid: 9\n\n";
        let expected = vec![
            Message { id: Some("1".to_owned()), event: "trace".to_owned(), data: "{\"a\":1}".to_owned() },
            Message { id: None, event: "end".to_owned(), data: "x\ny".to_owned() },
        ];
        for size in 1..text.len() {
            let mut parser = Parser::default();
            let messages: Vec<_> = text.as_bytes().chunks(size).flat_map(|chunk| parser.push(chunk)).collect();
            assert_eq!(messages, expected, "in pieces of {size} bytes");
        }
    }
}
