"""Rows of fuzz_values.py as CSV and NDJSON, in many spellings, some rows broken on purpose."""

import json
import re

from reference_values import CLICK_PARSERS, CLICK_REQUIRED, CONVERSION_PARSERS

COLUMNS = {"click": [name for name, _ in CLICK_PARSERS],
           "conversion": [name for name, _ in CONVERSION_PARSERS]}
# Names beside the known ones.
EXTRA_COLUMNS = ("conversion_type", "Click_id", "click_id ", "", "tenant", 'a"b', "c,d", "e\nf",
                 "ñ", "click_timestamp\0", "is_valid\r", "event")
BLANKS = (b"\n", b"\r\n", b"\n\n\n")
NOISE = (b",", b'"', b"\n", b"\r", b"\r\n", b"\0", b"\xff", b"{", b"}", b"\\", b" ", b"0", b":",
         b'""', b'",', b',"', b'"\n', b"\xef\xbb\xbf", b"")


class Raw(bytes):
    """A value that stands in JSON as it is."""


def mutate(random, text, count):
    """Put noise at random places, some of it in the place of what was there."""
    for _ in range(count):
        at = random.randrange(len(text) + 1)
        text = text[:at] + random.choice(NOISE) + text[at + random.choice((0, 0, 1, 3)):]
    return text


def stretch(random, text, filler):
    """Make one line as long as a row may be, or a little shorter or longer."""
    lines = text.split(b"\n")
    place = random.randrange(len(lines))
    at = random.randrange(len(lines[place]) + 1)
    size = (1 << 20) + random.choice((-2, -1, 0, 1, 2, 100, 70000)) - len(lines[place])
    lines[place] = lines[place][:at] + filler * size + lines[place][at:]
    return b"\n".join(lines)


# -------------------------------------------------------------------------------------------------
# CSV


def csv_field(random, value, eager):
    value = value or b""
    must = value[:1] == b'"' or any(byte in value for byte in (b",", b"\n", b"\r"))
    if must or random.random() < eager:
        return b'"' + value.replace(b'"', b'""') + b'"'
    return value


def broken_csv(random, fields):
    """A row with the wrong number of fields, or with quotes that do not fit."""
    fields, at = list(fields), random.randrange(len(fields))
    kind = random.randrange(8)
    if kind == 0:
        fields.pop()
    elif kind == 1:
        fields.append(random.choice((b"", b"x", b'"x"')))
    elif kind == 2:
        fields = fields[:at]
    elif kind == 3:
        fields[at] = b'"x" '
    elif kind == 4:
        fields[at] = b'"x\ny"z'
    elif kind == 5:
        fields[at] = b'"' + fields[at].strip(b'"') + b'"' + b"\r"
    elif kind == 6:
        fields[at] = b'"never closed'
    else:
        fields[at] = b' "x"'  # a quote that opens nothing
    return b",".join(fields)


def csv_file(random, kind, rows, hostile, needed=CLICK_REQUIRED):
    columns = [name for name in COLUMNS[kind]
               if name in needed or name.startswith("conversion_") or random.random() < 0.9]
    columns += random.sample(EXTRA_COLUMNS, random.choice((0, 0, 1, 3)))
    random.shuffle(columns)
    eager = random.choice((0, 0.1, 1))
    line_ends = random.choice(((b"\n",), (b"\r\n",), (b"\n", b"\r\n")))
    header = [csv_field(random, name.encode(), eager) for name in columns]
    if random.random() < 0.02:
        header = broken_header(random, header)
    parts = [random.choice((b"", b"", b"\xef\xbb\xbf")), random.choice((b"", b"", b"", b"\r\n\n")),
             b",".join(header), random.choice(line_ends)]
    for row in rows:
        fields = [csv_field(random, row.get(name, random.choice((b"", b"x", b"\xff")))
                            if name in EXTRA_COLUMNS else row.get(name), eager)
                  for name in columns]
        is_broken = random.random() < hostile
        parts += [broken_csv(random, fields) if is_broken else b",".join(fields),
                  random.choice(line_ends)]
        if random.random() < 0.03:
            parts.append(random.choice(BLANKS))
    if random.random() < 0.3:
        parts[-1] = random.choice((b"", b"", b"\r", b"\n\r"))
    return b"".join(parts)


