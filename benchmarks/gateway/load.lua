-- The body that wrk sends: a CTWing dataReport of 428 bytes, a new content each time (nothing is a duplicate).
-- Environment: BENCH_SECRET, and BENCH_DELAY = milliseconds that a connection waits between two requests.
local secret = os.getenv("BENCH_SECRET") or ""
local wait = tonumber(os.getenv("BENCH_DELAY") or "0")
local started = os.time() * 1000
local n = 0
local form = '{"upPacketSN":-1,"upDataSN":-1,"topic":"v1/up/ad19","timestamp":%d,"tenantId":"10000001","serviceId":"Motion","protocol":'
  .. '"lwm2m","productId":"15001004","payload":{"serviceId":"Motion","serviceData":{"Motion_Status":1,"Battery_Level":87,'
  .. '"RSRP":-95,"SNR":12,"Cell_ID":123456}},"messageType":"dataReport","deviceType":"","deviceId":"d8610000000%05d",'
  .. '"assocAssetId":"","IMSI":"undefined","IMEI":"8610000000%05d"%s}'
local pad = nil

function request()
  n = n + 1
  local device = n % 20000
  local stamp = started - 3600000 + n
  if pad == nil then
    local bare = string.format(form, stamp, device, device, "")
    pad = ',"a":"' .. string.rep("x", 409 - #bare - 7) .. '"'
  end
  local headers = { ["Content-Type"] = "application/json", ["X-Anju-Secret"] = secret }
  return wrk.format("POST", "/ctwing", headers, string.format(form, stamp, device, device, pad))
end

if wait > 0 then
  function delay()
    return math.random(0, 2 * wait)
  end
end

function done(summary, latency, requests)
  local bad = summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout
  io.write(string.format("RESULT %.1f %.2f %.2f %.2f %d\n", summary.requests / (summary.duration / 1e6),
    latency:percentile(50) / 1000, latency:percentile(99) / 1000, latency.mean / 1000, bad))
end
