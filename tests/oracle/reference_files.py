"""CSV and NDJSON files: rows to fields, and an account of what is left out."""

import gzip
import json
import re
import sys

from reference_values import Failure, JsonNumber, Malformed


def csv_rows(data):
    """Yield (line, byte, end, fields); fields is None where the quoting is broken."""
    position, line = text_start(data), 1
    while position < len(data):
        start, start_line = position, line
        end = data.find(b"\n", position)
        terminated = end >= 0
        end = end if terminated else len(data)
        content = data[position:end]
        if b'"' in content:
            fields, position = csv_quoted_row(data, position)
            line += data.count(b"\n", start, position)
            yield start_line, start, position, fields
            continue
        position, line = end + 1, line + 1
        if terminated and content.endswith(b"\r"):
            content = content[:-1]
        if content:
            yield start_line, start, min(position, len(data)), content.split(b",")


DELIMITER = re.compile(rb"[,\n]")


def csv_quoted_row(data, position):
    """Read one row with a quote in its first line: (fields or None, where the next row starts)."""
    fields, broken = [], False
    while True:
        value, quoted = b"", data[position:position + 1] == b'"'
        if quoted:
            value, position = csv_quoted_field(data, position + 1)
            broken = broken or value is None
        delimiter = DELIMITER.search(data, position)
        stop = delimiter.start() if delimiter else len(data)
        tail = data[position:stop]
        if data[stop:stop + 1] == b"\n" and tail.endswith(b"\r"):
            tail = tail[:-1]
        if quoted and tail:
            broken = True
        fields.append(value if quoted else tail)
        position = stop + 1
        if data[stop:stop + 1] != b",":
            return None if broken else fields, min(position, len(data))


def csv_quoted_field(data, position):
    """(value, position after the closing quote); value is None where there is no closing quote."""
    value = b""
    while True:
        quote = data.find(b'"', position)
        if quote < 0:
            return None, len(data)
        value += data[position:quote]
        if data[quote + 1:quote + 2] != b'"':
            return value, quote + 1
        value += b'"'
        position = quote + 2


def read_csv(source, data, required, known):
    """Yield (line, byte, raw text, {column: raw value} or None)."""
    rows = csv_rows(data)
    header = next(rows, None)
    if header is None or header[3] is None:
        raise Failure(1, f"{source}: no header row")
    names = [name.decode("utf-8", "replace") for name in header[3]]
    missing = [name for name in required if name not in names]
    if missing:
        raise Failure(1, f"{source}: no column {', '.join(missing)}; found {', '.join(names)}")
    twice = [name for name in known if names.count(name) > 1]
    if twice:
        raise Failure(1, f"{source}: column {', '.join(twice)} stands twice in the header")
    for line, start, end, fields in rows:
        row = None
        if fields is not None and len(fields) == len(names):
            row = {name: value or None for name, value in zip(names, fields)}
        yield line, start, data[start:end], row


def no_constant(text):
    raise ValueError(text)


def json_object(text):
    """{name: raw value}, or None where the line is no JSON object."""
    try:
        value = json.loads(text.decode("utf-8"), parse_int=JsonNumber, parse_float=JsonNumber,
                           parse_constant=no_constant)
        if not isinstance(value, dict):
            return None
        for name, field in value.items():
            if isinstance(field, str):
                value[name] = field.encode("utf-8") or None
        return value
    except (ValueError, RecursionError):
        return None


def read_ndjson(data):
    position, line = text_start(data), 0
    while position < len(data):
        end = data.find(b"\n", position)
        end = len(data) if end < 0 else end
        text, start = data[position:end], position
        position, line = end + 1, line + 1
        if text.strip(b" \t\r"):
            yield line, start, text, json_object(text)


def read_file(path):
    try:
        if path == "-":
            data = sys.stdin.buffer.read()
        else:
            with open(path, "rb") as file:
                data = file.read()
        if data.startswith(b"\x1f\x8b"):
            data = gzip.decompress(data)
    except OSError as error:
        raise Failure(1, f"{path}: {error.strerror or error}") from None
    return data


def text_start(data):
    """Where the text starts: behind the byte-order mark, if there is one."""
    return 3 if data.startswith(b"\xef\xbb\xbf") else 0


def read_rows(path, required, known):
    data = read_file(path)
    if re.match(rb"[ \t\r\n]*\{", data[text_start(data):]):
        return read_ndjson(data)
    return read_csv(path, data, required, known)


# Where a conversion has it, it stands for fingerprint_hash.
OWN_HASH = "conversion_fingerprint_hash"


class Reader:
    """Reads sources of one kind into fields and keeps account of what it leaves out."""

    def __init__(self, parsers, required, lenient):
        self.parsers, self.required, self.lenient = parsers, required, lenient
        self.rejects = []
        self.counts = []  # (source, rows, rejected)
        self.lenient_counts = {}

    def read(self, path):
        rows = rejected = 0
        known = [name for name, _ in self.parsers] + [OWN_HASH]
        for line, byte, text, row in read_rows(path, self.required, known):
            rows += 1
            try:
                if row is None:
                    name = None
                    raise Malformed("malformed row")
                if self.own_hash(row):
                    row = dict(row, fingerprint_hash=row[OWN_HASH])
                fields = {}
                for name, parse in self.parsers:
                    fields[name] = self.field(name, parse, row.get(name), fields)
            except Malformed as reason:
                rejected += 1
                if name == "fingerprint_hash" and self.own_hash(row):
                    name = OWN_HASH
                self.rejects.append((path, line, byte, name, str(reason), text))
                continue
            yield fields
        self.counts.append((path, rows, rejected))

    def own_hash(self, row):
        return "conversion_id" in self.required and row.get(OWN_HASH) is not None

    def field(self, name, parse, raw, fields):
        if raw is None:
            if name in self.required:
                raise Malformed("missing")
            return None
        try:
            value = parse(raw)
            if name == "expires_at" and value < fields["click_timestamp"]:
                raise Malformed("before click_timestamp")
            return value
        except Malformed:
            if not self.lenient or name in self.required:
                raise
            self.lenient_counts[name] = self.lenient_counts.get(name, 0) + 1
            return None

    def too_many(self, limit):
        """The first source with too many rejects; limit is None (default), "none" or a number."""
        if limit == "none":
            return None
        for source, rows, rejected in self.counts:
            # Compared in whole numbers: rejected > rows / 100.
            if rejected > limit if limit is not None else rejected > 1000 and rejected * 100 > rows:
                return source
        return None
