import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { writeXlsx } from "hucre/xlsx";
import { eventually } from "#test/harness/eventually.ts";
import { type Stack, startStack } from "#test/harness/stack.ts";
import { expectProblem } from "./problem.ts";

const MEBIBYTE = 1_048_576;
let stack: Stack;
let team: Awaited<ReturnType<Stack["createTeam"]>>;
let stranger: Awaited<ReturnType<Stack["createTeam"]>>;

beforeAll(async () => {
  stack = await startStack({ postgres: inject("postgres") });
  team = await stack.createTeam();
  stranger = await stack.createTeam();
});
afterAll(() => stack?.stop());

interface Accepted {
  upload_id: string;
  job: { id: string; state: string; type: string };
}
interface Job {
  state: string;
  error: { message: string } | null;
  result: {
    rows: number;
    accepted: number;
    rejected: number;
    campaigns: number;
    rejected_url: string | null;
    unchanged: boolean;
  };
}

/** A request whose body is bytes, a form or a stream. */
const send = (
  method: string,
  path: string,
  body: BodyInit,
  headers: Record<string, string> = {},
  key = team.key,
) =>
  fetch(stack.urls.api + path, {
    method,
    body,
    headers: { authorization: `Bearer ${key}`, ...headers },
    ...(body instanceof ReadableStream ? { duplex: "half" } : {}),
  } as RequestInit);
const accepted = async (response: Response): Promise<Accepted> => {
  const text = await response.text();
  expect([response.status, text]).toEqual([202, expect.stringContaining("import_campaign_data")]);
  return JSON.parse(text);
};
/** The job once it is over; the cron Worker's minute is made to come. */
const ended = (id: string, client = team.client) =>
  eventually(async () => {
    const job = await client.expect<Job>(200, "GET", `/v1/jobs/${id}`);
    if (["succeeded", "failed", "cancelled"].includes(job.state)) return job;
    await stack.tick();
    throw new Error(`The job is ${job.state}`);
  }, 120_000);
const begin = (size: number, client = team.client) =>
  client.expect<{ upload_id: string; part_size: number }>(201, "POST", "/v1/uploads", {
    name: "big.csv",
    size,
  });
const csv = (day: string, clicks: number) =>
  `Day,Campaign,Clicks,Cost\n${day},Search,${clicks},2.50\n${day},Display,1,x\n`;
const clicksOf = async (day: string) =>
  (
    await stack.sql<{ clicks: string }>(
      "SELECT sum(clicks)::text AS clicks FROM campaign_facts JOIN campaigns ON number = campaign WHERE team_id = $1 AND day = $2",
      [team.teamId, day],
    )
  )[0]?.clicks;

