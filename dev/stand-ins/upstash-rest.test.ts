import { randomBytes } from "node:crypto";
import { Redis } from "@upstash/redis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { createRedis, type RedisBackend } from "./redis.ts";
import { type RunningUpstashRest, startUpstashRest } from "./upstash-rest.ts";

const TOKEN = "a token of the test";
let now = Date.parse("2026-11-21T10:00:00Z");
let backend: RedisBackend;
let rest: RunningUpstashRest;
let redis: Redis;
let plain: Redis;

beforeAll(async () => {
  backend = createRedis({ now: () => now, maxBytes: 4 * 1024 * 1024 });
  rest = await startUpstashRest({ backend, token: TOKEN });
  redis = new Redis({ url: rest.url, token: TOKEN, retry: false });
  plain = new Redis({ url: rest.url, token: TOKEN, retry: false, automaticDeserialization: false });
});
afterAll(async () => {
  await rest.stop();
  await backend.close();
});
beforeEach(() => redis.flushall());
afterEach(() => vi.restoreAllMocks());

async function post(
  path: string,
  body: string | Buffer<ArrayBuffer>,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(rest.url + path, {
    method: "POST",
    headers: { authorization: `Bearer ${TOKEN}`, ...headers },
    body,
  });
}

describe("values", () => {
  it("come back as they went in: objects, numbers, text in every script, and the word OK", async () => {
    const values = [{ a: [1, null, "é"] }, 12.5, "گفتگو 🚆", "OK", "", "null", true];
    for (const [index, value] of values.entries()) await redis.set(`value:${index}`, value);
    const found = await redis.mget(...values.map((_, index) => `value:${index}`));
    expect(found).toEqual([{ a: [1, null, "é"] }, 12.5, "گفتگو 🚆", "OK", "", null, true]);
  });

  it("keep every byte, also those that are no text", async () => {
    const bytes = Buffer.from(randomBytes(4096));
    const stored = await post("/set/binary", bytes);
    expect(await stored.json()).toEqual({ result: "OK" });
    const answer = await post("/", '["GET","binary"]', { "upstash-encoding": "base64" });
    const { result } = (await answer.json()) as { result: string };
    expect(Buffer.from(result, "base64").equals(bytes)).toBe(true);
    expect(await redis.strlen("binary")).toBe(4096);
  });

  it("NaN and its like are stored as JSON writes them, and are no numbers to count with", async () => {
    await redis.set("number", Number.NaN);
    expect(await plain.get("number")).toBe("null");
    await expect(redis.incrby("number", 1)).rejects.toThrow(
      "ERR value is not an integer or out of range",
    );
    await expect(redis.incrby("fresh", Number.NaN)).rejects.toThrow("not an integer");
    await expect(redis.incrby("fresh", 1.5)).rejects.toThrow("not an integer");
    await expect(redis.expire("fresh", Number.POSITIVE_INFINITY)).rejects.toThrow("not an integer");
    await expect(redis.zadd("board", { score: Number.NaN, member: "x" })).rejects.toThrow(
      "not a valid float",
    );
    expect(await redis.exists("fresh", "board")).toBe(0);
  });

  it("counts to the edge of 64 bits and not beyond", async () => {
    await plain.set("edge", "9223372036854775807");
    await expect(redis.incr("edge")).rejects.toThrow("overflow");
    expect(await plain.get("edge")).toBe("9223372036854775807");
    expect(await plain.incrbyfloat("float", 0.1)).toBe("0.1");
    expect(await plain.incrbyfloat("float", 0.2)).toBe("0.3");
  });

  it("refuses a command for the wrong type and leaves the value alone", async () => {
    await redis.lpush("list", "a");
    await expect(redis.incr("list")).rejects.toThrow("WRONGTYPE");
    await expect(redis.hset("list", { a: 1 })).rejects.toThrow("WRONGTYPE");
    await redis.rpush("other", "b");
    await redis.set("text", "x");
    await expect(redis.lmove("other", "text", "left", "right")).rejects.toThrow("WRONGTYPE");
    expect(await redis.lrange("other", 0, -1)).toEqual(["b"]);
    await redis.set("list", "now a text"); // SET takes any key
    expect(await redis.get("list")).toBe("now a text");
  });
});

