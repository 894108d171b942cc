#!/bin/sh
# lan.sh CMD... runs CMD in a fresh network namespace that has only a bridge, lan,
# for member.sh to plug others into. Nothing has a name outside of it, and it is
# gone with the last of its processes. CMD is killed when its parent ends.
exec unshare -n -- sh -ec '
	ip link set lo up
	ip link add lan type bridge
	ip link set lan up
	exec setpriv --pdeathsig KILL "$@"' lan "$@"
