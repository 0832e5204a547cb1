"""Model files (docs/matching.md, section 5)."""

import json
import math

from reference_files import no_constant, read_file
from reference_values import Failure

DEFAULT_MODEL = {
    "name": "default", "version": "1",
    "window_hours": 168.0, "probabilistic_window_hours": 24.0, "retention_hours": 24.0,
    "max_candidates": 64, "ipv4_prefix": 32, "ipv6_prefix": 64,
    "delay_hours": [0.016666666666666666, 0.16666666666666666, 1.0, 6.0, 24.0, 72.0, 168.0],
    "delay_m": [0.06, 0.19, 0.195, 0.105, 0.086, 0.214, 0.15],
    "fingerprint_m": [0.90, 0.90, 0.90, 0.88, 0.85, 0.80, 0.70],
    "ip_m": [0.80, 0.80, 0.80, 0.68, 0.62, 0.52, 0.48],
    "fingerprint_u": 0.01, "ip_u_min": 0.001, "ip_other_m": None, "ip_other_u": None,
    "fingerprint": {
        "prior": 0.5, "rivals": 0.15, "user_agent_m": 0.90, "user_agent_u": 0.15,
        "band": [0.6, 0.9], "calibration": [], "repeat": 0.0, "delay_u": None, "traits": {}},
    "probabilistic": {
        "prior": 0.2, "rivals": 0.30, "user_agent_m": 0.90, "user_agent_u": 0.05,
        "band": [0.3, 0.6], "calibration": [], "repeat": 0.0, "delay_u": None, "traits": {}},
    "devices": {}, "tenants": {}}

LAYERS = ("fingerprint", "probabilistic")
TRAITS = ("os", "browser", "screen", "timezone")  # in the order in which they multiply
BINS = ("delay_m", "fingerprint_m", "ip_m")
PARAMETERS = (*BINS, "fingerprint_u", "ip_u_min", "ip_other_m", "ip_other_u", *LAYERS)
HOURS_MAX = 100_000_000
COMBINATIONS_MAX = 65_536
CHANCE_LEAST, RIVALS_LEAST = 1e-12, 1e-9


def hours_to_us(hours):
    return int(hours * 3600000000.0 + 0.5)


def refuse(field, why):
    raise Failure(1, f"model: {field}: {why}", field)


def refuse_all(why):
    """For what is about no one field."""
    raise Failure(1, f"model: {why}")


def refuse_combination(path, name, why):
    """Which of the sections that make it up is to blame nobody can say."""
    raise Failure(1, f"model: {path}{name}: {why}", f"*.{name}")


def number_of(field, value):
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        refuse(field, "not a number")
    try:
        value = float(value)
    except OverflowError:
        value = math.inf
    if not math.isfinite(value):
        raise Failure(1, f"model: {field}: not a finite number")  # to others not even JSON
    return value


def numbers_of(field, value):
    if not isinstance(value, list):
        refuse(field, "not a list")
    return [number_of(field, item) for item in value]


def whole_of(field, value, least, most):
    value = number_of(field, value)
    if value != math.floor(value) or not least <= value <= most:
        refuse(field, f"not a whole number from {least} to {most}")
    return int(value)


def probability_of(field, value):
    value = number_of(field, value)
    if not CHANCE_LEAST <= value < 1:
        refuse(field, f"not from {CHANCE_LEAST} to below 1")
    return value


def hours_of(field, value):
    value = number_of(field, value)
    if value > HOURS_MAX:
        refuse(field, f"above {HOURS_MAX}")
    return value


def label_of(field, value):
    if not isinstance(value, str):
        refuse(field, "not a string")
    if not 1 <= len(value.encode("utf-8")) <= 100:
        refuse(field, "empty or longer than 100 bytes")
    if any(character < " " or character == "\x7f" for character in value):
        refuse(field, "has control characters")
    if field == "name" and "@" in value:
        refuse(field, "has an @")
    return value


def key_of(field, value):
    """The name of a section; as ids are, it is without NUL."""
    if "\0" in value:
        refuse_all(f"{field!r}: contains a NUL")
    return value


def object_of(field, value):
    if not isinstance(value, dict):
        refuse(field, "not an object")
    return value


