#!/bin/sh
# member.sh PID N CMD... runs CMD in a fresh network namespace that has a loopback
# and 10.99.0.N on eth0, the other end being in the bridge of lan.sh, which PID is
# a process of. There is no route to anywhere else. CMD is killed when its parent
# ends. `./lan.sh sh -c './member.sh $$ 1 true'` tries whether that is permitted.
#
# Whoever is N later has the same hardware address, for the others remember it;
# the other end has a name of its own, for the one before may still be going. The
# services that could look up a name for CMD from outside are hidden from it.
exec unshare -nm -- sh -ec '
	lan=$1 n=$2
	shift 2
	ip link set lo up
	ip link add eth0 address "$(printf 02:00:0a:63:00:%02x "$n")" type veth peer name "to$$" netns "$lan"
	nsenter -t "$lan" -n ip link set "to$$" master lan up
	ip addr add "10.99.0.$n/24" dev eth0
	ip link set eth0 up
	for service in /run/nscd /run/systemd/resolve /run/avahi-daemon; do
		[ ! -d "$service" ] || mount -t tmpfs none "$service"
	done
	exec setpriv --pdeathsig KILL "$@"' member "$@"
