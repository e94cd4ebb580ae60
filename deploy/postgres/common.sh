# What the scripts beside it share: where things are, and how the other server is asked.
secrets=${SECRETS:-/run/secrets}
scripts=${SCRIPTS:-/scripts}
port=${PGPORT:-5432}
sockets=${SOCKETS:-/var/run/postgresql}

# The other server, as the one who replicates: always with TLS, its certificate and name checked.
# PEER_ADDRESS is for networks where its name cannot be looked up.
peer_conninfo() {
    echo "host=$PEER ${PEER_ADDRESS:+hostaddr=$PEER_ADDRESS }port=${PEER_PORT:-5432} user=replicator dbname=$1 sslmode=verify-full sslrootcert=$secrets/ca connect_timeout=5 application_name=$(standby_name)"
}

# By this name the primary knows whether this server has confirmed.
standby_name() {
    echo "$NODE" | tr - _
}

# A file of passwords for the clients of PostgreSQL, readable by us alone.
make_passfile() {
    PGPASSFILE=${TMPDIR:-/tmp}/replicator.pgpass
    (umask 077; printf '*:*:*:replicator:%s\n' "$(cat "$secrets/replicator")" > "$PGPASSFILE")
    export PGPASSFILE
    # It would be taken instead.
    unset PGPASSWORD
}

# `primary` or `standby`; `away` where nothing answers at all; `unclear` where something does that cannot
# be asked: it is starting, or refuses us. What is unclear may be a primary.
peer_is() {
    case $(psql --no-psqlrc --no-password -Atqc "select pg_is_in_recovery()" "$(peer_conninfo postgres)") in
        f) echo primary ;;
        t) echo standby ;;
        *)
            answered=0
            pg_isready --quiet --timeout=5 --host="${PEER_ADDRESS:-$PEER}" --port="${PEER_PORT:-5432}" || answered=$?
            if [ "$answered" -le 1 ]; then echo unclear; else echo away; fi
            ;;
    esac
}

here() {
    psql --no-psqlrc -v ON_ERROR_STOP=1 -Atq -h "$sockets" -p "$port" -U postgres -d postgres "$@"
}
