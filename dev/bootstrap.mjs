// Makes a clone ready to run and starts a script on the project's own Node: `node dev/bootstrap.mjs <script> [arguments]`.
// It runs on any Node from 20 on, before anything is installed, so it is plain JavaScript without dependencies.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { constants } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const OLDEST_NODE = 20;
const NODE_BINARY = process.platform === "win32" ? "node.exe" : "node";

export const root = fileURLToPath(new URL("..", import.meta.url));

/** Ends with a sentence where this Node is too old to go on. */
export function checkNodeVersion() {
  const major = Number(process.versions.node.split(".")[0]);
  if (major >= OLDEST_NODE) return;
  console.error(
    `Switchyard needs Node ${OLDEST_NODE} or newer to start, and this is ${process.version}. ` +
      "Install a newer one from https://nodejs.org or with your version manager.",
  );
  process.exit(1);
}

function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

/**
 * What is wrong with node_modules, or undefined. npm writes node_modules/.package-lock.json as its last step, so an
 * install that was interrupted has none or an old one; a folder that somebody deleted shows too.
 */
function whatIsMissing() {
  const wanted = readJson(path.join(root, "package-lock.json"));
  if (!wanted)
    return existsSync(path.join(root, "node_modules")) ? undefined : "nothing is installed yet";
  const installed = readJson(path.join(root, "node_modules", ".package-lock.json"));
  if (!installed) {
    return existsSync(path.join(root, "node_modules"))
      ? "the last install did not finish"
      : "nothing is installed yet";
  }
  for (const [folder, { version, optional, link }] of Object.entries(wanted.packages)) {
    if (folder === "" || link) continue;
    const found = installed.packages[folder];
    // Optional packages are those of other systems; of this one's, npm notes what it installed.
    if (!found && optional) continue;
    if (found?.version !== version)
      return `${folder.replace(/^.*node_modules\//, "")} is not the version that is asked for`;
    if (!existsSync(path.join(root, folder))) return `${folder} is gone`;
  }
  return undefined;
}

/** npm itself when npm started us, so that it is the same one; else whatever `npm` is. */
function npm(args) {
  const cli = process.env.npm_execpath;
  if (cli && /npm-cli\.[cm]?js$/.test(cli)) return [process.execPath, [cli, ...args]];
  return [process.platform === "win32" ? "npm.cmd" : "npm", args];
}

async function runNpm(args) {
  const [command, commandArgs] = npm([
    ...args,
    "--include=dev",
    "--include=optional",
    "--no-audit",
    "--no-fund",
    "--loglevel=error",
  ]);
  const started = Date.now();
  const child = spawn(command, commandArgs, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  // npm draws its progress on a terminal only.
  const progress = setInterval(() => {
    console.error(`  … still installing (${Math.round((Date.now() - started) / 1000)} s)`);
  }, 10_000);
  try {
    return await new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", (code) => resolve(code ?? 1));
    });
  } finally {
    clearInterval(progress);
  }
}

/**
 * Installs the packages if some are missing, old or half installed. `npm install` keeps to the lock file as `npm ci`
 * does, but also works where the lock file does not list the packages of this system; `--no-save` leaves both files as
 * they are.
 */
export async function ensureInstalled() {
  const reason = whatIsMissing();
  if (reason === undefined) return;
  console.error(`Installing packages, since ${reason}. The first time takes about a minute.`);
  const started = Date.now();
  const packages = path.join(root, "node_modules");
  // Without npm's note at the end, some packages may be there in part, which npm would not see.
  if (!existsSync(path.join(packages, ".package-lock.json")))
    rmSync(packages, { recursive: true, force: true });
  if ((await runNpm(["install", "--no-save"])) !== 0) {
    console.error(
      "npm could not install the packages; its message is above. Once that is mended, start again.",
    );
    process.exit(1);
  }
  console.error(`Installed in ${Math.round((Date.now() - started) / 1000)} s.`);
}

function works(binary) {
  return existsSync(binary) && spawnSync(binary, ["--version"], { stdio: "ignore" }).status === 0;
}

/** The project's own Node, from the package `node`; its version is pinned in package.json. */
export async function projectNode() {
  const binary = path.join(root, "node_modules", "node", "bin", NODE_BINARY);
  if (works(binary)) return binary;
  // Its install script was skipped (--ignore-scripts), or it was for another system.
  rmSync(path.join(root, "node_modules", "node"), { recursive: true, force: true });
  await runNpm(["install", "--no-save"]);
  await runNpm(["rebuild", "node"]);
  if (works(binary)) return binary;
  const wanted = Number(
    readJson(path.join(root, "package.json"))?.devDependencies?.node?.split(".")[0],
  );
  if (Number(process.versions.node.split(".")[0]) >= wanted) return process.execPath;
  console.error(
    `The package "node" (version ${wanted}) can't be run here. Install Node ${wanted} yourself and start again.`,
  );
  return process.exit(1);
}

/** The environment in which the project's tools, and its Node, come first. */
export function projectEnvironment(node) {
  const folders = [
    path.dirname(node),
    path.join(root, "node_modules", ".bin"),
    process.env.PATH ?? "",
  ];
  return { ...process.env, PATH: folders.join(path.delimiter) };
}

/**
 * Who waits for us: our parent and its parent, since npm may start us through a shell that would outlive it. Empty where
 * npm did not start us: then we may be meant to run on by ourselves.
 */
function ancestors() {
  if (!process.env.npm_lifecycle_event) return "";
  try {
    const stat = readFileSync(`/proc/${process.ppid}/stat`, "utf8");
    return `${process.ppid} ${stat.split(") ").at(-1).split(" ")[1]}`;
  } catch {
    return String(process.ppid); // only Linux has /proc
  }
}

/**
 * Runs a script on a Node and passes on signals, then waits for it to clean up. A terminal's Ctrl-C reaches the script
 * by itself. When who started us is gone, nobody is left to stop the script, so it is told to end.
 *
 * @returns the exit code, as a shell gives it
 */
export function runScript(node, args) {
  const child = spawn(node, args, { cwd: root, stdio: "inherit", env: projectEnvironment(node) });
  process.on("SIGINT", () => {
    if (!process.stdin.isTTY) child.kill("SIGINT");
  });
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  const before = ancestors();
  const watch = setInterval(() => {
    if (ancestors() !== before) child.kill("SIGTERM");
  }, 1_000);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      clearInterval(watch);
      resolve(code ?? 128 + (constants.signals[signal] ?? 0));
    });
  });
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  checkNodeVersion();
  await ensureInstalled();
  const node = await projectNode();
  // Without a script there is nothing to do but install.
  if (process.argv.length > 2) process.exitCode = await runScript(node, process.argv.slice(2));
}
