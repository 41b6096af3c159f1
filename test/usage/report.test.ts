import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { microsToDollars } from "#core/kernel/money.ts";
import { storableRecord } from "#core/usage/storable-record.ts";
import type { UsageRecord } from "#core/usage/usage-record.ts";
import type { ApiClient } from "#test/harness/api-client.ts";
import { type Stack, startStack } from "#test/harness/stack.ts";
import { makeRecord } from "./database.ts";

/** GET /v1/usage and /v1/usage/records, against sums made with a loop over what was stored. */

interface Owned {
  teamId: string;
  record: UsageRecord;
}
type Row = Record<string, unknown>;

let stack: Stack;
let a: { teamId: string; keyId: string; client: ApiClient };
let b: typeof a;
let owned: Owned[];

const HOUR_MS = 3_600_000;
const now = Date.now();
const thisHour = Math.floor(now / HOUR_MS) * HOUR_MS;
const FROM = new Date(thisHour - 50 * HOUR_MS - 1_234_000).toISOString();
const TO = new Date(thisHour - HOUR_MS + 777_000).toISOString();

beforeAll(async () => {
  stack = await startStack({ postgres: inject("postgres") });
  a = await stack.createTeam({ scopes: ["usage:read"] });
  b = await stack.createTeam({ scopes: ["usage:read"] });
  owned = Array.from({ length: 400 }, (_, index) => ({
    teamId: index % 3 === 0 ? b.teamId : a.teamId,
    record: makeRecord({
      at: now - Math.floor((index / 400) * 60 * HOUR_MS),
      keyId: index % 3 === 0 ? b.keyId : index % 5 === 0 ? null : a.keyId,
      sessionId: index % 4 === 0 ? `sess_${index % 7}` : null,
      endUser: ["=1+1", 'Zoë "the" first', null, "a,b", "سارا\nدوم"][index % 5] ?? null,
      model: index % 2 === 0 ? "model-a" : "model-b",
      status: index % 11 === 0 ? 499 : 200,
      errorCode: index % 11 === 0 ? "client_closed" : null,
      inputTokens: index,
      ...(index % 2 === 0 ? { cachedInputTokens: Math.floor(index / 2) } : {}),
      ...(index % 7 === 0 ? { cacheWriteTokens: Math.floor(index / 3) } : {}),
      costMicros: index * 1_000_003,
      cached: index % 6 === 0,
      ...(index % 9 === 0 ? { guardRails: ["input_masked", "output_denied"] } : {}),
      cacheMissed: index % 6 === 1,
    }),
  }));
  await store(owned);
});
afterAll(() => stack?.stop());

async function store(records: Owned[]): Promise<void> {
  const bodies = [a.teamId, b.teamId].map((teamId) => ({
    kind: "usage",
    teamId,
    batches: [
      {
        id: `batch_${crypto.randomUUID()}`,
        records: records.filter((item) => item.teamId === teamId).map((item) => item.record),
      },
    ],
  }));
  expect((await stack.consume("switchyard-usage", bodies)).retried).toEqual([]);
}

/** Names of the fields that each dimension has in an answer, and how a record fills them. */
const FIELDS: Record<string, { field: string; of: (item: Owned) => string | null }> = {
  team: { field: "team_id", of: (item) => item.teamId },
  day: { field: "day", of: (item) => new Date(item.record.at).toISOString().slice(0, 10) },
  hour: {
    field: "hour",
    of: (item) => `${new Date(item.record.at).toISOString().slice(0, 13)}:00:00Z`,
  },
  key: { field: "key_id", of: (item) => item.record.keyId },
  model: { field: "model", of: (item) => item.record.model },
  session: { field: "session_id", of: (item) => item.record.sessionId },
  end_user: { field: "end_user", of: (item) => item.record.endUser },
};