describe("SET with conditions and expiry", () => {
  it("lets only one of many win a lock with NX EX, and keeps its expiry", async () => {
    const attempts = Array.from({ length: 50 }, (_, index) =>
      redis.set("lock", `owner-${index}`, { nx: true, ex: 10 }),
    );
    const won = (await Promise.all(attempts)).filter((answer) => answer === "OK");
    expect(won).toHaveLength(1);
    expect(await redis.ttl("lock")).toBe(10);
    expect(await redis.set("lock", "late", { nx: true, ex: 99 })).toBeNull();
    expect(await redis.ttl("lock")).toBe(10);
  });

  it("writes with XX only what is there, returns the old value with GET, keeps the expiry with KEEPTTL", async () => {
    expect(await redis.set("key", "a", { xx: true })).toBeNull();
    await redis.set("key", "a", { px: 5000 });
    expect(await redis.set("key", "b", { get: true, keepTtl: true })).toBe("a");
    expect(await redis.pttl("key")).toBe(5000);
    await redis.set("key", "c");
    expect(await redis.ttl("key")).toBe(-1);
  });

  it("forgets a key at its time, not before", async () => {
    await redis.set("soon", 1, { ex: 5 });
    await redis.set("exact", 1, { exat: Math.floor(now / 1000) + 7 });
    now += 4_999;
    expect(await redis.get("soon")).toBe(1);
    now += 1;
    expect(await redis.get("soon")).toBeNull();
    expect(await redis.exists("soon", "exact")).toBe(1);
    now += 2_000;
    expect(await redis.dbsize()).toBe(0);
  });

  it.each([
    [["SET", "k", "v", "EX", "0"], "invalid expire time"],
    [["SET", "k", "v", "EX", "-1"], "invalid expire time"],
    [["SET", "k", "v", "EX", "ten"], "not an integer"],
    [["SET", "k", "v", "NX", "XX"], "syntax error"],
    [["SET", "k", "v", "EX", "1", "PX", "1"], "syntax error"],
    [["SET", "k", "v", "SOON"], "syntax error"],
    [["SET", "k"], "wrong number of arguments"],
    [["SETEX", "k", "9999999999999999999", "v"], "not an integer"],
    [["constructor"], "unknown command"],
    [["__proto__", "x"], "unknown command"],
    [["GETRANGE", "k", "a", "b"], "not an integer"],
    [["SETRANGE", "k", "500000000", "x"], "OOM"],
    [["SETBIT", "k", "4294967295", "1"], "OOM"],
    [["SRANDMEMBER", "k", "-99999999999"], "out of range"],
    [["BLPOP", "k", "0"], "not available"],
    [["SUBSCRIBE"], "not available"],
    [["CONFIG", "GET", "*"], "not available"],
  ])("answers %j with an error", async (command, message) => {
    const response = await post("/", JSON.stringify(command));
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({ error: expect.stringContaining(message) });
  });

  it("follows the conditions of EXPIRE", async () => {
    await redis.set("key", 1);
    expect(await redis.expire("key", 10, "GT")).toBe(0); // without an expiry it lives longer than any
    expect(await redis.expire("key", 10, "XX")).toBe(0);
    expect(await redis.expire("key", 10, "NX")).toBe(1);
    expect(await redis.expire("key", 20, "LT")).toBe(0);
    expect(await redis.expire("key", 20, "GT")).toBe(1);
    expect(await redis.ttl("key")).toBe(20);
    expect(await redis.persist("key")).toBe(1);
    expect(await redis.expire("key", -1)).toBe(1);
    expect(await redis.exists("key")).toBe(0);
  });
});

