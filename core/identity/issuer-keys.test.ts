import { describe, expect, test } from "vitest";
import { IssuerKeys, type KeySet, type KeySetSources } from "./issuer-keys.ts";
import type { PublicKey } from "./public-key.ts";

const ISSUER = "https://id.example.com";
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

async function makeKey(kid: string): Promise<PublicKey> {
  const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, [
    "sign",
    "verify",
  ]);
  const { kty = "", crv, x, y } = await crypto.subtle.exportKey("jwk", pair.publicKey);
  return { kid, kty, crv, x, y };
}

/** An issuer and a shared cache that a test sets as it likes, with a clock that stands until it is moved. */
class World {
  time = 1_000_000_000;
  keys: PublicKey[] = [];
  down = false;
  asked = 0;
  cached: KeySet | null = null;
  /** While set, the issuer's answers wait for it. */
  gate: Promise<void> | null = null;
  failures = 0;
  private pending: Promise<unknown>[] = [];

  readonly sources: KeySetSources = {
    readCache: async () => this.cached,
    writeCache: async (_issuer, set) => void (this.cached = set),
    fetchKeys: async () => {
      this.asked++;
      const { keys, down } = this;
      await this.gate;
      if (down) throw new Error("down");
      return keys;
    },
    background: (work) => void this.pending.push(work),
    failed: () => void this.failures++,
    pause: () => new Promise((resolve) => setImmediate(resolve)),
    now: () => this.time,
  };

  /** What an isolate does with work of a request that it gives up. */
  abandon(): void {
    this.pending = [];
  }

  async settle(): Promise<void> {
    while (this.pending.length > 0) await this.pending.pop();
  }
}

/** What becomes of a search: the key's id, or the code of the refusal. */
async function search(keys: IssuerKeys, world: World, kid: string | null, alg = "ES256") {
  try {
    const { key } = await keys.find(ISSUER, { kid, alg }, world.sources);
    await world.settle();
    return key.type;
  } catch (error) {
    await world.settle();
    return (error as { code: string }).code; // whatever it is, the test compares it
  }
}

async function warm(...kids: string[]) {
  const world = new World();
  world.keys = await Promise.all(kids.map(makeKey));
  const keys = new IssuerKeys();
  expect(await search(keys, world, kids[0] ?? null)).toBe("public");
  return { world, keys };
}

describe("keys that are known", () => {
  test("cost nothing for ten minutes", async () => {
    const { world, keys } = await warm("a", "b");
    world.time += 9 * MINUTE;
    for (const kid of ["a", "b", "a"]) expect(await search(keys, world, kid)).toBe("public");
    expect(world.asked).toBe(1);
  });

  test("are renewed in the background after that, once", async () => {
    const { world, keys } = await warm("a");
    world.time += 11 * MINUTE;
    const before = keys.version(ISSUER, world.sources);
    for (let i = 0; i < 5; i++) keys.version(ISSUER, world.sources);
    await world.settle();
    expect(world.asked).toBe(2);
    expect(keys.version(ISSUER, world.sources)).toBe(before); // the same keys
  });

  test("get another version when they change, so that nothing verified by the old ones is believed", async () => {
    const { world, keys } = await warm("a");
    const before = keys.version(ISSUER, world.sources);
    world.keys = [await makeKey("b")];
    world.time += 11 * MINUTE;
    keys.version(ISSUER, world.sources);
    await world.settle();
    expect(keys.version(ISSUER, world.sources)).not.toBe(before);
    expect(await search(keys, world, "a")).toBe("invalid_token");
  });

  test("are used for a day while the issuer is down, and not a moment longer", async () => {
    const { world, keys } = await warm("a");
    world.down = true;
    for (let hour = 1; hour <= 23; hour++) {
      world.time += 60 * MINUTE;
      expect(await search(keys, world, "a")).toBe("public");
    }
    expect(world.failures).toBeGreaterThan(10);
    world.time += 61 * MINUTE;
    expect(keys.version(ISSUER, world.sources)).toBe(null);
    expect(await search(keys, world, "a")).toBe("unavailable");
  });
});

