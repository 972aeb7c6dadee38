//! Takes secrets out of whatever comes back. A [`Redactor`] knows some secrets; [`Known`] is the one that holds all secrets of this
//! server and changes with them.

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use flowtrace_core::failure::{Failure, FailureCode};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock};

/// So much of the beginning of a secret is searched for; the rest is compared where that is found. It keeps the search small however
/// long the secrets are.
const SEARCHED: usize = 64;

/// A secret shorter than this many bytes is taken out of what its own call brings back, and of nothing else: it would be found in
/// texts that have nothing to do with it.
pub const TELLING: usize = 8;

/// Replaces secrets by `[secret:name]`. Besides the value itself it knows how it looks inside JSON, percent-encoded and in
/// base64; a part of a secret, or one that was encoded otherwise, is not recognised.
#[derive(Clone, Default)]
pub struct Redactor {
    /// `None` where there is no secret.
    patterns: Option<Arc<Patterns>>,
}

struct Patterns {
    /// The beginnings.
    search: AhoCorasick,
    /// Every form with what stands for it, the longest first.
    forms: Vec<(Vec<u8>, String)>,
}

impl Redactor {
    /// Of names and values.
    pub fn new(secrets: &[(String, String)]) -> Result<Self, Failure> {
        let mut forms = Vec::new();
        for (name, value) in secrets {
            let label = format!("[secret:{name}]");
            forms.extend(Self::forms(value).into_iter().map(|form| (form.into_bytes(), label.clone())));
        }
        if forms.is_empty() {
            return Ok(Redactor::default());
        }
        forms.sort_by_key(|(form, _)| std::cmp::Reverse(form.len()));
        let beginnings: BTreeSet<&[u8]> = forms.iter().map(|(form, _)| &form[..form.len().min(SEARCHED)]).collect();
        let search = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(beginnings);
        // The only cause is a set of patterns of several gigabytes.
        let search = search.map_err(|_| Failure::new(FailureCode::Tool, "There are too many secrets to look for."))?;
        Ok(Redactor { patterns: Some(Arc::new(Patterns { search, forms })) })
    }

    fn forms(value: &str) -> BTreeSet<String> {
        let json = Value::String(value.to_owned()).to_string();
        let percent = utf8_percent_encode(value, NON_ALPHANUMERIC).to_string();
        let form: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
        // The way the `url` crate writes it into a path and into a query.
        let mut url = url::Url::parse("http://host").ok();
        let in_url = url.as_mut().map(|url| {
            url.set_query(Some(value));
            url.set_path(value);
            [url.path().trim_start_matches('/').to_owned(), url.query().unwrap_or_default().to_owned()]
        });
        let mut forms =
            BTreeSet::from([value.to_owned(), json[1..json.len() - 1].to_owned(), percent.to_lowercase(), percent, form]);
        forms.extend([STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD].map(|engine| engine.encode(value)));
        forms.extend(in_url.into_iter().flatten());
        forms.remove("");
        forms
    }

    /// Whether there is nothing to take out.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_none()
    }

    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match self.patterns.as_ref().and_then(|patterns| patterns.replace(text.as_bytes())) {
            // A form is valid text, so what stands before and after one is too.
            Some(clean) => Cow::Owned(String::from_utf8_lossy(&clean).into_owned()),
            None => Cow::Borrowed(text),
        }
    }

    pub fn bytes(&self, bytes: Vec<u8>) -> Vec<u8> {
        self.patterns.as_ref().and_then(|patterns| patterns.replace(&bytes)).unwrap_or(bytes)
    }

    /// In the strings, keys and numbers of a value.
    pub fn value(&self, value: Value) -> Value {
        if self.is_empty() {
            return value;
        }
        match value {
            Value::String(text) => match self.text(&text) {
                Cow::Owned(clean) => Value::String(clean),
                Cow::Borrowed(_) => Value::String(text),
            },
            Value::Number(number) => match self.text(&number.to_string()) {
                Cow::Owned(clean) => Value::String(clean),
                Cow::Borrowed(_) => Value::Number(number),
            },
            Value::Array(items) => items.into_iter().map(|item| self.value(item)).collect(),
            Value::Object(map) => map.into_iter().map(|(key, item)| (self.text(&key).into_owned(), self.value(item))).collect(),
            other => other,
        }
    }

    pub fn failure(&self, mut failure: Failure) -> Failure {
        failure.message = self.text(&failure.message).into_owned();
        failure.upstream_request_id = failure.upstream_request_id.map(|id| self.text(&id).into_owned());
        failure
    }

    /// How many bytes at the end of a text may be the beginning of a secret.
    fn held_back(&self, text: &str) -> usize {
        let Some(patterns) = &self.patterns else { return 0 };
        let bytes = text.as_bytes();
        let begins = |rest: &[u8]| patterns.forms.iter().any(|(form, _)| form.len() > rest.len() && form.starts_with(rest));
        (0..bytes.len()).find(|at| begins(&bytes[*at..])).map_or(0, |at| bytes.len() - at)
    }
}

