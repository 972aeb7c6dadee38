//! Evaluating a vetted expression against a scope.

use super::vet::{Vetted, is_type};
use crate::reference::{Path, Segment, clip};
use crate::scope::Scope;
use crate::stack::{contained, with_large_stack};
use cel::common::types::{self, CelBool, CelDouble, CelInt, CelList, CelMap, CelMapKey, CelNull, CelString, CelUInt};
use cel::common::value::{CowVal, Val};
use cel::{Context, Env, ExecutionError, IdedExpr};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::sync::{Arc, LazyLock};

/// The deepest tree that is evaluated on the caller's stack. The interpreter takes about 40 kB a level in a build without
/// optimisation, and a worker thread of the host has 2 MiB; ordinary rules have fewer than ten levels.
const SHALLOW: usize = 12;

/// What one evaluation may cost, in bytes made or gone through and values copied. A bound, not a promise: see [`afford`].
const MAX_MADE: usize = 16 * 1024 * 1024;
const MAX_STEPS: usize = 5_000_000;
const MAX_SCANNED: usize = 2_000_000_000;

static ENV: LazyLock<Arc<Env>> = LazyLock::new(|| {
    let mut env = Env::stdlib();
    let overloads = [("len_string", types::STRING_TYPE), ("len_list", types::LIST_TYPE), ("len_map", types::MAP_TYPE)];
    for (id, of) in overloads {
        env.add_overload("len", id, vec![of], |arguments| {
            let size = arguments.first().and_then(|value| value.as_sizer().map(|sizer| sizer.size()));
            size.map(CowVal::owned).ok_or_else(|| ExecutionError::function_error("len", "it needs a text, a list or an object"))
        })
        .expect("each overload is declared once");
    }
    Arc::new(env)
});

/// Evaluates; the error is the reason in words.
pub fn evaluate(tree: &IdedExpr, vetted: &Vetted, scope: &Scope) -> Result<Value, String> {
    let work = || run(tree, vetted, scope);
    let result = if vetted.depth <= SHALLOW { contained(work) } else { with_large_stack(work) };
    result.unwrap_or_else(|| Err("the interpreter gave up, which is a fault of FlowTrace".to_owned()))
}

fn run(tree: &IdedExpr, vetted: &Vetted, scope: &Scope) -> Result<Value, String> {
    let mut root = Node::default();
    // Why a path has no value. The expression may never get there, so it is said only if evaluation fails.
    let mut missing = Vec::new();
    let mut sizes = Vec::new();
    for read in &vetted.reads {
        match read.path.resolve(scope) {
            Ok(value) => {
                sizes.push((read.in_loop, size(value)));
                root.put(read.path.segments(), Some(value));
            }
            Err(_) if is_type(read.path.root()) => {}
            Err(why) => {
                root.put_parent(&read.path, scope);
                missing.push((&read.path, why));
            }
        }
    }
    afford(vetted, &sizes)?;
    let mut context = Context::with_env(Arc::clone(&ENV));
    for (name, node) in root.parts {
        context.add_variable_as_val(name, node.into_val());
    }
    match cel::Value::resolve_val(tree, &context) {
        Ok(value) => to_json(value.as_ref(), 0),
        Err(error) => Err(reason(&error, missing)),
    }
}

#[derive(Clone, Copy, Default)]
struct Size {
    bytes: usize,
    values: usize,
}

fn size(value: &Value) -> Size {
    let mut total = Size { bytes: 0, values: 1 };
    let mut add = |part: Size| {
        total.bytes += part.bytes;
        total.values += part.values;
    };
    match value {
        Value::String(text) => add(Size { bytes: text.len(), values: 0 }),
        Value::Array(items) => items.iter().for_each(|item| add(size(item))),
        Value::Object(map) => map.iter().for_each(|(key, item)| {
            add(Size { bytes: key.len(), values: 0 });
            add(size(item));
        }),
        _ => {}
    }
    total
}

