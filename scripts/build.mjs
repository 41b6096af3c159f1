// Builds the three Workers into dist/<name>/, as they are deployed. `npm run build`
import { spawn } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

export const WORKERS = [
  { name: "api", config: "wrangler.toml" },
  { name: "bot", config: "workers/bot/wrangler.toml" },
  { name: "cron", config: "workers/cron/wrangler.toml" },
];

/** Runs `wrangler deploy --dry-run` for one Worker; rejects with what it printed. */
function build({ name, config }) {
  const wrangler = fileURLToPath(
    new URL("../node_modules/wrangler/bin/wrangler.js", import.meta.url),
  );
  const args = [
    wrangler,
    "deploy",
    "--dry-run",
    "--env",
    "",
    "-c",
    config,
    "--outdir",
    path.join(root, "dist", name), // absolute, since wrangler takes it from the config's folder
  ];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd: root,
      // What wrangler starts by `node` is to be this Node, whatever the machine has.
      env: {
        ...process.env,
        PATH: [path.dirname(process.execPath), process.env.PATH ?? ""].join(path.delimiter),
        WRANGLER_SEND_METRICS: "false",
      },
    });
    let output = "";
    child.stdout.on("data", (data) => (output += data));
    child.stderr.on("data", (data) => (output += data));
    child.on("error", reject);
    child.on("exit", (code) =>
      code === 0 ? resolve() : reject(new Error(`The ${name} Worker does not build:\n${output}`)),
    );
  });
}

/** Builds the named Workers, or all. */
export async function buildWorkers(names = WORKERS.map((worker) => worker.name)) {
  await Promise.all(WORKERS.filter((worker) => names.includes(worker.name)).map(build));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await buildWorkers(process.argv.length > 2 ? process.argv.slice(2) : undefined);
}
