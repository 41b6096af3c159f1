import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { canEnter, type Account } from "./account.ts";
import { StartError } from "../../start-error.ts";

/** Where the data is, and how the server is told so. */
export interface DataFolder {
  /** The real path. */
  path: string;
  /** What to pass as `-D` to a program that is started inside the folder. */
  argument: string;
  password: string;
}

// Beside the data and readable by its owner only. Loopback is open to every account of the machine, so a fixed
// password would let any of them run programs as this account (COPY … PROGRAM).
const PASSWORD_FILE = "switchyard.password";

/**
 * The `-D` argument. The account may be unable to reach the folder by its path (a project below /root). Both
 * programs are started inside it though, and on Linux a process can always reach the folder that it is in through
 * /proc/self/cwd, whatever the folders above it allow.
 */
function folderArgument(folder: string, account: Account | undefined): string {
  if (!account || canEnter(account, folder)) return folder;
  if (process.platform === "linux") return "/proc/self/cwd";
  throw new StartError(
    `Postgres runs as "${account.name}" here, which can't enter ${folder}. ` +
      "Set SWITCHYARD_DATA to a folder outside of /root, or start as another user.",
  );
}

/**
 * Opens the data folder, and on the first run makes it with an empty database cluster in it. A new one is made
 * beside it and moved into place when it is whole, so an interrupted first run leaves nothing half done.
 */
export function prepareDataFolder(
  folder: string,
  binaries: string,
  account: Account | undefined,
): DataFolder {
  const real = path.resolve(folder);
  const passwordFile = path.join(real, PASSWORD_FILE);
  if (!existsSync(passwordFile)) {
    if (existsSync(real) && readdirSync(real).length > 0) {
      throw new StartError(
        `${real} holds other files than npm start puts there. Set SWITCHYARD_DATA to another folder.`,
      );
    }
    mkdirSync(path.dirname(real), { recursive: true });
    const unfinished = `${real}.unfinished`;
    rmSync(unfinished, { recursive: true, force: true });
    mkdirSync(unfinished, { mode: 0o700 });
    if (account) chownSync(unfinished, account.uid, account.gid);
    initialise(unfinished, binaries, account);
    rmSync(real, { recursive: true, force: true }); // empty, as checked above
    renameSync(unfinished, real);
  }
  return {
    path: real,
    argument: folderArgument(real, account),
    password: readFileSync(passwordFile, "utf8").trim(),
  };
}

function initialise(folder: string, binaries: string, account: Account | undefined): void {
  const secret = mkdtempSync(path.join(tmpdir(), "switchyard-initdb-"));
  const passwordFile = path.join(secret, "password");
  const password = `${randomBytes(18).toString("base64url")}\n`;
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (account) for (const file of [secret, passwordFile]) chownSync(file, account.uid, account.gid);
  const options = [
    `--pgdata=${folderArgument(folder, account)}`,
    "--username=postgres",
    "--auth=password",
    `--pwfile=${passwordFile}`,
    // As on Neon: UTF-8 with the "C.UTF-8" rules, which need no locale of the system.
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--no-sync",
  ];
  const ids = account && { uid: account.uid, gid: account.gid };
  const run = spawnSync(path.join(binaries, "bin", "initdb"), options, {
    ...ids,
    cwd: folder,
    encoding: "utf8",
  });
  rmSync(secret, { recursive: true, force: true });
  if (run.status !== 0) {
    throw new StartError(
      `Postgres could not set up its data in ${folder}: ${run.error?.message ?? run.stderr.trim()}`,
    );
  }
  writeFileSync(path.join(folder, PASSWORD_FILE), password, { mode: 0o600 });
}
