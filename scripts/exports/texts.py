"""CSV by Python's csv module, NDJSON and JSON by its json module, and what is
compressed: all of them say the same. Usage: texts.py DIR"""

import gzip
import json
import pathlib
import shutil
import subprocess
import sys

import exported
from verdict import check, leave, same, skip

PYTHON = {"int": int, "float": (int, float), "bool": bool}  # what JSON values are; else str


def strict_csv(path):
    """Every line ends in CRLF, every record is as long as the header."""
    raw = path.read_bytes()
    assert raw.endswith(b"\r\n"), "it does not end in CRLF"
    assert b"\n" not in raw.replace(b"\r\n", b""), "a line does not end in CRLF"
    records = exported.records(path)
    same(records[0], list(exported.types(path)), "header")
    lengths = {len(record) for record in records}
    same(lengths, {len(records[0])}, "fields in a record")


def json_value(value, kind, micros):
    """A JSON value as exported.read has it."""
    if value is None:
        return None
    want = int if micros and kind == "time" else PYTHON.get(kind, str)
    assert isinstance(value, want) and isinstance(value, bool) == (want is bool), f"{value!r} for a {kind}"
    if kind == "time" and not micros:
        return exported.moment(value)
    return float(value) if kind == "float" else value


def json_rows(objects, table, micros=False):
    for o in objects:
        same(list(o), list(table.columns), "names")
    return [[json_value(o[name], kind, micros) for name, kind in table.columns.items()] for o in objects]


def unzstd(path):
    subprocess.run(["zstd", "-qt", path], check=True, timeout=60)
    return subprocess.run(["zstd", "-qdc", path], check=True, timeout=60, capture_output=True).stdout


def compressed(folder, what):
    ways = {"gz": lambda path: gzip.decompress(path.read_bytes())}
    if shutil.which("zstd"):
        ways["zst"] = unzstd
    for form in "csv", "ndjson":
        plain = (folder / f"{what}.{form}").read_bytes()
        for ending, way in ways.items():
            assert way(folder / f"{what}.{form}.{ending}") == plain, f"{form}.{ending} is not {form}"


def main(dir):
    out, micros = dir / "out", dir / "micros"
    for what, table in exported.every(out).items():  # which has every value in the form of its type
        with check(f"csv {what}: strict, and not empty"):
            strict_csv(out / f"{what}.csv")
            assert table.rows, "there is no row"
        with check(f"ndjson {what}: the rows of the csv"):
            lines = (out / f"{what}.ndjson").read_text(encoding="utf-8").splitlines()
            same(json_rows([json.loads(line) for line in lines], table), table.rows, "rows")
        with check(f"json {what}: the rows of the csv"):
            same(json_rows(json.loads((out / f"{what}.json").read_bytes()), table), table.rows, "rows")
        with check(f"gz, zst {what}: what is compressed is the same"):
            compressed(out, what)
        with check(f"times in microseconds {what}: the same in csv and ndjson"):
            same(exported.read(micros / f"{what}.csv").rows, table.rows, "rows of csv")
            lines = (micros / f"{what}.ndjson").read_text(encoding="utf-8").splitlines()
            same(json_rows([json.loads(line) for line in lines], table, True), table.rows, "rows of ndjson")


main(pathlib.Path(sys.argv[1]))
leave()
