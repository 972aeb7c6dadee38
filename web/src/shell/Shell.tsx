import { openApprovalsQuery, versionQuery } from "@/api/queries";
import { useLocked } from "@/api/session";
import { IconButton } from "@/ui/button";
import { useHotkeys } from "@/ui/hotkeys";
import { setTheme, useTheme, type ThemeChoice } from "@/ui/theme";
import { Toasts } from "@/ui/toast";
import { useQuery } from "@tanstack/react-query";
import { Link, Outlet, useRouterState } from "@tanstack/react-router";
import { Command, CircleHelp, ListTree, Monitor, Moon, Radio, Settings, Sun, UserCheck, Workflow } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { ConnectionDot } from "./ConnectionDot";
import { HelpDialog } from "./HelpDialog";
import { Palette } from "./Palette";
import { SignIn } from "./SignIn";

const pages = [
  { to: "/runs", label: "Runs", icon: ListTree },
  { to: "/traces", label: "Traces", icon: Radio },
  { to: "/workflows", label: "Workflows", icon: Workflow },
  { to: "/approvals", label: "Approvals", icon: UserCheck },
  { to: "/settings", label: "Settings", icon: Settings },
] as const;

/** What is around every page: the rail (at the bottom on a narrow screen), the palette, the connection. */
export function Shell() {
  const [open, setOpen] = useState<"palette" | "help" | null>(null);
  const locked = useLocked();
  const main = useRef<HTMLElement>(null);
  const path = useRouterState({ select: (state) => state.location.pathname });
  const { data: version } = useQuery(versionQuery);

  useHotkeys({
    "mod+k": () => setOpen((now) => (now === "palette" ? null : "palette")),
    "?": () => setOpen("help"),
  });
  useFocusOnNavigation(main);

  return (
    <div className="flex h-full flex-col-reverse sm:flex-row">
      <a
        href="#main"
        onClick={(event) => {
          event.preventDefault();
          main.current?.focus();
        }}
        className="absolute -top-20 left-2 z-50 rounded bg-accent px-3 py-1.5 text-accent-text focus:top-2"
      >
        Skip to the page
      </a>
      <nav
        aria-label="Main"
        className="flex shrink-0 items-center border-t border-line bg-panel sm:w-12 sm:flex-col sm:items-stretch sm:border-t-0 sm:border-r lg:w-44"
      >
        <Link to="/runs" aria-label="FlowTrace" className="hidden h-11 items-center gap-2 px-3.5 sm:flex">
          <img src="/favicon.svg" alt="" width={20} height={20} />
          <span className="hidden text-base font-semibold lg:inline">FlowTrace</span>
        </Link>
        <ul className="flex min-w-0 flex-1 sm:mt-1 sm:flex-none sm:flex-col sm:gap-0.5 sm:px-1.5">
          {pages.map(({ to, label, icon: Icon }) => (
            <li key={to} className="min-w-0 flex-auto sm:flex-none">
              <Link
                to={to}
                title={label}
                className="flex h-12 flex-col items-center justify-center rounded px-0 text-[11px] text-muted relative hover:bg-hover data-within:bg-selected data-within:font-medium data-within:!text-text hover:text-text sm:h-8 sm:flex-row sm:gap-2.5 sm:px-2 sm:text-sm lg:justify-start"
                // Sessions are reached from the traces and have no place of their own in the rail.
                {...(to === "/traces" && path.startsWith("/sessions") ? { "data-within": true } : {})}
                activeProps={{ className: "bg-selected font-medium !text-text" }}
              >
                <Icon size={16} aria-hidden />
                <span className="sm:sr-only lg:not-sr-only">{label}</span>
                {to === "/approvals" && <OpenApprovals />}
              </Link>
            </li>
          ))}
        </ul>
        <div className="flex items-center gap-1 px-1 sm:mt-auto sm:flex-col sm:items-stretch sm:px-1.5 sm:pb-2">
          {version?.simulated && (
            <span
              title="Answers come from the simulated models: nothing is sent out, nothing costs money."
              className="rounded border border-warn/50 px-1 text-center text-xs text-warn lg:mx-1"
            >
              <span className="sr-only lg:not-sr-only">simulated</span>
              <span className="lg:hidden" aria-hidden>
                sim
              </span>
            </span>
          )}
          <div className="flex items-center sm:flex-col lg:flex-row">
            <IconButton label="Command palette (Ctrl K)" onClick={() => setOpen("palette")}>
              <Command size={15} aria-hidden />
            </IconButton>
            <span className="hidden sm:contents">
              <IconButton label="Keyboard help (?)" onClick={() => setOpen("help")}>
                <CircleHelp size={15} aria-hidden />
              </IconButton>
              {/* On a narrow screen the palette has it. */}
              <ThemeSwitch />
            </span>
          </div>
          <ConnectionDot />
        </div>
      </nav>
      <main ref={main} id="main" tabIndex={-1} className="flex min-h-0 min-w-0 flex-1 flex-col outline-none">
        {locked ? <SignIn /> : <Outlet />}
      </main>
      {open === "palette" && <Palette onClose={() => setOpen(null)} onHelp={() => setOpen("help")} />}
      {open === "help" && <HelpDialog onClose={() => setOpen(null)} />}
      <Toasts />
    </div>
  );
}

/** How many questions wait for somebody. */
function OpenApprovals() {
  const { data: open } = useQuery({ ...openApprovalsQuery, refetchInterval: 5_000, refetchOnWindowFocus: true });
  if (!open) return null;
  return (
    <span className="num absolute top-0.5 right-1/2 min-w-4 translate-x-5 rounded-full bg-accent px-1 text-center text-[11px] leading-4 font-medium text-accent-text sm:right-0 sm:translate-x-0 lg:static lg:ml-auto">
      {open > 99 ? "99+" : open}
      <span className="sr-only"> open</span>
    </span>
  );
}

const nextTheme: Record<ThemeChoice, ThemeChoice> = { system: "light", light: "dark", dark: "system" };
const themeIcons = { system: Monitor, light: Sun, dark: Moon };

function ThemeSwitch() {
  const { choice } = useTheme();
  const Icon = themeIcons[choice];
  return (
    <IconButton label={`Theme: ${choice}. Switch to ${nextTheme[choice]}`} onClick={() => setTheme(nextTheme[choice])}>
      <Icon size={15} aria-hidden />
    </IconButton>
  );
}

/** A screen reader should notice that another page is there; the first one it reads anyway. */
function useFocusOnNavigation(main: React.RefObject<HTMLElement | null>) {
  const pathname = useRouterState({ select: (state) => state.resolvedLocation?.pathname });
  const last = useRef(pathname);
  useEffect(() => {
    if (last.current !== undefined && pathname !== last.current && !main.current?.contains(document.activeElement)) {
      main.current?.focus({ preventScroll: true });
    }
    last.current = pathname;
  }, [pathname, main]);
}