def broken_header(random, header):
    kind = random.randrange(4)
    if kind == 0:
        return header + [random.choice(header)]
    if kind == 1:
        return header[1:]
    if kind == 2:
        return [header[0] + b'"', b'"' + header[0]] + header[1:]
    return [b'"x" y'] + header


# -------------------------------------------------------------------------------------------------
# NDJSON


SHORT_ESCAPES = {8: b"\\b", 9: b"\\t", 10: b"\\n", 12: b"\\f", 13: b"\\r", 34: b'\\"', 47: b"\\/",
                 92: b"\\\\"}


def json_escape(random, character):
    code = ord(character)
    if code in SHORT_ESCAPES and random.random() < 0.7:
        return SHORT_ESCAPES[code]
    units = [code]
    if code > 0xFFFF:
        units = [0xD800 + (code - 0x10000 >> 10), 0xDC00 + (code - 0x10000 & 0x3FF)]
    return b"".join(random.choice((b"\\u%04x", b"\\u%04X")) % unit for unit in units)


def json_text(random, value, eager):
    """A string. Bytes that are not UTF-8 stay, as a rule in the place of U+FFFD."""
    if random.random() < 0.95:
        value = value.decode("utf-8", "replace").encode("utf-8")
    parts = []
    for character in value.decode("utf-8", "surrogateescape"):
        if 0xDC80 <= ord(character) <= 0xDCFF:
            parts.append(bytes([ord(character) - 0xDC00]))
        elif ord(character) < 32 or character in '"\\' or random.random() < eager:
            parts.append(json_escape(random, character))
        else:
            parts.append(character.encode("utf-8"))
    return b'"' + b"".join(parts) + b'"'


