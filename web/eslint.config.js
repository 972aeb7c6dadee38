import boundaries from "eslint-plugin-boundaries";
import reactHooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

const feature = (name) => ({ type: name, pattern: `src/${name}` });
const allow = (from, ...to) => ({ from: { element: { type: from } }, allow: { to: { element: { type: [from, ...to] } } } });

export default tseslint.config(
  { ignores: ["dist", "node_modules", "src/api/schema.d.ts", "test-results", "playwright-report"] },
  ...tseslint.configs.recommended,
  reactHooks.configs.flat.recommended,
  {
    files: ["src/**/*.{ts,tsx}"],
    plugins: { boundaries },
    settings: {
      "boundaries/elements": [
        ...["ui", "api", "nodes", "shell", "runs", "approvals", "replay", "compare", "workflows", "settings", "editor", "traces"].map(feature),
        { type: "app", pattern: "src/*.{ts,tsx}", partialMatch: false },
      ],
      "import/resolver": { typescript: { project: "tsconfig.app.json" } },
    },
    rules: {
      // Who may import whom; the drawing is in README.md.
      "boundaries/dependencies": [
        "error",
        {
          default: "disallow",
          policies: [
            allow("ui"),
            allow("api"),
            allow("nodes", "ui", "api"),
            allow("shell", "ui", "api"),
            // A step can be answered, and replayed, from the page of its run.
            allow("runs", "ui", "api", "nodes", "approvals", "replay"),
            // A trace is shown with the waterfall, the tree and the parts of the pane that a run has; its model calls can be replayed.
            allow("traces", "ui", "api", "nodes", "runs", "replay"),
            allow("approvals", "ui", "api", "nodes"),
            allow("replay", "ui", "api", "nodes"),
            allow("compare", "ui", "api", "nodes"),
            allow("workflows", "ui", "api", "nodes"),
            allow("settings", "ui", "api"),
            // The editor starts runs with the same dialog as the list.
            allow("editor", "ui", "api", "nodes", "workflows"),
            allow("app", "ui", "api", "shell", "runs", "approvals", "compare", "workflows", "settings", "editor", "traces"),
          ],
        },
      ],
      // These two are about the React Compiler, which is not in use here.
      "react-hooks/preserve-manual-memoization": "off",
      "react-hooks/incompatible-library": "off",
    },
  },
);
