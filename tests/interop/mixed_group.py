"""Groups whose members are of several makes: ours, kcat, Apache Kafka's console consumer, confluent-kafka, franz-go and kafkajs."""
import json
import os
import subprocess
import tempfile
import time
import uuid

from brokers import PEERS
from programs import HERE, fail, java, programs, run

PARTITIONS = 11
FIRST_RECORDS, MORE_RECORDS = 2000, 300
PATIENCE_S = 60
SESSION_MS = "10000"
JAVA_NAMES = {"range": "org.apache.kafka.clients.consumer.RangeAssignor",
              "roundrobin": "org.apache.kafka.clients.consumer.RoundRobinAssignor",
              "cooperative-sticky": "org.apache.kafka.clients.consumer.CooperativeStickyAssignor"}


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

    def kill(self):
        self.process.kill()
        self.process.wait(30)


def wait_for(what, done):
    deadline = time.time() + PATIENCE_S
    while True:
        found = done()
        if found is True:
            return
        if time.time() > deadline:
            fail(f"{what} did not come within {PATIENCE_S} s: {found}")
        time.sleep(0.2)


class Group:
    """A group on a topic of its own. `strategy` None: what our and Kafka's consumers have by default."""

    def __init__(self, options, folder):
        unique = uuid.uuid4().hex[:8]
        self.options, self.folder, self.name, self.topic = options, folder, f"mixed-{unique}", f"mixed-topic-{unique}"
        self.members, self.gone, self.written = {}, [], []
        run([f"{options.binaries}/barnabas", "topic", "create", self.topic, "-p", str(PARTITIONS), "-b", options.bootstrap])

    def command(self, make, strategy):
        bootstrap, binaries = self.options.bootstrap, self.options.binaries
        if make == "ours":
            chosen = ["-X", f"partition.assignment.strategy={strategy}"] if strategy else []
            return [f"{binaries}/barnabas", "consume", "-b", bootstrap, "--group", self.name, "--topic", self.topic, "--follow",
                    "--format", "%s\n", "-X", f"session.timeout.ms={SESSION_MS}", *chosen]
        if make == "java":
            chosen = ["--command-property", f"partition.assignment.strategy={JAVA_NAMES[strategy]}"] if strategy else []
            return java("org.apache.kafka.tools.consumer.ConsoleConsumer", "--bootstrap-server", bootstrap, "--topic", self.topic,
                        "--group", self.name, "--from-beginning", "--command-property", f"session.timeout.ms={SESSION_MS}", *chosen)
        if make == "kcat":
            return ["kcat", "-b", bootstrap, "-G", self.name, "-u", "-q", "-X", "auto.offset.reset=earliest",
                    "-X", f"session.timeout.ms={SESSION_MS}", "-X", f"partition.assignment.strategy={strategy}", self.topic]
        if make == "kafkajs":
            return ["node", f"{HERE}/kafkajs_member.js", bootstrap, self.topic, self.name, strategy, SESSION_MS]
        return programs(binaries)[make].command("member", bootstrap, self.topic, self.name, strategy, SESSION_MS)

    def join(self, name, strategy):
        """A member of the make that its name begins with."""
        self.members[name] = Member(f"{name}-{len(self.gone)}", self.command(name.split("-")[0], strategy), self.folder)

    def leave(self, name):
        self.gone.append(self.members.pop(name))
        self.gone[-1].end()

    def die(self, name):
        self.gone.append(self.members.pop(name))
        self.gone[-1].kill()

    def described(self):
        """None before a member has joined."""
        done = subprocess.run([f"{self.options.binaries}/barnabas", "group", "describe", "--json", self.name, "-b",
                               self.options.bootstrap], capture_output=True, text=True, timeout=30)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def shared(self):
        """True once the members have all partitions between them, each of them one's alone; else what there is."""
        for member in self.members.values():
            if member.process.poll() is not None:
                with open(f"{member.path}.err", encoding="utf-8") as errors:
                    fail(f"{member.name} has ended with {member.process.returncode}:\n{errors.read()[-2000:]}")
        described = self.described()
        if described is None:
            return "no member has joined"
        parts = [(p["topic"], p["partition"]) for member in described["members"] for p in member["assignment"]]
        if len(parts) != len(set(parts)):
            fail(f"a partition has two owners: {described}")
        idle = [member["client"] for member in described["members"] if not member["assignment"]]
        whole = len(described["members"]) == len(self.members) and len(parts) == PARTITIONS and not idle
        return (described["state"] == "Stable" and whole) or \
            f"{described['state']}, {len(described['members'])} members with {len(parts)} partitions"

    def settle(self, what):
        wait_for(f"an assignment after {what}", self.shared)

    def write(self, count):
        values = [f"value-{i}" for i in range(len(self.written), len(self.written) + count)]
        run([f"{self.options.binaries}/barnabas", "produce", "-t", self.topic, "-b", self.options.bootstrap, "-X", "batch.size=200"],
            "".join(f"{value}\n" for value in values))
        self.written += values

    def read(self):
        return [value for member in [*self.members.values(), *self.gone] for value in member.values()]

    def missing(self):
        """True once every record was read by some member."""
        rest = set(self.written) - set(self.read())
        return not rest or f"{len(rest)} of {len(self.written)} records are not read, such as {sorted(rest)[:5]}"

    def settle_and_read_on(self, what):
        self.settle(what)
        self.write(MORE_RECORDS)
        wait_for(f"every record after {what}", self.missing)

    def end(self):
        for member in self.members.values():
            member.kill()


