#!/bin/sh
# Makes a private authority and what it vouches for: the nodes of KurrentDB, the servers of
# PostgreSQL, and a first certificate for the proxy.
#
#   deploy/certificates.sh DIR
#
# Run it again to make certificates anew that are missing (delete one to renew it); the authority in
# DIR/ca stays. Keep DIR/ca/ca.key away from the servers: it is needed here only.
#
#   ASSAY_SITE     names of the site, with commas            [assay.localhost]
#   ASSAY_DAYS     how long a certificate holds, in days     [397]
set -eu
umask 077

if [ $# -ne 1 ]; then
    echo "usage: certificates.sh DIR" >&2
    exit 2
fi
command -v openssl > /dev/null || { echo "openssl is missing: apt-get install openssl" >&2; exit 1; }
out=$1
site=${ASSAY_SITE:-assay.localhost}
days=${ASSAY_DAYS:-397}
ca_days=3650
mkdir -p "$out/ca"

# authority: ten years, for certificates of servers and clients directly under it.
if [ ! -s "$out/ca/ca.key" ]; then
    openssl ecparam -name prime256v1 -genkey -noout -out "$out/ca/ca.key"
    openssl req -new -x509 -sha256 -days "$ca_days" -key "$out/ca/ca.key" -out "$out/ca/ca.crt" \
        -subj "/CN=Assay private authority" \
        -addext "basicConstraints=critical,CA:TRUE,pathlen:0" \
        -addext "keyUsage=critical,keyCertSign,cRLSign"
    chmod 0644 "$out/ca/ca.crt"
fi

# certificate NAME COMMON_NAME SUBJECT_ALT_NAMES USES KIND_OF_KEY
certificate() {
    if [ -s "$out/$1.key" ] && [ -s "$out/$1.crt" ]; then
        echo "kept $1: delete $out/$1.crt to make it anew"
        return
    fi
    mkdir -p "$(dirname "$out/$1")"
    # KurrentDB's examples use RSA; the others take the smaller kind.
    case $5 in
        rsa) openssl genrsa -out "$out/$1.key" 3072 2> /dev/null ;;
        *) openssl ecparam -name prime256v1 -genkey -noout -out "$out/$1.key" ;;
    esac
    openssl req -new -sha256 -key "$out/$1.key" -subj "/CN=$2" -out "$out/$1.csr"
    {
        echo "basicConstraints=critical,CA:FALSE"
        echo "keyUsage=critical,digitalSignature,keyEncipherment"
        echo "extendedKeyUsage=$4"
        echo "subjectAltName=$3"
        echo "subjectKeyIdentifier=hash"
        echo "authorityKeyIdentifier=keyid"
    } > "$out/$1.ext"
    openssl x509 -req -sha256 -days "$days" -in "$out/$1.csr" -extfile "$out/$1.ext" \
        -CA "$out/ca/ca.crt" -CAkey "$out/ca/ca.key" \
        -set_serial "0x$(openssl rand -hex 16 | sed 's/^./1/')" -out "$out/$1.crt" 2> /dev/null
    rm -f "$out/$1.csr" "$out/$1.ext"
    chmod 0644 "$out/$1.crt"
    chmod 0400 "$out/$1.key"
    echo "made $1"
}

# KurrentDB: every node shows the same common name, by which the nodes know each other; it is server
# and client towards the others. The names and addresses are those of compose/kurrentdb.yaml.
for n in 1 2 3; do
    certificate "kurrentdb-$n/node" "kurrentdb-node" \
        "DNS:kurrentdb-$n,DNS:localhost,IP:172.31.242.1$n,IP:127.0.0.1" "serverAuth,clientAuth" rsa
done

# PostgreSQL: the names of compose/postgres.yaml.
for n in a b; do
    certificate "postgres-$n/server" "postgres-$n" \
        "DNS:postgres-$n,DNS:localhost,IP:127.0.0.1" "serverAuth" ec
done

# The proxy: until you have a certificate that people's browsers trust.
names=$(echo "$site" | sed 's/[^,]*/DNS:&/g')
certificate "site/site" "$(echo "$site" | cut -d, -f1)" "$names" "serverAuth" ec