describe("memory", () => {
  it("stays bounded: the least recently used keys go first", async () => {
    const value = "x".repeat(100_000);
    await redis.set("kept", value);
    for (let index = 0; index < 100; index += 1) {
      await redis.set(`filler:${index}`, value);
      await redis.get("kept");
    }
    const left = await redis.dbsize();
    expect(left).toBeGreaterThan(30);
    expect(left).toBeLessThan(45);
    expect(await redis.exists("kept", "filler:99")).toBe(2);
    expect(await redis.exists("filler:0")).toBe(0);
  });

  it("counts what collections take, so that they can't grow past it", async () => {
    for (let index = 0; index < 60; index += 1) {
      await redis.hset(`hash:${index}`, { field: "x".repeat(100_000) });
      await redis.rpush(`list:${index}`, "x".repeat(100_000));
    }
    expect(await redis.dbsize()).toBeLessThan(45);
    await redis.flushall();
    for (let round = 0; round < 3; round += 1) {
      for (let index = 0; index < 30; index += 1) await redis.rpush("queue", "x".repeat(100_000));
      await redis.ltrim("queue", 1, 0);
    }
    expect(await redis.exists("queue")).toBe(0); // an empty list is no key
    await redis.set("probe", "still room");
    expect(await redis.get("probe")).toBe("still room");
  });

  it("drops what has expired though nobody asks for it", async () => {
    vi.useFakeTimers({ toFake: ["setInterval"] });
    const swept = createRedis({ now: () => now, maxBytes: 1024 * 1024 });
    const payload = "x".repeat(1000);
    const commands = Array.from({ length: 500 }, (_, index) => [
      "SET",
      `gone:${index}`,
      payload,
      "PX",
      "10",
    ]);
    await swept.execute([...commands, ["SET", "stays", "1"]]);
    now += 11;
    await vi.advanceTimersByTimeAsync(2_000);
    // Were they still there, this would push the oldest key out.
    await swept.execute([["SET", "big", "x".repeat(900_000)]]);
    expect(await swept.execute([["EXISTS", "stays"]])).toEqual([1]);
    await swept.close();
    vi.useRealTimers();
  });
});

describe("pipelines and transactions", () => {
  it("answers each command of a pipeline in its place, errors too", async () => {
    const answers = await redis
      .pipeline()
      .set("a", 1)
      .incr("a")
      .lpush("a", "x")
      .get("a")
      .exec({ keepErrors: true });
    expect(answers.map(({ result }) => result)).toEqual(["OK", 2, undefined, 2]);
    expect(answers[2]?.error).toContain("WRONGTYPE");
  });

  it("runs a transaction as a whole, and none of it when a command is unknown", async () => {
    expect(await redis.multi().set("a", 1).incr("a").exec()).toEqual(["OK", 2]);
    const refused = await post("/multi-exec", '[["SET","a","9"],["NONSENSE"]]');
    expect(refused.status).toBe(400);
    expect(await refused.json()).toEqual({
      error: expect.stringMatching(/^EXECABORT .*unknown command/),
    });
    expect(await redis.get("a")).toBe(2);
  });

  it("lets nothing come between the commands of a transaction", async () => {
    const add = () => redis.multi().get("n").incr("n").get("n").exec();
    const all = await Promise.all(Array.from({ length: 30 }, add));
    for (const [before, , after] of all) expect(Number(after)).toBe(Number(before ?? 0) + 1);
    expect(await redis.get("n")).toBe(30);
  });

  it("keeps answers apart when many clients ask at once", async () => {
    await Promise.all(Array.from({ length: 100 }, (_, index) => redis.set(`k${index}`, index)));
    const found = await Promise.all(
      Array.from({ length: 100 }, (_, index) => redis.get(`k${index}`)),
    );
    expect(found).toEqual(Array.from({ length: 100 }, (_, index) => index));
  });

  it.each(["", "{}", "[]", "null", "[[]]", '["SET","a","1"]', "[1]", "[[["])(
    "refuses the pipeline %j",
    async (body) => {
      const response = await post("/pipeline", body);
      expect(response.status).toBe(400);
      expect(await response.json()).toEqual({ error: expect.stringContaining("ERR") });
    },
  );
});

