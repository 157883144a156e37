"""The project's goals for speed, and what of them a run's figures reach: nothing but arithmetic on rows."""
import dataclasses

PEERS = ("librdkafka", "rdkafka_performance")
CODECS = (("none", "uncompressed"), ("lz4", "lz4"), ("zstd", "zstd"))


@dataclasses.dataclass
class Goal:
    name: str
    goal: str
    reached: str
    met: bool


def by_work(rows, broker, what):
    """work -> who -> row."""
    found = {}
    for row in rows:
        if row.broker == broker and row.what == what:
            found.setdefault(row.work, {})[row.who] = row
    return found


def ratios_to_peer(rows, what, codec):
    """Of each work on each broker: our client's CPU, by the cheaper of librdkafka's two programs."""
    ratios = []
    for broker in ("barnabas", "kafka"):
        for group in by_work(rows, broker, what).values():
            peers = [group[who].cost.client for who in PEERS if who in group]
            if "barnabas" in group and peers and group["barnabas"].codec == codec:
                ratios.append(group["barnabas"].cost.client / min(peers))
    return ratios


def broker_ratios(rows, what):
    """(work, our broker's CPU, Apache Kafka's) for the same client, ours, doing the same."""
    kafka = by_work(rows, "kafka", what)
    return [(work, group["barnabas"].cost.broker, kafka[work]["barnabas"].cost.broker)
            for work, group in by_work(rows, "barnabas", what).items()
            if "barnabas" in group and "barnabas" in kafka.get(work, {})]


def sendfile_ratios(rows):
    """(work, our broker's CPU, a bare sendfile's)."""
    return [(work, group["barnabas"].cost.broker, group["bare sendfile"].cost.broker)
            for work, group in by_work(rows, "barnabas", "consume").items()
            if "barnabas" in group and "bare sendfile" in group]


def spread(ratios):
    """The worst row decides whether a goal is met."""
    return f"at worst {max(ratios):.2f} (best {min(ratios):.2f}, {len(ratios)} rows)"


def throughput_goals(rows):
    for what, who in (("produce", "producer"), ("consume", "consumer")):
        for codec, name in CODECS:
            ratios = ratios_to_peer(rows, what, codec)
            if ratios:
                yield Goal(f"{who}'s CPU per record, of librdkafka's, {name}", "≤ 0.25", spread(ratios), max(ratios) <= 0.25)
    ratios = [ours / theirs for _, ours, theirs in broker_ratios(rows, "produce")]
    if ratios:
        yield Goal("broker's CPU on produce, of Apache Kafka's", "≤ 0.167", spread(ratios), max(ratios) <= 1 / 6)
    ratios = [ours / bare for _, ours, bare in sendfile_ratios(rows)]
    if ratios:
        yield Goal("broker's CPU on fetch, of a bare sendfile's", "≤ 1.5", spread(ratios), max(ratios) <= 1.5)


def latency_goals(rows):
    def find(broker, who, rate):
        return next((row for row in rows if (row.broker, row.who, row.rate) == (broker, who, rate)), None)

    for rate in sorted({row.rate for row in rows if row.rate}):
        ours = find("barnabas", "barnabas", rate)
        for name, theirs in (("our client on Apache Kafka", find("kafka", "barnabas", rate)),
                             ("librdkafka on our broker", find("barnabas", "librdkafka", rate)),
                             ("librdkafka on Apache Kafka", find("kafka", "librdkafka", rate))):
            if ours and theirs:
                yield Goal(f"p99 latency at {rate:,}/s, to {name}", "below it", f"{said(ours)}, {said(theirs)}",
                           not ours.fell_behind and (theirs.fell_behind or ours.p99 < theirs.p99))


def said(row):
    return "fell behind" if row.fell_behind else f"{row.p99:.2f} ms"


def scaling_goals(rows):
    """A record may cost 20 % more than at the smallest size, at any other; less is no failure."""
    for over in ("partitions", "clients"):
        for what in ("produce", "consume"):
            ours = sorted((row for row in rows if (row.over, row.what, row.who) == (over, what, "barnabas")),
                          key=lambda row: row.size)
            for figure in ("client", "broker"):
                if len(ours) > 1 and getattr(ours[0], figure) > 0:
                    ratios = [getattr(row, figure) / getattr(ours[0], figure) for row in ours]
                    yield Goal(f"{figure}'s CPU per record over {ours[0].size:,} to {ours[-1].size:,} {over}, {what}", "≤ 1.2 x",
                               f"up to {max(ratios):.2f} x, at the end {ratios[-1]:.2f} x", max(ratios) <= 1.2)


def start_goals(start):
    if start:
        yield Goal("broker ready after exec", "< 10 ms", f"{start['ready_ms']:.1f} ms", start["ready_ms"] < 10)
        yield Goal("idle broker's memory", "< 12 MB", f"{start['idle_mb']:.1f} MB", start["idle_mb"] < 12)


def group_goals(rows):
    def of(what, broker):
        return {row.work: row for row in rows if (row.what, row.broker) == (what, broker)}

    for work, row in of("heartbeats", "barnabas").items():
        share = row.broker_cpu / row.seconds
        yield Goal(f"broker's CPU for heartbeats, {work}", "< 5 % of a core", f"{share:.1%}", share < 0.05)
    for work, row in of("join", "barnabas").items():
        if "without" in work:
            yield Goal(f"settled: {work}", "< 3 s", f"{row.seconds:.2f} s", row.seconds < 3)
    kafka = of("commits", "kafka")
    for work, row in of("commits", "barnabas").items():
        if work in kafka:
            ratio = (row.broker_cpu / row.count) / (kafka[work].broker_cpu / kafka[work].count)
            yield Goal(f"coordinator's CPU per commit, of Apache Kafka's: {work}", "≤ 0.2", f"{ratio:.2f}", ratio <= 0.2)


def all_goals(figures):
    return [*throughput_goals(figures.rows), *latency_goals(figures.latency), *start_goals(figures.start),
            *scaling_goals(figures.scaling), *group_goals(figures.groups)]
