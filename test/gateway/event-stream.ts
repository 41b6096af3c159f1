/** One event of a stream, and when its last byte came. */
export interface ReceivedEvent {
  data: string;
  at: number;
}

/** A streamed answer as a client saw it. */
export interface ReceivedStream {
  events: ReceivedEvent[];
  /** All of it, as text. */
  raw: string;
  /** Whether HTTP ended cleanly. */
  clean: boolean;
  /** When the last byte came, or the end. */
  endedAt: number;
}

/** Reads a stream to its end, whatever that is. */
export async function readEvents(response: Response): Promise<ReceivedStream> {
  const events: ReceivedEvent[] = [];
  const decoder = new TextDecoder();
  let raw = "";
  let rest = "";
  let clean = true;
  try {
    for await (const bytes of response.body ?? []) {
      const text = decoder.decode(bytes, { stream: true });
      raw += text;
      const parts = (rest + text).split(/\r?\n\r?\n/);
      rest = parts.pop() ?? "";
      for (const part of parts) {
        const data = /^data: ?(.*)$/m.exec(part)?.[1];
        if (data !== undefined) events.push({ data, at: Date.now() });
      }
    }
  } catch {
    clean = false;
  }
  return { events, raw, clean, endedAt: Date.now() };
}

interface Chunk {
  choices?: { delta?: { content?: string | null } }[];
  error?: { message: string; code: string; type: string; request_id: string };
}

/** The chunks of a stream, without `[DONE]`. */
export function chunksIn({ events }: ReceivedStream): Chunk[] {
  return events
    .filter(({ data }) => data !== "[DONE]")
    .map(({ data }) => JSON.parse(data) as Chunk); // as OpenAI's protocol has it
}

/** What the model wrote. */
export function textIn(stream: ReceivedStream): string {
  return chunksIn(stream)
    .map((chunk) => chunk.choices?.[0]?.delta?.content ?? "")
    .join("");
}
