#!/bin/sh
# From a table of members to offers, all or none; a repetition makes no second set. Needs ISSUER, KEY and members.csv.
set -eu
curl --fail-with-body --silent --show-error --output offers.json --data-binary @members.csv \
  --header "Authorization: Bearer $KEY" --header "Content-Type: text/csv" --header "Idempotency-Key: members-2026" \
  "$ISSUER/v1/offer-batches?credential_type=membership&grant=pre_authorized_code&expires_in_s=604800"
# How many cards there are by now: the newest page of them.
curl --fail-with-body --silent --show-error --output cards.json --header "Authorization: Bearer $KEY" "$ISSUER/v1/credentials?limit=200"
