import { type Fields, listOf, objectOf } from "../../../chat/loose-json.ts";
import { AppError } from "../../../kernel/errors.ts";
import { type CanonicalChoice, completionText } from "../canonical-answer.ts";
import type { KindRequest } from "../kind.ts";
import {
  blockedSentence,
  isFailure,
  readCandidate,
  signedBy,
  toFinishReason,
  toUsage,
} from "./candidate.ts";

/**
 * An answer of generateContent as a canonical completion.
 * @param oneCall whether all calls but the first are left out
 * @throws AppError `provider_error` where the model failed; Error where the text is no answer
 */
export function decodeContent(text: string, request: KindRequest, oneCall: boolean): string {
  const answer = objectOf(JSON.parse(text));
  const { responseId, usageMetadata } = answer;
  const id = typeof responseId === "string" ? responseId : `chatcmpl-${request.requestId}`;
  const usage = usageMetadata ? toUsage(objectOf(usageMetadata)) : null;
  const blocked = blockedSentence(answer);
  const candidates = listOf(answer["candidates"]).map(objectOf);
  if (candidates.length === 0 && blocked === null)
    throw new Error("This is no answer of generateContent");
  let calls = 0;
  const makeId = () => `call_${id}_${calls++}`;
  const choices =
    candidates.length === 0
      ? [blockedChoice(blocked)]
      : candidates.map((candidate, index) => choiceOf(candidate, index, makeId, oneCall));
  return completionText(id, request, choices, usage);
}

function blockedChoice(refusal: string | null): CanonicalChoice {
  const message = { role: "assistant" as const, content: null, refusal };
  return { index: 0, message, finish_reason: "content_filter" };
}

function choiceOf(
  candidate: Fields,
  position: number,
  makeId: () => string,
  oneCall: boolean,
): CanonicalChoice {
  const said = readCandidate(candidate, makeId);
  const finish = said.finish ?? "OTHER";
  if (isFailure(finish)) {
    throw new AppError("provider_error", {
      message: `The model made a call that makes no sense (${finish}). Try again.`,
    });
  }
  const calls = oneCall ? said.calls.slice(0, 1) : said.calls;
  const { index } = candidate;
  return {
    index: typeof index === "number" ? index : position,
    message: {
      role: "assistant",
      content: said.text === "" && calls.length > 0 ? null : said.text,
      refusal: null,
      ...(said.thoughts === "" ? {} : { reasoning_content: said.thoughts }),
      ...(calls.length > 0 ? { tool_calls: calls } : {}),
      ...(said.signature === null ? {} : signedBy(said.signature)),
    },
    finish_reason: toFinishReason(finish, calls.length > 0),
  };
}
