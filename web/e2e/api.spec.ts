import { readFile } from "node:fs/promises";
import { expect, test } from "./server";

test("the committed API description is the one that is served", async ({ server }) => {
  const committed: unknown = JSON.parse(await readFile(new URL("../openapi.json", import.meta.url), "utf8"));
  expect(await server.get("/api/openapi.json"), `run: npm run api:generate -- ${server.url}`).toEqual(committed);
});
