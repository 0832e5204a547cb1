#!/bin/bash
# `batch --challenger`: where another model differs, which of the two is right, and that nothing of
# it is written. The world is one of tests/worlds.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck disable=SC2154 # $program and the like come from the files read here
[ -n "${PG_TEMP_DIR-}" ] ||
    exec "$(dirname "$0")/../../scripts/pg_temp.sh" run bash "$0"
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"
# shellcheck source=tests/integration/fixtures/pg.sh
. "$(dirname "$0")/fixtures/pg.sh"
# shellcheck source=tests/integration/fixtures/model.sh
. "$(dirname "$0")/fixtures/model.sh"

world=$work/world
period=(--from 2026-03-01 --to 2026-04-01)

# The template `world`: 20,000 clicks, 6,000 conversions.
make_world() {
    local columns
    python3 "$root/tests/worlds/make_world.py" --output "$world" --clicks 20000 \
        --conversions 6000 --organic 0.35 --seed 4 >"$work/made" || exit 1
    psql -Xq -d template1 -c 'CREATE DATABASE world'
    PGDATABASE=world "$program" migrate --quiet || exit 1
    for columns in 'click_tracking clicks campaign_id,ad_id' \
        'conversion_tracking conversions conversion_type'; do
        # shellcheck disable=SC2086 # three words
        set -- $columns
        PGDATABASE=world sql -c "\\copy $1 ($(head -n 1 "$world/$2.csv")) from $world/$2.csv
            with (format csv, header, force_not_null ($3))" || exit 1
    done
    PGDATABASE=world sql -c 'VACUUM ANALYZE'
}

# Files with the built-in model and with one that finds much less.
make_models() {
    echo '{}' >good.json
    echo '{"name":"timid","version":"1","fingerprint":{"prior":0.02},
           "probabilistic":{"prior":0.02}}' >timid.json
}

batch() {
    run batch --recovery-target 0 "${period[@]}" "$@"
}

# The comparison of the last run's summary.
challenge() {
    python3 -c 'import json, sys
d = json.load(open("summary.json"))["batch"]["challenge"]
del d["seconds"]
json.dump(d, sys.stdout, indent=1, sort_keys=True)' >"$1"
}

compare() {
    batch --quiet --summary summary.json --model "$1" --challenger "$2" "${@:3}"
    expect_status 0
    challenge challenge.json
}

# docs/registry.md shows what is printed, of this world and these models.
case_the_page_shows_what_is_printed() {
    use_new_database world
    make_models
    sed -n '/^    [0-9,]* conversions that layer 1 attributes/,/^$/s/^    //p' \
        "$root/docs/registry.md" >shown
    [ "$(wc -l <shown)" -eq 9 ] || fail "$(wc -l <shown) lines shown"
    batch --model timid.json --challenger good.json --dry-run
    expect_status 0
    while IFS= read -r line; do
        grep -qxF -e "$line" "$work/err" || fail "not printed: $line"
    done <shown
}

case_the_same_model_differs_nowhere() {
    use_new_database world
    make_models
    compare good.json good.json --dry-run
    expect_json challenge.json '[d["champion"], d["challenger"]]' '["default@1", "default@1"]'
    expect_json challenge.json '[x["other_click"] + x["alone"]["champion"] +
        x["alone"]["challenger"] for x in [d["results"], *d["tenants"].values()]] == 6 * [0]' true
    expect_json challenge.json '(d["results"]["same_click"] ==
        d["results"]["attributed"]["champion"] > 3000)' true
    expect_json challenge.json '[(f["difference"], f["low"], f["high"], f["p"])
        for f in d["labelled"]["figures"].values()] == 6 * [(0, 0, 0, 1)]' true
    expect_json challenge.json 'd["labelled"]["mcnemar_p"]' 1.0
}

# Each interval excludes 0, on the side that it must.
case_a_better_challenger() {
    use_new_database world
    make_models
    compare timid.json good.json --dry-run
    expect_json challenge.json '[n for n, f in d["labelled"]["figures"].items()
        if f["low"] > 0 and f["p"] < 0.01]' '["correct", "f_half", "recall"]'
    expect_json challenge.json '[n for n, f in d["labelled"]["figures"].items()
        if f["high"] < 0 and f["p"] < 0.01]' '["brier", "log_loss", "precision"]'
    expect_json challenge.json 'd["labelled"]["mcnemar_p"] < 1e-6' true
    expect_json challenge.json '(d["labelled"]["correct_alone"]["challenger"] >
        5 * d["labelled"]["correct_alone"]["champion"])' true
    mv challenge.json better.json
    compare good.json timid.json --dry-run
    python3 -c 'import json
a, b = (json.load(open(n))["labelled"]["figures"] for n in ("better.json", "challenge.json"))
print(all(abs(a[n]["difference"] + b[n]["difference"]) < 1e-9 and
          abs(a[n]["low"] + b[n]["high"]) < 1e-9 for n in a))' >turned
    expect_match turned True
}

