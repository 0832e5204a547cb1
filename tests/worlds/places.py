"""Places: where a device is, and the address that it has there.

A household has one IPv4 address that is renewed now and then, or shares one with many (CGNAT); some
have an IPv6 prefix beside it. Offices have one fixed address. Carriers put their devices behind a
few IPv4 addresses, and some give each an IPv6 prefix of its own as well.
"""

import math

from devices import number_of

HOUR_US = 3600 * 10**6
DAY_US = 24 * HOUR_US


def ipv4(*parts):
    """An address that is somebody's: no private, reserved or test range begins with these."""
    bits = number_of(*parts)
    return "%d.%d.%d.%d" % (
        (31, 46, 62, 77, 80, 84, 88, 91, 93, 109)[bits % 10], (bits >> 8) % 256,
        (bits >> 16) % 256, (bits >> 24) % 254 + 1)


def ipv6(host, *prefix):
    bits = number_of(*prefix)
    tail = number_of(host)
    return "2a0%x:%x:%x:%x:%x:%x:%x:%x" % (
        (bits & 7), (bits >> 3 & 0xfff) | 0x1000, bits >> 16 & 0xffff, bits >> 32 & 0xffff,
        tail & 0xffff, tail >> 16 & 0xffff, tail >> 32 & 0xffff, tail >> 48)


def every(share, number):
    """True for `share` of the numbers from 0 on, spread evenly.

    For the few that decide much (tenants, carriers): worlds of other seeds stay alike.
    """
    return math.floor((number + 1) * share + 0.5) > math.floor(number * share + 0.5)


class Network:
    """Moves devices, and says what addresses they have."""

    def __init__(self, knobs, seed, rng, devices, households):
        """The last two are how many there are, so that what they share is as large as it says."""
        self.knobs = knobs
        self.seed = seed
        self.rng = rng
        self.offices = max(1, int(devices / knobs.office_size))
        self.hot_spots = max(1, devices // 40)
        self.gateways = max(1, int(households * knobs.shared_isps / knobs.shared_size))

    def chance(self, share, *parts):
        """True for `share` of all parts, always the same ones."""
        return number_of(self.seed, *parts) / 2**64 < share

    def choose_place(self, device, time_us):
        """By the hour: offices on weekdays, homes at night."""
        rng, knobs = self.rng, self.knobs
        hour = time_us // HOUR_US % 24
        working = 8 <= hour < 18 and time_us // DAY_US % 7 < 5
        if device.kind == "desktop":
            at_work = self.chance(0.35, "works", device.name)
            return "office" if at_work and rng.random() < (0.9 if working else 0.2) else "home"
        away = knobs.away * (1.3 if 8 <= hour < 22 else 0.6)
        if device.kind == "tablet":
            away *= 0.3
        if rng.random() >= away:
            return "home"
        if working and rng.random() < 0.3:
            return "office"
        return "public" if rng.random() < 0.12 else "mobile"

    def move(self, device, time_us, elapsed_us):
        """Follow the device to where it is now; `elapsed_us` is None when it is first seen."""
        rng, knobs = self.rng, self.knobs
        roams = 1.0 if device.kind == "mobile" else 0.4
        moved = elapsed_us is None
        if not moved:
            stays = math.exp(-elapsed_us / HOUR_US / knobs.stay_hours)
            moved = rng.random() < 1 - stays * (1 - knobs.hop * roams)
        old = device.place
        if moved:
            device.place = self.choose_place(device, time_us)
        if device.place == "mobile" and (
                old != "mobile" or elapsed_us is None
                or rng.random() < 1 - math.exp(-elapsed_us / HOUR_US / knobs.gateway_hours)):
            device.gateway = rng.randrange(knobs.carrier_gateways)
        if device.place == "public" and old != "public":
            device.gateway = rng.randrange(self.hot_spots)

    def address(self, device, time_us, tenant, is_click):
        knobs = self.knobs
        four, six = getattr(self, "at_" + device.place)(device, time_us)
        reached = is_click or every(knobs.shops_ipv6, tenant)
        if six and reached and self.rng.random() < knobs.prefer_ipv6:
            return six
        return four

    def at_home(self, device, time_us):
        knobs, seed, home = self.knobs, self.seed, device.household
        days = knobs.lease_days * (0.25 + 1.5 * (number_of(seed, "lease", home) / 2**64))
        epoch = int((time_us / DAY_US + number_of(seed, "phase", home) % 1000) / days)
        if self.chance(knobs.shared_isps, "shared", home):
            four = ipv4(seed, "cgnat", number_of(home, epoch // 8) % self.gateways)
        else:
            four = ipv4(seed, "home", home, epoch)
        if not self.chance(knobs.dual_stack, "dual", home):
            return four, None
        host = "%s|%d" % (device.name, time_us // DAY_US)
        return four, ipv6(host, seed, "home", home, epoch // 3)

    def at_office(self, device, time_us):
        del time_us
        return ipv4(self.seed, "office", int(device.office * self.offices)), None

    def at_public(self, device, time_us):
        del time_us
        return ipv4(self.seed, "public", device.gateway), None

    def at_mobile(self, device, time_us):
        four = ipv4(self.seed, "carrier", device.carrier, device.gateway)
        if not every(self.knobs.dual_stack, device.carrier):
            return four, None
        host = "%s|%d" % (device.name, time_us // DAY_US)
        return four, ipv6(host, self.seed, "mobile", device.name, device.gateway)
