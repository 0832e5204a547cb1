"""Devices: what they are, how much they look like others, and how that changes with time."""

import bisect
import hashlib
import itertools
import math
import random

REGIONS = (("Europe/Berlin", 60), ("Europe/Vienna", 60), ("Europe/London", 0),
           ("Europe/Istanbul", 180), ("America/New_York", -300))
REGION_SHARES = (0.45, 0.15, 0.18, 0.12, 0.10)
CARRIERS = 3  # of each region
PHONE_SCREENS = ((390, 844), (393, 852), (430, 932), (375, 667), (412, 915), (360, 800),
                 (384, 854), (393, 873), (360, 780), (414, 896))
TABLET_SCREENS = ((820, 1180), (810, 1080), (1024, 1366), (800, 1280))
DESKTOP_SCREENS = ((1920, 1080), (1536, 864), (2560, 1440), (1366, 768), (1440, 900), (1280, 720),
                   (1728, 1117), (3840, 2160), (1680, 1050))


def number_of(*parts):
    """64 bits that depend on all parts and nothing else."""
    text = "\x1f".join(map(str, parts)).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")


class Ranked:
    """Draws 0, 1, ... count - 1, the n-th as often as 1 / (n + 1) ** skew."""

    def __init__(self, count, skew):
        weights = [(rank + 1) ** -skew for rank in range(count)]
        self.sums = list(itertools.accumulate(weights))

    def draw(self, rng):
        return bisect.bisect_right(self.sums, rng.random() * self.sums[-1], 0, len(self.sums) - 1)


class Device:
    """One device. What changes (versions, place) is as at its last visit, `seen_us`.

    `office` says which one, as a share of all: the first are the largest.
    """

    __slots__ = ("name", "kind", "system", "model", "look", "region", "screen", "browser",
                 "version", "agent", "household", "office", "carrier", "place", "gateway",
                 "seen_us", "in_app")

    def fingerprint(self, app):
        text = "%s|%s|%s|%s|%d|%s" % (
            self.system, self.model, self.look, self.region, self.version, app)
        return hashlib.sha256(text.encode()).hexdigest()

    def user_agent(self, app):
        """Names the model on Android only, as browsers do."""
        system = {
            "iOS": "iPhone; CPU iPhone OS 18_%d like Mac OS X" % (self.agent % 7),
            "Android": "Linux; Android %d; M%s" % (12 + self.agent % 4, self.model),
            "Windows": "Windows NT 10.0; Win64; x64",
            "macOS": "Macintosh; Intel Mac OS X 10_15_7",
        }[self.system]
        suffix = " [%s/%d]" % (app, 500 + self.agent % 5) if app else ""
        return "Mozilla/5.0 (%s) %s/%d.0%s" % (system, self.browser, 120 + self.agent, suffix)


class Population:
    """Makes devices one after the other, household by household."""

    def __init__(self, knobs, seed):
        self.knobs = knobs
        self.rng = random.Random("devices/%d" % seed)
        self.models = Ranked(knobs.phone_models, knobs.model_skew)
        self.looks = Ranked(knobs.looks, knobs.look_skew)
        self.agents = Ranked(knobs.agent_spread, 0.7)
        self.versions = Ranked(5, 0.9)
        self.carriers = Ranked(CARRIERS, 0.8)
        self.screens = Ranked(len(DESKTOP_SCREENS), 0.8)
        self.count = 0
        self.household = 0
        self.left_in_household = 0
        self.household_region = 0

    def next_household(self):
        rng = self.rng
        self.household += 1
        self.left_in_household = 1
        while rng.random() < 1 - 1 / self.knobs.household and self.left_in_household < 9:
            self.left_in_household += 1
        self.household_region = rng.choices(range(len(REGIONS)), REGION_SHARES)[0]

    def make(self):
        rng, knobs = self.rng, self.knobs
        if self.left_in_household == 0:
            self.next_household()
        self.left_in_household -= 1
        self.count += 1
        device = Device()
        device.name = "d%d" % self.count
        device.household = self.household
        device.region = self.household_region
        device.office = rng.random() ** 2
        device.carrier = self.carriers.draw(rng) + CARRIERS * device.region
        device.version = 10 - self.versions.draw(rng)
        device.agent = knobs.agent_spread - self.agents.draw(rng)
        device.place = device.gateway = None
        device.seen_us = None
        device.in_app = ""
        self.dress(device)
        return device

    def dress(self, device):
        """Kind, system, browser, and what its fingerprint is made of."""
        rng, knobs = self.rng, self.knobs
        chance = rng.random()
        if chance < knobs.phones + knobs.tablets:
            device.kind = "mobile" if chance < knobs.phones else "tablet"
            device.system = "iOS" if rng.random() < knobs.ios else "Android"
            device.browser = "Safari" if device.system == "iOS" else "Chrome"
            device.model = "%s%d" % (device.kind[0], self.models.draw(rng))
            device.look = self.looks.draw(rng)
            screens = PHONE_SCREENS if device.kind == "mobile" else TABLET_SCREENS
            device.screen = screens[number_of(device.system, device.model) % len(screens)]
            return
        device.kind = "desktop"
        device.system = "Windows" if rng.random() < 0.75 else "macOS"
        device.browser = rng.choices(("Chrome", "Edge", "Firefox", "Safari"),
                                     (60, 20, 12, 8))[0]
        device.screen = DESKTOP_SCREENS[self.screens.draw(rng)]
        device.model = device.browser
        plain = rng.random() < knobs.plain_desktops
        device.look = self.looks.draw(rng) if plain else "own-" + device.name


def age(device, elapsed_us, knobs, rng):
    """Updates that came in the time since the device was last seen."""
    days = elapsed_us / 86400e6
    if rng.random() < 1 - math.exp(-days / knobs.update_days):
        device.version += 1
    if rng.random() < 1 - math.exp(-days / knobs.agent_days):
        device.agent += 1
