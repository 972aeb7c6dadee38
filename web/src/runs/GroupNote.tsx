import { Chip } from "@/ui/chip";
import { count, plural } from "@/ui/format";
import type { Sum } from "./rows";

/** What a closed or open group holds, in a few words. */
export function GroupNote({ rows, sum }: { rows: number; sum: Sum }) {
  return (
    <>
      <span className="num text-xs text-muted" title={`${plural(rows, "row")} directly under it, ${plural(sum.steps, "step")} in all`}>
        {count(sum.steps)}
      </span>
      {sum.failed > 0 && (
        <Chip tone="bad" title={`${count(sum.failed)} failed`}>
          {count(sum.failed)}
          <span className="hidden @min-[760px]:inline"> failed</span>
        </Chip>
      )}
      {sum.active > 0 && <Chip tone="accent">{count(sum.active)} under way</Chip>}
    </>
  );
}
