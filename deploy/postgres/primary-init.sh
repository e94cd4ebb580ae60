#!/bin/sh
# Once, on the first primary, before it takes connections: roles, the database, the standby's place.
# Called by the image's entrypoint with the server on its local socket only.
set -eu
. "${SCRIPTS:-/scripts}/common.sh"
slot=$(echo "$PEER" | tr - _)

# Passwords reach SQL through psql's variables, quoted there.
here -v replicator="$(cat "$secrets/replicator")" -v assay="$(cat "$secrets/assay_password")" <<'SQL'
create role replicator login replication password :'replicator';
-- What pg_rewind reads of a server.
grant execute on function pg_ls_dir(text, boolean, boolean) to replicator;
grant execute on function pg_stat_file(text, boolean) to replicator;
grant execute on function pg_read_binary_file(text) to replicator;
grant execute on function pg_read_binary_file(text, bigint, bigint, boolean) to replicator;
create role assay login password :'assay';
create database assay owner assay template template0 encoding 'UTF8' locale 'C';
revoke all on database assay from public;
SQL
here -c "select pg_create_physical_replication_slot('$slot')" > /dev/null
# Either of the two names: on whichever is primary, the other one must confirm. From the next start
# on no commit is answered before the standby has it on disk; until there is a standby, none is.
here -c "alter system set synchronous_standby_names = 'ANY 1 ($(standby_name), $slot)'"
# pg_rewind reads back to the last common checkpoint, also after the crashed server was recovered with
# these settings alone.
here -c "alter system set wal_keep_size = '1GB'"
