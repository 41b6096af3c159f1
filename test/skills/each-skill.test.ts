import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { findSkill, toolNameOf } from "#core/skills/find-skill.ts";
import { SKILLS } from "#core/skills/skills.ts";
import { expectProblem } from "#test/api/problem.ts";
import { usageRecords } from "#test/gateway/gateway-stack.ts";
import { eventually } from "#test/harness/eventually.ts";
import type { Stack } from "#test/harness/stack.ts";
import type { FaultProvider } from "#test/providers/fault-provider.ts";
import type { Fault } from "#test/providers/fault.ts";
import { readTurn } from "#test/sessions/session-stack.ts";
import type { BotApi } from "#test/telegram/bot-api-server.ts";
import type { Person } from "#test/telegram/bot-api/people.ts";
import type { StoredMessage } from "#test/telegram/bot-api/world.ts";
import { startTelegramStack, type TelegramStack } from "#test/telegram/telegram-stack.ts";
import { markdownToEntities } from "../../workers/bot/text/markdown-to-entities.ts";
import {
  ANALYST,
  CAMPAIGN_FILE,
  scriptAnalyst,
  SKILL_CASES,
  type SkillCase,
} from "./skill-cases.ts";

/** Every skill that there is, used in full at each door on the same data: all of them answer the same. */

/** The model of chats that choose none. */
const MODEL = "fault-1";
const LONG_MS = 120_000;
let started: TelegramStack;
let stack: Stack;
let telegram: BotApi;
let provider: FaultProvider;
let team: Awaited<ReturnType<Stack["createTeam"]>>;
let person: Person;
let mcp: Client;

beforeAll(async () => {
  started = await startTelegramStack({
    postgres: inject("postgres"),
    vars: { AI_SERVICE_MODEL: MODEL },
  });
  ({ stack, telegram, provider } = started);
  team = await stack.createTeam();
  const settings = { base_url: provider.url, api_key: "sk-any", retries: { max: 0 } };
  await stack.admin.request("PUT", "/v1/admin/providers/analysts", settings);
  const model = { targets: [{ provider: "analysts", model: ANALYST }] };
  await stack.admin.expect(201, "PUT", `/v1/admin/models/${ANALYST}`, model);
  scriptAnalyst(provider, ANALYST);
  await importCampaigns();
  person = await linkedPerson();
  mcp = await connectMcp(team.key);
}, LONG_MS);
afterAll(async () => {
  await mcp?.close();
  await started?.stop();
});

interface Ended {
  id: string;
  state: string;
  result: Record<string, unknown>;
  error: { message: string } | null;
}

const endOf = (id: string) =>
  eventually(async () => {
    const job = await team.client.expect<Ended>(200, "GET", `/v1/jobs/${id}`);
    expect(["succeeded", "failed"]).toContain(job.state);
    return job;
  }, LONG_MS);

async function runJob(job: object): Promise<Ended> {
  return endOf((await team.client.expect<{ id: string }>(202, "POST", "/v1/jobs", job)).id);
}

async function importCampaigns(): Promise<void> {
  const sent = await team.client.request(
    "POST",
    "/v1/campaigns/uploads?name=two.csv",
    CAMPAIGN_FILE,
    {
      "content-type": "text/csv",
    },
  );
  const { job } = (await sent.json()) as { job: { id: string } }; // as the contract has it
  const ended = await endOf(job.id);
  expect(ended).toMatchObject({ state: "succeeded", result: { accepted: 28, rejected: 0 } });
}

async function linkedPerson(): Promise<Person> {
  const somebody = telegram.addPerson();
  const path = "/v1/telegram/link-codes";
  const { command } = await team.client.expect<{ command: string }>(201, "POST", path, {});
  somebody.says(command);
  await eventually(() => expect(telegram.answersIn(somebody.chat)).toHaveLength(1));
  return somebody;
}

async function connectMcp(key: string): Promise<Client> {
  const client = new Client({ name: "test", version: "1" });
  const requestInit = { headers: { authorization: `Bearer ${key}` } };
  const url = new URL(`${stack.urls.api}/mcp`);
  await client.connect(new StreamableHTTPClientTransport(url, { requestInit }));
  return client;
}

const answers = () => telegram.answersIn(person.chat);
/** What the person is answered last, once there are that many answers and the last is whole. */
const answerAfter = (count: number) =>
  eventually(() => {
    const last = answers().at(-1);
    expect(answers()).toHaveLength(count);
    expect(last?.replyMarkup).toBeUndefined(); // a button to stop stands below what is not over
    expect(last?.document ?? last?.text).not.toBe("…");
    return last;
  }, LONG_MS);

function expectFile({ file }: SkillCase, message: StoredMessage | undefined): void {
  expect(message?.document?.file_name).toMatch(file?.name ?? /^$/);
  const begins = Buffer.from(message?.document?.bytes ?? []).subarray(0, file?.begins.length);
  expect(begins.toString("latin1")).toBe(file?.begins);
}

