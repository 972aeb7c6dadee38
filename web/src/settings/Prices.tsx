import type { Catalog } from "@/api/types";
import { Input } from "@/ui/field";
import { usdPerMillion } from "@/ui/format";
import { useState } from "react";

/** What models cost, as far as it is known. */
export function Prices({ models }: { models: Catalog["models"] }) {
  const [text, setText] = useState("");
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const found = models.filter(({ provider, model }) => words.every((word) => `${provider} ${model}`.toLowerCase().includes(word)));
  return (
    <>
      <Input type="search" aria-label="Filter the models" placeholder="Filter by provider or model" value={text} onChange={(event) => setText(event.target.value)} className="mb-1 !w-64" />
      <div className="max-h-72 overflow-auto border-y border-line" tabIndex={0} role="region" aria-label="List of prices">
        <table className="w-full">
          <thead className="sticky top-0 bg-bg text-xs text-muted">
            <tr>
              {["Provider", "Model"].map((name) => (
                <th key={name} scope="col" className="py-1 pr-3 text-left font-normal">
                  {name}
                </th>
              ))}
              {["Input", "From cache", "To cache", "Output"].map((name) => (
                <th key={name} scope="col" className="py-1 pl-3 text-right font-normal">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {found.map(({ provider, model, price }) => (
              <tr key={`${provider}/${model}`} className="border-t border-line/60">
                <td className="py-0.5 pr-3 text-muted">{provider}</td>
                <td className="whitespace-nowrap">{model}</td>
                {[price.input_picousd, price.cache_read_picousd ?? price.input_picousd, price.cache_write_picousd ?? price.input_picousd, price.output_picousd].map((each, index) => (
                  <td key={index} className="num pl-3 text-right">
                    {usdPerMillion(each).replace(" / M", "")}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
        {found.length === 0 && <p className="py-4 text-center text-muted">No model matches.</p>}
      </div>
    </>
  );
}
