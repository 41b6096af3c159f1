import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { type z } from "zod";
import { fromChild } from "./messages.ts";

const readyWithinMs = 180_000;
const stoppedWithinMs = 15_000;

export type Child<Ready> = {
  name: string;
  pid: number;
  ready: Ready;
  /** Calls a function of the process and checks the shape of what comes back. */
  call: <Output extends z.ZodType>(
    name: string,
    input: unknown,
    output: Output,
  ) => Promise<z.infer<Output>>;
  stop: () => Promise<void>;
};

export type ChildOptions<Ready extends z.ZodType> = {
  name: string;
  /** A module that calls `runChild`, beside the caller. */
  module: URL;
  input: unknown;
  ready: Ready;
};

/** Owns every process of one run, so that all of them end with it, however it ends. */
export class Processes {
  readonly #children = new Set<{ stop: () => Promise<void> }>();

  /** Starts a process and waits until it says that it is ready. */
  async start<Ready extends z.ZodType>(
    options: ChildOptions<Ready>,
  ): Promise<Child<z.infer<Ready>>> {
    const child = spawn(process.execPath, [fileURLToPath(options.module)], {
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    const stop = () => stopProcess(child, options.name);
    const handle = { stop };
    this.#children.add(handle);
    child.once("exit", () => this.#children.delete(handle));

    const channel = openChannel(child, options.name);
    child.send({ type: "start", input: options.input });
    const ready = options.ready.parse(await channel.ready);
    return {
      name: options.name,
      pid: child.pid ?? 0,
      ready,
      call: async (name, input, output) => output.parse(await channel.call(name, input)),
      stop,
    };
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.#children].map((child) => child.stop()));
  }
}

type Pending = { resolve: (value: unknown) => void; reject: (error: Error) => void };

function openChannel(child: ChildProcess, name: string) {
  const started = Promise.withResolvers<unknown>();
  const pending = new Map<number, Pending>();
  let lastId = 0;
  let errors = "";
  // The last words of a process that dies are what its user needs to see.
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    errors = (errors + text).slice(-4_000);
  });

  const fail = (error: Error) => {
    started.reject(error);
    for (const { reject } of pending.values()) reject(error);
    pending.clear();
  };
  const timer = setTimeout(
    () => fail(new Error(`${name}: not ready within ${readyWithinMs} ms\n${errors}`)),
    readyWithinMs,
  );
  child.once("error", fail);
  child.once("exit", (code, signal) =>
    fail(new Error(`${name} ended (${signal ?? code})\n${errors}`)),
  );
  child.on("message", (raw) => {
    const message = fromChild.parse(raw);
    if (message.type === "ready") started.resolve(message.value);
    else if (message.type === "result") pending.get(message.id)?.resolve(message.value);
    else if (message.id === null) fail(new Error(`${name}: ${message.message}`));
    else pending.get(message.id)?.reject(new Error(`${name}: ${message.message}`));
    if (message.type !== "ready" && message.id !== null) pending.delete(message.id);
  });

  return {
    ready: started.promise.finally(() => clearTimeout(timer)),
    call: (callName: string, input: unknown) => {
      const { promise, resolve, reject } = Promise.withResolvers<unknown>();
      const id = ++lastId;
      pending.set(id, { resolve, reject });
      child.send(
        { type: "call", id, name: callName, input },
        (error) => error !== null && reject(error),
      );
      return promise;
    },
  };
}

/** Asks a process to end by closing its channel, and ends it by force where it does not listen. */
async function stopProcess(child: ChildProcess, name: string): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  if (child.connected) child.disconnect();
  const timer = setTimeout(() => {
    console.error(`${name} did not stop within ${stoppedWithinMs} ms and is killed`);
    child.kill("SIGKILL");
  }, stoppedWithinMs);
  await ended;
  clearTimeout(timer);
}
