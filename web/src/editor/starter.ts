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
export function newStep(offer: Offer, language: Language, catalog: Catalog | undefined, after: string | undefined): JsonObject {
  const from = after === undefined ? undefined : `{{node.${after}.output}}`;
  switch (offer.type) {
    case "llm": {
      const provider = catalog?.providers.find((each) => each.configured)?.name === "anthropic" ? "anthropic" : "openai";
      const model = provider === "anthropic" ? "claude-3-5-haiku-latest" : "gpt-4o-mini";
      return { type: "llm", config: { provider, model, prompt: from ?? "{{input.text}}" } };
    }
    case "router":
      return { type: "router", config: { rule: "len(text) > 1000 ? 'long' : 'short'" }, inputs: { text: from ?? "{{input.text}}" } };
    case "tool": {
      const name = offer.tool ?? "text";
      const tool = catalog?.tools.find((each) => each.name === name);
      const schema = language.resolve(tool?.config_schema);
      const config: JsonObject = { tool: name, ...(starting({ ...schema, type: "object" }, language) as JsonObject) };
      if ("template" in propertiesOf(schema)) config.template = from ?? "{{input.text}}";
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
