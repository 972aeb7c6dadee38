import { api } from "@/api/client";
import type { Run } from "@/api/types";
import { Button } from "@/ui/button";
import { Chip, type ChipTone } from "@/ui/chip";
import { Pause, Play, Square } from "lucide-react";
import { useCancelRun } from "./useCancelRun";
import { useRunAction } from "./useRunAction";

const phases: Record<string, { word: string; tone: ChipTone; title: string }> = {
  paused: { word: "paused", tone: "warn", title: "Somebody paused it: no further step begins until it is resumed" },
  compensating: { word: "undoing", tone: "warn", title: "What was done is being taken back, because the run failed or was canceled" },
};

/** What a running run is doing, where that is neither working nor waiting. */
export function PhaseChip({ run }: { run: Run }) {
  const phase = run.phase ? phases[run.phase] : undefined;
  return phase ? (
    <Chip tone={phase.tone} title={phase.title}>
      {phase.word}
    </Chip>
  ) : null;
}

/** Pause, resume and cancel, as far as the run's phase allows them. */
export function RunActions({ run }: { run: Run }) {
  const cancel = useCancelRun();
  const pause = useRunAction(run.id, () => api.pauseRun(run.id));
  const resume = useRunAction(run.id, () => api.resumeRun(run.id));
  const undoing = run.phase === "compensating";
  return (
    <>
      {run.phase === "paused" ? (
        <Button variant="primary" disabled={resume.isPending} onClick={() => resume.mutate(undefined)}>
          <Play size={13} aria-hidden />
          Resume
        </Button>
      ) : (
        !undoing &&
        !run.cancel_requested && (
          <Button disabled={pause.isPending} title="No further step begins; calls in flight come back and are recorded" onClick={() => pause.mutate(undefined)}>
            <Pause size={13} aria-hidden />
            Pause
          </Button>
        )
      )}
      <Button
        variant="danger"
        disabled={cancel.isPending || run.cancel_requested || undoing}
        title={undoing ? "What was done is being taken back; that cannot be canceled" : undefined}
        onClick={() => cancel.mutate(run.id)}
      >
        <Square size={13} aria-hidden />
        {run.cancel_requested ? "Canceling" : "Cancel"}
      </Button>
    </>
  );
}
