#!/usr/bin/env bash
# Runs the tests that mistreat the broker under load (kills, restarts, hostile connections, full disks), those of a group whose
# members come and go, and those of a coordinator that answers nonsense, again and again for so many seconds, and stops at the first
# failure: soak.sh BINARIES SECONDS
set -euo pipefail
binaries=$1 seconds=$2
end=$((SECONDS + seconds)) rounds=0
while [ $SECONDS -lt $end ]; do
  timeout 300 "$binaries/integration_tests" --gtest_brief=1 --gtest_shuffle \
    --gtest_filter='KillOnlyOurs.*:RestartOnlyOurs.*:HostileConnectionsOnlyOurs.*:DiskFullOnlyOurs.*'
  BARNABAS_GROUP_ROUNDS=25 BARNABAS_GROUP_SEED=$RANDOM timeout 300 "$binaries/integration_tests" --gtest_brief=1 \
    --gtest_filter='GroupRoundsOnlyOurs.members*'
  BARNABAS_NONSENSE_FIRST=$RANDOM BARNABAS_NONSENSE_SEEDS=5 timeout 300 "$binaries/nonsense_tests" --gtest_brief=1
  rounds=$((rounds + 1))
done
echo "soak: $rounds rounds without a failure"
