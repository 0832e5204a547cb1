#!/bin/bash
# `evaluate`: its figures equal those of an evaluation by brute force, and hang on nothing but data.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"

oracle=$root/tests/oracle/reference_evaluate.py
made=$(mktemp -d)
trap 'rm -rf "$work" "$made"' EXIT

# A model that is not the default one, and worlds that all cases share.
cat >"$made/other.json" <<'JSON'
{"name": "other", "version": "7", "window_hours": 72,
 "delay_m": [0.1, 0.2, 0.2, 0.1, 0.1, 0.15, 0.1],
 "fingerprint": {"calibration": [[0.2, 0.1], [0.9, 0.7], [1.0, 1.0]], "band": [0.5, 0.9],
                 "delay_u": [0.001, 0.004, 0.02, 0.1, 0.2, 0.6, 0.5]},
 "probabilistic": {"prior": 0.3, "band": [0.2, 0.6]}}
JSON
"$program" simulate --output "$made/world" --clicks-count 6000 --conversions-count 1500 \
    --organic 0.35 --seed 3 --quiet

evaluate() {
    run evaluate --clicks "$made/world/clicks.csv" --conversions "$made/world/conversions.csv" \
        --quiet "$@"
}

expect_oracle() {
    python3 "$oracle" "$@" >differences 2>&1 || fail "$(head -n 3 differences)"
}

case_truth_as_by_brute_force() {
    evaluate --truth "$made/world" --format json --output report.json --bins 7
    expect_status 0
    expect_oracle "$made/world" report.json --truth
    expect_json report.json 'd["judged_by"], d["judged"] > 500, d["organic"] > 100' \
        '["truth", true, true]'
}

case_models_reference_and_baselines_as_by_brute_force() {
    evaluate --truth "$made/world" --format json --output report.json --bootstrap 0 \
        --model "$made/other.json" --reference "$made/other.json" --baselines
    expect_status 0
    expect_oracle "$made/world" report.json --truth --model "$made/other.json"
    expect_json report.json '[(m["label"], m["role"]) for m in d["models"]]' \
        "$(printf '%s' '[["other@7", "reference"], ["other@7", "model"], ' \
            '["default@1", "baseline"], ["blind to time and rivals", "baseline"], ' \
            '["newest click of the key", "baseline"]]')"
    expect_json report.json 'd["models"][1]["regret"]["log_loss"]' 0.0
    expect_json report.json 'd["models"][4]["regret"]["log_loss"] > 0.01' true
    expect_json report.json 'd["models"][0]["groups"][0]["both"]["metrics"]["recall"]["low"]' null
}

case_labels_as_by_brute_force() {
    evaluate --format json --output report.json --bootstrap 0
    expect_status 0
    expect_oracle "$made/world" report.json
    expect_json report.json 'd["judged_by"], d["judged"] == d["by_layer_1"], d["organic"]' \
        '["layer_1", true, 0]'
}

case_all_masked_as_by_brute_force() {
    evaluate --format json --output report.json --bootstrap 0 --mask-and-delete 1
    expect_status 0
    expect_oracle "$made/world" report.json --mask-all
    expect_json report.json 'd["organic"] == d["judged"] == d["masked"]' true
}

case_some_masked() {
    evaluate --format json --output none.json
    evaluate --format json --output some.json --mask-and-delete 0.3
    expect_status 0
    expect_json some.json '0.2 < d["masked"] / d["judged"] < 0.4' true
    expect_json some.json '(d["masked"] == d["organic"], d["deleted"] >= d["masked"] * 0.9)' \
        '[true, true]'
    # Without masking is what there is without it; the masked ones had a click then.
    python3 - none.json some.json >differences 2>&1 <<'PYTHON' || fail "$(cat differences)"
import json, sys
none, some = (json.load(open(path))["models"][0] for path in sys.argv[1:])
assert some["unmasked"] == none["groups"][0], "without masking is not what it is without it"
with_, without = (one["groups"][0]["both"]["counts"] for one in (some, none))
assert with_["with_click"] < without["with_click"] and with_["organic_matched"] > 0
assert with_["right_click"] < without["right_click"]
assert some["label_free"] == none["label_free"], "what needs no labels depends on the mask"
PYTHON
    evaluate --mask-and-delete 0.3
    expect_match "$work/out" '^  masking, layers 2 and 3   without'
}

