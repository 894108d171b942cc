"""Reads what `lightdht dump` and `lightdht stats` wrote into pandas, with the types that
the manifest beside a file names; refuses a file that is not what its manifest says.
As a program it only checks: python3 loader.py FILE…"""
import hashlib, json, os, pathlib, sys
import pandas as pd

DATA = os.environ.get("LIGHTDHT_DATA") or pathlib.Path(__file__).parent / "../datasets/sample"
ENDINGS = ("", ".csv.gz", ".csv", ".ndjson.gz", ".ndjson")
TYPES = {"int": "Int64", "float": "float64", "bool": "boolean"}  # others: text, or made of it

class Unfit(Exception):
    _render_traceback_ = lambda self: [f"{type(self).__name__}: {self}"]  # one line in a notebook

class Absent(Unfit): pass

def load(name, folder=DATA):
    path = next((p for e in ENDINGS if (p := pathlib.Path(folder, name + e)).is_file()), None)
    if path is None:
        raise Absent(f"{name}: not in {folder}: notebooks/README.md says how to make it, or set LIGHTDHT_DATA to the folder that has it")
    try:
        manifest = json.loads(path.with_name(path.name + ".manifest.json").read_text())
        types = {c["name"]: c["type"] for c in manifest["columns"]}
        if hashlib.sha256(path.read_bytes()).hexdigest() != manifest["sha256"]:
            raise ValueError("not the bytes that it tells of (sha256)")
        kinds = {c: TYPES.get(t, "object") for c, t in types.items()}
        table = (pd.read_json(path, lines=True, dtype=False, convert_dates=False).astype(kinds) if ".ndjson" in path.name
                 else pd.read_csv(path, dtype=kinds, keep_default_na=False, na_values=[""]))
        for c in [c for c, t in types.items() if t == "time"]:  # RFC 3339, or --times us
            micros = pd.to_numeric(table[c], errors="coerce").astype("Int64")
            table[c] = pd.to_datetime(table[c], utc=True) if micros.isna().all() else pd.to_datetime(micros, unit="us", utc=True)
        if list(table.columns) != list(types) or len(table) != manifest["rows"]:
            raise ValueError(f"{len(table)} rows and {len(table.columns)} columns for {manifest['rows']} and {len(types)}, or others")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Unfit(f"{path.name}: not what its manifest says, or without one: {str(error).splitlines()[0]}: get both again") from None
    table.attrs["manifest"] = manifest
    return table

if __name__ == "__main__":
    try:
        for name in sys.argv[1:]:
            print(f"{name}: {len(load(name, '.'))} rows, as its manifest says")
    except Unfit as error:
        sys.exit(str(error))
