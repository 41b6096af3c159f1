import { Hono } from "hono";
import { expect, it } from "vitest";
import { PathRouter } from "./path-router.ts";

function appWith(order: string[]) {
  const app = new Hono({ router: new PathRouter() });
  app.use("/v1/*", async (c, next) => {
    await next();
    c.header("x-middleware", c.req.path);
  });
  for (const path of order) app.get(path, (c) => c.text(`${path} ${c.req.param("id") ?? "-"}`));
  app.post("/v1/keys", (c) => c.text("made"));
  return app;
}
const answer = async (app: Hono, path: string, method = "GET") => {
  const response = await app.request(path, { method });
  return `${response.status} ${await response.text()} ${response.headers.get("x-middleware")}`;
};

it.each([
  [["/v1/keys/verify", "/v1/keys/:id", "/v1/keys"]],
  [["/v1/keys", "/v1/keys/:id", "/v1/keys/verify"]],
])("answers each path as it did the first time: %j", async (order) => {
  const app = appWith(order);
  const first = order[0] === "/v1/keys/verify" ? "/v1/keys/verify -" : "/v1/keys/:id verify";
  for (let time = 1; time <= 3; time++) {
    expect(await answer(app, "/v1/keys/verify")).toBe(`200 ${first} /v1/keys/verify`);
    expect(await answer(app, `/v1/keys/key_${time}`)).toBe(
      `200 /v1/keys/:id key_${time} /v1/keys/key_${time}`,
    );
    expect(await answer(app, "/v1/keys")).toBe("200 /v1/keys - /v1/keys");
    expect(await answer(app, "/v1/keys", "POST")).toBe("200 made /v1/keys");
    expect(await answer(app, "/v1/keys", "DELETE")).toBe("404 404 Not Found /v1/keys");
    expect(await answer(app, `/v1/none${time}`)).toBe(`404 404 Not Found /v1/none${time}`);
  }
});

it("remembers its own paths only, and not what clients make up", () => {
  const router = new PathRouter<string>();
  router.add("GET", "/v1/keys", "list");
  router.add("GET", "/v1/keys/:id", "get");
  const sizes = () =>
    Object.values(router).flatMap((held) => (held instanceof Map ? held.size : []));
  const before = sizes();
  for (let index = 0; index < 1_000; index++) {
    router.match("GET", `/v1/keys/${index}`);
    router.match(`METHOD${index}`, "/v1/keys");
  }
  expect(sizes()).toEqual(before);
  expect(before).toEqual([1]);
});
