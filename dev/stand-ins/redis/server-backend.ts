import type { RedisBackend, Subscriber } from "../redis.ts";
import { type Argument, connectResp, type RespConnection } from "../resp.ts";
import { RedisError, type Reply } from "./reply.ts";

/** A backend that hands everything to a Redis server. */
export function createServerBackend(address: URL): RedisBackend {
  let connecting: Promise<RespConnection> | undefined;
  const subscriptions = new Set<RespConnection>();

  const connection = async (): Promise<RespConnection> => {
    const current = await connecting?.catch(() => undefined);
    if (current?.isOpen) return current;
    connecting = connectResp(address);
    return connecting;
  };

  return {
    execute: async (commands) => (await connection()).send(commands),
    transaction: async (commands) => runTransaction(await connection(), commands),
    async subscribe(subscriber) {
      const own = await connectResp(address);
      subscriptions.add(own);
      await listen(own, subscriber);
      return () => {
        subscriptions.delete(own);
        own.close();
      };
    },
    async close() {
      for (const open of subscriptions) open.close();
      (await connecting?.catch(() => undefined))?.close();
    },
  };
}

async function runTransaction(
  connection: RespConnection,
  commands: readonly (readonly Argument[])[],
): Promise<Reply[]> {
  const replies = await connection.send([["MULTI"], ...commands, ["EXEC"]]);
  const last = replies.at(-1);
  if (Array.isArray(last)) return last;
  const refused = replies.slice(1, -1).find((reply) => reply instanceof RedisError);
  if (refused instanceof RedisError) {
    throw new RedisError(`EXECABORT Transaction discarded because of: ${refused.message}`);
  }
  throw last instanceof RedisError ? last : new RedisError("EXECABORT Transaction discarded.");
}

async function listen(
  connection: RespConnection,
  { names, byPattern, deliver }: Subscriber,
): Promise<void> {
  const [first] = await connection.send([[byPattern ? "PSUBSCRIBE" : "SUBSCRIBE", ...names]]);
  if (first instanceof RedisError) throw first;
  connection.onPush((reply) => {
    if (!Array.isArray(reply)) return;
    const [kind, ...parts] = reply.map((part) => (Buffer.isBuffer(part) ? part.toString() : ""));
    if (kind === "message") deliver({ channel: parts[0] ?? "", message: parts[1] ?? "" });
    if (kind === "pmessage") {
      deliver({ pattern: parts[0] ?? "", channel: parts[1] ?? "", message: parts[2] ?? "" });
    }
  });
}
