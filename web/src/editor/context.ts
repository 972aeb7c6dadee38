import type { Catalog, ProblemItem } from "@/api/types";
import { createContext, useContext } from "react";
import type { Language } from "./language";

/** What the server says is wrong with the document. */
export const ProblemsContext = createContext<readonly ProblemItem[]>([]);
export const useProblems = () => useContext(ProblemsContext);

export interface Offered {
  language: Language;
  /** Absent until it was read. */
  catalog: Catalog | undefined;
}

export const OfferedContext = createContext<Offered | null>(null);

export function useOffered(): Offered {
  const offered = useContext(OfferedContext);
  if (!offered) throw new Error("The editor's parts stand inside an OfferedContext.");
  return offered;
}