case_threads_and_order_change_nothing() {
    evaluate --threads 1 --mask-and-delete 0.3 --format json --output one.json --html one.html
    evaluate --threads 5 --mask-and-delete 0.3 --format json --output five.json --html five.html
    expect_same one.json five.json
    expect_same one.html five.html
    for name in clicks conversions click_truth conversion_truth; do
        head -n 1 "$made/world/$name.csv" >"$name.csv"
        sed 1d "$made/world/$name.csv" | sort -t , -k 2.5 >>"$name.csv"
    done
    evaluate --truth "$made/world" --output first
    run evaluate --clicks clicks.csv --conversions conversions.csv --truth . --quiet \
        --output second
    expect_status 0
    expect_same first second
}

case_duplicates_count_once() {
    evaluate --output once --truth "$made/world"
    evaluate --output twice --truth "$made/world" --clicks "$made/world/clicks.csv" \
        --conversions "$made/world/conversions.csv" --summary summary.json
    expect_same once twice
    expect_json summary.json 'd["clicks"]["duplicates"], d["conversions"]["duplicates"]' \
        '[6000, 1500]'
}

case_ndjson_gives_the_same() {
    run simulate --output world --clicks-count 6000 --conversions-count 1500 --organic 0.35 \
        --seed 3 --format ndjson --quiet
    evaluate --truth "$made/world" --output csv
    run evaluate --clicks world/clicks.ndjson --conversions world/conversions.ndjson \
        --truth world --quiet --output ndjson
    expect_status 0
    expect_same csv ndjson
}

case_summary_is_that_of_match() {
    evaluate --truth "$made/world" --summary evaluate.json --output /dev/null
    run match --clicks "$made/world/clicks.csv" --conversions "$made/world/conversions.csv" \
        --summary match.json --output results.csv --quiet --recovery-target 0
    expect_json evaluate.json \
        'd["attribution"]["methods"] == json.load(open("match.json"))["attribution"]["methods"]' \
        true
}

case_page_is_whole_and_by_itself() {
    evaluate --truth "$made/world" --baselines --html page.html --output /dev/null
    expect_status 0
    python3 - page.html >problem 2>&1 <<'PYTHON' || fail "$(tail -n 1 problem)"
import sys, xml.etree.ElementTree as tree
root = tree.parse(sys.argv[1]).getroot()  # well-formed even as XML
tags = [element.tag for element in root.iter()]
assert tags.count("svg") == 3 * 4, tags.count("svg")
assert not {"script", "link", "img", "iframe", "object", "image", "use"} & set(tags)
for element in root.iter():
    assert not {"src", "href", "onload", "onclick"} & set(element.keys()), element.attrib
text = open(sys.argv[1], encoding="utf-8").read()
for word in ("http", "url(", "@import", "nan"):
    assert word not in text, word
box = [float(x) for x in root.find(".//svg").get("viewBox").split()]
for svg in root.iter("svg"):
    for rect in svg.iter("rect"):
        x, y, width, height = (float(rect.get(name)) for name in ("x", "y", "width", "height"))
        assert 0 <= x and x + width <= box[2] and 0 <= y and y + height <= box[3], rect.attrib
    for dot in svg.iter("circle"):
        assert 0 <= float(dot.get("cx")) <= box[2] and 0 <= float(dot.get("cy")) <= box[3]
PYTHON
}

case_placebo_needs_clicks_after() {
    run simulate --output world --clicks-count 2000 --conversions-count 500 --days 5 --quiet
    run evaluate --clicks world/clicks.csv --conversions world/conversions.csv --truth world --quiet
    expect_status 0
    expect_match "$work/out" '^    none: give clicks of the days after'
}

