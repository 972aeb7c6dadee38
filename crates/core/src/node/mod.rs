//! The kinds of nodes, one file each. A kind knows its configuration, how to check it, and how to turn it into a call.

pub mod agent;
pub mod approval;
pub mod gate;
pub mod llm;
pub mod loop_;
pub mod map;
pub mod router;
pub mod set;
pub mod tool;
pub mod wait;
pub mod workflow;

use crate::plan::GraphIx;

#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one for each node of a plan, and plans are few")]
pub enum NodeKind {
    Llm(llm::Llm),
    Tool(tool::Tool),
    Router(router::Router),
    Map(map::Map),
    Loop(loop_::Loop),
    Agent(agent::Agent),
    /// One turn of the model of an agent.
    AgentTurn,
    /// One call of a tool that the model of an agent asked for.
    AgentCall,
    Approval(approval::Approval),
    Wait(wait::Wait),
    Workflow(workflow::Workflow),
    Gate(gate::Gate),
    Set(set::Set),
}

impl NodeKind {
    /// The word in the document's `type`.
    pub fn type_name(&self) -> &'static str {
        match self {
            NodeKind::Llm(_) | NodeKind::AgentTurn => "llm",
            NodeKind::Tool(_) | NodeKind::AgentCall => "tool",
            NodeKind::Router(_) => "router",
            NodeKind::Map(_) => "map",
            NodeKind::Loop(_) => "loop",
            NodeKind::Agent(_) => "agent",
            NodeKind::Approval(_) => "approval",
            NodeKind::Wait(_) => "wait",
            NodeKind::Workflow(_) => "workflow",
            NodeKind::Gate(_) => "gate",
            NodeKind::Set(_) => "set",
        }
    }

    /// The graph that is gone through inside of such a step, where it stands in the document.
    pub fn body(&self) -> Option<GraphIx> {
        match self {
            NodeKind::Map(map) => Some(map.body),
            NodeKind::Loop(loop_) => Some(loop_.body),
            NodeKind::Agent(agent) => Some(agent.body),
            _ => None,
        }
    }

    pub(crate) fn shift_body(&mut self, by: GraphIx) {
        match self {
            NodeKind::Map(map) => map.body += by,
            NodeKind::Loop(loop_) => loop_.body += by,
            NodeKind::Agent(agent) => agent.body += by,
            _ => {}
        }
    }

    /// Whether other steps do its work, so that nothing of it is lost when the process dies.
    pub fn is_container(&self) -> bool {
        matches!(self, NodeKind::Map(_) | NodeKind::Loop(_) | NodeKind::Agent(_) | NodeKind::Workflow(_))
    }

    /// Whether a step of this kind spends tokens itself.
    pub fn calls_model(&self) -> bool {
        matches!(self, NodeKind::Llm(_) | NodeKind::AgentTurn)
    }

    /// The limits that hold for everything inside of such a step.
    pub fn caps(&self) -> Option<&Caps> {
        match self {
            NodeKind::Loop(loop_) => Some(&loop_.caps),
            NodeKind::Agent(agent) => Some(&agent.caps),
            _ => None,
        }
    }
}

/// Limits of what happens inside of one step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Caps {
    pub max_steps: Option<u64>,
    pub max_tool_calls: Option<u64>,
    pub max_tokens: Option<u64>,
    pub max_cost_nanousd: Option<u64>,
    /// Iterations of all loops and turns of all agents inside.
    pub max_iterations: Option<u64>,
    /// Wall clock, in milliseconds.
    pub timeout_ms: Option<u64>,
}
