/** The part of autocannon 9.0.0 that the bench uses. It has no types of its own, and is not installed for `npm run check`. */
declare module "autocannon" {
  import type { EventEmitter } from "node:events";

  export type Client = {
    /** Requests that this connection has sent. */
    reqsMade: number;
    /** The connection closes instead of sending another request once it has made this many. */
    responseMax: number | undefined;
  };

  export type Options = {
    url: string;
    method: "POST";
    headers: Record<string, string>;
    body: string;
    connections: number;
    /** Seconds after which all connections are cut, whatever is under way. */
    duration: number;
    /** Seconds without an answer that count as an error. */
    timeout: number;
    /** Milliseconds between looks at whether the run is over. */
    sampleInt: number;
    setupClient: (client: Client) => void;
    verifyBody: (body: string) => boolean;
  };

  export type Result = { errors: number; timeouts: number; mismatches: number };

  export default function autocannon(
    options: Options,
    done: (error: Error | null, result: Result) => void,
  ): EventEmitter<{
    response: [client: Client, status: number, bytes: number, milliseconds: number];
    reqError: [Error];
  }>;
}
