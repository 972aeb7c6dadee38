//! `csv`: reads a table from text, selects and filters, and sums up by groups.

mod aggregate;
#[cfg(test)]
mod tests;

use super::{config, kind, present, refuse, work};
use ::csv::{ErrorKind, Reader, ReaderBuilder, StringRecord};
use aggregate::{Aggregate, Groups};
use flowtrace_core::call::ToolCall;
use flowtrace_core::failure::{Failure, FailureCode};
use flowtrace_core::tool::Effect;
use flowtrace_engine::port::BoxFuture;
use flowtrace_engine::port::provider::CallContext;
use flowtrace_engine::port::tool::Tool;
use serde::Deserialize;
use serde_json::{Map, Value, json};

const MAX_TEXT_BYTES: usize = 50_000_000;
const DEFAULT_MAX_ROWS: u64 = 10_000;
const HIGHEST_MAX_ROWS: u64 = 100_000;
const MAX_CELLS: usize = 1_000_000;
const MAX_COLUMNS: usize = 2_000;

/// Whole numbers up to 2^53 survive every JSON reader; longer ones, usually identifiers, stay text.
const EXACT: f64 = 9_007_199_254_740_992.0;

pub struct Csv;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Config {
    #[serde(default, deserialize_with = "present")]
    text: Option<Value>,
    delimiter: Option<String>,
    #[serde(default = "yes")]
    header: bool,
    #[serde(default = "yes")]
    numbers: bool,
    select: Option<Vec<String>>,
    #[serde(default, rename = "where")]
    filter: Map<String, Value>,
    group_by: Option<Vec<String>>,
    aggregate: Option<Vec<Aggregate>>,
    #[serde(default = "yes")]
    rows: bool,
    #[serde(default = "default_max_rows")]
    max_rows: u64,
}

fn yes() -> bool {
    true
}

fn default_max_rows() -> u64 {
    DEFAULT_MAX_ROWS
}

impl Tool for Csv {
    fn name(&self) -> &str {
        "csv"
    }

    fn description(&self) -> &str {
        "Reads a table from CSV text, selects columns, filters rows, and counts or sums up by groups."
    }

    fn config_schema(&self) -> Value {
        let names = json!({"type": "string"});
        json!({
            "type": "object",
            "properties": {
                "text": {"type": "string", "description": "The CSV text, usually a binding. Without it, the input `text` is used."},
                "delimiter": {"type": "string", "default": ",", "description": "The character between fields, or the word tab."},
                "header": {"type": "boolean", "default": true, "description": "Whether the first row names the columns; otherwise they are column1, column2 and so on."},
                "numbers": {"type": "boolean", "default": true, "description": "Return a column as numbers where every cell of it is a plain number or empty. An empty cell is then null."},
                "select": {"type": "array", "items": names, "description": "The columns to return, in this order. Without it, all."},
                "where": {
                    "type": "object", "additionalProperties": {"type": ["string", "number", "boolean"]},
                    "description": "Keep the rows whose cells equal these values, by column name."
                },
                "groupBy": {"type": "array", "items": names, "description": "Sum up by these columns. Without `aggregate`, rows are counted."},
                "aggregate": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {
                            "op": {"enum": ["count", "sum", "mean", "min", "max"]},
                            "column": {"type": "string"},
                            "as": {"type": "string"}
                        },
                        "required": ["op"],
                        "additionalProperties": false
                    },
                    "description": "What to compute per group, or over all rows without `groupBy`. The name of a result is `as`, or else like sum_amount."
                },
                "rows": {"type": "boolean", "default": true, "description": "Whether to return the rows themselves."},
                "maxRows": {
                    "type": "integer", "minimum": 1, "maximum": HIGHEST_MAX_ROWS, "default": DEFAULT_MAX_ROWS,
                    "description": "The most rows to return; more are an error, never cut off."
                }
            },
            "required": [],
            "additionalProperties": false
        })
    }

    fn input_schema(&self) -> Value {
        json!({
            "type": "object",
            "properties": {"text": {"type": "string", "description": "The CSV text, where the config has none."}}
        })
    }

    fn output_schema(&self) -> Value {
        let rows = json!({"type": "array", "items": {"type": "object"}});
        json!({
            "type": "object",
            "properties": {
                "columns": {"type": "array", "items": {"type": "string"}},
                "rowCount": {"type": "integer"},
                "rows": rows,
                "groups": rows
            },
            "required": ["columns", "rowCount"]
        })
    }

    fn effect(&self, _config: &Value) -> Effect {
        Effect::ReadOnly
    }

    fn is_remote(&self) -> bool {
        false
    }

    fn call<'a>(&'a self, call: &'a ToolCall, _context: &'a CallContext) -> BoxFuture<'a, Result<Value, Failure>> {
        Box::pin(async {
            let mut config: Config = config("csv", call.config.clone())?;
            let text = match config.text.take().or_else(|| call.inputs.get("text").cloned()) {
                Some(Value::String(text)) => text,
                Some(other) => return Err(refuse(format!("The csv tool reads a text, and got {}.", kind(&other)))),
                None => return Err(refuse("The csv tool has no text: give `config.text` or an input named `text`.")),
            };
            work(text.len(), move || run(&config, &text)).await
        })
    }
}