/// Refuses what could take too much memory or time, from the sizes of the values that the expression reads and how often its
/// loops may go through them. The estimate is an upper bound.
fn afford(vetted: &Vetted, sizes: &[(bool, Size)]) -> Result<(), String> {
    let sum = |only_loops: bool| {
        sizes.iter().filter(|(in_loop, _)| *in_loop || !only_loops).fold(Size::default(), |sum, (_, size)| Size {
            bytes: sum.bytes.saturating_add(size.bytes),
            values: sum.values.saturating_add(size.values),
        })
    };
    // All literals together are at most as long as the source.
    let all = Size { bytes: sum(false).bytes + super::MAX_SOURCE, values: sum(false).values + vetted.literals };
    let inside = Size { bytes: sum(true).bytes + super::MAX_SOURCE, values: sum(true).values };
    // What one pass of the loop goes through at most: everything once, and what it reads from outside for every item.
    let pass = all.values.saturating_mul(inside.bytes).saturating_add(all.bytes);
    let mut made = vetted.joins.saturating_mul(all.bytes);
    if vetted.loops > 0 {
        // A loop that makes a list is itself written as a join of lists.
        made = made.saturating_add(vetted.joins_in_loops.saturating_sub(vetted.loops).saturating_mul(pass));
    }
    if made > MAX_MADE {
        return Err("its `+` would make too large a value: prepare the data in a tool before".to_owned());
    }
    if vetted.loops > 0 {
        let steps = all.values.saturating_mul(1 + vetted.steps_in_loops + inside.values).saturating_mul(vetted.loops);
        let scanned = pass.saturating_mul(vetted.steps_in_loops + 1).saturating_mul(vetted.loops);
        if steps > MAX_STEPS || scanned > MAX_SCANNED {
            return Err("its loop would go through too much data: prepare the data in a tool before".to_owned());
        }
    }
    Ok(())
}

/// A level of the variables: loaded whole, or only the parts that the expression names.
#[derive(Default)]
struct Node<'v> {
    whole: Option<&'v Value>,
    parts: BTreeMap<String, Node<'v>>,
}

impl<'v> Node<'v> {
    fn put(&mut self, segments: &[Segment], value: Option<&'v Value>) {
        match segments {
            [Segment::Field(name), rest @ ..] => self.parts.entry(name.clone()).or_default().put(rest, value),
            _ => self.whole = value.or(self.whole),
        }
    }

    /// Puts what there is above a missing path, so that evaluation fails at the missing part. An object is put without its
    /// members, because the expression did not name them.
    fn put_parent(&mut self, path: &Path, scope: &'v Scope) {
        let mut segments = path.segments();
        while let [parent @ .., _] = segments {
            segments = parent;
            let Some(above) = Path::of(parent) else { return };
            if let Ok(value) = above.resolve(scope) {
                let shallow = matches!(value, Value::Object(_) | Value::Array(_));
                self.put(parent, (!shallow).then_some(value));
                return;
            }
        }
    }

    fn into_val(self) -> Box<dyn Val + 'v> {
        match self.whole {
            // What was loaded whole has all the parts.
            Some(value) => to_cel(value),
            None => {
                let members: HashMap<CelMapKey<'v>, Box<dyn Val + 'v>> =
                    self.parts.into_iter().map(|(name, node)| (CelMapKey::from(name), node.into_val())).collect();
                Box::new(CelMap::from(members))
            }
        }
    }
}

