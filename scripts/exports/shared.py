"""What --share writes: nothing real is left in it, and what is to be kept is.
Usage: shared.py DIR"""

import collections
import hashlib
import ipaddress
import itertools
import json
import pathlib
import random
import re
import shutil
import subprocess
import sys

import exported
from verdict import check, leave, same

PAIRS = 10_000
MINUTE = 60_000_000
PRIVATE = {"lookups": ["error", "rank", "distance"]}  # columns that are left out


def secrets(dir):
    """All that must not be found: IDs, addresses and infohashes of every table, and
    our own IDs and places from the manifests."""
    found = set()
    for table in exported.every(dir / "out").values():
        for name, kind in table.columns.items():
            if kind in ("id", "hash", "addr"):
                found.update(exported.column(table, name))
    for run in exported.manifest(dir / "out" / "contacts.csv")["runs"]:
        for vantage in run.get("vantages") or []:
            found.add(vantage["id"])
            for place in vantage["local"] + (vantage.get("external") or []):
                found.update([place, place.rsplit(":", 1)[0]])
    found.discard(None)
    assert len(found) > 200, f"{len(found)} secrets alone"
    return found


def told(raw, secret):
    """The first of the secrets that stands in a file, as a word or as 20 bytes."""
    words = set(re.findall(rb"[0-9A-Fa-f]{40}|[0-9A-Fa-f.:]*[.:][0-9A-Fa-f.:]*", raw.lower()))
    words |= {word.rsplit(b":", 1)[0] for word in words}
    for s in secret:
        if s.encode() in words or len(s) == 40 and bytes.fromhex(s) in raw:
            return s
    return next(iter(re.findall(rb"(?<![\d.])127\.\d+\.\d+\.\d+", raw)), None)


SECRET = ("id", "hash", "addr")  # types whose values get pseudonyms


def apart(table):
    """The rows of a table: what is told as it is, what is told under pseudonyms."""
    kept = {name: kind for name, kind in table.columns.items() if name not in PRIVATE.get(table.what, [])}
    public = [name for name, kind in kept.items() if kind not in SECRET]
    hidden = [name for name, kind in kept.items() if kind in SECRET]
    cut = lambda n, v: v - v % MINUTE if kept[n] == "time" and v is not None else v  # times are told by the minute
    return [(tuple(cut(n, row[n]) for n in public), tuple((kept[n], row[n]) for n in hidden)) for row in exported.by_name(table)]


def stand_ins(plain, shared):
    """Which pseudonyms stand for what: {(kind, real, pseudonym)}. Rows come in
    another order, and are known by what is told as it is."""
    same(list(shared.columns), [name for name in plain.columns if name not in PRIVATE.get(plain.what, [])], "columns")
    before, after = collections.defaultdict(list), collections.defaultdict(list)
    for rows, table in (before, plain), (after, shared):
        for told, hidden in apart(table):
            rows[told].append(hidden)
    same({told: len(rows) for told, rows in after.items()}, {told: len(rows) for told, rows in before.items()}, "all else")
    found = set()
    for told, rows in before.items():
        if len(rows) == 1:  # else it is not known which is which
            for (kind, real), (_, fake) in zip(rows[0], after[told][0]):
                assert (real is None) == (fake is None), f"{fake} stands for {real}"
                found.add((kind, real, fake))
    return {pair for pair in found if pair[1] is not None}


def translated(plain, shared, found):
    """The rows are those that the stand-ins make of the real ones, all of them."""
    stands = {(kind, real): (kind, fake) for kind, real, fake in found}
    want = collections.Counter((told, tuple(stands.get(v, v) for v in hidden)) for told, hidden in apart(plain))
    same(want - collections.Counter(apart(shared)), collections.Counter(), "missing")


def ordered(shared):
    """No row stands where it does because of what a pseudonym hides: rows come in
    the order of time, which is told by the minute, and those of one time in the order
    of pseudonyms."""
    table = exported.by_name(shared)
    times = [n for n, kind in shared.columns.items() if kind == "time"]
    same([row[n] for row in table for n in times if row[n] and row[n] % MINUTE], [], "seconds")
    keys = {
        "contacts": lambda row: (row["id"],),
        "sightings": lambda row: (row["run"], row["event"] and row["first_seen"], row["id"]),
        "edges": lambda row: (row["run"], row["time"], row["src_id"] or "", row["dst_id"]),
        "lookups": lambda row: (row["run"], row["lookup"], row["id"]),
    }
    by = keys.get(shared.what, lambda row: (row["run"], row["time"]))
    if shared.what in ("edges", "visits"):  # those of one visit; a slow one is told later
        one = lambda row: (row["run"], row["time"], row.get("src_id"))
        for _, rows in itertools.groupby(table, one):
            rows = list(map(by, rows))
            same(rows, sorted(rows), "the order of an answer")
        return
    rows = list(map(by, table))
    same(rows, sorted(rows), "the order")


def number(kind, text):
    if kind == "addr":
        a = ipaddress.ip_address(text)
        return a.version, int(a), a.max_prefixlen
    return 0, int(text, 16), 160


