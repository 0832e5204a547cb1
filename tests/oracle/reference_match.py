"""Clicks, conversions and the three layers (docs/matching.md, sections 3 to 5)."""

import bisect

from reference_model import TRAITS, hours_to_us, parameters_of
from reference_values import component_fingerprint, fold, known_fingerprint

HOUR_US = 3_600_000_000
EXPIRY_MAX_US = 30 * 24 * HOUR_US
CANDIDATES_MAX = 5


class Click:
    __slots__ = ("tenant", "id", "time", "expires", "findable_until", "valid", "ads", "fingerprint",
                 "bucket", "user_agent", "device_type", "traits")


class Conversion:
    __slots__ = ("tenant", "id", "time", "url_keys", "fingerprint", "bucket", "user_agent",
                 "device_type", "traits")


def bucket_of(address, model):
    if address is None:
        return None
    version, value = address
    if version == 4:
        return 4, value >> 32 - model["ipv4_prefix"]
    return 6, value >> 128 - model["ipv6_prefix"]


def set_device(record, fields, model):
    given = known_fingerprint(fields["fingerprint_hash"])
    record.fingerprint = given or component_fingerprint(fields)
    record.bucket = bucket_of(fields["ip_address"], model)
    record.user_agent = fields["user_agent"]
    record.device_type = fold(fields["device_type"])
    width, height = fields["screen_width"], fields["screen_height"]
    # As they are compared: a screen may be turned.
    record.traits = {"os": fold(fields["os"]), "browser": fold(fields["browser"]),
                     "screen": None if None in (width, height) else sorted((width, height)),
                     "timezone": fields["timezone"]}


def click_of(fields, model):
    click = Click()
    click.tenant, click.id = fields["tenant_id"], fields["click_id"]
    click.time, given = fields["click_timestamp"], fields["expires_at"]
    own_end = click.time + hours_to_us(model["window_hours"])
    click.expires = own_end if given is None else min(given, click.time + EXPIRY_MAX_US)
    click.findable_until = max(click.expires, own_end) + hours_to_us(model["retention_hours"])
    click.valid = fields["is_valid"] is not False
    click.ads = [fields[name] for name in ("campaign_id", "adset_id", "ad_id", "creative_id")]
    set_device(click, fields, model)
    return click


def conversion_of(fields, model):
    conversion = Conversion()
    conversion.tenant, conversion.id = fields["tenant_id"], fields["conversion_id"]
    conversion.time = fields["conversion_timestamp"]
    conversion.url_keys = [(kind, fields[kind]) for kind in ("click_id", "fbclid", "gclid")
                           if fields[kind] is not None]
    set_device(conversion, fields, model)
    return conversion


def newest_first(click):
    return (-click.time, click.id)


class Clicks:
    """All clicks, in lists by tenant and key; every list newest first once `finish` ran."""

    def __init__(self, model):
        self.model = model
        self.ids = set()
        self.duplicates = 0
        self.lists = {}
        self.tenant_times = {}

    def put(self, kind, tenant, value, click):
        if value is not None:
            self.lists.setdefault((kind, tenant, value), []).append(click)

    def add(self, fields):
        click = click_of(fields, self.model)
        if (click.tenant, click.id) in self.ids:
            self.duplicates += 1
            return
        self.ids.add((click.tenant, click.id))
        self.put("click_id", click.tenant, click.id, click)
        self.put("fbclid", click.tenant, fields["fbclid"], click)
        self.put("gclid", click.tenant, fields["gclid"], click)
        self.put("fingerprint", click.tenant, click.fingerprint, click)
        self.put("bucket", click.tenant, click.bucket, click)
        if click.valid:
            self.tenant_times.setdefault(click.tenant, []).append(click.time)

    def finish(self):
        for clicks in self.lists.values():
            clicks.sort(key=newest_first)
        for times in self.tenant_times.values():
            times.sort()

    def having(self, kind, tenant, value):
        return self.lists.get((kind, tenant, value), [])

    def tenant_count(self, tenant, t, window):
        """|recent(all of the tenant's valid clicks, window)|"""
        times = self.tenant_times.get(tenant, [])
        return bisect.bisect_right(times, t) - bisect.bisect_right(times, t - window)