# A tenant for each click, which alone is on its conversion's device and address; one label.
case_placebo_is_what_comes_after() {
    local f=cb5d504b999c496c9e9f8cb5ebc621e81bcd1267db3a699a2fc181daf1418cef
    echo tenant_id,click_id,click_timestamp,expires_at,is_valid,fingerprint_hash,ip_address >clicks
    echo tenant_id,conversion_id,conversion_timestamp,click_id,fingerprint_hash,ip_address >made
    while read -r tenant time expires valid; do
        echo "$tenant,k,$time,$expires,$valid,$f,9.9.9.9" >>clicks
        echo "$tenant,v,2026-03-02T00:00:00Z,,$f,9.9.9.9" >>made
    done <<'CLICKS'
at-its-time 2026-03-02T00:00:00.000000Z
just-after 2026-03-02T00:00:00.000001Z
a-window-after 2026-03-09T00:00:00.000000Z
a-window-after-too 2026-03-09T00:00:00.000000Z
beyond-it 2026-03-09T00:00:00.000001Z
own-end 2026-03-02T01:00:00Z 2026-03-02T01:00:01Z
flagged 2026-03-02T01:00:00Z 2026-03-09T00:00:00Z false
CLICKS
    echo "labelled,k,2026-03-01T00:00:00Z,,,," >>clicks
    echo "labelled,v,2026-03-02T00:00:00Z,k,," >>made
    run evaluate --clicks clicks --conversions made --format json --output report.json --quiet
    expect_status 0
    expect_json report.json 'd["models"][0]["label_free"]["covered"]' 7
    expect_json report.json 'd["models"][0]["label_free"]["real"]["layer_2"]' 1
    # just after it, both a window after it, and the one with an end of its own
    expect_json report.json 'd["models"][0]["label_free"]["placebo"]["layer_2"]' 4
}

# By a truth: an own end that has come takes a click out, a late one keeps it in.
case_right_is_active() {
    echo tenant_id,click_id,click_timestamp,expires_at,is_valid >clicks
    echo tenant_id,click_id,device >click_truth.csv
    echo tenant_id,conversion_id,conversion_timestamp >conversions
    echo tenant_id,conversion_id,device >conversion_truth.csv
    while read -r tenant time expires valid; do
        echo "$tenant,k,$time,$expires,$valid" >>clicks
        echo "$tenant,k,d" >>click_truth.csv
        echo "$tenant,v,2026-03-10T00:00:00Z" >>conversions
        echo "$tenant,v,d" >>conversion_truth.csv
    done <<'CLICKS'
plain 2026-03-09T00:00:00Z
at-its-time 2026-03-10T00:00:00Z
late-end 2026-03-01T00:00:00Z 2026-03-20T00:00:00Z
ended 2026-03-09T00:00:00Z 2026-03-10T00:00:00Z
seven-days 2026-03-03T00:00:00Z
flagged 2026-03-09T00:00:00Z 2026-03-20T00:00:00Z false
after 2026-03-10T00:00:00.000001Z
CLICKS
    run evaluate --clicks clicks --conversions conversions --truth . --format json \
        --output report.json --quiet
    expect_status 0
    expect_json report.json 'd["judged"], d["organic"], d["own_expiry"]' '[7, 4, 2]'
    expect_json report.json \
        'sorted(g["name"] for g in d["models"][0]["groups"] if g["both"]["counts"]["with_click"]
                and g["kind"] == "tenant")' '["at-its-time", "late-end", "plain"]'
}

case_truth_of_another_world() {
    run simulate --output other --clicks-count 100 --conversions-count 50 --seed 99 --quiet
    evaluate --truth other --output out
    expect_status 1
    expect_error 'the truth knows none of the conversions'
    [ ! -e out ] || fail "it wrote a report"
}