def prefixes(kind, pairs):
    """Of pairs at random, and of neighbours, which have the long prefixes."""
    source = random.Random(1)
    known = sorted((number(kind, real), number(kind, fake)) for real, fake in pairs)
    assert len(known) > 100, f"{len(known)} values alone"
    drawn = [source.sample(known, 2) for _ in range(PAIRS)] + list(zip(known, known[1:]))
    longest = 0
    for (a, fake_a), (b, fake_b) in drawn:
        same((fake_a[0], fake_b[0]), (a[0], b[0]), "families")
        if a[0] == b[0]:
            bits = exported.shared_bits(a[1], b[1], a[2])
            same(exported.shared_bits(fake_a[1], fake_b[1], a[2]), bits, f"bits that the stand-ins of {a[1]:x} and {b[1]:x} share")
            longest = max(longest, bits)
    assert longest >= 10, f"no two share more than {longest} bits"


def manifest(path, key):
    m = exported.manifest(path)
    share, digest = m["share"], hashlib.sha256(key.encode()).hexdigest()
    assert key not in json.dumps(m) and digest not in json.dumps(m), "it has the key, or its bare hash"
    same(share["left_out"], PRIVATE.get(m["what"], []), "left_out")
    for run in m["runs"]:
        same([name for name in ("parameters", "error", "seed") if name in run], [], "told of a run")
        same([v["local"] for v in run.get("vantages") or []], [[] for _ in run.get("vantages") or []], "places of ours")
    return share["key"]


def dump(dir, store, name, *flags, status=0):
    """Dumps shared contacts into a file of this name, and returns the manifest."""
    path = dir / "told" / f"{name}.csv"
    command = [dir / "lightdht", "dump", "--store", store, "--share", dir / "key", "-o", path, *flags]
    same(subprocess.run(command, timeout=60, capture_output=True).returncode, status, "exit status")
    assert exported.manifest(path)["rows"] > 0, "there is no row"
    return exported.manifest(path)


def chosen(dir, plain):
    """A manifest names the prefix that chose the rows: that of the pseudonyms."""
    id = plain.rows[0][list(plain.columns).index("id")]
    for prefix in id, id[:8], id[:8] + "/32":
        m = dump(dir, dir / "store", "prefix", "--prefix", prefix)
        assert id[:8] not in json.dumps(m), f"--prefix {prefix} is in it: {m['filter']}"
        told = m["filter"]["prefix"].split("/")[0]
        fakes = exported.column(exported.read(dir / "told" / "prefix.csv"), "id")
        assert all(fake.startswith(told) for fake in fakes), f"{fakes[0]} does not begin with {told}"


def spoilt(dir):
    """A manifest names what was wrong with the store: not where that is."""
    store = dir / "told" / "somebodys-folder"
    shutil.copytree(dir / "store", store)
    spoil = max(store.glob("runs/*/contacts*.sorted"), key=lambda path: path.stat().st_size)
    with open(spoil, "r+b") as file:
        file.seek(300)
        file.write(b"x" * 40)
    m = dump(dir, store, "spoilt", status=1)
    assert m["problems"], "it knows of no problem"
    assert store.name not in json.dumps(m), f"the folder of the store is in it: {m['problems']}"


def main(dir):
    (dir / "told").mkdir()
    plain, shared, secret = exported.every(dir / "out"), exported.every(dir / "shared"), secrets(dir)
    for path in sorted((dir / "shared").iterdir()):
        with check(f"shared {path.name}: no ID, address or infohash that is real"):
            found = told(path.read_bytes(), secret)
            assert found is None, f"{found} is in it"
    found = set()
    for what in exported.KINDS:
        with check(f"shared {what}: pseudonyms for names, all else as it was"):
            found |= stand_ins(plain[what], shared[what])
        with check(f"shared {what}: in an order that tells nothing"):
            ordered(shared[what])
        with check(f"shared {what}: the same under the same key"):
            assert (dir / "shared" / f"{what}.csv").read_bytes() == (dir / "again" / f"{what}.csv").read_bytes(), "it is not"
    for what in exported.KINDS:
        with check(f"shared {what}: each row, all told"):
            translated(plain[what], shared[what], found)
    for kind in "id", "addr":
        pairs = {(real, fake) for k, real, fake in found if k == kind}
        with check(f"shared, each {kind}: one pseudonym in all tables, of it alone"):
            same((len({a for a, _ in pairs}), len({b for _, b in pairs})), (len(pairs), len(pairs)), "real, pseudonyms")
            same([a for a, b in pairs if a == b], [], "stand for themselves")
        with check(f"shared, each {kind}: common prefixes of {PAIRS} pairs and of all neighbours keep their lengths"):
            prefixes(kind, pairs)
    with check("shared, manifests: one fingerprint, and nothing of where runs were made"):
        key = (dir / "key").read_text().strip()
        same(len({manifest(dir / "shared" / f"{what}.csv", key) for what in exported.KINDS}), 1, "fingerprints")


    with check("shared, manifest of --prefix: it does not tell the prefix"):
        chosen(dir, plain["contacts"])
    with check("shared, manifest of a spoilt store: it does not tell where that is"):
        spoilt(dir)


main(pathlib.Path(sys.argv[1]).resolve())
leave()
