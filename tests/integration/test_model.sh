#!/bin/bash
# The registry of models: what is added, listed and shown, what is refused, and who may.
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

# ---- add ----

# Not a field is lost, changed or added, but for how the JSON is laid out.
case_add_keeps_the_file() {
    use_new_database adopted
    cat >model.json <<'END'
{"version": "2026-03", "name": "shop", "delay_hours": [0.016666666666666666, 0.5, 24, 168],
 "delay_m": [0.1, 1e-7, 2.50, 0.2e-3], "fingerprint_m": [0.9, 0.8, 0.7, 0.6],
 "ip_m": [0.12345678901234567, 0.2, 0.3, 0.4], "window_hours": 168,
 "fingerprint": {"band": [0.6, 0.9], "calibration": [[0, 0.1], [1, 0.9]]}}
END
    sed -i 's/2.50/0.250/' model.json
    run model add model.json
    expect_status 0
    expect_match "$work/err" 'shop@2026-03 is in the registry; .* promote shop@2026-03 '
    run model show shop@2026-03
    expect_status 0
    cp "$work/out" shown.json
    python3 -c '
import json
a, b = (json.load(open(name), parse_float=float) for name in ("model.json", "shown.json"))
assert a == b, (a, b)' 2>differ || fail "$(tail -n 1 differ)"
    run model add shown.json
    expect_status 0
    expect_match "$work/err" 'shop@2026-03 is in the registry already, the same'
    expect_sql "SELECT model_name, version, artifact_path, training_metrics, is_champion,
                    promoted_at FROM model_registry" 'shop|2026-03|model.json||f|'
}

case_add_again() {
    use_new_database adopted
    add m 1 0.4
    digest 'SELECT ctid, xmin, * FROM model_registry' >before
    run model add m-1.json
    expect_status 0
    expect_error 'm@1 is in the registry already, the same; nothing to do'
    digest 'SELECT ctid, xmin, * FROM model_registry' >after
    expect_same before after
    model m 1 0.41 >other.json
    run model add other.json
    expect_status 1
    expect_error 'm@1 is in the registry already, with another artifact; .* another version'
    expect_same before after
}

case_add_metrics() {
    use_new_database adopted
    add m 1 0.4
    echo '{"f05": 0.8812345, "calibration_error": 0.02, "by_layer": {"2": 0.9}}' >metrics.json
    run model add m-1.json --metrics metrics.json
    expect_status 0
    expect_match "$work/err" 'the same; it has metrics now'
    run model add m-1.json --metrics metrics.json
    expect_match "$work/err" 'nothing to do'
    run model add m-1.json
    expect_match "$work/err" 'nothing to do'
    echo '{"f05": 0.5}' >others.json
    run model add m-1.json --metrics others.json
    expect_status 1
    expect_error 'with other metrics'
    expect_sql "SELECT training_metrics -> 'f05', training_metrics #> '{by_layer,2}'
                FROM model_registry" '0.8812345|0.9'
}

case_add_under_another_name() {
    use_new_database adopted
    echo '{"fingerprint_u": 0.02}' >model.json
    run model add model.json
    expect_status 1
    expect_error 'model.json has no "name", .* give --name'
    run model add model.json --name m
    expect_error 'model.json has no "version", .* give --model-version'
    run model add - --name m --model-version 'v@ü 1' <model.json
    expect_status 1 # standard input is empty
    "$program" model add - --name m --model-version 'v@ü 1' --quiet <model.json ||
        fail "exit status $?"
    expect_sql "SELECT model_name, version, artifact ->> 'name', artifact ->> 'version',
                    artifact -> 'fingerprint_u', artifact_path FROM model_registry" \
        'm|v@ü 1|m|v@ü 1|0.02|'
    run model promote 'm@v@ü 1'
    expect_status 0
    run model show m
    expect_json "$work/out" 'd["version"]' '"v@\u00fc 1"'
}

