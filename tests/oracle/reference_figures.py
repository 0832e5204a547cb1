"""Figures of judged conversions by docs/evaluate.md, slowly: each formula as it is written.

A judged conversion is a tuple: probability, weighed, accepted, verdict, has_click, same_ad,
same_campaign. It shares no code with src/eval.
"""

import math

NONE, RIGHT_CLICK, OTHER_CLICK, OTHER_DEVICE, ORGANIC = range(5)
SCOPES = ({2}, {3}, {2, 3})
SWEEP_BINS_MAX = 1000
NAN = math.nan


def share(part, whole):
    return part / whole if whole else NAN


def log_loss(p, right):
    chance = p if right else 1 - p
    return -math.log(min(max(chance, 1e-15), 1 - 1e-15))


def f_half(precision, recall):
    if math.isnan(precision) or math.isnan(recall):
        return NAN
    return 1.25 * precision * recall / (0.25 * precision + recall) if precision + recall else 0.0


def mass_bins(forecasts, count):
    """Forecasts (p, right) in bins of equal mass, none of which splits equal probabilities."""
    forecasts = sorted(forecasts)
    total, ends = len(forecasts), set()
    for i in range(1, count + 1):
        end = -(-i * total // count)  # the fewest forecasts that make up i / count of all
        while end < total and forecasts[end][0] == forecasts[end - 1][0]:
            end += 1
        ends.add(end)
    bins, begin = [], 0
    for end in sorted(ends):
        bins.append(forecasts[begin:end])
        begin = end
    return [one for one in bins if one]


def gap(forecasts):
    return abs(sum(right for _, right in forecasts) - sum(p for p, _ in forecasts))


def calibration_error(forecasts, count):
    return share(sum(gap(one) for one in mass_bins(forecasts, count)), len(forecasts))


def rises(bins):
    shares = [(sum(right for _, right in one), len(one)) for one in bins]
    return all(a[0] * b[1] <= b[0] * a[1] for a, b in zip(shares, shares[1:]))


def sweep(forecasts):
    """(number of bins, error)"""
    if not forecasts:
        return 0, NAN
    count = 1
    while count < min(len(forecasts), SWEEP_BINS_MAX) and rises(mass_bins(forecasts, count + 1)):
        count += 1
    return count, calibration_error(forecasts, count)


def losses(forecasts, bins, prefix):
    n = len(forecasts)
    sweep_bins, sweep_error = sweep(forecasts)
    return sweep_bins, {
        prefix + "log_loss": share(math.fsum(log_loss(*one) for one in forecasts), n),
        prefix + "brier": share(math.fsum((p - right) ** 2 for p, right in forecasts), n),
        prefix + "calibration_error": calibration_error(forecasts, bins),
        prefix + "calibration_error_sweep": sweep_error,
    }


def figures(judged, layers, bins):
    """(metrics by name, counts, numbers of bins of both sweeps)"""
    weighed = [one for one in judged if one[1] in layers]
    accepted = [one for one in judged if one[2] in layers]
    came = [one for one in judged if layers != {3} or one[2] != 2]
    with_click = sum(one[4] for one in judged)
    organic = len(judged) - with_click

    def count(verdict):
        return sum(one[3] == verdict for one in accepted)

    right, other_click, n = count(RIGHT_CLICK), count(OTHER_CLICK), len(accepted)
    same_ad, same_campaign = sum(one[5] for one in accepted), sum(one[6] for one in accepted)
    precision, recall = share(right, n), share(right, with_click)
    values = {
        "precision": precision,
        "recall": recall,
        "f_half": 0.0 if n == 0 and with_click else f_half(precision, recall),
        "expected_error": share(math.fsum(1 - one[0] for one in accepted), n),
        "other_click": share(other_click, n),
        "other_device": share(count(OTHER_DEVICE), n),
        "organic": share(count(ORGANIC), n),
        "organic_matched": share(count(ORGANIC), organic),
        "device_precision": share(right + other_click, n),
        "device_recall": share(right + other_click, with_click),
        "ad_precision": share(same_ad, n),
        "ad_recall": share(same_ad, with_click),
        "campaign_precision": share(same_campaign, n),
        "campaign_recall": share(same_campaign, with_click),
    }
    sweeps = []
    for set_, prefix in ((weighed, ""), (accepted, "accepted_")):
        sweep_bins, more = losses([(one[0], int(one[3] == RIGHT_CLICK)) for one in set_], bins,
                                  prefix)
        sweeps.append(sweep_bins)
        values.update(more)
    return values, (len(came), len(weighed), n), tuple(sweeps)


# -------------------------------------------------------------------------------------------------
# Intervals


def splitmix64(state):
    state = (state + 0x9E3779B97F4A7C15) % 2**64
    z = state
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    z = (z ^ z >> 27) * 0x94D049BB133111EB % 2**64
    return state, z ^ z >> 31


def pattern(one):
    return (one[1] | one[2] << 2 | one[3] << 4 | one[4] << 7 | one[5] << 8 | one[6] << 9)


def quantile(values, q):
    place = q * (len(values) - 1)
    at = int(place)
    if at + 1 >= len(values):
        return values[-1]
    return values[at] + (place - at) * (values[at + 1] - values[at])


def draws(judged, rounds, seed):
    """As many conversions as there are, with replacement, in each round."""
    in_order = sorted(judged, key=lambda one: (one[0], pattern(one)))
    for number in range(rounds):
        _, start = splitmix64(seed)
        state, drawn = (start + number) % 2**64, []
        for _ in in_order:
            state, z = splitmix64(state)
            drawn.append(in_order[(z >> 32) * len(in_order) >> 32])
        yield drawn


def intervals(judged, bins, rounds, seed):
    """By scope: by metric (low, high)."""
    values = [{} for _ in SCOPES]
    for drawn in draws(judged, rounds, seed):
        for scope, layers in enumerate(SCOPES):
            for name, value in figures(drawn, layers, bins)[0].items():
                if not math.isnan(value):
                    values[scope].setdefault(name, []).append(value)
    return [{name: (quantile(sorted(one), 0.025), quantile(sorted(one), 0.975))
             for name, one in of.items()} for of in values]


def wilson(right, n):
    """Wilson 1927: where (share - s)^2 = z^2 s (1 - s) / n, found by halving."""
    z = 1.959963984540054

    def root(low, high):
        def outside(s):
            return (right / n - s) ** 2 >= z * z * s * (1 - s) / n
        sign = outside(low)
        for _ in range(200):
            middle = (low + high) / 2
            low, high = (middle, high) if outside(middle) == sign else (low, middle)
        return (low + high) / 2

    return (0.0 if right == 0 else root(0.0, right / n),
            1.0 if right == n else root(1.0, right / n))
