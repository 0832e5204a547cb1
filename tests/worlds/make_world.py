#!/usr/bin/env python3
"""A world of clicks and conversions with known truth, independent of `clickmatch simulate`.

    tests/worlds/make_world.py --output DIR [--clicks N] [--conversions N] [--organic SHARE]
        [--days N] [--tenants N] [--seed N] [--variant NAME] [--KNOB VALUE]...

Writes clicks.csv, conversions.csv, click_truth.csv and conversion_truth.csv, with the columns and
the truth of src/sim/sim.h, each in time order. It shares neither code nor a number with the
simulator or the model, so that what `train` learns and `evaluate` says can be judged on traffic
that neither was made for. The same options make the same bytes; organic conversions are exactly
the share asked for. knobs.py lists what can be changed, and the variants.

People click ads of several tenants and come back to some. Phones of a model look alike, desktops
hardly. Browsers update, people roam between home, office and carriers, apps open pages in browsers
of their own, and iOS loses click ids. Part of the conversions comes from devices that never
clicked, or that clicked and would have come anyway. devices.py, places.py and events.py say how.
"""

import argparse
import csv
import dataclasses
import datetime
import os
import random

from devices import DESKTOP_SCREENS, REGIONS, age, number_of
from events import Calendar, Clicks, Conversions, newest_last
from knobs import VARIANTS, Knobs
from places import DAY_US, Network, ipv4

START = datetime.datetime(2026, 3, 2, tzinfo=datetime.timezone.utc)
SEEN_COLUMNS = ("ip_address", "user_agent", "device_type", "os", "browser", "screen_width",
                "screen_height", "timezone", "timezone_offset")
CLICK_COLUMNS = (
    "tenant_id", "click_id", "click_timestamp", "expires_at", "is_valid", "fbclid", "gclid",
    "campaign_id", "adset_id", "ad_id", "creative_id", "fingerprint_hash") + SEEN_COLUMNS
CONVERSION_COLUMNS = (
    "tenant_id", "conversion_id", "conversion_timestamp", "click_id", "fbclid", "gclid",
    "conversion_fingerprint_hash") + SEEN_COLUMNS + ("conversion_type", "conversion_value")
DAY_TEXTS = {}


