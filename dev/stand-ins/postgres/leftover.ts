import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, readlinkSync } from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { StartError } from "../../start-error.ts";

/** The setting through which a server carries the process id of who started it. */
export const OWNER_SETTING = "switchyard.owner";

const GRACE_MS = 10_000;

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch (error) {
    // EPERM: it is there, and another user's.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** In a container whose first process takes no leave of orphans, an ended process keeps its id. */
function isZombie(pid: number): boolean {
  try {
    return statFields(pid)[0] === "Z";
  } catch {
    return false;
  }
}

/** What Linux says of a process, from its state on: the name before may itself hold spaces and brackets. */
function statFields(pid: number): string[] {
  return readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
}

/** A process's command line and parent; empty where it is gone. Slim containers have no `ps`, macOS has no /proc. */
function inspect(pid: number): { command: string; parent: number } {
  try {
    if (existsSync("/proc/self/stat")) {
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
      return { command, parent: Number(statFields(pid)[1]) };
    }
  } catch {
    return { command: "", parent: 0 };
  }
  const output = spawnSync("ps", ["-o", "ppid=,command=", "-p", String(pid)], {
    encoding: "utf8",
  }).stdout.trim();
  const [, parent = "0", command = ""] = /^(\d+)\s+(.*)$/s.exec(output) ?? [];
  return { command, parent: Number(parent) };
}

/** Ids are reused, so a file that names a process proves nothing: it must be a server of ours in this very folder. */
function isServerOf(folder: string, pid: number, command: string): boolean {
  if (!command.includes(`${OWNER_SETTING}=`)) return false;
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === folder;
  } catch {
    return command.includes(folder);
  }
}

async function waitForEnd(pid: number, withinMs: number): Promise<boolean> {
  const deadline = Date.now() + withinMs;
  while (isAlive(pid)) {
    if (Date.now() > deadline) return false;
    await delay(20);
  }
  return true;
}

/**
 * Ends the server that an earlier start left behind in this folder when it was killed itself. Its data is whole:
 * Postgres recovers by its log. A server whose owner still runs is left alone.
 *
 * @throws when the folder is in use by another start.
 */
export async function endLeftoverServer(folder: string): Promise<void> {
  const pidFile = path.join(folder, "postmaster.pid");
  if (!existsSync(pidFile)) return;
  const pid = Number(readFileSync(pidFile, "utf8").split("\n")[0]);
  if (!Number.isSafeInteger(pid) || pid <= 1 || !isAlive(pid)) return; // Postgres itself removes a stale file
  const { command, parent } = inspect(pid);
  if (!isServerOf(folder, pid, command)) return;
  const owner = Number(new RegExp(`${OWNER_SETTING}=(\\d+)`).exec(command)?.[1]);
  if (parent === owner && isAlive(owner)) {
    throw new StartError(
      `${folder} is in use: process ${owner} runs its Postgres. End that one first, or set SWITCHYARD_DATA to another folder.`,
    );
  }
  for (const signal of ["SIGINT", "SIGQUIT", "SIGKILL"] as const) {
    process.kill(pid, signal);
    if (await waitForEnd(pid, GRACE_MS)) return;
  }
}
