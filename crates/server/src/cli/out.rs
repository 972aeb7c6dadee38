//! Printing. Whoever reads our output may stop reading, which ends the command quietly.

use std::io::Write;

/// A line on standard output.
pub fn line(text: impl std::fmt::Display) {
    let mut out = std::io::stdout().lock();
    if writeln!(out, "{text}").and_then(|()| out.flush()).is_err() {
        std::process::exit(0);
    }
}

/// A line on standard error that is no error.
pub fn note(text: impl std::fmt::Display) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

pub fn error(sentence: &str) {
    let _ = writeln!(std::io::stderr(), "flowtrace: {sentence}");
}

/// Text from a model, a tool or an upstream must not drive the terminal: control characters become visible ones.
pub fn harmless(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' && c != '\t' { '\u{fffd}' } else { c }).collect()
}

/// `1.42 s`, `310 ms`.
pub fn duration(millis: f64) -> String {
    match millis {
        millis if millis < 1000.0 => format!("{millis:.0} ms"),
        millis if millis < 60_000.0 => format!("{:.2} s", millis / 1000.0),
        millis => format!("{} min {:02} s", (millis / 60_000.0) as u64, (millis / 1000.0) as u64 % 60),
    }
}

/// `$0.000270`; unknown parts make it a lower bound.
pub fn dollars(nanousd: u64, complete: bool) -> String {
    let at_least = if complete { "" } else { "at least " };
    let digits = format!("{:09}", nanousd % 1_000_000_000);
    // Six decimals, and more only where there is something to say.
    let decimals = digits.trim_end_matches('0').len().max(6);
    format!("{at_least}${}.{}", nanousd / 1_000_000_000, &digits[..decimals])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_for_people() {
        assert_eq!(duration(0.4), "0 ms");
        assert_eq!(duration(1420.0), "1.42 s");
        assert_eq!(duration(125_000.0), "2 min 05 s");
        assert_eq!(dollars(270_000, true), "$0.000270");
        assert_eq!(dollars(1_234_567_890, false), "at least $1.23456789");
        assert_eq!(dollars(15_900, true), "$0.0000159");
        assert_eq!(harmless("a\x1b[2Jb\n"), "a\u{fffd}[2Jb\n");
    }
}
