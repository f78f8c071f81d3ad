#!/bin/sh
# Runs the standard scenarios of `tollgate load` against a gateway of this build, on loopback, and prints a plain
# table for each. Scenarios are named on the command line; without any, all run.
#
#   streams   1,000 streams over 20 connections, 100 leaves, 50 updates/s each
#   ingest    ingest rate with 1 and with 1,000 subscribers of other leaves, and of the same
#   stalled   10,000 updates/s, with and without a reader that does not read
#   idle      memory of 500 connections, and of 10,000 streams on them
#   saturated 1,000 streams over 20 connections, more than can be delivered
#   storm     10,000 connections with one stream each, all at once
set -eu

SECONDS_EACH=${SECONDS_EACH:-60}
STALL_SECONDS=${STALL_SECONDS:-120}
TOLLGATE=${TOLLGATE:-target/release/tollgate}
DATA=$(mktemp -d)
SERVER=

finish() {
    if [ -n "$SERVER" ]; then kill "$SERVER" 2>/dev/null || true; wait "$SERVER" 2>/dev/null || true; fi
    rm -rf "$DATA"
}
trap finish EXIT
trap 'exit 1' INT TERM

# One account, one token, one gateway on free ports.
admin() { "$TOLLGATE" admin --data-dir "$DATA" "$@"; }

prepare() {
    admin tenant create load >/dev/null
    admin service-account create --tenant load --username load --role tenant-admin >/dev/null
    admin --json pat create --tenant load --account load --ttl 1d |
        sed -n 's/.*"token": *"\([^"]*\)".*/\1/p' >"$DATA/token"
}

start() {
    "$TOLLGATE" serve --set gateway.listen=127.0.0.1:0 --set gateway.iam_listen=127.0.0.1:0 --set admin.listen=127.0.0.1:0 \
        --set gateway.drain_grace=0s --set store.data_dir="$DATA" >"$DATA/log" 2>&1 &
    SERVER=$!
    ADDRESS=
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        sleep 1
        ADDRESS=$(sed -n 's/.* address=\(127\.0\.0\.1:[0-9]*\).*/\1/p' "$DATA/log" | head -n 1)
        [ -z "$ADDRESS" ] || return 0
    done
    cat "$DATA/log" >&2
    exit 1
}

client() {
    "$TOLLGATE" load --addr "$ADDRESS" --ca "$DATA/pki/ca.pem" --token-file "$DATA/token" "$@"
}

stop() {
    kill "$SERVER"
    wait "$SERVER" || true
    SERVER=
}

# A fresh gateway for each line. It has served a few before, so that memory figures do not count the code that the first
# one brings into memory.
load() {
    title=$1
    shift
    start
    printf '\n== %s\n' "$title"
    client --connections 20 --subscriptions 20 --path /elsewhere --publishers 0 --duration 1s --warm-up 0s >/dev/null || FAILED=1
    client --pid "$SERVER" "$@" || FAILED=1
    processor
    stop
}

# What the gateway has used since its start, in seconds of one core.
processor() {
    ticks=$(sed 's/.*) //' "/proc/$SERVER/stat" | awk '{ print $12 + $13 }')
    echo "$ticks $(getconf CLK_TCK)" | awk '{ printf "server processor, s, in all  %.2f\n", $1 / $2 }'
}

streams() {
    load "1,000 streams over 20 connections, 100 leaves, 50 updates/s each" \
        --connections 20 --subscriptions 1000 --rate 50 --duration "${SECONDS_EACH}s"
}

ingest() {
    for subscriptions in 1 1000; do
        load "ingest as fast as it goes, $subscriptions subscribers of other leaves" --connections 20 \
            --subscriptions "$subscriptions" --path /elsewhere --rate 0 --duration 10s --warm-up 2s
        load "ingest as fast as it goes, $subscriptions subscribers of every leaf" --connections 20 \
            --subscriptions "$subscriptions" --rate 0 --duration 10s --warm-up 2s
    done
}

stalled() {
    load "10,000 updates/s, 10 readers" --connections 10 --subscriptions 10 --rate 10000 --duration 20s
    load "10,000 updates/s, 9 readers and one that does not read" --connections 10 --subscriptions 10 \
        --stalled-readers 10% --rate 10000 --duration "${STALL_SECONDS}s"
}

idle() {
    load "500 idle connections, one stream each" --connections 500 --subscriptions 500 \
        --path /elsewhere --publishers 0 --duration 2s --warm-up 1s
    load "10,000 idle streams on 100 connections" --connections 100 --subscriptions 10000 \
        --path /elsewhere --publishers 0 --duration 2s --warm-up 1s
}

saturated() {
    load "1,000 streams over 20 connections, 2,000 updates/s each offered" \
        --connections 20 --subscriptions 1000 --rate 2000 --duration 20s
}

storm() {
    # A gateway takes a thousand connections from one address.
    load "10,000 connections with one stream each, at once" --connections 10000 --subscriptions 10000 \
        --source-addresses 127.0.0.2-127.0.0.21 --path /elsewhere --publishers 0 --duration 2s --warm-up 1s
}

FAILED=0
prepare
for scenario in ${*:-streams ingest stalled idle saturated storm}; do
    case $scenario in
    streams | ingest | stalled | idle | saturated | storm) "$scenario" ;;
    *)
        echo "no scenario is named $scenario" >&2
        exit 64
        ;;
    esac
done
exit "$FAILED"
