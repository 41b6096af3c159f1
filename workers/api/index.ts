import { WorkerEntrypoint } from "cloudflare:workers";
import { createApp } from "./app.ts";
import { markInternal } from "./internal-actor.ts";

export { AnswerFlight } from "#platform/durable-objects/answer-flight.ts";
export { JobFeed } from "#platform/durable-objects/job-feed.ts";
export { Meter } from "#platform/durable-objects/meter.ts";
export { ResponseChain } from "#platform/durable-objects/response-chain.ts";
export { Session } from "#platform/durable-objects/session.ts";

const app = createApp();

/** What other Workers of ours call; reachable by service binding only. They say for whom they act. */
export class InternalApi extends WorkerEntrypoint<ApiEnv> {
  override fetch(request: Request): Response | Promise<Response> {
    markInternal(request);
    return app.fetch(request, this.env, this.ctx);
  }
}

export default { fetch: app.fetch } satisfies ExportedHandler<ApiEnv>;
