import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { eventually } from "#test/harness/eventually.ts";
import { type ChatAnswer, type SessionStack, startSessions } from "#test/sessions/session-stack.ts";
import { startWithSkills } from "./skills-stack.ts";

/** Jobs that a model begins in a turn which dies, and is sent again. Nobody works them here, so that turns wait for them. */

let sessions: SessionStack;
beforeAll(async () => {
  sessions = await startSessions(inject("postgres"), {
    vars: { SESSION_TURN_LEASE_SECONDS: "2" },
    start: ({ postgres, ...options }) => startWithSkills(postgres, options),
  });
});
afterAll(() => sessions?.stop());

const countTo = (count: number) => ({
  name: "test_count_slowly",
  arguments: JSON.stringify({ count }),
});

/** A model that calls these tools in every turn, and says something once it is told what came of them. */
async function modelThatCalls(...toolCalls: ReturnType<typeof countTo>[]): Promise<string> {
  const model = await sessions.model({});
  sessions.provider.script(model, () => {
    const body = sessions.provider.requestsFor(model).at(-1)?.body;
    const messages = body?.["messages"] as { role: string }[]; // as our gateway sends them
    return messages.at(-1)?.role === "tool" ? {} : { toolCalls };
  });
  return model;
}

const skills = ["test.count_slowly"];
const jobs = async () =>
  (
    await sessions.stack.sql<{ id: string }>("SELECT id FROM jobs WHERE team_id = $1 ORDER BY id", [
      sessions.teamId,
    ])
  ).map(({ id }) => id);

/** Sends a turn, kills the runtime once it has begun so many jobs, and sends it again. @returns the jobs that there were */
async function killedTurn(
  body: object,
  more: number,
  headers: Record<string, string> = {},
): Promise<{ began: string[]; answer: ChatAnswer }> {
  const before = await jobs();
  const dying = sessions.client.request("POST", "/v1/chat", body, headers).catch(() => null);
  const began = await eventually(async () => {
    const now = (await jobs()).filter((id) => !before.includes(id));
    expect(now).toHaveLength(more);
    return now;
  });
  await sessions.stack.kill();
  await dying;
  await sessions.stack.restart();
  // The session waits until the lease of the dead turn is over.
  const answer = await eventually(
    () => sessions.client.expect<ChatAnswer>(200, "POST", "/v1/chat", body, headers),
    90_000,
  );
  expect((await jobs()).filter((id) => !before.includes(id))).toEqual(began);
  return { began, answer };
}

describe("a turn that is killed and sent again begins no job twice", () => {
  test("where it is the same message at the same place of its session", async () => {
    const { session_id } = await sessions.talk({ message: "Hello" });
    const model = await modelThatCalls(countTo(3));
    const body = { session_id, message: "Count to 3", model, skills };
    const { began } = await killedTurn(body, 1);
    // Said once more it is another turn, and another job.
    const before = await jobs();
    await sessions.talk(body);
    const after = await jobs();
    expect(after).toHaveLength(before.length + 1);
    expect(after).toEqual(expect.arrayContaining(began));
    // And so it is when the session has been emptied, and all begins anew.
    await sessions.client.expect(200, "POST", `/v1/sessions/${session_id}/reset`);
    await sessions.talk(body);
    expect(await jobs()).toHaveLength(before.length + 2);
  }, 300_000);

  test("where it has an Idempotency-Key and makes its session, however often it makes the same call", async () => {
    const model = await modelThatCalls(countTo(4), countTo(5), countTo(4));
    const headers = { "idempotency-key": crypto.randomUUID() };
    const body = { message: "Count twice to 4 and once to 5", model, skills };
    const { answer } = await killedTurn(body, 3, headers);
    const count = (await jobs()).length;
    // Its answer is kept by now.
    const again = await sessions.client.expect(200, "POST", "/v1/chat", body, headers);
    expect(again).toMatchObject({ message_id: answer.message_id });
    expect(await jobs()).toHaveLength(count);
  }, 300_000);
});
