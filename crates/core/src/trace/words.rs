//! By which words a text is found. The same cut is made of texts and of what a reader looks for.
//!
//! A word is a run of letters and digits, in lower case and without accents, in whatever form a text writes them (Unicode's NFKC). Scripts
//! that write no spaces between words (Chinese, Japanese, Thai, Lao, Khmer, Burmese) and Korean, whose words carry endings, are cut
//! into overlapping pairs of characters. An emoji is a word of its own.

use crate::span::Span;
use serde_json::Value;
use std::borrow::Cow;
use unicode_normalization::char::decompose_canonical;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

/// Which words a text has: a greater number says that texts are cut differently, and indexes of words have to be made again.
pub const CUT: i64 = 2;

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

/// Marks that people leave out when they type: accents, and the vowel signs of Hebrew and Arabic, whose readers know them.
fn is_accent(c: char) -> bool {
    matches!(c as u32,
        0x0300..=0x036F | 0x0483..=0x0487 | 0x0591..=0x05BD | 0x05BF | 0x05C1..=0x05C2 | 0x05C4..=0x05C5 | 0x05C7
        | 0x0610..=0x061A | 0x0640 | 0x064B..=0x065F | 0x0670 | 0x06D6..=0x06DC | 0x06DF..=0x06E4 | 0x06E7..=0x06E8 | 0x06EA..=0x06ED
        | 0x1AB0..=0x1AFF | 0x1DC0..=0x1DFF | 0x20D0..=0x20FF | 0xFE20..=0xFE2F)
}

/// Pictures that stand for something by themselves, and the letters of flags.
fn is_emoji(c: char) -> bool {
    matches!(c as u32, 0x231A..=0x231B | 0x23E9..=0x23FA | 0x2600..=0x27BF | 0x2B50 | 0x2B55 | 0x1F000..=0x1F3FA | 0x1F400..=0x1FAFF)
}

/// What changes how an emoji looks, and nothing else: the forms, colours of skin, and what joins several to one.
fn modifies_emoji(c: char) -> bool {
    matches!(c as u32, 0x200D | 0xFE0E | 0xFE0F | 0x1F3FB..=0x1F3FF)
}

/// The letters of a character: in lower case, without accents.
fn fold(c: char, mut letter: impl FnMut(char)) {
    // Letters with a stroke and the like, which Unicode takes for letters of their own.
    let plain = match c {
        'ß' | 'ẞ' => "ss",
        'æ' | 'Æ' => "ae",
        'œ' | 'Œ' => "oe",
        'ø' | 'Ø' => "o",
        'ł' | 'Ł' => "l",
        'đ' | 'Đ' | 'ð' | 'Ð' => "d",
        'þ' | 'Þ' => "th",
        'ħ' | 'Ħ' => "h",
        'ı' => "i",
        'ς' => "σ",
        _ => "",
    };
    if !plain.is_empty() {
        return plain.chars().for_each(letter);
    }
    decompose_canonical(c, |part| {
        if !is_accent(part) {
            part.to_lowercase().filter(|part| !is_accent(*part)).for_each(&mut letter);
        }
    });
}

/// The text in the form in which the same words are written in the same way.
fn composed(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || is_nfkc_quick(text.chars()) == IsNormalized::Yes {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.nfkc().collect())
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
    for c in composed(text).chars() {
        if c.is_ascii_alphanumeric() || (!c.is_ascii() && in_word(c) && !in_pairs(c)) {
            end_pair(&mut previous, &mut word);
            if length < WORD_CHARS {
                if c.is_ascii() {
                    current.push(c.to_ascii_lowercase());
                    length += 1;
                } else {
                    fold(c, |letter| {
                        current.push(letter);
                        length += 1;
                    });
                }
            }
            continue;
        }
        if is_accent(c) || modifies_emoji(c) {
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
            if is_emoji(c) {
                word(c.encode_utf8(&mut [0; 4]));
            }
        }
    }
    if length > 0 {
        word(&current);
    }
    end_pair(&mut previous, &mut word);
}

/// Calls `text` for each text of a span that a reader may look for: prompts, answers, arguments, results, errors and names.
pub fn texts(span: &Span, text: &mut impl FnMut(&str)) {
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

/// The texts and numbers in a value, without a recursion that a deep value could overflow. Fractions in lists are left out: they are
/// coordinates of embeddings, by the thousand.
fn leaves(value: &Value, text: &mut impl FnMut(&str)) {
    let mut stack = vec![value];
    while let Some(value) = stack.pop() {
        match value {
            Value::String(value) => text(value),
            Value::Array(items) => stack.extend(items.iter().rev().filter(|item| !item.is_f64())),
            Value::Object(map) => stack.extend(map.values().rev()),
            Value::Number(number) => text(&number.to_string()),
            Value::Null | Value::Bool(_) => {}
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
