// The API's types are generated from openapi.json and committed with it.
//
//   node scripts/api.mjs write [URL]   with a URL of a running server, takes its description first; then writes the types
//   node scripts/api.mjs check [URL]   fails if the types (and, with a URL, the description) are not the committed ones
import { readFile, writeFile } from "node:fs/promises";
import openapiTS, { astToString } from "openapi-typescript";

const [mode, url] = process.argv.slice(2);
const description = new URL("../openapi.json", import.meta.url);
const types = new URL("../src/api/schema.d.ts", import.meta.url);

const pretty = (value) => `${JSON.stringify(value, null, 2)}\n`;
const committed = await readFile(description, "utf8").catch(() => "");
const served = url ? pretty(await (await fetch(new URL("/api/openapi.json", url))).json()) : committed;
if (!served) throw new Error("There is no openapi.json yet: give the address of a running server.");
const generated = `// Generated from openapi.json by \`npm run api:generate\`. Do not edit.\n${astToString(await openapiTS(served))}`;

if (mode === "write") {
  await writeFile(description, served);
  await writeFile(types, generated);
} else if (mode === "check") {
  const stale = [];
  if (served !== committed) stale.push("openapi.json");
  if (generated !== (await readFile(types, "utf8").catch(() => ""))) stale.push("src/api/schema.d.ts");
  if (stale.length > 0) {
    console.error(`Not up to date: ${stale.join(", ")}. Run \`npm run api:generate -- http://127.0.0.1:7878\` against a server of this commit.`);
    process.exit(1);
  }
  console.log("The API's types are up to date.");
} else {
  console.error("Say `write` or `check`.");
  process.exit(2);
}
