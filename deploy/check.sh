#!/bin/sh
# Checks of this directory what can be checked without an engine for containers; tests/tests/deploy.rs
# runs it. A tool that is missing is installed from Debian, or named, and the check fails.
#   deploy/check.sh [TOOLS]     TOOLS: where unpacked tools are kept [target/deploy-tools]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
tools=${1:-$root/target/deploy-tools}
work=$(mktemp -d /tmp/assay-deploy.XXXXXX)
trap 'rm -rf "$work"' EXIT INT TERM
say() {
    echo "deploy: $*"
}
fail() {
    echo "deploy: $*" >&2
    exit 1
}
packages() {
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get > /dev/null; then
        fail "missing: install the Debian package $1"
    fi
    say "installing the Debian package $1"
    { apt-get install -qy --no-install-recommends "$1" || { apt-get update -q && apt-get install -qy --no-install-recommends "$1"; }; } > "$work/apt.log" 2>&1 ||
        { cat "$work/apt.log" >&2; fail "could not install $1"; }
}
need() {
    command -v "$1" > /dev/null || packages "$2"
}
# A program out of Debian's package, unpacked and not installed: installing would start a service.
unpacked() {
    if [ ! -x "$tools/$1/usr/bin/$2" ]; then
        command -v apt-get > /dev/null || fail "missing: $2, of the Debian package $1"
        mkdir -p "$tools"
        say "fetching the Debian package $1"
        (cd "$work" && { apt-get download "$1" || { apt-get update -q && apt-get download "$1"; }; }) > "$work/apt.log" 2>&1 ||
            { cat "$work/apt.log" >&2; fail "could not fetch $1"; }
        dpkg-deb -x "$work/$1"_*.deb "$tools/$1"
    fi
}
need openssl openssl
need python3 python3
need systemd-analyze systemd
unpacked caddy caddy
unpacked prometheus promtool
python=python3
if ! $python -c "import yaml" 2> /dev/null; then
    [ -x /usr/bin/python3 ] && /usr/bin/python3 -c "import yaml" 2> /dev/null || packages python3-yaml
    python=/usr/bin/python3
fi

# Scripts are sound for a plain shell.
for script in "$here"/*.sh "$here"/*/*.sh; do
    sh -n "$script" || fail "$script"
done
cmp -s "$here/Containerfile.containerignore" "$here/Containerfile.dockerignore" ||
    fail "the two files of what the image ignores are not the same"
channel=$(sed -n 's/^channel = "\([0-9]*\.[0-9]*\).*/\1/p' "$root/rust-toolchain.toml")
grep -q "rust:$channel-slim" "$here/Containerfile" || fail "the image is not built with Rust $channel"
say "scripts: right"

# No secret stands in a file.
secret='BEGIN [A-Z ]*PRIVATE KEY|://[^/@ $]*:[^/@ $]+@|[A-Z_]*(PASSWORD|MASTER_KEY)[:=] *["'"'"']?[0-9A-Za-z]{6,}'
if grep -rnE "$secret" "$here" --include=* --exclude-dir=secrets | grep -v '^[^:]*/check\.sh:'; then
    fail "the lines above hold a secret, or look like one"
fi
say "secrets: none in files"

# Certificates and secrets, made for the first time and again.
"$here/secrets.sh" "$work/secrets" > "$work/made"
before=$(cd "$work/secrets" && find . -type f -exec sha256sum {} + | sort)
"$here/secrets.sh" "$work/secrets" > "$work/kept"
after=$(cd "$work/secrets" && find . -type f -exec sha256sum {} + | sort)
[ "$before" = "$after" ] || fail "secrets.sh changed what was there"
tls=$work/secrets/tls
for pair in kurrentdb-1/node:kurrentdb-1 kurrentdb-2/node:kurrentdb-2 kurrentdb-3/node:kurrentdb-3 \
    postgres-a/server:postgres-a postgres-b/server:postgres-b site/site:assay.localhost; do
    openssl verify -x509_strict -CAfile "$tls/ca.crt" -purpose sslserver -verify_hostname "${pair#*:}" \
        "$tls/${pair%:*}.crt" > /dev/null || fail "the certificate ${pair%:*}"
    [ "$(openssl x509 -in "$tls/${pair%:*}.crt" -noout -pubkey)" = "$(openssl pkey -in "$tls/${pair%:*}.key" -pubout)" ] ||
        fail "key and certificate of ${pair%:*} do not belong together"
    [ "$(stat -c %a "$tls/${pair%:*}.key")" = 400 ] || fail "the key of ${pair%:*} is not private"