/// The table is read twice: first to learn which columns are numbers, then to compute. Only what is returned is kept.
fn run(config: &Config, text: &str) -> Result<Value, Failure> {
    if text.len() > MAX_TEXT_BYTES {
        let message = format!("The CSV text has {} bytes; the csv tool reads at most {MAX_TEXT_BYTES}.", text.len());
        return Err(Failure::new(FailureCode::TooLarge, message));
    }
    if !(1..=HIGHEST_MAX_ROWS).contains(&config.max_rows) {
        return Err(refuse(format!(
            "`maxRows` of the csv tool is {}; it must be from 1 to {HIGHEST_MAX_ROWS}.",
            config.max_rows
        )));
    }
    let mut table = Table::open(config, text)?;
    let numeric = if config.numbers { table.numeric_columns()? } else { vec![false; table.columns.len()] };
    let selected: Vec<usize> = match &config.select {
        Some(names) => names.iter().map(|name| table.column(name, "select")).collect::<Result<_, _>>()?,
        None => (0..table.columns.len()).collect(),
    };
    let filter: Vec<(usize, &Value)> =
        config.filter.iter().map(|(name, value)| Ok((table.column(name, "where")?, value))).collect::<Result<_, Failure>>()?;
    let mut groups = Groups::new(&table, config.group_by.as_deref(), config.aggregate.as_deref())?;

    let mut rows = Vec::new();
    let mut count = 0usize;
    let columns = table.columns.clone();
    table.rewind()?;
    while let Some(row) = table.next_row()? {
        if !filter.iter().all(|(column, wanted)| equals(row.get(*column), wanted)) {
            continue;
        }
        count += 1;
        if config.rows {
            if count as u64 > config.max_rows || count.saturating_mul(selected.len()) > MAX_CELLS {
                let message = format!(
                    "More than {} rows are left to return. Raise `maxRows` (up to {HIGHEST_MAX_ROWS} rows and {MAX_CELLS} cells), \
                     narrow them with `where` and `select`, or set `rows` to false and use `aggregate`.",
                    count - 1
                );
                return Err(Failure::new(FailureCode::TooLarge, message));
            }
            rows.push(selected.iter().map(|&i| (columns[i].clone(), cell(row.get(i), numeric[i]))).collect::<Map<_, _>>());
        }
        if let Some(groups) = &mut groups {
            groups.add(&columns, &row)?;
        }
    }
    let mut output = Map::new();
    output.insert("columns".into(), selected.iter().map(|&column| columns[column].clone()).collect());
    output.insert("rowCount".into(), json!(count));
    if config.rows {
        output.insert("rows".into(), rows.into_iter().map(Value::Object).collect());
    }
    if let Some(groups) = groups {
        output.insert("groups".into(), groups.finish(&columns, &numeric)?);
    }
    Ok(Value::Object(output))
}

struct Table<'a> {
    reader: Reader<&'a [u8]>,
    text: &'a str,
    delimiter: u8,
    header: bool,
    columns: Vec<String>,
    record: StringRecord,
    row: u64,
}

/// A row of data with its place, for messages.
struct Row<'a> {
    cells: &'a StringRecord,
    number: u64,
    line: u64,
}

impl Row<'_> {
    fn get(&self, column: usize) -> &str {
        self.cells.get(column).unwrap_or_default()
    }
}

