#!/bin/sh
# Makes this standby the primary, because the other server is gone. To be run on the standby.
#   promote.sh            and wait with every commit until there is a standby again
#   promote.sh --alone    and answer commits that are on this server's disk alone
# First make sure that the old primary is stopped and stays so: this script can only look whether it
# answers here, and what does not answer here may still answer somebody else.
set -eu
. "${SCRIPTS:-/scripts}/common.sh"
make_passfile

if [ "$(here -c 'select pg_is_in_recovery()')" != t ]; then
    echo "promote: this server is no standby" >&2
    exit 1
fi
peer=$(peer_is)
if [ "$peer" != away ]; then
    echo "promote: $PEER answers ($peer): stop it first, and keep it stopped" >&2
    exit 1
fi
# The old primary's place, so that it can come back as a standby.
slot=$(echo "$PEER" | tr - _)
here -c "select pg_promote(wait => true, wait_seconds => 60)" | grep -qx t
# Until the next checkpoint the control file tells the old timeline, and pg_rewind on the other server
# would find nothing to do.
here -c "checkpoint"
here -c "select pg_create_physical_replication_slot('$slot') where not exists
         (select from pg_replication_slots where slot_name = '$slot')" > /dev/null
if [ "${1:-}" = --alone ]; then
    here -c "alter system set synchronous_standby_names = ''"
    echo "promote: commits are answered without a standby: run synchronous.sh when there is one again"
else
    here -c "alter system set synchronous_standby_names = 'ANY 1 ($(standby_name), $slot)'"
    echo "promote: commits wait until $PEER is back as a standby"
fi
here -c "select pg_reload_conf()" > /dev/null
echo "promote: $NODE is primary"
