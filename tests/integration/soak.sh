#!/usr/bin/env bash
# Runs the tests that mistreat the broker under load (kills, restarts, hostile connections, full disks), those of a coordinator that
# answers nonsense, and a hundred rounds of each group whose members come and go; again and again until so many seconds have
# passed, once at least; and stops at the first failure: soak.sh BINARIES SECONDS
set -euo pipefail
binaries=$1 seconds=$2
end=$((SECONDS + seconds)) passes=0
while [ $passes -eq 0 ] || [ $SECONDS -lt $end ]; do
  timeout 300 "$binaries/integration_tests" --gtest_brief=1 --gtest_shuffle \
    --gtest_filter='KillOnlyOurs.*:RestartOnlyOurs.*:HostileConnectionsOnlyOurs.*:DiskFullOnlyOurs.*'
  BARNABAS_NONSENSE_FIRST=$RANDOM BARNABAS_NONSENSE_SEEDS=5 timeout 300 "$binaries/nonsense_tests" --gtest_brief=1
  BARNABAS_GROUP_ROUNDS=100 BARNABAS_GROUP_SEED=$RANDOM timeout 3600 "$binaries/integration_tests" --gtest_brief=1 \
    --gtest_filter='GroupRoundsOnlyOurs.*members_that_come_and_go*'
  passes=$((passes + 1))
done
echo "soak: $passes times without a failure"
