"""The brokers that are measured: ours and Apache Kafka, each on an empty directory, and warm."""
import os
import socket
import subprocess
import sys
import tempfile
import time

import measure
from contestants import Barnabas, Java, Work, brokers

# The options that Apache Kafka's own start script gives its broker; the interop suite's make it start sooner instead.
KAFKA_JVM = ["-server", "-Xms1g", "-Xmx1g", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20",
             "-XX:InitiatingHeapOccupancyPercent=35", "-XX:+ExplicitGCInvokesConcurrent"]
WARM_UP_ROUNDS = 12  # at the most
PATIENCE_MS = 240_000  # 10,000 partitions take their time on a busy disk
STEADY = 0.97        # a round that costs more than this part of the cheapest so far brought nothing more


def topic(binaries, bootstrap, verb, name, *more):
    patience = [word for name_of in ("request.timeout.ms", "default.api.timeout.ms") for word in
                ("-X", f"{name_of}={PATIENCE_MS}")]
    done = subprocess.run([f"{binaries}/barnabas", "topic", verb, name, *more, "-b", bootstrap, *patience],
                          capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0:
        raise SystemExit(f"topic {verb} {name}: {done.stdout}{done.stderr}")


def create_topic(binaries, bootstrap, name, partitions):
    topic(binaries, bootstrap, "create", name, "--partitions", str(partitions))


class Subject:
    """A running broker, and its topics."""

    def __init__(self, kind, folder, binaries):
        self.kind, self.folder, self.binaries = kind, f"{folder}/{kind}", binaries
        brokers.start(kind, self.folder, binaries, jvm=KAFKA_JVM)
        self.bootstrap, self.pid = brokers.running(self.folder)["bootstrap"], brokers.running(self.folder)["pid"]
        self.data = f"{self.folder}/data"

    def create(self, name, partitions):
        create_topic(self.binaries, self.bootstrap, name, partitions)

    def delete(self, name):
        topic(self.binaries, self.bootstrap, "delete", name)

    def warm_up(self, count):
        """Writes and reads until that has not become cheaper three times in a row; returns what the rounds cost the broker."""
        client, work, costs = Barnabas(self.binaries), Work(count, 100), []
        for turn in range(WARM_UP_ROUNDS):
            topic = f"warm-up-{turn}"
            self.create(topic, 4)
            rounds = [measure.run(command, self.pid) for command in (
                client.produce(self.bootstrap, topic, work), client.consume(self.bootstrap, topic, work))]
            self.delete(topic)
            costs.append(sum(cost.broker for cost in rounds))
            if len(costs) > 3 and min(costs[-3:]) > STEADY * min(costs[:-3]):
                break
        return costs

    def stop(self):
        brokers.stop(self.folder)

    def restart(self):
        """Ends it, and starts it again on its data; it need not take connections yet when this returns."""
        self.stop()
        self.bootstrap, self.pid = brokers.start_again(self.kind, self.folder, self.binaries, KAFKA_JVM)


class Both:
    """Ours, and Apache Kafka where it is installed, side by side so that runs can alternate."""

    def __init__(self, binaries, kinds=("barnabas", "kafka")):
        self.binaries, self.kinds = binaries, [kind for kind in kinds if kind != "kafka" or Java().is_here()]
        self.all, self.place = [], None

    def __enter__(self):
        self.place = tempfile.TemporaryDirectory()
        try:
            for kind in self.kinds:
                self.all.append(Subject(kind, self.place.name, self.binaries))
        except BaseException:
            self.__exit__()
            raise
        return self.all

    def __exit__(self, *_):
        for subject in self.all:
            try:
                subject.stop()
            except SystemExit as why:  # it was killed: the figures count
                print(f"bench: {subject.kind}: {why}", file=sys.stderr)
        self.place.cleanup()


def start_up(binaries, repeat):
    """Milliseconds from before the broker's exec until it takes a connection, and what it then holds in memory, in MB."""
    times, sizes = [], []
    for _ in range(repeat):
        with tempfile.TemporaryDirectory() as folder:
            port, command = brokers.barnabas_command(folder, binaries)
            begin = time.perf_counter()
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            wait_for(port, process)
            times.append((time.perf_counter() - begin) * 1e3)
            time.sleep(1)
            sizes.append(measure.resident_mb_of(process.pid))
            process.terminate()
            process.wait(30)
    return {"ready_ms": sorted(times)[len(times) // 2], "idle_mb": sorted(sizes)[len(sizes) // 2]}


def wait_for(port, process):
    while process.poll() is None:
        with socket.socket() as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.0002)
    raise SystemExit(f"the broker ended with {process.returncode} instead of listening: {os.strerror(process.returncode)}")