case_add_refuses() {
    use_new_database adopted
    for json in '{"name":' '[]' '{"name":"m","version":"1","prior":1}' \
        '{"name":"m","version":"1","fingerprint":{"prior":2}}' '{"name":"m","name":"m"}'; do
        echo "$json" >model.json
        run model add model.json
        expect_status 1
        expect_error '^clickmatch: model\.json: model: '
    done
    model m 1 0.4 >model.json
    for name in 'a@b' a/b a.json - "$(printf 'a\nb')" "$(printf '%0101d' 1)"; do
        run model add none.json --name "$name"
        expect_status 2
        expect_error '^clickmatch: --name: '
        python3 -c 'import json, sys; print(json.dumps({"name": sys.argv[1], "version": "1"}))' \
            "$name" >named.json
        run model add named.json
        expect_status 1
        expect_error '^clickmatch: named\.json: .*name'
    done
    run model add none.json --name m --model-version "$(printf '1\t')"
    expect_status 2
    expect_error '^clickmatch: --model-version: .*contains a control character'
    for metrics in '{"a":' '[1]' '{"a":1,"a":2}' '{"a":"\u0000"}'; do
        echo "$metrics" >metrics.json
        run model add model.json --metrics metrics.json
        expect_status 1
        expect_error '^clickmatch: metrics\.json: '
    done
    run model add none.json
    expect_status 1
    expect_error 'none\.json'
    head -c 17000000 /dev/zero | tr '\0' ' ' >model.json
    run model add model.json
    expect_status 1
    expect_error 'model\.json: longer than 16777216 bytes'
    expect_sql 'SELECT count(*) FROM model_registry' 0
}

# ---- list and show ----

case_list() {
    use_new_database adopted
    run model list
    expect_status 0
    expect_error 'the registry is empty'
    run model list --format json
    expect_json "$work/out" d '[]'
    echo '{"zeta": 1, "precision": 0.912345, "brier": 0.1, "f05": 0.9, "note": "x", "big": 1e40}' \
        >metrics.json
    model m 1 0.4 >m-1.json
    run model add m-1.json --metrics metrics.json
    add m 2 0.3
    add other 1 0.2
    promote m@2
    run model list
    expect_status 0
    [ "$(wc -l <"$work/out")" -eq 4 ] || fail "$(cat "$work/out")"
    expect_match "$work/out" '^name +version +champion +created \(UTC\) +promoted \(UTC\) +metrics$'
    expect_match "$work/out" \
        '^m +1 +20[0-9: -]+ +f05 0.9, precision 0.9123, brier 0.1, zeta 1$'
    expect_match "$work/out" '^m +2 +yes +20[0-9-]+ [0-9:]+ +20[0-9-]+ [0-9:]+$'
    expect_match "$work/out" '^other +1 +20[0-9-]+ [0-9:]+$'
    run model list --format json
    expect_json "$work/out" \
        '[[m["name"], m["version"], m["champion"], m["promoted_at"] is None] for m in d]' \
        '[["m", "1", false, true], ["m", "2", true, false], ["other", "1", false, true]]'
    expect_json "$work/out" 'd[0]["training_metrics"]["precision"]' 0.912345
}

# What the tables hold does nothing to a terminal.
case_list_of_control_characters() {
    use_new_database adopted
    sql -c "INSERT INTO model_registry (model_name, version, training_metrics)
            VALUES (E'a\\x1b[2Jb', E'1\\n2', '{\"\\u001b[1m\": 1}')"
    run model list
    expect_status 0
    expect_match "$work/out" '^a\?\[2Jb +1\?2 '
    expect_no_match "$work/out" "$(printf '\033')"
}

