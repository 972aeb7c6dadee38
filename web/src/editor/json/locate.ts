import { ensureSyntaxTree } from "@codemirror/language";
import type { EditorState } from "@codemirror/state";
import type { Segments } from "../pointer";

const PARSE_MS = 200;
type SyntaxNode = NonNullable<ReturnType<typeof ensureSyntaxTree>>["topNode"];

const VALUES = new Set(["Object", "Array", "String", "Number", "True", "False", "Null"]);

function name(state: EditorState, property: SyntaxNode): string {
  const key = property.getChild("PropertyName");
  if (!key) return "";
  try {
    return String(JSON.parse(state.sliceDoc(key.from, key.to)));
  } catch {
    return "";
  }
}

function valuesOf(node: SyntaxNode): SyntaxNode[] {
  const found = [];
  for (let child = node.firstChild; child; child = child.nextSibling) if (VALUES.has(child.name)) found.push(child);
  return found;
}

/** Where in the text a value is, or the nearest one around it that is there. */
export function rangeOf(state: EditorState, segments: Segments): { from: number; to: number } {
  const tree = ensureSyntaxTree(state, state.doc.length, PARSE_MS);
  let at = tree && valuesOf(tree.topNode)[0];
  let range = at ?? { from: 0, to: 0 };
  for (const segment of segments) {
    if (!at) break;
    if (at.name === "Array") at = valuesOf(at)[Number(segment)];
    else at = at.getChildren("Property").filter((property) => name(state, property) === String(segment)).flatMap(valuesOf).at(-1);
    if (at) range = at;
  }
  return { from: range.from, to: range.to };
}

/** Which value of the document a position in the text is in. */
export function segmentsAt(state: EditorState, position: number): (string | number)[] {
  const segments: (string | number)[] = [];
  const tree = ensureSyntaxTree(state, state.doc.length, PARSE_MS);
  for (let at: SyntaxNode | null | undefined = tree?.resolveInner(position, -1); at; at = at.parent) {
    const { parent } = at;
    if (at.name === "Property") segments.unshift(name(state, at));
    else if (parent?.name === "Array" && VALUES.has(at.name)) {
      const { from } = at;
      segments.unshift(valuesOf(parent).findIndex((value) => value.from === from));
    }
  }
  return segments;
}
