import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chatBody } from "../parties/party.ts";
import { Processes } from "../process/parent.ts";
import { completionBody, type ModelName, models, streamEvents, streamText } from "./replies.ts";
import { startUpstream } from "./upstream.ts";

const processes = new Processes();
let upstream = "";

beforeAll(async () => {
  upstream = await startUpstream(processes);
});
afterAll(() => processes.stopAll());

const ask = (body: string) => fetch(`${upstream}/v1/chat/completions`, { method: "POST", body });

function eventsOf(text: string): string[] {
  return [...text.matchAll(/^data: (.*)$/gm)].map((match) => match[1] ?? "");
}

describe("the bench's upstream", () => {
  it("answers a chat with the completion that the parties are checked by", async () => {
    const response = await ask(chatBody({ model: models.burst, stream: false }));
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(await response.text()).toBe(completionBody);
  });

  it.each<ModelName>(Object.values(models))(
    "streams the same 200 events and [DONE] as %s",
    async (model) => {
      const events = eventsOf(await (await ask(chatBody({ model, stream: true }))).text());
      expect(events).toHaveLength(streamEvents + 1);
      expect(events.pop()).toBe("[DONE]");
      const contents = events.map(
        (event) =>
          (JSON.parse(event) as { choices: [{ delta: { content?: string } }] }).choices[0].delta
            .content ?? "",
      ); // its own events, built in replies.ts
      expect(contents.join("")).toBe(streamText);
    },
  );

  it("adds the usage chunk only where it was asked for", async () => {
    const body = JSON.stringify({
      ...JSON.parse(chatBody({ model: models.burst, stream: true })),
      stream_options: { include_usage: true },
    });
    const events = eventsOf(await (await ask(body)).text());
    expect(events).toHaveLength(streamEvents + 2);
    expect(JSON.parse(events.at(-2) ?? "")).toMatchObject({
      choices: [],
      usage: { prompt_tokens: 19, completion_tokens: 198 },
    });
  });

  it("keeps the order of pipelined requests, also behind a stream that takes its time", async () => {
    const message = (body: string) =>
      `POST /v1/chat/completions HTTP/1.1\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
    const socket = connect(Number(new URL(upstream).port), "127.0.0.1");
    socket.write(
      message(chatBody({ model: models.paced, stream: true })) +
        message(chatBody({ model: models.burst, stream: false })),
    );
    let text = "";
    for await (const chunk of socket) {
      text += String(chunk);
      if (text.endsWith(completionBody)) break;
    }
    expect(text.indexOf("[DONE]")).toBeGreaterThan(0);
    expect(text.indexOf("[DONE]")).toBeLessThan(text.indexOf(completionBody));
  });

  it("knows no other path", async () => {
    expect((await fetch(`${upstream}/v1/models`)).status).toBe(404);
  });
});