impl Patterns {
    /// `None` where there is nothing to take out.
    fn replace(&self, text: &[u8]) -> Option<Vec<u8>> {
        let mut clean: Option<Vec<u8>> = None;
        // Up to where it is copied, and from where it is searched.
        let (mut done, mut from) = (0, 0);
        while let Some(found) = text.get(from..).and_then(|rest| self.search.find(rest)) {
            let at = from + found.start();
            match self.forms.iter().find(|(form, _)| text[at..].starts_with(form)) {
                Some((form, label)) => {
                    let clean = clean.get_or_insert_default();
                    clean.extend_from_slice(&text[done..at]);
                    clean.extend_from_slice(label.as_bytes());
                    done = at + form.len();
                    from = done;
                }
                // Only the beginning of one.
                None => from = at + 1,
            }
        }
        let mut clean = clean?;
        clean.extend_from_slice(&text[done..]);
        Some(clean)
    }
}

/// Every secret that this server knows, as they are now. Cheap to clone; all clones see a change.
#[derive(Clone, Default)]
pub struct Known(Arc<RwLock<Redactor>>);

impl Known {
    pub fn redactor(&self) -> Redactor {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From now on these are looked for, those that are too short left out.
    pub fn replace(&self, secrets: &[(String, String)]) -> Result<(), Failure> {
        let telling: Vec<_> = secrets.iter().filter(|(_, value)| value.len() >= TELLING).cloned().collect();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Redactor::new(&telling)?;
        Ok(())
    }
}

/// A text that comes in pieces. What may be the beginning of a secret is kept until the next piece tells.
#[derive(Default)]
pub struct Stream {
    held: String,
}

impl Stream {
    /// What can be shown now.
    pub fn push(&mut self, redactor: &Redactor, piece: &str) -> String {
        self.held.push_str(piece);
        let mut clean = redactor.text(&self.held).into_owned();
        let ready = clean.len() - redactor.held_back(&clean);
        self.held = clean.split_off(ready);
        clean
    }

    /// What is left at the end.
    pub fn rest(&mut self, redactor: &Redactor) -> String {
        redactor.text(&std::mem::take(&mut self.held)).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redactor(secrets: &[(&str, &str)]) -> Redactor {
        let secrets: Vec<_> = secrets.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Redactor::new(&secrets).unwrap()
    }

    #[test]
    fn a_long_secret_is_compared_to_its_end() {
        let long = format!("{}tail-1", "x".repeat(SEARCHED));
        let other = format!("{}tail-2 and more", "x".repeat(SEARCHED));
        let redactor = redactor(&[("a", &long), ("b", &other)]);
        let text = format!("<{long}> <{other}> <{}tail-3>", "x".repeat(SEARCHED));
        assert_eq!(redactor.text(&text), format!("<[secret:a]> <[secret:b]> <{}tail-3>", "x".repeat(SEARCHED)));
        // A beginning that overlaps the real one.
        assert_eq!(redactor.text(&format!("xxx{long}")), "xxx[secret:a]");
    }

    #[test]
    fn a_secret_in_pieces_is_still_taken_out() {
        let secret = "sé-cret-0123456789";
        let redactor = redactor(&[("a", secret)]);
        let text = format!("before {secret} sé-cret-01 after{secret}sé");
        let expected = "before [secret:a] sé-cret-01 after[secret:a]sé";
        for size in [1, 2, 3, 7, 100] {
            let (mut stream, mut shown) = (Stream::default(), String::new());
            let characters: Vec<char> = text.chars().collect();
            for piece in characters.chunks(size) {
                let ready = stream.push(&redactor, &piece.iter().collect::<String>());
                assert!(!ready.contains("0123456789"), "pieces of {size}: {ready}");
                shown.push_str(&ready);
            }
            shown.push_str(&stream.rest(&redactor));
            assert_eq!(shown, expected, "pieces of {size}");
        }
    }

    #[test]
    fn short_secrets_are_not_looked_for_everywhere() {
        let known = Known::default();
        let clone = known.clone();
        known.replace(&[("pin".to_owned(), "1234".to_owned()), ("key".to_owned(), "12345678".to_owned())]).unwrap();
        assert_eq!(clone.redactor().text("1234 12345678"), "1234 [secret:key]");
    }
}
