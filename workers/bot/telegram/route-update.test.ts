import { describe, expect, it } from "vitest";
import { UPDATES_OF_EVERY_KIND } from "#test/telegram/updates-of-every-kind.ts";
import { contentOf, photoWithin } from "./message-content.ts";
import { routeUpdate } from "./route-update.ts";

const chat = { id: 5, type: "private", first_name: "Sara" };

describe("routing", () => {
  it("sends messages to their chat's queue by their number, and lets /stop, buttons and memberships overtake", () => {
    const message = { message_id: 9, chat, from: { id: 5 }, text: "hi" };
    expect(routeUpdate({ update_id: 1, message })).toEqual({
      to: "chat",
      route: { chatId: 5, updateId: 1, lane: "turn", position: 9 },
    });
    const stop = {
      ...message,
      text: "/stop@yard_bot",
      entities: [{ type: "bot_command", offset: 0, length: 14 }],
    };
    expect(routeUpdate({ update_id: 2, message: stop })).toMatchObject({
      route: { lane: "urgent" },
    });
    expect(
      routeUpdate({
        update_id: 3,
        message: {
          ...message,
          text: "/stopwatch",
          entities: [{ type: "bot_command", offset: 0, length: 10 }],
        },
      }),
    ).toMatchObject({ route: { lane: "turn" } });
    expect(
      routeUpdate({
        update_id: 4,
        callback_query: { id: "1", from: { id: 5 }, message, data: "x" },
      }),
    ).toMatchObject({ route: { chatId: 5, lane: "urgent" } });
    expect(routeUpdate({ update_id: 5, my_chat_member: { chat, from: { id: 5 } } })).toMatchObject({
      route: { chatId: 5, lane: "urgent" },
    });
  });

  it("sends a callback without a message to its user's object", () => {
    expect(
      routeUpdate({
        update_id: 1,
        callback_query: { id: "1", from: { id: 77 }, inline_message_id: "x" },
      }),
    ).toMatchObject({ route: { chatId: 77 } });
  });

  it.each([
    ["null", null],
    ["a list", []],
    ["a number", 5],
    ["no id", {}],
    ["a text id", { update_id: "1" }],
    ["a fraction", { update_id: 1.5 }],
    ["a negative id", { update_id: -1 }],
    ["an id beyond whole numbers", { update_id: 2 ** 60 }],
  ])("calls %s malformed", (_what, body) => expect(routeUpdate(body).to).toBe("malformed"));

  it.each(UPDATES_OF_EVERY_KIND.map((one) => [one.name, one.update, one.goes] as const))(
    "%s",
    (_name, update, goes) => {
      expect(routeUpdate({ update_id: 1, ...update }).to).toBe(goes);
    },
  );
});

describe("content", () => {
  it("takes text before anything else that an odd message has", () => {
    expect(
      contentOf({ text: "hi", voice: { file_id: "v", file_unique_id: "v", duration: 1 } }),
    ).toEqual({ kind: "text", text: "hi" });
    expect(contentOf({})).toEqual({ kind: "nothing" });
    expect(contentOf({ photo: [] })).toEqual({ kind: "nothing" });
  });

  it("picks the largest photo within the limit", () => {
    const size = (file_id: string, width: number, file_size?: number) => ({
      file_id,
      file_unique_id: file_id,
      width,
      height: width,
      ...(file_size === undefined ? {} : { file_size }),
    });
    expect(
      photoWithin([size("s", 90, 10), size("l", 900, 5000), size("m", 300, 100)], 1000)?.file_id,
    ).toBe("m");
    expect(photoWithin([size("s", 90, 5000)], 1000)).toBeNull();
    expect(photoWithin([size("s", 90)], 1000)?.file_id).toBe("s");
  });
});