function bruteForce(records: Owned[], groupBy: string[], from: string, to: string): Row[] {
  const groups = new Map<string, Row & { micros: number; cached: number; misses: number }>();
  for (const item of records) {
    if (item.record.at < Date.parse(from) || item.record.at >= Date.parse(to)) continue;
    const names = groupBy.map((name) => [
      FIELDS[name]?.field ?? "",
      FIELDS[name]?.of(item) ?? null,
    ]);
    const key = JSON.stringify(names);
    const group = groups.get(key) ?? {
      ...Object.fromEntries(names),
      requests: 0,
      errors: 0,
      input_tokens: 0,
      output_tokens: 0,
      cached_input_tokens: 0,
      cache_write_tokens: 0,
      micros: 0,
      cached: 0,
      misses: 0,
    };
    group["requests"] = Number(group["requests"]) + 1;
    group["errors"] = Number(group["errors"]) + (item.record.status >= 400 ? 1 : 0);
    group["input_tokens"] = Number(group["input_tokens"]) + item.record.inputTokens;
    group["output_tokens"] = Number(group["output_tokens"]) + item.record.outputTokens;
    const { cachedInputTokens = 0, cacheWriteTokens = 0 } = item.record;
    group["cached_input_tokens"] = Number(group["cached_input_tokens"]) + cachedInputTokens;
    group["cache_write_tokens"] = Number(group["cache_write_tokens"]) + cacheWriteTokens;
    group.micros += item.record.costMicros;
    group.cached += item.record.cached ? 1 : 0;
    group.misses += item.record.cacheMissed ? 1 : 0;
    groups.set(key, group);
  }
  return [...groups.values()].map(({ micros, misses, ...row }) => ({
    ...row,
    cost: microsToDollars(micros),
    cache_hit_ratio: row.cached + misses === 0 ? null : row.cached / (row.cached + misses),
  }));
}

async function rollUp(): Promise<void> {
  await stack.admin.expect(200, "POST", "/v1/admin/schedules/roll_up_usage/run");
}

/** Walks all pages. */
async function everything(client: ApiClient, path: string, limit: number): Promise<Row[]> {
  const rows: Row[] = [];
  let cursor: string | null = null;
  do {
    const more: string = cursor === null ? "" : `&cursor=${String(cursor)}`;
    const page: { data: Row[]; next_cursor: string | null } = await client.expect(
      200,
      "GET",
      `${path}&limit=${limit}${more}`,
    );
    expect(page.data.length).toBeLessThanOrEqual(limit);
    rows.push(...page.data);
    cursor = page.next_cursor;
  } while (cursor !== null);
  return rows;
}

const mine = (teamId: string): Owned[] => owned.filter((item) => item.teamId === teamId);
const sorted = (rows: Row[]) =>
  rows.map((row) => JSON.stringify(row, Object.keys(row).sort())).sort();
const GROUPINGS = [
  "day",
  "hour",
  "key",
  "model,day",
  "session",
  "end_user,session",
  "hour,key,model,session,end_user",
];

