"""One group whose members are of several makes: two of ours, kcat, Apache Kafka's console consumer, confluent-kafka and kafkajs."""
import json
import os
import subprocess
import tempfile
import time
import uuid

from brokers import PEERS
from programs import HERE, fail, java, programs, run

PARTITIONS = 11
RECORDS = 2000
PATIENCE_S = 60
STRATEGIES = {"range": "org.apache.kafka.clients.consumer.RangeAssignor",
              "roundrobin": "org.apache.kafka.clients.consumer.RoundRobinAssignor"}


class Member:
    """A process that prints the value of each record that it gets, a line each."""

    def __init__(self, name, command, folder):
        self.name, self.path = name, os.path.join(folder, name)
        with open(self.path, "w", encoding="utf-8") as out, open(f"{self.path}.err", "w", encoding="utf-8") as errors:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=errors,
                                            env={**os.environ, "NODE_PATH": f"{PEERS}/kafkajs/node_modules"})

    def values(self):
        with open(self.path, encoding="utf-8") as out:
            return out.read().split()

    def end(self):
        self.process.terminate()
        self.process.wait(30)


def commands(options, group, topic, strategy):
    ours = [f"{options.binaries}/barnabas", "consume", "-b", options.bootstrap, "--group", group, "--topic", topic, "--follow",
            "--format", "%s\n", "-X", f"partition.assignment.strategy={strategy}"]
    confluent = programs(options.binaries)["confluent"].command("member", options.bootstrap, topic, group, strategy)
    kcat = ["kcat", "-b", options.bootstrap, "-G", group, "-u", "-q", "-X", "auto.offset.reset=earliest",
            "-X", f"partition.assignment.strategy={strategy}", topic]
    console = java("org.apache.kafka.tools.consumer.ConsoleConsumer", "--bootstrap-server", options.bootstrap, "--topic", topic,
                   "--group", group, "--from-beginning", "--command-property",
                   f"partition.assignment.strategy={STRATEGIES[strategy]}")
    kafkajs = ["node", f"{HERE}/kafkajs_member.js", options.bootstrap, topic, group, strategy]
    return {"kafkajs": kafkajs, "ours": ours, "ours-too": ours, "kcat": kcat, "java": console, "confluent": confluent}


def wait_for(what, done):
    deadline = time.time() + PATIENCE_S
    while True:
        found = done()
        if found is True:
            return
        if time.time() > deadline:
            fail(f"{what} did not come within {PATIENCE_S} s: {found}")
        time.sleep(0.2)


def shared(options, group, members):
    """True once so many members have all partitions between them, each of them one's alone; else what there is."""
    done = subprocess.run([f"{options.binaries}/barnabas", "group", "describe", "--json", group, "-b", options.bootstrap],
                          capture_output=True, text=True, timeout=30)
    if done.returncode != 0:
        return done.stderr  # no member has joined yet
    described = json.loads(done.stdout)
    parts = [(p["topic"], p["partition"]) for member in described["members"] for p in member["assignment"]]
    if len(parts) != len(set(parts)):
        fail(f"a partition has two owners: {described}")
    idle = [member["client"] for member in described["members"] if not member["assignment"]]
    is_shared = described["state"] == "Stable" and len(described["members"]) == members and len(parts) == PARTITIONS and not idle
    return is_shared or f"{described['state']}, {len(described['members'])} members with {len(parts)} partitions"


def one_group(options, strategy, folder):
    group, topic = f"mixed-{strategy}-{uuid.uuid4().hex[:8]}", f"mixed-{uuid.uuid4().hex[:8]}"
    run([f"{options.binaries}/barnabas", "topic", "create", topic, "-p", str(PARTITIONS), "-b", options.bootstrap])
    members = {name: Member(name, command, folder) for name, command in commands(options, group, topic, strategy).items()}
    try:
        wait_for("the group's first assignment", lambda: shared(options, group, len(members)))
        written = [f"value-{i}" for i in range(RECORDS)]
        run([f"{options.binaries}/barnabas", "produce", "-t", topic, "-b", options.bootstrap, "-X", "batch.size=200"],
            "".join(f"{value}\n" for value in written))

        def all_read():
            values = [value for member in members.values() for value in member.values()]
            return sorted(values) == sorted(written) or f"{len(values)} of {RECORDS} records"
        wait_for("every record, once", all_read)
        for name, member in members.items():
            if not member.values():
                fail(f"{name} got no record")
        for name in ("ours", "java"):
            members.pop(name).end()
            wait_for(f"an assignment without {name}", lambda: shared(options, group, len(members)))
    finally:
        for member in members.values():
            member.process.kill()
            member.process.wait(30)


def mixed_group(options):
    known = programs(options.binaries)
    for name in ("kcat", "java", "confluent", "kafkajs"):
        known[name].require()
    for strategy in STRATEGIES:
        with tempfile.TemporaryDirectory() as folder:
            one_group(options, strategy, folder)
