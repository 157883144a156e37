#!/usr/bin/env bash
# Brings the foreign programs of the interop tests onto this machine, once: Apache Kafka 4.3 (broker and tools), confluent-kafka,
# kafkajs and franz-go, each from the registry of its language, below $PEERS_DIR. What its language's tool is missing for is
# left out and named; its tests are then skipped (with BARNABAS_REQUIRE_PEERS=1 they fail).
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
peers=${PEERS_DIR:-$HOME/.cache/barnabas-peers}/interop-1
status=0
mkdir -p "$peers"

# Runs the named step once: a finished one leaves a mark. A failed one is tried again, since a registry may be slow.
once() { # NAME NEEDED-COMMANDS FUNCTION
  local name=$1 needs=$2 command try
  [ -e "$peers/$name.done" ] && return
  for command in $needs; do
    command -v "$command" >/dev/null || { echo "setup: $name is left out: there is no $command" >&2; status=1; return; }
  done
  echo "setup: $name" >&2
  for try in 1 2 3; do
    rm -rf "${peers:?}/$name"; mkdir -p "$peers/$name"
    if (cd "$peers/$name" && "$3") >"$peers/$name.log" 2>&1; then touch "$peers/$name.done"; return; fi
  done
  tail -20 "$peers/$name.log" >&2
  echo "setup: $name failed" >&2; status=1
}

kafka() {
  mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$PWD/libs"
}
confluent() {
  python3 -m venv . && bin/pip install -q confluent-kafka==2.16.1
}
kafkajs() {
  printf '{"name":"interop","version":"1.0.0","private":true}\n' >package.json
  npm install --silent --no-audit --no-fund kafkajs@2.2.4
}
franz() {
  cp "$here/franz/main.go.txt" main.go
  go mod init interop && go get github.com/twmb/franz-go@v1.22.2 && go mod tidy && go build -o franz .
}

once kafka "java mvn" kafka
once confluent python3 confluent
once kafkajs "node npm" kafkajs
# Built anew when our program changed.
cmp -s "$here/franz/main.go.txt" "$peers/franz/main.go" || rm -f "$peers/franz.done"
once franz go franz
exit $status
