import type { Catalog } from "@/api/types";
import type { JsonObject } from "./pointer";
import { isGraph, propertiesOf, requiredOf, starting, type Language } from "./language";

/** What the palette offers: a kind of step, or a tool, which is a `tool` step that is set up for it. */
export interface Offer {
  key: string;
  type: string;
  label: string;
  description: string;
  tool?: string;
}

/** The config and inputs of a new step: valid where that can be, and what comes before is passed on. */
export function newStep(offer: Offer, language: Language, catalog: Catalog | undefined, after: string | undefined, fresh: (id: string) => string): JsonObject {
  const from = after === undefined ? undefined : `{{node.${after}.output}}`;
  const text = from ?? "{{input.text}}";
  const llm = (prompt: string) => ({ type: "llm", config: { ...model(catalog), prompt } });
  const body = (prompt: string) => {
    const id = fresh("step");
    return { entry: id, nodes: [{ id, ...llm(prompt) }], edges: [] };
  };
  switch (offer.type) {
    case "llm":
      return llm(text);
    case "agent":
      return { type: "agent", config: { ...model(catalog), instructions: "", prompt: text, maxSteps: 10, maxToolCalls: 20, maxTokens: 50_000, timeoutSeconds: 300 } };
    case "map":
      return { type: "map", config: { items: from ?? "{{input.items}}", body: body("{{each.item}}") } };
    case "loop":
      return { type: "loop", config: { maxIterations: 3, body: body(text) } };
    case "approval":
      return { type: "approval", config: { message: "Is this right?" }, inputs: { payload: text } };
    case "wait":
      return { type: "wait", config: { seconds: 60 } };
    case "gate":
      return { type: "gate", config: { check: "len(text) > 0" }, inputs: { text } };
    case "set":
      return { type: "set", config: { vars: { result: text } } };
    case "router":
      return { type: "router", config: { rule: "len(text) > 1000 ? 'long' : 'short'" }, inputs: { text } };
    case "tool": {
      const name = offer.tool ?? "text";
      const tool = catalog?.tools.find((each) => each.name === name);
      const schema = language.resolve(tool?.config_schema);
      const config: JsonObject = { tool: name, ...(starting({ ...schema, type: "object" }, language) as JsonObject) };
      if ("template" in propertiesOf(schema)) config.template = text;
      const inputs = name !== "text" && from !== undefined && tool?.remote !== true ? { inputs: { text: from } } : {};
      return { type: "tool", config, ...inputs };
    }
    default: {
      const config = language.kind(offer.type)?.config ?? {};
      const value = starting({ ...config, type: "object" }, language) as JsonObject;
      // The one thing that a step cannot do without, wherever the schema leaves it open.
      for (const [name, property] of Object.entries(propertiesOf(config))) {
        if (requiredOf(config).has(name) || name === "body") {
          if (isGraph(language.resolve(property)) || name === "body") value[name] = { entry: "", nodes: [], edges: [] };
        }
      }
      return { type: offer.type, config: value };
    }
  }
}

/** A small model of a provider that can be called. */
function model(catalog: Catalog | undefined): JsonObject {
  const anthropic = catalog?.providers.find((each) => each.configured)?.name === "anthropic";
  return anthropic ? { provider: "anthropic", model: "claude-haiku-4-5" } : { provider: "openai", model: "gpt-4o-mini" };
}
