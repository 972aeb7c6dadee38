//! The filters and tests that templates may use. Those that make text are our own, so that what they make is counted.

use minijinja::value::{Kwargs, Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind, State, filters, tests};
use std::borrow::Cow;

/// Sorted, because messages list them.
pub const FILTERS: &[&str] = &[
    "abs",
    "bool",
    "capitalize",
    "count",
    "d",
    "default",
    "dictsort",
    "first",
    "float",
    "int",
    "items",
    "join",
    "json",
    "last",
    "length",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "select",
    "selectattr",
    "sort",
    "string",
    "sum",
    "tojson",
    "trim",
    "truncate",
    "unique",
    "upper",
];

pub const TESTS: &[&str] = &[
    "boolean",
    "defined",
    "divisibleby",
    "endingwith",
    "eq",
    "equalto",
    "even",
    "false",
    "float",
    "ge",
    "gt",
    "in",
    "int",
    "integer",
    "iterable",
    "le",
    "lower",
    "lt",
    "mapping",
    "ne",
    "none",
    "number",
    "odd",
    "sequence",
    "startingwith",
    "string",
    "true",
    "undefined",
    "upper",
];

/// Bytes that the filters of one rendering may go through: bounds its time and what a filter may make.
const WORK: usize = 256 * 1024 * 1024;
/// The longest text that one filter makes, in bytes.
const LONGEST: usize = 8 * 1024 * 1024;

struct Work(usize);

fn charge(state: &mut State, bytes: usize) -> Result<(), Error> {
    let work = state.get_or_insert_extension(Work(WORK));
    work.0 = work.0.checked_sub(bytes).filter(|_| bytes <= LONGEST).ok_or_else(|| {
        Error::new(
            ErrorKind::InvalidOperation,
            format!("its filters go through more than {} MiB of text", LONGEST / (1024 * 1024)),
        )
    })?;
    Ok(())
}

/// A value as text: strings as they are, everything else as JSON.
pub fn text_of(value: &Value) -> Result<Cow<'_, str>, Error> {
    match value.kind() {
        ValueKind::String => Ok(value.as_str().map_or_else(|| value.to_string().into(), Cow::Borrowed)),
        ValueKind::Undefined => Err(Error::new(ErrorKind::UndefinedError, "a value that it prints does not exist")),
        _ => serde_json::to_string(value)
            .map(Cow::Owned)
            .map_err(|_| Error::new(ErrorKind::BadSerialization, "a value that it prints cannot be written as JSON")),
    }
}

/// An environment with the lists above and nothing else.
pub fn environment() -> Environment<'static> {
    let mut env = Environment::empty();
    add_own_filters(&mut env);
    env.add_filter("abs", filters::abs);
    env.add_filter("bool", filters::bool);
    env.add_filter("count", filters::length);
    env.add_filter("length", filters::length);
    env.add_filter("d", filters::default);
    env.add_filter("default", filters::default);
    env.add_filter("dictsort", filters::dictsort);
    env.add_filter("first", filters::first);
    env.add_filter("last", filters::last);
    env.add_filter("float", filters::float);
    env.add_filter("int", filters::int);
    env.add_filter("items", filters::items);
    env.add_filter("list", filters::list);
    env.add_filter("map", filters::map);
    env.add_filter("max", filters::max);
    env.add_filter("min", filters::min);
    env.add_filter("reject", filters::reject);
    env.add_filter("rejectattr", filters::rejectattr);
    env.add_filter("select", filters::select);
    env.add_filter("selectattr", filters::selectattr);
    env.add_filter("reverse", filters::reverse);
    env.add_filter("round", filters::round);
    env.add_filter("sort", filters::sort);
    env.add_filter("sum", filters::sum);
    env.add_filter("unique", filters::unique);
    add_tests(&mut env);
    env
}

fn add_own_filters(env: &mut Environment<'static>) {
    env.add_filter("upper", |state: &mut State, text: Cow<'_, str>| {
        charge(state, text.len())?;
        Ok::<_, Error>(text.to_uppercase())
    });
    env.add_filter("lower", |state: &mut State, text: Cow<'_, str>| {
        charge(state, text.len())?;
        Ok::<_, Error>(text.to_lowercase())
    });
    env.add_filter("capitalize", |state: &mut State, text: Cow<'_, str>| {
        charge(state, text.len())?;
        let mut chars = text.chars();
        let first: String = chars.next().map(|first| first.to_uppercase().collect()).unwrap_or_default();
        Ok::<_, Error>(first + &chars.as_str().to_lowercase())
    });
    env.add_filter("trim", |state: &mut State, text: Cow<'_, str>| {
        charge(state, text.len())?;
        Ok::<_, Error>(text.trim().to_owned())
    });
    env.add_filter("string", |state: &mut State, value: Value| {
        let text = text_of(&value)?;
        charge(state, text.len())?;
        Ok::<_, Error>(text.into_owned())
    });
    env.add_filter("json", json);
    env.add_filter("tojson", json);
    env.add_filter("replace", replace);
    env.add_filter("join", join);
    env.add_filter("truncate", truncate);
}