# What is right, and what is masked, is what evaluate says of the same files.
case_agrees_with_evaluate() {
    use_new_database world
    make_models
    for share in 0 0.2; do
        run evaluate --clicks "$world/clicks.csv" --conversions "$world/conversions.csv" \
            --model timid.json --model good.json --mask-and-delete "$share" --format json \
            --bootstrap 0 --quiet
        mv "$work/out" evaluation.json
        compare timid.json good.json --mask-and-delete "$share" --dry-run
        python3 - <<'END' >agrees 2>&1
import json
e, d = json.load(open("evaluation.json")), json.load(open("challenge.json"))["labelled"]
assert (e["judged"], e["masked"], e["deleted"]) == \
    (d["conversions"], d["masked"], d["clicks_left_out"])
for side, model in zip(("champion", "challenger"), e["models"]):
    both = model["groups"][0]["both"]
    for name in ("precision", "recall", "f_half"):
        mine = d["figures"][name][side]
        assert abs(mine - both["metrics"][name]["value"]) < 1e-8, (side, name, mine)
    for name in ("attributed", "right_click"):
        assert d[name][side] == both["counts"][name], (side, name)
print("agrees", d["masked"] > 0)
END
        expect_match agrees '^agrees'
    done
    expect_match agrees '^agrees True'
}

# The counts are those of two runs of `match`.
case_counts_what_two_runs_say() {
    use_new_database world
    make_models
    for name in timid good; do
        run match --clicks "$world/clicks.csv" --conversions "$world/conversions.csv" \
            --model "$name.json" --output "$name.csv" --quiet --recovery-target 0
    done
    compare timid.json good.json --dry-run
    python3 - <<'END' >agrees 2>&1
import collections, csv, json
d = json.load(open("challenge.json"))
devices = {r["conversion_id"]: r["device_type"].lower() or "(none)"
           for r in csv.DictReader(open("../world/conversions.csv"))}
methods, groups = collections.Counter(), collections.defaultdict(collections.Counter)
for a, b in zip(*(csv.DictReader(open(n)) for n in ("timid.csv", "good.csv"))):
    word = ("neither" if not a["click_id"] and not b["click_id"] else
            "challenger" if not a["click_id"] else "champion" if not b["click_id"] else
            "same" if a["click_id"] == b["click_id"] else "other")
    methods[a["attribution_method"], b["attribution_method"]] += 1
    for group in ("all", a["tenant_id"], devices[a["conversion_id"]]):
        groups[group][word] += 1
assert all(n == methods[a, b] for a, row in d["methods"].items() for b, n in row.items())
for name, x in {"all": d["results"], **d["tenants"], **d["device_types"]}.items():
    n = groups[name]
    assert (x["conversions"], x["same_click"], x["other_click"]) == \
        (sum(n.values()), n["same"], n["other"]), (name, x, n)
    assert (x["alone"]["champion"], x["alone"]["challenger"]) == (n["champion"], n["challenger"])
print("agrees", len(d["tenants"]), len(d["device_types"]), groups["all"]["challenger"] > 100)
END
    expect_match agrees '^agrees 5 4 True'
}

# Another order of the rows in the tables, other threads, other hash seeds.
case_depends_on_no_order() {
    use_new_database world
    make_models
    compare timid.json good.json --dry-run --threads 1
    cp challenge.json first.json
    compare timid.json good.json --threads 4
    expect_same challenge.json first.json
    sql -c "UPDATE click_tracking SET utm_term = 'moved' WHERE get_byte(decode(md5(click_id),
                'hex'), 0) < 90"
    compare timid.json good.json --threads 2
    expect_same challenge.json first.json
}

# What a run leaves, but for keys, times and versions of rows.
left() {
    digest 'SELECT conversion_id, attributed_click_id, attribution_method, attribution_confidence,
        attribution_window_hours, fingerprint_match_score, match_probability, attribution_model,
        probabilistic_candidates FROM conversion_tracking'
    digest 'SELECT conversion_id, attempt_number, layer_1_result, layer_2_result, layer_3_result,
        final_method, final_confidence, success FROM attribution_performance_log'
    digest 'SELECT tenant_id, event_type, error_type, error_message, payload FROM dead_events'
    digest 'SELECT model, window_start, window_end, run_count, status, clicks_read,
        conversions_read, rows_rejected, conversions_attributed, conversions_changed,
        clicks_vanished, error FROM attribution_recompute_jobs'
    digest 'SELECT * FROM model_registry'
    sql -c "SELECT relname FROM pg_class WHERE relname ~ 'staging' AND relkind = 'r'"
}

