import { fail, toBytes, toText } from "../reply.ts";
import { lauxlib, lua, type LuaState } from "./engine.ts";
import { luaText, textAt } from "./values.ts";

const MAX_DEPTH = 1_000;

/** Stands for JSON's null, since a table can't hold nil. Scripts know it as cjson.null. */
const NULL = Object.freeze({});

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

function read(state: LuaState, position: number, depth: number): Json {
  if (depth > MAX_DEPTH) fail("ERR Cannot serialise, excessive depth");
  lauxlib.luaL_checkstack(state, 6, null);
  const index = lua.lua_absindex(state, position);
  switch (lua.lua_type(state, index)) {
    case lua.LUA_TNIL:
    case lua.LUA_TLIGHTUSERDATA:
      return null;
    case lua.LUA_TBOOLEAN:
      return lua.lua_toboolean(state, index);
    case lua.LUA_TSTRING:
      return toText(textAt(state, index));
    case lua.LUA_TTABLE:
      return readTable(state, index, depth);
    case lua.LUA_TNUMBER: {
      const value = lua.lua_tonumber(state, index);
      if (!Number.isFinite(value)) fail("ERR Cannot serialise number: must not be NaN or Inf");
      return value;
    }
    default:
      return fail("ERR Cannot serialise: type not supported");
  }
}

/** A table with items 1…n is an array; every other one, the empty one too, is an object. */
function readTable(state: LuaState, index: number, depth: number): Json {
  const length = lua.lua_rawlen(state, index);
  if (length > 0) {
    const items: Json[] = [];
    for (let item = 1; item <= length; item += 1) {
      lua.lua_rawgeti(state, index, item);
      items.push(read(state, -1, depth + 1));
      lua.lua_pop(state, 1);
    }
    return items;
  }
  const fields: [string, Json][] = [];
  lua.lua_pushnil(state);
  while (lua.lua_next(state, index)) {
    const value = read(state, -1, depth + 1);
    lua.lua_pushvalue(state, -2); // turning the key itself into text would confuse lua_next
    fields.push([toText(textAt(state, -1)), value]);
    lua.lua_pop(state, 2);
  }
  return Object.fromEntries(fields);
}

function push(state: LuaState, value: Json): void {
  lauxlib.luaL_checkstack(state, 6, null);
  if (value === null) lua.lua_pushlightuserdata(state, NULL);
  else if (typeof value === "boolean") lua.lua_pushboolean(state, value);
  else if (typeof value === "number") lua.lua_pushnumber(state, value);
  else if (typeof value === "string") lua.lua_pushstring(state, luaText(toBytes(value)));
  else if (Array.isArray(value)) {
    lua.lua_createtable(state, value.length, 0);
    for (const [index, item] of value.entries()) {
      push(state, item);
      lua.lua_rawseti(state, -2, index + 1);
    }
  } else {
    lua.lua_newtable(state);
    for (const [name, item] of Object.entries(value)) {
      lua.lua_pushstring(state, luaText(toBytes(name)));
      push(state, item);
      lua.lua_rawset(state, -3);
    }
  }
}

/** Runs at a script's call; what it throws, the script gets as its error. */
export type Guard = (run: () => void) => (state: LuaState) => number;

/** Puts the table `cjson` among the globals. */
export function installJson(state: LuaState, guard: Guard): void {
  lua.lua_newtable(state);
  const encode = guard(() => {
    lua.lua_pushstring(state, luaText(toBytes(JSON.stringify(read(state, 1, 0)))));
  });
  const decode = guard(() => {
    let parsed: Json;
    try {
      parsed = JSON.parse(toText(textAt(state, 1))) as Json; // what JSON.parse returns is JSON
    } catch {
      fail("ERR Expected value but found invalid token");
    }
    push(state, parsed);
  });
  lua.lua_pushcfunction(state, encode);
  lua.lua_setfield(state, -2, luaText("encode"));
  lua.lua_pushcfunction(state, decode);
  lua.lua_setfield(state, -2, luaText("decode"));
  lua.lua_pushlightuserdata(state, NULL);
  lua.lua_setfield(state, -2, luaText("null"));
  lua.lua_setglobal(state, luaText("cjson"));
}
