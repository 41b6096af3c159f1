// `npm run check`: everything that can be said about the code without running it. Needs no network.
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, cpSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { buildWorkers } from "./build.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const bin = (name) => path.join(root, "node_modules", ".bin", name);

/** Bytes after gzip that a Worker's bundle may have: a guard of the cold start, far below the 3 MiB that the platform takes. */
const BUNDLE_BUDGET = {
  api: 640 * 1024,
  bot: 400 * 1024,
  // It writes PDFs, with the fonts for them; nobody waits for its cold start.
  cron: 1536 * 1024,
};

const ENV_TYPES = [
  { worker: "api", config: "wrangler.toml", type: "ApiEnv" },
  { worker: "bot", config: "workers/bot/wrangler.toml", type: "BotEnv" },
  { worker: "cron", config: "workers/cron/wrangler.toml", type: "CronEnv" },
];

/** Runs a tool under this Node; rejects with what it printed. */
function run(command, args) {
  const env = {
    ...process.env,
    PATH: `${path.join(root, "node_modules", ".bin")}:${process.env.PATH}`,
    WRANGLER_SEND_METRICS: "false",
  };
  return new Promise((resolve, reject) => {
    execFile(
      command,
      args,
      { cwd: root, env, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        if (error) reject(new Error(`${stdout}\n${stderr}`.trim()));
        else resolve(stdout);
      },
    );
  });
}

/** The tables must be what the migrations make: drizzle-kit must find nothing to add to them. */
async function migrationsAreComplete() {
  const copy = mkdtempSync(path.join(tmpdir(), "switchyard-migrations-"));
  try {
    cpSync(path.join(root, "schema/migrations"), copy, { recursive: true });
    const before = readdirSync(copy).length;
    await run(bin("drizzle-kit"), [
      "generate",
      "--dialect",
      "postgresql",
      "--schema",
      "./schema/index.ts",
      "--out",
      path.relative(root, copy),
      "--name",
      "drift",
    ]);
    if (readdirSync(copy).length !== before)
      throw new Error(
        "The tables in schema/ differ from the migrations. Run `npm run db:generate`.",
      );
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

async function bundlesFit() {
  await buildWorkers();
  const sizes = Object.entries(BUNDLE_BUDGET).map(([name, budget]) => {
    const size = gzipSync(readFileSync(path.join(root, "dist", name, "index.js")), {
      level: 9,
    }).length;
    return { name, size, budget };
  });
  const line = sizes
    .map(({ name, size, budget }) => `${name} ${Math.round(size / 1024)} of ${budget / 1024} KiB`)
    .join(", ");
  if (sizes.some(({ size, budget }) => size > budget))
    throw new Error(`A bundle is over its budget (gzip): ${line}`);
  return line;
}

const envTypes = ({ worker, config, type }) =>
  run(bin("wrangler"), [
    "types",
    `workers/${worker}/env.d.ts`,
    "--check",
    "--config",
    config,
    "--include-runtime=false",
    "--strict-vars=false",
    "--env-interface",
    type,
  ]);

/** @type {[string, () => Promise<unknown>][]} */
const CHECKS = [
  ["format", () => run(bin("oxfmt"), ["--check"])],
  ["lint", () => run(bin("oxlint"), ["--type-aware", "--max-warnings=0"])],
  ["types of the Workers", () => run(bin("tsc"), ["-p", "tsconfig.json"])],
  ["types of the rest", () => run(bin("tsc"), ["-p", "tsconfig.node.json"])],
  ["Env types", () => Promise.all(ENV_TYPES.map(envTypes))],
  ["migrations", migrationsAreComplete],
  ["unused code", () => run(bin("knip"), ["--no-progress"])],
  ["bundle sizes", bundlesFit],
  ["OpenAPI document", () => run(process.execPath, ["scripts/openapi.mjs", "--check"])],
];

let failed = 0;
for (const [name, check] of CHECKS) {
  const started = Date.now();
  try {
    const note = await check();
    const more = name === "bundle sizes" ? `: ${String(note)}` : "";
    console.log(`ok    ${name}${more} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failed += 1;
    console.error(`FAIL  ${name}\n${error instanceof Error ? error.message : String(error)}\n`);
  }
}
process.exit(failed > 0 ? 1 : 0);
