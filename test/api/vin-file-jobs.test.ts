import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import ExcelJs from "exceljs";
import { writeXlsx } from "hucre";
import { VIN_COLUMNS } from "#core/vin/files/vin-columns.ts";
import { checkDigitOf } from "#core/vin/vin.ts";
import { eventually } from "#test/harness/eventually.ts";
import { type Stack, startStack } from "#test/harness/stack.ts";
import { readTable } from "#test/tables/read-table.ts";
import { expectProblem } from "./problem.ts";

interface Job {
  id: string;
  state: string;
  progress: { done: number; total: number | null };
  error: { message: string } | null;
  result: { rows: number; vins: number; wrong: number; file: string; url: string } | null;
}

const HONDA = "1HGCM82633A004352";
const MISTYPED = "1HGMC82633A004352";
const XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const LONG_MS = 90_000;

let stack: Stack;
let team: Awaited<ReturnType<Stack["createTeam"]>>;

beforeAll(async () => {
  stack = await startStack({ postgres: inject("postgres") });
  team = await stack.createTeam();
});
afterAll(() => stack?.stop());

const send = (body: BodyInit, headers: Record<string, string> = {}, query = "", key = team.key) =>
  fetch(`${stack.urls.api}/v1/vin/batch${query}`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, ...headers },
    body,
  });

/** The job of a request, once it has ended. */
async function ended(answer: Response, client = team.client): Promise<Job> {
  const body = (await answer.json()) as { job: Job }; // checked by what follows
  expect(answer.status, JSON.stringify(body)).toBe(202);
  return endOf(body.job.id, client);
}
async function endOf(id: string, client = team.client): Promise<Job> {
  let job: Job | null = null;
  await eventually(async () => {
    job = await client.expect<Job>(200, "GET", `/v1/jobs/${id}`);
    expect(["succeeded", "failed"]).toContain(job.state);
  }, LONG_MS);
  if (!job) throw new Error("The job has ended");
  return job;
}

async function download(job: Job): Promise<Uint8Array> {
  expect(job.error).toBeNull();
  const answer = await fetch(`${stack.urls.api}${job.result?.url ?? ""}`, {
    headers: { authorization: `Bearer ${team.key}` },
  });
  expect(answer.status).toBe(200);
  return new Uint8Array(await answer.arrayBuffer());
}

const at = (row: unknown[] | undefined, from: number, name: (typeof VIN_COLUMNS)[number]) =>
  row?.[from + VIN_COLUMNS.indexOf(name)];

