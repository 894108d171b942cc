"""Questions in SQL, and their answers by Python from the rows of the CSV files:
the databases are asked the same. questions.py DIR prints them as JSON."""

import collections
import json
import pathlib
import sys

import exported

Question = collections.namedtuple("Question", "name sql answer")  # answer: tables by kind -> rows
QUESTIONS = []


def question(name, sql):
    def add(answer):
        named = lambda tables: answer({what: exported.by_name(t) for what, t in tables.items()})
        QUESTIONS.append(Question(name, sql, named))

    return add


def groups(rows, *keys):
    """The rows by the values of some columns."""
    found = collections.defaultdict(list)
    for row in rows:
        found[tuple(row[key] for key in keys)].append(row)
    return found.items()


def total(rows, name, of=sum):
    """The sum of a column, as SQL has it: what is absent does not count."""
    values = [row[name] for row in rows if row[name] is not None]
    return of(values) if values else None


@question("contacts by state", "SELECT state, count(*), sum(mentions), sum(replies) FROM contacts GROUP BY state")
def _(t):
    return [[s, len(g), total(g, "mentions"), total(g, "replies")] for (s,), g in groups(t["contacts"], "state")]


@question("round trips", "SELECT count(rtt_us), min(rtt_us), max(rtt_us), sum(rtt_us) FROM contacts")
def _(t):
    c = t["contacts"]
    return [[total(c, "rtt_us", len), total(c, "rtt_us", min), total(c, "rtt_us", max), total(c, "rtt_us")]]


@question("different IDs", "SELECT count(DISTINCT id), count(DISTINCT ip), count(*) FROM contacts")
def _(t):
    c = t["contacts"]
    return [[len({r["id"] for r in c}), len({r["ip"] for r in c}), len(c)]]


@question("truth values", "SELECT router, bep42_ok, read_only, count(*) FROM contacts GROUP BY router, bep42_ok, read_only")
def _(t):
    return [[*key, len(g)] for key, g in groups(t["contacts"], "router", "bep42_ok", "read_only")]


@question(
    "sightings of contacts by run",
    "SELECT s.run, count(*), sum(s.mentions), sum(s.queries) FROM sightings s"
    " JOIN contacts c ON s.id = c.id AND s.ip = c.ip AND s.port = c.port GROUP BY s.run",
)
def _(t):
    known = {(c["id"], c["ip"], c["port"]) for c in t["contacts"]}
    met = [s for s in t["sightings"] if (s["id"], s["ip"], s["port"]) in known]
    return [[run, len(g), total(g, "mentions"), total(g, "queries")] for (run,), g in groups(met, "run")]


@question(
    "visits by method and outcome",
    "SELECT method, outcome, count(*), sum(bytes_out), sum(bytes_in), max(rtt_us), sum(waited_us)"
    " FROM visits GROUP BY method, outcome",
)
def _(t):
    return [
        [*key, len(g), total(g, "bytes_out"), total(g, "bytes_in"), total(g, "rtt_us", max), total(g, "waited_us")]
        for key, g in groups(t["visits"], "method", "outcome")
    ]


@question(
    "visits of contacts by state",
    "SELECT c.state, count(*), sum(v.nodes_told) FROM visits v JOIN contacts c ON v.id = c.id GROUP BY c.state",
)
def _(t):
    visits = collections.defaultdict(list)
    for v in t["visits"]:
        visits[v["id"]].append(v)
    rows = []
    for (state,), contacts in groups(t["contacts"], "state"):
        met = [v for c in contacts for v in visits[c["id"]]]
        if met:
            rows.append([state, len(met), total(met, "nodes_told")])
    return rows


@question("edges by bucket", "SELECT bucket, count(*) FROM edges GROUP BY bucket")
def _(t):
    return [[bucket, len(g)] for (bucket,), g in groups(t["edges"], "bucket")]


@question("different edges", "SELECT count(*) FROM (SELECT DISTINCT src_id, dst_id FROM edges) AS pairs")
def _(t):
    return [[len({(e["src_id"], e["dst_id"]) for e in t["edges"]})]]


@question(
    "lookups by run",
    "SELECT run, count(DISTINCT lookup), max(hops), sum(answered), max(distance), max(purpose) FROM lookups GROUP BY run",
)
def _(t):
    return [
        [run, len({r["lookup"] for r in g}), total(g, "hops", max), total(g, "answered"),
         total(g, "distance", max), total(g, "purpose", max)]
        for (run,), g in groups(t["lookups"], "run")
    ]  # fmt: skip


@question(
    "queries of contacts by method",
    "SELECT q.method, count(*), sum(q.bytes_in) FROM queries q WHERE q.querier_id IN (SELECT id FROM contacts) GROUP BY q.method",
)
def _(t):
    known = {c["id"] for c in t["contacts"]}
    met = [q for q in t["queries"] if q["querier_id"] in known]
    return [[method, len(g), total(g, "bytes_in")] for (method,), g in groups(met, "method")]


@question("estimates", "SELECT quantity, estimator, family, samples, n_hat, ci_lo, ci_hi, level FROM estimates")
def _(t):
    names = ["quantity", "estimator", "family", "samples", "n_hat", "ci_lo", "ci_hi", "level"]
    return [[e[name] for name in names] for e in t["estimates"]]


@question("endpoints by address", "SELECT ip, port, source, count(*) FROM endpoints GROUP BY ip, port, source")
def _(t):
    return [[*key, len(g)] for key, g in groups(t["endpoints"], "ip", "port", "source")]


if __name__ == "__main__":
    tables = exported.every(pathlib.Path(sys.argv[1]) / "out")
    asked = [{"name": q.name, "sql": q.sql, "answer": q.answer(tables)} for q in QUESTIONS]
    json.dump({"types": {what: t.columns for what, t in tables.items()}, "questions": asked}, sys.stdout)
