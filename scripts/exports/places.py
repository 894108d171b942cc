"""--mmdb adds what the databases say of an address, and nothing where they say
nothing. Usage: places.py DIR"""

import ipaddress
import json
import pathlib
import subprocess
import sys

import exported
import mmdb
from verdict import check, leave, same

# The nodes of the test network are all over 127.0.0.0/8.
COUNTRIES = {"127.0.0.0/9": "QA", "127.64.0.0/10": "QB", "127.128.0.0/11": "ZZ"}
SYSTEMS = {
    "127.0.0.0/10": (64500, 'Nœuds "du" Nord, SA'),
    "127.32.0.0/12": (4_200_000_001, "a part of it"),
    "127.192.0.0/10": (65551, ""),
}
TABLES = {"contacts": "ip", "sightings": "ip", "queries": "ip", "visits": "ip", "endpoints": "ip"}


def make(dir):
    """Makes the databases: one of countries, one of systems, one of both."""
    country = {net: {"country": {"iso_code": iso, "names": {"en": f"Land {iso}"}}} for net, iso in COUNTRIES.items()}
    system = {
        net: {"autonomous_system_number": (mmdb.UINT32, asn), "autonomous_system_organization": org}
        for net, (asn, org) in SYSTEMS.items()
    }
    mmdb.write(dir / "country.mmdb", "Test-Country", country)
    mmdb.write(dir / "asn.mmdb", "Test-ASN", system)


def planted(ip):
    """What the databases were made to say: of the longest prefix that fits."""

    def longest(networks, nothing):
        fit = [n for n in map(ipaddress.ip_network, networks) if ipaddress.ip_address(ip) in n]
        return networks[str(max(fit, key=lambda n: n.prefixlen))] if fit else nothing

    asn, org = longest(SYSTEMS, (None, ""))
    return [longest(COUNTRIES, None), asn, org or None]


def located(dir, what, form):
    path = dir / "geo" / f"{what}.{form}"
    subprocess.run(
        [dir / "lightdht", "dump", "--store", dir / "store", "--what", what, "-o", path]
        + ["--mmdb", dir / "country.mmdb", "--mmdb", dir / "asn.mmdb"],
        check=True, timeout=60, capture_output=True,
    )  # fmt: skip
    return path


def right(table, plain, ip):
    names = ["country", "asn", "as_org"]
    same(list(table.columns.items()), list(plain.columns.items()) + [("country", "text"), ("asn", "int"), ("as_org", "text")], "columns")
    same([row[:-3] for row in table.rows], plain.rows, "the other columns")
    want = [planted(ip) for ip in exported.column(table, ip)]
    same([row[-3:] for row in table.rows], want, ", ".join(names))
    return want


def main(dir):
    (dir / "geo").mkdir()
    make(dir)
    plain, met = exported.every(dir / "out"), set()
    for what, ip in TABLES.items():
        with check(f"mmdb {what}: countries and systems as planted"):
            met |= set(map(tuple, right(exported.read(located(dir, what, "csv")), plain[what], ip)))
    with check("mmdb: every answer, and none, was met"):
        same(len({m[0] for m in met}), len(COUNTRIES) + 1, "countries")
        same(len({m[1] for m in met}), len(SYSTEMS) + 1, "systems")
    with check("mmdb contacts.ndjson: the same"):
        lines = located(dir, "contacts", "ndjson").read_text(encoding="utf-8").splitlines()
        want = [planted(ip) for ip in exported.column(plain["contacts"], "ip")]
        same([[json.loads(line)[name] for name in ("country", "asn", "as_org")] for line in lines], want, "rows")


main(pathlib.Path(sys.argv[1]).resolve())
leave()
