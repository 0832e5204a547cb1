"""Random models for fuzz_files.py, most of them valid."""

import reference_model


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
    model["fingerprint_m"] = [random.uniform(0.3, 0.99) for _ in edges]
    model["ip_m"] = [random.uniform(0.1, 0.95) for _ in edges]


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
    layer = {"rivals": random.uniform(0.01, 2)}
    if random.random() < 0.7:
        layer["prior"] = random.uniform(0.05, 0.95)
    if random.random() < 0.7:
        layer["user_agent_m"] = random.uniform(0.5, 0.99)
        layer["user_agent_u"] = random.uniform(0.01, 0.5)
    if random.random() < 0.7:
        lo = random.choice((0, 0, random.uniform(0, 0.7), random.uniform(0, 0.7)))
        layer["band"] = [lo, random.uniform(lo + 0.01, 0.999)]
    if random.random() < 0.6:
        layer["calibration"] = draw_knots(random)
    return layer


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
        model["fingerprint_u"] = random.uniform(0.001, 0.3)
        model["ip_u_min"] = random.uniform(0.0001, 0.2)
    for layer in ("fingerprint", "probabilistic"):
        if random.random() < 0.8:
            model[layer] = draw_layer(random)
    return model


FAULTS = (("rivals", 0), ("rivals", "1"), ("prior", 1), ("prior", 0), ("user_agent_m", -0.1),
          ("user_agent_u", 1.0), ("band", [0.5, 0.5]), ("band", [0.9, 0.6]), ("band", [0.1, 1]),
          ("band", [0.1]), ("band", [-0.1, 0.5]), ("calibration", [[0.1, 0.2], [0.1, 0.3]]),
          ("calibration", [[0.1, 0.2], [0.2, 0.1]]), ("calibration", [[0.1, 1.1]]),
          ("calibration", [[0.1]]), ("calibration", [0.1, 0.2]), ("calibration", None),
          ("band", None), ("x", 1), ("window_hours", 24), ("Prior", 0.5))
OWN_FAULTS = (("window_hours", 721), ("window_hours", 7), ("window_hours", True),
              ("retention_hours", -1), ("max_candidates", 0), ("max_candidates", 1025),
              ("max_candidates", 1.5), ("ipv4_prefix", 33), ("ipv4_prefix", 0),
              ("ipv6_prefix", 129), ("delay_hours", []), ("delay_hours", [24, 168]),
              ("delay_m", [0.5, 0.2, 0.2, 0.2, 0, 0, 0]), ("delay_m", [0.1]),
              ("ip_m", [0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 1]), ("fingerprint_u", 0), ("ip_u_min", 1),
              ("fingerprint", []), ("probabilistic", None), ("unknown", 1), ("name", 1),
              ("delay_hours", [1, 1.0000000000000002, 6, 24, 72, 100, 168]),
              ("delay_hours", [0, 1, 6, 24, 72, 100, 168]))


def broken_model(random):
    """The default model with one fault."""
    if random.random() < 0.5:
        name, value = random.choice(OWN_FAULTS)
        return {name: value}
    name, value = random.choice(FAULTS)
    return {random.choice(("fingerprint", "probabilistic")): {name: value}}
