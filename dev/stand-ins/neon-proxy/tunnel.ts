import type { Socket } from "node:net";
import pg from "pg";
import type { RawData, WebSocket } from "ws";
import { cancelSession, connectionSettings, type Login, type Target } from "./target.ts";
import * as wire from "./wire.ts";

// The driver may still be reading the last answer when the server ends a session.
const CLOSE_GRACE_MS = 300;
const HIGH_WATER_BYTES = 1024 * 1024;

/** A session with the target that has passed the login and is idle. */
interface Session {
  socket: Socket;
  parameters: Map<string, string>;
  processId: number;
  secretKey: number;
}

/** What pg's Client has but its types leave out. */
interface ClientInternals {
  connection: {
    stream: Socket;
    on(event: "parameterStatus", listener: (message: ParameterStatus) => void): void;
  };
  processID: number;
  secretKey: number;
}

interface ParameterStatus {
  parameterName: string;
  parameterValue: string;
}

/** For a driver that cancels: which login a process id belongs to, as cancelling needs no password in the protocol. */
const logins = new Map<number, Login>();

/**
 * Carries Postgres' protocol over one WebSocket. Like Neon's proxy it takes the password in clear text, which lets the
 * driver send login and first query in one go, and logs in at the target by whatever that wants (SCRAM, MD5, TLS).
 */
export function openTunnel(socket: WebSocket, target: Target): void {
  const reader = new wire.MessageReader();
  let login: Promise<void> | undefined;
  let parameters: Map<string, string> | undefined;

  const onMessage = (data: RawData): void => {
    reader.push(asBuffer(data));
    if (login) return; // what the driver sent ahead waits in the reader
    try {
      advance();
    } catch (error) {
      refuse(socket, "08P01", messageOf(error));
    }
  };

  const advance = (): void => {
    for (let next = reader.next(parameters ? 1 : 0); next; next = reader.next(parameters ? 1 : 0)) {
      if (parameters) {
        login = begin(parameters, next.toString("utf8", 5, next.length - 1));
        return;
      }
      const first = wire.parseFirstMessage(next);
      if (first.kind === "encryption") socket.send(wire.noEncryption);
      else if (first.kind === "startup") {
        parameters = first.parameters;
        socket.send(wire.askForPassword);
      } else if (first.kind === "cancel") {
        const owner = logins.get(first.processId);
        if (owner) void cancelSession(target, owner, first.processId).catch(() => undefined);
        socket.close();
        return;
      } else return refuse(socket, "08P01", "This version of Postgres' protocol is not supported.");
    }
  };

  const begin = async (startup: Map<string, string>, password: string): Promise<void> => {
    try {
      const session = await logIn(target, startup, password);
      if (socket.readyState !== socket.OPEN) return void session.socket.destroy();
      socket.off("message", onMessage);
      socket.send(wire.welcome(session.parameters, session.processId, session.secretKey));
      join(socket, session, reader.rest());
    } catch (error) {
      const code = error instanceof pg.DatabaseError ? error.code : undefined;
      refuse(socket, code ?? "08006", messageOf(error));
    }
  };

  socket.on("message", onMessage);
  socket.on("error", () => undefined); // "close" follows
}

async function logIn(
  target: Target,
  startup: Map<string, string>,
  password: string,
): Promise<Session> {
  const user = startup.get("user") ?? "";
  const login: Login = { user, password, database: startup.get("database") ?? user };
  const client = new pg.Client({
    ...connectionSettings(target, login),
    ...sessionSettings(startup),
  });
  const internals = client as unknown as ClientInternals;
  const parameters = new Map<string, string>();
  internals.connection.on("parameterStatus", ({ parameterName, parameterValue }) => {
    parameters.set(parameterName, parameterValue);
  });
  client.on("error", () => undefined);
  await client.connect();
  // From here on the bytes belong to the driver, so pg must not read them.
  const socket = internals.connection.stream;
  socket.removeAllListeners("data");
  const { processID: processId, secretKey } = internals;
  logins.set(processId, login);
  socket.once("close", () => logins.delete(processId));
  return { socket, parameters, processId, secretKey };
}

/** Settings that a driver may ask for at login: `options`, `statement_timeout`, `application_name` and such. */
function sessionSettings(startup: Map<string, string>): pg.ClientConfig {
  const others = [...startup].filter(
    ([name]) => !["user", "database", "client_encoding", "options"].includes(name),
  );
  const flags = others.map(
    ([name, value]) => `-c ${name}=${value.replaceAll(/[\\ ]/g, String.raw`\$&`)}`,
  );
  return { options: [startup.get("options") ?? "", ...flags].join(" ").trim() };
}

/** Joins both ends byte by byte; the faster one waits for the slower. */
function join(socket: WebSocket, { socket: server }: Session, sentAhead: Buffer): void {
  let closing: NodeJS.Timeout | undefined;
  const closeSoon = (): void => {
    closing ??= setTimeout(() => socket.close(), CLOSE_GRACE_MS).unref();
  };
  server.on("data", (chunk: Buffer) => {
    if (socket.readyState !== socket.OPEN) return;
    socket.send(chunk, () => {
      if (socket.bufferedAmount < HIGH_WATER_BYTES) server.resume();
    });
    if (socket.bufferedAmount >= HIGH_WATER_BYTES) server.pause();
  });
  server.on("drain", () => socket.resume());
  server.on("end", closeSoon);
  server.on("close", closeSoon);
  server.on("error", closeSoon);
  socket.on("message", (data) => {
    if (!server.write(asBuffer(data))) socket.pause();
  });
  socket.on("close", () => {
    clearTimeout(closing);
    server.destroy();
  });
  if (sentAhead.length > 0) server.write(sentAhead);
  server.resume();
}

function refuse(socket: WebSocket, code: string, text: string): void {
  if (socket.readyState !== socket.OPEN) return;
  socket.send(wire.fatalError(code, text));
  setTimeout(() => socket.close(), CLOSE_GRACE_MS).unref();
}

function asBuffer(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return Buffer.isBuffer(data) ? data : Buffer.from(data);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
