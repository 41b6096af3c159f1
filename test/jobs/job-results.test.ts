import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import type { ApiClient } from "#test/harness/api-client.ts";
import { type Stack, startStack } from "#test/harness/stack.ts";

let stack: Stack;
let teamId: string;
let client: ApiClient;
let nobody: ApiClient;
let jobId: string;
/** 70,000 bytes, no two neighbouring pieces of which are alike. */
const BYTES = Uint8Array.from({ length: 70_000 }, (_, index) => (index * 7 + (index >> 8)) % 256);

beforeAll(async () => {
  stack = await startStack({ postgres: inject("postgres"), workers: ["api"] });
  ({ teamId, client } = await stack.createTeam({ scopes: ["jobs"] }));
  nobody = stack.client(null);
  jobId = await makeJob(client);
  await addFile("data.bin", BYTES, "application/octet-stream");
});
afterAll(() => stack?.stop());

async function makeJob(maker: ApiClient): Promise<string> {
  const input = { type: "self_test", input: {}, run_at: "2027-01-01T00:00:00Z" };
  return (await maker.expect<{ id: string }>(202, "POST", "/v1/jobs", input)).id;
}

async function addFile(
  name: string,
  body: Uint8Array | string,
  contentType: string,
  job = jobId,
): Promise<string> {
  const key = `${teamId}/jobs/${job}/${crypto.randomUUID()}`;
  await stack.putFile(key, body, contentType);
  await stack.sql(
    "INSERT INTO job_results (job_id, name, file_key, size, content_type) VALUES ($1, $2, $3, $4, $5)",
    [job, name, key, body.length, contentType],
  );
  return pathOf(name, job);
}

const pathOf = (name: string, job = jobId) => `/v1/jobs/${job}/results/${encodeURIComponent(name)}`;
const DATA = () => pathOf("data.bin");
const get = (path: string, headers: Record<string, string> = {}, method = "GET") =>
  client.request(method, path, undefined, headers);
const bytesOf = async (response: Response) => new Uint8Array(await response.arrayBuffer());

/** A path with its query, of a link made for it. */
async function linkTo(path: string, expiresIn = 60): Promise<string> {
  const { url } = await client.expect<{ url: string }>(200, "POST", `${path}/link`, {
    expires_in: expiresIn,
  });
  const { pathname, search } = new URL(url);
  return pathname + search;
}

