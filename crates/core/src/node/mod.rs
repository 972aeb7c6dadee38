//! The kinds of nodes, one file each. A kind knows its configuration, how to check it, and how to turn it into a call.

pub mod llm;
pub mod router;
pub mod tool;

#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one for each node of a plan, and plans are few")]
pub enum NodeKind {
    Llm(llm::Llm),
    Tool(tool::Tool),
    Router(router::Router),
}

impl NodeKind {
    /// The word in the document's `type`.
    pub fn type_name(&self) -> &'static str {
        match self {
            NodeKind::Llm(_) => "llm",
            NodeKind::Tool(_) => "tool",
            NodeKind::Router(_) => "router",
        }
    }
}
