"""Graphs by networkx, against those that the rows of the edges make.
Usage: graphs.py DIR"""

import collections
import pathlib
import sys

import exported
from verdict import check, leave, same, skip

try:
    import networkx
except ImportError:
    skip("graphs", "there is no python3-networkx")
    leave()


def expected(edges):
    """The graph of the edges: (source, target) -> times, a node being (id, ip, port)."""
    found = collections.defaultdict(list)
    for e in exported.by_name(edges):
        ends = tuple(tuple(e[f"{end}_{part}"] for part in ("id", "ip", "port")) for end in ("src", "dst"))
        found[ends].append(e["time"])
    return found


def nodes_of(edges):
    return {node for ends in edges for node in ends}


def graphml(path, want, moment):
    graph = networkx.read_graphml(path)
    assert graph.is_directed() and not graph.is_multigraph(), f"it is a {type(graph).__name__}"
    same(graph.number_of_nodes(), len(nodes_of(want)), "nodes")
    same(graph.number_of_edges(), len(want), "edges")
    named = {n: (a.get("node_id"), a.get("ip"), a.get("port")) for n, a in graph.nodes(data=True)}
    for id, ip, port in named.values():
        assert (id is None or type(id) is str) and type(ip) is str and type(port) is int, f"node {id!r} {ip!r} {port!r}"
    same(set(named.values()), nodes_of(want), "the nodes")
    got = {(named[a], named[b]): (d["weight"], moment(d["first"]), moment(d["last"])) for a, b, d in graph.edges(data=True)}
    assert all(type(weight) is int for weight, *_ in got.values()), "a weight is no int"
    same(got, {ends: (len(times), min(times), max(times)) for ends, times in want.items()}, "the edges")
    same(graph.size(weight="weight"), sum(map(len, want.values())), "weights add up to")


def label(node):
    id, ip, port = node
    place = "-" if ip is None else f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"
    return f"{id or '-'}@{place}"


def edgelist(path, want):
    graph = networkx.read_weighted_edgelist(path, create_using=networkx.DiGraph)
    same(graph.number_of_nodes(), len(nodes_of(want)), "nodes")
    got = {(a, b): d["weight"] for a, b, d in graph.edges(data=True)}
    same(got, {(label(a), label(b)): len(times) for (a, b), times in want.items()}, "the edges")
    same(graph.size(weight="weight"), sum(map(len, want.values())), "weights add up to")


def main(dir):
    out = dir / "out"
    want = expected(exported.read(out / "edges.csv"))
    for name in "edges.graphml", "edges.graphml.gz":
        with check(f"networkx {name}: nodes, edges, weights and types"):
            graphml(out / name, want, exported.moment)
    with check("networkx edges.graphml: the same with times in microseconds"):
        graphml(dir / "micros" / "edges.graphml", want, int)
    with check("networkx edges.edgelist: nodes, edges and weights"):
        edgelist(out / "edges.edgelist", want)


main(pathlib.Path(sys.argv[1]))
leave()
