-- Requests of one kind for wrk. The words between at signs are replaced by comparison.py.
local ids = {}
for line in io.lines("@ids@") do ids[#ids + 1] = line end
local kind = "@kind@"
local prefix = "@prefix@"
local patch = '{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[%s]}'
local user = '{"schemas":["@schema@"],"userName":"%s","externalId":"%s","displayName":"New","active":true,'
  .. '"name":{"givenName":"N","familyName":"W"},"emails":[{"value":"%s","type":"work","primary":true}]}'
math.randomseed(os.time())
local n = math.random(1, #ids)
local nonce = "@nonce@-" .. os.time() .. "-" .. math.random(1, 1000000)
local made = 0
wrk.headers["Authorization"] = "Bearer @token@"
wrk.headers["Content-Type"] = "application/scim+json"

local requests = {
  GET = function() return wrk.format("GET", prefix .. "/Users/" .. ids[n]) end,
  filter = function()
    return wrk.format("GET", prefix .. "/Users?filter=userName%20eq%20%22user" .. n .. "@example.org%22")
  end,
  PATCH = function()
    local value = math.random() < 0.5 and "true" or "false"
    local operation = '{"op":"replace","path":"active","value":' .. value .. "}"
    return wrk.format("PATCH", prefix .. "/Users/" .. ids[n], nil, patch:format(operation))
  end,
  nested = function()
    local operation = '{"op":"replace","path":"name.givenName","value":"Per ' .. math.random(1, 1000000) .. '"}'
    return wrk.format("PATCH", prefix .. "/Users/" .. ids[n], nil, patch:format(operation))
  end,
  POST = function()
    local name = "new" .. nonce .. "-" .. made .. "@example.org"
    return wrk.format("POST", prefix .. "/Users", nil, user:format(name, name, name))
  end,
  page = function()
    local start = 1 + 100 * math.random(0, 9)
    return wrk.format("GET", prefix .. "/Users?startIndex=" .. start .. "&count=100")
  end,
  member = function()
    local operation = '{"op":"%s","path":"members","value":[{"value":"%s"}]}'
    local change = made % 2 == 0 and "remove" or "add"
    local body = patch:format(operation:format(change, ids[math.floor(made / 2) % #ids + 1]))
    return wrk.format("PATCH", prefix .. "/Groups/@group@", nil, body)
  end,
}

request = function()
  n = n % #ids + 1
  made = made + 1
  return requests[kind]()
end

done = function(summary, latency)
  local errors = summary.errors.status + summary.errors.read + summary.errors.timeout
  io.write(string.format("\nRESULT %d %d %d %.1f\n", summary.requests, summary.duration, errors, latency:percentile(99)))
end
