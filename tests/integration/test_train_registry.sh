#!/bin/bash
# `train` and the registry: what it writes is what `model add` takes, and what `batch` matches by.
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
# shellcheck source=tests/integration/fixtures/train.sh
. "$(dirname "$0")/fixtures/train.sh"

learn() {
    train "$worlds/plain" --name shop --model-version 2 --output model.json \
        --metrics metrics.json --quiet "$@"
    expect_status 0
}

case_kept_with_its_figures() {
    use_new_database adopted
    learn
    run model add model.json --metrics metrics.json
    expect_status 0
    run model list --format json
    expect_json "$work/out" '[(m["name"], m["version"]) for m in d]' '[["shop", "2"]]'
    expect_json "$work/out" '(d[0]["training_metrics"] == json.load(open("metrics.json")))' true
    run model list
    for figure in f05 precision recall log_loss; do
        expect_match "$work/out" "$figure"
    done
    expect_match "$work/out" "$(python3 -c \
        'import json; print("f05 %.4g" % json.load(open("metrics.json"))["f05"])')"
    run model show shop@2
    expect_status 0
    expect_json "$work/out" '(d == json.load(open("model.json")))' true
    # again, and in other blanks: it is there already
    python3 -c 'import json; print(json.dumps(json.load(open("model.json"))))' >other.json
    run model add other.json --metrics metrics.json
    expect_status 0
    expect_sql 'SELECT count(*) FROM model_registry' 1
}

case_learned_by_a_truth() {
    use_new_database adopted
    learn --truth "$worlds/plain"
    run model add model.json --metrics metrics.json
    expect_status 0
    expect_sql "SELECT training_metrics ->> 'judged_by' FROM model_registry" truth
}

# What batch says by the champion is what match says by the file.
case_the_champion_matches() {
    use_new_database adopted
    learn
    run model add model.json
    promote shop@2
    sql -c 'TRUNCATE click_tracking, conversion_tracking CASCADE'
    for columns in 'click_tracking clicks campaign_id,ad_id' \
        'conversion_tracking conversions conversion_type'; do
        # shellcheck disable=SC2086 # three words
        set -- $columns
        sql -c "\\copy $1 ($(head -n 1 "$worlds/plain/$2.csv")) from $worlds/plain/$2.csv
            with (format csv, header, force_not_null ($3))"
    done
    run batch --model shop --from 2026-03-01 --to 2026-04-01 --recovery-target 0 --quiet
    expect_status 0
    run match --clicks "$worlds/plain/clicks.csv" --conversions "$worlds/plain/conversions.csv" \
        --model model.json --output results.csv --quiet --recovery-target 0
    python3 - <<'END' >from-file
import csv
rows = sorted((r["conversion_id"], r["click_id"], r["attribution_method"],
               r["attribution_confidence"], r["model"])
              for r in csv.DictReader(open("results.csv")))
print("\n".join("|".join(row) for row in rows))
END
    sql -c 'SELECT conversion_id, click.click_id, attribution_method,
                attribution_confidence::numeric(5, 4), attribution_model
            FROM conversion_tracking LEFT JOIN click_tracking AS click
                ON click.id = attributed_click_id
            ORDER BY conversion_id COLLATE "C"' >from-database
    expect_same from-database from-file
    expect_match from-file '\|fingerprint\|0\.[0-9]+\|shop@2$'
}

make_templates
make_world plain --clicks 12000 --conversions 4000 --seed 1
run_cases
