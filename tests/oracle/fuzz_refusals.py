"""Model files with one fault each, for fuzz_files.py.

A fault is a field and a value that it may not have; it is put into a valid model, or into one of
its sections. Some faults are of the text, some of several fields together.
"""

import json

from fuzz_model import valid_model
from reference_model import DEFAULT_MODEL, LAYERS

# Of a layer.
LAYER_FAULTS = (
    ("rivals", 0), ("rivals", "1"), ("prior", 1), ("prior", 0), ("user_agent_m", -0.1),
    ("user_agent_u", 1.0), ("band", [0.5, 0.5]), ("band", [0.9, 0.6]), ("band", [0.1, 1]),
    ("band", [0.1]), ("band", [-0.1, 0.5]), ("calibration", [[0.1, 0.2], [0.1, 0.3]]),
    ("calibration", [[0.1, 0.2], [0.2, 0.1]]), ("calibration", [[0.1, 1.1]]),
    ("calibration", [[0.1]]), ("calibration", [0.1, 0.2]), ("calibration", None), ("band", None),
    ("x", 1), ("window_hours", 24), ("Prior", 0.5), ("os", [0.5, 0.5]), ("repeat", -1e-300),
    ("repeat", 1000.0000000000001), ("repeat", "1"), ("repeat", True), ("repeat", [1]),
    ("repeat", None), ("Repeat", 1), ("traits", []), ("traits", None), ("traits", {"os": [0.5]}),
    ("traits", {"os": [0.5, 0.5, 0.5]}), ("traits", {"browser": [0, 0.5]}),
    ("traits", {"browser": [0.5, 1]}), ("traits", {"screen": [0.5, "0.5"]}),
    ("traits", {"screen": 0.5}), ("traits", {"timezone": None}), ("traits", {"timezone": {}}),
    ("traits", {"OS": [0.5, 0.5]}), ("traits", {"device_type": [0.5, 0.5]}),
    ("traits", {"os": [9.99e-13, 0.5]}), ("traits", {"screen": [0.5, 5e-324]}), ("prior", 9.99e-13),
    ("rivals", 9.99e-10), ("rivals", 5e-324), ("user_agent_m", 1e-300), ("user_agent_u", 1e-13),
    ("delay_u", 0.5), ("delay_u", None), ("delay_u", []), ("delay_u", {}), ("delay_u", [True]),
    ("delay_u", [0.5, "0.5"]), ("delay_u", [0.5, 0]), ("delay_u", [1]), ("delay_u", [0.5, -0.5]),
    ("delay_u", [9.99e-13]), ("delay_u", [0.5] * 13), ("Delay_u", [0.5]), ("delay_m", [0.5]))
# Of a model or a section.
PARAMETER_FAULTS = (
    ("fingerprint_u", 0), ("ip_u_min", 1), ("fingerprint", []), ("probabilistic", None),
    ("delay_m", "0.1"), ("ip_m", [0.5, None]), ("fingerprint_m", {}), ("ip_other_m", 0),
    ("ip_other_m", 1), ("ip_other_u", 1), ("ip_other_u", "0.1"), ("ip_other_u", None),
    ("unknown", 1), ("Devices", {}), ("device", {}), ("fingerprint_u", 9.99e-13),
    ("ip_u_min", 5e-324), ("ip_other_u", 1e-13), ("ip_m", [5e-324] * 7),
    ("fingerprint_m", [9.99e-13] * 7), ("delay_m", [9.99e-13] * 7))
# Of the default model alone.
OWN_FAULTS = (
    ("window_hours", 721), ("window_hours", 7), ("window_hours", True), ("retention_hours", -1),
    ("retention_hours", 100_000_001), ("max_candidates", 0), ("max_candidates", 1025),
    ("max_candidates", 1.5), ("ipv4_prefix", 33), ("ipv4_prefix", 0), ("ipv6_prefix", 129),
    ("delay_hours", []), ("delay_m", [0.5, 0.2, 0.2, 0.2, 0, 0, 0]), ("delay_m", [0.1]),
    ("ip_m", [0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 1]), ("name", 1), ("name", ""), ("name", "a@b"),
    ("name", "a\n"), ("version", "x" * 101), ("delay_hours", [0, 1, 6, 24, 72, 100, 168]),
    ("delay_hours", [1, 1.0000000000000002, 6, 24, 72, 100, 168]), ("ip_other_m", 0.2),
    ("ip_other_u", 0.2), ("devices", []), ("devices", None), ("tenants", []), ("tenants", "x"),
    ("fingerprint", {"delay_u": [0.1] * 6}), ("probabilistic", {"delay_u": [0.1] * 8}),
    ("devices", {"mobile": []}), ("devices", {"": None}), ("tenants", {"t": 1}),
    ("tenants", {"t": {"devices": []}}), ("tenants", {"": {}}), ("tenants", {"x" * 256: {}}),
    ("tenants", {"ä" * 256: {}}), ("tenants", {"a\0b": {}}), ("devices", {"\0": {}}),
    ("tenants", {"t": {"devices": {"mobile\0": {}}}}))
