import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import type { ApiClient } from "#test/harness/api-client.ts";
import { eventually } from "#test/harness/eventually.ts";
import { type Stack, startStack } from "#test/harness/stack.ts";
import { CallbackReceiver, verified } from "./callback-receiver.ts";

let stack: Stack;
let receiver: CallbackReceiver;
let teamId: string;
let admin: ApiClient;
let client: ApiClient;
let secret: string;

beforeAll(async () => {
  receiver = await CallbackReceiver.start();
  stack = await startStack({ postgres: inject("postgres") });
  ({ teamId, client: admin } = await stack.createTeam({ scopes: ["admin"] }));
  client = admin;
  secret = await rotate();
});
afterAll(async () => {
  await stack?.stop();
  await receiver?.stop();
});
beforeEach(() => {
  receiver.answer = (_, response) => response.writeHead(204).end();
});

async function rotate(graceSeconds = 3600): Promise<string> {
  const { secret } = await admin.expect<{ secret: string }>(
    200,
    "POST",
    "/v1/jobs/callback-secret/rotate",
    { grace_seconds: graceSeconds },
  );
  return secret;
}

interface Callbacks {
  data: {
    id: string;
    state: string;
    attempts: number;
    next_at: string | null;
    log: { number: number; status: number | null; error: string | null; answer: string }[];
  }[];
}

const callbacksOf = async (jobId: string) =>
  (await client.expect<Callbacks>(200, "GET", `/v1/jobs/${jobId}/callbacks`)).data;

const create = (input: Record<string, unknown> = {}) =>
  client.request("POST", "/v1/jobs", {
    type: "self_test",
    input: { count: 2 },
    callback_url: receiver.url,
    ...input,
  });

async function makeJob(input: Record<string, unknown> = {}): Promise<string> {
  const response = await create(input);
  expect(response.status).toBe(202);
  return ((await response.json()) as { id: string }).id;
}

/** A job that has just ended, without the engine: its callback is as the engine writes it. */
async function endedJob(url = receiver.url): Promise<string> {
  const jobId = await makeJob({ callback_url: null, run_at: "2027-01-01T00:00:00Z" });
  await stack.sql("UPDATE jobs SET state = 'succeeded', finished_at = now() WHERE id = $1", [
    jobId,
  ]);
  await stack.sql(
    "INSERT INTO job_callbacks (id, job_id, team_id, url, event) VALUES ($1, $2, $3, $4, 'job.succeeded')",
    [`msg_${crypto.randomUUID()}`, jobId, teamId, url],
  );
  return jobId;
}

let minute = Date.now();
/** Has the cron Worker do what is due; each tick is another minute to it. */
const tick = () => stack.tick(new Date((minute += 60_000)));
const dueNow = (jobId: string) =>
  stack.sql("UPDATE job_callbacks SET due_at = now() - interval '1 second' WHERE job_id = $1", [
    jobId,
  ]);

describe("the end of a job", () => {
  it("is told at once, signed so that the library of Standard Webhooks believes it", async () => {
    const jobId = await makeJob();
    const callback = await eventually(() => {
      const [first] = receiver.of(jobId);
      if (!first) throw new Error("nothing came");
      return first;
    });
    const { type, data } = verified(secret, callback);
    expect(type).toBe("job.succeeded");
    expect(data).toMatchObject({ id: jobId, state: "succeeded", result: { counted: 2 } });
    expect(data["results"]).toEqual([expect.objectContaining({ name: "numbers.csv" })]);
    await eventually(async () =>
      expect(await callbacksOf(jobId)).toMatchObject([
        { id: callback.id, state: "delivered", attempts: 1, next_at: null, log: [{ status: 204 }] },
      ]),
    );
    expect(() => verified(secret, { ...callback, body: `${callback.body} ` })).toThrow();
    expect(() => verified("whsec_AAAA", callback)).toThrow();
    await tick();
    expect(receiver.of(jobId)).toHaveLength(1);
  });

  it("is told of a job that failed, with its error", async () => {
    const jobId = await makeJob({ input: { count: 0, fail: true } });
    const callback = await eventually(() => {
      const [first] = receiver.of(jobId);
      if (!first) throw new Error("nothing came");
      return first;
    });
    expect(verified(secret, callback)).toMatchObject({
      type: "job.failed",
      data: { state: "failed", result: null, error: { message: expect.stringContaining("fail") } },
    });
  });
});

