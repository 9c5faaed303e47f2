-- What wrk sends: wrk … -s requests.lua URL -- OPERATION FLOW_ID RUN_ID… Each thread has one connection and a run of its own, so that its
-- state changes are always allowed ones (RUNNING, and PENDING by force; no pauses, since a run keeps a key of each and its row would grow). Ends with one line for bench.py to read.
local threads = 0

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

local json = { ["Content-Type"] = "application/json" }
local function post(path, body) return wrk.format("POST", "/api" .. path, json, body) end

local operations = {}
operations["GET flow_runs/{id}"] = function() return wrk.format("GET", "/api/flow_runs/" .. run) end
operations["POST flows/ (exists)"] = function() return post("/flows/", '{"name":"bench"}') end
operations["POST flow_runs/"] = function()
  return post("/flow_runs/", '{"flow_id":"' .. flow .. '","state":{"type":"PENDING"},"parameters":{"a":[1,2,3]},"tags":["bench"]}')
end
operations["POST task_runs/"] = function(n)
  return post("/task_runs/", '{"flow_run_id":"' .. run .. '","task_key":"bench","dynamic_key":"' .. salt .. n .. '","state":{"type":"PENDING"}}')
end
operations["POST flow_runs/{id}/set_state"] = function(n)
  return post("/flow_runs/" .. run .. "/set_state", n % 2 == 1 and '{"state":{"type":"RUNNING"}}' or '{"state":{"type":"PENDING"},"force":true}')
end
operations["POST logs/ (50 lines)"] = function() return post("/logs/", lines) end
operations["POST flow_runs/filter (50 rows)"] = function() return post("/flow_runs/filter", '{"limit":50,"sort":"EXPECTED_START_TIME_DESC"}') end
operations["POST flow_runs/count"] = function() return post("/flow_runs/count", '{"flow_runs":{"state":{"type":{"any_":["PENDING"]}}}}') end
operations["POST flow_runs/history"] = function() return post("/flow_runs/history", history) end

function init(args)
  operation, flow = operations[args[1]], args[2]
  run = args[3 + number % (#args - 2)]
  salt, count = number .. "-" .. os.time() .. "-", 0
  local day = os.date("!%Y-%m-%d")
  history = '{"history_start":"' .. day .. 'T00:00:00Z","history_end":"' .. day .. 'T23:59:59Z","history_interval_seconds":3600}'
  local line = '{"name":"bench","level":20,"message":"a line of a log","timestamp":"' .. day .. 'T12:00:00.123456+00:00","flow_run_id":"' .. run .. '"}'
  lines = "[" .. string.rep(line .. ",", 49) .. line .. "]"
end

function request()
  count = count + 1
  return operation(count)
end

function done(summary, latency, _)
  local errors = summary.errors
  print(string.format("RESULT %d %d %d %d", summary.requests, summary.duration, latency:percentile(99),
    errors.status + errors.connect + errors.read + errors.write + errors.timeout))
end