/** Lets the chat's model answer so from now on, one after the other. */
function modelDoes(...faults: Fault[]): void {
  const before = provider.requestsFor(MODEL).length;
  provider.script(MODEL, (earlier) => faults[Math.min(earlier - before, faults.length - 1)] ?? {});
}
const modelCalls = ({ skill, input }: SkillCase) => {
  const tool = { name: toolNameOf(findSkill(skill)), arguments: JSON.stringify(input) };
  modelDoes({ toolCalls: [tool] }, { pieces: ["That is what it says."] });
};
/** What the model was told of its call. */
function toldToModel(): { ok: boolean; data: Record<string, unknown> } {
  const messages = provider.requestsFor(MODEL).at(-1)?.body?.["messages"] as {
    role: string;
    content: string;
  }[]; // as our gateway sends them
  return JSON.parse(messages.findLast(({ role }) => role === "tool")?.content ?? "null") as never; // null fails what is checked next
}

/** An answer without what is another one each time. */
function steady({ cached: _, ...answer }: Record<string, unknown>): Record<string, unknown> {
  const files = answer["files"] as { name: string }[] | undefined; // only reports have them
  return files ? { ...answer, files: files.map(({ name }) => name) } : answer;
}
/** What a door of a job tells of it, as the answer of the skill. */
const resultOf = (one: SkillCase, told: Record<string, unknown>) => {
  if (!one.job) return steady(told);
  expect(told).toMatchObject({ state: "succeeded" });
  return steady(told["result"] as Record<string, unknown>); // as reportResult has it
};

/** The answer with all that it has. */
async function useByHttp(one: SkillCase, input: object): Promise<Record<string, unknown>> {
  const path = `/v1/skills/${one.skill}`;
  if (!one.job) return team.client.expect(200, "POST", path, input);
  const { id } = await team.client.expect<{ id: string }>(202, "POST", path, input);
  return (await endOf(id)).result;
}

const usesOf = async ({ skill }: SkillCase) =>
  (await usageRecords(stack).of(`skill:${skill}`)).filter(({ team_id: id }) => id === team.teamId);

test("every skill that is listed has a case here", () => {
  expect(SKILL_CASES.map(({ skill }) => skill)).toEqual(SKILLS.map(({ name }) => name));
});