describe("a result", () => {
  it("is listed with the job, where a path leads to it", async () => {
    const job = await client.expect<{ results: { name: string; url: string; size: number }[] }>(
      200,
      "GET",
      `/v1/jobs/${jobId}`,
    );
    const [file] = job.results.filter(({ name }) => name === "data.bin");
    expect(file).toMatchObject({ size: BYTES.length, url: DATA() });
  });

  it("comes whole, with its length, its tag and what a browser must not do with it", async () => {
    const response = await get(DATA());
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-length": String(BYTES.length),
      "content-type": "application/octet-stream",
      "content-disposition": "attachment; filename=\"data.bin\"; filename*=UTF-8''data.bin",
      "accept-ranges": "bytes",
      "x-content-type-options": "nosniff",
      "content-security-policy": expect.stringContaining("sandbox"),
      etag: expect.stringMatching(/^".+"$/),
    });
    expect(await bytesOf(response)).toEqual(BYTES);
  });

  it("tells as much to HEAD, without a body", async () => {
    const [got, head] = [await get(DATA()), await get(DATA(), {}, "HEAD")];
    await got.body?.cancel();
    expect(head.status).toBe(200);
    expect(await head.text()).toBe("");
    for (const name of ["content-length", "etag", "last-modified", "content-type"])
      expect([name, head.headers.get(name)]).toEqual([name, got.headers.get(name)]);
  });

  it("comes in any range, which is the slice of the file", async () => {
    const edge = fc.oneof(fc.nat(BYTES.length + 10), fc.constantFrom(0, 1, 69_999, 70_000));
    await fc.assert(
      fc.asyncProperty(edge, fc.option(edge), fc.boolean(), async (first, last, fromEnd) => {
        const range = fromEnd ? `bytes=-${first}` : `bytes=${first}-${last ?? ""}`;
        const response = await get(DATA(), { range });
        const body = await bytesOf(response);
        const wanted = fromEnd
          ? BYTES.slice(first === 0 ? BYTES.length : -first)
          : BYTES.slice(first, last === null ? undefined : last + 1);
        if (!fromEnd && last !== null && last < first) {
          expect([range, response.status, body.length]).toEqual([range, 200, BYTES.length]);
        } else if (wanted.length === 0) {
          expect([range, response.status, body.length]).toEqual([range, 416, 0]);
          expect(response.headers.get("content-range")).toBe(`bytes */${BYTES.length}`);
        } else {
          expect([range, response.status]).toEqual([range, 206]);
          expect(Buffer.compare(body, wanted)).toBe(0);
          const start = fromEnd ? BYTES.length - wanted.length : first;
          expect(response.headers.get("content-range")).toBe(
            `bytes ${start}-${start + wanted.length - 1}/${BYTES.length}`,
          );
          expect(response.headers.get("content-length")).toBe(String(wanted.length));
        }
      }),
      { numRuns: 120 },
    );
  });

  it("is not sent again to who has it, and not in parts of another one", async () => {
    const { headers } = await get(DATA(), {}, "HEAD");
    const etag = headers.get("etag") ?? "";
    const modified = headers.get("last-modified") ?? "";
    const status = async (conditions: Record<string, string>) =>
      (await get(DATA(), conditions)).status;
    expect(await status({ "if-none-match": etag })).toBe(304);
    expect(await status({ "if-none-match": `"other", W/${etag}` })).toBe(304);
    expect(await status({ "if-modified-since": modified })).toBe(304);
    expect(await status({ "if-match": '"other"' })).toBe(412);
    const range = "bytes=0-9";
    expect(await status({ range, "if-range": etag })).toBe(206);
    expect(await status({ range, "if-range": modified })).toBe(206);
    expect(await status({ range, "if-range": '"other"' })).toBe(200);
    // A file that was replaced since is another one.
    const path = await addFile("changing.txt", "one", "text/plain");
    const before = (await get(path)).headers.get("etag") ?? "";
    const [{ file_key: key } = { file_key: "" }] = await stack.sql<{ file_key: string }>(
      "SELECT file_key FROM job_results WHERE name = 'changing.txt'",
    );
    await stack.putFile(key, "another", "text/plain");
    const after = await get(path, { range: "bytes=0-1", "if-range": before });
    expect([after.status, await after.text()]).toEqual([200, "another"]);
  });

  it("that is empty comes whole, and in no range", async () => {
    const path = await addFile("empty.txt", "", "text/plain");
    const whole = await get(path);
    expect([whole.status, await whole.text()]).toEqual([200, ""]);
    expect((await get(path, { range: "bytes=0-" })).status).toBe(416);
  });

  it.each([
    "text/html",
    "image/svg+xml",
    "application/xhtml+xml",
    "text/xml",
    "application/javascript",
    "text/html\u0000",
  ])("that calls itself %j is never shown, and leaves as bytes", async (contentType) => {
    const path = await addFile(
      crypto.randomUUID(),
      "<script>alert(1)</script>",
      contentType.replace("\u0000", ""),
    );
    for (const address of [path, await linkTo(path)]) {
      const { headers } = await get(address, {}, "HEAD");
      expect(headers.get("content-type")).toBe("application/octet-stream");
      expect(headers.get("content-disposition")).toMatch(/^attachment;/);
      expect(headers.get("content-security-policy")).toContain("sandbox");
    }
  });

  it.each([
    "گزارش کمپین.csv",
    "a b+c%20d&e=f?g#h.txt",
    "../../etc/passwd",
    "..",
    ".",
    'quote".txt',
    "back\\slash",
    "line\r\nset-cookie: evil=1",
    "%2e%2e%2f",
    "💥".repeat(100),
    "'; DROP TABLE jobs; --",
  ])("named %j is found by its name, and cannot leave its header", async (name) => {
    const path = await addFile(name, `content of ${name}`, "text/plain");
    const viaKey = await get(path);
    // Of what a URL cannot say, such as "..", there is nothing to be found.
    if (name === "." || name === "..") {
      expect(viaKey.status).toBe(404);
      return;
    }
    expect(viaKey.status).toBe(200);
    expect(await viaKey.text()).toBe(`content of ${name}`);
    expect(viaKey.headers.get("set-cookie")).toBeNull();
    const viaLink = await nobody.request("GET", await linkTo(path));
    expect(await viaLink.text()).toBe(`content of ${name}`);
  });

  it("that is not there is not found, nor is one of a job that is not there", async () => {
    const other = await stack.createTeam({ scopes: ["jobs"] });
    for (const path of [pathOf("nothing"), pathOf("a\u0000b"), pathOf("data.bin", "job_x")])
      await client.expect(404, "GET", path);
    await other.client.expect(404, "GET", DATA());
    await other.client.expect(404, "POST", `${DATA()}/link`, {});
  });
});

