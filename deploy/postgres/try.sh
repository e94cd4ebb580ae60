#!/bin/sh
# Tries the scripts beside it with two real servers on this machine: the first start, the copy, a commit
# that waits for the standby, the loss of the primary, the promotion, the refusal of a second primary,
# the return. Not for use in production.
#   try.sh SECRETS        a directory made by deploy/secrets.sh
set -eu
from=$1
here=$(cd "$(dirname "$0")" && pwd)
bin=$(ls -d /usr/lib/postgresql/*/bin 2> /dev/null | sort -V | tail -1)
if [ -z "$bin" ]; then
    echo "try: PostgreSQL is missing: apt-get install postgresql-15" >&2
    exit 1
fi
PATH=$bin:$PATH
dir=$(mktemp -d /tmp/assay-pg.XXXXXX)
run=""
a_pid=""
b_pid=""
if [ "$(id -u)" -eq 0 ]; then
    run="setpriv --reuid=postgres --regid=postgres --clear-groups"
    if ! id postgres > /dev/null 2>&1; then
        echo "try: there is no user postgres: apt-get install postgresql-15" >&2
        exit 1
    fi
fi
finish() {
    for pid in $a_pid $b_pid; do
        # The server ends at once with the first; a script that still waits, with the second.
        kill -QUIT "$pid" 2> /dev/null || true
        kill -TERM "$pid" 2> /dev/null || true
        wait "$pid" 2> /dev/null || true
    done
    if [ -n "${failed:-}" ]; then
        tail -n 12 "$dir"/*.log >&2 || true
    fi
    rm -rf "$dir"
}
failed=yes
trap finish EXIT INT TERM

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
for n in a b; do
    mkdir -p "$dir/$n/secrets" "$dir/$n/tmp" "$dir/$n/run"
    cp "$from/tls/ca.crt" "$dir/$n/secrets/ca"
    cp "$from/tls/postgres-$n/server.crt" "$dir/$n/secrets/server_crt"
    cp "$from/tls/postgres-$n/server.key" "$dir/$n/secrets/server_key"
    cp "$from/postgres-replicator" "$dir/$n/secrets/replicator"
    cp "$from/postgres-assay" "$dir/$n/secrets/assay_password"
    cp "$from/postgres-superuser" "$dir/$n/secrets/superuser"
done
# The sockets lie in a directory of this user alone, who need not be called postgres here.
mkdir "$dir/scripts"
cp "$here"/*.sh "$dir/scripts/"
sed 's/peer$/trust/' "$here/pg_hba.conf" > "$dir/pg_hba.conf"
# What the image's entrypoint does at the first start, in short.
cat > "$dir/entrypoint.sh" << 'SH'
#!/bin/sh
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    initdb --username=postgres --auth=trust --data-checksums --pgdata="$PGDATA" > /dev/null
    shift
    pg_ctl --pgdata="$PGDATA" --wait --log="$TMPDIR/init.log" start -o "$(printf "'%s' " "$@") -c listen_addresses=''"
    sh "$SCRIPTS/primary-init.sh"
    pg_ctl --pgdata="$PGDATA" --wait --mode=fast stop > /dev/null
    set -- postgres "$@"
fi
exec "$@"
SH
chmod +x "$dir/entrypoint.sh"
if [ -n "$run" ]; then chown -R postgres:postgres "$dir"; fi
a_port=$(free_port)
b_port=$(free_port)

# on NODE SCRIPT…: runs a script as it runs in the server's container.
on() {
    n=$1
    shift
    if [ "$n" = a ]; then peer=b port=$a_port peer_port=$b_port first=yes; else peer=a port=$b_port peer_port=$a_port first=no; fi
    ${exec_on:-} env NODE="postgres-$n" PEER="postgres-$peer" FIRST="$first" PEER_ADDRESS=127.0.0.1 PGPORT="$port" \
        PEER_PORT="$peer_port" PGDATA="$dir/$n/data" SECRETS="$dir/$n/secrets" SCRIPTS="$dir/scripts" \
        SOCKETS="$dir/$n/run" TMPDIR="$dir/$n/tmp" HOME="$dir/$n/tmp" LISTEN=127.0.0.1 HBA="$dir/pg_hba.conf" \
        ENTRYPOINT="$dir/entrypoint.sh" PATH="$PATH" \
        $run "$@"
}
sql() {
    n=$1
    shift
    if [ "$n" = a ]; then port=$a_port; else port=$b_port; fi
    $run psql --no-psqlrc -v ON_ERROR_STOP=1 -Atq -h "$dir/$n/run" -p "$port" -U postgres "$@"
}
# until_true WHAT COMMAND…: waits, at most a minute.
until_true() {
    what=$1
    shift
    tries=0
    until "$@" > /dev/null 2>&1; do
        tries=$((tries + 1))
        if [ "$tries" -gt 120 ]; then
            echo "try: waited too long: $what" >&2
            exit 1
        fi
        sleep 0.25
    done
}
start() {
    (exec_on=exec; on "$1" sh "$dir/scripts/start.sh") >> "$dir/$1.log" 2>&1 &
    eval "$1_pid=$!"
}
streaming() {
    [ "$(sql "$1" -d postgres -c "select sync_state from pg_stat_replication where state = 'streaming'")" = quorum ]
}
say() {
    echo "try: $*"
}

start a
until_true "the first primary" sql a -d assay -c "select 1"
start b
until_true "the standby confirms" streaming a
sql a -d assay -c "create table seen (n int)" -c "insert into seen values (1)"
say "two servers; the standby confirms every commit"

# As a node connects: both hosts, TLS with the authority, the password of a file.
url="host=postgres-a,postgres-b hostaddr=127.0.0.1,127.0.0.1 port=$a_port,$b_port dbname=assay user=assay \
target_session_attrs=read-write sslmode=verify-full sslrootcert=$dir/a/secrets/ca connect_timeout=5"
as_node() {
    PGPASSWORD=$(cat "$from/postgres-assay") psql --no-psqlrc "$@"
}
[ "$(as_node -Atqc "select inet_server_port()" "$url")" = "$a_port" ]
if as_node -Atqc "select 1" "host=postgres-a hostaddr=127.0.0.1 port=$a_port dbname=assay user=assay sslmode=disable" 2> /dev/null; then
    echo "try: a connection without TLS was taken" >&2
    exit 1
fi
say "a node finds the primary, with TLS only"

if on b sh "$dir/scripts/promote.sh" 2>> "$dir/b.log"; then
    echo "try: promoted beside a living primary" >&2
    exit 1
fi
echo changed > "$dir/b/secrets/replicator.wrong"
mv "$dir/b/secrets/replicator" "$dir/b/secrets/replicator.right"
cp "$dir/b/secrets/replicator.wrong" "$dir/b/secrets/replicator"
chmod 0644 "$dir/b/secrets/replicator"
if on b sh "$dir/scripts/promote.sh" 2>> "$dir/b.log"; then
    echo "try: promoted beside a primary that only could not be asked" >&2
    exit 1
fi
mv "$dir/b/secrets/replicator.right" "$dir/b/secrets/replicator"
say "no promotion while the primary answers, or something does that may be one"

kill -QUIT "$a_pid"
wait "$a_pid" 2> /dev/null || true
a_pid=""
on b sh "$dir/scripts/promote.sh" --alone
[ "$(as_node -Atqc "select inet_server_port()" "$url")" = "$b_port" ]
sql b -d assay -c "insert into seen values (2)"
say "promoted; a node finds the new primary by the same address"

if on a sh "$dir/scripts/start.sh" >> "$dir/a.log" 2>&1; then
    echo "try: a second primary started" >&2
    exit 1
fi
say "the old primary refuses to start as one"

on a sh "$dir/scripts/rejoin.sh" > "$dir/rejoin.log" 2>&1
start a
until_true "the old primary follows" sql a -d assay -c "select 1 / count(*) from seen where n = 2"
until_true "it streams" sql b -d postgres -c "select 1 / count(*) from pg_stat_replication where state = 'streaming'"
on b sh "$dir/scripts/synchronous.sh"
until_true "it confirms" streaming b
sql b -d assay -c "insert into seen values (3)"
until_true "the last row is there" sql a -d assay -c "select 1 / count(*) from seen where n = 3"
[ "$(sql a -d assay -c 'select string_agg(n::text, $$,$$ order by n) from seen')" = 1,2,3 ]
grep -q "rejoin: rewound" "$dir/rejoin.log"
say "rewound, following, confirming; nothing that was answered is lost"
failed=""
