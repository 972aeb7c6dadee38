//! The graphs of a document, one level each: that of the document, and the bodies inside of it.

use super::form::Draft;
use super::graph::{DraftIx, Graph};
use super::nodes::Parts;

/// Index into the levels. That of the document is 0, and a body comes after the graph that it is inside of.
pub type LevelIx = usize;

#[derive(Debug)]
pub struct Level {
    pub draft: Draft,
    pub graph: Graph,
    pub parts: Parts,
    /// The node whose body it is.
    pub owner: Option<(LevelIx, DraftIx)>,
    /// The bodies of its nodes.
    pub bodies: Vec<(DraftIx, LevelIx)>,
}

pub fn levels(document: Draft) -> Vec<Level> {
    let mut levels = Vec::new();
    add(document, None, &mut levels);
    levels
}

fn add(mut draft: Draft, owner: Option<(LevelIx, DraftIx)>, levels: &mut Vec<Level>) -> LevelIx {
    let inner: Vec<(DraftIx, Box<Draft>)> =
        draft.nodes.iter_mut().enumerate().filter_map(|(ix, node)| Some((ix, node.body.take()?))).collect();
    let level = levels.len();
    levels.push(Level { draft, graph: Graph::default(), parts: Parts::default(), owner, bodies: Vec::new() });
    for (ix, body) in inner {
        let body = add(*body, Some((level, ix)), levels);
        levels[level].bodies.push((ix, body));
    }
    level
}