/// `json(indent)`: JSON text; pretty where an indent is asked for. Unlike the engine's own filter it leaves `<` and `&` alone.
fn json(state: &mut State, value: Value, indent: Option<Value>) -> Result<String, Error> {
    let bad = |_| Error::new(ErrorKind::BadSerialization, "the value cannot be written as JSON");
    let text = match indent {
        Some(indent) if indent.is_true() => serde_json::to_string_pretty(&value).map_err(bad)?,
        _ => serde_json::to_string(&value).map_err(bad)?,
    };
    charge(state, text.len())?;
    Ok(text)
}

fn replace(state: &mut State, text: Cow<'_, str>, from: Cow<'_, str>, to: Cow<'_, str>) -> Result<String, Error> {
    charge(state, text.len())?;
    let grown = text.matches(&*from).count().saturating_mul(to.len());
    charge(state, grown)?;
    Ok(text.replace(&*from, &to))
}

/// `join(separator, attribute=…)`.
fn join(state: &mut State, items: Value, separator: Option<Cow<'_, str>>, kwargs: Kwargs) -> Result<String, Error> {
    let attribute: Option<&str> = kwargs.get("attribute")?;
    kwargs.assert_all_used()?;
    let separator = separator.unwrap_or_default();
    let mut text = String::new();
    for (at, item) in items.try_iter()?.enumerate() {
        let item = match attribute {
            Some(name) => item.get_attr(name)?,
            None => item,
        };
        let part = text_of(&item)?;
        let before = if at == 0 { "" } else { &*separator };
        charge(state, part.len() + before.len() + 1)?;
        if text.len() + part.len() + before.len() > LONGEST {
            charge(state, usize::MAX)?;
        }
        text.push_str(before);
        text.push_str(&part);
    }
    Ok(text)
}

/// `truncate(length, end)`: at most `length` characters (255 unless given), `end` (`...` unless given) included where it cuts.
fn truncate(state: &mut State, text: Cow<'_, str>, length: Option<usize>, end: Option<Cow<'_, str>>) -> Result<String, Error> {
    charge(state, text.len())?;
    let length = length.unwrap_or(255);
    if text.chars().nth(length).is_none() {
        return Ok(text.into_owned());
    }
    let end = end.as_deref().unwrap_or("...");
    let keep = length.saturating_sub(end.chars().count());
    Ok(text.chars().take(keep).chain(end.chars().take(length)).collect())
}

fn add_tests(env: &mut Environment<'static>) {
    env.add_test("boolean", tests::is_boolean);
    env.add_test("defined", tests::is_defined);
    env.add_test("undefined", tests::is_undefined);
    env.add_test("divisibleby", tests::is_divisibleby);
    env.add_test("startingwith", tests::is_startingwith);
    env.add_test("endingwith", tests::is_endingwith);
    env.add_test("eq", tests::is_eq);
    env.add_test("equalto", tests::is_eq);
    env.add_test("ne", tests::is_ne);
    env.add_test("lt", tests::is_lt);
    env.add_test("le", tests::is_le);
    env.add_test("gt", tests::is_gt);
    env.add_test("ge", tests::is_ge);
    env.add_test("in", tests::is_in);
    env.add_test("even", tests::is_even);
    env.add_test("odd", tests::is_odd);
    env.add_test("true", tests::is_true);
    env.add_test("false", tests::is_false);
    env.add_test("none", tests::is_none);
    env.add_test("number", tests::is_number);
    env.add_test("int", tests::is_integer);
    env.add_test("integer", tests::is_integer);
    env.add_test("float", tests::is_float);
    env.add_test("string", tests::is_string);
    env.add_test("sequence", tests::is_sequence);
    env.add_test("iterable", tests::is_iterable);
    env.add_test("mapping", tests::is_mapping);
    env.add_test("lower", tests::is_lower);
    env.add_test("upper", tests::is_upper);
}
