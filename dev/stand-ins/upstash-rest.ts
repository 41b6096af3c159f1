import { timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type Argument, type RedisBackend, RedisError, type Reply, Status } from "./redis.ts";
import { readBody } from "./request-body.ts";
import { ScriptFlags } from "./upstash-rest/script-flags.ts";

/** Upstash's limit on one request. */
const MAX_BODY_BYTES = 10 * 1024 * 1024;

/** What makes no sense over REST, where each request may come by another connection. */
const NOT_AVAILABLE = new Set(
  (
    "blpop brpop blmove brpoplpush bzpopmin bzpopmax blmpop bzmpop wait waitaof multi exec discard watch unwatch " +
    "select quit auth hello reset client shutdown config debug replicaof slaveof save bgsave bgrewriteaof cluster " +
    "subscribe psubscribe ssubscribe unsubscribe punsubscribe monitor sync psync module acl failover migrate"
  ).split(" "),
);

export interface UpstashRestOptions {
  backend: RedisBackend;
  /** What clients must send. */
  token: string;
  /** A free port without it. */
  port?: number;
}

export interface RunningUpstashRest {
  url: string;
  stop(): Promise<void>;
}

class RestError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Speaks Upstash's REST protocol, as `@upstash/redis` uses it, in front of a Redis. */
export async function startUpstashRest({
  backend,
  token,
  port = 0,
}: UpstashRestOptions): Promise<RunningUpstashRest> {
  const front = new UpstashFront(backend, token);
  const server = createServer((request, response) => void front.handle(request, response));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The stand-in got no port.");
  return {
    url: `http://127.0.0.1:${address.port}`,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Incoming {
  path: string[];
  query: URLSearchParams;
  body: Buffer;
  base64: boolean;
}

class UpstashFront {
  readonly #backend: RedisBackend;
  readonly #token: Buffer;
  readonly #flags = new ScriptFlags();
  #answers = 0;

  constructor(backend: RedisBackend, token: string) {
    this.#backend = backend;
    this.#token = Buffer.from(token);
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.#answer(request, response);
    } catch (error) {
      const status =
        error instanceof RestError ? error.status : error instanceof RedisError ? 400 : 500;
      this.#send(response, status, {
        error: error instanceof Error ? error.message : String(error),
      });
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://stand-in");
    this.#authorise(request, url);
    const body = await readBody(request, MAX_BODY_BYTES);
    if (!body)
      throw new RestError(413, `ERR max request size exceeded. Limit: ${MAX_BODY_BYTES} bytes`);
    const base64 = String(request.headers["upstash-encoding"]).toLowerCase() === "base64";
    const incoming: Incoming = { path: pathSegments(url), query: url.searchParams, body, base64 };
    const [head = "", ...names] = incoming.path;
    const verb = head.toLowerCase();
    if (verb === "pipeline") this.#send(response, 200, await this.#pipeline(incoming));
    else if (verb === "multi-exec") this.#send(response, 200, await this.#transaction(incoming));
    else if (verb === "subscribe" || verb === "psubscribe") {
      await this.#subscribe(response, names, verb === "psubscribe");
    } else {
      const [reply = null] = await this.#run([commandOf(incoming)]);
      this.#send(response, reply instanceof RedisError ? 400 : 200, resultOf(reply, base64));
    }
  }

  #authorise(request: IncomingMessage, url: URL): void {
    const given =
      request.headers.authorization?.replace(/^bearer\s+/i, "") ?? url.searchParams.get("_token");
    if (!given) throw new RestError(401, "Unauthorized");
    const bytes = Buffer.from(given);
    if (bytes.length !== this.#token.length || !timingSafeEqual(bytes, this.#token)) {
      throw new RestError(401, "WRONGPASS invalid or missing auth token.");
    }
  }

  async #run(commands: Argument[][]): Promise<Reply[]> {
    const allowed = commands.map(
      (command) => notAvailable(command) ?? this.#flags.translate(command),
    );
    const toRun = allowed.flatMap((command) => (command instanceof RedisError ? [] : [command]));
    const replies = await this.#backend.execute(toRun);
    return allowed.map((command, index) => {
      if (command instanceof RedisError) return command;
      return this.#flags.answer(commands[index] ?? [], replies.shift() ?? null);
    });
  }

  async #pipeline({ body, base64 }: Incoming): Promise<object[]> {
    return (await this.#run(parseCommands(body))).map((reply) => resultOf(reply, base64));
  }

  async #transaction({ body, base64 }: Incoming): Promise<object[]> {
    const commands = parseCommands(body);
    for (const command of commands) {
      const refused = notAvailable(command);
      if (refused)
        throw new RedisError(`EXECABORT Transaction discarded because of: ${refused.message}`);
    }
    const replies = await this.#backend.transaction(
      commands.map((command) => this.#flags.translate(command)),
    );
    return replies.map((reply, index) =>
      resultOf(this.#flags.answer(commands[index] ?? [], reply), base64),
    );
  }

  /** Messages as server-sent events, until the client goes. */
  async #subscribe(response: ServerResponse, names: string[], byPattern: boolean): Promise<void> {
    if (names.length === 0) throw new RestError(400, "ERR no channel is named");
    const write = (...parts: (string | number)[]): void => {
      response.write(`data: ${parts.join(",")}\n\n`);
    };
    const end = await this.#backend.subscribe({
      names,
      byPattern,
      deliver: ({ pattern, channel, message }) => {
        if (pattern === undefined) write("message", channel, message);
        else write("pmessage", pattern, channel, message);
      },
    });
    if (response.destroyed) return end();
    response.once("close", end);
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
    for (const [index, name] of names.entries())
      write(byPattern ? "psubscribe" : "subscribe", name, index + 1);
  }

  #send(response: ServerResponse, status: number, body: object): void {
    if (response.destroyed || response.headersSent) return;
    this.#answers += 1;
    const text = JSON.stringify(body);
    response.writeHead(status, {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(text),
      // The client sends it back to read its own writes; with one copy of the data there is nothing to wait for.
      "upstash-sync-token": `local=${this.#answers}`,
    });
    response.end(text);
  }
}