def recent(clicks, t, window):
    return [click for click in clicks if click.valid and t - window < click.time <= t]


class Result:
    def __init__(self):
        self.click = None
        self.method = "unattributed"
        self.confidence = 0.0
        self.probability = 0.0
        self.layers = ["not_attempted"] * 3
        self.candidates = []  # (click, probability)
        self.layer_2_probability = None


def calibrate(knots, p):
    if not knots:
        return p
    if p < knots[0][0]:
        return knots[0][1]
    for (x0, y0), (x1, y1) in zip(knots, knots[1:]):
        if x0 <= p < x1:
            return y0 + (p - x0) * (y1 - y0) / (x1 - x0)
    return knots[-1][1]


def devices(clicks, key):
    seen, result = set(), []
    for click in clicks:
        if key(click) not in seen:
            seen.add(key(click))
            result.append(click)
    return result


def layer_2_key(click):
    return click.bucket, click.device_type


def layer_3_key(click):
    if click.fingerprint is None:
        return "agent", click.user_agent
    return "fingerprint", click.fingerprint


def shares_address(click, conversion):
    """Whether a click is in the conversion's addresses' list."""
    if conversion.bucket is None or click.bucket != conversion.bucket:
        return False
    return conversion.device_type is None or click.device_type in (None, conversion.device_type)


class Ratios:
    """The comparisons of one conversion with clicks, by the parameters that hold for it."""

    def __init__(self, model, conversion):
        self.model = parameters_of(model, conversion.tenant, conversion.device_type)
        self.conversion = conversion
        self.edges_us = [hours_to_us(edge) for edge in self.model["delay_hours"]]

    def bin_of(self, click):
        delay = self.conversion.time - click.time
        for place, edge in enumerate(self.edges_us):
            if delay < edge:
                return place
        return len(self.edges_us) - 1

    def layer_delay(self, layer, i, window_hours):
        if layer["delay_u"] is None:
            return self.delay(i, window_hours)
        return self.model["delay_m"][i] / layer["delay_u"][i]

    def delay(self, i, window_hours):
        edges = self.model["delay_hours"]
        before = edges[i - 1] if i > 0 else 0.0
        return self.model["delay_m"][i] / ((edges[i] - before) / window_hours)

    def reach(self, m, window_hours):
        total = 0.0
        for i, edge in enumerate(self.model["delay_hours"]):
            if edge <= window_hours:
                total += self.model["delay_m"][i] * m[i]
        return total

    def user_agent(self, layer, click):
        if click.user_agent is None or self.conversion.user_agent is None:
            return 1.0
        if click.user_agent == self.conversion.user_agent:
            return layer["user_agent_m"] / layer["user_agent_u"]
        return (1 - layer["user_agent_m"]) / (1 - layer["user_agent_u"])

    def fingerprint(self, click, i):
        if click.fingerprint is None or self.conversion.fingerprint is None:
            return 1.0
        m, u = self.model["fingerprint_m"][i], self.model["fingerprint_u"]
        return m / u if click.fingerprint == self.conversion.fingerprint else (1 - m) / (1 - u)

    def address(self, click, i, near_count, total_clicks):
        conversion, model = self.conversion, self.model
        if click.bucket is None or conversion.bucket is None:
            return 1.0
        m, other_m, other_u = model["ip_m"][i], model["ip_other_m"], model["ip_other_u"]
        if shares_address(click, conversion):
            return m / max((near_count - 1) / total_clicks, model["ip_u_min"])
        if other_m is None:
            return 1 - m
        if click.bucket[0] != conversion.bucket[0]:
            return (1 - m) * other_m / other_u
        return (1 - m) * (1 - other_m) / (1 - other_u)

    def with_traits(self, layer, click, w):
        """w times the factors of the layer's traits."""
        for name in TRAITS:
            if name not in layer["traits"]:
                continue
            m, u = layer["traits"][name]
            own, other = click.traits[name], self.conversion.traits[name]
            if own is not None and other is not None:
                w *= m / u if own == other else (1 - m) / (1 - u)
        return w


