"""CSV and NDJSON files: rows to fields, and an account of what is left out."""

import gzip
import json
import re
import sys

from reference_values import Failure, JsonNumber, Malformed


ROW_BYTES_MAX = 1 << 20


def line_end(data, position):
    end = data.find(b"\n", position)
    return len(data) if end < 0 else end


def without_cr(data, position, end):
    """The bytes up to a line end; a CR before it belongs to it."""
    text = data[position:end]
    return text[:-1] if end < len(data) and text.endswith(b"\r") else text


def csv_rows(data):
    """Yield (line, byte, text, fields); of a broken row fields is None, and its first line it."""
    position, line = text_start(data), 1
    while position < len(data):
        end = line_end(data, position)
        if b'"' in data[position:end]:
            fields, row_end = csv_quoted_row(data, position)
            end = end if fields is None else row_end
        else:
            fields = without_cr(data, position, end).split(b",")
        if end - position > ROW_BYTES_MAX:
            fields, end = None, line_end(data, position)
        text = without_cr(data, position, end)
        if text:
            yield line, position, text, fields
        line += data.count(b"\n", position, end + 1)
        position = end + 1


DELIMITER = re.compile(rb"[,\n]")


def csv_quoted_row(data, position):
    """Read one row with a quote in its first line: (fields or None, its line end)."""
    fields = []
    while True:
        value, quoted = b"", data[position:position + 1] == b'"'
        if quoted:
            value, position = csv_quoted_field(data, position + 1)
        delimiter = DELIMITER.search(data, position)
        stop = delimiter.start() if delimiter else len(data)
        is_last = data[stop:stop + 1] != b","
        tail = without_cr(data, position, stop) if is_last else data[position:stop]
        if value is None or quoted and tail:
            return None, stop
        fields.append(value if quoted else tail)
        if is_last:
            return fields, stop
        position = stop + 1


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
    for line, start, text, fields in rows:
        row = None
        if fields is not None and len(fields) == len(names):
            row = {name: value or None for name, value in zip(names, fields)}
        yield line, start, text, row


def no_constant(text):
    raise ValueError(text)


JSON_DEPTH_MAX = 64


def check_json(value, depth):
    """Refuse what is nested too deep, and lone surrogates, which UTF-8 cannot hold."""
    if isinstance(value, str):
        value.encode("utf-8")
    elif isinstance(value, (dict, list)):
        if depth > JSON_DEPTH_MAX:
            raise ValueError("nested too deep")
        for item in value:
            check_json(item, depth + 1)
        for item in value.values() if isinstance(value, dict) else ():
            check_json(item, depth + 1)


def no_twins(pairs):
    """The last of equal keys counts, but what the others hold is checked as well."""
    for _, item in pairs:
        check_json(item, 2)
    return dict(pairs)


def json_object(text):
    """{name: raw value}, or None where the line is no JSON object."""
    try:
        value = json.loads(text.decode("utf-8"), parse_int=JsonNumber, parse_float=JsonNumber,
                           parse_constant=no_constant, object_pairs_hook=no_twins)
        if not isinstance(value, dict):
            return None
        check_json(value, 1)
        return {name: field.encode("utf-8") or None if isinstance(field, str) else field
                for name, field in value.items()}
    except (ValueError, RecursionError):
        return None


def read_ndjson(data):
    position, line = text_start(data), 0
    while position < len(data):
        end, start = line_end(data, position), position
        text = without_cr(data, start, end)
        position, line = end + 1, line + 1
        if text.strip(b" \t\r"):
            yield line, start, text, json_object(text) if end - start <= ROW_BYTES_MAX else None


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

    def __init__(self, parsers, required, lenient, max_rejects="none"):
        self.parsers, self.required, self.lenient = parsers, required, lenient
        self.max_rejects = max_rejects  # None: the default limit; "none": no limit
        self.rejects = []
        self.counts = []  # (source, rows, rejected)
        self.lenient_counts = {}

    def read(self, path):
        rows = rejected = 0
        known = [name for name, _ in self.parsers]
        for line, byte, text, row in read_rows(path, self.required, known):
            rows += 1
            try:
                if row is None:
                    name = None
                    raise Malformed("malformed row")
                fields = {}
                for name, parse in self.parsers:
                    fields[name] = self.field(name, parse, row.get(name), fields)
            except Malformed as reason:
                rejected += 1
                self.rejects.append((path, line, byte, name, str(reason), text))
                continue
            fields["fingerprint_hash"] = fields.get(OWN_HASH) or fields["fingerprint_hash"]
            yield fields
        self.counts.append((path, rows, rejected))
        if self.is_too_many(rows, rejected):
            raise Failure(3, f"{path}: too many rejected rows")

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

    def is_too_many(self, rows, rejected):
        if self.max_rejects == "none":
            return False
        if self.max_rejects is not None:
            return rejected > self.max_rejects
        # Compared in whole numbers: rejected > rows / 100.
        return rejected > 1000 and rejected * 100 > rows