describe.each([
  ["before any roll-up", () => Promise.resolve()],
  ["after a roll-up", rollUp],
  [
    "after late records came to hours that were rolled up",
    async () => {
      const late = mine(a.teamId)
        .slice(0, 60)
        .map(({ teamId, record }) => ({ teamId, record: { ...record, attempt: 2 } }));
      await store([...late, ...owned.slice(0, 100)]);
      owned = [...owned, ...late];
    },
  ],
  ["after they were rolled up too", rollUp],
] as const)("usage is what a loop over the records gives, %s", (_, prepare) => {
  beforeAll(prepare);

  it.each(GROUPINGS)("by %s", async (grouping) => {
    const rows = await everything(
      a.client,
      `/v1/usage?from=${FROM}&to=${TO}&group_by=${grouping}`,
      7,
    );
    expect(sorted(rows)).toEqual(sorted(bruteForce(mine(a.teamId), grouping.split(","), FROM, TO)));
  });

  it("by team, for super admins", async () => {
    const rows = await everything(
      stack.admin,
      `/v1/usage?from=${FROM}&to=${TO}&group_by=team,day`,
      3,
    );
    expect(sorted(rows)).toEqual(sorted(bruteForce(owned, ["team", "day"], FROM, TO)));
    const one = await everything(
      stack.admin,
      `/v1/usage?from=${FROM}&to=${TO}&group_by=day&team_id=${b.teamId}`,
      3,
    );
    expect(sorted(one)).toEqual(sorted(bruteForce(mine(b.teamId), ["day"], FROM, TO)));
  });

  it("with a filter on key, model, session and end user", async () => {
    for (const [query, pick] of [
      [`key_id=${a.keyId}`, (item: Owned) => item.record.keyId === a.keyId],
      ["model=model-b", (item: Owned) => item.record.model === "model-b"],
      ["session_id=sess_1", (item: Owned) => item.record.sessionId === "sess_1"],
      [`end_user=${encodeURIComponent("a,b")}`, (item: Owned) => item.record.endUser === "a,b"],
    ] as const) {
      const rows = await everything(
        a.client,
        `/v1/usage?from=${FROM}&to=${TO}&group_by=day&${query}`,
        50,
      );
      expect(sorted(rows)).toEqual(
        sorted(bruteForce(mine(a.teamId).filter(pick), ["day"], FROM, TO)),
      );
    }
  });

  it("for the last 30 days when nobody says which, by day", async () => {
    const rows = await everything(a.client, "/v1/usage?", 50);
    expect(sorted(rows)).toEqual(
      sorted(bruteForce(mine(a.teamId), ["day"], "2000-01-01", "2100-01-01")),
    );
  });
});

it("pages through end users whose names are as long as they are kept, in any script", async () => {
  const at = thisHour - 150 * HOUR_MS;
  const long = Array.from({ length: 9 }, (_, index) => ({
    teamId: a.teamId,
    record: makeRecord({
      at,
      endUser: `${"کاربر😀".repeat(40)}${index}`,
      model: `${"м".repeat(190)}${index}`,
    }),
  })).map(({ teamId, record }) => ({ teamId, record: storableRecord(record) }));
  await store(long);
  const [from, to] = [new Date(at).toISOString(), new Date(at + 1).toISOString()];
  const rows = await everything(
    a.client,
    `/v1/usage?from=${from}&to=${to}&group_by=end_user,model`,
    2,
  );
  expect(sorted(rows)).toEqual(sorted(bruteForce(long, ["end_user", "model"], from, to)));
});

describe("single requests", () => {
  it("come the newest first, each once, with what was stored", async () => {
    const rows = await everything(a.client, `/v1/usage/records?from=${FROM}&to=${TO}`, 13);
    const expected = mine(a.teamId)
      .filter(({ record }) => record.at >= Date.parse(FROM) && record.at < Date.parse(TO))
      .map(({ teamId, record }) => ({
        id: record.id,
        attempt: record.attempt,
        at: new Date(record.at).toISOString(),
        team_id: teamId,
        key_id: record.keyId,
        session_id: record.sessionId,
        end_user: record.endUser,
        model: record.model,
        provider: record.provider,
        status: record.status,
        error_code: record.errorCode,
        input_tokens: record.inputTokens,
        output_tokens: record.outputTokens,
        cached_input_tokens: record.cachedInputTokens ?? 0,
        cache_write_tokens: record.cacheWriteTokens ?? 0,
        estimated: record.estimated,
        cost: microsToDollars(record.costMicros),
        latency_ms: record.latencyMs,
        first_token_ms: record.firstTokenMs,
        cached: record.cached,
        guard_rails: record.guardRails ?? null,
      }));
    expect(sorted(rows)).toEqual(sorted(expected));
    const times = rows.map((row) => String(row["at"]));
    expect(times).toEqual(times.toSorted().toReversed());
  });

  it("are found by status, key, session, end user and model", async () => {
    for (const [query, pick] of [
      ["status=499", (item: Owned) => item.record.status === 499],
      [
        "session_id=sess_0&model=model-a",
        (item: Owned) => item.record.sessionId === "sess_0" && item.record.model === "model-a",
      ],
      [
        `key_id=${a.keyId}&status=200`,
        (item: Owned) => item.record.keyId === a.keyId && item.record.status === 200,
      ],
      [
        `end_user=${encodeURIComponent("سارا\nدوم")}`,
        (item: Owned) => item.record.endUser === "سارا\nدوم",
      ],
    ] as const) {
      const rows = await everything(a.client, `/v1/usage/records?${query}`, 50);
      const ids = mine(a.teamId)
        .filter(pick)
        .map(({ record }) => record.id);
      expect(rows.map((row) => row["id"]).sort(), query).toEqual(ids.sort());
    }
  });

  it("are not lost between pages when many came in one millisecond", async () => {
    const at = thisHour - 100 * HOUR_MS;
    const same = Array.from({ length: 25 }, () => ({
      teamId: a.teamId,
      record: makeRecord({ at }),
    }));
    await store(same);
    const range = `from=${new Date(at).toISOString()}&to=${new Date(at + 1).toISOString()}`;
    const rows = await everything(a.client, `/v1/usage/records?${range}`, 4);
    expect(rows.map((row) => row["id"]).sort()).toEqual(same.map(({ record }) => record.id).sort());
  });
});

