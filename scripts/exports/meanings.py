"""Whether the rows mean what datasets/README.md says: columns that follow from
others do, and the tables agree with each other. Usage: meanings.py DIR"""

import collections
import pathlib
import sys

import exported
from verdict import check, leave, same

COUNTS = ["mentions", "queries", "replies", "unanswered"]


def bits(a, b):
    return exported.shared_bits(int(a, 16), int(b, 16), 160)


def counted(tables):
    """What the sightings of a contact come to is what the contact has."""
    sums = collections.defaultdict(collections.Counter)
    first, heard = collections.defaultdict(list), collections.defaultdict(list)
    for s in exported.by_name(tables["sightings"]):
        node = s["id"], s["ip"], s["port"]
        sums[node].update({name: s[name] for name in COUNTS})
        first[node].append(s["first_seen"])
        if s["event"] != "failed":  # silence is not heard
            heard[node].append(s["last_seen"])
    contacts = exported.by_name(tables["contacts"])
    same(len(contacts), len(sums), "contacts")
    for c in contacts:
        node = c["id"], c["ip"], c["port"]
        same([c[name] for name in COUNTS], [sums[node][name] for name in COUNTS], f"{node}: {', '.join(COUNTS)}")
        begin = min(first[node])
        same((c["first_seen"], c["last_seen"]), (begin, max([begin, *heard[node]])), f"{node}: first and last seen")


def judged(tables):
    """A contact has a round trip and a last reply when it replied, and is bad only
    after failures."""
    for c in exported.by_name(tables["contacts"]):
        replied = c["replies"] > 0
        same([c[name] is not None for name in ("rtt_us", "last_reply")], [replied, replied], f"{c['id']}: has replied")
        same(c["last_query"] is not None, c["queries"] > 0, f"{c['id']}: has asked")
        assert c["state"] in ("good", "questionable", "bad"), f"state {c['state']}"
        assert c["family"] == "ipv4" and c["bep42_ok"] is True, f"{c['id']}: on loopback {c['family']}, {c['bep42_ok']}"
        assert c["state"] != "bad" or c["failures"] > 0, f"{c['id']}: bad without a failure"


def visited(tables):
    """A visit has a round trip or a wait, and its nodes are as many edges."""
    visits = exported.by_name(tables["visits"])
    for v in visits:
        answered = v["outcome"] in ("reply", "error")
        same((v["rtt_us"] is not None, v["waited_us"] is not None), (answered, not answered), f"{v['outcome']}: rtt_us, waited_us")
        same(v["code"] is not None, v["outcome"] == "error", f"{v['outcome']}: code")
    same(len(tables["edges"].rows), sum(v["nodes_told"] for v in visits), "edges")


def named(tables):
    for e in exported.by_name(tables["edges"]):
        same(e["bucket"], bits(e["src_id"], e["dst_id"]) if e["src_id"] else None, f"bucket of {e['src_id']} and {e['dst_id']}")


def found(tables):
    """The closest of a lookup stand in order, with the distance that their IDs have."""
    before = {}
    for n in exported.by_name(tables["lookups"]):
        if n["rank"] is None:
            continue
        target = n["target"]
        if target is None:
            continue  # the hash of an infohash, from which nothing can be told
        distance = int(n["id"], 16) ^ int(target, 16)
        same(n["common_bits"], bits(n["id"], target), "common_bits")
        assert abs(n["distance"] - distance / 2**160) <= 1e-15 * n["distance"], f"distance {n['distance']} of {distance:x}"
        at = n["run"], n["lookup"], n["family"]
        rank, nearer = before.get(at, (0, -1))
        same(n["rank"], rank + 1, f"rank after {rank}")
        assert nearer < distance, f"lookup {n['lookup']}: rank {n['rank']} is nearer than the one before"
        before[at] = n["rank"], distance
    assert len(before) >= 32, f"{len(before)} lookups alone"


def main(dir):
    tables = exported.every(dir / "out")
    for name, agree in {
        "contacts are what their sightings come to": counted,
        "contacts: what follows from their counts": judged,
        "visits: outcomes, and as many edges as nodes told": visited,
        "edges: buckets": named,
        "lookups: ranks, common bits and distances": found,
    }.items():
        with check(f"meaning of {name}"):
            agree(tables)


main(pathlib.Path(sys.argv[1]))
leave()