def time_text(time_us):
    day, rest = divmod(time_us, DAY_US)
    if day not in DAY_TEXTS:
        DAY_TEXTS[day] = (datetime.date(1970, 1, 1) + datetime.timedelta(day)).isoformat()
    seconds, micros = divmod(rest, 10**6)
    return "%sT%02d:%02d:%02d.%06dZ" % (
        DAY_TEXTS[day], seconds // 3600, seconds // 60 % 60, seconds % 60, micros)


def tenant_name(tenant):
    return "store-%d" % (tenant + 1)


class Camera:
    """What the pages record of a device, as it changes from one visit to its next."""

    def __init__(self, knobs, seed, clicks):
        self.knobs = knobs
        self.seed = seed
        self.rng = random.Random("visits/%d" % seed)
        self.network = Network(knobs, seed, self.rng, len(clicks.devices), clicks.households)

    def see(self, event):
        """Fill event.fields: the fingerprint and SEEN_COLUMNS. A device's events in time order."""
        device = event.device
        elapsed_us = None if device.seen_us is None else event.time_us - device.seen_us
        if elapsed_us is not None:
            age(device, elapsed_us, self.knobs, self.rng)
        self.network.move(device, event.time_us, elapsed_us)
        device.seen_us = event.time_us
        device.in_app = self.app(event, elapsed_us)
        event.fields = self.record(event)

    def app(self, event, elapsed_us):
        """The app whose browser shows the page, or nothing."""
        device, rng, knobs = event.device, self.rng, self.knobs
        if device.kind != "mobile":
            return ""
        if event.is_click:
            return rng.choice(("FBAV", "Instagram")) if rng.random() < knobs.in_app else ""
        soon = elapsed_us is not None and elapsed_us < 3600 * 10**6
        return device.in_app if soon and rng.random() >= knobs.in_app_leaves else ""

    def record(self, event):
        """Without scripts there is neither fingerprint nor what only they can see."""
        device, rng, knobs = event.device, self.rng, self.knobs
        fingerprint, measured = "", ("", "", "", "")
        if rng.random() >= knobs.no_fingerprint:
            fingerprint = self.fingerprint(device)
            if rng.random() < knobs.described:
                measured = self.screen(device) + REGIONS[device.region]
        address = self.address(event) if rng.random() >= knobs.no_address else ""
        agent = device.user_agent(device.in_app) if rng.random() >= knobs.no_agent else ""
        kind = device.kind if rng.random() >= knobs.no_device_type else ""
        named = (device.system, device.in_app or device.browser) \
            if rng.random() < knobs.described else ("", "")
        return (fingerprint, address, agent, kind) + named + measured

    def screen(self, device):
        if device.kind == "desktop" and self.rng.random() < self.knobs.other_screen:
            return self.rng.choice(DESKTOP_SCREENS)
        return device.screen

    def fingerprint(self, device):
        if self.rng.random() < self.knobs.fingerprint_noise:
            return "%064x" % self.rng.getrandbits(256)
        differs = device.in_app and self.network.chance(
            self.knobs.in_app_fingerprint, "app", device.name)
        return device.fingerprint(device.in_app if differs else "")

    def address(self, event):
        if event.device.name[0] == "b":
            return ipv4(self.seed, "hosting", self.rng.randrange(200))
        return self.network.address(event.device, event.time_us, event.tenant, event.is_click)


def click_ids(seed, click):
    """fbclid and gclid of a click: one of them, by the network that showed the ad, or none."""
    bits = number_of(seed, "network", click.id)
    if bits % 10 < 5:
        return "IwZX%016x" % number_of(seed, "fbclid", click.id), ""
    if bits % 10 < 8:
        return "", "EAIa%016x" % number_of(seed, "gclid", click.id)
    return "", ""


def click_row(seed, click):
    fbclid, gclid = click_ids(seed, click)
    campaign = number_of(seed, "ad", click.id) % 24
    ads = ["%s%d" % (level, 1000 * click.tenant + campaign // part)
           for level, part in (("c", 6), ("s", 3), ("a", 1), ("v", 2))]
    expires = time_text(click.time_us + 7 * DAY_US) if click.tenant % 2 else ""
    return (tenant_name(click.tenant), click.id, time_text(click.time_us), expires,
            "true" if click.is_valid else "false", fbclid, gclid, *ads) + click.fields


def conversion_row(seed, conversion):
    ids = ("", "", "")
    if conversion.kept is not None:
        fbclid, gclid = click_ids(seed, conversion.kept)
        if fbclid:
            fbclid = "fb.1.%d.%s" % (conversion.kept.time_us // 1000, fbclid)
        ids = ("" if fbclid or gclid else conversion.kept.id, fbclid, gclid)
    bits = number_of(seed, "sale", conversion.id)
    sale = ("purchase", "%d.%02d" % (5 + bits % 190, bits >> 20 & 63)) if bits % 3 else ("lead", "")
    return (tenant_name(conversion.tenant), conversion.id, time_text(conversion.time_us)) + ids \
        + conversion.fields + sale


def write_rows(folder, name, columns, rows):
    with open(os.path.join(folder, name), "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def write_world(folder, seed, clicks, conversions):
    os.makedirs(folder, exist_ok=True)
    write_rows(folder, "clicks.csv", CLICK_COLUMNS, (click_row(seed, click) for click in clicks))
    write_rows(folder, "conversions.csv", CONVERSION_COLUMNS,
               (conversion_row(seed, conversion) for conversion in conversions))
    write_rows(folder, "click_truth.csv", ("tenant_id", "click_id", "device"), (
        (tenant_name(click.tenant), click.id, click.device.name) for click in clicks))
    write_rows(folder, "conversion_truth.csv", (
        "tenant_id", "conversion_id", "device", "click_id", "organic"), (
            (tenant_name(one.tenant), one.id, one.device.name,
             one.truth.id if one.truth else "", "false" if one.truth else "true")
            for one in conversions))


def make_world(options, knobs):
    """The clicks and the conversions, each in time order, with all they show."""
    start_us = int(START.timestamp()) * 10**6
    rng = random.Random("calendar/%d" % options.seed)
    clicks = Clicks(knobs, options, Calendar(start_us, options.days, rng))
    conversions = Conversions(knobs, options, clicks)
    camera = Camera(knobs, options.seed, clicks)
    for event in sorted(clicks.all + conversions.all, key=newest_last):
        camera.see(event)
    return sorted(clicks.all, key=newest_last), sorted(conversions.all, key=newest_last)


def parse(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--output", required=True, metavar="DIR", help="made if it is missing")
    parser.add_argument("--clicks", type=int, default=200000)
    parser.add_argument("--conversions", type=int, default=50000)
    parser.add_argument("--organic", type=float, default=0.35, metavar="SHARE",
                        help="share of conversions whose device has no active click")
    parser.add_argument("--days", type=int, default=14)
    parser.add_argument("--tenants", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--variant", choices=VARIANTS, default="default")
    for field in dataclasses.fields(Knobs):
        parser.add_argument("--" + field.name.replace("_", "-"), type=type(field.default),
                            help="%s (default: %s)" % (field.metadata["help"], field.default))
    options = parser.parse_args(arguments)
    if options.clicks < 0 or options.conversions < 0 or not 0 <= options.organic <= 1 \
            or options.days < 1 or options.tenants < 1:
        parser.error("counts are 0 or more, --organic 0 to 1, --days and --tenants 1 or more")
    knobs = Knobs(**VARIANTS[options.variant])
    for field in dataclasses.fields(Knobs):
        if getattr(options, field.name) is not None:
            setattr(knobs, field.name, getattr(options, field.name))
    return options, knobs


def main():
    options, knobs = parse()
    write_world(options.output, options.seed, *make_world(options, knobs))


if __name__ == "__main__":
    main()