describe("a key id that is not known", () => {
  test("makes it ask again at once, and then not for 30 seconds", async () => {
    const { world, keys } = await warm("a");
    world.keys = [await makeKey("b")];
    expect(await search(keys, world, "b")).toBe("public");
    expect(world.asked).toBe(2);
    for (let i = 0; i < 50; i++) expect(await search(keys, world, `x${i}`)).toBe("invalid_token");
    expect(world.asked).toBe(2);
    world.time += 30_000;
    expect(await search(keys, world, "x")).toBe("invalid_token");
    expect(world.asked).toBe(3);
  });

  test("is looked for by one request, for which all others wait", async () => {
    const { world, keys } = await warm("a");
    world.keys = [await makeKey("b")];
    let open = () => {};
    world.gate = new Promise((resolve) => (open = resolve));
    const searches = Array.from({ length: 50 }, () => search(keys, world, "b"));
    for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
    open();
    expect(new Set(await Promise.all(searches))).toEqual(new Set(["public"]));
    expect(world.asked).toBe(2);
  });

  test("is asked for again when whoever was asking has died", async () => {
    const { world, keys } = await warm("a");
    world.keys = [await makeKey("b")];
    world.gate = new Promise(() => {});
    void search(keys, world, "b");
    await new Promise((resolve) => setImmediate(resolve));
    world.gate = null;
    world.abandon();
    world.time += 31_000;
    expect(await search(keys, world, "b")).toBe("public");
  });

  test("is taken from what another isolate has learned, without asking the issuer", async () => {
    const { world, keys } = await warm("a");
    const other = new IssuerKeys();
    expect(await search(other, world, "a")).toBe("public");
    world.keys = [await makeKey("b")];
    world.time += 1_000;
    expect(await search(keys, world, "b")).toBe("public");
    expect(world.asked).toBe(2);
    expect(await search(other, world, "b")).toBe("public");
    for (let i = 0; i < 10; i++) expect(await search(other, world, "x")).toBe("invalid_token");
    expect(world.asked).toBe(2); // the brake is shared too
  });
});

describe("an isolate that starts", () => {
  test("takes fresh keys from the cache", async () => {
    const { world } = await warm("a");
    world.time += 9 * MINUTE;
    expect(await search(new IssuerKeys(), world, "a")).toBe("public");
    expect(world.asked).toBe(1);
  });

  test("asks the issuer where the cached ones are older, and uses those where it is down", async () => {
    const { world } = await warm("a");
    world.time += 20 * MINUTE;
    world.down = true;
    expect(await search(new IssuerKeys(), world, "a")).toBe("public");
    expect(world.asked).toBe(2);
    world.time += DAY;
    expect(await search(new IssuerKeys(), world, "a")).toBe("unavailable");
  });

  test("asks once in three seconds where nothing is to be had, and says that it cannot tell", async () => {
    const world = new World();
    world.down = true;
    const keys = new IssuerKeys();
    for (let i = 0; i < 20; i++) expect(await search(keys, world, "a")).toBe("unavailable");
    expect(world.asked).toBe(1);
    world.time += 3_000;
    world.down = false;
    world.keys = [await makeKey("a")];
    expect(await search(keys, world, "a")).toBe("public");
  });
});

describe("which key fits", () => {
  test("is the only one for the algorithm where the token names none, and none of several", async () => {
    const { world, keys } = await warm("a");
    expect(await search(keys, world, null)).toBe("public");
    expect(await search(keys, world, null, "RS256")).toBe("invalid_token");
    const several = await warm("a", "b");
    expect(await search(several.keys, several.world, null)).toBe("invalid_token");
  });

  test("is never one of another kind, or meant for another algorithm", async () => {
    const world = new World();
    world.keys = [
      { ...(await makeKey("es")), alg: "ES256" },
      { kty: "RSA", kid: "rsa", n: "AQAB", e: "AQAB", alg: "RS512" },
    ];
    const keys = new IssuerKeys();
    expect(await search(keys, world, "es")).toBe("public");
    for (const alg of ["ES384", "RS256", "PS256", "EdDSA", "HS256", "none", "constructor"])
      expect(await search(keys, world, "es", alg)).toBe("invalid_token");
    expect(await search(keys, world, "rsa", "RS256")).toBe("invalid_token");
  });
});
