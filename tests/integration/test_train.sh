#!/bin/bash
# `train`: what it learns is better than the built-in model on another world of the same kind, by
# the truth; it goes where the world goes, and hangs on nothing but data. Worlds are those of
# tests/worlds.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"
# shellcheck source=tests/integration/fixtures/train.sh
. "$(dirname "$0")/fixtures/train.sh"

# Two worlds of each kind: one to learn from, one to judge by.
make_worlds() {
    local kind
    for kind in default carriers sparse desk; do
        make_world "$kind" --variant "$kind" --clicks 30000 --conversions 9000 --seed 1 &
        make_world "$kind-2" --variant "$kind" --clicks 20000 --conversions 6000 --seed 2
        wait
    done
    make_world wanted --clicks 20000 --conversions 6000 --organic 0.15 --seed 5 &
    make_world organic --clicks 20000 --conversions 6000 --organic 0.8 --seed 5
    wait
    ln -s default "$worlds/plain"
}

# The models, by kind; each is learned once.
learn() {
    local kind
    for kind in "$@"; do
        if [ ! -e "$worlds/$kind.json" ]; then
            expect_trained "$worlds/$kind" "$kind.json" --quiet
            cp "$kind.json" "$worlds"
        fi
        cp "$worlds/$kind.json" .
    done
}

expect_better_on() {
    learn "$1"
    judge "$worlds/$1-2" "$1.json"
    expect_better f_half log_loss brier calibration_error accepted_calibration_error
}

case_better_on_another_world() {
    expect_better_on default
    expect_json judged.json 'd["log_loss"][1] < 0.7 * d["log_loss"][0]' true
    expect_json judged.json 'd["f_half"][1] > d["f_half"][0] + 0.02' true
}

case_better_where_carriers_share_addresses() {
    expect_better_on carriers
}

case_better_where_much_is_missing() {
    expect_better_on sparse
    expect_json judged.json 'd["f_half"][1] > d["f_half"][0] + 0.04' true
    expect_json judged.json 'd["calibration_error"][1] < 0.5 * d["calibration_error"][0]' true
}

case_better_at_desks() {
    expect_better_on desk
}

# Two bins of the learned model are one of the built-in: beside its chances, those of all worlds.
together() {
    python3 - "$@" <<'END'
import json, sys
names = ("delay_m", "fingerprint_m", "ip_m")
worlds = {name[:-5]: json.load(open(name)) for name in sys.argv[1:]}
default = {"delay_m": [0.06, 0.19, 0.195, 0.105, 0.086, 0.214, 0.15],
           "fingerprint_m": [0.90, 0.90, 0.90, 0.88, 0.85, 0.80, 0.70],
           "ip_m": [0.80, 0.80, 0.80, 0.68, 0.62, 0.52, 0.48]}
made = {"default_": default}
for world, model in worlds.items():
    made[world] = {n: [(model[n][i] + model[n][i + 1]) / (1 if n == "delay_m" else 2)
                       for i in range(0, len(model[n]), 2)] for n in names}
    made[world]["layer"] = model["fingerprint"]
json.dump(made, open("together.json", "w"))
END
}

# expect_bins NAME A B CONDITION: of a and b, a bin in two worlds: of all bins.
expect_bins() {
    expect_json together.json \
        "[i for i, (a, b) in enumerate(zip(d['$2']['$1'], d['$3']['$1'])) if not ($4)]" '[]'
}

# A model as it was before fails each of these.
case_goes_where_the_world_goes() {
    learn default carriers sparse desk
    together default.json carriers.json sparse.json desk.json
    expect_bins ip_m desk default_ 'a > b + 0.05'
    expect_bins ip_m carriers default_ 'a < b'
    expect_json together.json 'd["carriers"]["ip_m"][5] < d["default_"]["ip_m"][5] - 0.2' true
    expect_bins fingerprint_m desk default_ 'a > b + 0.04'
    expect_bins fingerprint_m desk sparse 'a > b'
    # at once, and after days
    expect_json together.json 'd["desk"]["delay_m"][0] > 0.07 > 0.05 > d["sparse"]["delay_m"][0]' \
        true
    expect_json together.json 'd["desk"]["delay_m"][5] < 0.15 and d["sparse"]["delay_m"][5] > 0.3' \
        true
    # how many look alike
    expect_json together.json \
        'd["carriers"]["layer"]["rivals"] > 0.2 > 0.1 > d["desk"]["layer"]["rivals"]' true
    expect_json together.json \
        'd["desk"]["layer"]["user_agent_m"] > 0.95 > d["carriers"]["layer"]["user_agent_m"]' true
    # some click again
    expect_json together.json '[n for n in d if n != "default_" and not
        d[n]["layer"]["repeat"] > 0.05]' '[]'
}