describe("scripts", () => {
  it("see keys and arguments, call commands, and return what they like", async () => {
    const script = `redis.call("SET", KEYS[1], ARGV[1]); return {redis.call("GET", KEYS[1]), 3.99, "a", false, {1, nil, 2}}`;
    expect(await redis.eval(script, ["key"], ["value"])).toEqual(["value", 3, "a", null, [1]]);
    expect(await plain.eval("return redis.status_reply('FINE')", [], [])).toBe("FINE");
    expect(await redis.eval("return redis.call('TTL', KEYS[1])", ["key"], [])).toBe(-1);
  });

  it("are atomic: a counter with a limit is never passed", async () => {
    const script = `local n = tonumber(redis.call("GET", KEYS[1]) or "0")
      if n >= tonumber(ARGV[1]) then return 0 end
      redis.call("INCR", KEYS[1]) return 1`;
    const answers = await Promise.all(
      Array.from({ length: 60 }, () => redis.eval(script, ["count"], [25])),
    );
    expect(answers.filter((answer) => answer === 1)).toHaveLength(25);
  });

  it("run by their hash once loaded, and say NOSCRIPT before", async () => {
    const script = "return ARGV[1] .. '!'";
    await expect(redis.evalsha("0".repeat(40), [], [])).rejects.toThrow("NOSCRIPT");
    const hash = await redis.scriptLoad(script);
    expect(await redis.scriptExists(hash, "0".repeat(40))).toEqual([1, 0]);
    expect(await redis.evalsha(hash.toUpperCase(), [], ["hi"])).toBe("hi!");
    expect(await redis.createScript<string>(script).exec([], ["again"])).toBe("again!");
    await redis.scriptFlush();
    expect(await redis.scriptExists(hash)).toEqual([0]);
  });

  it("may begin with Upstash's flags, under the hash that the client knows", async () => {
    const script = "#!lua flags=allow-key-locking\nreturn 7";
    const hash = await redis.scriptLoad(script);
    const { createHash } = await import("node:crypto");
    expect(hash).toBe(createHash("sha1").update(script).digest("hex"));
    expect(await redis.evalsha(hash, [], [])).toBe(7);
    expect(await redis.scriptExists(hash)).toEqual([1]);
    expect(await redis.eval(script, [], [])).toBe(7);
  });

  it("calculate like Lua 5.1: beyond 32 bits, and without a trailing .0", async () => {
    const script = `local ms = 1763719200000
      return {tostring(3000000 * 1000), tostring(math.floor(ms / 1000) * 1000 + 5), 10 / 2 .. "", string.format("%d", ms),
        tostring(tonumber("2147483647") + 1), unpack({"x", "y"})}`;
    expect(await plain.eval(script, [], [])).toEqual([
      "3000000000",
      "1763719200005",
      "5",
      "1763719200000",
      "2147483648",
      "x",
      "y",
    ]);
  });

  it("read and write JSON", async () => {
    const document = { name: "ü", list: [1, 2.5, null, true], nested: { empty: {} } };
    const script =
      "local d = cjson.decode(ARGV[1]); d.seen = d.list[3] == cjson.null; return cjson.encode(d)";
    expect(await redis.eval(script, [], [JSON.stringify(document)])).toEqual({
      ...document,
      seen: true,
    });
    await expect(redis.eval("return cjson.decode('{')", [], [])).rejects.toThrow("invalid token");
    await expect(redis.eval("local t = {} t.t = t return cjson.encode(t)", [], [])).rejects.toThrow(
      "excessive depth",
    );
  });

  it("keep every byte of what they handle", async () => {
    await post("/set/binary", Buffer.from([0, 255, 128, 10]));
    expect(
      await redis.eval(
        "return {#redis.call('GET', KEYS[1]), string.byte(redis.call('GET', KEYS[1]), 2)}",
        ["binary"],
        [],
      ),
    ).toEqual([4, 255]);
  });

  it("pass errors on with redis.call and catch them with redis.pcall", async () => {
    await redis.lpush("list", "x");
    await expect(redis.eval("return redis.call('INCR', KEYS[1])", ["list"], [])).rejects.toThrow(
      "WRONGTYPE",
    );
    const caught = "local r = redis.pcall('INCR', KEYS[1]) return {type(r), r.err}";
    expect(await redis.eval(caught, ["list"], [])).toEqual([
      "table",
      expect.stringContaining("WRONGTYPE"),
    ]);
    await expect(redis.eval("return redis.error_reply('MINE no')", [], [])).rejects.toThrow(
      "MINE no",
    );
    await expect(redis.eval("error('boom')", [], [])).rejects.toThrow("boom");
    await expect(redis.eval("return redis.call('BLPOP', 'x', 0)", [], [])).rejects.toThrow(
      "unknown command",
    );
    await expect(redis.eval("this is not lua", [], [])).rejects.toThrow("Error compiling script");
  });

  it("may not write when they are read only", async () => {
    await expect(redis.evalRo("return redis.call('SET', 'a', 1)", [], [])).rejects.toThrow(
      "read-only",
    );
    expect(await redis.exists("a")).toBe(0);
    await redis.set("a", 5);
    expect(await redis.evalRo("return redis.call('GET', 'a')", [], [])).toBe(5);
  });

  it.each([
    ["os.execute('true')"],
    ["io.open('/etc/passwd')"],
    ["require('os')"],
    ["dofile('/etc/passwd')"],
    ["x = 1"],
    ["return missing"],
    ["redis.call('EVAL', 'return 1', 0)"],
    ["return debug.getregistry()"],
  ])("reach nothing outside of Redis: %s", async (script) => {
    await expect(redis.eval(script, [], [])).rejects.toThrow(
      /Script attempted|nil|readonly|not allowed/,
    );
  });

  it("are stopped when they never end, and leave everything working", async () => {
    await expect(redis.eval("while true do end", [], [])).rejects.toThrow("was stopped");
    await expect(
      redis.eval("local function f() return f() + 1 end return f()", [], []),
    ).rejects.toThrow("stack overflow");
    expect(await redis.ping()).toBe("PONG");
  }, 30_000);

  it("survive a table that holds itself", async () => {
    await expect(redis.eval("local t = {} t[1] = t return t", [], [])).rejects.toThrow(
      "lua stack limit",
    );
  });
});

