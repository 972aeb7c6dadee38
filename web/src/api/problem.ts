import type { ProblemItem } from "./types";

/** An answer of the server that is not a success, or no answer at all (`status` 0). */
export class ApiProblem extends Error {
  readonly status: number;
  readonly code: string;
  readonly problems: ProblemItem[];

  constructor(status: number, code: string, message: string, problems: ProblemItem[] = []) {
    super(message);
    this.name = "ApiProblem";
    this.status = status;
    this.code = code;
    this.problems = problems;
  }

  get unreachable(): boolean {
    return this.status === 0;
  }

  static unreachable(): ApiProblem {
    return new ApiProblem(0, "unreachable", "The server does not answer. Is it running?");
  }

  /** From a problem document, or from whatever else a proxy in between may have sent. */
  static from(status: number, body: unknown): ApiProblem {
    if (typeof body === "object" && body !== null && "detail" in body) {
      const { detail, code, problems } = body as { detail: unknown; code?: unknown; problems?: ProblemItem[] };
      return new ApiProblem(status, String(code ?? "error"), String(detail), Array.isArray(problems) ? problems : []);
    }
    return new ApiProblem(status, "error", `The server answered ${status} without saying why.`);
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
