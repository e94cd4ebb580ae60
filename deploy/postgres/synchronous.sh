#!/bin/sh
# Lets every commit wait for the standby again, after `promote.sh --alone`. To be run on the primary.
set -eu
. "${SCRIPTS:-/scripts}/common.sh"
slot=$(echo "$PEER" | tr - _)
streaming=$(here -c "select count(*) from pg_stat_replication where state = 'streaming'")
if [ "$streaming" -lt 1 ]; then
    echo "synchronous: no standby is streaming: every commit would wait" >&2
    exit 1
fi
here -c "alter system set synchronous_standby_names = 'ANY 1 ($(standby_name), $slot)'"
here -c "select pg_reload_conf()" > /dev/null
echo "synchronous: commits wait for a standby"