/** Reads a whole CSV as RFC 4180 says. */
function parseCsv(text: string): Row[] {
  const lines: string[][] = [[]];
  for (const [, cell = "", end] of text.matchAll(/("(?:[^"]|"")*"|[^,"\r\n]*)(,|\r\n|$)/g)) {
    if (end === "" && cell === "") break;
    lines.at(-1)?.push(cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell);
    if (end === "\r\n") lines.push([]);
  }
  const [header = [], ...rows] = lines.filter((line) => line.length > 0);
  return rows.map((cells) =>
    Object.fromEntries(header.map((name, index) => [name, cells[index] ?? ""])),
  );
}

/** A JSON row as CSV writes it. */
const asCells = (row: Row): Row =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]) => {
      const text = value === null ? "" : String(value);
      return [name, typeof value === "string" && /^[=+\-@]/.test(text) ? `'${text}` : text];
    }),
  );

describe("CSV", () => {
  it.each(["/v1/usage?group_by=hour,end_user,session", "/v1/usage/records?model=model-a"])(
    "has the same rows as JSON, all of them: %s",
    async (path) => {
      const json = await everything(a.client, path, 200);
      for (const [query, accept] of [
        ["&format=csv", "*/*"],
        ["", "text/csv"],
      ] as const) {
        const response = await a.client.request("GET", path + query, undefined, { accept });
        expect(response.status).toBe(200);
        expect(response.headers.get("content-type")).toMatch(/^text\/csv/);
        expect(response.headers.get("content-disposition")).toMatch(
          /^attachment; filename="usage.*\.csv"$/,
        );
        const rows = parseCsv(await response.text());
        expect(rows).toHaveLength(json.length);
        expect(sorted(rows)).toEqual(sorted(json.map(asCells)));
      }
    },
  );

  it("is read page by page, to the last row", async () => {
    const at = thisHour - 200 * HOUR_MS;
    await stack.sql(
      `INSERT INTO usage_records (id, attempt, at, team_id, model, status, input_tokens, output_tokens, estimated,
         cost_micros, latency_ms)
       SELECT 'req_' || n, 1, to_timestamp($1::double precision / 1000) + n * interval '1 millisecond', $2, 'm', 200, 1,
         1, false, 1, 1 FROM generate_series(1, 6001) AS n`,
      [at, b.teamId],
    );
    const to = new Date(at + HOUR_MS).toISOString();
    const range = `from=${new Date(at).toISOString()}&to=${to}`;
    const response = await b.client.request("GET", `/v1/usage/records?format=csv&${range}`);
    const rows = parseCsv(await response.text());
    expect(new Set(rows.map((row) => row["id"])).size).toBe(6_001);
  });

  it("gives JSON to those who ask for it", async () => {
    for (const accept of ["application/json", "*/*", "application/json, text/plain, */*"]) {
      const response = await a.client.request("GET", "/v1/usage", undefined, { accept });
      expect(response.headers.get("content-type")).toMatch(/^application\/json/);
      await response.body?.cancel();
    }
  });
});

