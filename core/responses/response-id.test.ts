import fc from "fast-check";
import { expect, it } from "vitest";
import { newId } from "../kernel/ids.ts";
import { nameResponse, parseResponseId, responseOfItem } from "./response-id.ts";

it("an id says which chain keeps it, however long the chain is", () => {
  const first = nameResponse(newId("request"), null);
  let last = first;
  for (let turn = 0; turn < 5; turn++) {
    last = nameResponse(newId("request"), last);
    expect(last.chain).toBe(first.chain);
    expect(parseResponseId(last.id)).toEqual(last);
    expect(responseOfItem(`msg_${last.rest}_12`)).toEqual(last);
  }
  expect(responseOfItem(`fc_${first.rest}_0`)).toEqual(first);
});

it("what is no id of a response is none, whatever it is", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(parseResponseId(text)).toBeNull();
      expect(parseResponseId(`resp_${text}`)).toBeNull();
      expect(responseOfItem(text)).toBeNull();
    }),
  );
  const { rest } = nameResponse(newId("request"), null);
  for (const id of [`resp_${rest}_`, `resp_${rest}_x`, `resp_${rest}_${rest}_${rest}`, rest])
    expect(parseResponseId(id)).toBeNull();
});