describe("a signed link", () => {
  it("needs no key, takes ranges and HEAD, and leads to one file", async () => {
    const link = await linkTo(DATA());
    const whole = await nobody.request("GET", link);
    expect(whole.status).toBe(200);
    expect(await bytesOf(whole)).toEqual(BYTES);
    const part = await nobody.request("GET", link, undefined, { range: "bytes=-3" });
    expect([part.status, await bytesOf(part)]).toEqual([206, BYTES.slice(-3)]);
    const head = await nobody.request("HEAD", link);
    expect([head.status, head.headers.get("content-length")]).toEqual([200, "70000"]);
    const other = await addFile("other.txt", "other", "text/plain");
    const moved = await nobody.request("GET", other + new URL(link, "http://x").search);
    expect(moved.status).toBe(403);
    await nobody.expect(401, "GET", other);
    await nobody.expect(401, "POST", `${link.replace("?", "/link?")}`, {});
    await nobody.expect(401, "GET", `/v1/jobs/${jobId}${new URL(link, "http://x").search}`);
  });

  it("ends at its time", async () => {
    const link = await linkTo(DATA());
    const later = link.replace(/expires=\d+/, `expires=${Math.floor(Date.now() / 1000) + 9_999}`);
    const over = link.replace(/expires=\d+/, "expires=1");
    for (const changed of [later, over]) await nobody.expect(403, "GET", changed);
    await client.expect(422, "POST", `${DATA()}/link`, { expires_in: 59 });
    await client.expect(422, "POST", `${DATA()}/link`, { expires_in: 7 * 86_400 + 1 });
  });

  it("does not work once anything of it was changed, doubled or left out", async () => {
    const link = new URL(await linkTo(DATA()), "http://x");
    const other = await stack.createTeam({ scopes: ["jobs"] });
    const variants: ((query: URLSearchParams) => void)[] = [
      (query) => query.set("team", other.teamId),
      (query) => query.delete("team"),
      (query) => query.delete("expires"),
      (query) => query.set("expires", `${query.get("expires")}0`),
      (query) => query.set("expires", "0x7fffffff"),
      (query) => query.set("signature", ""),
      (query) => query.set("signature", "A".repeat(43)),
      (query) => query.set("signature", (query.get("signature") ?? "").toLowerCase()),
      (query) => query.set("signature", `${query.get("signature")}=`),
      (query) => query.set("signature", (query.get("signature") ?? "").slice(0, -1)),
      (query) => query.set("signature", "\u0000"),
    ];
    for (const change of variants) {
      const query = new URLSearchParams(link.search);
      change(query);
      const response = await nobody.request("GET", `${link.pathname}?${query}`);
      expect([query.toString(), response.status]).toEqual([query.toString(), 403]);
      expect(response.headers.get("content-type")).toBe("application/problem+json");
    }
    // Whoever has a key besides is not let in by a bad link either.
    const bad = `${link.pathname}?team=${teamId}&expires=9&signature=x`;
    await client.expect(403, "GET", bad);
  });

  it("does not work once the job is gone", async () => {
    const doomed = await makeJob(client);
    const path = await addFile("doomed.txt", "doomed", "text/plain", doomed);
    const link = await linkTo(path);
    expect((await nobody.request("GET", link)).status).toBe(200);
    await stack.sql("DELETE FROM jobs WHERE id = $1", [doomed]);
    await nobody.expect(404, "GET", link);
  });

  it("does not stand in the log with its signature", async () => {
    const link = await linkTo(DATA());
    await nobody.request("GET", link);
    const signature = new URL(link, "http://x").searchParams.get("signature") ?? "?";
    expect(JSON.stringify(stack.logs.entries)).not.toContain(signature);
  });
});
