#!/bin/sh
# Fills an empty data directory with a copy of the other server, as its standby.
set -eu
. "${SCRIPTS:-/scripts}/common.sh"
make_passfile
slot=$(standby_name)

# A copy that was broken off is thrown away: it was never a server.
rm -rf "$PGDATA.partial"
mkdir -p "$(dirname "$PGDATA")"
pg_basebackup --pgdata="$PGDATA.partial" --wal-method=stream --checkpoint=fast --no-password \
    --write-recovery-conf --slot="$slot" --dbname="$(peer_conninfo replication)"
chmod 0700 "$PGDATA.partial"
mv "$PGDATA.partial" "$PGDATA"
echo "copied from $PEER"
