#!/usr/bin/env python3
"""Measures producers, consumers and brokers beside their peers, in one run: CPU seconds, as ratios.

bench.py --binaries DIR [--scale S] [--repeat N] [--only WORDS] [--json FILE] [--write-docs]

Every row is the median of N runs that take turns with the peers' runs, so that a noisy minute hits all alike. --scale 1 is the
full size (10 million x 100 B, 2 million x 1000 B); the default is a tenth of it. Peers come from tests/bench/setup.sh and
tests/interop/setup.sh. --write-docs writes docs/benchmarks.md.
"""
import argparse
import dataclasses
import json
import subprocess
import sys
import tempfile

import contestants
import limits
import measure
import report
from contestants import Work, brokers


@dataclasses.dataclass
class Row:
    broker: str
    what: str
    who: str
    work: str
    size: int
    count: int
    cost: measure.Cost


class RunningBroker:
    """Ours or Apache Kafka, on an empty directory, and its topics."""

    def __init__(self, kind, folder, binaries):
        self.kind, self.folder, self.binaries = kind, f"{folder}/{kind}", binaries
        brokers.start(kind, self.folder, binaries)
        self.bootstrap, self.pid = brokers.running(self.folder)["bootstrap"], brokers.running(self.folder)["pid"]

    def topic(self, verb, name, *more):
        subprocess.run([f"{self.binaries}/barnabas", "topic", verb, name, *more, "-b", self.bootstrap], check=True,
                       capture_output=True, timeout=60)

    def stop(self):
        brokers.stop(self.folder)


def produce_rows(broker, works, everyone, repeat):
    """Each run has a topic of its own, deleted after it: no run pays for another's data."""
    for work in works:
        costs = {who.name: [] for who in everyone}
        for turn in range(repeat + 1):
            for who in everyone:
                topic = f"produce-{turn}-{who.name}"
                broker.topic("create", topic, "--partitions", str(contestants.PARTITIONS))
                costs[who.name].append(measure.run(who.produce(broker.bootstrap, topic, work), broker.pid))
                broker.topic("delete", topic)
        yield from rows_of(broker, "produce", work, costs)


def consume_rows(broker, works, everyone, repeat):
    """All read the same topic, which our producer filled."""
    readers = [who for who in everyone if who.consume and (broker.kind == "kafka" or not who.reads_in_groups_only)]
    for work in works:
        broker.topic("create", "consume", "--partitions", str(contestants.PARTITIONS))
        measure.run(everyone[0].produce(broker.bootstrap, "consume", work), broker.pid)
        costs = {who.name: [] for who in readers}
        for _ in range(repeat + 1):
            for who in readers:
                costs[who.name].append(measure.run(who.consume(broker.bootstrap, "consume", work), broker.pid))
        if broker.kind == "barnabas":
            costs["bare sendfile"] = [limits.sendfile_cost(work.count * work.size) for _ in range(repeat + 1)]
        broker.topic("delete", "consume")
        yield from rows_of(broker, "consume", work, costs)


def rows_of(broker, what, work, costs):
    for who, runs in costs.items():  # the first run warmed up
        row = Row(broker.kind, what, who, str(work), work.size, work.count, measure.median(runs[1:]))
        print(report.line(row), file=sys.stderr)
        yield row


def works(scale):
    for count, size in ((10_000_000, 100), (2_000_000, 1000)):
        for codec in ("none", "lz4", "zstd"):
            for acks in ("1", "all"):
                yield Work(int(count * scale), size, codec, acks)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binaries", required=True)
    parser.add_argument("--scale", type=float, default=0.1)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--only", default="", help="words that a row's text must hold: 'consume', 'lz4', '100 B'")
    parser.add_argument("--json")
    parser.add_argument("--write-docs", action="store_true")
    options = parser.parse_args()
    everyone = contestants.all_here(options.binaries)
    kinds = ["barnabas"] + (["kafka"] if contestants.Java().is_here() else [])

    def wanted(kind, what, work):
        return all(word in f"{kind} {what} {work}" for word in options.only.split(","))

    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for kind in kinds:
            broker = RunningBroker(kind, folder, options.binaries)
            try:
                chosen = [work for work in works(options.scale) if wanted(kind, "produce", work)]
                rows += produce_rows(broker, chosen, everyone, options.repeat)
                chosen = [work for work in works(options.scale) if work.acks == "1" and wanted(kind, "consume", work)]
                rows += consume_rows(broker, chosen, everyone, options.repeat)
            finally:
                broker.stop()
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump([dataclasses.asdict(row) for row in rows], file, indent=1)
    print(report.text(rows))
    if options.write_docs:
        report.write_page(rows, options)


if __name__ == "__main__":
    main()
