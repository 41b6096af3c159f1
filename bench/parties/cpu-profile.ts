import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";

const samplingIntervalMicros = 200;

const targets = z.array(
  z.object({ id: z.string(), title: z.string().optional(), webSocketDebuggerUrl: z.string() }),
);
const reply = z.object({
  id: z.number().optional(),
  result: z.object({ profile: z.unknown() }).partial().optional(),
  error: z.object({ message: z.string() }).optional(),
});

export type ProfileOptions = { port: number; worker: string; seconds: number };

/** Records a CPU profile of one Worker by workerd's inspector; returns it as the JSON of a `.cpuprofile`. */
export async function recordCpuProfile({ port, worker, seconds }: ProfileOptions): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/json`);
  const found = targets.parse(await response.json());
  const target = found.find(({ id, title }) => id.includes(worker) || title?.includes(worker));
  if (target === undefined)
    throw new Error(
      `the inspector knows no ${worker}, only ${found.map(({ id }) => id).join(", ")}`,
    );

  const inspector = await openInspector(target.webSocketDebuggerUrl);
  try {
    await inspector.send("Profiler.enable");
    await inspector.send("Profiler.setSamplingInterval", { interval: samplingIntervalMicros });
    await inspector.send("Profiler.start");
    await sleep(seconds * 1_000);
    const { profile } = await inspector.send("Profiler.stop");
    return JSON.stringify(profile);
  } finally {
    inspector.close();
  }
}

async function openInspector(url: string) {
  const socket = new WebSocket(url);
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve, { once: true });
    socket.addEventListener("error", () => reject(new Error(`no inspector at ${url}`)), {
      once: true,
    });
  });
  let lastId = 0;
  return {
    close: () => socket.close(),
    send: (method: string, params: Record<string, unknown> = {}) => {
      const id = ++lastId;
      const { promise, resolve, reject } = Promise.withResolvers<{ profile?: unknown }>();
      const listen = (event: MessageEvent) => {
        const message = reply.parse(JSON.parse(String(event.data)));
        if (message.id !== id) return;
        socket.removeEventListener("message", listen);
        if (message.error === undefined) resolve(message.result ?? {});
        else reject(new Error(`${method}: ${message.error.message}`));
      };
      socket.addEventListener("message", listen);
      socket.addEventListener(
        "close",
        () => reject(new Error(`${method}: the inspector closed the connection`)),
        { once: true },
      );
      socket.send(JSON.stringify({ id, method, params }));
      return promise;
    },
  };
}
