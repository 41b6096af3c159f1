import "./openapi.ts"; // first: it gives zod its openapi(), which schemas that are made before it do not have
import { WorkerEntrypoint } from "cloudflare:workers";
import type { VinRow } from "#core/vin/files/vin-columns.ts";
import { readVinRows } from "#core/vin/read-vin-rows.ts";
import type { UnsignedCallback } from "#core/jobs/callbacks/sign-callback.ts";
import { createApp } from "./app.ts";
import { depsOf } from "./deps.ts";
import { markInternal } from "./internal-actor.ts";
import { readFontFiles } from "./font-files.ts";
import { vinPortsOf } from "./vin-ports.ts";
import { signForDelivery } from "./sign-callback.ts";

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

  /** What VINs say, a row each, for jobs over files of them; see core/vin/files/vin-reader.ts. */
  async readVinRows(vins: readonly string[]): Promise<VinRow[]> {
    const deps = await depsOf(this.env);
    const background = (work: Promise<unknown>) => this.ctx.waitUntil(work);
    return readVinRows(vinPortsOf(deps, { log: deps.log, background }), vins, new Date());
  }

  /** Files of fonts, for reports; see core/reports/pdf/font-files.ts. */
  readFontFiles(names: readonly string[]): Promise<(Uint8Array | null)[]> {
    return readFontFiles(this.env.ASSETS, names);
  }

  /** The header `webhook-signature` of a callback that is about to be sent; null where the team has no secret. */
  signCallback(callback: UnsignedCallback): Promise<string | null> {
    return signForDelivery(this.env, callback);
  }
}

export default { fetch: app.fetch } satisfies ExportedHandler<ApiEnv>;