describe("POST /v1/vin/batch with a file", () => {
  test("as the whole body: CSV becomes a job whose result is the same file with columns added", async () => {
    const csv = `Plate;VIN\r\nA-1;${HONDA}\r\nB-2;${MISTYPED}\r\nC-3;\r\n`;
    const job = await ended(await send(csv, { "content-type": "text/csv" }, "?name=cars.csv"));
    expect(job).toMatchObject({ state: "succeeded", result: { rows: 3, vins: 1, wrong: 1 } });
    const bytes = await download(job);
    const text = new TextDecoder().decode(bytes);
    expect(text).toContain(`A-1;${HONDA};yes;high;Honda;Accord;2003;`);
    expect(text.split("\r\n")).toHaveLength(5);
    expect(at((await readTable(bytes)).rows[2], 2, "vin_suggestion")).toBe(HONDA);
  });

  test("in a form: XLSX becomes XLSX", async () => {
    const bytes = await writeXlsx({
      sheets: [
        {
          name: "Cars",
          rows: [
            ["id", "chassis"],
            [1, HONDA],
            [2, "x"],
          ],
        },
      ],
    });
    const form = new FormData();
    form.set("file", new File([bytes as BlobPart], "Fuhrpark.xlsx", { type: XLSX }));
    form.set("vin_column", "chassis");
    const job = await ended(await send(form));
    expect(job.result).toMatchObject({ rows: 2, vins: 1, file: "Fuhrpark-decoded.xlsx" });
    const { rows } = await readTable(await download(job));
    expect(rows[1]?.slice(0, 2)).toEqual([1, HONDA]);
    expect(at(rows[1], 2, "vin_year")).toBe(2003);
  });

  test("as a workbook whose archive also has folders, which exceljs and others write", async () => {
    const book = new ExcelJs.Workbook();
    book.addWorksheet("Fleet").addRows([["VIN"], [HONDA]]);
    const bytes = new Uint8Array(await book.xlsx.writeBuffer());
    const job = await ended(await send(bytes, { "content-type": XLSX }, "?name=fleet.xlsx"));
    expect(at((await readTable(await download(job))).rows[1], 1, "vin_make")).toBe("Honda");
  });

  test("that is empty fails with a sentence", async () => {
    const form = new FormData();
    form.set("file", new File([], "cars.csv", { type: "text/csv" }));
    const job = await ended(await send(form));
    expect(job).toMatchObject({ state: "failed", error: { code: "job_failure" } });
  });

  test("is refused also as a job where the team has switched the skill off", async () => {
    const { client } = await stack.createTeam();
    const skill = "/v1/skills/vin.decode";
    const body = { type: "decode_vin_file", input: { upload_id: "upl_none" } };
    const make = () => client.request("POST", "/v1/jobs", body);
    expect((await make()).status).toBe(202);
    await client.expect(200, "PUT", skill, { enabled: false });
    await expectProblem(await make(), 403, "skill_switched_off");
    await client.expect(200, "PUT", skill, { enabled: true });
    expect((await make()).status).toBe(202);
  });

  test("that is not there fails at once, and is not looked for again and again", async () => {
    const body = { type: "decode_vin_file", input: { upload_id: "upl_none" } };
    const made = await team.client.expect<{ id: string }>(202, "POST", "/v1/jobs", body);
    const job = await endOf(made.id);
    expect(job).toMatchObject({ state: "failed", attempts: [{ number: 1 }] });
    expect(job.error?.message).toBe("There is no upload upl_none.");
  });

  test("that has no VINs fails with a sentence", async () => {
    const job = await ended(await send("a,b\n1,2\n", { "content-type": "text/csv" }));
    expect(job).toMatchObject({
      state: "failed",
      error: { message: expect.stringContaining("VIN") },
    });
  });

  test("of the same key twice is one job, and another team sees nothing of it", async () => {
    const headers = { "content-type": "text/csv", "idempotency-key": "once" };
    const [first, again] = [
      await send(`vin\n${HONDA}\n`, headers),
      await send(`vin\n${HONDA}\n`, headers),
    ];
    const [one, two] = [(await first.json()) as { job: Job }, (await again.json()) as { job: Job }];
    expect(two.job.id).toBe(one.job.id);
    const other = await send(`vin\n${HONDA}\nx\n`, headers);
    expect(other.status).toBe(422);
    const { client } = await stack.createTeam();
    await expectProblem(await client.request("GET", `/v1/jobs/${one.job.id}`), 404, "not_found");
    const job = await endOf(one.job.id);
    await expectProblem(await client.request("GET", job.result?.url ?? ""), 404, "not_found");
  });

  test("needs the scopes skills and jobs", async () => {
    for (const scopes of [["skills"], ["jobs"]]) {
      const { key } = await stack.createTeam({ scopes });
      const answer = await send("vin\n", { "content-type": "text/csv" }, "", key);
      expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([
        403,
        "missing_scope",
      ]);
    }
  });

  test("takes for JSON what is counted as JSON, and everything else for a file", async () => {
    const list = JSON.stringify({ vins: [HONDA] });
    const statuses = ["application/json", "Application/JSON;charset=utf-8", "application/json-seq"];
    const answers = await Promise.all(statuses.map((type) => send(list, { "content-type": type })));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 202]);
    const broken = await send("{", { "content-type": "Application/JSON" });
    await expectProblem(broken, 400, "invalid_json");
  });

  test("refuses options that there are not, and keeps nothing of the file", async () => {
    const answer = await send("vin\n", { "content-type": "text/csv" }, "?colour=red");
    expect(answer.status).toBe(422);
    const [row] = await stack.sql<{ n: number }>(
      "SELECT count(*)::integer AS n FROM uploads WHERE state = 'open'",
    );
    expect(row?.n).toBe(0);
  });
});

test("a list of more than 50 becomes a job over a CSV file", async () => {
  const vins = [...Array.from({ length: 60 }, () => HONDA), MISTYPED];
  const answer = await team.client.expect<{ job: Job }>(202, "POST", "/v1/vin/batch", { vins });
  const job = await endOf(answer.job.id);
  expect(job.result).toMatchObject({ rows: 61, vins: 60, wrong: 1 });
  const { rows } = await readTable(await download(job));
  expect(rows).toHaveLength(62);
  expect(at(rows[60], 1, "vin_model")).toBe("Accord");
});

test("a file of 20,000 rows comes back whole when the runtime is killed in the middle of it", async () => {
  const lines = Array.from({ length: 20_000 }, (_, index) => {
    const rest = `1HGCM82603A${String(index % 2_000).padStart(6, "0")}`;
    return `${index},${rest.slice(0, 8)}${checkDigitOf(rest)}${rest.slice(9)}`;
  });
  const csv = `row,vin\n${lines.join("\n")}\n`;
  const answer = await send(csv, { "content-type": "text/csv" }, "?name=fleet.csv");
  const { job } = (await answer.json()) as { job: Job };
  await eventually(async () => {
    const seen = await team.client.expect<Job>(200, "GET", `/v1/jobs/${job.id}`);
    expect(seen.progress.done).toBeGreaterThan(0);
  }, LONG_MS);
  await stack.kill();
  await stack.restart();
  // What the dead process held is let go when its lease is over; the tests cannot wait for that.
  await stack.sql(
    "UPDATE jobs SET lease_until = now() - interval '1 second' WHERE id = $1 AND lease_until IS NOT NULL",
    [job.id],
  );
  await stack.tick();
  const done = await endOf(job.id);
  expect(done).toMatchObject({ state: "succeeded", result: { rows: 20_000, vins: 20_000 } });
  const { rows } = await readTable(await download(done));
  expect(rows.slice(1).map((row) => `${String(row[0])},${String(row[1])}`)).toEqual(lines);
  expect(new Set(rows.slice(1).map((row) => at(row, 2, "vin_model")))).toEqual(new Set(["Accord"]));
}, 240_000);
