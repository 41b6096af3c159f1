import { createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  connectRedis,
  createRedis,
  type RedisBackend,
  RedisError,
  type Reply,
  Status,
} from "./redis.ts";
import { encodeCommand, ReplyReader } from "./resp.ts";

/**
 * A server that speaks RESP as Redis does, over the in-process commands. It sends its answers in small pieces, cut
 * anywhere, as a network may.
 */
class RespServer {
  readonly backend = createRedis();
  readonly sockets = new Set<Socket>();
  readonly seen: string[] = [];
  pieceBytes = 7;
  #server: Server | undefined;

  async start(): Promise<string> {
    const server = createServer((socket) => this.#serve(socket));
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    return `127.0.0.1:${address.port}`;
  }

  async stop(): Promise<void> {
    this.breakConnections();
    await new Promise((resolve) => this.#server?.close(resolve));
    await this.backend.close();
  }

  breakConnections(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  #serve(socket: Socket): void {
    this.sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => this.sockets.delete(socket));
    const reader = new ReplyReader(); // a command has the form of a reply
    let queue: string[][] | undefined;
    let chain = Promise.resolve();
    socket.on("data", (chunk: Buffer) => {
      reader.push(chunk);
      for (const reply of reader.replies()) {
        const command = (Array.isArray(reply) ? reply : []).map(String);
        chain = chain.then(async () => {
          this.seen.push(command[0] ?? "");
          const verb = command[0]?.toUpperCase();
          if (verb === "AUTH")
            return this.#send(
              socket,
              command.at(-1) === "s3cret p@ss" ? new Status("OK") : new RedisError("WRONGPASS no"),
            );
          if (verb === "SELECT") return this.#send(socket, new Status("OK"));
          if (verb === "MULTI") queue = [];
          else if (verb === "EXEC" && queue) {
            const queued = queue;
            queue = undefined;
            const answer = await this.backend
              .transaction(queued)
              .catch((error: RedisError) => error);
            return this.#send(socket, answer);
          } else if (queue) queue.push(command);
          else {
            const [answer = null] = await this.backend.execute([command]);
            return this.#send(socket, answer);
          }
          return this.#send(socket, new Status(verb === "MULTI" ? "OK" : "QUEUED"));
        });
      }
    });
  }

  #send(socket: Socket, reply: Reply): void {
    const bytes = encodeReply(reply);
    if (bytes.length > 100_000) socket.write(bytes);
    else
      for (let at = 0; at < bytes.length; at += this.pieceBytes)
        socket.write(bytes.subarray(at, at + this.pieceBytes));
  }
}

function encodeReply(reply: Reply): Buffer {
  if (reply === null) return Buffer.from("$-1\r\n");
  if (typeof reply === "number") return Buffer.from(`:${reply}\r\n`);
  if (reply instanceof Status) return Buffer.from(`+${reply.text}\r\n`);
  if (reply instanceof RedisError) return Buffer.from(`-${reply.message}\r\n`);
  if (Buffer.isBuffer(reply))
    return Buffer.concat([Buffer.from(`$${reply.length}\r\n`), reply, Buffer.from("\r\n")]);
  return Buffer.concat([Buffer.from(`*${reply.length}\r\n`), ...reply.map(encodeReply)]);
}

describe("a Redis server behind REDIS_URL", () => {
  let server: RespServer;
  let host: string;
  let redis: RedisBackend;

  beforeEach(async () => {
    server = new RespServer();
    host = await server.start();
    redis = connectRedis(`redis://:${encodeURIComponent("s3cret p@ss")}@${host}/2`);
  });
  afterEach(async () => {
    await redis.close();
    await server.stop();
  });

  it("logs in, chooses its database and answers commands in order", async () => {
    const bytes = Buffer.from([0, 13, 10, 255]);
    const replies = await redis.execute([
      ["SET", "k", bytes],
      ["GET", "k"],
      ["GET", "none"],
      ["INCR", "n"],
      ["INCR", "k"],
      ["KEYS", "k"],
    ]);
    expect(server.seen.slice(0, 2)).toEqual(["AUTH", "SELECT"]);
    expect(replies[0]).toEqual(new Status("OK"));
    expect(replies.slice(2, 4)).toEqual([null, 1]);
    expect(replies[4]).toBeInstanceOf(RedisError);
    expect(replies[5]).toEqual([Buffer.from("k")]);
  });

  it("carries a large answer in many pieces", async () => {
    const large = "x".repeat(5_000_000);
    server.pieceBytes = 1000;
    await redis.execute([["SET", "large", large]]);
    expect(String((await redis.execute([["GET", "large"]]))[0])).toBe(large);
  });

  it("runs a transaction, and says why when the server refuses it", async () => {
    expect(
      await redis.transaction([
        ["INCR", "n"],
        ["INCR", "n"],
      ]),
    ).toEqual([1, 2]);
    await expect(redis.transaction([["INCR", "n"], ["NONSENSE"]])).rejects.toThrow(/^EXECABORT/);
    expect(await redis.execute([["GET", "n"]])).toEqual([Buffer.from("2")]);
  });

  it("fails what was on its way when the connection breaks, and connects again for the next", async () => {
    await redis.execute([["SET", "k", "1"]]);
    const lost = redis.execute(Array.from({ length: 50 }, () => ["GET", "k"]));
    server.breakConnections();
    await expect(lost).rejects.toThrow();
    expect(await redis.execute([["GET", "k"]])).toEqual([Buffer.from("1")]);
  });

  it("says what is wrong with the password or the address", async () => {
    const wrong = connectRedis(`redis://:wrong@${host}`);
    await expect(wrong.execute([["PING"]])).rejects.toThrow("WRONGPASS");
    const nobody = connectRedis("redis://127.0.0.1:1");
    await expect(nobody.execute([["PING"]])).rejects.toThrow("ECONNREFUSED");
  });
});

describe("the reader of replies", () => {
  it("finds the same replies wherever the stream is cut", () => {
    const stream = Buffer.concat([
      encodeReply([Buffer.from("a\r\nb"), null, 5, [new Status("OK"), new RedisError("ERR x")]]),
      encodeReply(Buffer.alloc(0)),
      encodeCommand(["SET", "k", "ü"]),
    ]);
    for (let cut = 1; cut < stream.length; cut += 1) {
      const reader = new ReplyReader();
      const found: Reply[] = [];
      for (const piece of [stream.subarray(0, cut), stream.subarray(cut)]) {
        reader.push(piece);
        found.push(...reader.replies());
      }
      expect(found).toHaveLength(3);
      expect(found[2]).toEqual([Buffer.from("SET"), Buffer.from("k"), Buffer.from("ü")]);
    }
  });

  it("refuses what is not Redis' protocol", () => {
    const reader = new ReplyReader();
    reader.push(Buffer.from("HTTP/1.1 400 Bad Request\r\n"));
    expect(() => [...reader.replies()]).toThrow("does not speak Redis' protocol");
  });
});
