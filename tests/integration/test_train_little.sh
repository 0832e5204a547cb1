#!/bin/bash
# `train` with little to learn from, by device type, and where it would make things worse: what
# stays is said by name, and what is worse is not written.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"
# shellcheck source=tests/integration/fixtures/train.sh
. "$(dirname "$0")/fixtures/train.sh"

make_worlds() {
    make_world plain --clicks 20000 --conversions 6000 --seed 1 &
    make_world plain-2 --clicks 20000 --conversions 6000 --seed 2
    wait
}

# The sections of a model, by device type.
expect_sections() {
    expect_json "$1" 'sorted(d.get("devices", {}))' "$2"
}

# Only so many conversions keep their ids: of the first ones.
keep_ids() {
    edit_world "$worlds/plain" few "
if kind == 'conversion' and i >= $1:
    r['click_id'] = r['fbclid'] = r['gclid'] = ''"
}

# 30 labels are named and counted, and nothing that rests on them has changed; what rests on all
# conversions has.
case_few_labels_keep_what_was() {
    local labels
    keep_ids 80
    run match --clicks few/clicks.csv --conversions few/conversions.csv --output all.csv --quiet \
        --recovery-target 0
    train few --output model.json --metrics metrics.json --force
    expect_status 0
    labels=$(python3 -c 'import json; print(json.load(open("metrics.json"))["labels"])')
    [ "$labels" -gt 5 ] || fail "$labels labels"
    [ "$labels" -lt "$(grep -c ,url_param, all.csv)" ] || fail "$labels labels: none are held out"
    expect_match "$work/err" \
        "^  all: delay_m learned without labels: $labels labels, 50 are needed\$"
    for name in ip_m ip_other_m fingerprint.user_agent_m; do
        expect_match "$work/err" "^  all: $name kept as it was: [0-9]+ labels, 50 are needed\$"
    done
    expect_no_match "$work/err" 'all: fingerprint: .* kept'
    expect_match "$work/err" '^  layer 2: calibration left out: [0-9]+ labels, 200 are needed$'
    expect_valid model.json
    expect_json model.json '[d["ip_m"][::2] == d["ip_m"][1::2], *d["ip_m"][::2]]' \
        '[true, 0.8, 0.8, 0.8, 0.68, 0.62, 0.52, 0.48]'
    expect_json model.json 'd["fingerprint"]["user_agent_m"]' 0.9
    expect_json model.json '["ip_other_m" in d, "calibration" in d["fingerprint"]]' \
        '[false, false]'
    # a third of all are organic
    expect_json model.json '0.54 < d["fingerprint"]["prior"] < 0.66' true
}

# Neither many conversions nor many labels: chances are those that it began with.
case_few_conversions_keep_all() {
    edit_world "$worlds/plain" few 'if kind == "conversion" and i >= 300: r = None'
    train few --output model.json --force
    expect_status 0
    expect_match "$work/err" 'all: fingerprint: prior, rivals, .* kept as they were: '
    expect_match "$work/err" 'all: probabilistic: prior, rivals, u kept as they were: '
    for name in delay_m fingerprint_m ip_m probabilistic.user_agent_m; do
        expect_match "$work/err" "^  all: $name kept as it was: [0-9]+ labels, 50 are needed\$"
    done
    expect_json model.json '[d[n][::2] == d[n][1::2] for n in ("fingerprint_m", "ip_m")]' \
        '[true, true]'
    expect_sections model.json '[]'
    expect_valid model.json
    expect_json model.json '[d["fingerprint"]["prior"], d["probabilistic"]["prior"],
        d["fingerprint"]["rivals"], d["fingerprint"]["user_agent_u"], d["fingerprint_u"]]' \
        '[0.5, 0.2, 0.15, 0.15, 0.01]'
    expect_json model.json 'abs(sum(d["delay_m"]) - 1) < 1e-3' true
}

# What --model said of what nobody has seen here stays, and traits without labels stop nothing.
case_few_labels_keep_what_a_grown_model_said() {
    keep_ids 80
    cat >grown.json <<'JSON'
{"name": "grown", "version": "1", "ip_other_m": 0.15, "ip_other_u": 0.4,
 "probabilistic": {"traits": {"screen": [0.97, 0.1]}}}
JSON
    train few --model grown.json --output model.json --force --quiet
    expect_status 0
    expect_valid model.json
    expect_json model.json '[d["ip_other_m"], d["probabilistic"]["traits"]["screen"][0]]' \
        '[0.15, 0.97]'
    train few --traits --output model.json --force
    expect_status 0
    for name in os browser screen timezone; do
        expect_match "$work/err" "^  all: probabilistic.traits.$name kept as it was: [0-9]+ labels"
    done
    expect_json model.json '"traits" in d["probabilistic"]' false
}

# They were fitted around other chances. What a tenant has for a device type counts as the tenant's.
case_sections_of_the_base_are_left_out_loudly() {
    local warning='the sections of grown@1 are left out (device types: 2, tenants: 1): train learns'
    warning+=' those of device types anew, and makes none of tenants'
    cat >grown.json <<'JSON'
{"name": "grown", "version": "1",
 "devices": {"mobile": {"fingerprint": {"rivals": 0.3}}, "tv": {"fingerprint_u": 0.02}},
 "tenants": {"store-1": {"ip_u_min": 0.002, "devices": {"tv": {"fingerprint_u": 0.03}}}}}
JSON
    train "$worlds/plain" --model grown.json --output model.json --force --quiet
    expect_status 0
    [ "$(cat "$work/err")" = "clickmatch: warning: $warning" ] || fail "it said $(cat "$work/err")"
    expect_json model.json '["tenants" in d, "tv" in d["devices"]]' '[false, false]'
    train "$worlds/plain" --model grown.json --output model.json --force --log-format json
    expect_json "$work/err" '[x["message"] for x in d if x["level"] == "warning"]' "[\"$warning\"]"
    echo '{"name": "plain", "devices": {}, "tenants": {}}' >plain.json
    train "$worlds/plain" --model plain.json --output model.json --force --quiet
    [ ! -s "$work/err" ] || fail "it warns of nothing: $(cat "$work/err")"
}

