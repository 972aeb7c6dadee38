import { catalogQuery } from "@/api/queries";
import type { GraphNode } from "@/api/types";
import { WordDiff } from "@/ui/diff";
import { Field, Input, TextArea } from "@/ui/field";
import { prettyJson } from "@/ui/json";
import { JsonField } from "@/ui/jsonField";
import { useQuery } from "@tanstack/react-query";
import { useId, type ReactNode } from "react";
import { restOf, textEdits, type NodeDraft } from "./edits";

interface Props {
  node: GraphNode;
  draft: NodeDraft;
  onChange: (draft: NodeDraft) => void;
  /** Who answered the step that is replayed. */
  provider?: string | null;
  model?: string | null;
  autoFocus: boolean;
}

/** Everything of a node that can be different this time. */
export function NodeFields({ node, draft, onChange, provider, model, autoFocus }: Props) {
  const { data: catalog } = useQuery(catalogQuery);
  const models = useId();
  const fields = textEdits(node.type);
  const text = (key: keyof NodeDraft["texts"]) => draft.texts[key] ?? (typeof node.config?.[key] === "string" ? node.config[key] : "");
  const set = (part: Partial<NodeDraft>) => onChange({ ...draft, ...part });
  const say = (key: keyof NodeDraft["texts"], value: string) => set({ texts: { ...draft.texts, [key]: value } });
  const prompt = fields[0]?.key;
  const rest = prettyJson(restOf(node));
  const inputs = prettyJson(node.inputs ?? {});
  return (
    <>
      {fields
        .filter((each) => each.long)
        .filter((each, index) => index === 0 || text(each.key) !== "" || node.config?.[each.key] !== undefined)
        .map(({ key, label }, index) => (
          <Field key={key} label={label}>
            {(ids) => (
              <TextArea
                {...ids}
                dir="auto"
                autoFocus={autoFocus && index === 0}
                rows={Math.min(12, Math.max(key === prompt ? 4 : 2, text(key).split("\n").length + 1))}
                value={text(key)}
                onChange={(event) => say(key, event.target.value)}
              />
            )}
          </Field>
        ))}
      {prompt && draft.texts[prompt] !== undefined && draft.texts[prompt] !== node.config?.[prompt] && (
        <section aria-label="What you changed" className="rounded border border-line bg-bg px-3 py-2">
          <WordDiff before={String(node.config?.[prompt] ?? "")} after={text(prompt)} />
        </section>
      )}
      {fields.some((each) => !each.long) && (
        <div className="grid grid-cols-2 gap-3">
          {fields
            .filter((each) => !each.long)
            .map(({ key, label }) => (
              <Field key={key} label={label}>
                {(ids) => (
                  <Input {...ids} list={`${models}-${key}`} placeholder={(key === "model" ? model : provider) ?? "as configured"} value={text(key)} onChange={(event) => say(key, event.target.value)} />
                )}
              </Field>
            ))}
          <datalist id={`${models}-provider`}>
            {catalog?.providers.map((each) => <option key={each.name} value={each.name} />)}
          </datalist>
          <datalist id={`${models}-model`}>
            {catalog?.models.filter((each) => each.provider === (text("provider") || provider)).map((each) => <option key={each.model} value={each.model} />)}
          </datalist>
        </div>
      )}
      <More title={fields.length > 0 ? "The rest of its configuration" : "Its configuration"} open={fields.length === 0}>
        <JsonField label="Configuration, as JSON" value={draft.rest ?? rest} onChange={(rest) => set({ rest })} />
      </More>
      {Object.keys(node.inputs ?? {}).length > 0 && (
        <More title="Its inputs">
          <JsonField label="Inputs of the step, as JSON" value={draft.inputs ?? inputs} onChange={(inputs) => set({ inputs })} />
        </More>
      )}
    </>
  );
}

export function More({ title, open, children }: { title: string; open?: boolean; children: ReactNode }) {
  return (
    <details open={open} className="rounded border border-line">
      <summary className="px-3 py-1 text-muted">{title}</summary>
      <div className="border-t border-line p-3">{children}</div>
    </details>
  );
}
