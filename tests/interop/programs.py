"""The foreign programs, each as a writer and a reader of partition 0 of a topic, all in one form of record:
{partition, offset, timestamp, key, value, headers: [[name, value], ...]}."""
import json
import os
import subprocess
import sys

from brokers import PEERS, java

HERE = os.path.dirname(os.path.abspath(__file__))
CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]


class Missing(Exception):
    """A program that this machine does not have."""


def run(command, text=None, timeout=90):
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=timeout)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command[:6])} ended with {done.returncode}:\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}")
    return done.stdout


def json_lines(text):
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def as_lines(records):
    return "".join(json.dumps(record) + "\n" for record in records)


class Program:
    codecs = CODECS
    headers = timestamps = nulls = True  # what a writer can set
    mark = None                          # what setup.sh leaves when it is there

    def require(self):
        if self.mark and not os.path.exists(f"{PEERS}/{self.mark}.done"):
            raise Missing(f"{self.mark} is not set up: run tests/interop/setup.sh")


class Kcat(Program):
    headers = timestamps = nulls = False

    def require(self):
        if subprocess.run(["which", "kcat"], capture_output=True).returncode != 0:
            raise Missing("kcat is not installed")

    def produce(self, bootstrap, topic, codec, records):
        lines = "".join(f"{record['key'] or ''}\t{record['value']}\n" for record in records)
        run(["kcat", "-P", "-b", bootstrap, "-t", topic, "-p", "0", "-z", codec, "-K", "\t", "-Z", "-H", f"codec={codec}"], lines)

    def consume(self, bootstrap, topic, count):
        text = run(["kcat", "-C", "-b", bootstrap, "-t", topic, "-p", "0", "-o", "beginning", "-c", str(count), "-J", "-q"])
        for line in json_lines(text):
            flat = line.get("headers", [])
            yield {"partition": line["partition"], "offset": line["offset"], "timestamp": line["ts"], "key": line["key"],
                   "value": line["payload"], "headers": [list(pair) for pair in zip(flat[::2], flat[1::2])]}


class Java(Program):
    mark = "kafka"
    timestamps = nulls = False

    def produce(self, bootstrap, topic, codec, records):
        lines = ""
        for record in records:
            headers = ",".join(f"{name}:{value}" for name, value in record["headers"])
            lines += f"{headers}\t{record['key'] or 'NULL'}\t{record['value']}\n"
        options = [f for p in ("parse.key=true", "parse.headers=true", "null.marker=NULL") for f in ("--reader-property", p)]
        run(java("org.apache.kafka.tools.ConsoleProducer", "--bootstrap-server", bootstrap, "--topic", topic,
                 "--compression-codec", codec, *options), lines)

    def consume(self, bootstrap, topic, count):
        shown = [f for p in ("timestamp", "partition", "offset", "headers", "key") for f in ("--formatter-property", f"print.{p}=true")]
        text = run(java("org.apache.kafka.tools.consumer.ConsoleConsumer", "--bootstrap-server", bootstrap, "--topic", topic,
                        "--partition", "0", "--offset", "earliest", "--max-messages", str(count), "--timeout-ms", "30000", *shown))
        for line in text.splitlines():
            time, partition, offset, headers, key, value = line.split("\t")
            pairs = [] if headers == "NO_HEADERS" else [pair.split(":", 1) for pair in headers.split(",")]
            yield {"partition": int(partition.split(":")[1]), "offset": int(offset.split(":")[1]),
                   "timestamp": int(time.split(":")[1]), "key": None if key == "null" else key,
                   "value": None if value == "null" else value, "headers": pairs}


class Confluent(Program):
    mark = "confluent"

    def command(self, *arguments):
        return [f"{PEERS}/confluent/bin/python", f"{HERE}/confluent_client.py", *arguments]

    def produce(self, bootstrap, topic, codec, records):
        run(self.command("produce", bootstrap, topic, codec), as_lines(records))

    def consume(self, bootstrap, topic, count):
        return json_lines(run(self.command("consume", bootstrap, topic, str(count))))


class Franz(Program):
    mark = "franz"

    def command(self, *arguments):
        return [f"{PEERS}/franz/franz", *arguments]

    def produce(self, bootstrap, topic, codec, records):
        run(self.command("produce", bootstrap, topic, codec), as_lines(records))

    def consume(self, bootstrap, topic, count):
        return json_lines(run(self.command("consume", bootstrap, topic, str(count))))


class KafkaJs(Program):
    mark = "kafkajs"
    codecs = ["none", "gzip"]  # the ones that need no further package

    def produce(self, bootstrap, topic, codec, records):
        os.environ["NODE_PATH"] = f"{PEERS}/kafkajs/node_modules"
        run(["node", f"{HERE}/kafkajs_produce.js", bootstrap, topic, codec], as_lines(records))


class Barnabas(Program):
    """Our own command line."""

    def __init__(self, binaries):
        self.binary = f"{binaries}/barnabas"

    def produce(self, bootstrap, topic, codec, records):
        run([self.binary, "produce", "--bootstrap-server", bootstrap, "--topic", topic, "--partition", "0", "--compression", codec,
             "--json"], as_lines([{**record, "headers": dict(record["headers"])} for record in records]))

    def consume(self, bootstrap, topic, count):
        text = run([self.binary, "consume", "--bootstrap-server", bootstrap, "--topic", topic, "--partition", "0",
                    "--from", "beginning", "--count", str(count), "--json"])
        for line in json_lines(text):
            pairs = [[header["key"], header["value"]] for header in line["headers"]]
            yield {**{name: line[name] for name in ("partition", "offset", "timestamp", "key", "value")}, "headers": pairs}


def programs(binaries):
    return {"kcat": Kcat(), "java": Java(), "confluent": Confluent(), "franz": Franz(), "kafkajs": KafkaJs(),
            "barnabas": Barnabas(binaries)}


def fail(message):
    print(message, file=sys.stderr)
    sys.exit(1)
