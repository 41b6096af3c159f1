// `npm run bench`: installs what is missing, then runs the bench on the project's own Node 24.
// This file itself runs on any Node that npm runs on.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const bench = fileURLToPath(new URL(".", import.meta.url));

const node = `${root}node_modules/node/bin/node`;
if (!existsSync(node)) install(root, []);
// Nothing that the bench alone needs has a build step, so no script of theirs has to run.
if (isOutdated(bench)) install(bench, ["--ignore-scripts"]);

const child = spawn(
  node,
  [fileURLToPath(new URL("main.ts", import.meta.url)), ...process.argv.slice(2)],
  {
    stdio: "inherit",
  },
);
// Ctrl-C reaches the bench by itself; this process only waits until it has cleaned up.
process.on("SIGINT", () => {});
for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("exit", (code, signal) => {
  process.exitCode = code ?? (signal === null ? 0 : 1);
});

/** Whether a folder's packages are missing, or older than its lock file. */
function isOutdated(folder) {
  const installed = `${folder}node_modules/.package-lock.json`;
  return (
    !existsSync(installed) ||
    statSync(installed).mtimeMs < statSync(`${folder}package-lock.json`).mtimeMs
  );
}

function install(folder, options) {
  console.error(`· installing the packages of ${folder}`);
  const { status } = spawnSync(
    "npm",
    ["ci", "--no-audit", "--no-fund", "--loglevel=error", ...options],
    {
      cwd: folder,
      stdio: ["ignore", "ignore", "inherit"],
      shell: process.platform === "win32",
    },
  );
  if (status !== 0) process.exit(status ?? 1);
}
