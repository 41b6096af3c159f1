import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { StartError } from "../../start-error.ts";

/** An unprivileged account that Postgres runs as when we are root; Postgres itself refuses to run as root. */
export interface Account {
  name: string;
  uid: number;
  gid: number;
}

const CANDIDATES = ["postgres", "nobody"];

/** The account to run Postgres as: none when we are not root, since it then runs as ourselves. */
export function postgresAccount(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const lines = readFileSync("/etc/passwd", "utf8").split("\n");
  for (const candidate of CANDIDATES) {
    const [name, , uid, gid] =
      lines.find((line) => line.startsWith(`${candidate}:`))?.split(":") ?? [];
    // `>>> 0`: macOS writes nobody's id as -2, where system calls want it unsigned.
    if (name && uid && gid) return { name, uid: Number(uid) >>> 0, gid: Number(gid) >>> 0 };
  }
  throw new StartError(
    `Postgres does not run as root, and this machine has none of the accounts ${CANDIDATES.join(", ")} to run it as. ` +
      "Create one (useradd --system postgres), start as another user, or set DATABASE_URL to a Postgres of your own.",
  );
}

/** Whether that account can enter a folder: every folder above it must let it through, and /root usually does not. */
export function canEnter(account: Account, folder: string): boolean {
  const { uid, gid } = account;
  return (
    spawnSync("/bin/sh", ["-c", 'cd "$1"', "sh", folder], { uid, gid, cwd: "/", stdio: "ignore" })
      .status === 0
  );
}