def weights_with_older(k, rivals, weights, ratios):
    """Step 1 of repeat clicks; newest first."""
    result, conversion = weights[:], ratios.conversion
    for a, newer in enumerate(rivals):
        older = 0.0
        for b in range(len(rivals) - 1, a, -1):
            i = ratios.bin_of(rivals[b])
            lr_delay = ratios.layer_delay(
                ratios.model["fingerprint"], i, ratios.model["window_hours"])
            if lr_delay == 0:
                continue
            factor = 1 / lr_delay
            if is_near(newer, conversion) and is_far(rivals[b], conversion):
                factor /= 1 - ratios.model["ip_m"][i]
            older += weights[b] * factor
        result[a] = weights[a] * (1 + k * older)
    return result


def is_near(click, conversion):
    return (click.bucket is not None and conversion.bucket is not None
            and shares_address(click, conversion))


def is_far(click, conversion):
    return (click.bucket is not None and conversion.bucket is not None
            and not shares_address(click, conversion))


class Matcher:
    def __init__(self, clicks):
        self.clicks = clicks
        self.model = clicks.model

    def ratios_of(self, conversion):
        return Ratios(self.model, conversion)

    def match(self, conversion):
        result = Result()
        ratios = self.ratios_of(conversion)
        result.layers[0] = self.layer_1(conversion, result)
        if result.click is None:
            result.layers[1] = self.layer_2(conversion, ratios, result)
        if result.click is None:
            result.layers[2] = self.layer_3(conversion, ratios, result)
        return result

    def layer_1(self, conversion, result):
        if not conversion.url_keys:
            return "no_param"
        t, findable = conversion.time, []
        for kind, value in conversion.url_keys:
            clicks = self.clicks.having(kind, conversion.tenant, value)
            for click in clicks:
                if click.valid and click.time <= t < click.expires:
                    result.click, result.method = click, "url_param"
                    result.confidence = result.probability = 1.0
                    return "success"
            findable += [click for click in clicks if click.time <= t < click.findable_until]
        if any(click.valid and click.expires <= t for click in findable):
            return "expired"
        return "invalid" if any(not click.valid for click in findable) else "no_match"

    def address_list(self, conversion):
        if conversion.bucket is None:
            return []
        clicks = self.clicks.having("bucket", conversion.tenant, conversion.bucket)
        return [click for click in clicks if shares_address(click, conversion)]

    def layer_2(self, conversion, ratios, result):
        if conversion.fingerprint is None:
            return "no_fingerprint"
        model, layer, t = ratios.model, ratios.model["fingerprint"], conversion.time
        hours, limit = model["window_hours"], model["max_candidates"]
        window = hours_to_us(hours)
        sharing = self.clicks.having("fingerprint", conversion.tenant, conversion.fingerprint)
        found = recent(sharing, t, window)
        if not found:
            return "no_match"
        weighed = found[:limit]
        oldest = weighed[-1]
        near = recent(self.address_list(conversion), t, window)
        for click in near[:limit]:
            if click.fingerprint == conversion.fingerprint and click not in weighed:
                weighed.append(click)
        left = len(found) - len(weighed)
        weighed = [click for click in weighed if t < click.expires]
        if not weighed:
            return "no_match"
        weighed.sort(key=newest_first)
        rivals = devices(weighed, layer_2_key)
        total_clicks = self.clicks.tenant_count(conversion.tenant, t, window)
        m, prior = model["fingerprint_m"], layer["prior"]
        r = layer["rivals"] + (len(rivals) - 1 + left)
        weights = []
        for click in rivals:
            i = ratios.bin_of(click)
            w = (prior * m[i] / r * ratios.layer_delay(layer, i, hours)
                 * ratios.address(click, i, len(near), total_clicks)
                 * ratios.user_agent(layer, click))
            weights.append(ratios.with_traits(layer, click, w))
        o = ratios.bin_of(oldest)
        q = 1.0 if conversion.bucket is None else 1 - model["ip_m"][o]
        rest = left * (prior * m[o] / r * ratios.layer_delay(layer, o, hours) * q)
        w0 = 1 - prior * ratios.reach(m, hours)
        if layer["repeat"] > 0 and len(rivals) > 1:
            k = layer["repeat"] / prior * (r / (layer["rivals"] + (len(rivals) - 2 + left)))
            weights = weights_with_older(k, rivals, weights, ratios)
        total = sum_from(w0 + rest, weights)
        weighed = self.with_newer(conversion, ratios, list(zip(rivals, weights)))
        success = decide(layer, "fingerprint", total, weighed, result)
        result.layer_2_probability = result.candidates[0][1]
        return "success" if success else "low_confidence"

    def with_newer(self, conversion, ratios, weighed):
        """Step 2 of repeat clicks: (click, w) of all that are weighed."""
        model, layer, t = ratios.model, ratios.model["probabilistic"], conversion.time
        if not layer["repeat"] > 0 or conversion.bucket is None:
            return weighed
        best, w = min(weighed, key=lambda pair: (-pair[1], newest_first(pair[0])))
        near = [click for click in self.address_list(conversion)
                if click.valid and best.time <= click.time <= t]
        newer = [click for click in near[:model["max_candidates"]]
                 if newest_first(click) < newest_first(best)
                 and click.fingerprint != conversion.fingerprint and t < click.expires]
        newer = devices(newer, layer_3_key)
        ys, r = [], layer["rivals"] + (len(newer) - 1)
        for click in newer:
            i = ratios.bin_of(click)
            y = (layer["repeat"] * model["ip_m"][i] / r * ratios.delay(i, model["window_hours"])
                 * ratios.fingerprint(click, i) * ratios.user_agent(layer, click))
            ys.append(ratios.with_traits(layer, click, y))
        all_y = sum_from(1.0, ys)
        others = [pair for pair in weighed if pair[0] is not best]
        return ([(best, w / all_y)] + others
                + [(click, w * (y / all_y)) for click, y in zip(newer, ys)])

    def layer_3(self, conversion, ratios, result):
        if conversion.bucket is None:
            return "no_signal"
        model, layer, t = ratios.model, ratios.model["probabilistic"], conversion.time
        hours = model["probabilistic_window_hours"]
        found = recent(self.address_list(conversion), t, hours_to_us(hours))
        if not found:
            return "no_candidates"
        weighed = found[:model["max_candidates"]]
        left = len(found) - len(weighed)
        o = ratios.bin_of(weighed[-1])
        weighed = [click for click in weighed if t < click.expires]
        if not weighed:
            return "no_candidates"
        rivals = devices(weighed, layer_3_key)
        m, prior = model["ip_m"], layer["prior"]
        r = layer["rivals"] + (len(rivals) - 1 + left)
        weights = []
        for click in rivals:
            i = ratios.bin_of(click)
            w = (prior * m[i] / r * ratios.layer_delay(layer, i, hours)
                 * ratios.fingerprint(click, i) * ratios.user_agent(layer, click))
            weights.append(ratios.with_traits(layer, click, w))
        rest = left * (prior * m[o] / r * ratios.layer_delay(layer, o, hours))
        w0 = 1 - prior * ratios.reach(m, hours)
        success = decide(layer, "probabilistic", sum_from(w0 + rest, weights),
                         list(zip(rivals, weights)), result)
        return "success" if success else "low_probability"


def sum_from(total, values):
    for value in values:
        total += value
    return total


def decide(layer, method, total, weighed, result):
    """Fill in the candidates of (click, w), and the answer where the best is good enough."""
    order = sorted(weighed, key=lambda pair: (-pair[1], newest_first(pair[0])))
    result.candidates = [(click, calibrate(layer["calibration"], w / total))
                         for click, w in order[:CANDIDATES_MAX]]
    winner, p = result.candidates[0]
    lo, hi = layer["band"]
    if p < lo:
        return False
    result.click, result.method, result.probability = winner, method, p
    result.confidence = int((lo + (hi - lo) * (p - lo) / (1 - lo)) * 10000 + 0.5) / 10000
    return True