def time_number(random, time):
    """Milliseconds, with digits beyond the microseconds, or with an exponent."""
    whole, fraction = str(time // 1000), "%03d" % (time % 1000)
    if random.random() < 0.3:
        fraction += "%d" % random.randrange(10 ** 6)
    if random.random() < 0.3:
        shift = random.randrange(1, 20)
        digits = whole.rjust(shift + 1, "0")
        head = digits[:-shift].lstrip("0") or "0"
        power = random.choice("eE") + random.choice(("", "+")) + str(shift)
        text = f"{head}.{digits[-shift:]}{fraction}{power}"
    elif random.random() < 0.2:
        digits = (whole + fraction).lstrip("0") or "0"
        text = f"{digits}e-{len(fraction)}"
    else:
        text = whole + "." + fraction if fraction.strip("0") else whole
    return text.encode()


ODD_NUMBERS = (b"0", b"-0", b"-0.0", b"0e99", b"1e-400", b"-1", b"-0.0009", b"-0.001", b"1e400",
               b"1e14", b"253402300799999", b"253402300799999.9999", b"253402300800000",
               b"2.53402300800e14", b"1772323200000.0000000000000000000000001", b"17723232e5",
               b"0.0017723232e+15", b"1e5", b"1" + b"0" * 100, b"1e-99999999999999999999", b"0.1e1",
               b"390", b"3.9e2", b"390.0", b"39e1", b"3900e-1", b"390.5", b"1e63", b"1e64",
               b"-60.0", b"-6E+1", b"1", b"1.0", b"true", b"0." + b"0" * 300 + b"1e303")
NO_NUMBERS = (b"01", b"1.", b".5", b"+1", b"1e", b"1e+", b"--1", b"0x10", b"NaN", b"Infinity",
              b"-Infinity", b"-", b"1_000", b"True", b"nul", b"nulll", b"tru", b"1 2")
WRONG_TYPES = (b"true", b"false", b"[]", b"{}", b'["x"]', b'{"x":1}', b"12", b"-1.5e3")
NESTED = (b'{"a":[1,2,{"b":null}]}', b'"\\ud83d\\ude00 \\u0000"', b"[[],{},[[]],\"\"]", b"-1E+2",
          b"[" * 62 + b"]" * 62, b"[" * 63 + b"]" * 63, b'{"a":' * 62 + b"0" + b"}" * 62)
BROKEN_NESTED = (b"[" * 64 + b"]" * 64, b'{"a":' * 63 + b"[]" + b"}" * 63, b"[1,]", b"[1 2]",
                 b"{1:2}", b'{"a"}', b'{"a":}', b'["\\ud800"]', b'["\\udc00\\ud800"]',
                 b'{"\\ud800":1}', b"[\x01]", b'"\\x41"', b'"\\u12"', b'"\\u12g4"',
                 b'"\t"', b'"\x1f"', b'"\xff"', b"[", b'"', b"[" * 5000, b"'x'", b'"\\',
                 b'"\\ud800\\u0041"', b'"\xed\xa0\x80"', b"/* */ 1")
EXTRA_KEYS = (b'"x"', b'""', b'"Click_id"', b'"click_id "', b'"click_id\\u0000"', b'"event"',
              b'"conversion_value"', b'"' + b"k" * 300 + b'"', b'"\\u0063lick_i"')


def json_value(random, row, name, eager):
    if isinstance(row[name], Raw):
        return row[name]
    kind = random.random()
    if kind < 0.25 and name + " us" in row:
        return time_number(random, row[name + " us"])
    if kind < 0.3 and name == "is_valid":
        return random.choice((b"true", b"false", b"0", b"1", b"null"))
    is_whole = re.fullmatch(rb"-?[1-9][0-9]*", row[name])
    if kind < 0.5 and is_whole and name.startswith(("screen", "timezone")):
        return row[name] + random.choice((b"", b".0", b"00E-2", b"e0"))
    return json_text(random, row[name], eager)


def json_key(random, name, eager):
    return json_text(random, name.encode(), eager if random.random() < 0.1 else 0)


def json_members(random, row, hostile, eager):
    """(key, value) of one row in the order in which they stand."""
    members = []
    for name in row:
        if " " in name:
            continue
        if row[name] is None:
            if random.random() < 0.3:
                members.append((json_key(random, name, eager), random.choice((b"null", b'""'))))
            continue
        value = json_value(random, row, name, eager)
        if random.random() < hostile / 4:
            value = random.choice(WRONG_TYPES + ODD_NUMBERS + NO_NUMBERS[:2])
        members.append((json_key(random, name, eager), value))
    for _ in range(random.choice((0, 0, 0, 1, 2))):
        members.append((random.choice(EXTRA_KEYS), random.choice(NESTED + ODD_NUMBERS[:8])))
    if random.random() < hostile:
        key = random.choice([key for key, _ in members] + list(EXTRA_KEYS))
        members.append((key, random.choice(BROKEN_NESTED + NO_NUMBERS)))
    random.shuffle(members)
    if random.random() < 0.05:  # the last of two counts
        key, value = random.choice(members)
        members.insert(0, (key, random.choice((value, b"7", b"null", b'"twin"', b"[]"))))
        members.append((key, value))
    return members


def json_line(random, row, hostile, eager):
    space = random.choice(([b""], [b""], [b"", b" ", b"\t", b" \r "]))
    line = random.choice(space) + b"{" + random.choice(space)
    for place, (key, value) in enumerate(json_members(random, row, hostile, eager)):
        line += (b"," + random.choice(space) if place else b"") + key + random.choice(space)
        line += b":" + random.choice(space) + value + random.choice(space)
    line += b"}" + random.choice(space)
    if random.random() < hostile:
        line = random.choice((line[:-1], line[1:], line + b",", line + b"{}", line + b"x",
                              line + b"\0",
                              b"[" + line + b"]", b"null", b"1", b'"x"', b"{}", b"{,}", b"x" + line,
                              line.replace(b":", b"=", 1), line.replace(b",", b"", 1),
                              b"\xef\xbb\xbf" + line,
                              line[:random.randrange(len(line))], b"\0", b"\x0b", b"\xc2\xa0"))
    return line


def ndjson_file(random, rows, hostile):
    eager = random.choice((0, 0, 0.02, 0.5))
    parts = [random.choice((b"", b"", b"\xef\xbb\xbf")), random.choice((b"", b"", b"\n \r\n"))]
    for place, row in enumerate(rows):
        parts += [json_line(random, row, hostile if place else 0, eager),
                  random.choice((b"\n", b"\n", b"\n", b"\r\n", b"\n\n", b"\n \t\n"))]
    if random.random() < 0.3:
        parts[-1] = random.choice((b"", b"\r", b" "))
    return b"".join(parts)
