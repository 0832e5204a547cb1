#!/bin/bash
# `train` on worlds that nobody would make: the model is one, its probabilities are some, and it is
# not worse than the built-in one on another world of that kind, by the truth; or it is refused.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"
# shellcheck source=tests/integration/fixtures/train.sh
. "$(dirname "$0")/fixtures/train.sh"

make_worlds() {
    make_world plain --clicks 16000 --conversions 5000 --seed 1 &
    make_world plain-2 --clicks 16000 --conversions 5000 --seed 2
    wait
}

# All probabilities of candidates are from 0 to 1, and there are some.
expect_probabilities() {
    run match --clicks "$1/clicks.csv" --conversions "$1/conversions.csv" --model "$2" --quiet \
        --output results.csv --recovery-target 0
    expect_status 0
    python3 - results.csv >problem 2>&1 <<'END' || fail "$(tail -n 1 problem)"
import csv, json, sys
seen = 0
for row in csv.DictReader(open(sys.argv[1])):
    said = [c["probability"] for c in json.loads(row["candidates"])]
    said += [float(row["match_probability"]), float(row["attribution_confidence"])]
    assert all(0 <= p <= 1 for p in said), row
    seen += len(said) > 2
assert seen > 100, seen
END
}

# expect_model STATEMENT: of a world made so, whether it would be refused or not.
expect_model() {
    edit_world "$worlds/plain" one "$1"
    edit_world "$worlds/plain-2" two "$1"
    expect_trained one model.json --force
    expect_probabilities two model.json
}

# expect_no_worse STATEMENT: it is not, on another world made so; or nobody gets it.
expect_no_worse() {
    expect_model "$1"
    train one --quiet
    if [ "$status" -eq 1 ]; then
        expect_error 'the new model is worse than the old one'
        return
    fi
    expect_same "$work/out" model.json
    judge two model.json
    expect_json judged.json 'd["log_loss"][1] < 1.01 * d["log_loss"][0]' true
    expect_json judged.json 'd["f_half"][1] > d["f_half"][0] - 0.01' true
}

# Each device has its own type: a few conversions of thousands of them, and no section.
case_a_type_for_each_device() {
    expect_no_worse 'r["device_type"] += device'
    expect_json model.json '"devices" in d' false
}

case_all_clicks_at_one_time() {
    expect_no_worse '
if kind == "click":
    r["click_timestamp"], r["expires_at"] = "2026-03-05T00:00:00Z", ""'
}

case_all_conversions_of_a_tenant_at_once() {
    expect_no_worse '
if kind == "conversion" and r["tenant_id"] == "store-1":
    r["conversion_timestamp"] = "2026-03-12T00:00:00.000001Z"'
}

case_no_fingerprints() {
    edit='
for name in ("fingerprint_hash", "conversion_fingerprint_hash", "screen_width", "screen_height",
             "timezone", "timezone_offset"):
    if name in r:
        r[name] = ""'
    expect_no_worse "$edit"
    train one --output again.json --force
    expect_match "$work/err" 'all: fingerprint: .* kept as they were: 0 open conversions, 0 with '
}

case_no_fingerprints_of_clicks() {
    expect_no_worse '
if kind == "click":
    for name in ("fingerprint_hash", "screen_width", "screen_height", "timezone",
                 "timezone_offset"):
        r[name] = ""'
}

case_no_addresses() {
    expect_no_worse 'r["ip_address"] = ""'
    train one --output again.json
    expect_match "$work/err" 'all: probabilistic: .* kept as they were: 0 open conversions, 0 with '
    expect_match "$work/err" 'all: ip_m kept as it was: 0 labels, 50 are needed'
}

case_no_addresses_of_clicks() {
    expect_no_worse '
if kind == "click":
    r["ip_address"] = ""'
}

case_only_ipv6() {
    expect_no_worse '
import hashlib
h = hashlib.md5(r["ip_address"].encode()).hexdigest()
if r["ip_address"] and ":" not in r["ip_address"]:
    r["ip_address"] = "2001:db8:%s:%s::1" % (h[:4], h[4:8])'
}

case_one_user_agent() {
    expect_no_worse 'r["user_agent"] = "x"'
}

case_one_fingerprint() {
    expect_model '
for name in ("screen_width", "screen_height", "timezone", "timezone_offset"):
    r[name] = ""
r["fingerprint_hash" if kind == "click" else "conversion_fingerprint_hash"] = "ab" * 32'
}

case_bins_of_all_kinds() {
    local edges m
    while IFS='|' read -r edges m; do
        echo "{\"window_hours\": 168, \"probabilistic_window_hours\": 24,
            \"delay_hours\": [$edges], \"delay_m\": [$m], \"fingerprint_m\": [$m],
            \"ip_m\": [$m]}" >base.json
        expect_trained "$worlds/plain" model.json --model base.json --force --quiet
        expect_probabilities "$worlds/plain-2" model.json
    done <<'END'
24, 168|0.5, 0.3
1e-9, 24, 168|0.001, 0.5, 0.3
24, 168, 700|0.5, 0.3, 1e-12
1, 2, 3, 4, 5, 6, 7, 8, 9, 24, 168|0.1, 0.1, 0.1, 0.1, 0.1, 0.01, 0.01, 0.01, 0.01, 0.01, 0.1
END
}

make_worlds
run_cases
