import { randomBytes } from "node:crypto";

/** A network of its own (/64), so that nothing which is counted by address meets another client's. */
export function ownAddress(): string {
  return `2001:db8:${randomBytes(2).toString("hex")}:${randomBytes(2).toString("hex")}::1`;
}

/** A client of the api Worker, as plain as curl, with an address of its own as Cloudflare would tell it. */
export class ApiClient {
  private readonly baseUrl: () => string;
  private readonly apiKey: string | null;
  private readonly address = ownAddress();

  constructor(baseUrl: () => string, apiKey: string | null) {
    this.baseUrl = baseUrl;
    this.apiKey = apiKey;
  }

  /** Sends a request; an object as the body goes as JSON, a string as it is. */
  async request(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
    signal?: AbortSignal,
  ): Promise<Response> {
    const all: Record<string, string> = { "cf-connecting-ip": this.address, ...headers };
    if (this.apiKey !== null) all["authorization"] ??= `Bearer ${this.apiKey}`;
    if (body !== undefined) all["content-type"] ??= "application/json";
    const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
    return fetch(this.baseUrl() + path, {
      method,
      headers: all,
      redirect: "manual",
      ...(text === undefined ? {} : { body: text }),
      ...(signal === undefined ? {} : { signal }),
    });
  }

  /** Sends a request that must answer with this status, and returns its JSON. */
  async expect<T = Record<string, unknown>>(
    status: number,
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<T> {
    const response = await this.request(method, path, body, headers);
    const text = await response.text();
    if (response.status !== status)
      throw new Error(`${method} ${path} answered ${response.status}, not ${status}: ${text}`);
    return (text === "" ? null : JSON.parse(text)) as T; // the caller names the shape that it goes on to check
  }
}
