import { builtinChunks, builtinCompletion, type Recogniser } from "../chat/builtin-model.ts";
import type { ProviderAnswer } from "./call-provider.ts";
import { ProviderCall } from "./provider-call.ts";

/** The pause between two pieces of a streamed answer: about as fast as a model writes, in milliseconds. */
const PACE_MS = 12;

const encoder = new TextEncoder();

/** The builtin model's answer, as a provider would send it. */
export function builtinAnswer(
  request: Record<string, unknown>,
  recognisers: readonly Recogniser[] = [],
): ProviderAnswer {
  const response =
    request["stream"] === true
      ? streamOf(
          builtinChunks({ ...request, stream_options: { include_usage: true } }, recognisers),
        )
      : Response.json(builtinCompletion(request, recognisers));
  return { response, decodeWhole: null, call: new ProviderCall(null) };
}

function streamOf(chunks: Iterable<unknown>): Response {
  const iterator = chunks[Symbol.iterator]();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = iterator.next();
      controller.enqueue(encoder.encode(`data: ${done ? "[DONE]" : JSON.stringify(value)}\n\n`));
      if (done) controller.close();
      else await new Promise((resolve) => setTimeout(resolve, PACE_MS));
    },
  });
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
}
