#!/usr/bin/env bash
# A private PostgreSQL for the tests: tests/postgres.sh
# Starts a server of its own on loopback, in a temporary directory, with TLS. Prints `ready PORT DIRECTORY` or what is
# missing, and ends the server when its standard input closes: with the process that started it, however that ends.
set -euo pipefail

say() {
    echo "$*"
    exit 1
}

bin=$(command -v initdb) || bin=$(compgen -G '/usr/lib/postgresql/*/bin/initdb' | sort -V | tail -n 1) || true
[[ -n $bin ]] || say "missing: postgresql"
bin=$(dirname "$(readlink -f "$bin")")
command -v openssl >/dev/null || say "missing: openssl"

# The server refuses to run as root.
as=()
if ((EUID == 0)); then
    id postgres >/dev/null 2>&1 || say "missing: user postgres"
    as=(setpriv --reuid=postgres --regid=postgres --clear-groups)
fi

home=$(mktemp -d /tmp/tollgate-postgres.XXXXXX)
clean() {
    [[ ! -f $home/data/postmaster.pid ]] || "${as[@]}" "$bin/pg_ctl" stop -D "$home/data" -m immediate -w || true
    rm -rf "$home"
}
trap 'clean >/dev/null 2>&1' EXIT
trap 'exit 143' TERM
trap 'exit 130' INT
trap 'exit 129' HUP
((EUID != 0)) || chown postgres:postgres "$home"
# So that everybody may read the certificate; the data directory is the server's alone.
chmod 755 "$home"
cd "$home"

prepare() {
    "${as[@]}" "$bin/initdb" -D data -U tollgate -E UTF8 --locale=C --auth=trust --no-sync
    # First come the rules that count: one user needs a password, so that a test sees one asked for.
    { echo 'host all guarded 127.0.0.1/32 scram-sha-256'; cat data/pg_hba.conf; } >pg_hba.conf
    cat pg_hba.conf >data/pg_hba.conf
    printf '%s\n' '[req]' 'distinguished_name=dn' 'x509_extensions=v3' '[dn]' \
        '[v3]' 'subjectAltName=IP:127.0.0.1' 'basicConstraints=critical,CA:FALSE' >openssl.cnf
    "${as[@]}" openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=postgres \
        -config openssl.cnf -keyout key.pem -out cert.pem
}
prepare >log 2>&1 || say "cannot prepare a server: $(tail -n 1 log)"

# Nothing here outlives its test, so nothing needs to reach the disk.
options="-c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=300 -c fsync=off \
    -c ssl=on -c ssl_cert_file=$home/cert.pem -c ssl_key_file=$home/key.pem"
for _ in {1..20}; do
    port=$((RANDOM % 20000 + 12000))
    if "${as[@]}" "$bin/pg_ctl" start -D data -l data/log -w -t 60 -o "$options -p $port" >log 2>&1 </dev/null; then
        echo "ready $port $home"
        # Closes with its owner.
        while read -r _; do :; done
        exit 0
    fi
done
say "cannot start a server: $(tail -n 1 data/log)"
