//! A connection that is kept: HTTP/1.1 by hand over a blocking socket, because a full client would take cores from the server that is
//! measured.

use std::io::{BufRead, BufReader, Error, ErrorKind, Read, Result, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

pub struct Client {
    stream: BufReader<TcpStream>,
    address: SocketAddr,
}

pub struct Answer {
    pub status: u16,
    pub retry_after: Option<Duration>,
    pub body: Vec<u8>,
}

impl Client {
    pub fn connect(address: SocketAddr) -> Result<Client> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        stream.set_write_timeout(Some(Duration::from_secs(60)))?;
        Ok(Client { stream: BufReader::new(stream), address })
    }

    pub fn head(&self, method: &str, path: &str, content_type: &str, length: usize) -> Vec<u8> {
        format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n",
            self.address
        )
        .into_bytes()
    }

    /// Sends a head with its body, and reads the answer.
    pub fn send(&mut self, request: &[u8]) -> Result<Answer> {
        self.stream.get_mut().write_all(request)?;
        let mut line = String::new();
        let mut next = |stream: &mut BufReader<TcpStream>| -> Result<String> {
            line.clear();
            stream.read_line(&mut line)?;
            Ok(line.trim_end().to_owned())
        };
        let wrong = |what: &str| Error::new(ErrorKind::InvalidData, what.to_owned());
        let first = next(&mut self.stream)?;
        let status = first.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(|| wrong("no HTTP answer"))?;
        let (mut length, mut retry_after) = (0, None);
        loop {
            let header = next(&mut self.stream)?;
            if header.is_empty() {
                break;
            }
            let (name, value) = header.split_once(':').ok_or_else(|| wrong("a header without a colon"))?;
            let number = value.trim().parse().ok();
            if name.eq_ignore_ascii_case("content-length") {
                length = number.ok_or_else(|| wrong("a content length that is no number"))?;
            } else if name.eq_ignore_ascii_case("retry-after") {
                retry_after = number.map(|seconds| Duration::from_secs(seconds as u64));
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                return Err(wrong("an answer in chunks"));
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        Ok(Answer { status, retry_after, body })
    }

    fn body(&mut self, method: &str, path: &str, body: &str) -> std::result::Result<Vec<u8>, String> {
        let mut request = self.head(method, path, "application/json", body.len());
        request.extend_from_slice(body.as_bytes());
        let answer = self.send(&request).map_err(|error| format!("{method} {path}: {error}"))?;
        if !(200..300).contains(&answer.status) {
            return Err(format!("{method} {path} answered {}: {}", answer.status, String::from_utf8_lossy(&answer.body)));
        }
        Ok(answer.body)
    }

    pub fn json(&mut self, method: &str, path: &str, body: &str) -> std::result::Result<serde_json::Value, String> {
        let answer = self.body(method, path, body)?;
        serde_json::from_slice(&answer).map_err(|error| format!("{method} {path}: {error}"))
    }

    pub fn text(&mut self, path: &str) -> std::result::Result<String, String> {
        String::from_utf8(self.body("GET", path, "")?).map_err(|error| format!("GET {path}: {error}"))
    }

    pub fn get(&mut self, path: &str) -> std::result::Result<serde_json::Value, String> {
        self.json("GET", path, "")
    }
}
