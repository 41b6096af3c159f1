import { type Bytes, fail, Status, type Value } from "../reply.ts";
import { lauxlib, lua, type LuaState } from "./engine.ts";

/** Redis refuses deeper answers too; without a limit a table that holds itself would never end. */
const MAX_DEPTH = 100;

export function luaText(text: Bytes): Uint8Array {
  return new Uint8Array(Buffer.from(text, "latin1"));
}

export function textAt(state: LuaState, index: number): Bytes {
  return Buffer.from(lua.lua_tostring(state, index) ?? []).toString("latin1");
}

/** A table with one named field, which is how scripts see a status or an error. */
function pushTagged(state: LuaState, name: "ok" | "err", text: Bytes): void {
  lua.lua_createtable(state, 0, 1);
  lua.lua_pushstring(state, luaText(text));
  lua.lua_setfield(state, -2, luaText(name));
}

export function pushError(state: LuaState, message: Bytes): void {
  pushTagged(state, "err", message);
}

export function pushStatus(state: LuaState, text: Bytes): void {
  pushTagged(state, "ok", text);
}

/** Puts a command's answer where the script finds it: nothing becomes false, as Redis has it. */
export function pushValue(state: LuaState, value: Value): void {
  lauxlib.luaL_checkstack(state, 4, null);
  if (value === null) lua.lua_pushboolean(state, false);
  else if (typeof value === "number") lua.lua_pushnumber(state, value);
  else if (typeof value === "string") lua.lua_pushstring(state, luaText(value));
  else if (value instanceof Status) pushStatus(state, value.text);
  else {
    lua.lua_createtable(state, value.length, 0);
    for (const [index, item] of value.entries()) {
      pushValue(state, item);
      lua.lua_rawseti(state, -2, index + 1);
    }
  }
}

function taggedText(state: LuaState, index: number, name: "ok" | "err"): Bytes | undefined {
  lua.lua_getfield(state, index, luaText(name));
  const text = lua.lua_type(state, -1) === lua.LUA_TSTRING ? textAt(state, -1) : undefined;
  lua.lua_pop(state, 1);
  return text;
}

/** What a script returned: numbers lose their fraction, a table ends at its first nil. */
export function readValue(state: LuaState, position: number, depth = 0): Value {
  if (depth > MAX_DEPTH) fail("ERR reached lua stack limit");
  lauxlib.luaL_checkstack(state, 4, null);
  const index = lua.lua_absindex(state, position);
  switch (lua.lua_type(state, index)) {
    case lua.LUA_TSTRING:
      return textAt(state, index);
    case lua.LUA_TNUMBER:
      return Math.trunc(lua.lua_tonumber(state, index));
    case lua.LUA_TBOOLEAN:
      return lua.lua_toboolean(state, index) ? 1 : null;
    case lua.LUA_TTABLE:
      return readTable(state, index, depth);
    default:
      return null;
  }
}

function readTable(state: LuaState, index: number, depth: number): Value {
  const error = taggedText(state, index, "err");
  if (error !== undefined) fail(error);
  const status = taggedText(state, index, "ok");
  if (status !== undefined) return new Status(status);
  const items: Value[] = [];
  for (;;) {
    lua.lua_rawgeti(state, index, items.length + 1);
    if (lua.lua_type(state, -1) === lua.LUA_TNIL) break;
    items.push(readValue(state, -1, depth + 1));
    lua.lua_pop(state, 1);
  }
  lua.lua_pop(state, 1);
  return items;
}

/** The message of whatever a script failed with. */
export function readError(state: LuaState): Bytes {
  if (lua.lua_type(state, -1) === lua.LUA_TTABLE)
    return taggedText(state, lua.lua_absindex(state, -1), "err") ?? "";
  return textAt(state, -1);
}
