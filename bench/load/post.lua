-- wrk's side of the bench: one POST, taken from the environment, a look at each answer, and the result as
-- one line of JSON. Each of wrk's threads has a Lua of its own; `done` runs in another one.
wrk.method = "POST"
wrk.body = os.getenv("BENCH_BODY")
for name, value in string.gmatch(os.getenv("BENCH_HEADERS"), "([^\n]-): ([^\n]*)\n") do
  wrk.headers[name] = value
end

local contains = os.getenv("BENCH_CONTAINS")
local shortest = tonumber(os.getenv("BENCH_SHORTEST"))
local longest = tonumber(os.getenv("BENCH_LONGEST"))
local threads = {}

-- Each request takes the next of these, one after the other.
local requests = nil
local turn = 0

function init(args)
  local file = os.getenv("BENCH_CREDENTIALS")
  if file == nil then return end
  requests = {}
  for credential in io.lines(file) do
    wrk.headers["authorization"] = credential
    table.insert(requests, wrk.format())
  end
  request = function()
    turn = turn % #requests + 1
    return requests[turn]
  end
end

wrong = 0

function setup(thread)
  table.insert(threads, thread)
end

function response(status, headers, body)
  if #body < shortest or #body > longest or not string.find(body, contains, 1, true) then
    wrong = wrong + 1
  end
end

function done(summary, latency, requests)
  local errors = summary.errors
  local allWrong = 0
  for _, thread in ipairs(threads) do
    allWrong = allWrong + thread:get("wrong")
  end
  io.write(string.format(
    '\n{"requests":%d,"micros":%d,"p50":%f,"p99":%f,"status":%d,"broken":%d,"wrong":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.status, errors.connect + errors.read + errors.write + errors.timeout, allWrong))
end
