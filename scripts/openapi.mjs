// Writes docs/openapi.json from the api Worker's routes; `--check` only says whether it is up to date.
import { readFileSync, writeFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { isDeepStrictEqual } from "node:util";
import { fileURLToPath } from "node:url";

const file = fileURLToPath(new URL("../docs/openapi.json", import.meta.url));

// The routes are plain TypeScript that Node reads as it is. Should one of them import the platform's own module, it
// gets an empty class: nothing of it runs while the document is made.
const PLATFORM = `export class DurableObject {} export class WorkerEntrypoint {} export class RpcTarget {} export const env = {}; export const waitUntil = () => {};`;
registerHooks({
  resolve: (specifier, context, next) =>
    specifier.startsWith("cloudflare:")
      ? {
          url: `data:text/javascript,${encodeURIComponent(PLATFORM)}`,
          format: "module",
          shortCircuit: true,
        }
      : next(specifier, context),
});

await import("../workers/api/openapi.ts"); // first, as in index.ts
const { createApp } = await import("../workers/api/app.ts");
const { openApiDocument } = await import("../workers/api/routes/documentation.ts");
const document = JSON.parse(JSON.stringify(openApiDocument(createApp(), null)));

if (process.argv.includes("--check")) {
  if (!isDeepStrictEqual(document, readCurrent())) {
    console.error("docs/openapi.json is not what the routes say. Run `npm run openapi`.");
    process.exit(1);
  }
} else {
  writeFileSync(file, `${JSON.stringify(document, null, 2)}\n`);
}

/** The checked-in document, or null where there is none. */
function readCurrent() {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return null;
  }
}
