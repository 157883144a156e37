"""What a record costs when the same records go over more partitions, or through more clients.

Of each run's cost that of a run with one record per partition (or one turn per client) is taken off: connecting, metadata and
first buffers are what a partition and a client cost to begin with, and are given apart.
"""
import dataclasses
import statistics
import sys

import measure
from contestants import Scaled

PARTITIONS = (1, 10, 100, 1_000, 10_000)
CLIENTS = (1, 10, 100, 1_000)
PEER_LIMITS = {"partitions": 1_000, "clients": 100}  # a peer has threads per client, and more is not asked of it
FULL, MOST = 10_000_000, 2_000_000
RECORDS_PER_PARTITION = 100  # fewer would not fill its batch
TURN = 100                   # records that a client sends in a row
CLIENTS_PARTITIONS = 10      # of the topic that all clients write to, or read
READ_BY_EACH = 20_000        # records: one partition, whole
CONNECTION_BATCH = 65_536


@dataclasses.dataclass
class ScaleRow:
    over: str        # "partitions" or "clients"
    size: int
    what: str        # "produce" or "consume"
    who: str
    count: int
    start_client: float   # CPU seconds of the run that is taken off
    start_broker: float
    client: float         # CPU nanoseconds per record
    broker: float


def points(over, scale):
    """The steps that the number of records allows, and that number: per step, clients start longer than partitions."""
    count = int(min(FULL * scale, MOST)) * (2 if over == "clients" else 1)
    sizes = PARTITIONS if over == "partitions" else CLIENTS
    return [size for size in sizes if size * RECORDS_PER_PARTITION <= count], count


def scaled(over, what, size, count):
    """The work of one step. Clients share the records that they write, but each reads a partition of its own length: so what it
    costs to begin is small beside it, and nobody is sent what he does not take."""
    if over == "partitions":
        return Scaled(count, size)
    if what == "consume":
        count = READ_BY_EACH * max(size, CLIENTS_PARTITIONS)
    return Scaled(count, CLIENTS_PARTITIONS, size, round_robin=False, batch_size=CONNECTION_BATCH)


def start_of(work):
    """The same with no more than it takes to have every partition and client at work once."""
    return dataclasses.replace(work, count=max(work.partitions, work.clients * TURN if work.clients > 1 else 1))


def row_of(over, size, what, who, count, base, full):
    """Per record, from the medians of both kinds of run; each of them read or wrote what the other did and `count` more."""
    def part(costs, figure):
        return statistics.median(getattr(cost, figure) for cost in costs)

    start = {figure: part(base, figure) for figure in ("client", "broker")}
    each = {figure: (part(full, figure) - start[figure]) / count * 1e9 for figure in start}
    row = ScaleRow(over, size, what, who, count, start["client"], start["broker"], each["client"], each["broker"])
    print(f"{what:<8} over {size:>6} {over:<10} {who:<20} client {row.client:6.0f} ns  broker {row.broker:6.0f} ns a record, to "
          f"begin with {row.start_client * 1e3:.0f} and {row.start_broker * 1e3:.0f} ms", file=sys.stderr)
    return row


def measure_all(subject, everyone, repeat, scale):
    for over in ("partitions", "clients"):
        sizes, count = points(over, scale)
        for size in sizes:
            those = [who for who in everyone if who.produce_scaled and (who.name == "barnabas" or size <= PEER_LIMITS[over])]
            for what, measure_costs in (("produce", produce), ("consume", consume)):
                work = scaled(over, what, size, count)
                topic = f"{what}-{over}-{size}"
                subject.create(topic, work.partitions)
                costs = measure_costs(subject, topic, work, those, repeat)
                subject.delete(topic)
                for who in those:  # the first runs warmed up
                    yield row_of(over, size, what, who.name, work.count, costs[who.name, False][1:], costs[who.name, True][1:])


def produce(subject, topic, work, everyone, repeat):
    start = start_of(work)
    costs = {}
    for _ in range(repeat + 1):
        for who in everyone:
            for is_full, part in ((False, start), (True, dataclasses.replace(work, count=start.count + work.count))):
                cost = measure.run(who.produce_scaled(subject.bootstrap, topic, part), subject.pid)
                costs.setdefault((who.name, is_full), []).append(cost)
    return costs


def consume(subject, topic, work, everyone, repeat):
    """First the topic holds a record per partition, then as many more as `work` says; each is read by so many clients."""
    costs = {}
    there, readers = 0, max(1, work.clients // work.partitions)
    for is_full, more in ((False, work.partitions), (True, work.count // readers)):
        filling = Scaled(more, work.partitions)
        measure.run(everyone[0].produce_scaled(subject.bootstrap, topic, filling), subject.pid)
        there += more
        for _ in range(repeat + 1):
            for who in everyone:
                part = dataclasses.replace(work, count=there * readers)
                cost = measure.run(who.consume_scaled(subject.bootstrap, topic, part), subject.pid)
                costs.setdefault((who.name, is_full), []).append(cost)
    return costs