case_no_truth_there() {
    mkdir empty
    evaluate --truth empty
    expect_status 1
    expect_error 'no click_truth.csv or click_truth.ndjson in empty; --truth takes'
    cp "$made/world/click_truth.csv" "$made/world/conversion_truth.csv" empty
    echo 'shop-1,k-x' >>empty/click_truth.csv
    evaluate --truth empty
    expect_status 1
    expect_error 'click_truth.csv, line 6002: .*; mend or remove the row'
}

case_no_labels() {
    cut -d , -f 1-3,7- "$made/world/conversions.csv" >conversions.csv
    run evaluate --clicks "$made/world/clicks.csv" --conversions conversions.csv --quiet
    expect_status 1
    expect_error 'nothing to judge: layer 1 attributes none of the conversions; give --truth'
}

case_wrong_usage() {
    evaluate --truth "$made/world" --mask-and-delete 0.5
    expect_status 2
    expect_error '--mask-and-delete makes organic conversions where there is no truth'
    run evaluate --clicks - --conversions - --quiet
    expect_status 2
    expect_error 'standard input\) is given 2 times'
    evaluate --html page --output page
    expect_status 2
    expect_error '--output and --html both write to'
}

# The page goes with the report: where a directory has come to lie where that shall be, there is
# none of them.
case_no_page_without_its_report() {
    local pid end=$((SECONDS + 20))
    mkfifo pipe
    "$program" evaluate --clicks pipe --conversions "$made/world/conversions.csv" --bootstrap 0 \
        --quiet --output report --html page.html 2>"$work/err" &
    pid=$!
    until compgen -G '.page.html.*.tmp' >/dev/null || [ "$SECONDS" -ge "$end" ]; do
        sleep 0.05
    done
    mkdir report
    timeout 20 cp "$made/world/clicks.csv" /dev/stdout >pipe || fail 'nobody reads the clicks'
    status=0
    wait "$pid" || status=$?
    expect_status 1
    expect_error '^clickmatch: report: cannot replace: Is a directory; choose another --output$'
    expect_files pipe report
}

case_a_model_that_is_none() {
    echo '{"name": "x", "windows": 1}' >model.json
    evaluate --model model.json --html page.html --output report
    expect_status 1
    expect_error "model.json: .*windows"
    expect_files model.json
}

# Work over two seconds says on a terminal how far it is.
case_progress_on_a_terminal() {
    python3 "$root/tests/integration/fixtures/terminal.py" 2.5 "$vectors/clicks.csv" \
        "$program" evaluate --clicks - --output out \
        --conversions "$vectors/conversions.csv" >shown ||
        fail "$(cat shown)"
    expect_match shown '^clicks  [0-9]+ rows/s'
}

# Each rejected row is kept once, though its files are matched many times over.
case_rejects_are_kept_once() {
    sed '11~50s/,[0-9T:.Z-]*Z,/,noon,/' "$made/world/clicks.csv" >clicks.csv
    sed '21~70s/,[0-9T:.Z-]*Z,/,noon,/' "$made/world/conversions.csv" >conversions.csv
    for threads in 1 4; do
        run evaluate --clicks clicks.csv --conversions conversions.csv --quiet --bootstrap 5 \
            --mask-and-delete 0.3 --baselines --threads "$threads" --rejects rejects.ndjson \
            --format json --output report.json
        expect_status 0
        [ "$(stat -c %a rejects.ndjson)" = 600 ] || fail "mode $(stat -c %a rejects.ndjson)"
        grep -n noon clicks.csv conversions.csv | sed 's/:/ /;s/:/ /' >wanted
        [ "$(wc -l <wanted)" -gt 120 ] || fail "only $(wc -l <wanted) rows are malformed"
        python3 -c 'import json
for line in open("rejects.ndjson"):
    d = json.loads(line)
    print(d["source"], d["line"], d["row"] if d["reason"] == "not a time" else d["reason"])' >got
        expect_same wanted got
    done
}

run_cases