describe("POST /v1/campaigns/uploads", () => {
  test("imports a file that is the body, and gives the rows that were set aside", async () => {
    const { job } = await accepted(
      await send("POST", "/v1/campaigns/uploads?platform=meta&name=one.csv", csv("2026-11-01", 7), {
        "content-type": "text/csv",
      }),
    );
    const { state, result } = await ended(job.id);
    expect([state, result]).toEqual([
      "succeeded",
      {
        rows: 2,
        accepted: 1,
        rejected: 1,
        campaigns: 1,
        rejected_url: `/v1/jobs/${job.id}/results/rejected.csv`,
        unchanged: false,
      },
    ]);
    expect(await clicksOf("2026-11-01")).toBe("7");
    const rejected = await team.client.request("GET", result.rejected_url ?? "");
    expect(await rejected.text()).toContain("3,“x” is no number,2026-11-01,Display,1,x");
    expect((await stranger.client.request("GET", result.rejected_url ?? "")).status).toBe(404);
  });

  test("imports the file of a form, with options before and behind it, and a workbook", async () => {
    const rows = [
      ["Report", ""],
      ["Datum", "Kampagne", "Klicks", "Kosten"],
      [new Date("2026-11-02"), "Suche", 12, 3.5],
      ["Gesamt", "", 12, 3.5],
    ];
    const form = new FormData();
    form.set("currency", "chf");
    form.set(
      "file",
      new Blob([Buffer.from(await writeXlsx({ sheets: [{ name: "Blatt", rows }] }))]),
      "Bericht.xlsx",
    );
    form.set("mapping", JSON.stringify({ conversions: "Klicks", clicks: "Klicks" }));
    const { job, upload_id: id } = await accepted(
      await send("POST", "/v1/campaigns/uploads", form),
    );
    expect(await team.client.expect(200, "GET", `/v1/uploads/${id}`)).toMatchObject({
      name: "Bericht.xlsx",
      state: "complete",
    });
    expect((await ended(job.id)).result).toMatchObject({ rows: 2, accepted: 1, rejected: 1 });
    expect(await stack.sql("SELECT name, currency FROM campaigns WHERE name = 'Suche'")).toEqual([
      { name: "Suche", currency: "CHF" },
    ]);
  });

  test("answers the same request with its key the same way, and does the work once", async () => {
    const headers = { "content-type": "text/csv", "idempotency-key": "once" };
    const first = await accepted(
      await send("POST", "/v1/campaigns/uploads", csv("2026-11-03", 3), headers),
    );
    const again = await accepted(
      await send("POST", "/v1/campaigns/uploads", csv("2026-11-03", 3), headers),
    );
    expect(again).toEqual(first);
    const other = await send("POST", "/v1/campaigns/uploads", csv("2026-11-03", 4), headers);
    await expectProblem(other, 422, "idempotency_mismatch");
    await ended(first.job.id);
    const { job } = await accepted(
      await send("POST", "/v1/campaigns/uploads", csv("2026-11-03", 3), {
        "content-type": "text/csv",
      }),
    );
    expect((await ended(job.id)).result).toMatchObject({ accepted: 1, unchanged: true });
    expect(await clicksOf("2026-11-03")).toBe("3");
  });

  test("tells a job's maker what is wrong with a file, and refuses what cannot be one", async () => {
    const { job } = await accepted(
      await send("POST", "/v1/campaigns/uploads", "a,b\n1,2\n", { "content-type": "text/csv" }),
    );
    expect(await ended(job.id)).toMatchObject({
      state: "failed",
      error: { message: expect.stringContaining("No header was found") },
    });
    await expectProblem(
      await send("POST", "/v1/campaigns/uploads", new FormData()),
      400,
      "invalid_request",
    );
    await expectProblem(
      await send("POST", "/v1/campaigns/uploads?currency=ZZZ", "a", { "content-type": "text/csv" }),
      422,
      "validation_failed",
    );
    await expectProblem(
      await send("POST", "/v1/campaigns/uploads?mapping={", "a", { "content-type": "text/csv" }),
      422,
      "validation_failed",
    );
    const big = Buffer.alloc(95 * MEBIBYTE + 1, "x");
    await expectProblem(
      await send("POST", "/v1/campaigns/uploads", big, { "content-type": "text/csv" }),
      413,
      "body_too_large",
    );
  });

  test("says of JSON that is none what is wrong, however its type is written", async () => {
    for (const type of ["application/json", "Application/JSON"])
      await expectProblem(
        await send("POST", "/v1/campaigns/uploads", "{", { "content-type": type }),
        400,
        "invalid_json",
      );
  });

  test("keeps nothing of a file that does not come whole, so that no other has to wait for its day", async () => {
    const { client, key, teamId } = await stack.createTeam();
    const post = (body: BodyInit, type: string) =>
      send("POST", "/v1/campaigns/uploads", body, { "content-type": type }, key);
    const stream = new Blob([Buffer.alloc(95 * MEBIBYTE + 1, "x")]).stream() as ReadableStream; // as below
    await expectProblem(await post(stream, "text/csv"), 413, "body_too_large");
    const file = (text: string) =>
      `--b\r\ncontent-disposition: form-data; name="file"; filename="a.csv"\r\n\r\n${text}`;
    for (const form of [file("a,b"), `${file("a,b")}\r\n${file("c")}\r\n--b--\r\n`])
      await expectProblem(
        await post(form, "multipart/form-data; boundary=b"),
        400,
        "invalid_request",
      );
    expect(await stack.sql("SELECT id FROM uploads WHERE team_id = $1", [teamId])).toEqual([]);
    const { job } = await accepted(await post(csv("2026-11-09", 1), "text/csv"));
    await ended(job.id, client);
  });
});

