#!/usr/bin/env bash
# What a stranger does: `make run`, wait for the line that says it is ready, `make night`, `make mail`, Ctrl-C.
# Uses ports of its own and a folder of its own, and stops what it started.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
export NIGHTBELL_DATA_DIR="$folder" PORT=${PORT:-18480} SIMULATOR_PORT=${SIMULATOR_PORT:-18487} MAIL_PORT=${MAIL_PORT:-18425} SIMULATOR_SMTP_PORT=${SIMULATOR_SMTP_PORT:-18426}
unset DATABASE_URL
make .venv/.run # on a new machine this takes longer than the start that is waited for below

make run PORT="$PORT" SIMULATOR_PORT="$SIMULATOR_PORT" MAIL_PORT="$MAIL_PORT" >"$folder/run.log" 2>&1 &
running=$!
stop() {
    pkill -INT -P "$running" || true # as Ctrl-C does: the program itself, below make
    for _ in $(seq 1 100); do
        kill -0 "$running" 2>/dev/null || break
        sleep 0.1
    done
    if kill -0 "$running" 2>/dev/null; then
        echo "it did not stop within ten seconds"
        pkill -KILL -P "$running" || true
        exit 1
    fi
    rm -rf "$folder"
}
trap stop EXIT

for _ in $(seq 1 300); do
    grep -q 'Nightbell is ready' "$folder/run.log" && break
    kill -0 "$running" 2>/dev/null || { cat "$folder/run.log"; exit 1; }
    sleep 0.1
done
grep 'Nightbell is ready' "$folder/run.log" || { cat "$folder/run.log"; exit 1; }
make night SIMULATOR_PORT="$SIMULATOR_PORT"
make mail SIMULATOR_PORT="$SIMULATOR_PORT"
make mail SIMULATOR_PORT="$SIMULATOR_PORT" URGENT=1
make night SIMULATOR_PORT="$SIMULATOR_PORT" AUDIO=simulator/sounds/voicemail.wav # nothing of the stories before stands in its way
