"""Holds the loader to refusing files that are not what their manifest says, each
time with one line that names the file, and to reading those that are.

tampered.py LOADER SAMPLE
"""
import gzip, hashlib, importlib.util, json, pathlib, shutil, subprocess, sys, tempfile

NAME = "contacts.csv.gz"


def main(program, sample):
    spec = importlib.util.spec_from_file_location("loader", program)
    loader = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loader)
    fine = True
    for path in sorted(sample.glob("*.csv*")):
        if not path.name.endswith(".json"):
            refused, said = load(loader, path)
            fine &= check(not refused, f"loader reads {path.name}: {said}")
    for what, tamper, word in WAYS:
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, NAME)
            shutil.copy(sample / NAME, path)
            shutil.copy(sample / f"{NAME}.manifest.json", folder)
            tamper(path)
            refused, said = load(loader, path)
            refused &= "\n" not in said and said.startswith(NAME) and word in said
            fine &= check(refused, f"loader refuses {what}: {said.replace(folder, 'DIR')}")
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(sample / NAME, folder)
        ran = subprocess.run([sys.executable, program, NAME], cwd=folder, capture_output=True, text=True)
        fine &= check(ran.returncode == 1 and ran.stdout == "" and ran.stderr.count("\n") == 1, f"loader as a program: {ran.stderr.strip()}")
    return fine


def check(holds, what):
    print(f"{'ok     ' if holds else 'FAILED '} {what}")
    return bool(holds)


def load(loader, path):
    """Whether the loader refuses a file, and what it says."""
    try:
        return False, f"{len(loader.load(path.name, path.parent))} rows"
    except loader.Unfit as error:
        return True, str(error)
    except Exception as error:
        return True, f"not refused but {type(error).__name__}, and no line of its own"


def manifest(path):
    return path.with_name(path.name + ".manifest.json")


def edit(path, change):
    """Changes the manifest."""
    told = json.loads(manifest(path).read_text())
    change(told)
    manifest(path).write_text(json.dumps(told))


def rewrite(path, change):
    """Changes the rows, and the checksum with them: what is wrong then is the rest."""
    lines = gzip.decompress(path.read_bytes()).decode().splitlines(keepends=True)
    path.write_bytes(gzip.compress("".join(change(lines)).encode()))
    edit(path, lambda told: told.update(sha256=hashlib.sha256(path.read_bytes()).hexdigest()))


def put(path, column, value):
    """Changes a value of the first row."""
    def change(lines):
        fields = lines[1].split(",")
        fields[lines[0].strip().split(",").index(column)] = value
        return [lines[0], ",".join(fields)] + lines[2:]
    rewrite(path, change)


def flip(path):
    b = bytearray(path.read_bytes())
    b[len(b) // 2] ^= 1
    path.write_bytes(b)


WAYS = [
    ("a file with one bit turned", flip, "sha256"),
    ("a file that was cut short", lambda p: p.write_bytes(p.read_bytes()[:-100]), "sha256"),
    ("an empty file", lambda p: p.write_bytes(b""), "sha256"),
    ("a file that is not there", lambda p: p.unlink(), "LIGHTDHT_DATA"),
    ("a file without a manifest", lambda p: manifest(p).unlink(), "manifest"),
    ("a manifest that is not JSON", lambda p: manifest(p).write_text("{"), "manifest"),
    ("a manifest without columns", lambda p: edit(p, lambda told: told.pop("columns")), "manifest"),
    ("a row less", lambda p: rewrite(p, lambda lines: lines[:-1]), "rows"),
    ("a row twice", lambda p: rewrite(p, lambda lines: lines + lines[-1:]), "rows"),
    ("a column of another name", lambda p: rewrite(p, lambda lines: [lines[0].replace("rtt_us", "rtt_ms")] + lines[1:]), "columns"),
    ("two columns whose names changed places", lambda p: rewrite(p, lambda lines: [lines[0].replace("mentions,queries", "queries,mentions")] + lines[1:]), "columns"),
    ("a column too many", lambda p: rewrite(p, lambda lines: [line.rstrip() + ",more\r\n" for line in lines]), "25 columns"),
    ("a text where a number should be", lambda p: put(p, "port", "many"), "manifest"),
    ("a day that there is not", lambda p: put(p, "first_seen", "2026-02-30T00:00:00.000000Z"), "manifest"),
    ("neither true nor false", lambda p: put(p, "read_only", "perhaps"), "manifest"),
]


if __name__ == "__main__":
    sys.exit(not main(pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])))