# -------------------------------------------------------------------------------------------------
# A section, and what a model says itself: a dictionary of what is changed


def layer_of(path, given):
    """The changes of one layer."""
    result = {}
    for name, value in object_of(path, given).items():
        field = f"{path}.{name}"
        if name in ("prior", "user_agent_m", "user_agent_u"):
            result[name] = probability_of(field, value)
        elif name == "rivals":
            result[name] = number_of(field, value)
            if not result[name] >= RIVALS_LEAST:
                refuse(field, f"below {RIVALS_LEAST}")
        elif name == "band":
            result[name] = numbers_of(field, value)
            if len(value) != 2 or not 0 <= result[name][0] < result[name][1] < 1:
                refuse(field, "not 0 <= lo < hi < 1")
        elif name == "calibration":
            if not isinstance(value, list):
                refuse(field, "not a list")
            result[name] = knots_of(field, [numbers_of(field, knot) for knot in value])
        elif name == "repeat":
            result[name] = number_of(field, value)
            if not 0 <= result[name] <= 1000:
                refuse(field, "not from 0 to 1000")
        elif name == "delay_u":
            result[name] = [probability_of(field, item) for item in numbers_of(field, value)]
        elif name == "traits":
            result[name] = traits_of(field, value)
        else:
            refuse(field, "unknown field")
    return result


def traits_of(path, given):
    result = {}
    for name, value in object_of(path, given).items():
        field = f"{path}.{name}"
        if name not in TRAITS:
            refuse(field, "unknown field")
        if not isinstance(value, list) or len(value) != 2:
            refuse(field, "not [m, u]")
        result[name] = [probability_of(field, item) for item in value]
    return result


def knots_of(field, knots):
    for place, knot in enumerate(knots):
        if len(knot) != 2:
            refuse(field, "a knot is not [x, y]")
        if not 0 <= knot[1] <= 1:
            refuse(field, "y outside 0 to 1")
        if place > 0 and (knot[0] <= knots[place - 1][0] or knot[1] < knots[place - 1][1]):
            refuse(field, "x does not rise or y falls")
    return knots


def parameter_of(path, name, value):
    field = path + name
    if name in LAYERS:
        return layer_of(field, value)
    if name not in BINS:
        return probability_of(field, value)
    values = numbers_of(field, value)
    for item in values:
        if name != "delay_m" or item != 0:
            probability_of(field, item)
    return values


def section_of(path, given, further=()):
    """The changes of a section; `further` are names that it may have beside parameters."""
    result = {}
    for name, value in object_of(path, given).items():
        if name in PARAMETERS:
            result[name] = parameter_of(f"{path}.", name, value)
        elif name not in further:
            refuse(f"{path}.{name}", "unknown field")
    return result


def devices_of(path, given):
    result = {}
    for name, value in object_of(path, given).items():
        key_of(f"{path}.{name}", name)
        if any("A" <= character <= "Z" for character in name):
            refuse(f"{path}.{name}", "a device type with a capital letter")
        result[name.encode("utf-8")] = section_of(f"{path}.{name}", value)
    return result


def tenants_of(given):
    result = {}
    for name, value in object_of("tenants", given).items():
        path = f"tenants.{name}"
        if not key_of(path, name):
            refuse(path, "no tenant's id: empty")
        if len(name) > 255:
            refuse_all(f"{path}: no tenant's id: longer than 255 characters")
        section = section_of(path, value, ("devices",))
        section["devices"] = devices_of(f"{path}.devices", value.get("devices", {}))
        result[name.encode("utf-8")] = section
    return result


def changed(model, section):
    """A model's parameters changed by a section."""
    result = dict(model)
    for name, value in section.items():
        if name in LAYERS:
            value = {**model[name], **value}
            value["traits"] = {**model[name]["traits"], **value["traits"]}
        if name in PARAMETERS:
            result[name] = value
    return result


def parameters_of(model, tenant, device_type):
    """What holds for the conversions of a tenant and a device type in small letters, as bytes."""
    if not model["devices"] and not model["tenants"]:
        return model
    key = device_type or b""
    own = model["tenants"].get(tenant, {"devices": {}})
    for section in (model["devices"].get(key, {}), own, own["devices"].get(key, {})):
        model = changed(model, section)
    return model


