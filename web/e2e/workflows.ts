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

export const streaming = (seconds: number) =>
  chain([
    llm("talk", "Talk", {
      prompt: "Talk.",
      simulate: { answer: Array.from({ length: 200 }, (_, index) => `word${index}`).join(" "), latencyMs: 100, outputTokens: 200, tokensPerSecond: 200 / seconds },
    }),
    llm("again", "Say it again", { prompt: "Repeat: {{node.talk.output}}", simulate: { answer: "Done.", latencyMs: 20 } }),
  ]);

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
