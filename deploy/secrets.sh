#!/bin/sh
# Makes the files of secrets that the compose files name: once; what is there is never overwritten.
#
#   sudo deploy/secrets.sh DIR        [deploy/compose/secrets where left out]
#
# As root it gives each file to the number its container runs as; else it says what to run.
# DIR/master.key opens every sealed text and name: keep a copy of it where backups are NOT.
set -eu
umask 077

here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here/compose/secrets}
mkdir -p "$out"
command -v openssl > /dev/null || { echo "openssl is missing: apt-get install openssl" >&2; exit 1; }

# once FILE: reads the secret from standard input where there is none yet.
once() {
    if [ -s "$out/$1" ]; then
        cat > /dev/null
        echo "kept $1"
    else
        cat > "$out/$1"
        echo "made $1"
    fi
}
password() {
    openssl rand -hex 24
}

openssl rand -hex 32 | once master.key
password | once postgres-superuser
password | once postgres-replicator
password | once postgres-assay
# Each variable on its line, as compose reads an env_file; used at the cluster's first start only.
{
    echo "KURRENTDB_DEFAULT_ADMIN_PASSWORD=$(password)"
    echo "KURRENTDB_DEFAULT_OPS_PASSWORD=$(password)"
} | once kurrentdb.env

# The addresses of the log, with the passwords above.
echo "postgresql://assay:$(cat "$out/postgres-assay")@postgres-a:5432,postgres-b:5432/assay?target_session_attrs=read-write&sslmode=require" \
    | once store-postgres.url
admin=$(sed -n 's/^KURRENTDB_DEFAULT_ADMIN_PASSWORD=//p' "$out/kurrentdb.env")
echo "kurrentdb://admin:$admin@kurrentdb-1:2113,kurrentdb-2:2113,kurrentdb-3:2113?tls=true" \
    | once store-kurrentdb.url

ASSAY_SITE=${ASSAY_SITE:-assay.localhost} "$here/certificates.sh" "$out/tls"

# Who reads what: the numbers are those of the compose files.
chmod 0711 "$out" "$out/tls" "$out/tls/"*/
chmod 0700 "$out/tls/ca"
cp "$out/tls/ca/ca.crt" "$out/tls/ca.crt"
chmod 0644 "$out/tls/ca.crt"
give() {
    owner=$1
    shift
    for file in "$@"; do
        chmod 0400 "$out/$file"
        if [ "$(id -u)" -eq 0 ]; then
            chown "$owner:$owner" "$out/$file"
        else
            echo "run: sudo chown $owner:$owner $out/$file"
        fi
    done
}
give 10001 master.key store-postgres.url store-kurrentdb.url
# PostgreSQL's own image runs as 999.
give 999 postgres-superuser postgres-replicator postgres-assay
give 999 tls/postgres-a/server.key tls/postgres-b/server.key
# KurrentDB's own image runs as 1000.
give 1000 tls/kurrentdb-1/node.key tls/kurrentdb-2/node.key tls/kurrentdb-3/node.key
give 10002 tls/site/site.key
chmod 0600 "$out/kurrentdb.env"
echo "all of it is in $out"
