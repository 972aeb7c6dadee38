/** A workflow to begin with. Every one runs as it is; the simulated models know what to answer. */
export interface Template {
  id: string;
  name: string;
  /** What it shows, in a sentence. */
  about: string;
  document: (model: Target, other: Target) => unknown;
}

export interface Target {
  provider: string;
  model: string;
}

const known: Record<string, Target> = {
  openai: { provider: "openai", model: "gpt-4o-mini" },
  anthropic: { provider: "anthropic", model: "claude-haiku-4-5" },
};

/** Two models that can be called here, the same one twice where there is only one. */
export function targets(providers: readonly { name: string; configured: boolean }[]): [Target, Target] {
  const ready = providers.filter((provider) => provider.configured).flatMap(({ name }) => known[name] ?? []);
  const first = ready[0] ?? { provider: "openai", model: "gpt-4o-mini" };
  return [first, ready[1] ?? first];
}

export const TEMPLATES: Template[] = [
  {
    id: "one",
    name: "One model call",
    about: "Asks one model about a topic.",
    document: (model) => ({
      version: "1",
      entry: "answer",
      nodes: [{ id: "answer", type: "llm", name: "Answer", config: { ...model, prompt: "Explain {{input.topic}} in three sentences." } }],
      edges: [],
    }),
  },
  {
    id: "sort",
    name: "Sort, then answer",
    about: "A model says what kind of message came in, and a rule sends it to the prompt for that kind.",
    document: (model, other) => ({
      version: "1",
      entry: "sort",
      nodes: [
        {
          id: "sort",
          type: "llm",
          name: "What is it about?",
          config: {
            ...model,
            system: "You sort messages of customers.",
            prompt: "Is this message a complaint or a question?\n\n{{input.message}}",
            temperature: 0,
            schema: { type: "object", properties: { kind: { enum: ["complaint", "question"] } }, required: ["kind"], additionalProperties: false },
            simulate: { answer: '{"kind": "complaint"}', latencyMs: 300 },
          },
        },
        { id: "route", type: "router", name: "Complaint or question", config: { rule: "kind" }, inputs: { kind: "{{node.sort.output.kind}}" } },
        {
          id: "complaint",
          type: "llm",
          name: "Answer the complaint",
          config: { ...other, system: "You are calm, sorry, and concrete about what happens next.", prompt: "Answer this complaint:\n\n{{input.message}}" },
        },
        { id: "question", type: "llm", name: "Answer the question", config: { ...model, prompt: "Answer this question in at most five sentences:\n\n{{input.message}}" } },
      ],
      edges: [
        { from: "sort", to: "route" },
        { from: "route", to: "complaint", when: "branch == 'complaint'" },
        { from: "route", to: "question", when: "branch == 'question'" },
      ],
    }),
  },
  {
    id: "opinions",
    name: "Three views, one verdict",
    about: "Three calls side by side, and a last one that weighs what they said.",
    document: (model, other) => ({
      version: "1",
      entry: "idea",
      execution: { mode: "parallel", maxConcurrency: 3 },
      nodes: [
        { id: "idea", type: "tool", name: "The idea", config: { tool: "text", template: "{{input.idea}}" } },
        ...["optimist", "sceptic", "accountant"].map((role) => ({
          id: role,
          type: "llm",
          name: `The ${role}`,
          config: { ...model, system: `You are the ${role} in the room.`, prompt: "What do you think of this idea?\n\n{{node.idea.output}}", temperature: 0.7 },
        })),
        {
          id: "verdict",
          type: "llm",
          name: "The verdict",
          config: {
            ...other,
            prompt: "Weigh these three views and say in one paragraph what to do.\n\nOptimist: {{node.optimist.output}}\n\nSceptic: {{node.sceptic.output}}\n\nAccountant: {{node.accountant.output}}",
          },
        },
      ],
      edges: ["optimist", "sceptic", "accountant"].flatMap((role) => [
        { from: "idea", to: role },
        { from: role, to: "verdict" },
      ]),
    }),
  },
  {
    id: "page",
    name: "Read a page, sum it up",
    about: "Fetches an address over HTTP and summarises what is there, with a second provider to fall back to.",
    document: (model, other) => ({
      version: "1",
      entry: "fetch",
      nodes: [
        { id: "fetch", type: "tool", name: "Fetch the page", config: { tool: "http", url: "{{input.url}}" }, retry: { maxAttempts: 3, initialMs: 500, maxMs: 5000 } },
        {
          id: "summarize",
          type: "llm",
          name: "Summarize",
          config: {
            ...model,
            system: "You summarise pages for busy readers.",
            prompt: "Summarise this in five points:\n\n{{page}}",
            fallbacks: other.provider === model.provider ? [] : [other],
          },
          inputs: { page: "{{node.fetch.output.content}}" },
        },
      ],
      edges: [{ from: "fetch", to: "summarize" }],
    }),
  },
];
