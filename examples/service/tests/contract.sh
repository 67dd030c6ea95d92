#!/usr/bin/env bash
# Has schemathesis read the document of a running service and try every endpoint, with right and wrong data.
# The service and the tool are built and installed below the target folder; nothing else is touched.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
target=${CARGO_TARGET_DIR:-$PWD/target}
program=$target/debug/chatflow-service
[ -x "$program" ] || cargo build --quiet --locked

tool=$target/schemathesis
if [ ! -x "$tool/bin/schemathesis" ]; then
    python3 -m venv "$tool"
    "$tool/bin/pip" --quiet --disable-pip-version-check install 'schemathesis==4.32.5'
fi

folder=$(mktemp -d)
token=cf_contract_0123456789abcdef0123456789abcdef
service=''
finish() {
    [ -z "$service" ] || kill -TERM "$service" 2>/dev/null || true
    wait 2>/dev/null || true
    rm -rf "$folder"
}
trap finish EXIT

env DATABASE_URL="sqlite:$folder/contract.db" LISTEN=127.0.0.1:0 SERVICE_TOKEN=$token RATE_PER_MINUTE=0 RUST_LOG=warn \
    STREAM_SECONDS=1 WHATSAPP_APP_SECRET=secret WHATSAPP_VERIFY_TOKEN=word "$program" >"$folder/out" 2>"$folder/log" &
service=$!
tries=0
until url=$(sed -n 's/^listening on //p' "$folder/out") && [ -n "$url" ]; do
    kill -0 "$service" 2>/dev/null && [ $((tries += 1)) -le 200 ] || { cat "$folder/log" >&2; exit 1; }
    sleep 0.05
done

# Every endpoint and every check. A request that fits its schema may break a rule of the flow or of the contact all the same, so
# it may be refused by a status that says so; but never because it cannot be read, and never by a 5xx.
checks=$PWD/tests/schemathesis.toml
cd "$folder"
"$tool/bin/schemathesis" --config-file "$checks" run "$url/openapi.json" --header "Authorization: Bearer $token" \
    --workers 2 --max-examples "${EXAMPLES:-20}" --seed 1 --request-timeout 12 --no-color --warnings off --output-truncate true

kill -TERM "$service"
wait "$service" || { echo "the service did not end well" >&2; exit 1; }
service=''
if grep -E 'panicked|ERROR' "$folder/log"; then exit 1; fi
