"""Reads what `lightdht dump` and `lightdht stats` wrote into pandas, with the types
that the manifest beside a file names, and refuses a file that is not what that says.
As a program it only checks: python3 loader.py FILE…"""
import hashlib, itertools, json, os, pathlib, sys
import pandas as pd

DATA = os.environ.get("LIGHTDHT_DATA") or pathlib.Path(__file__).parent / "../datasets/sample"
ENDINGS = ("", ".csv.gz", ".csv", ".ndjson.gz", ".ndjson")
TYPES = {"int": "Int64", "float": "float64", "bool": "boolean"}  # others: text, and "time" is made of that


class Unfit(Exception):
    """What does not fit, and what to do about it."""
    _render_traceback_ = lambda self: [f"{type(self).__name__}: {self}"]  # one line in a notebook


class Absent(Unfit):
    """There is no such file."""


def load(name, folder=DATA):
    """Returns the rows of an export, named with its ending or without. What its
    manifest says is in .attrs["manifest"]."""
    path = next((p for e in ENDINGS if (p := pathlib.Path(folder, name + e)).is_file()), None)
    if path is None:
        raise Absent(f"{name}: not in {folder}: notebooks/README.md says how to make it, or set LIGHTDHT_DATA to the folder that has it")
    try:
        manifest = json.loads(path.with_name(path.name + ".manifest.json").read_text())
        columns, rows, digest = {c["name"]: c["type"] for c in manifest["columns"]}, manifest["rows"], manifest["sha256"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Unfit(f"{path.name}: no manifest that can be read beside it ({type(error).__name__}): write it again with -o, which makes one") from None
    if digest != hashlib.sha256(path.read_bytes()).hexdigest():
        raise Unfit(f"{path.name}: not the bytes that its manifest tells of (sha256): get both again")
    try:
        table = read(path, {c: TYPES.get(t, "object") for c, t in columns.items()})
        for column in [c for c, t in columns.items() if t == "time"]:
            micros = pd.to_numeric(table[column], errors="coerce").astype("Int64")  # of --times us
            table[column] = pd.to_datetime(table[column], utc=True) if micros.isna().all() else pd.to_datetime(micros, unit="us", utc=True)
    except (KeyError, ValueError, TypeError, OSError, EOFError) as error:
        raise Unfit(f"{path.name}: not the columns and types that its manifest tells of ({str(error).splitlines()[0]}): get both again") from None
    odd = [f"{a} for {b}" for a, b in itertools.zip_longest(table.columns, columns) if a != b]
    if odd or len(table) != rows:
        raise Unfit(f"{path.name}: {len(table)} rows for {rows} that its manifest tells of, columns {odd or 'as told'}: get both again")
    table.attrs["manifest"] = manifest
    return table


def read(path, types):
    if ".ndjson" in path.name:
        return pd.read_json(path, lines=True, dtype=False, convert_dates=False).astype(types)
    return pd.read_csv(path, dtype=types, keep_default_na=False, na_values=[""])


if __name__ == "__main__":
    try:
        for name in sys.argv[1:]:
            print(f"{name}: {len(load(name, '.'))} rows, as its manifest says")
    except Unfit as error:
        sys.exit(str(error))
