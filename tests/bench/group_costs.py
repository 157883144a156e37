"""What consumer groups cost their coordinator, ours and Apache Kafka's: heartbeats, joining, commits, and loading at a start.

The load comes from group_load (tests/bench/group_load): members that speak the protocol by hand, each over a connection of its own; and
for joining, whole consumers that share a thread.
"""
import dataclasses
import json
import statistics
import subprocess
import sys
import tempfile

import measure
import subjects
from contestants import brokers

MEMBERS = 3            # of each group that sends heartbeats
INTERVAL_MS = 3000     # Kafka's default, heartbeat.interval.ms
JOINING = 200          # members of one group
JOINED_PARTITIONS = 400
DELAY_MS = 1000        # of group.initial.rebalance.delay.ms; members that come meanwhile make it begin once more
COMMITTERS = 100       # groups of one member
COMMITTED = ((1, 1), (10, 1), (1, 20))  # partitions in a commit, and commits of a member on their way: commit_sync, commit_async
LOADED_PARTITIONS = 100
WARM_UP_ROUNDS = 10


@dataclasses.dataclass
class GroupRow:
    what: str          # "heartbeats", "join", "commits" or "load"
    broker: str
    work: str
    count: int         # heartbeats, members, commits, or offsets that were written
    seconds: float     # that they took; of a join: without the initial delay
    broker_cpu: float  # seconds
    p99_ms: float = 0.0


def sizes(scale):
    """(groups that send heartbeats, for how many seconds, commits in a run, offsets to load)"""
    if scale >= 0.1:
        return 1000, 30, int(max(40_000, 400_000 * min(scale, 1))), 1_000_000
    return 100, 6, max(2_000, int(400_000 * scale)), max(10_000, int(10_000_000 * scale))


