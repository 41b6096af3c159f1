import { createServer, type Socket } from "node:net";
import { z } from "zod";
import { runChild } from "../process/child.ts";
import * as replies from "./replies.ts";
import { type RawRequest, RequestReader } from "./request-reader.ts";

/**
 * The model provider of the bench: a plain TCP server that writes prepared bytes, several times faster
 * than any party. It keeps to what a real provider does with the fields that change the stream.
 */
const needles = {
  stream: Buffer.from('"stream":true'),
  usage: Buffer.from('"include_usage":true'),
  writes: Buffer.from(replies.models.writes),
  paced: Buffer.from(replies.models.paced),
};

runChild({
  input: z.object({}),
  start: async () => {
    const sockets = new Set<Socket>();
    const server = createServer({ noDelay: true }, (socket) => {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
      serve(socket);
    });
    const port = await new Promise<number>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host: "127.0.0.1", port: 0, backlog: 1024 }, () => {
        const address = server.address();
        if (address === null || typeof address === "string")
          reject(new Error("the upstream has no port"));
        else resolve(address.port);
      });
    });
    return {
      ready: { port },
      stop: async () => {
        for (const socket of sockets) socket.destroy();
        await new Promise((resolve) => server.close(resolve));
      },
    };
  },
});

function serve(socket: Socket): void {
  const reader = new RequestReader();
  // A paced answer takes time; what was pipelined behind it waits for its turn.
  let turn: Promise<void> | undefined;
  const answerInTurn = (request: RawRequest) => {
    if (turn === undefined) turn = answer(socket, request);
    else turn = turn.then(() => answer(socket, request));
  };
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk) => {
    for (const request of reader.push(chunk)) {
      answerInTurn(request);
    }
  });
}

/** Writes the answer; returns a promise only where it takes time. */
function answer(socket: Socket, { head, body }: RawRequest): Promise<void> | undefined {
  if (!head.startsWith("POST ") || !head.includes("/chat/completions HTTP/1.1")) {
    socket.write(replies.notFoundMessage);
    return undefined;
  }
  if (!body.includes(needles.stream)) {
    socket.write(replies.completionMessage);
    return undefined;
  }
  const reply = body.includes(needles.usage) ? replies.streamReplyWithUsage : replies.streamReply;
  if (body.includes(needles.paced)) return writePaced(socket, reply.pieces);
  if (body.includes(needles.writes)) for (const piece of reply.pieces) socket.write(piece);
  else socket.write(reply.whole);
  return undefined;
}

/** Each event at its own time on the clock, so that a late timer does not shift all that follow. */
function writePaced(socket: Socket, pieces: Buffer[]): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const startedAt = performance.now();
  let next = 0;
  const write = () => {
    while (
      next < pieces.length &&
      performance.now() - startedAt >= next * replies.pacedIntervalMs
    ) {
      const piece = pieces[next++];
      if (piece === undefined || socket.destroyed) return resolve();
      socket.write(piece);
    }
    if (next === pieces.length || socket.destroyed) return resolve();
    setTimeout(write, Math.max(0, startedAt + next * replies.pacedIntervalMs - performance.now()));
  };
  write();
  return promise;
}
