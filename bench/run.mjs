// `npm run bench`: installs what is missing, then runs the bench on the project's own Node.
// It runs on any Node that npm start runs on, so it is plain JavaScript.
import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { checkNodeVersion, ensureInstalled, projectNode, runScript } from "../dev/bootstrap.mjs";

const folder = fileURLToPath(new URL(".", import.meta.url));

checkNodeVersion();
await ensureInstalled();
if (isOutdated()) installBench();
process.exitCode = await runScript(await projectNode(), [
  `${folder}main.ts`,
  ...process.argv.slice(2),
]);

/** Whether the packages that only the bench needs are missing, or older than their lock file. */
function isOutdated() {
  const installed = `${folder}node_modules/.package-lock.json`;
  return (
    !existsSync(installed) ||
    statSync(installed).mtimeMs < statSync(`${folder}package-lock.json`).mtimeMs
  );
}

/** None of these packages needs to be built, so no script of theirs has to run. */
function installBench() {
  console.error("· installing the peers and the load generator of the bench");
  const { status } = spawnSync(
    "npm",
    // Not `ci`: it refuses a lock file that leaves out other systems' optional packages.
    ["install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
    {
      cwd: folder,
      stdio: ["ignore", "ignore", "inherit"],
      shell: process.platform === "win32",
    },
  );
  if (status !== 0) process.exit(status ?? 1);
}
