import { createConnection, createServer, type Socket } from "node:net";

/** A link to a server over TCP that counts what is asked of it. */
export interface CountingLink {
  /** `host:port`. */
  address: string;
  /** Bytes that clients have sent so far: none more, and nothing was asked. */
  asked(): number;
  stop(): Promise<void>;
}

/** @param target `host:port` of the server behind it */
export async function startCountingLink(target: string): Promise<CountingLink> {
  const [host, port] = target.split(":");
  const open = new Set<Socket>();
  let asked = 0;
  const keep = (socket: Socket) => {
    open.add(socket);
    socket.on("error", () => undefined); // the other side tells of it
    socket.on("close", () => open.delete(socket));
  };
  const server = createServer((client) => {
    const upstream = createConnection({ host: host ?? "127.0.0.1", port: Number(port) });
    keep(client);
    keep(upstream);
    client.on("data", (data) => (asked += data.length));
    client.pipe(upstream);
    upstream.pipe(client);
    client.on("close", () => upstream.destroy());
    upstream.on("close", () => client.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The link got no port.");
  return {
    address: `127.0.0.1:${address.port}`,
    asked: () => asked,
    async stop() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