function pathSegments(url: URL): string[] {
  const segments = url.pathname.split("/").slice(1);
  if (segments.at(-1) === "") segments.pop();
  try {
    return segments.map(decodeURIComponent);
  } catch {
    throw new RestError(400, "ERR the path is not encoded as a path has to be");
  }
}

/** A command from the path (`/set/key/value?EX=100`, with a body as the last argument), or from the body alone. */
function commandOf({ path, query, body }: Incoming): Argument[] {
  if (path.length === 0)
    return parseCommand(
      parseJson(body, "ERR failed to parse command"),
      "ERR failed to parse command",
    );
  const options = [...query]
    .filter(([name]) => name !== "_token")
    .flatMap(([name, value]) => (value ? [name, value] : [name]));
  return [...path, ...(body.length > 0 ? [body] : []), ...options];
}

function parseCommands(body: Buffer): Argument[][] {
  const message = "ERR failed to parse pipeline request";
  const parsed = parseJson(body, message);
  if (!Array.isArray(parsed) || parsed.length === 0) throw new RestError(400, message);
  return parsed.map((command) => parseCommand(command, message));
}

function parseJson(body: Buffer, message: string): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    throw new RestError(400, message);
  }
}

function parseCommand(value: unknown, message: string): Argument[] {
  if (!Array.isArray(value) || value.length === 0) throw new RestError(400, message);
  // Anything but text is written as JSON writes it, null (NaN in JavaScript) too.
  return value.map((argument: unknown) =>
    typeof argument === "string" ? argument : JSON.stringify(argument),
  );
}

function notAvailable([name = ""]: Argument[]): RedisError | undefined {
  if (!NOT_AVAILABLE.has(String(name).toLowerCase())) return undefined;
  return new RedisError(`ERR Command is not available: '${String(name)}'`);
}

function resultOf(reply: Reply, base64: boolean): object {
  if (reply instanceof RedisError) return { error: reply.message };
  return { result: encode(reply, base64) };
}

function encode(reply: Reply, base64: boolean): unknown {
  if (Array.isArray(reply)) return reply.map((item) => encode(item, base64));
  if (Buffer.isBuffer(reply)) return reply.toString(base64 ? "base64" : "utf8");
  if (reply instanceof RedisError) return reply.message;
  // The client takes a bare OK for what it is, and decodes every other text.
  if (reply instanceof Status)
    return base64 && reply.text !== "OK" ? Buffer.from(reply.text).toString("base64") : reply.text;
  return reply;
}