/// Strings stay where they are.
fn to_cel(value: &Value) -> Box<dyn Val + '_> {
    match value {
        Value::Null => Box::new(CelNull),
        Value::Bool(value) => Box::new(CelBool::from(*value)),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(value), _) => Box::new(CelInt::from(value)),
            (None, Some(value)) => Box::new(CelUInt::from(value)),
            _ => Box::new(CelDouble::from(number.as_f64().unwrap_or(f64::NAN))),
        },
        Value::String(text) => Box::new(CelString::from(text.as_str())),
        Value::Array(items) => Box::new(CelList::from(items.iter().map(to_cel).collect::<Vec<_>>())),
        Value::Object(map) => {
            let members: HashMap<CelMapKey<'_>, Box<dyn Val + '_>> =
                map.iter().map(|(key, item)| (CelMapKey::String(CelString::from(key.as_str())), to_cel(item))).collect();
            Box::new(CelMap::from(members))
        }
    }
}

fn to_json(value: &dyn Val, depth: usize) -> Result<Value, String> {
    if depth > crate::value::MAX_DEPTH {
        return Err("its result is nested too deeply".to_owned());
    }
    if let Some(value) = value.downcast_ref::<CelString>() {
        return Ok(Value::String(value.inner().to_owned()));
    }
    if let Some(value) = value.downcast_ref::<CelBool>() {
        return Ok(Value::Bool(*value.inner()));
    }
    if let Some(value) = value.downcast_ref::<CelInt>() {
        return Ok(Value::from(*value.inner()));
    }
    if let Some(value) = value.downcast_ref::<CelUInt>() {
        return Ok(Value::from(*value.inner()));
    }
    if let Some(value) = value.downcast_ref::<CelDouble>() {
        let number = serde_json::Number::from_f64(*value.inner());
        return number.map(Value::Number).ok_or_else(|| "its result is not a finite number".to_owned());
    }
    if value.downcast_ref::<CelNull>().is_some() {
        return Ok(Value::Null);
    }
    if let Some(list) = value.downcast_ref::<CelList>() {
        return list.inner().iter().map(|item| to_json(item.as_ref(), depth + 1)).collect::<Result<_, _>>().map(Value::Array);
    }
    if let Some(map) = value.downcast_ref::<CelMap>() {
        let mut members = Map::new();
        for (key, item) in map.inner() {
            let name = match key {
                CelMapKey::String(name) => name.inner().to_owned(),
                CelMapKey::Int(key) => key.inner().to_string(),
                CelMapKey::UInt(key) => key.inner().to_string(),
                CelMapKey::Bool(key) => key.inner().to_string(),
            };
            members.insert(name, to_json(item.as_ref(), depth + 1)?);
        }
        // The interpreter keeps members in no order; ours is stable.
        members.sort_keys();
        return Ok(Value::Object(members));
    }
    Err(format!("its result is of type {}, which is not JSON: turn it into a text with `string(…)`", value.get_type().name()))
}

/// The reason in words. A value may be part of the interpreter's message, so its length is bounded.
fn reason(error: &ExecutionError, missing: Vec<(&Path, String)>) -> String {
    if let ExecutionError::NoSuchKey(key) = error
        && let Some((_, why)) = missing.iter().find(|(path, _)| {
            path.segments().iter().any(|segment| matches!(segment, Segment::Field(name) if name == key.as_str()))
        })
    {
        return why.clone();
    }
    if let ExecutionError::UndeclaredReference(name) = error
        && let Some((_, why)) = missing.iter().find(|(path, _)| path.root() == name.as_str())
    {
        return why.clone();
    }
    let mut text = Bounded(String::new());
    // An error means that the bound was reached, and what fits is there.
    let _ = write!(text, "{error}");
    let text = text.0;
    match missing.into_iter().next() {
        Some((_, why)) => format!("{why} ({})", clip(&text)),
        None => text,
    }
}

struct Bounded(String);

impl Write for Bounded {
    fn write_str(&mut self, part: &str) -> std::fmt::Result {
        let room = 300_usize.saturating_sub(self.0.chars().count());
        self.0.extend(part.chars().take(room));
        if part.chars().nth(room).is_some() {
            self.0.push('…');
            return Err(std::fmt::Error);
        }
        Ok(())
    }
}
