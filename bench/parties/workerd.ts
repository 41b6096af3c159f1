import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { z } from "zod";

/** A Worker as workerd's own configuration describes it. */
export type WorkerdWorker = {
  name: string;
  /** Its bundle, or the name of one that workerd brings with it. */
  source: { path: string } | { bundled: string };
  compatibilityDate: string;
  compatibilityFlags: readonly string[];
  vars?: Record<string, string>;
  /** Values that are parsed as JSON. */
  json?: Record<string, unknown>;
  services?: Record<string, string>;
  /** Folders that are served by a binding, as static assets are. */
  folders?: Record<string, string>;
  /** Names of queues by their binding. They live in the Worker called `queues`. */
  queues?: Record<string, string>;
  /** Durable Objects by their binding, of this Worker or another one. */
  objects?: Record<string, { className: string; worker?: string }>;
  /** Classes of Durable Objects that are this Worker's own. */
  classes?: readonly string[];
  /** Whose objects they stand for, where that is not this Worker: their ids are the same. */
  standsFor?: string;
  /** The binding by which it reaches what runs in another workerd, by that one's debug port. */
  reaches?: string;
};

export type RunningWorkerd = {
  port: number;
  pid: number;
  /** Where other processes reach its Workers and their objects. */
  debugAddress: string;
  stop: () => Promise<void>;
};

/**
 * Runs Workers on plain workerd, without the Workers that Miniflare puts before a Worker and behind each of its
 * fetches. All parties on workerd are measured this way, so that none carries what the platform does not have.
 * The first Worker is the one that listens. `onExit` hears of a workerd that ended by itself.
 */
export async function startWorkerd(
  workers: readonly [WorkerdWorker, ...WorkerdWorker[]],
  options: { inspectorPort?: number | undefined; onExit: (code: number | null) => void },
): Promise<RunningWorkerd> {
  const folder = await mkdtemp(join(tmpdir(), "switchyard-bench-"));
  for (const { name, source } of workers) {
    if (!("path" in source)) continue;
    await symlink(source.path, join(folder, `${name}.js`));
    for (const file of dataFiles(source.path))
      await symlink(join(dirname(source.path), file), join(folder, `${name}-${file}`));
  }
  await writeFile(join(folder, "config.capnp"), configuration(workers, folder));
  const { inspectorPort, onExit } = options;
  const inspector =
    inspectorPort === undefined ? [] : [`--inspector-addr=127.0.0.1:${inspectorPort}`];
  const workerd = spawn(
    workerdPath(),
    [
      "serve",
      "--experimental",
      "--control-fd=3",
      "--debug-port=127.0.0.1:0",
      ...inspector,
      join(folder, "config.capnp"),
    ],
    { stdio: ["ignore", "ignore", "inherit", "pipe"] },
  );
  workerd.once("exit", onExit);
  const ports = await listeningPorts(workerd.stdio[3]);
  return {
    port: ports.http,
    pid: workerd.pid ?? 0,
    debugAddress: `127.0.0.1:${ports["debug-port"]}`,
    stop: async () => {
      workerd.off("exit", onExit);
      if (workerd.exitCode === null && workerd.signalCode === null) {
        const ended = once(workerd, "exit");
        workerd.kill("SIGKILL");
        await ended;
      }
      await rm(folder, { recursive: true });
    },
  };
}

