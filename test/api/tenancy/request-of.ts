import type { ApiClient } from "#test/harness/api-client.ts";
import type { Things } from "./things.ts";
import type { Walk } from "./walks.ts";

/** What came back from a walked route. */
export interface Answer {
  status: number;
  text: string;
  /** Everything that a caller can read of it. */
  all: string;
}

/** Makes the request of a route with these things, and reads the answer to its end. */
export async function take(
  client: ApiClient,
  route: string,
  { walk, things, headers }: { walk: Walk; things: Things; headers?: Record<string, string> },
): Promise<Answer> {
  const [method = "", template = ""] = route.split(" ");
  const params = walk.params?.(things) ?? {};
  const path = template.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = params[name];
    if (value === undefined) throw new Error(`${route}: its walk gives no parameter ${name}`);
    return encodeURIComponent(value);
  });
  const query = new URLSearchParams(walk.query?.(things));
  const response = await client.request(
    method,
    query.size > 0 ? `${path}?${query}` : path,
    walk.body?.(things),
    headers,
  );
  const text = await (walk.streams && response.ok ? firstEvent(response) : response.text());
  const all = `${[...response.headers].map(([name, value]) => `${name}: ${value}`).join("\n")}\n\n${text}`;
  return { status: response.status, text, all };
}

/** What comes of a stream of events until the first one is whole. */
async function firstEvent(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const bytes of response.body ?? []) {
    text += decoder.decode(bytes, { stream: true });
    if (/^data: .*\n\n/m.test(text)) break; // which also closes the connection
  }
  return text;
}

/** Takes out of an answer what the request itself has put in, and what differs between any two requests. */
export function withoutIds(text: string, things: Things): string {
  let rest = text.replaceAll(/req_[0-9a-z]{26}/g, "req_");
  for (const [kind, id] of Object.entries(things)) rest = rest.replaceAll(id, `<${kind}>`);
  return rest;
}
