import { createHash } from "node:crypto";
import { formatNumber } from "../arguments.ts";
import { type Bytes, fail, RedisError, type Value } from "../reply.ts";
import { lauxlib, lua, type LuaState, lualib } from "./engine.ts";
import { installJson } from "./json.ts";
import { PRELUDE } from "./prelude.ts";
import {
  luaText,
  pushError,
  pushStatus,
  pushValue,
  readError,
  readValue,
  textAt,
} from "./values.ts";

/** A script that never ends would stop everything else in this process. */
const MAX_RUN_MS = 5_000;
const INSTRUCTIONS_BETWEEN_CHECKS = 100_000;
const NOT_STRINGS = "ERR Lua redis lib command arguments must be strings or integers";

/** Runs one command for a script, and throws what goes wrong. */
export type CallCommand = (command: Bytes[]) => Value;

/** An answer with its tag, as redis.error_reply and redis.status_reply make it. */
type PushTagged = (state: LuaState, text: Bytes) => void;

export interface ScriptCall {
  source: Bytes;
  keys: Bytes[];
  args: Bytes[];
  call: CallCommand;
}

/** A sandboxed Lua machine that runs scripts one at a time, each with a fresh set of locals and the same globals. */
export class LuaMachine {
  readonly #state: LuaState;
  #call: CallCommand = () => fail("ERR no script is running");
  #deadline = 0;

  constructor() {
    this.#state = lauxlib.luaL_newstate();
    this.#openLibraries();
    this.#installRedis();
    installJson(this.#state, (run) => this.#guarded(run));
    this.#load(PRELUDE);
    if (lua.lua_pcall(this.#state, 0, 0, 0) !== lua.LUA_OK)
      throw new Error(textAt(this.#state, -1));
  }

  run({ source, keys, args, call }: ScriptCall): Value {
    const state = this.#state;
    this.#load(source);
    this.#setGlobal("KEYS", keys);
    this.#setGlobal("ARGV", args);
    this.#call = call;
    this.#deadline = Date.now() + MAX_RUN_MS;
    const stop = (): void => {
      if (Date.now() < this.#deadline) return;
      pushError(state, `ERR Script ran for more than ${MAX_RUN_MS / 1000} s and was stopped`);
      lua.lua_error(state);
    };
    lua.lua_sethook(state, stop, lua.LUA_MASKCOUNT, INSTRUCTIONS_BETWEEN_CHECKS);
    try {
      if (lua.lua_pcall(state, 0, 1, 0) !== lua.LUA_OK) fail(asErrorMessage(readError(state)));
      return readValue(state, -1);
    } finally {
      lua.lua_settop(state, 0);
    }
  }

  /** @throws RedisError where the source is not Lua */
  compile(source: Bytes): void {
    this.#load(source);
    lua.lua_settop(this.#state, 0);
  }

  #load(source: Bytes): void {
    const code = luaText(source.replace(/^#![^\n]*/, "")); // the line stays, so that line numbers fit
    if (lauxlib.luaL_loadbuffer(this.#state, code, null, luaText("@user_script")) === lua.LUA_OK)
      return;
    const message = textAt(this.#state, -1);
    lua.lua_settop(this.#state, 0);
    fail(`ERR Error compiling script (new function): ${message}`);
  }

  #openLibraries(): void {
    const libraries = {
      _G: "luaopen_base",
      table: "luaopen_table",
      string: "luaopen_string",
      math: "luaopen_math",
    } as const;
    for (const [name, open] of Object.entries(libraries)) {
      lauxlib.luaL_requiref(this.#state, luaText(name), lualib[open], true);
      lua.lua_pop(this.#state, 1);
    }
    lua.lua_pushcfunction(this.#state, () => {
      lua.lua_pushnumber(this.#state, performance.now() / 1000);
      return 1;
    });
    lua.lua_setglobal(this.#state, luaText("redis_clock"));
  }

  /** Sets a global past the guard that keeps scripts from adding any. */
  #setGlobal(name: string, items: Bytes[]): void {
    lua.lua_getglobal(this.#state, luaText("_G"));
    lua.lua_pushstring(this.#state, luaText(name));
    pushValue(this.#state, items);
    lua.lua_rawset(this.#state, -3);
    lua.lua_pop(this.#state, 1);
  }

  #installRedis(): void {
    const state = this.#state;
    const tagged = (push: PushTagged) => this.#guarded(() => push(state, textAt(state, 1)));
    const functions = {
      call: this.#guarded(() => this.#runCommand()),
      pcall: this.#protected(() => this.#runCommand()),
      error_reply: tagged(pushError),
      status_reply: tagged(pushStatus),
      sha1hex: this.#guarded(() => {
        lua.lua_pushstring(state, luaText(sha1(textAt(state, 1))));
      }),
      log: () => 0,
      setresp: () => 0,
      replicate_commands: this.#guarded(() => lua.lua_pushboolean(state, true)),
    };
    lua.lua_newtable(state);
    for (const [name, run] of Object.entries(functions)) {
      lua.lua_pushcfunction(state, run);
      lua.lua_setfield(state, -2, luaText(name));
    }
    for (const [level, name] of [
      "LOG_DEBUG",
      "LOG_VERBOSE",
      "LOG_NOTICE",
      "LOG_WARNING",
    ].entries()) {
      lua.lua_pushnumber(state, level);
      lua.lua_setfield(state, -2, luaText(name));
    }
    lua.lua_setglobal(state, luaText("redis"));
  }

  /** Reads the command from the script's arguments, runs it and leaves the answer on the stack. */
  #runCommand(): void {
    const state = this.#state;
    const command: Bytes[] = [];
    for (let index = 1; index <= lua.lua_gettop(state); index += 1) {
      const type = lua.lua_type(state, index);
      if (type === lua.LUA_TNUMBER) command.push(formatNumber(lua.lua_tonumber(state, index)));
      else if (type === lua.LUA_TSTRING) command.push(textAt(state, index));
      else fail(NOT_STRINGS);
    }
    if (command.length === 0)
      fail("ERR Please specify at least one argument for this redis.call()");
    pushValue(state, this.#call(command));
  }

  /** A function for scripts; a RedisError becomes an error of the script, anything else is ours and goes through. */
  #guarded(run: () => void): (state: LuaState) => number {
    return () => {
      try {
        run();
        return 1;
      } catch (error) {
        if (!(error instanceof RedisError)) throw error;
        pushError(this.#state, error.message);
        return lua.lua_error(this.#state);
      }
    };
  }

  #protected(run: () => void): (state: LuaState) => number {
    return () => {
      try {
        run();
      } catch (error) {
        if (!(error instanceof RedisError)) throw error;
        pushError(this.#state, error.message);
      }
      return 1;
    };
  }
}

export function sha1(text: Bytes): string {
  return createHash("sha1").update(Buffer.from(text, "latin1")).digest("hex");
}

/** Every error of Redis begins with a code in capitals. */
function asErrorMessage(text: Bytes): Bytes {
  return /^[A-Z]+ /.test(text) ? text : `ERR ${text}`;
}
