import { api } from "@/api/client";
import { useConnection, type Connection } from "@/api/connection";
import { cx } from "@/ui/cx";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";

const looks: Record<Connection, { word: string; dot: string; title: string }> = {
  connecting: { word: "connecting", dot: "bg-idle-fill", title: "Asking the server" },
  live: { word: "live", dot: "bg-ok-fill", title: "Connected: what you see is current" },
  reconnecting: { word: "reconnecting", dot: "bg-warn-fill", title: "The server did not answer; trying again" },
  offline: { word: "offline", dot: "bg-bad-fill", title: "The server does not answer. What you see may be old." },
};

/** Whether the server answers. Every request tells; a slow heartbeat asks when nothing else does. */
export function ConnectionDot() {
  const connection = useConnection();
  const client = useQueryClient();
  useQuery({
    queryKey: ["health"],
    queryFn: ({ signal }) => api.health(signal),
    refetchInterval: connection === "live" ? 10_000 : 1_500,
    retry: false,
  });

  // Back again: whatever is on the page may be old or broken.
  const before = useRef(connection);
  useEffect(() => {
    const was = before.current;
    before.current = connection;
    if (connection === "live" && (was === "reconnecting" || was === "offline")) void client.invalidateQueries();
  }, [connection, client]);

  const { word, dot, title } = looks[connection];
  return (
    <span role="status" title={title} className="flex h-6 items-center gap-1.5 px-1.5 text-xs text-muted sm:justify-center lg:justify-start">
      <span className={cx("size-2 shrink-0 rounded-full", dot)} aria-hidden />
      <span className="sr-only lg:not-sr-only">{word}</span>
    </span>
  );
}
