//! By which words a text is found. The same cut is made of texts and of what a reader looks for.
//!
//! A word is a run of letters and digits, in lower case. Scripts that write no spaces between words (Chinese, Japanese, Thai,
//! Lao, Khmer, Burmese) and Korean, whose words carry endings, are cut into overlapping pairs of characters.

use crate::span::Span;
use serde_json::Value;

/// Characters of a word that are kept; more is no word that somebody looks for.
const WORD_CHARS: usize = 64;

/// Whether words of the character's script are found by pairs of characters.
fn in_pairs(c: char) -> bool {
    matches!(c as u32,
        0x0E00..=0x0EFF | 0x1000..=0x109F | 0x1780..=0x17FF | 0x1100..=0x11FF
        | 0x3040..=0x30FF | 0x3130..=0x318F | 0x31F0..=0x31FF | 0x3400..=0x4DBF | 0x4E00..=0x9FFF
        | 0xAC00..=0xD7AF | 0xF900..=0xFAFF | 0xFF66..=0xFF9F | 0x20000..=0x323AF)
}

/// Characters that belong to a word: letters, digits, and the vowel signs that some scripts write as marks.
fn in_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c as u32, 0x0300..=0x036F | 0x0900..=0x0EFF | 0x1000..=0x109F | 0x1780..=0x17FF)
}

/// Full-width Latin letters and digits as the ordinary ones.
fn narrow(c: char) -> char {
    match c as u32 {
        code @ 0xFF01..=0xFF5E => char::from_u32(code - 0xFEE0).unwrap_or(c),
        _ => c,
    }
}

/// Calls `word` for each word of `text`, in order.
pub fn each(text: &str, mut word: impl FnMut(&str)) {
    let mut current = String::new();
    let mut length = 0;
    // The last character of a run that is cut into pairs.
    let mut previous: Option<char> = None;
    fn end_pair(previous: &mut Option<char>, word: &mut impl FnMut(&str)) {
        if let Some(last) = previous.take() {
            // The last character alone, so that one character is found by what begins with it.
            word(last.encode_utf8(&mut [0; 4]));
        }
    }
    for c in text.chars() {
        let c = if c.is_ascii() { c } else { narrow(c) };
        if c.is_ascii_alphanumeric() || (!c.is_ascii() && in_word(c) && !in_pairs(c)) {
            end_pair(&mut previous, &mut word);
            if length < WORD_CHARS {
                if c.is_ascii() {
                    current.push(c.to_ascii_lowercase())
                } else {
                    current.extend(c.to_lowercase())
                }
                length += 1;
            }
            continue;
        }
        if length > 0 {
            word(&current);
            current.clear();
            length = 0;
        }
        if !c.is_ascii() && in_pairs(c) {
            if let Some(before) = previous.replace(c) {
                let mut pair = String::with_capacity(8);
                pair.push(before);
                pair.push(c);
                word(&pair);
            }
        } else {
            end_pair(&mut previous, &mut word);
        }
    }
    if length > 0 {
        word(&current);
    }
    end_pair(&mut previous, &mut word);
}

/// Calls `text` for each text of a span that a reader may look for: prompts, answers, arguments, results, errors and names.
pub fn texts<'a>(span: &'a Span, text: &mut impl FnMut(&'a str)) {
    text(&span.name);
    for value in [&span.error, &span.prompt_name].into_iter().flatten() {
        text(value);
    }
    for value in [&span.input, &span.output].into_iter().flatten() {
        leaves(value, text);
    }
    for event in &span.events {
        text(&event.name);
        event.attributes.values().for_each(|value| leaves(value, text));
    }
}

/// The texts and numbers in a value, without a recursion that a deep value could overflow.
fn leaves<'a>(value: &'a Value, text: &mut impl FnMut(&'a str)) {
    let mut stack = vec![value];
    while let Some(value) = stack.pop() {
        match value {
            Value::String(value) => text(value),
            Value::Array(items) => stack.extend(items.iter().rev()),
            Value::Object(map) => stack.extend(map.values().rev()),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

/// What a reader looks for: words and quoted phrases, all of which have to be there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextQuery {
    /// Each in the form in which it stands in the index; `true` where any word that begins so will do.
    pub words: Vec<(String, bool)>,
    /// Texts that have to occur as they are, but for case and spaces; the words of each are among `words`.
    pub phrases: Vec<Vec<String>>,
}

impl TextQuery {
    /// `refund "late delivery" invoic*`. Empty if there is no letter and no digit in it.
    pub fn parse(text: &str) -> TextQuery {
        let mut query = TextQuery::default();
        for (at, part) in text.split('"').enumerate() {
            if at % 2 == 1 {
                query.phrase(part);
            } else {
                part.split_whitespace().for_each(|word| query.word(word));
            }
        }
        query.words.sort();
        query.words.dedup();
        query
    }

    fn phrase(&mut self, text: &str) {
        let mut words = Vec::new();
        each(text, |word| words.push(word.to_owned()));
        let single = words.len() <= 1;
        self.add(&words, false);
        if !single {
            self.phrases.push(words);
        }
    }

    /// What stands without spaces belongs together: `user@example.org` is three words and a phrase.
    fn word(&mut self, text: &str) {
        let prefix = text.ends_with('*');
        let mut words = Vec::new();
        each(text, |word| words.push(word.to_owned()));
        self.add(&words, prefix);
        let pairs = words.iter().filter(|word| word.chars().count() == 2 && word.chars().all(in_pairs)).count();
        if !prefix && (words.len() > 2 || (words.len() == 2 && pairs == 0)) {
            self.phrases.push(words);
        }
    }

    fn add(&mut self, words: &[String], prefix: bool) {
        let last = words.len().saturating_sub(1);
        for (at, word) in words.iter().enumerate() {
            let single = word.chars().count() == 1 && word.chars().all(in_pairs);
            // The last character of a run stands alone in the index only where its text ended too.
            if single && at == last && at > 0 {
                continue;
            }
            self.words.push((word.clone(), single || (prefix && at == last)));
        }
    }

    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Whether every phrase occurs in one of the span's texts.
    pub fn phrases_in(&self, span: &Span, found: &mut [bool]) {
        texts(span, &mut |text| {
            if found.iter().all(|found| *found) {
                return;
            }
            let mut words: Vec<String> = Vec::new();
            each(text, |word| words.push(word.to_owned()));
            for (phrase, found) in self.phrases.iter().zip(found.iter_mut()) {
                *found |= occurs(&words, phrase);
            }
        });
    }
}

/// Whether `phrase` stands in `words`. A single character at its end is the first half of any pair.
fn occurs(words: &[String], phrase: &[String]) -> bool {
    let Some((last, before)) = phrase.split_last() else { return true };
    let single = last.chars().count() == 1 && last.chars().all(in_pairs);
    words.windows(phrase.len()).any(|window| {
        let (end, start) = window.split_last().expect("a window is as long as the phrase, which is not empty");
        start == before && (end == last || (single && end.starts_with(last.as_str())))
    })
}
