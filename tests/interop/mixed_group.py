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
FIRST_ROUNDS = 3
PATIENCE_S = 90  # more than kafkajs' rebalance.timeout of 60 s: a member that does not join again is gone by then
SHOWN_LINES = 15
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

    def told(self):
        """What is known of it when a check has failed."""
        code, values = self.process.poll(), self.values()
        state = "runs" if code is None else f"ended with {code}"
        with open(f"{self.path}.err", encoding="utf-8") as errors:
            lines = errors.read().splitlines()[-SHOWN_LINES:]
        return "\n    ".join([f"{self.name} {state}, {len(values)} records, {len(set(values))} different ones, last {values[-3:]}", *lines])

    def end(self):
        self.process.terminate()
        try:
            self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.kill()
            fail(f"{self.name} did not end within {PATIENCE_S} s of SIGTERM")

    def kill(self):
        self.process.kill()
        self.process.wait(30)


def say(text):
    """The course of a case: ctest shows it where the case fails."""
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def wait_for(what, done):
    began, said = time.time(), None
    while True:
        found = done()
        if found is True:
            return say(f"{what}: {time.time() - began:.1f} s")
        if found != said:
            said = found
            say(f"  {found}")
        if time.time() > began + PATIENCE_S:
            fail(f"{what} did not come within {PATIENCE_S} s: {found}")
        time.sleep(0.2)


def create_topic(options, topic, partitions):
    """Comes back when the broker names a leader for each partition: kcat ends at a topic that is not known yet."""
    ours, broker = f"{options.binaries}/barnabas", ["-b", options.bootstrap]
    run([ours, "topic", "create", topic, "-p", str(partitions), *broker])

    def known():
        done = subprocess.run([ours, "topic", "describe", "--json", topic, *broker], capture_output=True, text=True, timeout=PATIENCE_S)
        leaders = [p["leader"] for p in json.loads(done.stdout)["partitions"]] if done.returncode == 0 else []
        return (len(leaders) == partitions and min(leaders) >= 0) or f"{leaders} {done.stderr}"
    wait_for(f"leaders of {topic}", known)


class Group:
    """A group on a topic of its own. `strategy` None: what our and Kafka's consumers have by default."""

    def __init__(self, options, folder):
        unique = uuid.uuid4().hex[:8]
        self.options, self.folder, self.name, self.topic = options, folder, f"mixed-{unique}", f"mixed-topic-{unique}"
        self.members, self.gone, self.written = {}, [], []
        create_topic(options, self.topic, PARTITIONS)

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
        """Before a member has joined, what the command says: a text."""
        done = subprocess.run([f"{self.options.binaries}/barnabas", "group", "describe", "--json", self.name, "-b",
                               self.options.bootstrap], capture_output=True, text=True, timeout=PATIENCE_S)
        return json.loads(done.stdout) if done.returncode == 0 else done.stderr.strip()

    def shared(self):
        """True once the members have all partitions between them, each of them one's alone; else what there is."""
        for member in self.members.values():
            if member.process.poll() is not None:
                fail(f"{member.name} has ended with {member.process.returncode}")
        described = self.described()
        if isinstance(described, str):
            return described
        parts = [(p["topic"], p["partition"]) for member in described["members"] for p in member["assignment"]]
        if len(parts) != len(set(parts)):
            fail(f"a partition has two owners: {described}")
        idle = [member["client"] for member in described["members"] if not member["assignment"]]
        whole = len(described["members"]) == len(self.members) and len(parts) == PARTITIONS and not idle
        return (described["state"] == "Stable" and whole) or \
            f"{described['state']}, {len(described['members'])} members with {len(parts)} partitions"

    def settle(self, what):
        wait_for(f"an assignment after {what}", self.shared)

    def wait_for_assignor(self, name):
        """A group says which one it has when it is stable."""
        def has():
            described = self.described()
            if isinstance(described, str):
                return described
            return (described["state"] == "Stable" and described["assignor"] == name) or f"{described['state']} {described['assignor']}"
        wait_for(f"a group with {name}", has)

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

    def settle_and_read_all_once(self):
        """Each member reads some of the records, and none comes twice. Where the group was rebalanced in between, one may, and
        a member's partitions may have been read before they were its own: there is another round then."""
        for _ in range(FIRST_ROUNDS):
            self.settle("the first joins")
            before, read = self.described(), {name: len(member.values()) for name, member in self.members.items()}
            first = len(self.written)
            more = len(self.read()) - first  # what came twice in an earlier round
            self.write(FIRST_RECORDS)
            wait_for("every record, once", self.missing)
            twice = len(self.read()) - len(self.written) - more
            idle = [name for name, member in self.members.items() if len(member.values()) == read[name]]
            if not twice and not idle:
                return
            say(f"of the records from {first} on {twice} came twice, and none to {idle}; the group was {json.dumps(before)}")
        fail(f"{FIRST_ROUNDS} times records came twice, or not to every member")

    def settle_and_read_on(self, what):
        self.settle(what)
        self.write(MORE_RECORDS)
        wait_for(f"every record after {what}", self.missing)

    def tell(self):
        """All that is known, for the reader of a failure."""
        say(f"described: {json.dumps(self.described())}")
        for member in [*self.members.values(), *self.gone]:
            say(member.told())

    def __enter__(self):
        return self

    def __exit__(self, failure, *_):
        try:
            if failure is not None:
                self.tell()
        finally:
            for member in self.members.values():
                member.kill()


def comings_and_goings(group, makes, strategy):
    for name in makes:
        group.join(name, strategy)
    group.settle_and_read_all_once()
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
    with tempfile.TemporaryDirectory() as folder, Group(options, folder) as group:
        comings_and_goings(group, makes, strategy)


def rolling_restart(options):
    """KIP-429: from the default list, range before cooperative-sticky, to cooperative-sticky alone, one member after the other."""
    programs(options.binaries)["java"].require()
    names = ["ours", "java", "ours-too", "java-too"]
    with tempfile.TemporaryDirectory() as folder, Group(options, folder) as group:
        for name in names:
            group.join(name, None)
        group.settle_and_read_on("the first joins")
        group.wait_for_assignor("range")
        for name in names:
            group.leave(name)
            group.join(name, "cooperative-sticky")
            group.settle_and_read_on(f"the restart of {name}")
        group.wait_for_assignor("cooperative-sticky")
