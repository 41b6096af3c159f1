// Puts together what the api Worker serves as static files, in dist/assets/. Wrangler runs it before each build.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { cutReportFonts } from "./cut-report-fonts.mjs";
import { cutVinData } from "./cut-vin-data.mjs";

const assets = fileURLToPath(new URL("../dist/assets", import.meta.url));
const swaggerUi = path.dirname(fileURLToPath(import.meta.resolve("swagger-ui-dist/package.json")));

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Switchyard API</title>
    <link rel="stylesheet" href="./swagger-ui.css" />
    <link rel="icon" type="image/png" sizes="32x32" href="./favicon-32x32.png" />
  </head>
  <body>
    <div id="docs"></div>
    <noscript>This page needs JavaScript. The same is at <a href="/openapi.json">/openapi.json</a>.</noscript>
    <script src="./swagger-ui-bundle.js"></script>
    <script src="./start.js"></script>
  </body>
</html>
`;

const START = `SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#docs",
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  filter: true,
  tryItOutEnabled: true,
  validatorUrl: null,
});
`;

const docs = path.join(assets, "docs");
mkdirSync(docs, { recursive: true });
for (const file of ["swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"])
  put(file, readFileSync(path.join(swaggerUi, file)));
put("index.html", Buffer.from(PAGE));
put("start.js", Buffer.from(START));

await cutVinData();
await cutReportFonts();

/** Writes what has changed only, since `wrangler dev` reloads on every write, and in one step, for builds side by side. */
function put(name, content) {
  const file = path.join(docs, name);
  if (isCurrent(file, content)) return;
  const unfinished = path.join(assets, `.${name}.${process.pid}`);
  writeFileSync(unfinished, content);
  renameSync(unfinished, file);
}

function isCurrent(file, content) {
  try {
    return readFileSync(file).equals(content);
  } catch {
    return false; // not there yet
  }
}
