import { createConnection, createServer, type Socket } from "node:net";

/** How a link treats what goes through it. */
export type LinkState =
  | "up"
  /** Connections are refused, and open ones are cut. */
  | "down"
  /** Requests arrive and are done, and the connection is cut before the answer. */
  | "answers_lost"
  /** Connections are taken and requests arrive, and nothing more happens. */
  | "silent"
  /** Everything arrives, later. */
  | "slow"
  /** Up and cut off by turns. */
  | "flapping";

/** How long each piece is on its way through a slow link, in milliseconds; there and back makes twice that. */
const SLOW_MS = 400;
/** How long a flapping link is up, and then cut off, in milliseconds. */
const FLAP_MS = 250;

/** A link to a server over TCP that fails as it is told to. */
export interface FaultLink {
  /** `host:port`. */
  address: string;
  set(state: LinkState): Promise<void>;
  /** Answers that were swallowed. */
  lost(): number;
  stop(): Promise<void>;
}

/** @param target `host:port` of the server behind it */
export async function startFaultLink(target: string): Promise<FaultLink> {
  const [host, port] = target.split(":");
  const open = new Set<Socket>();
  let state: LinkState = "up";
  let lost = 0;
  let isCutOff = false;
  let flaps: ReturnType<typeof setInterval> | undefined;
  const cut = () => {
    for (const socket of open) socket.destroy();
  };
  const keep = (socket: Socket) => {
    open.add(socket);
    socket.on("error", () => undefined); // cut connections are what this is for
    socket.on("close", () => open.delete(socket));
  };
  /** Lets through what comes from one side; nothing overtakes what is still on its way. */
  const forward = (from: Socket, to: Socket, isAnswer: boolean) => {
    let lastAt = 0;
    const later = (act: () => void) => {
      const now = Date.now();
      lastAt = Math.max(lastAt, now + (state === "slow" ? SLOW_MS : 0));
      if (lastAt > now) setTimeout(act, lastAt - now);
      else act();
    };
    from.on("data", (data) => {
      if (isAnswer && (state === "answers_lost" || state === "silent")) {
        lost++;
        if (state === "answers_lost") to.destroy();
      } else later(() => to.write(data));
    });
    // A silent server does not even say that it has had enough.
    const isKept = () => isAnswer && state === "silent";
    from.on("end", () => isKept() || later(() => to.end()));
    from.on("close", () => isKept() || later(() => to.destroy()));
  };
  const server = createServer({ allowHalfOpen: true }, (client) => {
    keep(client);
    if (isCutOff) return void client.destroy();
    const upstream = createConnection({ host: host ?? "127.0.0.1", port: Number(port) });
    keep(upstream);
    forward(client, upstream, false);
    forward(upstream, client, true);
  });
  const listen = (on: number) =>
    new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(on, "127.0.0.1", resolve);
    });
  const close = async () => {
    clearInterval(flaps);
    const closed = new Promise((resolve) => server.close(resolve));
    cut();
    await closed;
  };
  await listen(0);
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The link got no port.");
  return {
    address: `127.0.0.1:${address.port}`,
    async set(next) {
      clearInterval(flaps);
      isCutOff = false;
      if (next === "down" && server.listening) await close();
      else if (state === "silent" && next !== "silent") cut(); // what was swallowed would be waited for
      if (next !== "down" && !server.listening) await listen(address.port);
      if (next === "flapping")
        flaps = setInterval(() => {
          isCutOff = !isCutOff;
          if (isCutOff) cut();
        }, FLAP_MS);
      state = next;
    },
    lost: () => lost,
    async stop() {
      await close();
    },
  };
}
