import type { ProblemItem } from "@/api/types";
import { Button } from "@/ui/button";
import { defaultKeymap } from "@codemirror/commands";
import { json } from "@codemirror/lang-json";
import { bracketMatching, HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { setDiagnostics, type Diagnostic } from "@codemirror/lint";
import { Annotation, EditorState } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { useEffect, useRef } from "react";
import { useProblems } from "../context";
import { sentence } from "../fields/Row";
import { fromPointer, toPointer } from "../pointer";
import { useEditor, useEditorStore, written } from "../store";
import { rangeOf, segmentsAt } from "./locate";

/** A change that came from elsewhere. */
const external = Annotation.define<boolean>();

const theme = EditorView.theme({
  "&": { height: "100%", fontSize: "12px", color: "var(--text)", backgroundColor: "var(--panel)" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: 'ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace', lineHeight: "18px" },
  ".cm-content": { caretColor: "var(--text)", padding: "8px 0" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  ".cm-gutters": { backgroundColor: "var(--panel)", color: "var(--muted)", border: "none" },
  ".cm-activeLine": { backgroundColor: "color-mix(in srgb, var(--hover) 50%, transparent)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "color-mix(in srgb, var(--accent) 28%, transparent)" },
  ".cm-tooltip": { backgroundColor: "var(--panel)", color: "var(--text)", border: "1px solid var(--line)", fontFamily: "system-ui, sans-serif" },
  ".cm-lintRange-error": { backgroundImage: "none", textDecoration: "underline wavy var(--bad-fill)", textUnderlineOffset: "3px" },
});

const colours = syntaxHighlighting(
  HighlightStyle.define([
    { tag: tags.propertyName, color: "var(--accent)" },
    { tag: tags.string, color: "var(--text)" },
    { tag: [tags.number, tags.bool, tags.null], color: "var(--cache)" },
    { tag: tags.punctuation, color: "var(--muted)" },
    { tag: tags.invalid, color: "var(--bad)" },
  ]),
);

/** The document as text. What is typed here goes to the canvas as long as it is a document; what happens there comes here. */
export function JsonPane({ shown, onPlace }: { shown: string | undefined; onPlace: (pointer: string) => void }) {
  const store = useEditorStore();
  const problems = useProblems();
  const text = useEditor(written);
  const unreadable = useEditor((state) => state.unreadable);
  const focus = useEditor((state) => state.focus);
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const place = useRef(onPlace);
  // The step that is selected when the pane opens.
  const reveal = useRef(shown);
  useEffect(() => {
    place.current = onPlace;
  });

  useEffect(() => {
    if (!host.current) return;
    // In a shadow tree its styles are a style sheet object; in the page they would be a style element, which the
    // Content-Security-Policy forbids.
    const root = host.current.shadowRoot ?? host.current.attachShadow({ mode: "open" });
    const editor = new EditorView({
      parent: root,
      root,
      state: EditorState.create({
        doc: written(store.getState()),
        extensions: [
          lineNumbers(),
          drawSelection(),
          highlightActiveLine(),
          bracketMatching(),
          json(),
          colours,
          theme,
          EditorView.lineWrapping,
          EditorState.tabSize.of(2),
          EditorView.contentAttributes.of({ "aria-label": "Workflow as JSON", "aria-multiline": "true" }),
          // Undo is the editor's: one history for canvas, form and text.
          keymap.of([
            { key: "Mod-z", run: () => (store.undo(), true), preventDefault: true },
            { key: "Mod-y", mac: "Mod-Shift-z", run: () => (store.redo(), true), preventDefault: true },
            { key: "Mod-Shift-z", run: () => (store.redo(), true), preventDefault: true },
            ...defaultKeymap,
          ]),
          // Left to itself, the browser would style what replaces selected text inline, which the policy forbids as well.
          EditorView.domEventHandlers({
            beforeinput: (event, target) => {
              if (event.inputType !== "insertText" || event.data === null || target.composing || target.state.selection.main.empty) return false;
              target.dispatch(target.state.replaceSelection(event.data), { userEvent: "input.type", scrollIntoView: true });
              event.preventDefault();
              return true;
            },
          }),
          EditorView.updateListener.of((update) => {
            if (update.docChanged && !update.transactions.some((transaction) => transaction.annotation(external))) store.write(update.state.doc.toString(), "json");
            if (update.selectionSet && update.transactions.some((transaction) => transaction.isUserEvent("select"))) {
              place.current(toPointer(segmentsAt(update.state, update.state.selection.main.head)));
            }
          }),
        ],
      }),
    });
    view.current = editor;
    const shown = reveal.current;
    if (shown !== undefined) editor.dispatch({ effects: EditorView.scrollIntoView(rangeOf(editor.state, fromPointer(shown)).from, { y: "start", yMargin: 36 }) });
    return () => {
      editor.destroy();
      view.current = null;
    };
  }, [store]);

  // Changed elsewhere: only what differs is replaced, so that the caret stays where it is.
  useEffect(() => {
    const editor = view.current;
    if (!editor) return;
    const old = editor.state.doc.toString();
    if (old === text) return;
    let from = 0;
    const most = Math.min(old.length, text.length);
    while (from < most && old.charCodeAt(from) === text.charCodeAt(from)) from++;
    let end = 0;
    while (end < most - from && old.charCodeAt(old.length - 1 - end) === text.charCodeAt(text.length - 1 - end)) end++;
    editor.dispatch({ changes: { from, to: old.length - end, insert: text.slice(from, text.length - end) }, annotations: external.of(true) });
  }, [text]);

  useEffect(() => {
    const editor = view.current;
    if (!editor) return;
    const { length } = editor.state.doc;
    editor.dispatch(setDiagnostics(editor.state, problems.map((problem) => diagnostic(editor.state, problem, length))));
  }, [problems, text]);

  // A problem was clicked, or a step opened.
  useEffect(() => {
    const editor = view.current;
    if (!editor || !focus) return;
    const { from, to } = rangeOf(editor.state, fromPointer(focus.pointer));
    editor.dispatch({ selection: { anchor: from, head: from }, effects: EditorView.scrollIntoView(from, { y: to - from > 400 ? "start" : "center" }) });
    editor.focus();
  }, [focus]);

  const first = problems.find((problem) => problem.code === "json") ?? problems[0];
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      {unreadable && (
        <div role="alert" className="flex items-center gap-2 border-b border-line bg-bad-soft px-3 py-1.5 text-xs">
          <span className="min-w-0 flex-1">
            <span className="text-bad">{first ? sentence(first.message) : "This is not a document yet."}</span> The canvas shows the last one that could be read.
          </span>
          <Button onClick={() => store.discardSource()}>Discard the text</Button>
        </div>
      )}
      <div ref={host} data-testid="json" className="min-h-0 flex-1 overflow-hidden" />
    </div>
  );
}

function diagnostic(state: EditorState, problem: ProblemItem, length: number): Diagnostic {
  const at = /\(line (\d+), column (\d+)\)/.exec(problem.message);
  let range = { from: 0, to: Math.min(1, length) };
  if (problem.code === "json" && at) {
    const line = state.doc.line(Math.max(1, Math.min(Number(at[1]), state.doc.lines)));
    const from = Math.min(line.to, line.from + Math.max(0, Number(at[2]) - 1));
    range = { from: Math.max(line.from, Math.min(from, line.to - 1)), to: Math.max(from, line.from) };
  } else if (problem.pointer !== "") {
    const { from, to } = rangeOf(state, fromPointer(problem.pointer));
    // A whole step is too much to underline.
    range = { from, to: Math.min(to, state.doc.lineAt(from).to) };
  }
  return { ...range, severity: "error", message: `${sentence(problem.message)}${problem.suggestion ? ` ${sentence(problem.suggestion)}` : ""}` };
}
