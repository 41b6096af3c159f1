import { expect, test } from "vitest";
import { isId, newId } from "../kernel/ids.ts";
import { checkSessionId, sessionIdFor } from "./session-id.ts";

test("a call that can be sent again always names the same session, and another call another one", async () => {
  const ids = await Promise.all(["a", "a", "b"].map(sessionIdFor));
  expect(ids[0]).toBe(ids[1]);
  expect(ids[0]).not.toBe(ids[2]);
  for (const id of ids) expect(isId("session", id)).toBe(true);
});

test("what cannot be a session's id is refused", () => {
  checkSessionId(newId("session"));
  for (const named of ["", "sess_", newId("team"), `${newId("session")} `, "sess_ILOU"])
    expect(() => checkSessionId(named)).toThrow("There is no such session");
});