case_show() {
    use_new_database adopted
    echo '{"f05": 0.9}' >metrics.json
    model m 1 0.4 >m-1.json
    run model add m-1.json --metrics metrics.json
    add m 2 0.3
    run model show m
    expect_status 1
    expect_error 'model m has no champion; .*promote m@VERSION'
    promote m@1
    promote m@2 --reason 'fewer strangers'
    run model show m
    expect_status 0
    expect_json "$work/out" '[d["version"], d["probabilistic"]["prior"]]' '["2", 0.3]'
    expect_match "$work/err" '^model +m@2$'
    expect_match "$work/err" '  promote - -> 1, by postgres'
    expect_match "$work/err" '  promote 1 -> 2, by postgres.*: fewer strangers$'
    run model show m@1
    expect_match "$work/err" '^champion +no$'
    expect_match "$work/err" '^metrics +\{"f05": 0.9\}$'
    run model show m@1 --format json
    [ ! -s "$work/err" ] || fail "$(cat "$work/err")"
    expect_json "$work/out" '[d["champion"], d["training_metrics"], d["model"]["version"]]' \
        '[false, {"f05": 0.9}, "1"]'
    expect_json "$work/out" '[[p[k] for k in ("action", "from", "to", "reason")]
        for p in d["promotions"]]' \
        '[["promote", null, "1", null], ["promote", "1", "2", "fewer strangers"]]'
    run model show m@1 --quiet
    [ ! -s "$work/err" ] || fail "$(cat "$work/err")"
    run model show m@3
    expect_status 1
    expect_error 'model m has no version 3 in the registry; clickmatch model list '
    run model show n
    expect_status 1
    expect_error 'no model n in the registry; clickmatch model list '
}

# ---- what others may have written, and may do ----

case_artifacts_that_are_none() {
    use_new_database adopted
    add m 1 0.4
    promote m@1
    sql -c "INSERT INTO model_registry (model_name, version, artifact_path, artifact) VALUES
                ('m', 'none', '/models/m.json', NULL),
                ('m', 'array', NULL, '[1, 2]'),
                ('m', 'text', NULL, '\"m\"'),
                ('m', 'field', NULL, '{\"name\": \"m\", \"version\": \"field\", \"frob\": 1}'),
                ('m', 'value', NULL, '{\"name\": \"m\", \"version\": \"value\", \"ip_u_min\": 7}'),
                ('m', 'other', NULL, '{\"name\": \"m\", \"version\": \"1\"}'),
                ('m', 'huge', NULL, jsonb_build_object('name', repeat('x', 20000000)))"
    state_of_registry >before
    while IFS='|' read -r version words; do
        for command in promote show; do
            run model "$command" "m@$version"
            expect_status 1
            expect_error "m@$version .*$words"
            [ ! -s "$work/out" ] || fail "$command m@$version: $(head -c 100 "$work/out")"
        done
        run batch --quiet --model "m@$version"
        expect_status 1
        expect_error "m@$version .*$words"
    done <<'END'
none|has no artifact in model_registry; add it under another version
array|not a JSON object
text|not a JSON object
field|frob: unknown field
value|ip_u_min
other|calls itself m@1
huge|has 200000[0-9][0-9] bytes, more than the 16777216
END
    run model add m-1.json --model-version none
    expect_status 1
    expect_error 'm@none is in the registry already, with another artifact'
    state_of_registry >after
    expect_same before after
    expect_sql 'SELECT count(*) FROM attribution_recompute_jobs' 0
}

# Give a new role what docs/registry.md grants to one of its three; its name is in $role.
grant_as() {
    role=$1_$BASHPID
    sql -c "CREATE ROLE $role LOGIN"
    sed -n "s/^    \\(GRANT .*\\) TO $1;/\\1 TO $role;/p" "$root/docs/registry.md" >grants
    [ -s grants ] || fail "no grants for $1"
    sql -f grants || fail "the grants for $1"
}

# Do these commands succeed as the role? Each a word or words.
expect_allowed() {
    local command
    for command in "$@"; do
        # shellcheck disable=SC2086 # words
        run model $command --db "user=$role"
        [ "$status" -eq 0 ] || fail "$role may not $command: $(cat "$work/err")"
    done
}

