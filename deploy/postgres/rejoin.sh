#!/bin/sh
# Makes a stopped server, once primary, the standby of the other one. To be run while it is stopped.
# Tries pg_rewind, which copies what differs; where that cannot be done, copies everything anew.
# What this server had and the new primary never got is given up: nobody was told that it is done.
set -eu
. "${SCRIPTS:-/scripts}/common.sh"
make_passfile

if [ "$(peer_is)" != primary ]; then
    echo "rejoin: $PEER does not answer as primary" >&2
    exit 1
fi
if [ -f "$PGDATA/postmaster.pid" ] && pg_ctl --pgdata="$PGDATA" status > /dev/null 2>&1; then
    echo "rejoin: this server is running: stop it first" >&2
    exit 1
fi
# pg_rewind starts the server for a moment to come to a clean end; it must find our settings' files.
if pg_rewind --target-pgdata="$PGDATA" --source-server="$(peer_conninfo postgres)" --progress; then
    slot=$(standby_name)
    # Written anew: what pg_rewind brought along are the other server's own settings.
    {
        echo "primary_conninfo = '$(peer_conninfo replication) passfile=$PGPASSFILE'"
        echo "primary_slot_name = '$slot'"
    } >> "$PGDATA/postgresql.auto.conf"
    touch "$PGDATA/standby.signal"
    echo "rejoin: rewound; start the server, it follows $PEER"
else
    echo "rejoin: pg_rewind could not do it; copying everything from $PEER"
    mv "$PGDATA" "$PGDATA.before.$(date -u +%Y%m%dT%H%M%SZ)"
    sh "$scripts/copy-from-primary.sh"
    echo "rejoin: copied; start the server. What was there lies beside it, to be looked at and deleted"
fi
