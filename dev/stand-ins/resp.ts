import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { type Reply, RedisError, Status } from "./redis/reply.ts";

/** One argument of a command. */
export type Argument = string | Buffer;

const MAX_REPLY_BYTES = 512 * 1024 * 1024;

export function encodeCommand(command: readonly Argument[]): Buffer {
  const parts: Buffer[] = [Buffer.from(`*${command.length}\r\n`)];
  for (const argument of command) {
    const bytes = Buffer.isBuffer(argument) ? argument : Buffer.from(argument);
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from("\r\n"));
  }
  return Buffer.concat(parts);
}

/** The buffer ends before the reply does. */
const INCOMPLETE = Symbol("incomplete");

/** Cuts replies of Redis' protocol (RESP2) from a byte stream that arrives in arbitrary pieces. */
export class ReplyReader {
  #buffer: Buffer = Buffer.alloc(0);
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  /** A large reply comes in thousands of pieces: it is not looked at again before it can be whole. */
  #needed = 0;
  #position = 0;

  push(chunk: Buffer): void {
    this.#pending.push(chunk);
    this.#pendingBytes += chunk.length;
  }

  /** All replies that are whole by now. */
  *replies(): Generator<Reply> {
    if (this.#buffer.length + this.#pendingBytes < this.#needed) return;
    this.#buffer = Buffer.concat([this.#buffer, ...this.#pending]);
    this.#pending = [];
    this.#pendingBytes = 0;
    for (;;) {
      this.#position = 0;
      this.#needed = 0;
      const reply = this.#read();
      if (reply === INCOMPLETE) return;
      this.#buffer = this.#buffer.subarray(this.#position);
      yield reply;
    }
  }

  #read(): Reply | typeof INCOMPLETE {
    const end = this.#buffer.indexOf("\r\n", this.#position);
    if (end < 0) return INCOMPLETE;
    const type = String.fromCharCode(this.#buffer[this.#position] ?? 0);
    const line = this.#buffer.toString("utf8", this.#position + 1, end);
    this.#position = end + 2;
    if (type === "+") return new Status(line);
    if (type === "-") return new RedisError(line);
    if (type === ":") return Number(line);
    if (type === "$") return this.#readBulk(Number(line));
    if (type === "*") return this.#readArray(Number(line));
    throw new Error("The server at REDIS_URL does not speak Redis' protocol.");
  }

  #readBulk(length: number): Buffer | null | typeof INCOMPLETE {
    if (length < 0) return null;
    if (!(length <= MAX_REPLY_BYTES))
      throw new Error("The server at REDIS_URL sent a reply that is too long.");
    const start = this.#position;
    this.#position += length + 2;
    if (this.#buffer.length < this.#position) {
      this.#needed = this.#position;
      return INCOMPLETE;
    }
    return Buffer.from(this.#buffer.subarray(start, start + length));
  }

  #readArray(length: number): Reply[] | null | typeof INCOMPLETE {
    if (length < 0) return null;
    const items: Reply[] = [];
    while (items.length < length) {
      const item = this.#read();
      if (item === INCOMPLETE) return INCOMPLETE;
      items.push(item);
    }
    return items;
  }
}

/** A connection to a Redis server. */
export interface RespConnection {
  /** Sends commands in one go; their replies come in the same order. Fails when the connection breaks. */
  send(commands: readonly (readonly Argument[])[]): Promise<Reply[]>;
  /** Takes what the server sends by itself, to a connection that has subscribed. */
  onPush(take: (reply: Reply) => void): void;
  readonly isOpen: boolean;
  close(): void;
}

interface Waiting {
  resolve: (reply: Reply) => void;
  reject: (error: Error) => void;
}

function openSocket(address: URL): Promise<Socket> {
  const host = address.hostname.replace(/^\[|\]$/g, "");
  const port = Number(address.port || 6379);
  return new Promise((resolve, reject) => {
    const secure = address.protocol === "rediss:";
    const socket = secure
      ? connectTls({ host, port, servername: host })
      : connectTcp({ host, port });
    socket.setTimeout(10_000, () => socket.destroy(new Error(`No answer from ${host}:${port}`)));
    socket.once(secure ? "secureConnect" : "connect", () => {
      socket.setTimeout(0);
      socket.setNoDelay(true);
      socket.off("error", reject);
      resolve(socket);
    });
    socket.once("error", reject);
  });
}

/** Connects, logs in and chooses the database as `redis[s]://user:password@host:port/db` says. */
export async function connectResp(address: URL): Promise<RespConnection> {
  const socket = await openSocket(address);
  const reader = new ReplyReader();
  const waiting: Waiting[] = [];
  let push: ((reply: Reply) => void) | undefined;
  let isOpen = true;

  const end = (error: Error): void => {
    isOpen = false;
    for (const { reject } of waiting.splice(0)) reject(error);
  };
  socket.on("error", end);
  socket.on("close", () => end(new Error("The connection to Redis was closed.")));
  socket.on("data", (chunk: Buffer) => {
    reader.push(chunk);
    try {
      for (const reply of reader.replies()) {
        if (push) push(reply);
        else waiting.shift()?.resolve(reply);
      }
    } catch (error) {
      socket.destroy(error instanceof Error ? error : undefined);
    }
  });

  const connection: RespConnection = {
    get isOpen() {
      return isOpen;
    },
    send(commands) {
      if (!isOpen) return Promise.reject(new Error("The connection to Redis was closed."));
      const replies = commands.map(
        () => new Promise<Reply>((resolve, reject) => waiting.push({ resolve, reject })),
      );
      socket.write(Buffer.concat(commands.map(encodeCommand)));
      return Promise.all(replies);
    },
    onPush(take) {
      push = take;
    },
    close: () => socket.destroy(),
  };
  await logIn(connection, address);
  return connection;
}

async function logIn(connection: RespConnection, address: URL): Promise<void> {
  const commands: string[][] = [];
  const [user, password] = [
    decodeURIComponent(address.username),
    decodeURIComponent(address.password),
  ];
  if (password) commands.push(user ? ["AUTH", user, password] : ["AUTH", password]);
  const database = address.pathname.slice(1);
  if (database && database !== "0") commands.push(["SELECT", database]);
  for (const reply of await connection.send(commands)) {
    if (reply instanceof RedisError) {
      connection.close();
      throw reply;
    }
  }
}
