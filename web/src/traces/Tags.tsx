import { Chip } from "@/ui/chip";
import { plural } from "@/ui/format";

/** The first `most` tags, and how many more there are. */
export function Tags({ tags, most }: { tags: readonly string[]; most: number }) {
  const more = tags.slice(most);
  return (
    <>
      {tags.slice(0, most).map((tag) => (
        <Chip key={tag} title={tag}>
          <span className="max-w-[18ch] truncate leading-4" dir="auto">
            {tag}
          </span>
        </Chip>
      ))}
      {more.length > 0 && <Chip title={more.join(", ")}>{most === 0 ? plural(more.length, "tag") : `+${more.length}`}</Chip>}
    </>
  );
}
