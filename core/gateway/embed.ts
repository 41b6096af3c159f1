import { builtinEmbeddings } from "../chat/builtin-model.ts";
import { estimateTokens } from "../chat/estimate-tokens.ts";
import type { Route } from "../providers/catalog.ts";
import { type Exchange, unsupported } from "../providers/kinds/kind.ts";
import { guardEmbeddings } from "../guard-rails/guard-request.ts";
import { railEvents } from "../guard-rails/rail-events.ts";
import { kindOf } from "../providers/kinds/kinds.ts";
import { callProvider, readWhole } from "./call-provider.ts";
import { attemptTargets, deadlineOf } from "./attempt-targets.ts";
import { allowedRoute, notJson, planOf, wholeAnswer } from "./complete-chat.ts";
import { withFailureRecord } from "./failure-record.ts";
import { invalid, parseJsonObject, readModel } from "./chat-request.ts";
import type { GatewayPorts, ModelAnswer, ModelCall } from "./model-call.ts";
import { worstCase } from "./worst-case.ts";
import { readUsage } from "./usage-tally.ts";

/** An embeddings request as far as the gateway reads it. */
export interface EmbeddingsRequest {
  model: string;
  user: string | null;
  raw: Record<string, unknown>;
}

/** @throws AppError `invalid_json`, `invalid_request` */
export function parseEmbeddingsRequest(text: string): EmbeddingsRequest {
  const raw = parseJsonObject(text);
  const { input, user } = raw;
  const valid = typeof input === "string" || (Array.isArray(input) && input.length > 0);
  if (!valid) throw invalid("input", "must be a text, or a list of texts or tokens");
  return { model: readModel(raw), user: typeof user === "string" ? user : null, raw };
}

/**
 * Sends an embeddings request to the model's provider and makes its usage record.
 * @throws AppError as completeChat does
 */
export async function embed(
  ports: GatewayPorts,
  call: ModelCall,
  request: EmbeddingsRequest,
): Promise<ModelAnswer> {
  const sent = () => estimateInput(request.raw["input"]);
  return withFailureRecord(
    { ports, call, model: request.model, estimateInput: sent },
    async (progress) => {
      const model = await allowedRoute(ports, call, request.model);
      const rails = await ports.guardRails(call.teamId);
      const guarded = rails ? guardEmbeddings(rails, request.raw) : request.raw;
      if (guarded !== request.raw) progress.inputMasked = true;
      request = { ...request, raw: guarded };
      const deadlineAt = deadlineOf(model, call.receivedAt);
      const worst = () => worstCase({ input: request.raw["input"], max_tokens: 0 }, model.targets);
      const admission = await ports.admit(call, request.model, { worst, deadlineAt });
      progress.admission = admission;
      const { value, route, number } = await attemptTargets({
        ports,
        call,
        plan: planOf(ports, model),
        deadlineAt,
        begins: progress.begins,
        attempt: (target) => embedAt(ports, call, target, request, deadlineAt),
      });
      const { text, counted } = value;
      const tokens = counted ?? { input: sent(), output: 0 };
      const asked = { ports, call, model: request.model };
      const estimated = counted === null;
      const guardRails = railEvents(progress.inputMasked, null);
      const outcome = { tokens, estimated, attempt: number, guardRails };
      const answer = wholeAnswer(asked, route, text, outcome);
      return { ...answer, admission };
    },
  );
}

/** One attempt. */
async function embedAt(
  ports: GatewayPorts,
  call: ModelCall,
  route: Route,
  request: EmbeddingsRequest,
  deadlineAt: number,
) {
  if (route.endpoint === null) {
    const text = JSON.stringify(builtinEmbeddings(request.raw));
    return { text, counted: countedIn(text, route) };
  }
  const exchange = embeddingsExchange(route, request, call);
  const answer = await callProvider(ports, call, route, exchange, deadlineAt);
  const text = await readWhole(answer, route, deadlineAt - ports.now());
  return { text, counted: countedIn(text, route) };
}

/** @throws AppError `provider_error` where it is no JSON object */
const countedIn = (text: string, route: Route) =>
  notJson(route, () => readUsage(parseJsonObject(text)["usage"]));

function embeddingsExchange(
  route: Route,
  { raw }: EmbeddingsRequest,
  { requestId, receivedAt: now }: ModelCall,
): Exchange {
  const kind = kindOf(route.endpoint?.kind ?? "openai");
  if (kind.embeddings === null) throw unsupported(kind.label, "model", "has no embeddings");
  const { model, targetModel, maxOutputTokens } = route;
  const stream = false;
  return kind.embeddings({
    raw,
    stream,
    model,
    targetModel,
    maxOutputTokens,
    requestId,
    now,
  });
}

/** Texts are estimated; a list of numbers is tokens already. */
function estimateInput(input: unknown): number {
  if (typeof input === "string") return estimateTokens(input);
  if (!Array.isArray(input)) return 0;
  return input.reduce(
    (sum: number, item: unknown) => sum + (typeof item === "number" ? 1 : estimateInput(item)),
    0,
  );
}
