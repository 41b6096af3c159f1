import { eventually } from "#test/harness/eventually.ts";
import type { ApiClient } from "#test/harness/api-client.ts";

/** One server-sent event, and when it came. */
export interface ReadEvent {
  id: string;
  event: string;
  data: Record<string, unknown>;
  /** Milliseconds since 1970. */
  at: number;
}

/** A client that reads a stream of events as they come. */
export class EventReader {
  readonly events: ReadEvent[] = [];
  comments = 0;
  /** `open` until the stream ends, then how it did. */
  state: "open" | "ended" | "broken" = "open";
  readonly status: number;
  private readonly controller: AbortController;

  private constructor(response: Response, controller: AbortController) {
    this.status = response.status;
    this.controller = controller;
    void this.read(response);
  }

  static async open(client: ApiClient, path: string, lastEventId?: string): Promise<EventReader> {
    const controller = new AbortController();
    const headers: Record<string, string> = {};
    if (lastEventId !== undefined) headers["last-event-id"] = lastEventId;
    const response = await client.request("GET", path, undefined, headers, controller.signal);
    return new EventReader(response, controller);
  }

  /** Ids, names and texts of what came, in order. */
  get names(): string[] {
    return this.events.map(({ event }) => event);
  }

  get lastId(): string {
    return this.events.at(-1)?.id ?? "";
  }

  of(event: string): ReadEvent[] {
    return this.events.filter((one) => one.event === event);
  }

  /** Waits until so many of these have come. */
  async has(event: string, count = 1): Promise<ReadEvent> {
    return eventually(() => {
      const found = this.of(event)[count - 1];
      if (!found) throw new Error(`Only these came: ${this.names.join(", ")} (${this.state})`);
      return found;
    });
  }

  async end(): Promise<void> {
    await eventually(() => {
      if (this.state === "open") throw new Error(`Still open after ${this.names.join(", ")}`);
    });
  }

  close(): void {
    this.controller.abort();
  }

  private async read(response: Response): Promise<void> {
    const decoder = new TextDecoder();
    let rest = "";
    try {
      for await (const bytes of response.body ?? []) {
        const parts = (rest + decoder.decode(bytes, { stream: true })).split("\n\n");
        rest = parts.pop() ?? "";
        for (const part of parts) this.take(part);
      }
      this.state = "ended";
    } catch {
      this.state = "broken";
    }
  }

  private take(part: string): void {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(part)?.[1];
    const [id, event, data] = [field("id"), field("event"), field("data")];
    if (part.startsWith(":")) this.comments++;
    if (data === undefined) return;
    this.events.push({
      id: id ?? "",
      event: event ?? "message",
      data: JSON.parse(data) as Record<string, unknown>, // every event of ours is an object
      at: Date.now(),
    });
  }
}