describe.each(SKILL_CASES)("$skill", (one) => {
  const skill = findSkill(one.skill);
  let whole: Record<string, unknown>;
  let uses = 0;

  test("answers by HTTP, and by its own route the same", async () => {
    whole = steady(await useByHttp(one, one.input));
    uses += 1;
    expect(whole).toMatchObject(one.answers);
    if (!one.friendly) return;
    expect(whole).toMatchObject(await one.friendly(team.client));
    if (one.friendlyIsUse) uses += 1;
  });

  test("answers the chat's model the same, and the stream shows that it works", async () => {
    modelCalls(one);
    const body = { message: `Use ${one.skill}`, stream: true };
    const events = await readTurn(await team.client.request("POST", "/v1/chat", body));
    uses += 1;
    const tools = events.filter(({ event }) => event === "tool").map(({ data }) => data);
    const jobId = tools.at(-1)?.["job_id"];
    expect(jobId).toEqual(one.job ? expect.stringMatching(/^job_/) : undefined);
    const [begun, ...later] = tools.map(({ progress: _, ...told }) => told);
    expect(begun).toEqual({ name: one.skill, state: "running" });
    const job = one.job ? { job_id: jobId } : {};
    // Of a job it is told again when it is made, and every two seconds how far it is.
    for (const told of later.slice(0, -1))
      expect(told).toEqual({ name: one.skill, state: "running", ...job });
    expect(later.at(-1)).toEqual({ name: one.skill, state: "done", ...job });
    expect(later.length > 1).toBe(one.job !== undefined);
    expect(events.at(-1)).toMatchObject({
      event: "done",
      data: { reply: "That is what it says." },
    });
    const { ok, data } = toldToModel();
    expect(ok).toBe(true);
    expect(resultOf(one, data)).toEqual(whole);
  });

  test("answers MCP's official client the same", async () => {
    const { tools } = await mcp.listTools(); // from then on it holds answers to their schemas
    const tool = tools.find(({ name }) => name === toolNameOf(skill));
    expect(tool).toMatchObject({ description: skill.summary, annotations: { readOnlyHint: true } });
    const name = toolNameOf(skill);
    const answer = await mcp.callTool({ name, arguments: one.input }, { timeout: LONG_MS });
    uses += 1;
    expect(resultOf(one, answer.structuredContent as Record<string, unknown>)).toEqual(whole); // an object by its schema
  });

  test("answers as a job the same", async () => {
    const runs = { type: "run_skill", input: { skill: one.skill, input: one.input } };
    const { state, error, result } = await runJob(one.job ?? runs);
    if (!one.job) uses += 1;
    expect({ state, error }).toEqual({ state: "succeeded", error: null });
    expect(steady(result)).toEqual(whole);
    if (one.job) await team.client.expect(422, "POST", "/v1/jobs", runs);
  });

  test("answers its command in Telegram in words", async () => {
    scriptAnalyst(provider, MODEL);
    const text = one.command.replace(/^\/\w+ ?/, "");
    const input = skill.telegram?.parse(text, "en");
    const before = answers().length;
    person.says(one.command);
    const answer = await answerAfter(before + 1);
    const output = skill.output.parse(await useByHttp(one, { ...input }));
    uses += 2;
    const shown = markdownToEntities(skill.telegram?.render(output, "en") ?? "").text;
    expect(shown).toMatch(one.shows);
    if (!one.job) return expect(answer?.text).toBe(shown);
    expect(answer?.caption).toBe(shown);
    expectFile(one, answer);
  });

  test("answers the model of a chat in Telegram the same, and brings what its job has made", async () => {
    modelCalls(one);
    const before = answers().length;
    person.says(`Please use ${one.skill}`);
    const last = await answerAfter(before + (one.job ? 2 : 1));
    uses += 1;
    const { ok, data } = toldToModel();
    expect(ok).toBe(true);
    expect(resultOf(one, data)).toEqual(whole);
    expect(answers()[before]?.text).toBe("That is what it says.");
    if (one.job) expectFile(one, last);
  });

  test("is used and charged once each time, for whoever asked", async () => {
    const records = await eventually(async () => {
      const all = await usesOf(one);
      expect(all.length).toBeGreaterThanOrEqual(uses);
      return all;
    });
    expect(records).toHaveLength(uses);
    expect(new Set(records.map(({ id }) => id)).size).toBe(uses);
    expect(records.every(({ status }) => status === 200)).toBe(true);
    const price = skill.priceMicros ?? 0;
    expect(records.every(({ cost_micros: micros }) => micros === price)).toBe(true);
    const chats = records.filter(({ end_user: user }) => user === `tg:${person.user.id}`);
    expect(chats).toHaveLength(2);
    const other = records.filter(({ end_user: user }) => user === null);
    expect(other).toHaveLength(uses - 2);
  });

  test("is refused at each door to whoever lacks a scope of it", async () => {
    const scopes = one.job ? ["chat", "skills"] : ["chat", "jobs"];
    const body = { name: "lacking", scopes };
    const { key } = await team.client.expect<{ key: string }>(201, "POST", "/v1/keys", body);
    const lacking = stack.client(key);
    const direct = await lacking.request("POST", `/v1/skills/${one.skill}`, one.input);
    await expectProblem(direct, 403, "missing_scope");
    modelDoes({});
    await lacking.expect(200, "POST", "/v1/chat", { message: "Hello" });
    const offered = JSON.stringify(provider.requestsFor(MODEL).at(-1)?.body?.["tools"] ?? []);
    expect(offered).not.toContain(`"${toolNameOf(skill)}"`);
    if (one.job) {
      const client = await connectMcp(key);
      const { tools } = await client.listTools();
      expect(tools.map(({ name }) => name)).not.toContain(toolNameOf(skill));
      const call = await client.callTool({ name: toolNameOf(skill), arguments: one.input });
      expect(JSON.stringify(call)).toContain("missing_scope");
      await client.close();
    } else await expect(connectMcp(key)).rejects.toThrow();
    const job = one.job ?? { type: "run_skill", input: { skill: one.skill, input: one.input } };
    await expectProblem(await lacking.request("POST", "/v1/jobs", job), 403, "missing_scope");
  });

  test("is refused at each door while the team has it switched off", async () => {
    const path = `/v1/skills/${one.skill}`;
    await team.client.expect(200, "PUT", path, { enabled: false });
    await eventually(async () => {
      const direct = await team.client.request("POST", path, one.input);
      await expectProblem(direct, 403, "skill_switched_off");
    });
    modelDoes({});
    // Sessions live elsewhere, and hear of it within a second on their own.
    await eventually(async () => {
      await team.client.expect(200, "POST", "/v1/chat", { message: "Hello" });
      const offered = JSON.stringify(provider.requestsFor(MODEL).at(-1)?.body?.["tools"] ?? []);
      expect(offered).not.toContain(`"${toolNameOf(skill)}"`);
    });
    const call = await mcp.callTool({ name: toolNameOf(skill), arguments: one.input });
    expect(JSON.stringify(call)).toContain("skill_switched_off");
    const before = answers().length;
    person.says(one.command);
    expect((await answerAfter(before + 1))?.text).toContain(
      "Your team has switched this skill off",
    );
    if (!one.job) {
      const ended = await runJob({
        type: "run_skill",
        input: { skill: one.skill, input: one.input },
      });
      expect([ended.state, ended.error?.message]).toEqual([
        "failed",
        expect.stringContaining("switched off"),
      ]);
    }
    await team.client.expect(200, "PUT", path, { enabled: true });
  });
});