def comings_and_goings(group, makes, strategy):
    for name in makes:
        group.join(name, strategy)
    group.settle("the first joins")
    group.write(FIRST_RECORDS)
    wait_for("every record, once", lambda: sorted(group.read()) == sorted(group.written) or group.missing())
    for name, member in group.members.items():
        if not member.values():
            fail(f"{name} got no record")
    group.leave("ours")
    group.settle_and_read_on("our member left")
    group.die("java")
    group.settle_and_read_on("Kafka's member was killed")
    group.join("java", strategy)
    group.settle_and_read_on("Kafka's member came back")
    group.die("franz")
    group.settle_and_read_on("franz-go's member was killed")
    group.join("ours", strategy)
    group.settle_and_read_on("our member came back")
    for name in [name for name in makes if name in group.members and not name.startswith("ours")]:
        group.leave(name)
    group.settle_and_read_on("only ours are left")
    strange = set(group.read()) - set(group.written)
    if strange:
        fail(f"nobody wrote {sorted(strange)[:5]}")


def mixed_group(options, strategy):
    makes = ["ours", "ours-too", "kcat", "java", "confluent", "franz"]
    if strategy != "cooperative-sticky":
        makes.append("kafkajs")
    known = programs(options.binaries)
    for make in makes[2:]:
        known[make].require()
    with tempfile.TemporaryDirectory() as folder:
        group = Group(options, folder)
        try:
            comings_and_goings(group, makes, strategy)
        finally:
            group.end()


def rolling_restart(options):
    """KIP-429: from the default list, range before cooperative-sticky, to cooperative-sticky alone, one member after the other."""
    programs(options.binaries)["java"].require()
    names = ["ours", "java", "ours-too", "java-too"]
    with tempfile.TemporaryDirectory() as folder:
        group = Group(options, folder)
        try:
            for name in names:
                group.join(name, None)
            group.settle_and_read_on("the first joins")
            if group.described()["assignor"] != "range":
                fail(f"the group began with {group.described()['assignor']}")
            for name in names:
                group.leave(name)
                group.join(name, "cooperative-sticky")
                group.settle_and_read_on(f"the restart of {name}")
            if group.described()["assignor"] != "cooperative-sticky":
                fail(f"the group ended with {group.described()['assignor']}")
        finally:
            group.end()