expect_refused() {
    local command
    for command in "$@"; do
        # shellcheck disable=SC2086 # words
        run model $command --db "user=$role"
        expect_status 4
        expect_error 'permission denied for table|this database user may not'
    done
}

case_rights() {
    use_new_database adopted
    add m 1 0.4
    add m 2 0.3
    role=nobody_$BASHPID
    sql -c "CREATE ROLE $role LOGIN" -c "GRANT SELECT ON clickmatch_migrations TO $role"
    expect_refused list 'show m@1' 'promote m@1'
    may_not='may not; GRANT SELECT ON model_registry TO it, or give the model as a file'
    for command in 'batch --quiet' 'stream --quiet --sink db' 'stream --quiet --model m' \
        'explain c1' 'explain c1 --model m@1' 'batch --quiet --model m-1.json --challenger m@2'; do
        # shellcheck disable=SC2086 # words
        run $command --db "user=$role"
        expect_status 4
        expect_error "cannot read the registry of models: this database user $may_not"
    done
    sql -c "REVOKE SELECT ON clickmatch_migrations FROM $role"
    run batch --db "user=$role" --quiet
    expect_status 4
    expect_error 'database user may not; GRANT SELECT ON clickmatch_migrations'
    grant_as matcher
    expect_allowed list
    expect_refused 'promote m@1' 'add m-1.json --model-version 3'
    grant_as analyst
    expect_allowed list 'show m@1'
    expect_refused 'promote m@1' 'add m-1.json --model-version 3'
    grant_as keeper
    expect_allowed 'add m-1.json --model-version 3' 'promote m@1' 'promote m@3' 'rollback m' \
        'show m'
    expect_champions m@1
    expect_sql "SELECT DISTINCT split_part(actor, ' ', 1) FROM model_promotions" "$role"
}

case_no_tables() {
    use_new_database
    for command in list 'show m' 'promote m@1' 'rollback m'; do
        # shellcheck disable=SC2086 # words
        run model $command
        expect_status 4
        expect_error 'run clickmatch migrate first'
    done
}

case_another_schema() {
    use_new_database
    "$program" migrate --quiet --schema 'odd "one"'
    model m 1 0.4 >m-1.json
    run model add m-1.json --schema 'odd "one"'
    expect_status 0
    run model promote m@1 --schema 'odd "one"'
    expect_status 0
    run model show m --schema 'odd "one"'
    expect_status 0
    expect_match "$work/out" '"m"'
}

case_no_server() {
    mkdir empty
    for command in list 'show m' 'promote m@1' 'rollback m'; do
        # shellcheck disable=SC2086 # words
        run model $command --db "host=$PWD/empty"
        expect_status 4
        expect_error '^clickmatch: cannot connect to PostgreSQL: '
        # shellcheck disable=SC2086 # words
        run model $command --db 'host=x password=secret'
        expect_status 2
        expect_error '--db holds a password'
        expect_no_match "$work/err" secret
    done
}

# docs/registry.md, "Try it", as printed.
case_the_page_works_as_printed() {
    psql -Xq -d template1 -c 'CREATE DATABASE clickmatch TEMPLATE adopted'
    ln -s "$(dirname "$built")" build
    sed -n '/^## Try it$/,/^## /s/^    //p' "$root/docs/registry.md" >commands
    [ "$(wc -l <commands)" -eq 6 ] || fail "$(wc -l <commands) commands"
    bash -e commands >"$work/out" 2>"$work/err" || fail "exit status $?: $(cat "$work/err")"
    expect_match "$work/out" \
        '^default +2 +yes .* f05 0.871, precision 0.93, calibration_error 0.018$'
    # shellcheck disable=SC2016 # backticks of the page
    begins=$(sed -n 's/^`batch` begins with `\(.*\)`\.$/\1/p' "$root/docs/registry.md")
    expect_match "$work/err" "^clickmatch: ${begins:-no such line}\$"
}

make_templates
run_cases