describe("a bad question", () => {
  const nul = "%00";
  const cursor = (values: unknown) => Buffer.from(JSON.stringify(values)).toString("base64url");
  it.each([
    ["/v1/usage?group_by=colour", 422],
    ["/v1/usage?group_by=", 422],
    ["/v1/usage?group_by=day,day", 422],
    ["/v1/usage?from=yesterday", 422],
    ["/v1/usage?from=2026-11-21T10:00:00", 422],
    ["/v1/usage?from=2026-13-41", 422],
    ["/v1/usage?from=2026-11-21&to=2026-11-21", 422],
    ["/v1/usage?from=2026-11-22&to=2026-11-21", 422],
    ["/v1/usage?from=2020-01-01&to=2026-11-21", 422],
    ["/v1/usage?limit=0", 422],
    ["/v1/usage?limit=201", 422],
    ["/v1/usage?format=xml", 422],
    [`/v1/usage?key_id=${nul}`, 422],
    ["/v1/usage?cursor=nonsense", 400],
    [`/v1/usage?cursor=${cursor(["a", "b"])}`, 400],
    [`/v1/usage?cursor=${cursor(["a\u0000"])}`, 400],
    ["/v1/usage/records?status=ok", 422],
    [`/v1/usage/records?model=${nul}`, 422],
    [`/v1/usage/records?cursor=${cursor(["x", "y", 1])}`, 400],
    [`/v1/usage/records?cursor=${cursor(["2026-11-21T00:00:00Z", "y\u0000", 1])}`, 400],
    [`/v1/usage/records?cursor=${cursor(["2026-11-21T00:00:00Z", "y", 1e9])}`, 400],
    ["/v1/usage/records?format=csv&cursor=nonsense", 400],
    ["/v1/usage?group_by=team", 403],
  ])("%s gets %i, and a sentence", async (path, status) => {
    const problem = await a.client.expect<{ detail: string; code: string }>(status, "GET", path);
    expect(problem.detail.length).toBeGreaterThan(10);
    expect(problem.code).not.toBe("internal_error");
  });

  it("takes a cursor that was made by hand, and shows nothing of another team with it", async () => {
    const rows = await everything(a.client, `/v1/usage?group_by=key&cursor=${cursor([""])}`, 50);
    expect(rows.every((row) => row["key_id"] !== b.keyId)).toBe(true);
  });
});

describe("who may read usage", () => {
  it("is refused without the scope", async () => {
    const chatOnly = await stack.createTeam({ scopes: ["chat"] });
    for (const path of ["/v1/usage", "/v1/usage/records", "/v1/usage?format=csv"]) {
      const problem = await chatOnly.client.expect<{ code: string }>(403, "GET", path);
      expect(problem.code).toBe("missing_scope");
      expect((await stack.client(null).request("GET", path)).status).toBe(401);
    }
  });

  it("never shows another team's usage, whatever is asked for", async () => {
    const foreign = [
      `key_id=${b.keyId}`,
      `team_id=${b.teamId}`,
      "group_by=key",
      "group_by=session,end_user",
    ];
    for (const query of foreign) {
      const text = await (await a.client.request("GET", `/v1/usage?${query}`)).text();
      expect(text).not.toContain(b.keyId);
      const records = await (
        await a.client.request("GET", `/v1/usage/records?limit=200&${query}`, undefined, {
          "x-team-id": b.teamId,
        })
      ).text();
      expect(records).not.toContain(b.teamId);
    }
  });
});
