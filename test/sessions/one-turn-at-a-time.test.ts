import { eventually } from "#test/harness/eventually.ts";
import { expectProblem } from "#test/api/problem.ts";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import {
  type ChatAnswer,
  deltasOf,
  readTurn,
  type SessionStack,
  startSessions,
} from "./session-stack.ts";

let sessions: SessionStack;

beforeAll(async () => {
  sessions = await startSessions(inject("postgres"), {
    vars: { SESSION_TURN_LEASE_SECONDS: "2" },
  });
});
afterAll(() => sessions?.stop());

const post = (body: object, headers?: Record<string, string>, signal?: AbortSignal) =>
  sessions.client.request("POST", "/v1/chat", body, headers, signal);
const once = () => ({ "idempotency-key": crypto.randomUUID() });

describe("of many turns at once in one session", () => {
  test("one goes and the others are told that it is busy, from wherever they come", async () => {
    const model = await sessions.model({ firstByteDelayMs: 1_500 });
    const { session_id } = await sessions.talk({ message: "Hello" });
    await sessions.client.expect(200, "POST", `/v1/sessions/${session_id}/reset`);
    const second = await sessions.stack.startSecondApi();
    const clients = [sessions.client, second.client(sessions.key)];
    const answers = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const body = { session_id, message: `Turn ${index}`, model, stream: index % 4 === 1 };
        const response = await clients[index % 2]?.request("POST", "/v1/chat", body);
        if (!response) throw new Error("there are two clients");
        if (response.status === 200) await response.text();
        else await expectProblem(response, 409, "session_busy");
        return response;
      }),
    );
    await second.stop();
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(19).fill(409)]);
    const refused = answers.filter(({ status }) => status === 409);
    expect(refused.every(({ headers }) => headers.get("retry-after") === "1")).toBe(true);
    expect(await sessions.history(session_id)).toHaveLength(2);
    expect(sessions.provider.requestsFor(model)).toHaveLength(1);
    const records = await sessions.turnRecords(model, 20);
    expect(records.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(records.every((record) => record.session_id === session_id)).toBe(true);
  });

  test("a reset waits its turn too, and reading and renaming do not", async () => {
    const model = await sessions.model({ firstByteDelayMs: 1_500 });
    const { session_id } = await sessions.talk({ message: "Hello" });
    const turn = sessions.talk({ session_id, message: "Slow", model });
    await eventually(() => expect(sessions.provider.requestsFor(model)).toHaveLength(1));
    const path = `/v1/sessions/${session_id}`;
    await expectProblem(
      await sessions.client.request("POST", `${path}/reset`),
      409,
      "session_busy",
    );
    await sessions.client.expect(200, "PATCH", path, { title: "Meanwhile" });
    expect(await sessions.history(session_id)).toHaveLength(2);
    await turn;
    const session = await sessions.client.expect(200, "GET", path);
    expect(session).toMatchObject({ title: "Meanwhile", messages: 4, model });
  });

  test("a turn longer than its lease keeps the session to itself", async () => {
    const model = await sessions.model({ pieces: Array(10).fill("."), eventDelayMs: 500 });
    const { session_id } = await sessions.talk({ message: "Hello" });
    const turn = post({ session_id, message: "Slow", model, stream: true }).then((response) =>
      readTurn(response),
    );
    await eventually(() => expect(sessions.provider.requestsFor(model)).toHaveLength(1));
    const until = Date.now() + 3_500;
    while (Date.now() < until)
      await expectProblem(await post({ session_id, message: "Me too" }), 409, "session_busy");
    expect((await turn).at(-1)?.event).toBe("done");
    expect(await sessions.history(session_id)).toHaveLength(4);
  });
});