describe("an upload in parts", () => {
  test("becomes one file, whatever the order of its parts and however often they come", async () => {
    const partBytes = 16 * MEBIBYTE;
    const rows = Array.from(
      { length: 40_000 },
      (_, index) =>
        `2026-10-${String((index % 28) + 1).padStart(2, "0")},Parts,1,${"0".repeat(400)}1\n`,
    );
    const file = Buffer.from(`Day,Campaign,Clicks,Cost\n${rows.join("")}`);
    const { upload_id: id, part_size } = await begin(file.length);
    expect(part_size).toBe(partBytes);
    const part = (n: number) => file.subarray((n - 1) * partBytes, n * partBytes);
    const put = (n: number, body: BodyInit) => send("PUT", `/v1/uploads/${id}/parts/${n}`, body);
    const second = await put(2, part(2));
    expect(await second.json()).toEqual({ number: 2, size: part(2).length });
    await expectProblem(
      await team.client.request("POST", `/v1/uploads/${id}/complete`),
      409,
      "conflict",
    );
    await expectProblem(await put(1, part(1).subarray(1)), 422, "validation_failed");
    await expectProblem(await put(3, "x"), 422, "validation_failed");
    await expectProblem(await put(0, "x"), 422, "validation_failed");
    await expectProblem(
      await team.client.request("POST", "/v1/campaigns/uploads", { upload_id: id }),
      409,
      "conflict",
    );
    const stream = new Blob([part(1)]).stream() as ReadableStream; // node's type and the platform's differ
    expect((await put(1, stream)).status).toBe(200);
    const [again, meanwhile] = await Promise.all([put(1, part(1)), put(2, part(2))]);
    expect([again.status, meanwhile.status]).toEqual([200, 200]);
    const complete = await team.client.expect(200, "POST", `/v1/uploads/${id}/complete`);
    expect(complete).toMatchObject({ state: "complete", size: file.length });
    expect(await team.client.expect(200, "POST", `/v1/uploads/${id}/complete`)).toEqual(complete);
    await expectProblem(await put(1, part(1)), 409, "conflict");
    const { job } = await team.client.expect<Accepted>(202, "POST", "/v1/campaigns/uploads", {
      upload_id: id,
    });
    expect((await ended(job.id)).result).toMatchObject({
      rows: 40_000,
      accepted: 40_000,
      campaigns: 1,
    });
    expect(
      await stack.sql(
        "SELECT sum(clicks)::text AS clicks, sum(spend_micros)::text AS spend FROM campaign_facts JOIN campaigns ON number = campaign WHERE name = 'Parts'",
      ),
    ).toEqual([{ clicks: "40000", spend: "40000000000" }]);
  });

  test("is refused where it says no length and brings another one, or is too large", async () => {
    const { upload_id: id } = await begin(10);
    const stream = (text: string) => new Blob([text]).stream() as ReadableStream; // as above
    for (const text of ["too short", "this is too long"])
      await expectProblem(
        await send("PUT", `/v1/uploads/${id}/parts/1`, stream(text)),
        422,
        "validation_failed",
      );
    await expectProblem(
      await team.client.request("POST", "/v1/uploads", { name: "x", size: 2 ** 30 + 1 }),
      422,
      "validation_failed",
    );
  });

  test("is nobody else's", async () => {
    const { upload_id: id } = await begin(4);
    await expectProblem(
      await send("PUT", `/v1/uploads/${id}/parts/1`, "abcd", {}, stranger.key),
      404,
      "not_found",
    );
    for (const [method, path] of [
      ["GET", ""],
      ["POST", "/complete"],
      ["DELETE", ""],
    ] as const)
      await expectProblem(
        await stranger.client.request(method, `/v1/uploads/${id}${path}`),
        404,
        "not_found",
      );
    await expectProblem(
      await stranger.client.request("POST", "/v1/campaigns/uploads", { upload_id: id }),
      404,
      "not_found",
    );
  });

  test("goes with its file when it is deleted", async () => {
    const { upload_id: id } = await begin(4);
    await send("PUT", `/v1/uploads/${id}/parts/1`, "abcd");
    await team.client.expect(204, "DELETE", `/v1/uploads/${id}`);
    await expectProblem(await team.client.request("GET", `/v1/uploads/${id}`), 404, "not_found");
    await expectProblem(await send("PUT", `/v1/uploads/${id}/parts/1`, "abcd"), 404, "not_found");
  });
});