describe("a secret", () => {
  it("is shown once, and asked for before any callback", async () => {
    const other = await stack.createTeam({ scopes: ["admin"] });
    const input = { type: "self_test", input: {}, callback_url: receiver.url };
    await other.client.expect(422, "POST", "/v1/jobs", input);
    const key = { "idempotency-key": crypto.randomUUID() };
    const path = "/v1/jobs/callback-secret/rotate";
    const first = await other.client.expect<{ secret: string }>(200, "POST", path, {}, key);
    expect(first.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    // The same request again is the same answer, not another secret.
    expect(await other.client.expect(200, "POST", path, {}, key)).toEqual(first);
    const list = await other.client.request("GET", "/v1/jobs/callback-secret");
    expect(await list.text()).not.toContain(first.secret.slice(6));
    const rows = JSON.stringify([
      await stack.sql("SELECT * FROM callback_secrets"),
      await stack.sql("SELECT * FROM audit_entries"),
    ]);
    expect(rows).not.toContain(first.secret.slice(6));
    expect(JSON.stringify(stack.logs.entries)).not.toContain(first.secret.slice(6));
  });

  it("is followed by another with an overlap, in which both verify", async () => {
    const old = secret;
    secret = await rotate(3600);
    const jobId = await endedJob();
    await tick();
    const [callback] = receiver.of(jobId);
    if (!callback) throw new Error("nothing came");
    expect(verified(old, callback).data.id).toBe(jobId);
    expect(verified(secret, callback).data.id).toBe(jobId);
    const older = secret;
    secret = await rotate(0);
    const later = await endedJob();
    await tick();
    const [next] = receiver.of(later);
    if (!next) throw new Error("nothing came");
    expect(verified(secret, next).data.id).toBe(later);
    expect(() => verified(older, next)).toThrow();
    expect(() => verified(old, next)).toThrow();
  });
});

describe("a receiver that", () => {
  it("fails is tried again ever later, with the same id and words, and each try is logged", async () => {
    receiver.answer = (_, response) => response.writeHead(500).end("out of order");
    const jobId = await endedJob();
    const pauses: number[] = [];
    for (let tries = 1; tries <= 10; tries++) {
      await dueNow(jobId);
      await tick();
      const [callback] = await callbacksOf(jobId);
      // A message brings the first ones again within seconds; here the ticks alone are to do it.
      await stack.sql(
        "UPDATE job_callbacks SET due_at = due_at + interval '1 day' WHERE job_id = $1",
        [jobId],
      );
      expect(receiver.of(jobId)).toHaveLength(tries);
      expect(callback).toMatchObject({ attempts: tries, state: tries < 10 ? "pending" : "failed" });
      expect(callback?.log.at(-1)).toMatchObject({
        number: tries,
        status: 500,
        answer: "out of order",
      });
      if (callback?.next_at) pauses.push((Date.parse(callback.next_at) - Date.now()) / 1000);
      await tick(); // before its time, nothing is sent
      expect(receiver.of(jobId)).toHaveLength(tries);
    }
    expect(pauses).toEqual(pauses.toSorted((a, b) => a - b));
    expect(pauses[0]).toBeLessThan(6);
    const sum = pauses.reduce((a, b) => a + b, 0);
    expect(sum).toBeGreaterThan(20 * 3600);
    expect(sum).toBeLessThan(30 * 3600);
    const calls = receiver.of(jobId);
    expect(new Set(calls.map(({ id, body }) => `${id} ${body}`)).size).toBe(1);
    for (const call of calls) expect(verified(secret, call).data.id).toBe(jobId);
    // By hand, it goes out again however it stands.
    receiver.answer = (_, response) => response.writeHead(200).end();
    const [{ id } = { id: "" }] = await callbacksOf(jobId);
    await client.expect(202, "POST", `/v1/jobs/${jobId}/callbacks/${id}/resend`);
    await tick();
    expect(await callbacksOf(jobId)).toMatchObject([{ id, state: "delivered", attempts: 11 }]);
    expect(receiver.of(jobId).at(-1)?.body).toBe(calls[0]?.body);
  });

  it("fails once gets it again seconds later, without any tick, and once however often the message comes", async () => {
    const seen = new Set<string>();
    receiver.answer = ({ id }, response) => {
      response.writeHead(seen.has(id) ? 204 : 503).end();
      seen.add(id);
    };
    const jobId = await makeJob();
    await eventually(async () =>
      expect(await callbacksOf(jobId)).toMatchObject([
        { state: "delivered", attempts: 2, log: [{ status: 503 }, { status: 204 }] },
      ]),
    );
    const [first, second] = receiver.of(jobId);
    if (!first || !second) throw new Error("It came twice");
    expect(second).toMatchObject({ id: first.id, body: first.body });
    expect(verified(secret, second).data.id).toBe(jobId);
    expect(second.at - first.at).toBeGreaterThanOrEqual(5_000);
    const again = Array.from({ length: 3 }, () => ({ job_id: jobId, callbacks: true }));
    expect((await stack.consume("switchyard-jobs", again)).retried).toEqual([]);
    expect(receiver.of(jobId)).toHaveLength(2);
  });

  it("redirects is not followed", async () => {
    const elsewhere = await CallbackReceiver.start();
    receiver.answer = (_, response) => response.writeHead(307, { location: elsewhere.url }).end();
    const jobId = await endedJob();
    await tick();
    expect(receiver.of(jobId)).toHaveLength(1);
    expect(elsewhere.received).toEqual([]);
    expect(await callbacksOf(jobId)).toMatchObject([
      { state: "pending", log: [{ status: 307, error: expect.stringContaining("redirect") }] },
    ]);
    await elsewhere.stop();
  });

  it("answers without end is not read to the end", async () => {
    let sent = 0;
    receiver.answer = (_, response) => {
      response.writeHead(200);
      const more = () => {
        while (sent < 64 * 1024 * 1024 && !response.destroyed) {
          sent += 65_536;
          if (!response.write("x".repeat(65_536))) return;
        }
      };
      response.on("drain", more);
      more();
    };
    const jobId = await endedJob();
    await tick();
    expect(sent).toBeLessThan(32 * 1024 * 1024);
    const [callback] = await callbacksOf(jobId);
    expect(callback).toMatchObject({ state: "delivered" });
    expect(callback?.log[0]?.answer).toBe("x".repeat(1_000));
  });

  it("never answers is given up after a while, and tried again later", async () => {
    receiver.answer = () => undefined;
    const jobId = await endedJob();
    await tick();
    expect(await callbacksOf(jobId)).toMatchObject([
      { state: "pending", log: [{ status: null, error: expect.stringContaining("15 seconds") }] },
    ]);
  });

  it("says 410 wants no more", async () => {
    receiver.answer = (_, response) => response.writeHead(410).end();
    const jobId = await endedJob();
    await tick();
    expect(await callbacksOf(jobId)).toMatchObject([{ state: "failed", attempts: 1 }]);
  });

  it("asks for time gets it", async () => {
    receiver.answer = (_, response) => response.writeHead(503, { "retry-after": "7200" }).end();
    const jobId = await endedJob();
    await tick();
    const [callback] = await callbacksOf(jobId);
    expect(Date.parse(callback?.next_at ?? "") - Date.now()).toBeGreaterThan(7_000_000);
  });

  it("sends NUL, half a character and binary does no harm", async () => {
    const bytes = Buffer.concat([Buffer.from("a\u0000b"), Buffer.from([0xf0, 0x9f, 0xff])]);
    receiver.answer = (_, response) => response.writeHead(500).end(bytes);
    const jobId = await endedJob();
    await tick();
    const [callback] = await callbacksOf(jobId);
    expect(callback?.log[0]?.answer).toMatch(/^ab/);
  });
});

describe("an address", () => {
  it.each([
    "ftp://example.com/",
    "http://user:pass@example.com/",
    "nonsense",
    "javascript:alert(1)",
  ])("such as %s is refused when the job is made", async (url) => {
    expect((await create({ callback_url: url })).status).toBe(422);
  });

  it("on a private network is refused when the job is made, and again when it is called", async () => {
    const closed = await startStack({
      postgres: inject("postgres"),
      vars: { ALLOW_PRIVATE_UPSTREAMS: "" },
    });
    try {
      const team = await closed.createTeam({ scopes: ["admin"] });
      await team.client.expect(200, "POST", "/v1/jobs/callback-secret/rotate", {});
      const make = (url: string | null) =>
        team.client.request("POST", "/v1/jobs", {
          type: "self_test",
          input: {},
          run_at: "2027-01-01T00:00:00Z",
          callback_url: url,
        });
      for (const url of [receiver.url, "http://169.254.169.254/", "http://[::1]/", "http://10.1/"])
        expect([url, (await make(url)).status]).toEqual([url, 422]);
      const { id } = (await (await make(null)).json()) as { id: string };
      await closed.sql(
        "INSERT INTO job_callbacks (id, job_id, team_id, url, event) VALUES ('msg_x', $1, $2, $3, 'job.succeeded')",
        [id, team.teamId, receiver.url],
      );
      await closed.tick();
      expect(receiver.of(id)).toEqual([]);
      const { data } = await team.client.expect<Callbacks>(200, "GET", `/v1/jobs/${id}/callbacks`);
      expect(data).toMatchObject([
        { state: "failed", log: [{ error: expect.stringContaining("public internet") }] },
      ]);
    } finally {
      await closed.stop();
    }
  });
});

describe("duplicates and deaths", () => {
  it("between a failed try and its message lose the message, and the tick calls back in its place", async () => {
    receiver.answer = (_, response) => response.writeHead(500).end();
    const jobId = await makeJob();
    await eventually(async () =>
      expect(await callbacksOf(jobId)).toMatchObject([{ attempts: 1, log: [{ status: 500 }] }]),
    );
    await stack.kill(); // the queue is gone with its messages
    receiver.answer = (_, response) => response.writeHead(204).end();
    await stack.restart();
    expect(await callbacksOf(jobId)).toMatchObject([{ state: "pending", attempts: 1 }]);
    await dueNow(jobId);
    await tick();
    expect(await callbacksOf(jobId)).toMatchObject([{ state: "delivered", attempts: 2 }]);
    expect(new Set(receiver.of(jobId).map(({ id }) => id)).size).toBe(1);
  });

  it("of dead messages about callbacks say nothing of the job", async () => {
    const jobId = await makeJob({ callback_url: null, run_at: "2027-01-01T00:00:00Z" });
    await stack.sql("UPDATE jobs SET state = 'queued', slot = true WHERE id = $1", [jobId]);
    await stack.consume("switchyard-jobs-dead", [{ job_id: jobId, callbacks: true }]);
    const [row] = await stack.sql("SELECT failures, slot FROM jobs WHERE id = $1", [jobId]);
    expect(row).toEqual({ failures: 0, slot: true });
    await stack.sql("DELETE FROM jobs WHERE id = $1", [jobId]);
  });

  it("send nothing twice while ticks come at once, whatever a third of the messages does", async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, () => endedJob()));
    await Promise.all(Array.from({ length: 4 }, () => tick()));
    // Messages that come again for jobs that are over.
    const again = ids.filter((_, index) => index % 3 === 0).map((id) => ({ job_id: id }));
    await stack.consume("switchyard-jobs", again);
    await eventually(() => {
      for (const id of ids) expect(receiver.of(id).length).toBeGreaterThan(0);
    });
    expect(ids.map((id) => receiver.of(id).length)).toEqual(ids.map(() => 1));
  });

  it("between sending and noting mean at least once, with one id that lets the receiver tell", async () => {
    const jobId = await endedJob();
    let killed = false;
    receiver.answer = ({ body }, response) => {
      // Those of other tests may come again meanwhile.
      if (killed || !body.includes(jobId)) return void response.writeHead(200).end();
      killed = true;
      void stack.kill();
    };
    await tick().catch(() => undefined); // its process is dead
    await eventually(() => expect(receiver.of(jobId)).toHaveLength(1));
    await stack.restart();
    expect(await callbacksOf(jobId)).toMatchObject([
      {
        state: "pending",
        attempts: 1,
        log: [{ status: null, error: expect.stringContaining("not known") }],
      },
    ]);
    await dueNow(jobId);
    await tick();
    const [first, second, ...more] = receiver.of(jobId);
    expect(more).toEqual([]);
    expect(second).toMatchObject({ id: first?.id, body: first?.body });
    expect(await callbacksOf(jobId)).toMatchObject([{ state: "delivered", attempts: 2 }]);
  });
});
