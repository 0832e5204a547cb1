"""Random models for fuzz_files.py, most of them valid."""

import fuzz_values
import reference_model
from reference_model import CHANCE_LEAST, LAYERS, RIVALS_LEAST, TRAITS

TENANTS = tuple(tenant.decode("utf-8") for tenant in fuzz_values.TENANTS) + (
    "nobody", "a.b", "x" * 255, "ä" * 255)
DEVICE_TYPES = ("mobile", "desktop", "tablet", "", "phone", "smart tv, 4k", "mÖ", "mobile ", "\x7f")


CHANCES = (CHANCE_LEAST, 0.9999999999999999)


def draw_chance(random, least, most, bounds=CHANCES):
    """Now and then at the bounds of what may be."""
    return random.choice(bounds) if random.random() < 0.03 else random.uniform(least, most)


def draw_delay_m(random, count):
    """Weights that sum to less than 1, some of them 0."""
    weights = [0 if random.random() < 0.08 else random.uniform(0.01, 1) for _ in range(count)]
    share = random.uniform(0.5, 0.999) / (sum(weights) + 0.001)
    return [weight * share for weight in weights]


def draw_bins(random, model):
    edge, edges = 0.0, []
    for _ in range(random.randint(1, 12)):
        edge = edge * random.uniform(1.1, 3) + random.uniform(0.01, 1)
        if random.random() < 0.4:
            edge = int(edge) + 1
        edges.append(edge)
    model["delay_hours"] = edges
    model["delay_m"] = draw_delay_m(random, len(edges))
    model["fingerprint_m"] = [draw_chance(random, 0.3, 0.99) for _ in edges]
    model["ip_m"] = [draw_chance(random, 0.1, 0.95) for _ in edges]


def draw_windows(random, model):
    edges = model.get("delay_hours", reference_model.DEFAULT_MODEL["delay_hours"])
    edges = [edge for edge in edges if edge <= 720] or edges[:1]
    model["window_hours"] = edges[-1] if random.random() < 0.6 else random.choice(edges)
    model["probabilistic_window_hours"] = random.choice(edges)
    if random.random() < 0.6:
        model["retention_hours"] = random.choice((0, 1, 48, 0.001, 2.5e-7))


def draw_knots(random):
    knots, x, y = [], random.uniform(-0.1, 0.2), random.uniform(0, 0.3)
    for _ in range(random.randrange(6)):
        knots.append([x, y])
        x += (1 - x) * random.uniform(0.02, 0.6)
        y += random.choice((0, random.uniform(0, 1 - y)))
    return knots


def draw_layer(random):
    layer = {"rivals": draw_chance(random, 0.01, 2, (RIVALS_LEAST, 1e308))}
    if random.random() < 0.7:
        layer["prior"] = draw_chance(random, 0.05, 0.95)
    if random.random() < 0.7:
        layer["user_agent_m"] = draw_chance(random, 0.5, 0.99)
        layer["user_agent_u"] = draw_chance(random, 0.01, 0.5)
    if random.random() < 0.7:
        lo = random.choice((0, 0, random.uniform(0, 0.7), random.uniform(0, 0.7)))
        layer["band"] = [lo, random.uniform(lo + 0.01, 0.999)]
    if random.random() < 0.6:
        layer["calibration"] = draw_knots(random)
    return layer


# What old models have not: how likely any of it is, where a model has some.


def draw_grown_layer(random, bins, share):
    layer = {}
    if random.random() < share:
        layer["delay_u"] = [draw_chance(random, 0.001, 0.999) for _ in range(bins)]
    if random.random() < share:
        layer["repeat"] = random.choice((0, 1e-300, 0.1, 0.8, 1, 7.5, 1000, random.uniform(0, 20)))
    if random.random() < share:
        layer["traits"] = {name: [draw_chance(random, 0.3, 0.999), draw_chance(random, 0.01, 0.95)]
                           for name in random.sample(TRAITS, random.randrange(5))}
    return layer


def draw_families(random):
    most = [random.uniform(0.001, 0.999) for _ in range(4)]
    return random.choices((*CHANCES, *most), k=2)


def draw_parameters(random, bins, share):
    """What a section may change."""
    section = {}
    if random.random() < share:
        section["delay_m"] = draw_delay_m(random, bins)
    if random.random() < share:
        section["fingerprint_m"] = [draw_chance(random, 0.3, 0.99) for _ in range(bins)]
    if random.random() < share:
        section["ip_m"] = [draw_chance(random, 0.1, 0.95) for _ in range(bins)]
    if random.random() < share:
        # Both are there then, whatever else has them.
        section["ip_other_m"], section["ip_other_u"] = draw_families(random)
    for name, most in (("fingerprint_u", 0.3), ("ip_u_min", 0.2)):
        if random.random() < share:
            section[name] = draw_chance(random, 0.001, most)
    for name in LAYERS:
        if random.random() < share:
            section[name] = draw_layer(random)
        if random.random() < share:
            section.setdefault(name, {}).update(draw_grown_layer(random, bins, 0.6))
    return section


def draw_devices(random, bins):
    return {name: draw_parameters(random, bins, random.choice((0, 0.2, 0.7)))
            for name in random.sample(DEVICE_TYPES, random.randrange(5))}


def draw_tenants(random, bins):
    tenants = {}
    for name in random.sample(TENANTS, random.randint(0, 6)):
        tenants[name] = draw_parameters(random, bins, random.choice((0, 0.2, 0.7)))
        if random.random() < 0.6:
            tenants[name]["devices"] = draw_devices(random, bins)
    return tenants


def grow(random, model):
    bins = len(model.get("delay_hours", reference_model.DEFAULT_MODEL["delay_hours"]))
    if random.random() < 0.5:
        model["ip_other_m"], model["ip_other_u"] = draw_families(random)
    for name in LAYERS:
        model.setdefault(name, {}).update(draw_grown_layer(random, bins, 0.6))
    if random.random() < 0.6:
        model["devices"] = draw_devices(random, bins)
    if random.random() < 0.6:
        model["tenants"] = draw_tenants(random, bins)


def valid_model(random):
    model = {"name": random.choice(("random", "ä, \"q\"", "x y")), "version": random.choice("12@")}
    if random.random() < 0.6:
        draw_bins(random, model)
    draw_windows(random, model)
    if random.random() < 0.8:
        model["max_candidates"] = random.choice((1, 2, 3, 5, 5.0, 40, 1024))
    if random.random() < 0.7:
        model["ipv4_prefix"] = random.choice((32, 24, 16, 31, 1, 9))
        model["ipv6_prefix"] = random.choice((64, 48, 56, 128, 63, 127, 1))
    if random.random() < 0.6:
        model["fingerprint_u"] = draw_chance(random, 0.001, 0.3)
        model["ip_u_min"] = draw_chance(random, 0.0001, 0.2)
    for layer in ("fingerprint", "probabilistic"):
        if random.random() < 0.8:
            model[layer] = draw_layer(random)
    if random.random() < 0.7:
        grow(random, model)
    # The order in a file means nothing.
    return dict(random.sample(list(model.items()), len(model)))
