import { Server } from "node:net";
import { z } from "zod";
import { runChild } from "../process/child.ts";

/**
 * Runs the npm build of Portkey's gateway in this process, as its own start script does. Streams need
 * the `@hono/node-server` 1.14.1 that package.json holds it to: with a newer one, which npm takes by
 * itself, it answers every stream with 500 (Portkey-AI/gateway#1389).
 */
runChild({
  input: z.object({}),
  start: async () => {
    process.env["NODE_ENV"] = "production";
    process.argv = [process.execPath, "start-server.js", "--headless"];
    const port = listeningPort();
    await import("@portkey-ai/gateway/build/start-server.js");
    return { ready: { port: await port } };
  },
});

/**
 * The gateway takes one fixed port on every interface and tells nobody when it listens. Here its server
 * gets a free port of the loopback interface; nothing that serves a request is touched.
 */
function listeningPort(): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const listen = Server.prototype.listen;
  Server.prototype.listen = function listenOnLoopback(this: Server): Server {
    this.once("listening", () => {
      const address = this.address();
      if (address !== null && typeof address === "object") resolve(address.port);
    });
    // `call` cannot choose between the overloads of `listen` by itself.
    return (listen as (options: { host: string; port: number }) => Server).call(this, {
      host: "127.0.0.1",
      port: 0,
    });
  };
  return promise;
}