done
for n in 1 2 3; do
    openssl verify -CAfile "$tls/ca.crt" -purpose sslclient -verify_ip "172.31.242.1$n" "$tls/kurrentdb-$n/node.crt" > /dev/null ||
        fail "kurrentdb-$n cannot be a client by its address"
    openssl x509 -in "$tls/kurrentdb-$n/node.crt" -noout -subject | grep -q "CN = kurrentdb-node" || fail "not the common name"
done
if openssl verify -CAfile "$tls/ca.crt" -verify_hostname elsewhere "$tls/postgres-a/server.crt" > /dev/null 2>&1; then
    fail "a certificate holds for any name"
fi
for file in master.key store-postgres.url store-kurrentdb.url; do
    [ "$(stat -c %a "$work/secrets/$file")" = 400 ] || fail "$file is not private"
done
grep -qxE '[0-9a-f]{64}' "$work/secrets/master.key" || fail "the master key is not 64 hex digits"
say "certificates and secrets: right"

# Compose: by its own program where that is there, and by our rules everywhere.
if docker compose version > /dev/null 2>&1; then
    for file in "$here"/compose/*.yaml; do
        mkdir -p "$work/compose" && cp -r "$here/compose" "$work/" && cp -r "$work/secrets" "$work/compose/"
        docker compose -f "$work/compose/$(basename "$file")" config --quiet || fail "$file"
    done
    say "compose: taken by docker compose"
else
    say "compose: docker compose is not here; checked by our own rules alone"
fi
$python "$here/check.py" "$root" || fail "what check.py says"

# systemd: the units as they are, but with programs that are there.
mkdir "$work/units"
for unit in "$here"/systemd/assay*.service "$here"/systemd/assay*.timer; do
    sed 's|/usr/local/bin/assay|/bin/true|; s|/usr/local/lib/assay/backup.sh|/bin/true|; /^Documentation=/d' "$unit" > "$work/units/$(basename "$unit")"
done
found=$(cd "$work/units" && systemd-analyze verify --man=no --recursive-errors=no ./*.service ./*.timer 2>&1) || fail "systemd-analyze: $found"
[ -z "$found" ] || fail "systemd-analyze: $found"
# The score is exposure in tenths: 0 is a locked box, 100 an open house.
for unit in assay assay-backup; do
    systemd-analyze security --offline=true --threshold=15 "$here/systemd/$unit.service" > "$work/security" ||
        { cat "$work/security" >&2; fail "$unit.service is more exposed than 1.5"; }
    say "$(tail -1 "$work/security" | sed 's/^[^A-Za-z]*//; s/[^0-9A-Za-z]*$//')"
done

# The proxy and the alarms, read by the programs that will read them.
ASSAY_SITE=assay.localhost ASSAY_NODES="assay-1:8080 assay-2:8080" ASSAY_SITE_CRT="$tls/site/site.crt" \
    ASSAY_SITE_KEY="$tls/site/site.key" HOME="$work" \
    "$tools/caddy/usr/bin/caddy" validate --config "$here/proxy/Caddyfile" --adapter caddyfile > "$work/caddy" 2>&1 ||
    { cat "$work/caddy" >&2; fail "the proxy's file"; }
"$tools/prometheus/usr/bin/promtool" check rules "$here/prometheus/assay.rules.yaml" > "$work/rules" 2>&1 ||
    { cat "$work/rules" >&2; fail "the alarms"; }
say "proxy and alarms: right"

# The scripts of PostgreSQL, with two servers: lost, promoted, fenced, brought back.
ls -d /usr/lib/postgresql/*/bin/postgres > /dev/null 2>&1 || packages postgresql-15
sh "$here/postgres/try.sh" "$work/secrets"
say "everything holds"
