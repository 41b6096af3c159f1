import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Webhook } from "standardwebhooks";

/** A callback that came. */
export interface ReceivedCallback {
  id: string;
  body: string;
  headers: Record<string, string>;
  at: number;
}

export type Answer = (callback: ReceivedCallback, response: ServerResponse) => void;

/** A receiver of callbacks, as a team would run one: it keeps what comes, and answers as it is told. */
export class CallbackReceiver {
  readonly received: ReceivedCallback[] = [];
  answer: Answer = (_, response) => response.writeHead(204).end();
  private readonly server = createServer((request, response) => {
    void this.take(request, response);
  });

  static async start(): Promise<CallbackReceiver> {
    const receiver = new CallbackReceiver();
    await new Promise<void>((resolve) => receiver.server.listen(0, "127.0.0.1", resolve));
    return receiver;
  }

  get url(): string {
    const { port } = this.server.address() as AddressInfo; // of a server that listens on a port
    return `http://127.0.0.1:${port}/callbacks`;
  }

  /** What came for a job. */
  of(jobId: string): ReceivedCallback[] {
    return this.received.filter(({ body }) => body.includes(jobId));
  }

  stop(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = "";
    for await (const bytes of request) body += String(bytes);
    const headers = request.headers as Record<string, string>; // none of ours comes twice
    const callback = { id: headers["webhook-id"] ?? "", body, headers, at: Date.now() };
    this.received.push(callback);
    this.answer(callback, response);
  }
}

/**
 * Checks a callback by the library's own verification.
 * @returns what it says
 * @throws WebhookVerificationError
 */
export function verified(secret: string, callback: ReceivedCallback): CallbackBody {
  return new Webhook(secret).verify(callback.body, callback.headers) as CallbackBody; // the shape is what the tests look at
}

export interface CallbackBody {
  type: string;
  timestamp: string;
  data: Record<string, unknown> & { id: string; state: string };
}
