import { unpricedQuery } from "@/api/traces";
import { Button } from "@/ui/button";
import { CopyIcon } from "@/ui/copy";
import { Dialog } from "@/ui/dialog";
import { count, plural } from "@/ui/format";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { CircleDollarSign } from "lucide-react";
import { useState } from "react";

/** Models whose calls are missing in the cost: what they are, and how to give them a price. Nothing where there are none. */
export function Unpriced() {
  const { data } = useQuery(unpricedQuery);
  const [open, setOpen] = useState(false);
  const models = data?.models ?? [];
  if (models.length === 0) return null;
  // Calls that name no model get a price by no setting.
  const named = models.filter(({ provider, model }) => provider !== "" && model !== "");
  const lines = named.map(({ provider, model }) => `[prices.${JSON.stringify(provider)}.${JSON.stringify(model)}]\ninput = …    # dollars per million tokens\noutput = …`).join("\n\n");
  return (
    <>
      <Button variant="ghost" className="!text-warn" title="Their calls are missing in every cost" onClick={() => setOpen(true)}>
        <CircleDollarSign size={14} aria-hidden />
        <span>
          {plural(models.length, "model")}
          <span className="sr-only sm:not-sr-only"> without a price</span>
        </span>
      </Button>
      {open && (
        <Dialog title="Models without a price" onClose={() => setOpen(false)} className="w-[min(640px,calc(100vw-24px))]">
          <div className="grid max-h-[70vh] grid-cols-[minmax(0,1fr)] gap-3 overflow-y-auto p-4" tabIndex={0} role="region" aria-label="Models without a price">
            <p className="text-muted">No price is known for these, so their calls are missing in every cost: it is shown as “at least” or as unknown, never as nothing.</p>
            <table className="w-full">
              <thead>
                <tr className="text-left text-xs text-muted">
                  <th scope="col" className="font-normal">
                    Model
                  </th>
                  <th scope="col" className="font-normal">
                    Provider
                  </th>
                  <th scope="col" className="text-right font-normal">
                    Calls
                  </th>
                  <th scope="col" className="pl-4 font-normal">
                    Last on
                  </th>
                </tr>
              </thead>
              <tbody>
                {models.map((one) => (
                  <tr key={one.model}>
                    <th scope="row" className="py-0.5 pr-3 text-left font-medium break-all">
                      {one.model ? (
                        <Link to="/traces" search={{ model: one.model }} onClick={() => setOpen(false)} className="text-accent underline">
                          {one.model}
                        </Link>
                      ) : (
                        "not named by the sender"
                      )}
                    </th>
                    <td className="pr-3 break-all">{one.provider || "not named"}</td>
                    <td className="num text-right">{count(one.calls)}</td>
                    <td className="num pl-4 whitespace-nowrap text-muted">{one.last_day}</td>
                  </tr>
                ))}
              </tbody>
            </table>
            {named.length > 0 && (
              <section aria-label="Give them a price">
                <p className="flex items-center gap-1">
                  In the configuration file of the server; after a restart, calls that came before get their cost too:
                  <CopyIcon text={() => lines} label="Copy the lines" />
                </p>
                <pre className="mt-1 max-h-52 overflow-auto rounded border border-line bg-raised px-3 py-2 font-mono text-xs" tabIndex={0}>
                  {lines}
                </pre>
              </section>
            )}
          </div>
        </Dialog>
      )}
    </>
  );
}