impl<'a> Table<'a> {
    fn open(config: &Config, text: &'a str) -> Result<Self, Failure> {
        let delimiter = match config.delimiter.as_deref() {
            None => b',',
            Some("tab") => b'\t',
            Some(text) => match text.as_bytes() {
                [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\r' | b'\n') => *byte,
                _ => {
                    return Err(refuse(format!(
                        "`delimiter` of the csv tool is {text:?}; it must be one ASCII character or the word tab."
                    )));
                }
            },
        };
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let reader = reader(text, delimiter);
        let mut table =
            Table { reader, text, delimiter, header: config.header, columns: Vec::new(), record: StringRecord::new(), row: 0 };
        if !table.read_record()? {
            return Err(refuse("The CSV text is empty; the csv tool needs at least one row."));
        }
        for (index, name) in table.record.iter().enumerate() {
            let name = if config.header { name.trim() } else { "" };
            let name = if name.is_empty() { format!("column{}", index + 1) } else { name.to_owned() };
            if table.columns.contains(&name) {
                return Err(refuse(format!("Two columns of the CSV text are named `{name}`; give each its own name.")));
            }
            table.columns.push(name);
            if index >= MAX_COLUMNS {
                let message = format!("The CSV text has more than {MAX_COLUMNS} columns; is the delimiter right?");
                return Err(Failure::new(FailureCode::TooLarge, message));
            }
        }
        table.rewind()?;
        Ok(table)
    }

    /// Back to the first row of data.
    fn rewind(&mut self) -> Result<(), Failure> {
        self.reader = reader(self.text, self.delimiter);
        self.row = 0;
        if self.header {
            self.read_record()?;
        }
        Ok(())
    }

    fn next_row(&mut self) -> Result<Option<Row<'_>>, Failure> {
        self.row += 1;
        if !self.read_record()? {
            return Ok(None);
        }
        let line = self.record.position().map_or(0, |position| position.line());
        Ok(Some(Row { cells: &self.record, number: self.row, line }))
    }

    fn read_record(&mut self) -> Result<bool, Failure> {
        self.reader.read_record(&mut self.record).map_err(|error| match error.kind() {
            ErrorKind::UnequalLengths { pos, expected_len, len } => {
                let line = pos.as_ref().map_or(0, |position| position.line());
                refuse(format!(
                    "Row {} of the CSV text (line {line}) has {len} fields, but the first row has {expected_len}. \
                     Put fields that contain the delimiter into double quotes.",
                    self.row
                ))
            }
            _ => refuse(format!("Row {} of the CSV text cannot be read: {error}.", self.row)),
        })
    }

    fn column(&self, name: &str, field: &str) -> Result<usize, Failure> {
        self.columns.iter().position(|column| column == name).ok_or_else(|| {
            let known: Vec<&str> = self.columns.iter().take(30).map(String::as_str).collect();
            refuse(format!(
                "`{field}` of the csv tool names the column `{name}`, which is not in the CSV text. Its columns: {}.",
                known.join(", ")
            ))
        })
    }

    /// A column is numeric if it has a number and nothing but numbers and empty cells.
    fn numeric_columns(&mut self) -> Result<Vec<bool>, Failure> {
        let mut all = vec![true; self.columns.len()];
        let mut any = vec![false; self.columns.len()];
        while let Some(row) = self.next_row()? {
            for (column, cell) in row.cells.iter().enumerate() {
                if all[column] && !cell.trim().is_empty() {
                    any[column] = true;
                    all[column] = number(cell).is_some();
                }
            }
        }
        Ok(all.iter().zip(any).map(|(all, any)| *all && any).collect())
    }
}

fn reader(text: &str, delimiter: u8) -> Reader<&[u8]> {
    // The first row is read like any other, so that a row with another number of fields is noticed.
    ReaderBuilder::new().has_headers(false).delimiter(delimiter).from_reader(text.as_bytes())
}

/// A plain decimal number: `-1`, `0.50`, `1e6`. Not `007`, `+1`, `1,000`, `NaN`, nor a whole number too long to be exact:
/// turning those into numbers would lose what they say.
fn number(cell: &str) -> Option<f64> {
    let cell = cell.trim();
    let digits = cell.strip_prefix('-').unwrap_or(cell);
    let plain = digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.ends_with(|c: char| c.is_ascii_digit())
        && digits.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'-' | b'+'))
        && !(digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0."));
    let value: f64 = if plain { cell.parse().ok()? } else { return None };
    let whole = digits.bytes().all(|b| b.is_ascii_digit());
    (value.is_finite() && !(whole && value.abs() > EXACT)).then_some(value)
}

fn to_json(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() <= EXACT { json!(value as i64) } else { json!(value) }
}

fn cell(text: &str, numeric: bool) -> Value {
    match number(text) {
        Some(value) if numeric => to_json(value),
        None if numeric => Value::Null,
        _ => Value::String(text.to_owned()),
    }
}

fn equals(cell: &str, wanted: &Value) -> bool {
    match wanted {
        Value::String(text) => cell == text,
        Value::Number(wanted) => number(cell).is_some_and(|value| Some(value) == wanted.as_f64()),
        Value::Bool(wanted) => cell.trim().eq_ignore_ascii_case(if *wanted { "true" } else { "false" }),
        Value::Null => cell.trim().is_empty(),
        _ => false,
    }
}