describe("a session that is deleted while it answers", () => {
  test.each([true, false])(
    "does not come back, and the turn says so (stream: %s)",
    async (stream) => {
      const model = await sessions.model({
        pieces: Array(40).fill("."),
        eventDelayMs: 100,
        firstByteDelayMs: stream ? 0 : 4_000,
      });
      const { session_id } = await sessions.talk({ message: "Hello" });
      const turn = post({ session_id, message: "Slow", model, stream });
      await eventually(() => expect(sessions.provider.requestsFor(model)).toHaveLength(1));
      await sessions.client.expect(204, "DELETE", `/v1/sessions/${session_id}`);
      const response = await turn;
      if (stream) {
        const last = (await readTurn(response)).at(-1);
        expect(last).toMatchObject({ event: "error", data: { code: "conflict", status: 409 } });
      } else await expectProblem(response, 409, "conflict");
      await eventually(() =>
        expect(sessions.provider.requestsFor(model)[0]?.abortedAt).not.toBeNull(),
      );
      const path = `/v1/sessions/${session_id}`;
      await expectProblem(await sessions.client.request("GET", path), 404, "not_found");
      await expectProblem(await post({ session_id, message: "Hello?" }), 404, "not_found");
      expect(await indexRowsOf(session_id)).toBe(0);
      await sessions.turnRecords(model, 1);
    },
  );
});

test("sessions that are deleted at the very moment in which they answer stay deleted", async () => {
  const model = await sessions.model({ firstByteDelayMs: 300 });
  const ids = await Promise.all(
    Array.from({ length: 30 }, async (_, index) => {
      const { session_id } = await sessions.talk({ message: "Hello" });
      const turn = post({ session_id, message: "Bye", model });
      await new Promise((resolve) => setTimeout(resolve, 200 + index * 10)); // around the moment of the answer
      await sessions.client.expect(204, "DELETE", `/v1/sessions/${session_id}`);
      const { status } = await turn;
      expect([200, 404, 409]).toContain(status); // on a slow machine it may not have begun
      return session_id;
    }),
  );
  await sessions.turnRecords(model, 30);
  for (const id of ids) {
    expect(await indexRowsOf(id)).toBe(0);
    await expectProblem(
      await sessions.client.request("GET", `/v1/sessions/${id}`),
      404,
      "not_found",
    );
  }
});

