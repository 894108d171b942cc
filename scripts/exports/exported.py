"""What was exported, as Python has it: the rows of a CSV file by csv.reader, each
value of the type that the manifest beside the file gives to its column.

    id, hash, addr, text   str
    int, float, bool       int, float, bool
    time                   int, microseconds since 1970
    absent                 None

All other forms are held to these rows.
"""

import collections
import csv
import datetime
import ipaddress
import json
import pathlib
import re

KINDS = ["contacts", "sightings", "queries", "lookups", "visits", "edges", "estimates", "endpoints"]

Table = collections.namedtuple("Table", "what columns rows")  # columns: name -> type, in order


def manifest(path):
    with open(f"{path}.manifest.json", encoding="utf-8") as file:
        return json.load(file)


def types(path):
    return {c["name"]: c["type"] for c in manifest(path)["columns"]}


def records(path):
    """The records of a CSV file, all of them texts."""
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.reader(file, strict=True))


def read(path):
    path = pathlib.Path(path)
    columns = types(path)
    readers = [READERS[t] for t in columns.values()]
    rows = [[read(text) if text else None for read, text in zip(readers, record)] for record in records(path)[1:]]
    return Table(path.name.split(".")[0], columns, rows)


def every(folder):
    """The tables of all kinds in a folder, by kind."""
    return {what: read(pathlib.Path(folder) / f"{what}.csv") for what in KINDS}


def by_name(table):
    """The rows with the names of their columns."""
    return [dict(zip(table.columns, row)) for row in table.rows]


def column(table, name):
    at = list(table.columns).index(name)
    return [row[at] for row in table.rows]


def of_form(pattern, convert=str):
    form = re.compile(pattern)

    def read(text):
        if not form.fullmatch(text):
            raise ValueError(f"{text!r} is not of the form {pattern}")
        return convert(text)

    return read


def addr(text):
    if str(ipaddress.ip_address(text)) != text:
        raise ValueError(f"{text!r} is no address in its usual form")
    return text


EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def micros(text):
    return (datetime.datetime.fromisoformat(text) - EPOCH) // datetime.timedelta(microseconds=1)


hexadecimal = of_form("[0-9a-f]{40}")
moment = of_form(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", micros)
integer = of_form(r"-?(0|[1-9]\d*)", int)

READERS = {
    "id": hexadecimal,
    "hash": hexadecimal,
    "addr": addr,
    "text": str,
    "int": integer,
    "float": of_form(r"-?\d+(\.\d+)?([eE][-+]?\d+)?", float),
    "bool": of_form("true|false", lambda text: text == "true"),
    "time": lambda text: integer(text) if text.isdigit() else moment(text),
}


def shared_bits(a, b, bits):
    """How many bits two numbers of this many bits have in common at their head."""
    return bits - (a ^ b).bit_length()
