import { createRequire } from "node:module";

/** One Lua machine; what is inside is fengari's own. */
export interface LuaState {
  readonly luaState: unique symbol;
}

type LuaFunction = (state: LuaState) => number;

/** The part of Lua's C API that we use, as fengari offers it. Texts are arrays of bytes. */
interface LuaApi {
  LUA_OK: number;
  LUA_TNIL: number;
  LUA_TBOOLEAN: number;
  LUA_TLIGHTUSERDATA: number;
  LUA_TNUMBER: number;
  LUA_TSTRING: number;
  LUA_TTABLE: number;
  LUA_REGISTRYINDEX: number;
  LUA_MASKCOUNT: number;
  lua_absindex(state: LuaState, index: number): number;
  lua_createtable(state: LuaState, items: number, fields: number): void;
  lua_error(state: LuaState): number;
  lua_getfield(state: LuaState, index: number, name: Uint8Array): number;
  lua_getglobal(state: LuaState, name: Uint8Array): number;
  lua_gettop(state: LuaState): number;
  lua_newtable(state: LuaState): void;
  lua_next(state: LuaState, index: number): number;
  lua_pcall(state: LuaState, args: number, results: number, handler: number): number;
  lua_pop(state: LuaState, count: number): void;
  lua_pushboolean(state: LuaState, value: boolean): void;
  lua_pushcfunction(state: LuaState, run: LuaFunction): void;
  lua_pushlightuserdata(state: LuaState, value: object): void;
  lua_pushnil(state: LuaState): void;
  lua_pushnumber(state: LuaState, value: number): void;
  lua_pushstring(state: LuaState, value: Uint8Array): void;
  lua_pushvalue(state: LuaState, index: number): void;
  lua_rawgeti(state: LuaState, index: number, key: number): number;
  lua_rawlen(state: LuaState, index: number): number;
  lua_rawset(state: LuaState, index: number): void;
  lua_rawseti(state: LuaState, index: number, key: number): void;
  lua_setfield(state: LuaState, index: number, name: Uint8Array): void;
  lua_setglobal(state: LuaState, name: Uint8Array): void;
  lua_sethook(
    state: LuaState,
    hook: ((state: LuaState) => void) | null,
    mask: number,
    count: number,
  ): void;
  lua_settop(state: LuaState, index: number): void;
  lua_toboolean(state: LuaState, index: number): boolean;
  lua_tonumber(state: LuaState, index: number): number;
  lua_tostring(state: LuaState, index: number): Uint8Array | null;
  lua_type(state: LuaState, index: number): number;
}

interface LuaAuxiliary {
  luaL_checkstack(state: LuaState, slots: number, message: null): void;
  luaL_loadbuffer(state: LuaState, code: Uint8Array, length: null, name: Uint8Array): number;
  luaL_newstate(): LuaState;
  luaL_requiref(state: LuaState, name: Uint8Array, open: LuaFunction, global: boolean): void;
}

interface Fengari {
  lua: LuaApi;
  lauxlib: LuaAuxiliary;
  lualib: Record<"luaopen_base" | "luaopen_table" | "luaopen_string" | "luaopen_math", LuaFunction>;
}

/** A value as fengari keeps it while it reads a number. */
interface NumberSlot {
  value: number;
  ttisinteger(): boolean;
  setfltvalue(value: number): void;
}

interface NumberReader {
  luaO_str2num: (text: Uint8Array, slot: NumberSlot) => number;
}

function load(): Fengari {
  const require = createRequire(import.meta.url);
  // Redis runs Lua 5.1, whose numbers are all floating point; fengari is 5.3 with whole numbers of 32 bits. So that
  // 3000000 * 1000 stays what it is, every number is read as floating point, and "5.0" is written as "5".
  const before = process.env["FENGARICONF"];
  process.env["FENGARICONF"] = JSON.stringify({ LUA_COMPAT_FLOATSTRING: true });
  // fengari has no types of its own; these are the parts that its documentation names, and the one that we replace.
  const fengari = require("fengari") as Fengari;
  const reader = require("fengari/src/lobject.js") as NumberReader;
  const readNumber = reader.luaO_str2num;
  reader.luaO_str2num = (text, slot) => {
    const length = readNumber(text, slot);
    if (length > 0 && slot.ttisinteger()) slot.setfltvalue(slot.value);
    return length;
  };
  if (before === undefined) delete process.env["FENGARICONF"];
  else process.env["FENGARICONF"] = before;
  return fengari;
}

export const { lua, lauxlib, lualib } = load();
