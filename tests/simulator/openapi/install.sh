#!/bin/sh
# Installs the OpenAPI check (Node >= 18.20) into the folder given, or build/prism: the proxy, Twilio's own
# document, and a mended copy of it (twilio.json). Nothing of it is needed to run the product.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
into=${1:-${NIGHTBELL_PRISM_DIR:-$here/../../../build/prism}}
mkdir -p "$into"
cp "$here/package.json" "$into/package.json"
cd "$into"
npm install --no-audit --no-fund --no-package-lock --ignore-scripts --omit=dev --loglevel=error
node "$here/mend.js" \
    "node_modules/@twilio/cli-core/src/services/twilio-api/twilio_api_v2010.json" twilio.json
