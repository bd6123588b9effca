-- wrk script: POST /v1/leads, every request with an e-mail address that no other request of any run has.
-- Environment: RUN_ID (part of the addresses), TOKEN (an API key).
local threads = 0

function setup(thread)
  threads = threads + 1
  thread:set("number", threads)
end

function init()
  run = os.getenv("RUN_ID")
  sent = 0
  headers = { ["Content-Type"] = "application/json", ["Authorization"] = "Bearer " .. os.getenv("TOKEN") }
end

function request()
  sent = sent + 1
  local body = string.format(
    '{"firstName":"Ada","lastName":"Lovelace","email":"bench-%s-%d-%d@example.com","source":"bench"}',
    run, number, sent)
  return wrk.format("POST", "/v1/leads", headers, body)
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    'JSON {"per_second":%.1f,"requests":%d,"p50_ms":%.2f,"p99_ms":%.2f,"non_2xx":%d,"socket_errors":%d}\n',
    summary.requests / summary.duration * 1e6, summary.requests,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