# -------------------------------------------------------------------------------------------------
# Models


OWN = {"name": label_of, "version": label_of, "retention_hours": hours_of,
       "window_hours": hours_of, "probabilistic_window_hours": hours_of,
       "max_candidates": lambda field, value: whole_of(field, value, 1, 1024),
       "ipv4_prefix": lambda field, value: whole_of(field, value, 1, 32),
       "ipv6_prefix": lambda field, value: whole_of(field, value, 1, 128),
       "devices": devices_of, "tenants": lambda _, value: tenants_of(value),
       "delay_hours": lambda field, value: [hours_of(field, item)
                                            for item in numbers_of(field, value)]}


def model_of(given):
    model, changes = dict(DEFAULT_MODEL), {}
    if not isinstance(given, dict):
        refuse_all("not an object")
    for name, value in given.items():
        if name in PARAMETERS:
            changes[name] = parameter_of("", name, value)
        elif name in OWN:
            model[name] = OWN[name](name, value)
        else:
            refuse(name, "unknown field")
    model = changed(model, changes)
    check_times(model)
    check_combinations(model)
    return model


def check_times(model):
    edges = model["delay_hours"]
    if not edges:
        refuse("delay_hours", "no bins")
    before = 0.0
    for edge in edges:
        if not (edge > before and hours_to_us(edge) > hours_to_us(before)):
            refuse("delay_hours", "edges do not rise")
        before = edge
    for name in ("window_hours", "probabilistic_window_hours"):
        if model[name] not in edges or model[name] > 720:
            refuse(name, "no edge of delay_hours or above 720")
    if model["retention_hours"] < 0:
        refuse("retention_hours", "below 0")


def check_combinations(model):
    """What takes several fields, as each conversion may meet them."""
    devices, tenants = model["devices"], model["tenants"]
    combinations = [("", None, device) for device in (None, *devices)]
    for tenant, section in tenants.items():
        types = (None, *{**devices, **section["devices"]})
        if len(combinations) + len(types) > COMBINATIONS_MAX:
            refuse_all(f"more than {COMBINATIONS_MAX} combinations")
        combinations += [(f"tenants.{tenant.decode()}.", tenant, device) for device in types]
    if len(combinations) > COMBINATIONS_MAX:
        refuse_all(f"more than {COMBINATIONS_MAX} combinations")
    for path, tenant, device in combinations:
        if device is not None:
            path += f"devices.{device.decode()}."
        # No device type is None: of sections, "" is for conversions without one.
        check_parameters(path, model if tenant is device is None
                         else combination(model, tenant, device))


def combination(model, tenant, device):
    """parameters_of, but for the combination that no device's section has a part in."""
    if device is not None:
        return parameters_of(model, tenant, device)
    return changed(model, model["tenants"][tenant])


def check_parameters(path, model):
    for name in BINS:
        if len(model[name]) != len(model["delay_hours"]):
            refuse_combination(path, name, "not as many bins as delay_hours")
    for name in LAYERS:
        delay_u = model[name]["delay_u"]
        if delay_u is not None and len(delay_u) != len(model["delay_hours"]):
            refuse_combination(path, f"{name}.delay_u", "not as many bins as delay_hours")
    sum_m = 0.0
    for value in model["delay_m"]:
        sum_m += value
    if sum_m > 1:
        refuse_combination(path, "delay_m", "sums to more than 1")
    other_m, other_u = model["ip_other_m"], model["ip_other_u"]
    if (other_m is None) != (other_u is None):
        refuse_combination(path, "ip_other_m" if other_m is None else "ip_other_u", "missing")


def no_key_twice(pairs):
    result = dict(pairs)
    if len(result) < len(pairs):
        raise ValueError("a key comes twice")
    return result


def load_model(path):
    if path is None:
        return DEFAULT_MODEL
    try:
        text = read_file(path).decode("utf-8")
        return model_of(json.loads(text, parse_constant=no_constant,
                                   object_pairs_hook=no_key_twice))
    except ValueError as error:
        raise Failure(1, f"{path}: not JSON: {error}") from None
