"""The manifest beside each file says what the file is. Usage: manifests.py DIR"""

import datetime
import hashlib
import json
import pathlib
import sys

import exported
from verdict import check, leave, same

ENDING = ".manifest.json"


def whole(folder):
    """Every file has a manifest, every manifest a file, and nothing else is there."""
    names = {path.name for path in folder.iterdir()}
    files = {name for name in names if not name.endswith(ENDING)}
    same(names, files | {name + ENDING for name in files}, "files")
    return sorted(files)


def true(path, rows, runs):
    told, content = exported.manifest(path), path.read_bytes()
    what, form = path.name.split(".")[:2]
    same(told["format"], 1, "format")
    same((told["file"], told["what"], told["form"]), (path.name, what, form), "file, what, form")
    same(told["bytes"], len(content), "bytes")
    same(told["sha256"], hashlib.sha256(content).hexdigest(), "sha256")
    same(told["rows"], rows, "rows")
    same([run["run"] for run in told["runs"]], runs, "runs")
    made = datetime.datetime.fromisoformat(told["made"])
    assert made.utcoffset() == datetime.timedelta(0), f"made {told['made']}, which is not UTC"
    assert "problems" not in told, f"problems: {told['problems']}"


def main(dir):
    tables = exported.every(dir / "out")
    runs = sorted(json.loads(path.read_bytes())["run"] for path in (dir / "store" / "runs").glob("*/manifest.json"))
    for folder in "out", "micros", "shared":
        for name in whole(dir / folder):
            with check(f"manifest {folder}/{name}: size, sha256, rows, runs"):
                true(dir / folder / name, len(tables[name.split(".")[0]].rows), runs)
    for what, table in tables.items():
        with check(f"manifest {what}: names the runs that rows are of"):
            told = set(runs)
            same({row[0] for row in table.rows} - told, set(), "runs of rows that it does not name")


main(pathlib.Path(sys.argv[1]))
leave()
