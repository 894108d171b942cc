"""Writes databases of the MaxMind form, version 2.0, of IPv4 networks.

    search tree: for each node two records of 32 bits, for the next bit 0 and 1
    16 zero bytes
    data: one value after the other
    "\\xab\\xcd\\xefMaxMind.com", a map that tells the sizes

A record below the number of nodes is the next node; the number itself means that
there is nothing; above it, less the number and 16, it is a place among the data.
"""

import ipaddress

TEXT, UINT16, UINT32, MAP, UINT64, ARRAY = 2, 5, 6, 7, 9, 11


def value(v):
    """A value in the data section: a dict, a list, a text, or a number as (type, n)."""
    if isinstance(v, str):
        raw = v.encode()
        return head(TEXT, len(raw)) + raw
    if isinstance(v, dict):
        return head(MAP, len(v)) + b"".join(value(k) + value(w) for k, w in v.items())
    if isinstance(v, list):
        return head(ARRAY, len(v)) + b"".join(map(value, v))
    kind, n = v
    raw = n.to_bytes((n.bit_length() + 7) // 8, "big")
    return head(kind, len(raw)) + raw


def head(kind, size):
    """The control bytes: the type in 3 bits, or in a byte of its own from 8 on."""
    assert size < 29 + 256
    low, more = (size, b"") if size < 29 else (29, bytes([size - 29]))
    if kind < 8:
        return bytes([kind << 5 | low]) + more
    return bytes([low, kind - 7]) + more


def tree(places):
    """The nodes of the search tree: [left, right], each a node's number, None, or a
    place as (offset,). places: network -> offset of its value. The shorter prefix
    comes first, and a longer one within it takes its part away."""
    nodes = [[None, None]]
    for network, place in sorted(places.items(), key=lambda item: item[0].prefixlen):
        at, bits = 0, f"{int(network.network_address):032b}"[: network.prefixlen]
        for bit in map(int, bits[:-1]):
            if not isinstance(nodes[at][bit], int):
                nodes.append([nodes[at][bit]] * 2)
                nodes[at][bit] = len(nodes) - 1
            at = nodes[at][bit]
        nodes[at][int(bits[-1])] = (place,)
    return nodes


def write(path, kind, networks):
    """networks: "127.0.0.0/10" -> value."""
    data, places = b"", {}
    for text, v in networks.items():
        places[ipaddress.ip_network(text)] = len(data)
        data += value(v)
    nodes = tree(places)

    def record(to):
        if to is None:
            return len(nodes)
        return to if isinstance(to, int) else to[0] + len(nodes) + 16

    about = {
        "binary_format_major_version": (UINT16, 2),
        "binary_format_minor_version": (UINT16, 0),
        "build_epoch": (UINT64, 1_700_000_000),
        "database_type": kind,
        "description": {"en": "networks of a test"},
        "ip_version": (UINT16, 4),
        "languages": ["en"],
        "node_count": (UINT32, len(nodes)),
        "record_size": (UINT16, 32),
    }
    with open(path, "wb") as file:
        for pair in nodes:
            for to in pair:
                file.write(record(to).to_bytes(4, "big"))
        file.write(bytes(16) + data + b"\xab\xcd\xefMaxMind.com" + value(about))
