import type { Fault } from "./fault.ts";
import type { RecordedRequest } from "./recording-server.ts";

/** A fault for all requests, or by how many came before. */
export type Script = Fault | ((earlier: number) => Fault);

/** The requests that a local provider got, and what tests have scripted for those of a model. */
export class ScriptedRequests {
  readonly requests: RecordedRequest[] = [];
  private readonly scripts = new Map<string, Script>();
  private readonly modelOf: (request: RecordedRequest) => unknown;

  constructor(modelOf: (request: RecordedRequest) => unknown) {
    this.modelOf = modelOf;
  }

  /** The requests that named this model. */
  readonly requestsFor = (model: string): RecordedRequest[] =>
    this.requests.filter((request) => this.modelOf(request) === model);

  /** What requests for this model get from now on. */
  readonly script = (model: string, script: Script): void => {
    this.scripts.set(model, script);
  };

  has(model: string): boolean {
    return this.scripts.has(model);
  }

  /** What is scripted for the request that came last; null where nothing is. */
  scripted(model: string): Fault | null {
    const script = this.scripts.get(model);
    if (typeof script === "function") return script(this.requestsFor(model).length - 1);
    return script ?? null;
  }
}
