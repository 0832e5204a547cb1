#!/bin/bash
# Kill purges at any moment, while others purge and batch matches the same period anew:
# results stay, and in the end all that is to go has gone.
#
#   tests/torture/purge_kills.sh [KILLS [SEED]]
#
# What fails says the seed that draws the same again.
# shellcheck disable=SC2154 # $program and the like come from the files read here
[ -n "${PG_TEMP_DIR-}" ] ||
    exec "$(dirname "$0")/../../scripts/pg_temp.sh" run bash "$0" "$@"
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"
# shellcheck source=tests/integration/fixtures/pg.sh
. "$(dirname "$0")/../integration/fixtures/pg.sh"

kills=${1:-100}
seed=${2:-$RANDOM}
RANDOM=$seed
cd "$work" || exit 1

stop_here() {
    echo "purge_kills.sh: $*; again with: tests/torture/purge_kills.sh $kills $seed" >&2
    exit 1
}

check_results() {
    digest "SELECT c.conversion_id, k.click_id, k.campaign_id, c.attribution_method,
            c.attribution_confidence, c.match_probability, c.probabilistic_candidates
        FROM conversion_tracking c LEFT JOIN click_tracking k ON k.id = c.attributed_click_id" >now
    cmp -s before now || stop_here "results differ after $done_kills kills"
}

# A new world, matched.
begin() {
    use_new_database adopted
    "$program" batch --quiet --recovery-target 0 --max-rejects none "${period[@]}" 2>err.0 ||
        stop_here "batch fails: $(cat err.0)"
    digest "SELECT c.conversion_id, k.click_id, k.campaign_id, c.attribution_method,
            c.attribution_confidence, c.match_probability, c.probabilistic_candidates
        FROM conversion_tracking c LEFT JOIN click_tracking k ON k.id = c.attributed_click_id" \
        >before
}

# All that is to go goes, and only that.
end() {
    "$program" purge --older-than 30d --quiet || stop_here "the last purge fails"
    check_results
    left=$(sql -c "SELECT count(*) FROM click_tracking k WHERE ip_address IS NOT NULL
        OR user_agent IS NOT NULL OR fingerprint_hash IS NOT NULL OR NOT EXISTS
            (SELECT FROM conversion_tracking c WHERE c.attributed_click_id = k.id)")
    [ "$left" = 0 ] || stop_here "$left clicks are left that should have gone"
    [ "$(sql -c 'SELECT deadlocks FROM pg_stat_database
                 WHERE datname = current_database()')" = 0 ] || stop_here "deadlocks"
}

make_templates
done_kills=0
while [ "$done_kills" -lt "$kills" ]; do
    begin
    for ((round = 0; round < 10 && done_kills < kills; round++)); do
        rows=$((1 + RANDOM % 40))
        "$program" purge --older-than 30d --quiet --batch-rows "$rows" 2>err.1 &
        killed=$!
        "$program" purge --older-than 30d --quiet --batch-rows $((1 + RANDOM % 7)) 2>err.2 &
        other=$!
        "$program" batch --quiet --dry-run --recovery-target 0 --max-rejects none \
            "${period[@]}" 2>err.3 &
        batch=$!
        sleep "0.$((RANDOM % 5))$((RANDOM % 10))"
        kill -KILL "$killed" 2>/dev/null
        kill -INT "$other" 2>/dev/null
        wait "$killed" 2>/dev/null
        wait "$other" 2>/dev/null
        state=$?
        [ $state = 0 ] || [ $state = 5 ] || stop_here "the other purge: $state: $(cat err.2)"
        wait "$batch" || stop_here "batch: $(cat err.3)"
        done_kills=$((done_kills + 1))
        check_results
    done
    end
done
echo "$done_kills purges killed, seed $seed: results stayed, and all that was to go has gone"