# As many organic conversions as there are, of those that layer 1 leaves open.
case_finds_how_many_are_organic() {
    local world
    learn default
    train "$worlds/wanted" --output wanted.json --force
    train "$worlds/organic" --output organic.json --force
    for world in default wanted organic; do
        judge "$worlds/$world" "$world.json"
        cp "$world.json" model.json
        expect_json judged.json 'abs(1 - d["organic_share"] -
            json.load(open("model.json"))["fingerprint"]["prior"]) < 0.08' true
    done
    expect_json judged.json 'd["organic_share"] > 0.8' true
}

# Judged is by the truth, and nothing is made organic for it.
case_by_a_truth() {
    train "$worlds/default" --output truth.json --truth "$worlds/default" --metrics metrics.json
    expect_status 0
    expect_json metrics.json '[d["judged_by"], d["masked"], d["judged"] > 800]' '["truth", 0, true]'
    expect_match "$work/err" '^judged on [0-9,]+ other conversions, by the truth$'
    expect_valid truth.json
    judge "$worlds/default-2" truth.json
    expect_better f_half log_loss brier calibration_error
    learn default
    ! cmp -s default.json truth.json || fail "a truth changes nothing"
}

# Phones open pages in apps, and come back in another browser.
case_sections_have_traits_of_their_own() {
    make_world described --described 1 --in-app-fingerprint 0.9 --clicks 40000 \
        --conversions 14000 --seed 1
    train "$worlds/described" --output model.json --traits --quiet
    expect_status 0
    expect_json model.json '(lambda whole, phones, desks: phones + 0.05 < whole < desks - 0.05)(*(
        s["probabilistic"]["traits"]["browser"][0]
        for s in (d, d["devices"]["mobile"], d["devices"]["desktop"])))' true
}

case_threads_and_runs_change_nothing() {
    local n
    for n in 1 2 3 2; do
        train "$worlds/default" --output "$n.json" --metrics "$n.metrics" --threads "$n" --traits \
            --quiet
        expect_status 0
        expect_same "$n.json" 1.json
        expect_same "$n.metrics" 1.metrics
    done
    train "$worlds/default" --output one.json --truth "$worlds/default" --threads 1 --quiet
    train "$worlds/default" --output three.json --truth "$worlds/default" --threads 3 --quiet
    expect_status 0
    expect_same one.json three.json
}

case_order_and_format_change_nothing() {
    local name
    train "$worlds/default" --output plain.json --metrics plain.metrics --quiet
    expect_status 0
    for name in clicks conversions; do
        head -n 1 "$worlds/default/$name.csv" >"$name.csv"
        sed 1d "$worlds/default/$name.csv" | sort -t , -k 2.9 >>"$name.csv"
        ! cmp -s "$name.csv" "$worlds/default/$name.csv" || fail "$name are not shuffled"
        gzip -c "$worlds/default/$name.csv" >"$name.csv.gz"
        python3 - "$worlds/default/$name.csv" "$name.ndjson" <<'END'
import csv, json, sys
with open(sys.argv[2], "w") as file:
    for row in csv.DictReader(open(sys.argv[1])):
        file.write(json.dumps({k: v for k, v in row.items() if v != ""}) + "\n")
END
    done
    for name in csv csv.gz ndjson; do
        run train --clicks "clicks.$name" --conversions "conversions.$name" --quiet \
            --output model.json --metrics metrics
        expect_status 0
        expect_same model.json plain.json
        expect_same metrics plain.metrics
    done
}

case_a_learned_model_can_be_learned_from() {
    learn default
    train "$worlds/default" --model default.json --name again --model-version 2 --force \
        --output again.json --metrics metrics.json
    expect_status 0
    expect_valid again.json
    expect_json metrics.json 'd["base"]' '"default@2026-03-15"'
    expect_json again.json '[d["name"], d["version"], len(d["delay_hours"])]' '["again", "2", 14]'
    judge "$worlds/default-2" again.json
    expect_better f_half log_loss calibration_error
    run match --clicks "$worlds/default/clicks.csv" --model again.json --quiet \
        --conversions "$worlds/default/conversions.csv" --output results.csv --recovery-target 0
    expect_match results.csv ',again@2$'
}

make_worlds
run_cases
