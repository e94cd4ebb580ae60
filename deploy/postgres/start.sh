#!/bin/sh
# Starts one of the two servers of PostgreSQL, and refuses to start a second primary.
#   NODE, PEER   names of this server and the other one
#   FIRST        `yes` on the server that is primary when there is nothing yet
#   PGDATA       where the data lies
set -eu
. "${SCRIPTS:-/scripts}/common.sh"
make_passfile

if [ ! -s "$PGDATA/PG_VERSION" ]; then
    if [ "$FIRST" = yes ] && [ "$(peer_is)" = away ]; then
        echo "start: nothing here yet: this becomes the first primary"
    else
        until [ "$(peer_is)" = primary ]; do
            echo "start: waiting for $PEER to be primary"
            sleep 2
        done
        sh "$scripts/copy-from-primary.sh"
    fi
elif [ ! -f "$PGDATA/standby.signal" ]; then
    peer=$(peer_is)
    while [ "$peer" = unclear ]; do
        echo "start: $PEER answers, and cannot say what it is: waiting"
        sleep 2
        peer=$(peer_is)
    done
    if [ "$peer" = primary ]; then
        # Two writable primaries would be two histories.
        echo "start: $PEER is primary now, and this was one: make it a standby with rejoin.sh" >&2
        exit 1
    fi
fi

# `synchronous_standby_names` is not here: primary-init.sh sets it, promote.sh changes it, and what
# stands on the command line could not be changed. Numbers that a standby must not have lower than its
# primary (connections, workers, senders) stay at their defaults: pg_rewind runs the server without these
# words. Change them in postgresql.conf, on both.
exec ${ENTRYPOINT:-docker-entrypoint.sh} postgres \
    -p "$port" \
    -c listen_addresses="${LISTEN:-*}" \
    -c unix_socket_directories="$sockets" \
    -c hba_file="${HBA:-$scripts/pg_hba.conf}" \
    -c password_encryption=scram-sha-256 \
    -c ssl=on \
    -c ssl_cert_file="$secrets/server_crt" \
    -c ssl_key_file="$secrets/server_key" \
    -c ssl_min_protocol_version=TLSv1.2 \
    -c fsync=on \
    -c full_page_writes=on \
    -c synchronous_commit=on \
    -c wal_level=replica \
    -c hot_standby=on \
    -c max_slot_wal_keep_size=16GB \
    -c wal_receiver_timeout=10s \
    -c wal_sender_timeout=10s
