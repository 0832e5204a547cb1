#!/bin/bash
# --hash-pii: results stay the same, byte for byte, on every path; what a run leaves holds no
# address and no user agent; a checkpoint goes with its key; the key file is checked.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck disable=SC2154 # $program and the like come from the files read here
[ -n "${PG_TEMP_DIR-}" ] || exec "$(dirname "$0")/../../scripts/pg_temp.sh" run bash "$0"
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"
# shellcheck source=tests/integration/fixtures/pg.sh
. "$(dirname "$0")/fixtures/pg.sh"
# shellcheck source=tests/integration/fixtures/stream.sh
. "$root/tests/integration/fixtures/stream.sh"

export PYTHONDONTWRITEBYTECODE=1
key=$work/key
other_key=$work/other_key
printf 'a secret of thirty-two bytes, no less\n' >"$key"
printf 'another one, which is as long as that\n' >"$other_key"
chmod 600 "$key" "$other_key"

# The same results with and without, by one thread and by more.
same_results() {
    local threads
    run match "$@" --quiet --recovery-target 0 --max-rejects none --output plain
    expect_status 0
    for threads in 1 3; do
        run match "$@" --quiet --recovery-target 0 --max-rejects none --threads "$threads" \
            --hash-pii "$key" --output hashed
        expect_status 0
        expect_same plain hashed
    done
}

case_match_golden_worlds() {
    local folder
    for folder in vectors grown; do
        same_results --clicks "$root/tests/golden/$folder/clicks.csv" \
            --conversions "$root/tests/golden/$folder/conversions.csv"
    done
    same_results --clicks "$root/tests/golden/grown/clicks.csv" --conversions \
        "$root/tests/golden/grown/conversions.csv" --model "$root/tests/golden/grown/model.json"
    expect_match plain ',probabilistic,'
}

# Of worlds with shared buckets, and by models that look at longer and shorter prefixes, or compare
# whether both sides have the same kind of address.
case_match_worlds_and_prefixes() {
    local seed prefixes
    for seed in 1 2; do
        run simulate --output world --clicks-count 20000 --conversions-count 3000 --seed "$seed"
        for prefixes in '32 64' '24 48' '20 56' '16 128' '32 65' '1 1'; do
            printf '{"name":"p","version":"1","ipv4_prefix":%s,"ipv6_prefix":%s}' "${prefixes% *}" \
                "${prefixes#* }" >model.json
            same_results --clicks world/clicks.csv --conversions world/conversions.csv \
                --model model.json
        done
        expect_match plain ',probabilistic,'
    done
}

# Files of random content, which the fuzzer writes, match the same.
case_match_hostile_files() {
    local seed
    python3 - "$root/tests/oracle" 6 <<'END' || fail "no files"
import importlib, pathlib, random, sys
sys.path.insert(0, sys.argv[1])
addresses = ["81.2.3.4", "81.2.3.5", "81.2.3.4/32", "::ffff:81.2.3.4", "10.1.1.1", "2001:db8::1",
             "2001:db8::2", "2001:db8:0:1::1", "::1", "0.0.0.0", "", "fe80::1", "8.8.8.8"]
agents = ["", "a", "A", "b" * 300, "b" * 301, "ü", " a", "9.9.9.9"]
for seed in range(int(sys.argv[2])):
    draw = random.Random(seed)
    tenants = ["t", "u", "t" * 255]
    with open(f"clicks.{seed}.csv", "w") as out:
        out.write("tenant_id,click_id,click_timestamp,ip_address,user_agent,device_type,is_valid\n")
        for i in range(400):
            out.write(f"{draw.choice(tenants)},k{i},2026-03-01T{draw.randrange(24):02d}:"
                      f"{draw.randrange(60):02d}:00Z,{draw.choice(addresses)},"
                      f"{draw.choice(agents)},{draw.choice(['', 'mobile', 'desktop'])},"
                      f"{draw.choice(['true', 'true', 'false'])}\n")
    with open(f"conversions.{seed}.csv", "w") as out:
        out.write("tenant_id,conversion_id,conversion_timestamp,ip_address,user_agent,"
                  "device_type\n")
        for i in range(400):
            out.write(f"{draw.choice(tenants)},v{i},2026-03-01T{draw.randrange(24):02d}:"
                      f"{draw.randrange(60):02d}:00Z,{draw.choice(addresses)},"
                      f"{draw.choice(agents)},{draw.choice(['', 'mobile', 'desktop'])}\n")
END
    for seed in 0 1 2 3 4 5; do
        same_results --clicks "clicks.$seed.csv" --conversions "conversions.$seed.csv"
    done
    expect_match plain ',probabilistic,'
}

marked_agent=Mozilla-OF-NOBODY-ELSE
marked_address=203.0.113.77
marked_ipv6=2001:db8:5bad:cafe:1:2:3:4

# Events with marked addresses and user agents, which find one another.
marked_events() {
    local i device
    for ((i = 0; i < 60; i++)); do
        device=",\"seq\":$((2 * i + 1)),\"user_agent\":\"$marked_agent $((i % 5))\","
        device+='"ip_address":"'
        if ((i % 2)); then device+="$marked_address\""; else device+="$marked_ipv6\""; fi
        printf -v time '%02d:%02d:00' $((i / 4)) $((i % 4 * 15))
        click "k-$i" "$time" "$device"
        conversion "v-$i" - "$time" "${device/\"seq\":$((2 * i + 1))/\"seq\":$((2 * i + 2))}"
    done
}