case_no_labels() {
    keep_ids 0
    train few --output model.json --metrics metrics.json --force
    expect_status 1
    expect_error 'layer 1 attributes none of the conversions; give --truth, or conversions'
    expect_no_match "$work/err" 'out of memory'
    expect_no_files model.json metrics.json
    train few --output model.json --quiet --truth few
    expect_status 0
    expect_valid model.json
    for name in clicks conversions; do
        cp -r "$worlds/plain" empty
        head -n 1 "$worlds/plain/$name.csv" >"empty/$name.csv"
        train empty --output none.json --force
        expect_status 1
        expect_error 'layer 1 attributes none of the conversions'
        rm -r empty
    done
}

# Where there is nothing but labels, nothing says how many are organic, or what weighs how much.
case_all_labelled() {
    run match --clicks "$worlds/plain/clicks.csv" --conversions "$worlds/plain/conversions.csv" \
        --output results.csv --quiet --recovery-target 0
    edit_world "$worlds/plain" labelled '
import csv
if not hasattr(csv, "labelled"):
    csv.labelled = {(x["tenant_id"], x["conversion_id"])
                    for x in csv.DictReader(open("results.csv"))
                    if x["attribution_method"] == "url_param"}
if kind == "conversion" and (r["tenant_id"], r["conversion_id"]) not in csv.labelled:
    r = None'
    expect_trained labelled model.json --force
    expect_json model.json 'd["fingerprint"]["prior"], d["ip_m"][0] != 0.8' '[0.5, true]'
    expect_json model.json 'len(d["fingerprint"]["calibration"]) > 1' true
}

# ---- device types ----

case_one_device_type() {
    edit_world "$worlds/plain" one 'r["device_type"] = "Mobile"'
    expect_trained one model.json
    expect_sections model.json '["mobile"]'
}

case_no_device_types() {
    edit_world "$worlds/plain" none 'r["device_type"] = ""'
    expect_trained none model.json
    expect_sections model.json '[""]'
    train none --output again.json
    expect_match "$work/err" '^  \(none\) +[1-9][0-9,]* +[1-9]'
}

# Conversions without a type are one type: their section is learned from them, and is theirs.
case_some_without_a_device_type() {
    edit_world "$worlds/plain" some 'r["device_type"] = r["device_type"].replace("desktop", "")'
    expect_trained some model.json --metrics metrics.json
    expect_sections model.json '["", "mobile"]'
    expect_json model.json '(d["devices"][""]["fingerprint"]["prior"] <
        d["devices"]["mobile"]["fingerprint"]["prior"] - 0.1)' true
    train "$worlds/plain" --output plain.json --quiet
    expect_json model.json 'abs(d["devices"][""]["fingerprint"]["prior"] -
        json.load(open("plain.json"))["devices"]["desktop"]["fingerprint"]["prior"]) < 0.05' true
}

case_types_with_quotes_and_letters_of_all_kinds() {
    edit_world "$worlds/plain" odd 'r["device_type"] = r["device_type"].replace("desktop",
        "D\"e\\s\u00c4\u6f22, \n{}")'
    expect_trained odd model.json
    expect_sections model.json '["d\"e\\s\u00c4\u6f22, \n{}", "mobile"]'
    judge "$worlds/plain-2" model.json
    expect_better log_loss
}

# No section's name: no UTF-8, a NUL, and the word by which reports call those without one.
case_types_that_no_file_can_say() {
    local type
    for type in '\udce4' 'mobile\x00x' '(none)'; do
        edit_world "$worlds/plain" odd \
            "r['device_type'] = r['device_type'].replace('desktop', '$type')"
        expect_trained odd model.json
        expect_sections model.json '["mobile"]'
    done
}

# ---- worse ----

# All at one address: layer 3 has nothing to go by, which the built-in model expects.
case_worse_is_not_written() {
    edit_world "$worlds/plain" crowd 'r["ip_address"] = "9.9.9.9"'
    echo before >model.json
    train crowd --output model.json --metrics metrics.json --summary summary.json
    expect_status 1
    expect_match "$work/err" '^clickmatch: the new model is worse than the old one on what was '
    expect_match "$work/err" '\(log-loss 0\.[0-9]{4} against 0\.[0-9]{4}, F0\.5 .*or --force$'
    expect_match "$work/err" '^  log-loss '
    [ "$(cat model.json)" = before ] || fail 'model.json is another one'
    expect_no_files metrics.json
    train crowd --force --quiet --output - --metrics metrics.json
    expect_status 0
    cp "$work/out" model.json
    expect_valid model.json
    expect_json metrics.json 'd["log_loss"] > d["base_figures"]["log_loss"]' true
    expect_json metrics.json 'd["log_loss_change"]["difference"] > 0' true
}

# A good model is not given up for what little data of another kind says.
case_a_good_base_stays() {
    expect_trained "$worlds/plain" good.json --quiet
    make_world other --variant carriers --clicks 2700 --conversions 900 --seed 3
    train "$worlds/other" --model good.json --output model.json --quiet
    expect_status 1
    expect_match "$work/err" '^clickmatch: the new model is worse than the old one'
    expect_no_files model.json
}

make_worlds
run_cases
