import { Button, IconButton } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { Field, Input, Select } from "@/ui/field";
import { toast } from "@/ui/toast";
import { Bookmark, Trash2 } from "lucide-react";
import { useState } from "react";
import { isSame, loadSaved, storeSaved, withSaved, type Saved } from "./saved";
import { filtersOf, type TracesSearch } from "./search";

/** Filters under names, kept in this browser. */
export function SavedFilters({ search, onReplace }: { search: TracesSearch; onReplace: (filters: TracesSearch) => void }) {
  const [all, setAll] = useState(loadSaved);
  const [naming, setNaming] = useState(false);
  const [name, setName] = useState("");
  const current = all.findIndex((saved) => isSame(saved.search, search));
  const filtered = Object.keys(filtersOf(search)).length > 0;
  // Another tab may have saved one meanwhile.
  const store = (change: (old: Saved[]) => Saved[]) => {
    const next = change(loadSaved());
    if (!storeSaved(next)) toast("This browser keeps nothing: the filter is gone when the page is closed.");
    setAll(next);
  };
  if (all.length === 0 && !filtered) return null;
  return (
    <>
      {all.length > 0 && (
        <Select
          aria-label="Saved filters"
          value={current < 0 ? "" : String(current)}
          onChange={(event) => {
            const saved = all[Number(event.target.value)];
            if (saved && event.target.value !== "") onReplace(saved.search);
          }}
          className="min-w-0 flex-1 sm:!w-40 sm:flex-none"
        >
          <option value="">Saved filters</option>
          {all.map((saved, index) => (
            <option key={saved.name} value={index}>
              {saved.name}
            </option>
          ))}
        </Select>
      )}
      {current >= 0 ? (
        <IconButton label={`Delete the saved filter ${all[current]?.name}`} onClick={() => store((old) => old.filter((saved) => saved.name !== all[current]?.name))}>
          <Trash2 size={14} aria-hidden />
        </IconButton>
      ) : (
        filtered && (
          <Button variant="ghost" onClick={() => setNaming(true)}>
            <Bookmark size={14} aria-hidden />
            Save the filter
          </Button>
        )
      )}
      {naming && (
        <Dialog title="Save the filter" onClose={() => setNaming(false)}>
          <form
            className="grid gap-3 p-4"
            onSubmit={(event) => {
              event.preventDefault();
              store((old) => withSaved(old, { name: name.trim(), search: filtersOf(search) }));
              setName("");
              setNaming(false);
            }}
          >
            <Field label="Name" hint="Kept in this browser. One with the same name is replaced.">
              {(ids) => <Input {...ids} required pattern=".*\S.*" maxLength={60} value={name} onChange={(event) => setName(event.target.value)} />}
            </Field>
            <div className="flex justify-end">
              <Button type="submit" variant="primary">
                Save
              </Button>
            </div>
          </form>
        </Dialog>
      )}
    </>
  );
}
