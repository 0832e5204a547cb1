#!/bin/bash
# `bench`: table and JSON are there and say the same. Times are never judged.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"

sections() {
    "$program" bench --only x 2>&1 | sed 's/.*give one of //; s/, /\n/g'
}

# The figures of a section, as `d["case"]["figure"]` -> medians, in the JSON file given.
medians() {
    python3 -c '
import json, sys
sections = {s["name"]: s for s in json.load(open(sys.argv[1]))["sections"]}
for f in sections[sys.argv[2]]["figures"]:
    print("%s|%s|%s|%.9g" % (f["case"], f["figure"], f["unit"], f["median"]))' "$1" "$2"
}

case_every_section() {
    run bench --quick --json bench.json --threads 2
    expect_status 0
    [ "$(sections | wc -l)" -ge 4 ] || fail "sections: $(sections)"
    expect_match "$work/out" '^batch: not measured; give --db CONNINFO, '
    expect_json bench.json '[len(d["sections"][-1][s]) for s in ("notes", "figures")]' '[1, 0]'
    for section in $(sections | grep -vx batch); do
        expect_match "$work/out" "^$section, [0-9.]+ s$"
        medians bench.json "$section" >figures
        [ "$(wc -l <figures)" -ge 2 ] || fail "$section: $(wc -l <figures) figures"
    done
    expect_json bench.json '[s["name"] for s in d["sections"]]' \
        "[$(sections | sed 's/.*/"&"/' | paste -sd , | sed 's/,/, /g')]"
    expect_files bench.json figures
}

case_table_and_json_agree() {
    run bench --quick --json bench.json --only match --only memory
    for section in match memory; do medians bench.json "$section"; done |
        while IFS='|' read -r _ figure unit _; do
            grep -qF -e "$figure" "$work/out" || echo "no $figure"
            grep -qF -e " $unit " "$work/out" || echo "no unit $unit"
        done >missing
    [ ! -s missing ] || fail "$(head -n 1 missing)"
    python3 - bench.json "$work/out" >wrong <<'END' || fail "cannot compare"
import json, sys
table = open(sys.argv[2]).read().split("\n")
rows = sum(1 for line in table if line.startswith("  ") and line.split()[0] not in ("#", "case"))
figures = sum(len(s["figures"]) for s in json.load(open(sys.argv[1]))["sections"])
if rows != figures:
    print("%d rows in the table, %d figures in JSON" % (rows, figures))
END
    [ ! -s wrong ] || fail "$(cat wrong)"
}

# Whatever the times: least, median and most are in order and of as many values as is said.
case_figures_are_consistent() {
    run bench --quick --json bench.json --repetitions 3
    expect_json bench.json 'all(f["min"] <= f["median"] <= f["max"] and f["min"] >= 0
        and len(f["values"]) == f["repetitions"] and sorted(f["values"])[0] == f["min"]
        for s in d["sections"] for f in s["figures"])' true
    expect_json bench.json 'sorted({f["repetitions"] for f in d["sections"][0]["figures"]})' '[3]'
    expect_json bench.json 'len({(s["name"], f["case"], f["figure"]) for s in d["sections"]
        for f in s["figures"]}) == sum(len(s["figures"]) for s in d["sections"])' true
}

case_where_and_what() {
    run bench --quick --json bench.json --only memory --seed 7 --clicks-count 3000
    expect_json bench.json '[d["seed"], d["sizes"]["clicks"], d["sizes"]["quick"]]' \
        '[7, 3000, true]'
    expect_json bench.json 'd["version"] == d["build"]["version"]' true
    expect_json bench.json '"-std=c11" in d["build"]["flags"]' true
    expect_json bench.json 'd["machine"]["cores"] >= 1 and d["machine"]["memory_bytes"] > 0' true
    expect_match "$work/out" '^machine  .*[0-9]+ cores, .*GiB'
    expect_match "$work/out" '^build    clickmatch [0-9.]+, (gcc|clang) '
}

# The outcomes of the mix depend on the seed alone.
case_same_seed_same_mix() {
    for threads in 1 3; do
        run bench --quick --json "$threads.json" --only match --threads "$threads"
        medians "$threads.json" match | grep -E 'share|candidates per' >"$threads.mix"
    done
    expect_same 1.mix 3.mix
    python3 -c '
import sys
shares = [float(line.split("|")[3]) for line in open("1.mix") if "|share" in line]
assert len(shares) == 4 and abs(sum(shares) - 100) < 1e-6, shares' || fail "shares: $(cat 1.mix)"
}

case_latency_counts_every_conversion() {
    run bench --quick --json bench.json --only latency --conversions-count 2000 --repetitions 1
    medians bench.json latency | grep 'conversions timed' >counts
    expect_match counts '^all\|conversions timed\|conv\|2000$'
    [ "$(grep -v '^all' counts | awk -F '|' '{ sum += $4 } END { print sum + 0 }')" -eq 2000 ] ||
        fail "by outcome: $(cat counts)"
}

case_json_instead_of_the_table() {
    run bench --quick --only memory --json - --quiet
    expect_status 0
    expect_json "$work/out" 'd["sections"][0]["name"]' '"memory"'
    [ ! -s "$work/err" ] || fail "$(cat "$work/err")"
}

# `make bench` takes minutes; the other commands of the page take seconds.
case_the_pages_commands_work() {
    sed -n 's/^    //p' "$root/docs/benchmark.md" | grep -v '^make ' >commands.sh
    [ -s commands.sh ] || fail "no command found"
    mkdir build
    ln -s "$program" build/clickmatch
    ln -s "$root/scripts" scripts
    bash -e commands.sh >"$work/out" 2>"$work/err" || fail "$(tail -n 3 "$work/err")"
}

case_unknown_section() {
    run bench --only speed
    expect_status 2
    expect_error "^clickmatch: --only: 'speed' is no section; give one of load, match"
    expect_files
}

case_no_place_for_the_json() {
    run bench --quick --only memory --json nowhere/bench.json
    expect_status 1
    expect_error '^clickmatch: nowhere/bench.json: '
    [ ! -s "$work/out" ] || fail "measured before it looked"
}

case_a_world_too_large_for_the_memory() {
    run bench --clicks-count 1000000000 --conversions-count 1000000000
    expect_status 1
    expect_error '^clickmatch: the simulated world needs about [0-9.]+ GiB .*; give a smaller'
    [ ! -s "$work/out" ] || fail "measured before it looked"
}

case_interrupted() {
    "$program" bench --json bench.json --quiet >"$work/out" 2>"$work/err" &
    local pid=$!
    await_handler "$pid"
    kill -INT "$pid" 2>/dev/null
    kill -TERM "$pid"
    status=0
    wait "$pid" || status=$?
    expect_status 5
    expect_error '^clickmatch: interrupted while '
    expect_files
}

case_table_to_a_full_disk() {
    status=0
    "$program" bench --quick --only memory --quiet >/dev/full 2>"$work/err" || status=$?
    expect_status 1
    expect_error '^clickmatch: standard output: '
}

run_cases
