-- wrk script: POST /v1/leads/batch, LEADS leads a request, each with an address that no other lead of any run has.
-- Environment: RUN_ID (part of the addresses), TOKEN (an API key), LEADS.
local threads = 0

function setup(thread)
  threads = threads + 1
  thread:set("number", threads)
end

function init()
  run = os.getenv("RUN_ID")
  leads = tonumber(os.getenv("LEADS"))
  sent = 0
  headers = { ["Content-Type"] = "application/json", ["Authorization"] = "Bearer " .. os.getenv("TOKEN") }
end

function request()
  local each = {}
  for i = 1, leads do
    sent = sent + 1
    each[i] = string.format(
      '{"firstName":"Ada","lastName":"Lovelace","email":"bench-%s-%d-%d@example.com","source":"bench"}',
      run, number, sent)
  end
  return wrk.format("POST", "/v1/leads/batch", headers, '{"leads":[' .. table.concat(each, ",") .. "]}")
end

function done(summary, latency)
  local errors = summary.errors
  local leads = tonumber(os.getenv("LEADS"))
  io.write(string.format(
    'JSON {"per_second":%.1f,"requests":%d,"p50_ms":%.2f,"p99_ms":%.2f,"non_2xx":%d,"socket_errors":%d}\n',
    summary.requests * leads / summary.duration * 1e6, summary.requests,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
