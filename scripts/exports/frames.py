"""CSV and NDJSON by pandas: rows, sums, and times that know their zone.
Usage: frames.py DIR"""

import pathlib
import sys

import exported
from verdict import check, leave, same, skip

try:
    import pandas
except ImportError:
    skip("frames", "there is no python3-pandas")
    leave()


def filled(table):
    """The columns in which there is a value, with their types."""
    return {name: kind for name, kind in table.columns.items() if any(v is not None for v in exported.column(table, name))}


def typed(frame, table):
    for name, kind in filled(table).items():
        series = frame[name]
        if kind == "time":
            assert isinstance(series.dtype, pandas.DatetimeTZDtype), f"{name} is of type {series.dtype}, without a zone"
            got = [None if pandas.isna(t) else t.value // 1000 for t in series]
            same(got, exported.column(table, name), name)
        elif kind in ("int", "float"):
            assert series.dtype.kind in "if", f"{name} is of type {series.dtype}"
        elif kind == "bool" and None not in exported.column(table, name):
            assert series.dtype.kind == "b", f"{name} is of type {series.dtype}"


def sums(frame, table):
    for name, kind in filled(table).items():
        values = [v for v in exported.column(table, name) if v is not None]
        same(int(frame[name].count()), len(values), f"values of {name}")
        if kind == "int":
            same(int(frame[name].sum()), sum(values), f"sum of {name}")


def main(dir):
    for what, table in exported.every(dir / "out").items():
        times = [name for name, kind in table.columns.items() if kind == "time"]
        for ending in "csv", "csv.gz":
            with check(f"pandas {what}.{ending}: types, times in UTC, sums"):
                frame = pandas.read_csv(dir / "out" / f"{what}.{ending}", parse_dates=times)
                same(list(frame.columns), list(table.columns), "columns")
                same(len(frame), len(table.rows), "rows")
                typed(frame, table)
                sums(frame, table)
        with check(f"pandas {what}.ndjson: rows and sums"):
            frame = pandas.read_json(dir / "out" / f"{what}.ndjson", lines=True)
            same(len(frame), len(table.rows), "rows")
            same(list(frame.columns), list(table.columns), "columns")
            sums(frame, table)


main(pathlib.Path(sys.argv[1]))
leave()
