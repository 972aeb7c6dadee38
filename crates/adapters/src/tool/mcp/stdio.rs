//! A server that is a program: messages are lines on its standard input and output.

use crate::child::{Running, Tail, ending};
use flowtrace_core::failure::{Failure, FailureCode};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::process::{ChildStdin, ChildStdout};

/// How long a program that closed its output may take to end, for the message to say how it ended.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// What is kept of a program while it serves.
pub struct Pipes {
    running: Option<Running>,
    tail: Tail,
    oversized: Arc<AtomicBool>,
    max_bytes: usize,
}

/// The streams of a program that was just started.
pub fn pipes(name: &str, running: &mut Running, max_bytes: usize) -> Result<(Pipes, Limited, ChildStdin), Failure> {
    let streams = (running.child.stdin.take(), running.child.stdout.take(), running.child.stderr.take());
    let (Some(stdin), Some(stdout), Some(stderr)) = streams else {
        let message = format!("The MCP server `{name}` was started without its pipes; please report it.");
        return Err(Failure::new(FailureCode::Internal, message));
    };
    let tail = Tail::default();
    let follow = tail.clone();
    // Ends when the program, and whoever has its standard error, has ended.
    tokio::spawn(async move { follow.follow(stderr).await });
    let oversized = Arc::new(AtomicBool::new(false));
    let limited = Limited { stdout, line: 0, max_bytes, oversized: oversized.clone() };
    Ok((Pipes { running: None, tail, oversized, max_bytes }, limited, stdin))
}

impl Pipes {
    pub fn holding(mut self, running: Running) -> Self {
        self.running = Some(running);
        self
    }

    pub fn kill(&mut self) {
        if let Some(running) = &mut self.running {
            running.kill();
        }
    }

    pub async fn start_failure(mut self, name: &str, why: &str) -> Failure {
        let end = match &mut self.running {
            Some(running) => tokio::time::timeout(LAST_WORDS, running.child.wait()).await.ok().and_then(Result::ok),
            None => None,
        };
        let why = match end {
            _ if self.oversized.load(Ordering::Relaxed) => return self.too_large(name),
            Some(status) => format!("it ended {} before the handshake was done", ending(status)),
            None => why.to_owned(),
        };
        // Its last words may still be on their way.
        tokio::time::sleep(Duration::from_millis(20)).await;
        let message = format!("The MCP server `{name}` could not be started: {why}.{}", self.tail.sentence());
        Failure::new(FailureCode::Connection, message)
    }

    /// Why the program does not serve any more.
    pub fn ended(&mut self, name: &str) -> Failure {
        if self.oversized.load(Ordering::Relaxed) {
            return self.too_large(name);
        }
        let status = self.running.as_mut().and_then(|running| running.child.try_wait().ok().flatten());
        let how = status.map_or_else(|| "closed its output".to_owned(), |status| format!("ended {}", ending(status)));
        let message = format!("The MCP server `{name}` {how} and will be started again.{}", self.tail.sentence());
        Failure::new(FailureCode::Connection, message)
    }

    fn too_large(&self, name: &str) -> Failure {
        let message = format!(
            "The MCP server `{name}` sent a message of more than {} bytes and was ended. Its operator can raise `max_output_bytes`.",
            self.max_bytes
        );
        Failure::new(FailureCode::TooLarge, message)
    }
}

/// Standard output, which ends with an error at a line that is too long.
pub struct Limited {
    stdout: ChildStdout,
    /// Bytes of the line so far.
    line: usize,
    max_bytes: usize,
    oversized: Arc<AtomicBool>,
}

impl AsyncRead for Limited {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stdout).poll_read(context, buffer);
        if let Poll::Ready(Ok(())) = &polled {
            for piece in buffer.filled()[before..].split_inclusive(|byte| *byte == b'\n') {
                self.line += piece.len();
                if self.line > self.max_bytes {
                    self.oversized.store(true, Ordering::Relaxed);
                    return Poll::Ready(Err(io::Error::other("a message is too long")));
                }
                if piece.ends_with(b"\n") {
                    self.line = 0;
                }
            }
        }
        polled
    }
}
