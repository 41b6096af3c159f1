/** A client of the api Worker, as plain as curl. */
export class ApiClient {
  private readonly baseUrl: () => string;
  private readonly apiKey: string | null;

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
    const all: Record<string, string> = { ...headers };
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
