//! Groups of rows and what is computed over them.

use super::{Row, Table, cell, number, to_json};
use crate::tool::refuse;
use flowtrace_core::failure::{Failure, FailureCode};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::HashMap;

const MAX_GROUPS: usize = 10_000;

/// A mean has this many decimals more than the numbers that it was made of.
const MEAN_DECIMALS: usize = 4;

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Aggregate {
    op: Op,
    column: Option<String>,
    #[serde(rename = "as")]
    name: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Op {
    Count,
    Sum,
    Mean,
    Min,
    Max,
}

impl Op {
    fn name(self) -> &'static str {
        match self {
            Op::Count => "count",
            Op::Sum => "sum",
            Op::Mean => "mean",
            Op::Min => "min",
            Op::Max => "max",
        }
    }
}

/// Groups in the order in which they appear.
pub struct Groups {
    by: Vec<usize>,
    wanted: Vec<(Op, Option<usize>, String)>,
    index: HashMap<Vec<String>, usize>,
    groups: Vec<(Vec<String>, Vec<Sum>)>,
}

/// The numbers of one column in one group.
#[derive(Clone, Default)]
struct Sum {
    count: u64,
    sum: f64,
    /// What the additions lost so far (Neumaier's variant of Kahan's summation), so that 0.1 + 0.2 adds up.
    lost: f64,
    min: Option<f64>,
    max: Option<f64>,
    decimals: usize,
}

impl Groups {
    /// `None` where nothing is to be summed up.
    pub fn new(table: &Table, by: Option<&[String]>, aggregate: Option<&[Aggregate]>) -> Result<Option<Self>, Failure> {
        if by.is_none() && aggregate.is_none() {
            return Ok(None);
        }
        let by: Vec<usize> = by.unwrap_or_default().iter().map(|name| table.column(name, "groupBy")).collect::<Result<_, _>>()?;
        let count = [Aggregate { op: Op::Count, column: None, name: None }];
        let mut names: Vec<String> = by.iter().map(|&column| table.columns[column].clone()).collect();
        let mut wanted = Vec::new();
        for Aggregate { op, column, name } in aggregate.unwrap_or(&count) {
            if column.is_none() && *op != Op::Count {
                return Err(refuse(format!("`aggregate` of the csv tool has a {} without a `column`.", op.name())));
            }
            let place = column.as_deref().map(|name| table.column(name, "aggregate")).transpose()?;
            let name = match (name, column) {
                (Some(name), _) => name.clone(),
                (None, Some(column)) => format!("{}_{column}", op.name()),
                (None, None) => op.name().to_owned(),
            };
            if names.contains(&name) {
                return Err(refuse(format!(
                    "Two results of the csv tool are named `{name}`; name one of them otherwise with `as`."
                )));
            }
            names.push(name.clone());
            wanted.push((*op, place, name));
        }
        // Without `groupBy` there is one group, also where no row is left.
        let whole = by.is_empty().then(|| (Vec::new(), vec![Sum::default(); wanted.len()]));
        let index = whole.iter().map(|_| (Vec::new(), 0)).collect();
        Ok(Some(Groups { by, wanted, index, groups: whole.into_iter().collect() }))
    }

    pub fn add(&mut self, columns: &[String], row: &Row) -> Result<(), Failure> {
        let key: Vec<String> = self.by.iter().map(|&column| row.get(column).to_owned()).collect();
        let place = match self.index.get(&key) {
            Some(place) => *place,
            None if self.groups.len() == MAX_GROUPS => {
                let message =
                    format!("The rows fall into more than {MAX_GROUPS} groups; group by a column with fewer different values.");
                return Err(Failure::new(FailureCode::TooLarge, message));
            }
            None => {
                self.index.insert(key.clone(), self.groups.len());
                self.groups.push((key, vec![Sum::default(); self.wanted.len()]));
                self.groups.len() - 1
            }
        };
        for ((op, column, _), sum) in self.wanted.iter().zip(&mut self.groups[place].1) {
            let text = column.map(|column| row.get(column).trim());
            match (op, text) {
                // Like in SQL, an empty cell is no value.
                (_, Some("")) => {}
                (Op::Count, _) | (_, None) => sum.count += 1,
                (_, Some(text)) => sum.add(text).ok_or_else(|| {
                    let name = column.map_or("", |column| &columns[column]);
                    let text: String = text.chars().take(80).collect();
                    refuse(format!(
                        "Row {} of the CSV text (line {}), column `{name}`: {text:?} is not a plain number, so it has no {}.",
                        row.number,
                        row.line,
                        op.name()
                    ))
                })?,
            }
        }
        Ok(())
    }

    pub fn finish(self, columns: &[String], numeric: &[bool]) -> Result<Value, Failure> {
        let mut rows = Vec::new();
        for (key, sums) in self.groups {
            let mut row: Map<String, Value> = Map::new();
            for (&column, text) in self.by.iter().zip(&key) {
                row.insert(columns[column].clone(), cell(text, numeric[column]));
            }
            for ((op, _, name), sum) in self.wanted.iter().zip(sums) {
                let value =
                    sum.result(*op).ok_or_else(|| refuse(format!("`{name}` of the csv tool is too large for a number.")))?;
                row.insert(name.clone(), value);
            }
            rows.push(Value::Object(row));
        }
        Ok(Value::Array(rows))
    }
}

impl Sum {
    fn add(&mut self, text: &str) -> Option<()> {
        let value = number(text)?;
        let decimals =
            if text.contains(['e', 'E']) { 15 } else { text.split_once('.').map_or(0, |(_, decimals)| decimals.len()) };
        self.decimals = self.decimals.max(decimals.min(15));
        self.count += 1;
        let sum = self.sum + value;
        self.lost += if self.sum.abs() >= value.abs() { (self.sum - sum) + value } else { (value - sum) + self.sum };
        self.sum = sum;
        self.min = Some(self.min.map_or(value, |min| min.min(value)));
        self.max = Some(self.max.map_or(value, |max| max.max(value)));
        Some(())
    }

    /// `None` where the number is not finite. A mean, minimum or maximum of nothing is null.
    fn result(&self, op: Op) -> Option<Value> {
        let total = self.sum + self.lost;
        let value = match op {
            Op::Count => return Some(json!(self.count)),
            Op::Sum => Some(rounded(total, self.decimals)),
            Op::Mean => (self.count > 0).then(|| rounded(total / self.count as f64, self.decimals + MEAN_DECIMALS)),
            Op::Min => self.min,
            Op::Max => self.max,
        };
        match value {
            None => Some(Value::Null),
            Some(value) => value.is_finite().then(|| to_json(value)),
        }
    }
}

/// As many decimals as the numbers themselves have: the rest is noise of binary fractions.
fn rounded(value: f64, decimals: usize) -> f64 {
    format!("{value:.decimals$}").parse().unwrap_or(value)
}
