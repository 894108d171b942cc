"""The flags that choose rows and columns choose those that the whole table has of
them. Usage: filters.py DIR"""

import datetime
import pathlib
import subprocess
import sys

import exported
from verdict import check, leave, same


class Chooser:
    def __init__(self, dir):
        self.dir, self.tables = dir, exported.every(dir / "out")
        (dir / "chosen").mkdir()

    def dump(self, what, *flags):
        path = self.dir / "chosen" / f"{what}.csv"
        command = [self.dir / "lightdht", "dump", "--store", self.dir / "store", "--what", what, "-o", path, *flags]
        done = subprocess.run(command, timeout=60, capture_output=True, text=True)
        assert done.returncode == 0, f"{' '.join(flags)}: {done.stderr}"
        return exported.read(path)

    def chosen(self, what, flags, picks):
        """The rows that flags choose are those that picks chooses, and neither
        none nor all."""
        with check(f"filter {what} {' '.join(flags)}: the rows that fit"):
            rows = exported.by_name(self.tables[what])
            want = [row for row in rows if picks(row)]
            assert 0 < len(want) < len(rows), f"{len(want)} of {len(rows)} rows fit"
            got = exported.by_name(self.dump(what, *flags))
            for row in got + want:
                row.pop("lookup", None)  # lookups are counted among those that are chosen
            same(got, want, "rows")


def moment(micros):
    return (exported.EPOCH + datetime.timedelta(microseconds=micros)).isoformat().replace("+00:00", "Z")


def middle(table, name):
    values = sorted(v for v in exported.column(table, name) if v is not None)
    return values[len(values) // 2]


def rows(chooser):
    tables = chooser.tables
    for what, time in {"contacts": "last_seen", "queries": "time", "visits": "time", "lookups": "time", "edges": "time"}.items():
        at = middle(tables[what], time)
        chooser.chosen(what, ["--since", moment(at)], lambda row: row[time] >= at)
    for what in "sightings", "queries", "visits", "lookups", "edges":
        run = middle(tables[what], "run")
        chooser.chosen(what, ["--run", run], lambda row: row["run"] == run)
    for what, id in {"contacts": "id", "sightings": "id", "queries": "querier_id"}.items():
        chooser.chosen(what, ["--prefix", "a8/5"], lambda row: row[id] is not None and int(row[id], 16) >> 155 == 0xA8 >> 3)


def per_run(chooser):
    """A contact has a row for each run in which it was seen, with how it stood then."""
    seen = {(s["run"], s["id"], s["ip"], s["port"]) for s in exported.by_name(chooser.tables["sightings"])}
    got = exported.by_name(chooser.dump("contacts", "--per-run"))
    same(sorted((c["run"], c["id"], c["ip"], c["port"]) for c in got), sorted(seen), "runs and contacts")
    same({c["runs"] for c in got}, {1}, "runs of a row")
    for state in "good", "questionable":
        want = [c for c in got if c["state"] == state]
        assert 0 < len(want) < len(got), f"{len(want)} of {len(got)} rows are {state}"
        same(exported.by_name(chooser.dump("contacts", "--per-run", "--state", state)), want, f"those that are {state}")
    for name in "mentions", "replies":
        whole = sum(exported.column(chooser.tables["contacts"], name))
        same(sum(c[name] for c in got), whole, f"{name} in all")


def columns(chooser):
    table = chooser.dump("contacts", "--columns", "port,id,rtt_us")
    same(list(table.columns.items()), [("port", "int"), ("id", "id"), ("rtt_us", "int")], "columns")
    same(exported.by_name(table), [{n: c[n] for n in table.columns} for c in exported.by_name(chooser.tables["contacts"])], "rows")


chooser = Chooser(pathlib.Path(sys.argv[1]).resolve())
rows(chooser)
with check("filter contacts --per-run: a row for each run that saw one"):
    per_run(chooser)
with check("filter contacts --columns: these, in this order"):
    columns(chooser)
leave()
