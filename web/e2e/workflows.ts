/** Documents for the journeys. Node scripts (`simulate`) say what the simulated models do. */

const llm = (id: string, name: string, config: Record<string, unknown>, more: Record<string, unknown> = {}) => ({
  id,
  type: "llm",
  name,
  config: { provider: "openai", model: "gpt-4o-mini", fallbacks: [], ...config },
  ...more,
});
const chain = (nodes: { id: string }[]) => ({
  version: "1",
  entry: nodes[0]?.id,
  nodes,
  edges: nodes.slice(1).map((node, index) => ({ from: nodes[index]?.id, to: node.id })),
});

export const failing = chain([
  { id: "read", type: "tool", name: "Read the ticket", config: { tool: "text", template: "Ticket: my invoice is wrong." } } as { id: string },
  llm(
    "draft_reply",
    "Draft the reply",
    { prompt: "Write a reply to: {{node.read.output}}", simulate: { latencyMs: 5, faults: [{ status: 429 }, { status: 429 }, { status: 429 }] } },
    { retry: { maxAttempts: 3, initialMs: 20, maxMs: 60 } },
  ),
]);

export const greeting = chain([
  llm("greet", "Greet", { prompt: "Greet {{input.name}}, who is {{input.age}}.", simulate: { answer: "Hello there, nice to meet you.", latencyMs: 5 } }),
]);

const talking = (seconds: number) => [
  llm("talk", "Talk", {
    prompt: "Talk.",
    simulate: { answer: Array.from({ length: 200 }, (_, index) => `word${index}`).join(" "), latencyMs: 100, outputTokens: 200, tokensPerSecond: 200 / seconds },
  }),
  llm("again", "Say it again", { prompt: "Repeat: {{node.talk.output}}", simulate: { answer: "Done.", latencyMs: 20 } }),
];

export const streaming = (seconds: number) => chain(talking(seconds));

/** The same once the signal "go" is there: when the page has to be open before the answer begins. */
export const heldStreaming = (seconds: number) => chain([{ id: "hold", type: "wait", name: "Hold", config: { signal: "go" } } as { id: string }, ...talking(seconds)]);

export const retryAndFallback = chain([
  llm(
    "answer",
    "Answer",
    {
      prompt: "What is 6 × 7?",
      fallbacks: [{ provider: "anthropic", model: "claude-haiku-4-5" }],
      simulate: { answer: "42", latencyMs: 10, faults: [{ provider: "openai", status: 500 }, { provider: "openai", status: 500 }] },
    },
    { retry: { maxAttempts: 2, initialMs: 20, maxMs: 40 } },
  ),
]);

export const cached = chain([
  llm("answer", "Answer", { prompt: "A question asked twice, {{input.salt}}", cache: { enabled: true }, simulate: { answer: "The same answer.", latencyMs: 30 } }),
]);

export const hostile = chain([
  llm("say", "Say <b>this</b>", {
    prompt: `<img src=x onerror="window.hacked=1"><script>window.hacked=2</script> {{input.text}}`,
    simulate: { answer: `<script>window.hacked=3</script><a href="javascript:window.hacked=4">x</a> مرحبا بالعالم 🙂 日本語`, latencyMs: 5 },
  }),
]);

/** `count` steps side by side after a first one. */
export const wide = (count: number) => ({
  version: "1",
  entry: "start",
  execution: { mode: "parallel", maxConcurrency: 64 },
  limits: { maxNodes: count + 1 },
  nodes: [
    { id: "start", type: "tool", name: "Start", config: { tool: "echo" } },
    ...Array.from({ length: count }, (_, index) => ({ id: `s${index}`, type: "tool", name: `Step ${index}`, config: { tool: "echo" }, inputs: { index } })),
  ],
  edges: Array.from({ length: count }, (_, index) => ({ from: "start", to: `s${index}` })),
});

export const large = (characters: number) =>
  chain([{ id: "big", type: "tool", name: "Big", config: { tool: "text", template: "0123456789".repeat(characters / 10) } } as { id: string }]);

export const answering = (answer: string) => chain([llm("say", "Say it", { prompt: "Say it.", simulate: { answer, latencyMs: 5, tokensPerSecond: 10_000_000 } })]);
/** A person decides about a refund; what is approved is paid out. */
export const refund = {
  version: "1",
  entry: "look_up",
  nodes: [
    { id: "look_up", type: "tool", name: "Look up the order", config: { tool: "echo" }, inputs: { order: "{{input.order}}", amount: 40 } },
    {
      id: "ask",
      type: "approval",
      name: "May we refund?",
      config: { message: "Refund order {{input.order}}?", payload: { order: "{{input.order}}", amount: 40, currency: "EUR" }, timeoutSeconds: 86_400, onTimeout: "reject" },
    },
    { id: "pay", type: "tool", name: "Pay it out", config: { tool: "text", template: "Paid {{node.ask.output.payload.amount}} EUR." } },
    { id: "sorry", type: "tool", name: "Say sorry", config: { tool: "text", template: "No refund: {{node.ask.output.reason}}" } },
  ],
  edges: [
    { from: "look_up", to: "ask" },
    { from: "ask", to: "pay", when: "branch == 'approved'" },
    { from: "ask", to: "sorry", when: "branch == 'rejected'" },
  ],
};

/** Three model calls, the middle one dear; each answers with its prompt. */
export const pipeline = chain([
  llm("outline", "Outline", { prompt: "Outline a note about {{input.topic}}.", simulate: { latencyMs: 5 } }),
  llm("draft", "Draft", { prompt: "Write a long note from: {{node.outline.output}}", simulate: { latencyMs: 5 } }),
  llm("polish", "Polish", { prompt: "Polish: {{node.draft.output}}", simulate: { latencyMs: 5 } }),
]);

/** Waits for a signal before its last step. */
export const signalled = chain([
  { id: "before", type: "tool", name: "Before", config: { tool: "echo" } } as { id: string },
  { id: "hold", type: "wait", name: "Hold", config: { signal: "parcel-arrived" } } as { id: string },
  { id: "after", type: "tool", name: "After", config: { tool: "text", template: "Arrived: {{node.hold.output.at}}" } } as { id: string },
]);

/** An agent that looks something up turn after turn, then answers. */
export const agent = (turns: number) => ({
  version: "1",
  entry: "support",
  limits: { maxNodes: 1_000, maxToolCalls: 1_000 },
  nodes: [
    {
      id: "support",
      type: "agent",
      name: "Support agent",
      config: {
        provider: "openai",
        model: "gpt-4o-mini",
        instructions: "Look up until you know.",
        prompt: "Where is order {{input.order}}?",
        maxSteps: turns,
        tools: [{ tool: "echo", name: "look_up", description: "Looks an order up", parameters: { type: "object", properties: { page: { type: "integer" } } } }],
        simulate: {
          latencyMs: 1,
          turns: [
            ...Array.from({ length: turns - 1 }, (_, page) => ({ text: `I look at page ${page}.`, toolCalls: [{ name: "look_up", arguments: { page } }] })),
            { text: "The order is on its way." },
          ],
        },
      },
    },
  ],
  edges: [],
});

/** A map over `input.items`, with a model call for each. */
export const reviews = {
  version: "1",
  entry: "each",
  nodes: [
    {
      id: "each",
      type: "map",
      name: "Each item",
      config: {
        items: "{{input.items}}",
        body: { entry: "review", nodes: [{ id: "review", type: "llm", name: "Review", config: { provider: "openai", model: "gpt-4o-mini", prompt: "Review {{each.item}}.", simulate: { latencyMs: 5 } } }], edges: [] },
      },
    },
  ],
  edges: [],
};