describe("collections", () => {
  it("hashes: set, count, delete, and no key when empty", async () => {
    expect(await redis.hset("h", { a: 1, b: "two" })).toBe(2);
    expect(await redis.hset("h", { a: 5, c: null })).toBe(1);
    expect(await redis.hgetall("h")).toEqual({ a: 5, b: "two", c: null });
    expect(await redis.hincrby("h", "a", 2)).toBe(7);
    expect(await redis.hmget("h", "a", "missing")).toEqual({ a: 7, missing: null });
    await expect(redis.hincrby("h", "b", 1)).rejects.toThrow("hash value is not an integer");
    expect(await redis.hdel("h", "a", "b", "c", "d")).toBe(3);
    expect(await redis.exists("h")).toBe(0);
  });

  it("lists: both ends, ranges from the end, positions", async () => {
    await redis.rpush("l", "a", "b", "c", "b");
    expect(await redis.lrange("l", -3, -1)).toEqual(["b", "c", "b"]);
    expect(await redis.lpos("l", "b", { rank: -1 })).toBe(3);
    expect(await redis.lrem("l", -1, "b")).toBe(1);
    expect(await redis.lpop("l", 2)).toEqual(["a", "b"]);
    expect(await redis.rpop("l")).toBe("c");
    expect(await redis.lpop("l")).toBeNull();
  });

  it("sets: membership and algebra", async () => {
    await redis.sadd("s1", "a", "b", "c");
    await redis.sadd("s2", "b", "c", "d");
    expect((await redis.sinter("s1", "s2")).toSorted()).toEqual(["b", "c"]);
    expect(await redis.sdiff("s1", "s2")).toEqual(["a"]);
    expect(await redis.sunionstore("all", "s1", "s2")).toBe(4);
    expect(await redis.smismember("s1", ["a", "z"])).toEqual([1, 0]);
    expect(await redis.spop("s2", 3)).toHaveLength(3);
    expect(await redis.exists("s2")).toBe(0);
  });

  it("sorted sets: a sliding window as rate limits keep it", async () => {
    for (let index = 1; index <= 5; index += 1)
      await redis.zadd("window", { score: index * 10, member: `m${index}` });
    expect(await redis.zremrangebyscore("window", 0, 20)).toBe(2);
    expect(await redis.zcount("window", "(30", "+inf")).toBe(2);
    expect(await redis.zrange("window", 0, -1, { withScores: true })).toEqual([
      "m3",
      30,
      "m4",
      40,
      "m5",
      50,
    ]);
    expect(await redis.zrange("window", "+inf", "(30", { byScore: true, rev: true })).toEqual([
      "m5",
      "m4",
    ]);
    expect(await redis.zadd("window", { gt: true, ch: true }, { score: 1, member: "m5" })).toBe(0);
    expect(await redis.zrank("window", "m5")).toBe(2);
    expect(await redis.zpopmin("window")).toEqual(["m3", 30]);
    expect(await redis.zincrby("window", 0.5, "m4")).toBe(40.5);
  });

  it("streams: ids grow, old entries go", async () => {
    const first = await redis.xadd("log", "*", { a: 1 });
    const second = await redis.xadd("log", "*", { a: 2 });
    expect(second > first).toBe(true);
    await expect(redis.xadd("log", "1-1", { a: 0 })).rejects.toThrow("equal or smaller");
    await redis.xadd(
      "log",
      "*",
      { a: 3 },
      { trim: { type: "MAXLEN", threshold: 2, comparison: "=" } },
    );
    expect(await redis.xlen("log")).toBe(2);
    expect(Object.values(await redis.xrange("log", "-", "+"))).toEqual([{ a: 2 }, { a: 3 }]);
  });

  it("scans every key once though others come and go meanwhile", async () => {
    const names = Array.from({ length: 250 }, (_, index) => `scan:${index}`);
    await Promise.all(names.map((name) => redis.set(name, 1)));
    const seen: string[] = [];
    let cursor = "0";
    do {
      const [next, page] = await redis.scan(cursor, { match: "scan:*", count: 20 });
      seen.push(...page);
      await redis.del(page[0] ?? "none");
      await redis.get(names[5] ?? "");
      await redis.set(`other:${next}`, 1);
      cursor = next;
    } while (cursor !== "0");
    expect(seen.toSorted()).toEqual(names.toSorted());
  });

  it("matches patterns as Redis does, hostile ones in no time", async () => {
    await redis.mset({ "a[1]": 1, abc: 1, aXc: 1, "a\nc": 1 });
    expect(await redis.keys(String.raw`a\[1\]`)).toEqual(["a[1]"]);
    expect((await redis.keys("a?c")).toSorted()).toEqual(["a\nc", "aXc", "abc"]);
    expect(await redis.keys("a[^X-Z\n]c")).toEqual(["abc"]);
    await redis.set("a".repeat(5000), 1);
    const started = performance.now();
    expect(await redis.keys(`${"*a".repeat(200)}*b`)).toEqual([]);
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});

describe("publish and subscribe", () => {
  it("carries messages to those who listen by name or by pattern", async () => {
    const byName = redis.subscribe<{ n: number }>("news");
    const byPattern = redis.psubscribe<{ n: number }>("ne*");
    const got: string[] = [];
    const delivered = new Promise<void>((resolve) => {
      const take = (text: string): void => {
        got.push(text);
        if (got.length === 2) resolve();
      };
      byName.on("message", ({ message }) => take(`name:${message.n}`));
      byPattern.on("pmessage", ({ message, pattern }) => take(`${pattern}:${message.n}`));
    });
    const listening = [byName, byPattern].map(
      (one, index) => new Promise((resolve) => one.on(index ? "psubscribe" : "subscribe", resolve)),
    );
    await Promise.all(listening);
    expect(await redis.publish("news", { n: 7 })).toBe(2);
    await delivered;
    expect(got.toSorted()).toEqual(["name:7", "ne*:7"]);
    await byName.unsubscribe();
    await byPattern.unsubscribe();
  });

  it("forgets a listener that is gone", async () => {
    const listener = redis.subscribe("news");
    await new Promise((resolve) => listener.on("subscribe", resolve));
    await listener.unsubscribe();
    const deadline = Date.now() + 10_000;
    while ((await redis.publish("news", 1)) > 0) {
      if (Date.now() > deadline) throw new Error("It is still listening.");
    }
  });
});

describe("the protocol", () => {
  it("takes a command from the path, with options in the query and the body as last argument", async () => {
    const headers = { authorization: `Bearer ${TOKEN}` };
    await fetch(`${rest.url}/set/a%2Fb/value%20x?EX=100`, { headers });
    const read = await fetch(`${rest.url}/get/a%2Fb?_token=${encodeURIComponent(TOKEN)}`);
    expect(await read.json()).toEqual({ result: "value x" });
    expect(await redis.ttl("a/b")).toBe(100);
    await post("/set/from-body?PX=5000", '{"a":1}');
    expect(await redis.get("from-body")).toEqual({ a: 1 });
    expect(await redis.pttl("from-body")).toBe(5000);
  });

  it("refuses a missing or wrong token before anything runs", async () => {
    const without = await fetch(`${rest.url}/set/a/1`);
    expect(without.status).toBe(401);
    const stranger = new Redis({ url: rest.url, token: "wrong", retry: false });
    await expect(stranger.set("a", 1)).rejects.toThrow("WRONGPASS");
    expect(await redis.exists("a")).toBe(0);
  });

  it.each([["{}"], ["[]"], [""], ["{"], ['"GET"'], ["null"]])(
    "refuses the body %j",
    async (body) => {
      expect((await post("/", body)).status).toBe(400);
    },
  );

  it("refuses a request that is too large with 413, and goes on", async () => {
    const response = await post("/", JSON.stringify(["SET", "a", "x".repeat(11 * 1024 * 1024)]));
    expect(response.status).toBe(413);
    expect(await response.json()).toEqual({
      error: expect.stringContaining("max request size exceeded"),
    });
    expect(await redis.ping()).toBe("PONG");
  });

  it("refuses a path that is not encoded right", async () => {
    expect((await post("/get/%E0%A4%A", "")).status).toBe(400);
  });
});
