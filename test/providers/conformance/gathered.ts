import { type Fields, listOf, objectOf } from "#core/chat/loose-json.ts";
import type { KindRequest } from "#core/providers/kinds/kind.ts";
import type { Recording } from "./recordings/recording.ts";

/** What an answer says, however it came. */
export type Said = Omit<Recording, "scenario" | "wire">;

export const saidIn = ({ scenario: _scenario, wire: _wire, ...said }: Recording): Said => said;

/** A request as the gateway hands it to a kind. */
export function kindRequest(raw: Fields = {}): KindRequest {
  return {
    raw: { model: "ours", messages: [{ role: "user", content: "Hello" }], ...raw },
    stream: raw["stream"] === true,
    model: "ours",
    targetModel: "theirs",
    maxOutputTokens: null,
    requestId: "req_1",
    now: 1_700_000_000_000,
  };
}

/** Gathers the chunks of a stream, or the message of a whole answer. */
export class Gathered {
  readonly said: Said = {
    text: "",
    reasoning: "",
    calls: [],
    finish: "",
    usage: { prompt_tokens: 0, completion_tokens: 0, cached: 0 },
  };

  add(answer: Fields, holder: "delta" | "message"): void {
    const { said } = this;
    if (answer["usage"]) this.count(objectOf(answer["usage"]));
    const choice = objectOf(listOf(answer["choices"])[0]);
    const part = objectOf(choice[holder]);
    said.text += String(part["content"] ?? "");
    said.reasoning += String(part["reasoning_content"] ?? "");
    said.finish += String(choice["finish_reason"] ?? "");
    listOf(part["tool_calls"]).forEach((value, place) => {
      const call = objectOf(value);
      const { name, arguments: input } = objectOf(call["function"]);
      const index = typeof call["index"] === "number" ? call["index"] : place;
      const known = (said.calls[index] ??= { name: "", arguments: "" });
      known.name += String(name ?? "");
      known.arguments += String(input ?? "");
    });
  }

  private count(usage: Fields): void {
    const cached = objectOf(usage["prompt_tokens_details"])["cached_tokens"];
    this.said.usage = {
      prompt_tokens: Number(usage["prompt_tokens"]),
      completion_tokens: Number(usage["completion_tokens"]),
      cached: Number(cached ?? 0),
    };
  }
}