# Not even where the challenger looks further back, at clicks that the champion never reads.
case_nothing_of_it_is_written() {
    local database template
    echo '{"name":"far","version":"1","window_hours":400,"retention_hours":100,
           "delay_hours":[1,24,168,400],"delay_m":[0.4,0.2,0.2,0.1],
           "fingerprint_m":[0.9,0.8,0.8,0.7],"ip_m":[0.8,0.6,0.5,0.4]}' >far.json
    for database in adopted world; do
        use_new_database "$database"
        if [ "$database" = world ]; then
            period=(--from 2026-03-12 --to 2026-03-14)
            sql -c "UPDATE click_tracking SET fingerprint_hash = 'junk'
                    WHERE click_timestamp < '2026-03-02 12:00'"
        fi
        template=$PGDATABASE
        use_new_database "$template"
        batch --quiet --threads 1 --rejects rejects-without
        expect_status 0
        left >without
        use_new_database "$template"
        batch --quiet --threads 1 --rejects rejects-with --challenger far.json \
            --summary summary.json
        expect_status 0
        left >with
        expect_same with without
        expect_same rejects-with rejects-without
        challenge challenge.json
        expect_json challenge.json 'd["challenger"]' '"far@1"'
    done
    expect_json summary.json \
        'd["batch"]["challenge"]["clicks"] > d["clicks"]["rows"] > 5000' true
}

case_nothing_labelled() {
    use_new_database world
    make_models
    sql -c 'UPDATE conversion_tracking SET click_id = NULL, fbclid = NULL, gclid = NULL'
    compare timid.json good.json --dry-run
    expect_json challenge.json 'd["labelled"]' null
    expect_json challenge.json 'd["results"]["alone"]["challenger"] > 100' true
    batch --model timid.json --challenger good.json --dry-run
    expect_match "$work/err" '^nothing is labelled: layer 1 attributes none of the conversions$'
}

case_nothing_to_compare() {
    use_new_database world
    make_models
    batch --challenger good.json --from 2030-01-01 --to 2030-01-02 --summary summary.json
    expect_status 0
    expect_json summary.json 'd["batch"]["challenge"]["results"]["conversions"]' 0
    expect_json summary.json 'd["batch"]["challenge"]["expected_error"]["champion"]' null
    compare good.json timid.json --tenant store-2 --only unattributed
    expect_json challenge.json 'list(d["tenants"])' '["store-2"]'
}

case_of_the_registry() {
    use_new_database world
    make_models
    add m 1 0.02
    add m 2 0.3
    promote m@1
    batch --model m --challenger m@2 --summary summary.json
    expect_status 0
    expect_match "$work/err" '^clickmatch: model m@1 of the registry, the champion$'
    expect_match "$work/err" '^clickmatch: challenger m@2 of the registry$'
    expect_match "$work/err" \
        "^challenger +m@2 beside the champion m@1; what is written is the champion's$"
    expect_match "$work/err" '^  F0\.5  +0\.[0-9]{4} +0\.[0-9]{4} +[+-]0\.[0-9]{4}'
    expect_match "$work/err" "by the challenger alone [0-9]+: McNemar's mid-p (below )?0\."
    expect_json summary.json '[p["name"] for p in d["phases"]]' \
        '["connect", "load clicks", "match", "compare", "promote"]'
    expect_sql 'SELECT DISTINCT attribution_model FROM conversion_tracking' m@1
    expect_sql 'SELECT model FROM attribution_recompute_jobs' m@1
    batch --model m --summary summary.json
    expect_no_match "$work/err" challenger
    expect_json summary.json '"challenge" in d["batch"] or len(d["phases"]) != 4' false
}

case_refused() {
    use_new_database world
    make_models
    add m 1 0.02
    while IFS='|' read -r options code words; do
        # shellcheck disable=SC2086 # words
        batch --quiet $options
        expect_status "$code"
        expect_error "$words"
    done <<'END'
--challenger n|1|no model n in the registry; clickmatch model list shows
--challenger m|1|model m has no champion; clickmatch model promote m@VERSION makes one
--challenger m@7|1|model m has no version 7
--challenger m@|2|names no model
--challenger ./n|1|No such file
--mask-and-delete 0.3|2|give a --challenger, too
--challenger - --model -|2|standard input
--challenger m@1 --mask-and-delete 1.5|2|mask-and-delete
END
    expect_sql 'SELECT count(*) FROM attribution_recompute_jobs' 0
}

# Killed or interrupted when all has been compared and nothing is written yet, and at any time.
case_stopped() {
    use_new_database world
    make_models
    state >before
    for signal in KILL TERM; do
        hold 'LOCK TABLE attribution_performance_log IN EXCLUSIVE MODE'
        start batch --recovery-target 0 "${period[@]}" --model timid.json --challenger good.json
        wait_for "$waiting" 1
        kill "-$signal" "$program_pid"
        finish 2>>killed
        release
        wait_for "$sessions" 0
        state | grep -v staging >after
        expect_same after before
    done
    expect_status 5
    for delay in 0.05 0.1 0.15 0.2 0.25 0.3; do
        start batch --recovery-target 0 "${period[@]}" --model timid.json --challenger good.json
        sleep "$delay"
        kill -KILL "$program_pid" 2>/dev/null
        finish 2>>killed
    done
    wait_for "$sessions" 0
    batch --quiet --model timid.json --challenger good.json
    expect_status 0
    left >stopped
    use_new_database world
    batch --quiet --model timid.json
    expect_sql "SELECT count(*) FROM pg_class WHERE relname ~ 'staging' AND relkind = 'r'" 0
    left >undisturbed
    expect_same <(sed -n 1p stopped) <(sed -n 1p undisturbed)
    expect_no_match stopped staging
}

make_templates
make_world
run_cases