def group_load(binaries, verb, bootstrap, pid, *more):
    command = [f"{binaries}/group_load", verb, "--bootstrap", bootstrap, "--pid", str(pid), *(str(word) for word in more)]
    done = subprocess.run(["timeout", str(measure.TIMEOUT_SECONDS), *command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}\nexit {done.returncode}: {done.stdout}{done.stderr}")
    return json.loads(done.stdout)


def row(what, broker, work, count, runs):
    """The medians of the runs, each figure's own."""
    def middle(name):
        return statistics.median(run.get(name, 0.0) for run in runs)

    made = GroupRow(what, broker, work, count(runs[0]), middle("seconds"), middle("broker_cpu"), middle("p99_ms"))
    print(f"{broker:<9}{what:<11}{work:<48} {made.count:>9,} in {made.seconds:7.3f} s  broker {made.broker_cpu:7.3f} s "
          f"({made.broker_cpu / max(made.count, 1) * 1e6:.1f} us each)  p99 {made.p99_ms:.1f} ms", file=sys.stderr)
    return made


def heartbeats(both, binaries, repeat, scale):
    groups, time, _, _ = sizes(scale)
    for subject in both:
        runs = [group_load(binaries, "heartbeats", subject.bootstrap, subject.pid, "--topic", "groups-1", "--groups", groups, "--members",
                           MEMBERS, "--interval-ms", INTERVAL_MS, "--seconds", time, "--prefix", f"heartbeats-{turn}")
                for turn in range(min(repeat, 3))]
        yield row("heartbeats", subject.kind, f"{groups:,} groups x {MEMBERS} members, each {INTERVAL_MS / 1e3:g} s",
                  lambda run: run["heartbeats"], runs)


def commits(both, binaries, repeat, scale):
    count = sizes(scale)[2]
    for partitions, on_the_way in COMMITTED:
        def one(subject, turn, partitions=partitions, on_the_way=on_the_way):
            return group_load(binaries, "commits", subject.bootstrap, subject.pid, "--topic", "groups-100", "--groups", COMMITTERS,
                              "--count", count, "--partitions", partitions, "--on-the-way", on_the_way,
                              "--prefix", f"commits-{partitions}-{on_the_way}-{turn}")

        for subject in both:
            warm_up(lambda turn, subject=subject: one(subject, f"warm-up-{turn}")["broker_cpu"])
        runs = {}
        for turn in range(repeat):
            for subject in both:
                runs.setdefault(subject.kind, []).append(one(subject, turn))
        for kind, found in runs.items():
            yield row("commits", kind, f"{COMMITTERS} groups, {partitions} partition{'s' if partitions > 1 else ''} a commit, {on_the_way} on the way",
                      lambda run: run["commits"], found)


def warm_up(run):
    """Until it has not become cheaper three times in a row."""
    costs = []
    for turn in range(WARM_UP_ROUNDS):
        costs.append(run(turn))
        if len(costs) > 3 and min(costs[-3:]) > subjects.STEADY * min(costs[:-3]):
            return


def joining(bootstrap, pid, binaries, turn):
    return group_load(binaries, "join", bootstrap, pid, "--topic", "groups-400", "--members", JOINING, "--partitions", JOINED_PARTITIONS,
                      "--prefix", f"join-{turn}")


def join_after_delay(binaries, repeat):
    """On a broker with an initial delay: it passes twice, for members came in the first one; the rest is what settling takes."""
    with tempfile.TemporaryDirectory() as folder:
        port, command = brokers.barnabas_command(folder, binaries)
        process = subprocess.Popen([*command, "--override", f"group.initial.rebalance.delay.ms={DELAY_MS}"], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            subjects.wait_for(port, process)
            bootstrap = f"127.0.0.1:{port}"
            subjects.create_topic(binaries, bootstrap, "groups-400", JOINED_PARTITIONS)
            runs = [joining(bootstrap, process.pid, binaries, turn) for turn in range(repeat)]
        finally:
            process.terminate()
            process.wait(30)
    for run in runs:
        run["seconds"] -= 2 * DELAY_MS / 1e3
    yield row("join", "barnabas", f"{JOINING} members, without the initial delay of {DELAY_MS / 1e3:g} s", lambda run: run["members"], runs)


def join_at_once(both, binaries, repeat):
    """With no delay the first ones have a generation of their own, and hear of the next one with their next heartbeat."""
    for subject in both:
        subject.create("groups-400", JOINED_PARTITIONS)
        runs = [joining(subject.bootstrap, subject.pid, binaries, turn) for turn in range(min(repeat, 3))]
        yield row("join", subject.kind, f"{JOINING} members, no initial delay", lambda run: run["members"], runs)


def load(both, binaries, scale):
    """Commits by 50 groups, one for each partition of __consumer_offsets on average; then the broker starts again."""
    count, groups = sizes(scale)[3] // LOADED_PARTITIONS, 50
    for subject in both:
        named = ["--topic", "groups-100", "--groups", groups, "--partitions", LOADED_PARTITIONS, "--prefix", "loaded"]
        group_load(binaries, "commits", subject.bootstrap, subject.pid, "--count", count, *named)
        subject.restart()
        run = group_load(binaries, "load", subject.bootstrap, subject.pid, *named)
        if run["offsets"] != groups * LOADED_PARTITIONS:
            raise SystemExit(f"{subject.kind} has {run['offsets']} offsets after its restart")
        run["seconds"] -= run["connected_seconds"]
        yield row("load", subject.kind, f"{groups} groups, from the first connection", lambda _: count * LOADED_PARTITIONS, [run])


def measure_all(both, binaries, repeat, scale):
    for subject in both:
        subject.create("groups-1", 1)
        subject.create("groups-100", LOADED_PARTITIONS)
    yield from heartbeats(both, binaries, repeat, scale)
    yield from join_after_delay(binaries, repeat)
    yield from join_at_once(both, binaries, repeat)
    yield from commits(both, binaries, repeat, scale)
    yield from load(both, binaries, scale)