describe("a call that is sent again under its Idempotency-Key", () => {
  test("gets the same answer, and the message is said once", async () => {
    const model = await sessions.model({});
    const headers = once();
    const body = { message: "Once only", model };
    const first = await post(body, headers);
    const again = await post(body, headers);
    expect([first.status, again.status]).toEqual([200, 200]);
    expect(first.headers.get("idempotent-replayed")).toBeNull();
    expect(again.headers.get("idempotent-replayed")).toBe("true");
    const answer = (await first.json()) as ChatAnswer; // as the contract has it
    expect(await again.json()).toEqual(answer);
    const { session_id } = answer;
    expect(await sessions.history(session_id)).toHaveLength(2);

    const inSession = once();
    const next = { session_id, message: "Again" };
    expect(await sessions.talk(next, inSession)).toEqual(await sessions.talk(next, inSession));
    const streamed = await post(body, headers);
    expect(await streamed.json()).toEqual(answer);
    expect(await sessions.history(session_id)).toHaveLength(4);
    expect(sessions.provider.requestsFor(model)).toHaveLength(2);
    await sessions.turnRecords(model, 2);
  });

  test("with another body, is refused; another caller's key is another one", async () => {
    const headers = once();
    const { session_id } = await sessions.talk({ message: "Mine" }, headers);
    await expectProblem(await post({ message: "Else" }, headers), 422, "idempotency_mismatch");
    const { client } = await sessions.stack.createTeam();
    const theirs = await client.expect<ChatAnswer>(
      200,
      "POST",
      "/v1/chat",
      { message: "Mine" },
      headers,
    );
    expect(theirs.session_id).not.toBe(session_id);
    await expectProblem(
      await post({ message: "x" }, { "idempotency-key": "ü".repeat(3) }),
      400,
      "invalid_request",
    );
  });

  test("while it still runs, is busy; it then goes on without its client", async () => {
    const model = await sessions.model({ firstByteDelayMs: 2_000 });
    const headers = once();
    const body = { message: "Patience", model };
    const hangUp = new AbortController();
    const first = post(body, headers, hangUp.signal).catch(() => null);
    await eventually(() => expect(sessions.provider.requestsFor(model)).toHaveLength(1));
    await expectProblem(await post(body, headers), 409, "session_busy");
    hangUp.abort();
    await first;
    const answer = await eventually(() => sessions.talk(body, headers));
    expect(answer.reply).toBe("You said: Patience");
    expect(await sessions.history(answer.session_id)).toHaveLength(2);
    expect(sessions.provider.requestsFor(model)).toHaveLength(1);
    await eventually(async () => {
      const query = "SELECT id FROM usage_records WHERE model = $1 AND status = 200";
      expect(await sessions.stack.sql(query, [model])).toHaveLength(1);
    });
  });

  test("after a failure, is done as if for the first time", async () => {
    const model = await sessions.model({});
    sessions.provider.script(model, (earlier) => (earlier === 0 ? { status: 500 } : {}));
    const headers = once();
    const body = { message: "Try", model };
    await expectProblem(await post(body, headers), 502, "provider_error");
    const answer = await sessions.talk(body, headers);
    expect(await sessions.history(answer.session_id)).toHaveLength(2);
  });

  test("streamed, is streamed again; an answer that was broken off gives way to a whole one", async () => {
    const model = await sessions.model({ pieces: Array(100).fill("."), eventDelayMs: 50 });
    const { session_id } = await sessions.talk({ message: "Hello" });
    const headers = once();
    const body = { session_id, message: "Count", model, stream: true };
    const hangUp = new AbortController();
    const first = await post(body, headers, hangUp.signal);
    await readTurn(first, (events) => deltasOf(events).length > 3);
    hangUp.abort();
    await eventually(async () => expect(await sessions.history(session_id)).toHaveLength(4));
    sessions.provider.script(model, { pieces: ["All ", "of it"] });
    const second = await readTurn(await post(body, headers));
    expect(second.at(-1)).toMatchObject({ event: "done", data: { reply: "All of it" } });
    const third = await readTurn(await post(body, headers));
    expect(deltasOf(third)).toBe("All of it");
    expect(third.at(-1)?.data).toEqual(second.at(-1)?.data);
    expect((await sessions.history(session_id)).slice(2)).toEqual([
      ["user", "Count"],
      ["assistant", "All of it"],
    ]);
    expect(sessions.provider.requestsFor(model)).toHaveLength(2);
  });

  test("whose session was reset or deleted since, says nothing twice", async () => {
    const headers = once();
    const body = { message: "First" };
    const { session_id } = await sessions.talk(body, headers);
    await sessions.client.expect(200, "POST", `/v1/sessions/${session_id}/reset`);
    await expectProblem(await post(body, headers), 409, "conflict");
    await sessions.client.expect(204, "DELETE", `/v1/sessions/${session_id}`);
    const anew = await sessions.talk(body, headers);
    expect(await sessions.history(anew.session_id)).toHaveLength(2);
    expect(await indexRowsOf(anew.session_id)).toBe(1);
  });
});

describe("a turn that dies with its runtime", () => {
  test("frees its session when its lease is over, and leaves nothing", async () => {
    const model = await sessions.model({ firstByteDelayMs: 60_000 });
    const { session_id } = await sessions.talk({ message: "Hello" });
    const headers = once();
    const dying = [
      post({ session_id, message: "Never said", model }).catch(() => null),
      post({ message: "Never begun", model }, headers).catch(() => null),
    ];
    await eventually(() => expect(sessions.provider.requestsFor(model)).toHaveLength(2));
    await sessions.stack.kill();
    await Promise.all(dying);
    await sessions.stack.restart();
    const back = await eventually(
      () => sessions.talk({ session_id, message: "Are you there?" }),
      15_000,
    );
    expect(back.session_id).toBe(session_id);
    expect(await sessions.history(session_id)).toEqual([
      ["user", "Hello"],
      ["assistant", expect.any(String)],
      ["user", "Are you there?"],
      ["assistant", expect.any(String)],
    ]);
    sessions.provider.script(model, {});
    const begun = await eventually(
      () => sessions.talk({ message: "Never begun", model }, headers),
      15_000,
    );
    expect(await sessions.history(begun.session_id)).toHaveLength(2);
  });
});

async function indexRowsOf(sessionId: string): Promise<number> {
  return (await sessions.stack.sql("SELECT id FROM sessions WHERE id = $1", [sessionId])).length;
}
