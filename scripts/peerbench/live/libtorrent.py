# A libtorrent session that does nothing but its DHT, until it is killed.
# Its arguments: the address to listen on, whether the first buckets of its table
# are larger than the others ("extended") or not ("plain"), and nodes to begin with.
import sys
import time

import libtorrent

listen, table, entrances = sys.argv[1], sys.argv[2], sys.argv[3:]
session = libtorrent.session({
    'listen_interfaces': listen,
    'enable_dht': True,
    'enable_lsd': False,
    'enable_upnp': False,
    'enable_natpmp': False,
    'dht_bootstrap_nodes': '',
    'dht_extended_routing_table': table == 'extended',
    'alert_mask': 0,
    # All of these hold back a server whom many ask, or keep a loopback network
    # out of its table: off.
    'dht_upload_rate_limit': 100_000_000,  # bytes a second; its default is 8,000
    'dht_block_ratelimit': 1_000_000_000 // 16,  # packets a second from an address before it is banned; 5
    'dht_block_timeout': 1,
    'dht_restrict_routing_ips': False,
    'dht_restrict_search_ips': False,
    'dht_prefer_verified_node_ids': False,
    'dht_enforce_node_id': False,
    'dht_ignore_dark_internet': False,
})
for entrance in entrances:
    host, port = entrance.rsplit(':', 1)
    session.add_dht_node((host, int(port)))
while True:
    time.sleep(3600)
