"""Producers and consumers as fast as they go, against both brokers: what the clients cost, and what the brokers."""
import dataclasses
import sys

import contestants
import limits
import measure
import report
from contestants import Work

SIZES = ((10_000_000, 100), (2_000_000, 1000))
SENDFILE = "bare sendfile"


@dataclasses.dataclass
class Row:
    broker: str
    what: str
    who: str
    work: str
    size: int
    count: int
    codec: str
    cost: measure.Cost


def works(scale):
    return [Work(int(count * scale), size, codec, acks)
            for count, size in SIZES for codec in ("none", "lz4", "zstd") for acks in ("1", "all")]


def turns_of(who, repeat, patient):
    """The first turn warms up. Java's start takes most of its run: in a short benchmark it runs less often."""
    return 1 + (repeat if patient or who.name != "Java" else min(repeat, 2))


def produce(subjects, chosen, everyone, repeat, patient):
    """Each run has a topic of its own, deleted after it: no run pays for another's data."""
    for work in chosen:
        costs = {}
        for turn in range(repeat + 1):
            for who in everyone:
                for subject in subjects if turn < turns_of(who, repeat, patient) else ():
                    topic = f"produce-{turn}-{everyone.index(who)}"
                    subject.create(topic, contestants.PARTITIONS)
                    cost = measure.run(who.produce(subject.bootstrap, topic, work), subject.pid)
                    costs.setdefault((subject.kind, who.name), []).append(cost)
                    subject.delete(topic)
        yield from rows_of("produce", work, costs)


def consume(subjects, chosen, everyone, repeat, patient):
    """All read the same topic, which our producer filled; a tool that reads in groups finds none in ours."""
    for work in chosen:
        costs = {}
        for subject in subjects:
            subject.create("consume", contestants.PARTITIONS)
            measure.run(everyone[0].produce(subject.bootstrap, "consume", work), subject.pid)
        for turn in range(repeat + 1):
            for who in everyone:
                for subject in subjects:
                    if who.consume and turn < turns_of(who, repeat, patient) and (
                            subject.kind == "kafka" or not who.reads_in_groups_only):
                        cost = measure.run(who.consume(subject.bootstrap, "consume", work), subject.pid)
                        costs.setdefault((subject.kind, who.name), []).append(cost)
            for subject in subjects:
                if subject.kind == "barnabas":
                    size = limits.bytes_of(subject.data, "consume")
                    costs.setdefault((subject.kind, SENDFILE), []).append(limits.sendfile_cost(size))
        for subject in subjects:
            subject.delete("consume")
        yield from rows_of("consume", work, costs)


def rows_of(what, work, costs):
    for (kind, who), runs in sorted(costs.items(), key=lambda item: item[0][0]):  # the first run warmed up
        row = Row(kind, what, who, str(work), work.size, work.count, work.codec, measure.median(runs[1:]))
        print(report.line(row), file=sys.stderr)
        yield row
