"""The clients that take part in a benchmark: how each is told to do the same work, at settings that suit it best.

All get the same codec, batch size, linger and acks; each looks at every delivery report. Their own settings lift limits that
would otherwise bind before the common ones do, and are printed in docs/benchmarks.md.
"""
import dataclasses
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop"))
import brokers  # noqa: E402  (the interop suite's way to start a broker, and Apache Kafka's classes)

PEER = os.path.join(os.environ.get("PEERS_DIR") or os.path.expanduser("~/.cache/barnabas-peers"), "bench-1")
PARTITIONS = 4
COMMON = {"batch.size": 131072, "linger.ms": 10}
# What scales gets batches of about 100 records of 100 B, whatever else is larger: only full or flushed ones are sent.
SCALING = {"batch.size": 11500, "linger.ms": 5000, "buffer.memory": 268435456}


@dataclasses.dataclass(frozen=True)
class Work:
    """One row of the table: so many records of that size, compressed and acknowledged like this."""
    count: int
    size: int
    codec: str = "none"
    acks: str = "1"

    @property
    def settings(self):
        return {**COMMON, "compression.type": self.codec, "acks": self.acks,
                "enable.idempotence": "true" if self.acks == "all" else "false"}

    def __str__(self):
        return f"{self.count:,} x {self.size} B, {self.codec}, acks={self.acks}"


@dataclasses.dataclass(frozen=True)
class Scaled:
    """Records of 100 B over so many partitions, by so many clients."""
    count: int
    partitions: int
    clients: int = 1
    round_robin: bool = True
    batch_size: int = SCALING["batch.size"]


def pairs(settings, flag=None):
    """name=value arguments, each behind its flag where the program wants one."""
    arguments = [f"{name}={value}" for name, value in settings.items()]
    return [word for argument in arguments for word in ((flag, argument) if flag else (argument,))]


class Barnabas:
    """send_batch, 1,000 records a call as librdkafka's produce_batch gets; a report for each run of them in a batch."""
    name = "barnabas"
    batch = 1000
    reads_in_groups_only = False
    # More memory would be filled in a run like this, and be cold when it is sent. Send buffers of the system's choice, as
    # librdkafka's are by default.
    own_settings = {"buffer.memory": 16777216, "send.buffer.bytes": -1}
    consumer_settings = {}

    def __init__(self, binaries):
        self.program = f"{binaries}/barnabas"

    def is_here(self):
        return os.path.exists(self.program)

    def produce(self, bootstrap, topic, work):
        settings = {**work.settings, **self.own_settings}
        del settings["acks"], settings["compression.type"]
        return [self.program, "bench", "produce", "-b", bootstrap, "-t", topic, "-c", str(work.count), "-s", str(work.size),
                "-a", work.acks, "-z", work.codec, "--batch", str(self.batch), "--json", *pairs(settings, "-X")]

    def consume(self, bootstrap, topic, work):
        return [self.program, "bench", "consume", "-b", bootstrap, "-t", topic, "-c", str(work.count), "--json",
                *pairs(self.consumer_settings, "-X")]


    def latency(self, bootstrap, topic, rate, seconds):
        return [self.program, "bench", "latency", "-b", bootstrap, "-t", topic, "-r", str(rate), "-d", str(seconds), "-s", "100",
                "-a", "1", "--json", *pairs(self.latency_settings(rate), "-X")]

    @staticmethod
    def latency_settings(_):
        return {"linger.ms": 0}

    def produce_scaled(self, bootstrap, topic, scaled):
        settings = {**SCALING, "batch.size": scaled.batch_size}
        return [self.program, "bench", "produce", "-b", bootstrap, "-t", topic, "-c", str(scaled.count), "-s", "100", "-a", "1",
                "--clients", str(scaled.clients), *(["--round-robin"] if scaled.round_robin else []), "--json",
                *pairs(settings, "-X")]

    def consume_scaled(self, bootstrap, topic, scaled):
        return [self.program, "bench", "consume", "-b", bootstrap, "-t", topic, "-c", str(scaled.count), "--clients",
                str(scaled.clients), "--json"]


class BarnabasOneByOne(Barnabas):
    """One send and one callback a record."""
    name = "barnabas, one send a record"
    batch = 1
    consume = None
    latency = None
    produce_scaled = None
    consume_scaled = None