# Of a section: what is the model's, and device types.
SECTION_FAULTS = (
    ("delay_hours", DEFAULT_MODEL["delay_hours"]), ("window_hours", 168), ("name", "x"),
    ("probabilistic_window_hours", 24), ("retention_hours", 24), ("max_candidates", 64),
    ("ipv4_prefix", 32), ("version", "1"), ("tenants", {}), ("Mobile", {}))
DEVICE_FAULTS = ("Desktop", "mobilE", "Z", "äZ", " A")
# Several fields of the default model that do not go together in some combination.
TOGETHER = (
    {"devices": {"": {"ip_other_m": 0.1}}}, {"tenants": {"t": {"ip_other_u": 0.1}}},
    {"tenants": {"t": {"ip_other_u": 0.1, "devices": {"mobile": {"ip_other_m": 0.1}}}}},
    {"devices": {"mobile": {"ip_other_u": 0.1}}, "tenants": {"t": {"ip_other_m": 0.1}}},
    {"devices": {"mobile": {"delay_m": [0.2] * 7}}}, {"tenants": {"t": {"ip_m": [0.5] * 6}}},
    {"tenants": {"t": {"devices": {"": {"fingerprint_m": [0.5] * 8}}}}},
    {"delay_hours": [24, 168]}, {"devices": {"": {"fingerprint": {"delay_u": [0.1] * 6}}}},
    {"tenants": {"t": {"devices": {"mobile": {"probabilistic": {"delay_u": [0.1]}}}}}},
    {"delay_hours": [24, 168], "delay_m": [0.1, 0.1], "fingerprint_m": [0.5, 0.5],
     "ip_m": [0.5, 0.5], "probabilistic": {"delay_u": [0.1] * 7}},
    {"devices": {f"d{number}": {} for number in range(255)},
     "tenants": {f"t{number}": {} for number in range(256)}},
    {"devices": {f"d{number}": {} for number in range(65_536)}},
    {"tenants": {"t": {"devices": {f"d{number}": {} for number in range(65_535)}}}})
# As large as a model may be: no fault, but one more would be.
LARGEST = {"devices": {f"d{number}": {} for number in range(255)},
           "tenants": {f"t{number}": {} for number in range(255)}}
# What is no JSON, or not all of it.
TEXTS = (
    '\ufeff{}', "", "[]", "{} {}", '{"devices": {"x": {}, "x": {}}}', '{"repeat": 1}',
    '{"tenants": {"t": {}, "\\u0074": {"ip_u_min": 0.1}}}', '{"fingerprint": {"repeat": 1e400}}',
    '{"probabilistic": {"traits": {"os": [0.5, 0.5], "os": [0.5, 0.5]}}}', '{"devices": {"x": {',
    '{"fingerprint": {"traits": {"os": [0.5, NaN]}}}', '{"devices": {x: {}}}',
    '{"tenants": {"t": {"devices": {}, "devices": {}}}}', '{"devices": {"\\ud800": {}}}')

COUNT = (len(LAYER_FAULTS) + len(PARAMETER_FAULTS) + len(OWN_FAULTS) + len(SECTION_FAULTS)
         + len(DEVICE_FAULTS) + len(TOGETHER) + len(TEXTS) + 1)


def devices_at(holder, name):
    return holder.setdefault("devices", {}).setdefault(name, {})


def section_of(random, model, must=False):
    """The model itself, unless it must be one of its sections, or one of them."""
    tenant = model.setdefault("tenants", {}).setdefault(random.choice(("t", "T", "x y")), {})
    name = random.choice(("mobile", "", "ö", "phone"))
    return random.choice((tenant, devices_at(model, name), devices_at(tenant, name))
                         + (model,) * (not must))


def fault_of(random, model, number):
    """Put fault `number` into a model, which is given back, or is replaced."""
    if number < len(LAYER_FAULTS):
        name, value = LAYER_FAULTS[number]
        layer = section_of(random, model).setdefault(random.choice(LAYERS), {})
        layer[name] = value
        return model
    number -= len(LAYER_FAULTS)
    for faults, must in ((PARAMETER_FAULTS, False), (SECTION_FAULTS, True)):
        if number < len(faults):
            name, value = faults[number]
            section_of(random, model, must)[name] = value
            return model
        number -= len(faults)
    if number < len(DEVICE_FAULTS):
        holder = random.choice((model, model.setdefault("tenants", {}).setdefault("t", {})))
        holder.setdefault("devices", {})[DEVICE_FAULTS[number]] = {}
        return model
    number -= len(DEVICE_FAULTS)
    return dict([OWN_FAULTS[number]]) if number < len(OWN_FAULTS) else \
        TOGETHER[number - len(OWN_FAULTS)]


def broken_text(random, number):
    """A model file with fault `number`, counted without end; number COUNT - 1 is no fault."""
    number %= COUNT
    if number == COUNT - 1:
        return json.dumps(LARGEST)
    if number >= COUNT - 1 - len(TEXTS):
        return TEXTS[number - COUNT + 1 + len(TEXTS)]
    return json.dumps(fault_of(random, valid_model(random), number),
                      ensure_ascii=random.random() < 0.5)
