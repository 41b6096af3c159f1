import { type z } from "zod";
import { type fromChild, toChild } from "./messages.ts";

/** What a process of the bench does: start once, answer calls, stop when the bench is gone. */
export type ChildDefinition<Input extends z.ZodType> = {
  input: Input;
  start: (input: z.infer<Input>) => Promise<RunningChild>;
};

export type RunningChild = {
  /** Sent to the bench as soon as the process can be used. */
  ready: unknown;
  calls?: Record<string, (input: unknown) => unknown>;
  stop?: () => Promise<void>;
};

/**
 * Runs this process for the bench, until the bench closes its IPC channel. The channel also closes
 * when the bench is killed, so nothing is left behind by a `kill -9`.
 */
export function runChild<Input extends z.ZodType>(definition: ChildDefinition<Input>): void {
  let running: Promise<RunningChild> | undefined;

  process.on("message", (raw) => {
    const message = toChild.parse(raw);
    if (message.type === "start") {
      running = Promise.resolve(definition.input.parse(message.input)).then(definition.start);
      running.then(
        ({ ready }) => send({ type: "ready", value: ready }),
        (error: unknown) => send({ type: "failed", id: null, message: describe(error) }),
      );
      return;
    }
    answer(running, message).then(
      (value) => send({ type: "result", id: message.id, value }),
      (error: unknown) => send({ type: "failed", id: message.id, message: describe(error) }),
    );
  });

  // Ctrl-C in a terminal reaches every process of the group. The bench decides when each one stops.
  process.on("SIGINT", () => {});
  process.once("disconnect", () => void stop(running));
}

async function answer(
  running: Promise<RunningChild> | undefined,
  message: { name: string; input?: unknown },
): Promise<unknown> {
  const call = (await running)?.calls?.[message.name];
  if (call === undefined) throw new Error(`this process knows no call "${message.name}"`);
  return call(message.input);
}

async function stop(running: Promise<RunningChild> | undefined): Promise<void> {
  try {
    await (await running)?.stop?.();
    process.exit(0);
  } catch (error) {
    console.error(describe(error));
    process.exit(1);
  }
}

function send(message: z.infer<typeof fromChild>): void {
  if (process.connected) process.send?.(message);
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
