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
    "fingerprint_u": 0.01, "ip_u_min": 0.001,
    "fingerprint": {
        "prior": 0.5, "rivals": 0.15, "user_agent_m": 0.90, "user_agent_u": 0.15,
        "band": [0.6, 0.9], "calibration": []},
    "probabilistic": {
        "prior": 0.2, "rivals": 0.30, "user_agent_m": 0.90, "user_agent_u": 0.05,
        "band": [0.3, 0.6], "calibration": []}}


def hours_to_us(hours):
    return int(hours * 3600000000.0 + 0.5)


def refuse(field, why):
    raise Failure(1, f"model: {field}: {why}")


def number_of(field, value):
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        refuse(field, "not a number")
    value = float(value)
    if not math.isfinite(value):
        refuse(field, "not a finite number")
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
    if not 0 < value < 1:
        refuse(field, "not strictly between 0 and 1")
    return value


def layer_of(layer, given):
    if not isinstance(given, dict):
        refuse(layer, "not an object")
    result = dict(DEFAULT_MODEL[layer])
    for name, value in given.items():
        field = f"{layer}.{name}"
        if name in ("prior", "user_agent_m", "user_agent_u"):
            result[name] = probability_of(field, value)
        elif name == "rivals":
            result[name] = number_of(field, value)
            if not result[name] > 0:
                refuse(field, "not above 0")
        elif name == "band":
            result[name] = numbers_of(field, value)
            if len(value) != 2 or not 0 <= result[name][0] < result[name][1] < 1:
                refuse(field, "not 0 <= lo < hi < 1")
        elif name == "calibration":
            if not isinstance(value, list):
                refuse(field, "not a list")
            result[name] = knots_of(field, [numbers_of(field, knot) for knot in value])
        else:
            refuse(field, "unknown field")
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


def model_of(given):
    if not isinstance(given, dict):
        refuse("the file", "not a JSON object")
    model = dict(DEFAULT_MODEL)
    for name, value in given.items():
        if name not in model:
            refuse(name, "unknown field")
        if name in ("name", "version"):
            if not isinstance(value, str):
                refuse(name, "not a string")
            model[name] = value
        elif name in ("fingerprint", "probabilistic"):
            model[name] = layer_of(name, value)
        elif name == "max_candidates":
            model[name] = whole_of(name, value, 1, 1024)
        elif name in ("ipv4_prefix", "ipv6_prefix"):
            model[name] = whole_of(name, value, 1, 32 if name == "ipv4_prefix" else 128)
        elif isinstance(DEFAULT_MODEL[name], list):
            model[name] = numbers_of(name, value)
        elif name in ("fingerprint_u", "ip_u_min"):
            model[name] = probability_of(name, value)
        else:
            model[name] = number_of(name, value)
    check_bins(model)
    return model


def check_bins(model):
    edges = model["delay_hours"]
    if not edges:
        refuse("delay_hours", "no bins")
    for name in ("delay_m", "fingerprint_m", "ip_m"):
        if len(model[name]) != len(edges):
            refuse(name, "not as many bins as delay_hours")
        for value in model[name]:
            if not (0 < value < 1 or name == "delay_m" and value == 0):
                refuse(name, "not strictly between 0 and 1")
    before = 0.0
    for edge in edges:
        if not (edge > before and hours_to_us(edge) > hours_to_us(before)):
            refuse("delay_hours", "edges do not rise")
        before = edge
    sum_m = 0.0
    for value in model["delay_m"]:
        sum_m += value
    if sum_m > 1:
        refuse("delay_m", "sums to more than 1")
    for name in ("window_hours", "probabilistic_window_hours"):
        if model[name] not in edges or model[name] > 720:
            refuse(name, "no edge of delay_hours or above 720")
    if model["retention_hours"] < 0:
        refuse("retention_hours", "below 0")


def load_model(path):
    if path is None:
        return DEFAULT_MODEL
    try:
        text = read_file(path).decode("utf-8")
        return model_of(json.loads(text, parse_constant=no_constant))
    except ValueError as error:
        raise Failure(1, f"{path}: not JSON: {error}") from None