class Librdkafka:
    """rdkafka_bench.c: produce_batch without copies on explicit partitions, consume_batch_queue."""
    name = "librdkafka"
    reads_in_groups_only = False
    own_settings = {"batch.num.messages": 1000000, "queue.buffering.max.messages": 1000000,
                    "queue.buffering.max.kbytes": 16384}  # as with ours: 0.85 of what 1 GB costs
    consumer_settings = {"fetch.message.max.bytes": 1048576, "queued.min.messages": 1000000, "check.crcs": "true"}

    def is_here(self):
        return os.path.exists(f"{PEER}/bin/rdkafka_bench")

    def produce(self, bootstrap, topic, work):
        return [f"{PEER}/bin/rdkafka_bench", "produce", bootstrap, topic, str(work.count), str(work.size),
                *pairs({**work.settings, **self.own_settings})]

    def consume(self, bootstrap, topic, work):
        return [f"{PEER}/bin/rdkafka_bench", "consume", bootstrap, topic, str(work.count), str(work.size),
                *pairs(self.consumer_settings)]


    def latency(self, bootstrap, topic, rate, seconds):
        return [f"{PEER}/bin/rdkafka_bench", "latency", bootstrap, topic, str(rate), str(seconds),
                *pairs(self.latency_settings(rate))]

    @staticmethod
    def latency_settings(rate):
        return {"acks": 1, "linger.ms": 0 if rate < 100000 else 1, "consumer.fetch.wait.max.ms": 500,
                "consumer.fetch.queue.backoff.ms": 0, "socket.nagle.disable": "true", "log_level": 3}

    def produce_scaled(self, bootstrap, topic, scaled):
        settings = {**SCALING, **self.own_settings, "queue.buffering.max.kbytes": SCALING["buffer.memory"] // 1024,
                    "batch.size": scaled.batch_size, "acks": 1, "bench.clients": scaled.clients,
                    "bench.round.robin": int(scaled.round_robin)}
        del settings["buffer.memory"]
        return [f"{PEER}/bin/rdkafka_bench", "produce", bootstrap, topic, str(scaled.count), "100", *pairs(settings)]

    def consume_scaled(self, bootstrap, topic, scaled):
        settings = {**self.consumer_settings, "bench.clients": scaled.clients}
        return [f"{PEER}/bin/rdkafka_bench", "consume", bootstrap, topic, str(scaled.count), "100", *pairs(settings)]


class RdkafkaPerformance(Librdkafka):
    """librdkafka's own benchmark program, one record a call."""
    name = "rdkafka_performance"

    def is_here(self):
        return os.path.exists(f"{PEER}/bin/rdkafka_performance")

    def produce(self, bootstrap, topic, work):
        settings = {**work.settings, **self.own_settings}
        return [f"{PEER}/bin/rdkafka_performance", "-P", "-t", topic, "-b", bootstrap, "-s", str(work.size),
                "-c", str(work.count), "-q", "-X", "sticky.partitioning.linger.ms=10", *pairs(settings, "-X")]

    consume = None
    latency = None
    produce_scaled = consume_scaled = None


class Java:
    """ProducerPerformance and ConsumerPerformance of Apache Kafka; the start of the machine is part of its CPU."""
    name = "Java"
    jvm = ["java", "-Xms512m", "-Xmx512m", "-cp", f"{brokers.PEERS}/kafka/libs/*"]
    reads_in_groups_only = True
    own_settings = {"buffer.memory": 67108864}
    consumer_settings = {}

    def is_here(self):
        return os.path.exists(f"{brokers.PEERS}/kafka.done")

    def produce(self, bootstrap, topic, work):
        settings = {**work.settings, **self.own_settings, "bootstrap.servers": bootstrap}
        return [*self.jvm, "org.apache.kafka.tools.ProducerPerformance", "--topic", topic, "--num-records", str(work.count),
                "--record-size", str(work.size), "--throughput", "-1", "--command-property", *pairs(settings)]

    def consume(self, bootstrap, topic, work):
        return [*self.jvm, "org.apache.kafka.tools.ConsumerPerformance", "--topic", topic, "--num-records", str(work.count),
                "--bootstrap-server", bootstrap]

    latency = None
    produce_scaled = consume_scaled = None

    def one_at_a_time(self, bootstrap, topic, count):
        """EndToEndLatency: sends a record, waits until it is read, sends the next; it knows whole milliseconds."""
        return [*self.jvm, "org.apache.kafka.tools.EndToEndLatency", "--bootstrap-server", bootstrap, "--topic", topic,
                "--num-records", str(count), "--producer-acks", "1", "--record-size", "100"]


def all_here(binaries):
    """Those that are installed; the rest is named, not passed over in silence."""
    everyone = [Barnabas(binaries), BarnabasOneByOne(binaries), Librdkafka(), RdkafkaPerformance(), Java()]
    for contestant in everyone:
        if not contestant.is_here():
            print(f"bench: {contestant.name} is not on this machine and is left out (tests/bench/setup.sh, "
                  "tests/interop/setup.sh)", file=sys.stderr)
    return [contestant for contestant in everyone if contestant.is_here()]