function configuration(workers: readonly WorkerdWorker[], folder: string): string {
  const names = workers.map(({ name }) => `(name = ${quote(name)}, worker = .${constant(name)})`);
  const folders = workers.flatMap(({ name, folders: own = {} }) =>
    Object.entries(own).map(
      ([binding, path]) =>
        `(name = ${quote(folderName(name, binding))}, disk = (path = ${quote(path)}))`,
    ),
  );
  const first = workers[0]?.name ?? "";
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    ${[...names, ...folders].join(",\n    ")},
    (name = "internet", network = (allow = ["public", "private"])),
    (name = "disk", disk = (path = ${quote(folder)}, writable = true)),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = ${quote(first)})],
);
${workers.map(workerConstant).join("\n")}`;
}

function workerConstant(worker: WorkerdWorker): string {
  const { name, source, compatibilityDate, compatibilityFlags, classes = [] } = worker;
  const owner = worker.standsFor ?? name;
  const module =
    "path" in source
      ? `(name = "index.js", esModule = embed ${quote(`${name}.js`)})`
      : `(name = "index.js", bundled = ${quote(source.bundled)})`;
  const data = ("path" in source ? dataFiles(source.path) : []).map(
    (file) => `(name = ${quote(file)}, data = embed ${quote(`${name}-${file}`)})`,
  );
  const namespaces = classes.map(
    (className) =>
      `(className = ${quote(className)}, uniqueKey = ${quote(`${owner}-${className}`)}, enableSql = true)`,
  );
  const objects =
    classes.length === 0
      ? ""
      : `durableObjectNamespaces = [${namespaces.join(", ")}],\n  durableObjectStorage = (localDisk = "disk"),`;
  return `const ${constant(name)} :Workerd.Worker = (
  modules = [${[module, ...data].join(", ")}],
  compatibilityDate = ${quote(compatibilityDate)},
  compatibilityFlags = [${compatibilityFlags.map(quote).join(", ")}],
  bindings = [
    ${bindings(worker).join(",\n    ")}
  ],
  ${objects}
);`;
}

/** Fonts, which a bundle has beside it as they are. */
function dataFiles(bundle: string): string[] {
  return readdirSync(dirname(bundle)).filter((file) => file.endsWith(".ttf"));
}

const folderName = (worker: string, binding: string) => `${worker}-${binding}`;

function bindings(worker: WorkerdWorker): string[] {
  const { name: own, vars, json, services, folders, queues, objects, reaches } = worker;
  const each = <Value>(
    values: Record<string, Value> | undefined,
    write: (value: Value) => string,
  ) =>
    Object.entries(values ?? {}).map(([name, value]) => `(name = ${quote(name)}, ${write(value)})`);
  return [
    ...each(vars, (value) => `text = ${quote(value)}`),
    ...each(json, (value) => `json = ${quote(JSON.stringify(value))}`),
    ...each(services, (value) => `service = ${quote(value)}`),
    ...Object.keys(folders ?? {}).map(
      (name) => `(name = ${quote(name)}, service = ${quote(folderName(own, name))})`,
    ),
    ...each(
      queues,
      (queue) => `queue = (name = "queues", props = (json = ${quote(JSON.stringify({ queue }))}))`,
    ),
    ...each(objects, ({ className, worker }) =>
      worker === undefined
        ? `durableObjectNamespace = ${quote(className)}`
        : `durableObjectNamespace = (className = ${quote(className)}, serviceName = ${quote(worker)})`,
    ),
    ...(reaches === undefined ? [] : [`(name = ${quote(reaches)}, workerdDebugPort = void)`]),
  ];
}

/** Cap'n Proto's constants are written in camel case. */
function constant(name: string): string {
  return `worker${name.replaceAll(/(^|-)([a-z])/g, (_, _dash, letter: string) => letter.toUpperCase())}`;
}

/** A text of Cap'n Proto's config language; nothing that the bench puts there needs more than these escapes. */
function quote(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

/** The workerd that Miniflare brings, so that all parties on workerd run on the same one. */
function workerdPath(): string {
  const require = createRequire(import.meta.resolve("miniflare"));
  return z.object({ default: z.string() }).parse(require("workerd")).default;
}

/** workerd announces each socket as a line of JSON on its control pipe. */
async function listeningPorts(control: unknown): Promise<Record<"http" | "debug-port", number>> {
  const announcement = z.object({
    event: z.literal("listen"),
    socket: z.enum(["http", "debug-port"]),
    port: z.number(),
  });
  const ports = { http: 0, "debug-port": 0 };
  // Node types the extra pipe as readable or writable; a pipe that the child writes to is readable here.
  for await (const line of createInterface({ input: control as Readable })) {
    const message = announcement.safeParse(JSON.parse(line));
    if (message.success) ports[message.data.socket] = message.data.port;
    if (ports.http > 0 && ports["debug-port"] > 0) return ports;
  }
  throw new Error("workerd ended before it listened");
}