# Does a file under a folder hold a marked thing, as text or as the bytes that an engine keeps?
holds_marks() {
    python3 - "$marked_agent" "$marked_address" "$marked_ipv6" "$@" <<'END'
import ipaddress, pathlib, sys
agent, address, ipv6, *folders = sys.argv[1:]
v4, v6 = (ipaddress.ip_address(a).packed for a in (address, ipv6))
marks = [agent.encode(), address.encode(), ipv6.encode(), v4, v4[::-1], v6[:8], v6[:8][::-1]]
found = [(str(p), m) for f in folders for p in pathlib.Path(f).rglob("*") if p.is_file()
         for m in marks if m in p.read_bytes()]
print(*found[:2])
sys.exit(0 if found else 1)
END
}

# A stream that is stopped in the middle, with conversions held, and goes on from its checkpoint
# tells what one in one go without the option tells; its checkpoint holds nothing personal.
case_stream_and_its_checkpoint() {
    marked_events >events
    local options=(--checkpoint-interval 10ms --grace 90m --lateness 20m)
    stream "${options[@]}" <events
    expect_status 0
    cp results.ndjson plain
    head -n 70 events >first
    tail -n +60 events >second
    for how in plain hashed; do
        local hash=()
        [ "$how" = plain ] || hash=(--hash-pii "$key")
        rm -rf results.ndjson pipe
        mkfifo pipe
        "$program" stream --recovery-target 0 --events pipe --output "out.$how" --checkpoint \
            "window.$how" "${options[@]}" "${hash[@]}" 2>err &
        stream=$!
        exec 7>pipe
        cat first >&7
        await grep -q '"resume_from_seq":71' "window.$how/position.json"
        kill -TERM "$stream"
        exec 7>&-
        wait_stream
        expect_status 5
        if [ "$how" = plain ]; then
            holds_marks "window.$how" >found ||
                fail "the marks cannot be found where they are"
        else
            ! holds_marks "window.$how" err >found ||
                fail "left: $(cat found)"
        fi
        cp -r "window.$how" "copy.$how"
        "$program" stream --quiet --recovery-target 0 --events second --output "out.$how" \
            --checkpoint "window.$how" "${options[@]}" "${hash[@]}" 2>err || fail "$(cat err)"
        cp "out.$how" results.ndjson
        expect_same plain results.ndjson
    done
    expect_match plain '"attribution_method":"probabilistic"'
    stream --checkpoint copy.hashed "${options[@]}" <second
    expect_status 1
    expect_error 'made with --hash-pii; give that key, or begin anew in another directory'
    stream --checkpoint copy.hashed "${options[@]}" --hash-pii "$other_key" <second
    expect_status 1
    expect_error 'made with another key of --hash-pii; give that key'
    stream --checkpoint copy.plain "${options[@]}" --hash-pii "$key" <second
    expect_status 1
    expect_error 'made without --hash-pii; leave that out'
}

case_batch() {
    local how
    use_new_database template0
    sql -f "$fixtures/as_found.sql"
    "$program" migrate --quiet || fail "migrate fails"
    for how in plain hashed; do
        local hash=()
        [ "$how" = plain ] || hash=(--hash-pii "$key" --threads 1)
        run batch --quiet --recovery-target 0 --max-rejects none "${period[@]}" "${hash[@]}"
        expect_status 0
        digest "SELECT conversion_id, attributed_click_id, attribution_method,
            attribution_confidence, match_probability, fingerprint_match_score,
            probabilistic_candidates FROM conversion_tracking" >"results.$how"
        run batch --recovery-target 0 --max-rejects none "${period[@]}" --dry-run --summary s.json \
            "${hash[@]}"
        expect_json s.json "d['batch']['changed']" 0
    done
    expect_same results.plain results.hashed
    run batch --quiet --recovery-target 0 --max-rejects none "${period[@]}" --hash-pii "$key" \
        --dry-run --challenger "$root/tests/golden/grown/model.json"
    expect_status 0
}

refused_key() {
    run match --clicks "$vectors/clicks.csv" --conversions "$vectors/conversions.csv" \
        --hash-pii "$1" --output results.csv
    expect_status "$2"
    expect_error "$3"
    expect_no_match "$work/err" 'thirty-two'
    expect_files "${4-}"
}

case_the_key_file() {
    refused_key missing 1 "cannot open 'missing'"
    refused_key / 2 "'/' is no file; give a file"
    cp "$key" loose
    chmod 640 loose
    refused_key loose 2 "can be read or written by others; chmod 600 it" loose
    head -c 31 "$key" >loose
    chmod 600 loose
    refused_key loose 2 'less than 32 bytes.*openssl rand -hex 32' loose
    run stream --sink db --hash-pii "$key"
    expect_status 2
    expect_error 'sink db writes events as they came'
    cp "$key" own
    run match --clicks "$vectors/clicks.csv" --conversions "$vectors/conversions.csv" \
        --hash-pii own --output own
    expect_status 2
    expect_same "$key" own
}

run_cases
