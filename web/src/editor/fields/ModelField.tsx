import type { Catalog } from "@/api/types";
import { Combobox } from "@/ui/combobox";
import { Select } from "@/ui/field";
import { usdPerMillion } from "@/ui/format";
import { useOffered } from "../context";
import { toPointer, type JsonObject, type Segments } from "../pointer";
import { Row } from "./Row";

const text = (value: unknown) => (typeof value === "string" ? value : "");

type Model = Catalog["models"][number];

const priceOf = ({ price }: Model) => `${usdPerMillion(price.input_picousd)} in, ${usdPerMillion(price.output_picousd)} out`;

/** Who is asked: the provider and its model, with what it costs. */
export function ModelField({ at, value, required, onChange }: { at: Segments; value: JsonObject; required: boolean; onChange: (at: Segments, value: unknown, about: string) => void }) {
  const { catalog } = useOffered();
  const provider = text(value.provider);
  const model = text(value.model);
  const models = catalog?.models.filter((each) => provider === "" || each.provider === provider) ?? [];
  const known = models.find((each) => each.model === model);
  const names = catalog?.providers.map((each) => each.name) ?? [];
  const set = (name: "provider" | "model", next: string) => onChange([...at, name], next === "" ? undefined : next, toPointer([...at, name]));
  return (
    <div className="grid grid-cols-[minmax(0,2fr)_minmax(0,3fr)] items-start gap-2">
      <Row label="Provider" pointer={toPointer([...at, "provider"])} required={required && provider === ""}>
        {(ids) => (
          <Select {...ids} value={provider} onChange={(event) => set("provider", event.target.value)}>
            <option value="">Default</option>
            {names.map((name) => (
              <option key={name} value={name}>
                {name}
                {catalog?.providers.find((each) => each.name === name)?.configured ? "" : " (not set up)"}
              </option>
            ))}
            {provider !== "" && !names.includes(provider) && <option value={provider}>{provider} (unknown)</option>}
          </Select>
        )}
      </Row>
      <Row label="Model" pointer={toPointer([...at, "model"])} required={required && model === ""}>
        {(ids) => (
          <>
            <Combobox
              {...ids}
              aria-label="Model"
              placeholder="Default"
              value={model}
              choices={models.map((each) => ({ value: each.model, note: priceOf(each) }))}
              onChange={(next) => set("model", next)}
            />
            <p className={known ? "num text-xs text-muted" : "text-xs text-muted"}>{known ? priceOf(known) : model === "" ? "The default of the workflow or of this server" : "No price is known for this model"}</p>
          </>
        )}
      </Row>
    </div>
  );
}
