#!/bin/sh
# Makes a backup named by its time, then removes those that are too old: never the last seven.
#   ASSAY_BACKUP_DIR         where they lie
#   ASSAY_BACKUP_KEEP_DAYS   how old one may get, in days
# When it is done, last-success.prom says so; let the node exporter of Prometheus read it.
set -eu
umask 077
dir=${ASSAY_BACKUP_DIR:-/var/backups/assay}
keep_days=${ASSAY_BACKUP_KEEP_DAYS:-30}
keep_least=7

"${ASSAY:-/usr/local/bin/assay}" backup --to "$dir/$(date -u +%Y-%m-%dT%H-%M-%SZ)"

printf 'assay_backup_last_success_timestamp_seconds %s\n' "$(date +%s)" > "$dir/last-success.prom.new"
# No secret is in it, and it is not the owner who reads it.
chmod 0644 "$dir/last-success.prom.new"
mv "$dir/last-success.prom.new" "$dir/last-success.prom"

# Names sort by time; what is newest is kept whatever its age.
find "$dir" -mindepth 1 -maxdepth 1 -type d -name '[0-9]*Z' | sort | head -n "-$keep_least" |
    while read -r old; do
        if [ -n "$(find "$old" -maxdepth 0 -mtime "+$keep_days")" ]; then
            echo "removing $old"
            rm -rf "$old"
        fi
    done
