/**
 * Makes Lua 5.3 look like the Lua 5.1 that Redis runs: names that 5.3 dropped, whole numbers that stay floating point,
 * and globals that a script can neither add nor misspell. Nothing that reaches files or other code is left.
 */
export const PRELUDE = `
unpack = table.unpack
table.getn = function(list) return #list end
math.pow = function(base, exponent) return base ^ exponent end
math.mod = math.fmod
math.log10 = function(value) return math.log(value, 10) end
loadstring = load

for _, name in ipairs({"floor", "ceil"}) do
  local whole = math[name]
  math[name] = function(value) return whole(value) + 0.0 end
end

local format = string.format
string.format = function(text, ...)
  text = string.gsub(text, "%%([^%a%%]*)([%a%%])", function(flags, kind)
    if kind == "d" or kind == "i" then return "%" .. flags .. ".0f" end
  end)
  return format(text, ...)
end

os = { clock = redis_clock }
redis_clock, dofile, loadfile, print, collectgarbage = nil, nil, nil, nil, nil

setmetatable(_G, {
  __index = function(_, name)
    error("Script attempted to access nonexistent global variable '" .. tostring(name) .. "'", 2)
  end,
  __newindex = function(_, name)
    error("Attempt to modify a readonly table", 2)
  end,
})
`;
