import assert from "node:assert/strict";
import { z } from "zod";
import type { LoadRequest } from "../load/load.ts";
import type { Party } from "../parties/party.ts";
import { completionText, type ModelName, streamEvents, streamText } from "../upstream/replies.ts";

const completion = z.object({
  choices: z.tuple([
    z.object({
      message: z.object({ role: z.literal("assistant"), content: z.string() }),
      finish_reason: z.string(),
    }),
  ]),
  usage: z.object({
    prompt_tokens: z.number(),
    completion_tokens: z.number(),
    total_tokens: z.number(),
  }),
});

const chunk = z.object({
  choices: z.tuple([
    z.object({
      delta: z.object({ content: z.string().optional() }),
      finish_reason: z.string().nullable(),
    }),
  ]),
});

/**
 * Sends one request to a party and looks at every part of its answer that a client relies on. Returns
 * the request together with what the answers under load are compared with. Throws on the first fault.
 */
export async function checkAnswer(
  party: { name: string; chat: Party["chat"] },
  options: { model: ModelName; stream: boolean },
): Promise<LoadRequest> {
  const { url, headers, body } = party.chat(options);
  const response = await fetch(url, { method: "POST", headers, body });
  const text = await response.text();
  try {
    assert.equal(response.status, 200, "status");
    if (options.stream) checkStream(response, text);
    else checkCompletion(response, text);
  } catch (error) {
    throw new Error(
      `${party.name} gave a wrong answer to a ${options.stream ? "streamed " : ""}chat: ${text.slice(0, 1_000)}`,
      { cause: error },
    );
  }
  return {
    url,
    headers,
    body,
    expect: { contains: options.stream ? "data: [DONE]" : completionText, length: text.length },
  };
}

function checkCompletion(response: Response, text: string): void {
  assert.match(response.headers.get("content-type") ?? "", /^application\/json/);
  const { choices, usage } = completion.parse(JSON.parse(text));
  assert.equal(choices[0].message.content, completionText);
  assert.equal(choices[0].finish_reason, "stop");
  assert.equal(usage.total_tokens, 217);
}

function checkStream(response: Response, text: string): void {
  assert.match(response.headers.get("content-type") ?? "", /^text\/event-stream/);
  const data = [...text.matchAll(/^data: (.*)$/gm)].map((match) => match[1] ?? "");
  assert.equal(data.at(-1), "[DONE]");
  const chunks = data.slice(0, -1).map((line) => chunk.parse(JSON.parse(line)).choices[0]);
  assert.equal(chunks.length, streamEvents, "number of events before [DONE]");
  assert.equal(chunks.map(({ delta }) => delta.content ?? "").join(""), streamText);
  assert.equal(chunks.at(-1)?.finish_reason, "stop");
}
