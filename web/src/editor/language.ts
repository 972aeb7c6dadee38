import { getIn, isObject, type JsonObject } from "./pointer";

/** One value in the JSON Schema of the language, as far as forms need it. */
export type Schema = JsonObject;

export interface Kind {
  type: string;
  /** A sentence. */
  description: string;
  config: Schema;
}

/** The workflow language as the server describes it. Kinds of steps that this page has never heard of come with it. */
export interface Language {
  kinds: Kind[];
  kind: (type: string) => Kind | undefined;
  document: Schema;
  node: Schema;
  edge: Schema;
  /** The schema that a `$ref` means. */
  resolve: (schema: unknown) => Schema;
}

export function readLanguage(schema: unknown): Language {
  const resolve = (value: unknown, depth = 0): Schema => {
    const one = isObject(value) ? value : {};
    if (typeof one.$ref === "string" && one.$ref.startsWith("#/") && depth < 8) {
      const { $ref, ...rest } = one;
      return { ...resolve(getIn(schema, $ref.slice(2).split("/")), depth + 1), ...rest };
    }
    // `T | null`, as optional properties are written.
    const choices = [one.anyOf, one.oneOf].find(Array.isArray)?.filter((choice) => !(isObject(choice) && choice.type === "null"));
    if (choices?.length === 1) return { ...resolve(choices[0], depth + 1), ...without(one, "anyOf", "oneOf") };
    return one;
  };
  const document = resolve(schema);
  const node = resolve(resolve(propertiesOf(document).nodes).items);
  const edge = resolve(resolve(propertiesOf(document).edges).items);
  const rules = (Array.isArray(node.allOf) ? node.allOf : []).filter(isObject);
  const configs = new Map<string, Schema>();
  for (const rule of rules) {
    const type = getIn(rule, ["if", "properties", "type", "const"]);
    if (typeof type === "string") configs.set(type, resolve(getIn(rule, ["then", "properties", "config"])));
  }
  const kinds = choicesOf(resolve(propertiesOf(node).type)).map((type) => {
    const config = configs.get(type) ?? {};
    return { type, description: purpose(config.description), config };
  });
  const byType = new Map(kinds.map((kind) => [kind.type, kind]));
  return { kinds, kind: (type) => byType.get(type), document, node, edge, resolve: (value) => resolve(value) };
}

const without = (object: Schema, ...names: string[]) => Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)));

export function propertiesOf(schema: Schema): Record<string, unknown> {
  return isObject(schema.properties) ? schema.properties : {};
}

export function requiredOf(schema: Schema): Set<string> {
  return new Set(Array.isArray(schema.required) ? schema.required.filter((name) => typeof name === "string") : []);
}

/** The values that a schema lists, as words. */
export function choicesOf(schema: Schema): string[] {
  if (Array.isArray(schema.enum)) return schema.enum.filter((value) => typeof value === "string");
  const options = [schema.oneOf, schema.anyOf].find(Array.isArray) ?? [];
  return options.flatMap((option) => (isObject(option) && typeof option.const === "string" ? option.const : []));
}

/** The types that a value may have, `null` left out: an absent property means the same. */
export function typesOf(schema: Schema): string[] {
  const types = Array.isArray(schema.type) ? schema.type : [schema.type];
  return types.filter((type): type is string => typeof type === "string" && type !== "null");
}

/** "`config` of an `llm` node: one call of a model." → "One call of a model." */
function purpose(description: unknown): string {
  if (typeof description !== "string") return "";
  const text = /^`config` of an? .*?: ([\s\S]*)$/.exec(description)?.[1] ?? description;
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** `maxTokens` → `Max tokens`. */
export function labelOf(name: string): string {
  const words = name.replaceAll(/([a-z\d])([A-Z])/g, "$1 $2").replaceAll("_", " ").toLowerCase();
  const label = words.charAt(0).toUpperCase() + words.slice(1);
  return label.replace(/ ms$/, " (ms)").replace(/ usd$/, " (USD)").replace(/ seconds$/, " (s)").replace(/^Url$/, "URL").replace(/^Ttl/, "TTL").replace(/^Top p$/, "Top P");
}

/** A first value that the schema accepts, for a property that cannot be left out. */
export function starting(schema: Schema, language: Language, depth = 0): unknown {
  const one = language.resolve(schema);
  if (one.default !== undefined && one.default !== null) return one.default;
  const choices = choicesOf(one);
  if (choices.length > 0) return choices[0];
  switch (typesOf(one)[0]) {
    case "integer":
    case "number":
      return typeof one.minimum === "number" ? one.minimum : 1;
    case "boolean":
      return false;
    case "array":
      return [];
    case "object": {
      if (isGraph(one)) return { entry: "", nodes: [], edges: [] };
      if (depth > 4) return {};
      const required = requiredOf(one);
      return Object.fromEntries(
        Object.entries(propertiesOf(one))
          .filter(([name]) => required.has(name))
          .map(([name, inner]) => [name, starting(language.resolve(inner), language, depth + 1)]),
      );
    }
    default:
      return "";
  }
}

/** Whether a value is a graph of steps of its own. */
export function isGraph(schema: Schema): boolean {
  const properties = propertiesOf(schema);
  return "nodes" in properties && "edges" in properties;
}
