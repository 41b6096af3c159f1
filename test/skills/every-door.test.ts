import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { usageRecords } from "#test/gateway/gateway-stack.ts";
import { eventually } from "#test/harness/eventually.ts";
import { type Stack, WEBHOOK_SECRET } from "#test/harness/stack.ts";
import { type BotApi, startBotApi } from "#test/telegram/bot-api-server.ts";
import { deliverTo } from "#test/telegram/deliver-to.ts";
import { skillOfReadme } from "./build-with-skills.ts";
import { startWithSkills } from "./skills-stack.ts";

/** The skill that the README shows, added by its file and its place in the list, and reached by every door. */

let stack: Stack;
let telegram: BotApi;
let team: Awaited<ReturnType<Stack["createTeam"]>>;

beforeAll(async () => {
  telegram = await startBotApi({ backoffScale: 0.05 });
  stack = await startWithSkills(inject("postgres"), {
    vars: { TELEGRAM_BOT_TOKEN: telegram.token, TELEGRAM_API_ROOT: telegram.url },
  });
  deliverTo(telegram, stack.urls.bot, WEBHOOK_SECRET);
  team = await stack.createTeam();
});
afterAll(async () => {
  await telegram?.stop();
  await stack?.stop();
});

interface Ended {
  state: string;
  result: unknown;
  error: { message: string } | null;
}

/** Makes a job and waits for its end. */
async function endOf(job: object): Promise<Ended> {
  const { id } = await team.client.expect<{ id: string }>(202, "POST", "/v1/jobs", job);
  let ended: Ended | null = null;
  await eventually(async () => {
    ended = await team.client.expect<Ended>(200, "GET", `/v1/jobs/${id}`);
    expect(["succeeded", "failed"]).toContain(ended.state);
  });
  if (!ended) throw new Error("It has not ended");
  return ended;
}

test("the README shows a skill in under 40 lines", async () => {
  const { code, file } = await skillOfReadme();
  expect(file).toBe("text/count-words.ts");
  expect(code.trim().split("\n").length).toBeLessThan(40);
});

describe("it is reached", () => {
  test("by HTTP, with docs", async () => {
    const answer = await team.client.expect(200, "POST", "/v1/skills/text.count", { text: "a b" });
    expect(answer).toEqual({ words: 2, characters: 3 });
    const { paths } = await stack
      .client(null)
      .expect<{ paths: Record<string, unknown> }>(200, "GET", "/openapi.json");
    expect(paths).toHaveProperty(["/v1/skills/text.count", "post"]);
  });

  test("as a tool of the chat model", async () => {
    const body = { message: "please use text_count", model: "builtin", stream: true };
    const response = await team.client.request("POST", "/v1/chat", body);
    const events = await response.text();
    expect(events).toContain('event: tool\ndata: {"name":"text.count","state":"running"}');
    expect(events).toContain('event: tool\ndata: {"name":"text.count","state":"done"}');
  });

  test("as a command in Telegram, in the language of the person, and in /help", async () => {
    const person = telegram.addPerson({ language_code: "de" });
    const answers = () => telegram.answersIn(person.chat).map(({ text }) => text ?? "");
    const after = async (count: number) => {
      await eventually(() => {
        expect(answers()).toHaveLength(count);
        expect(answers().at(-1)).not.toBe("…");
      });
      return answers().at(-1);
    };
    person.says("/count one two");
    expect(await after(1)).not.toContain("2 / 7"); // the chat is linked to no team yet
    const link = await team.client.expect<{ command: string }>(
      201,
      "POST",
      "/v1/telegram/link-codes",
      {},
    );
    person.says(link.command);
    await after(2);
    person.says("/count one two");
    expect(await after(3)).toBe("2 / 7");
    person.says("/count");
    expect(await after(4)).toContain("/count TEXT");
    person.says("/help");
    expect(await after(5)).toContain("/count TEXT");
    await team.client.expect(200, "PUT", "/v1/skills/text.count", { enabled: false });
    await eventually(async () => {
      const before = answers().length;
      person.says("/count one two");
      expect(await after(before + 1)).not.toBe("2 / 7");
    });
    await team.client.expect(200, "PUT", "/v1/skills/text.count", { enabled: true });
  });

  test("by MCP", async () => {
    const client = new Client({ name: "test", version: "1" });
    const headers = { authorization: `Bearer ${team.key}` };
    await client.connect(
      new StreamableHTTPClientTransport(new URL(`${stack.urls.api}/mcp`), {
        requestInit: { headers },
      }),
    );
    await eventually(async () => {
      const answer = await client.callTool({ name: "text_count", arguments: { text: "a b" } });
      expect(answer.structuredContent).toEqual({ words: 2, characters: 3 });
    });
    await client.close();
  });

  test("as a job, once however often it is asked, and refused at once where its input is wrong", async () => {
    const job = { type: "run_skill", input: { skill: "text.count", input: { text: "a b" } } };
    const ended = await endOf(job);
    expect(ended).toMatchObject({ state: "succeeded", result: { words: 2, characters: 3 } });
    const wrong = { type: "run_skill", input: { skill: "text.count", input: { txt: "a b" } } };
    const refused = await team.client.expect<{ errors: { path: string }[] }>(
      422,
      "POST",
      "/v1/jobs",
      wrong,
    );
    expect(refused.errors.map(({ path }) => path)).toContain("input.input.text");
    const unknown = { type: "run_skill", input: { skill: "text.none", input: {} } };
    await team.client.expect(422, "POST", "/v1/jobs", unknown);
  });

  test("and not as a job whose maker may use no skills, or whose team has switched it off", async () => {
    const key = await team.client.expect<{ key: string }>(201, "POST", "/v1/keys", {
      name: "jobs only",
      scopes: ["jobs"],
    });
    const job = { type: "run_skill", input: { skill: "text.count", input: { text: "a b" } } };
    await stack.client(key.key).expect(403, "POST", "/v1/jobs", job);
    await team.client.expect(200, "PUT", "/v1/skills/text.count", { enabled: false });
    await eventually(async () => {
      const ended = await endOf(job);
      expect(ended.state).toBe("failed");
      expect(ended.error?.message).toContain("switched off");
    });
    await team.client.expect(200, "PUT", "/v1/skills/text.count", { enabled: true });
  });

  test("and every use is charged its price", async () => {
    await eventually(async () => {
      const records = (await usageRecords(stack).of("skill:text.count")).filter(
        ({ team_id: id, status }) => id === team.teamId && status === 200,
      );
      expect(records.length).toBeGreaterThanOrEqual(4);
      expect(records.every(({ cost_micros: micros }) => micros === 50)).toBe(true);
    });
  });
});
