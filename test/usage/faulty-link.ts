import { createConnection, createServer, type Socket } from "node:net";

/** How a link treats what goes through it. */
export type LinkState =
  | "up"
  /** Nobody can connect, and open connections are cut. */
  | "down"
  /** Requests arrive and are done, and the connection is cut before the answer. */
  | "answers_lost"
  /** Requests arrive, and nothing more happens. */
  | "silent";

/** A link to a server over TCP that fails as it is told to. */
export interface FaultyLink {
  /** `host:port`. */
  address: string;
  set(state: LinkState): void;
  /** Answers that were swallowed. */
  lost(): number;
  stop(): Promise<void>;
}

/** @param target `host:port` of the server behind it */
export async function startFaultyLink(target: string): Promise<FaultyLink> {
  const [host, port] = target.split(":");
  const open = new Set<Socket>();
  let state: LinkState = "up";
  let lost = 0;
  const server = createServer((client) => {
    if (state === "down") return client.destroy();
    const upstream = createConnection({ host: host ?? "127.0.0.1", port: Number(port) });
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on("error", () => undefined); // cut connections are what this is for
      socket.on("close", () => {
        open.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on("data", (data) => upstream.write(data));
    upstream.on("data", (data) => {
      if (state === "up") return client.write(data);
      lost++;
      if (state === "answers_lost") client.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The link got no port.");
  const cut = () => {
    for (const socket of open) socket.destroy();
  };
  return {
    address: `127.0.0.1:${address.port}`,
    set(next) {
      state = next;
      if (next === "down") cut();
    },
    lost: () => lost,
    async stop() {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
