"""Kafka's tool for groups beside our command: both describe the same groups with the same figures, plan the same offsets, and
see what the other one did."""
import json
import re
import subprocess
import tempfile
import uuid

from mixed_group import Member, create_topic, say, wait_for
from programs import fail, java, programs, run

PARTITIONS = 3
TOOL = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"
TARGETS = [["--to-earliest"], ["--to-latest"], ["--to-current"], ["--to-offset", "7"], ["--to-offset", "100000"], ["--shift-by", "-5"],
           ["--shift-by", "4"], ["--to-datetime", "2020-01-01T00:00:00.000"], ["--by-duration", "PT1H"]]


def table(text):
    """The rows below a heading that begins with GROUP or TOPIC, each by its columns' names; no cell has a space in it."""
    rows, names = [], None
    for line in text.replace("COORDINATOR (ID)", "COORDINATOR ID").splitlines():
        cells = line.split()
        if cells and cells[0] in ("GROUP", "TOPIC"):
            names = cells
        elif names and len(cells) == len(names):
            rows.append(dict(zip(names, cells)))
    return rows


def same(what, tool, ours):
    if sorted(map(str, tool)) != sorted(map(str, ours)) or not tool:
        fail(f"{what}: Kafka's tool says\n{tool}\nours says\n{ours}")


class Tools:
    def __init__(self, options, group):
        self.options, self.group = options, group

    def kafkas(self, *arguments):
        return run(java(TOOL, "--bootstrap-server", self.options.bootstrap, *arguments))

    def ours(self, *arguments):
        return run([f"{self.options.binaries}/barnabas", *arguments, "-b", self.options.bootstrap])

    def ours_refused(self, *arguments):
        done = subprocess.run([f"{self.options.binaries}/barnabas", *arguments, "-b", self.options.bootstrap], capture_output=True,
                              text=True, timeout=60)
        if done.returncode == 0:
            fail(f"barnabas {arguments} was taken:\n{done.stdout}")
        return done.stderr

    def described(self):
        return json.loads(self.ours("group", "describe", "--json", self.group))

    def compare_descriptions(self):
        """Offsets, members, their assignments and the state: each of the tool's columns is in our description."""
        ours = self.described()
        clients = {member["member"]: member for member in ours["members"]}

        def shown(value):
            return "-" if value is None else str(value)
        offsets = []
        for part in ours["partitions"]:
            owner = clients.get(part["owner"], {})
            offsets.append((self.group, part["topic"], str(part["partition"]), shown(part["committed"]), shown(part["end"]),
                            shown(part["lag"]), shown(part["owner"]), shown(owner.get("host")), shown(owner.get("client"))))
        same("--describe", [tuple(row.values()) for row in table(self.kafkas("--describe", "--group", self.group))], offsets)
        if ours["members"]:
            self.compare_members(ours["members"])
        state = table(self.kafkas("--describe", "--group", self.group, "--state"))
        same("--state", [(row["ID"], row["ASSIGNMENT-STRATEGY"], row["STATE"], row["#MEMBERS"]) for row in state],
             [(f"({ours['coordinator']})", ours["assignor"] or "-", ours["state"], str(len(ours["members"])))])
        listed = table(self.kafkas("--list", "--state"))
        own = [json.loads(line) for line in self.ours("group", "list", "--json").splitlines()]
        # Others' states may change between the two, as the one of a group whose members another case has killed.
        same("--list --state", [row["STATE"] for row in listed if row["GROUP"] == self.group],
             [group["state"] for group in own if group["group"] == self.group])

    def compare_members(self, members):
        text = self.kafkas("--describe", "--group", self.group, "--members", "--verbose")
        wanted = []
        for member in members:
            parts = sorted(p["partition"] for p in member["assignment"])
            wanted.append((member["member"], member.get("instance", ""), member["host"], member["client"], str(len(parts)),
                           f"{member['assignment'][0]['topic']}:{','.join(map(str, parts))}"))
        # GROUP, CONSUMER-ID, GROUP-INSTANCE-ID (nothing where there is none), HOST, CLIENT-ID, #PARTITIONS, epoch, CURRENT-ASSIGNMENT
        row = rf"^{self.group} +(\S+) +(?:([^/\s]\S*) +)?(/\S+) +(\S+) +(\d+) +- +(\S+) "
        same("--members", [tuple(found.groups("")) for found in re.finditer(row, text, re.M)], wanted)

    def compare_plans(self, topic):
        for target in TARGETS:
            plan = table(self.kafkas("--reset-offsets", "--group", self.group, "--topic", topic, *target, "--dry-run"))
            own = table(self.ours("group", "reset-offsets", self.group, "--topic", topic, *target))
            same(f"reset-offsets {target}", [(row["TOPIC"], row["PARTITION"], row["NEW-OFFSET"]) for row in plan],
                 [(row["TOPIC"], row["PARTITION"], row["NEW"]) for row in own])

    def committed(self):
        return {part["partition"]: part["committed"] for part in self.described()["partitions"] if part["committed"] is not None}


def refusals_of_a_group_in_use(tools, topic):
    text = tools.kafkas("--delete", "--group", tools.group)
    if "GroupNotEmptyException" not in text:
        fail(f"--delete of a group with members:\n{text}")
    text = tools.kafkas("--reset-offsets", "--to-earliest", "--group", tools.group, "--topic", topic, "--execute")
    if "is inactive, but the current state is Stable" not in text:
        fail(f"--reset-offsets of a group with members:\n{text}")
    text = tools.kafkas("--delete-offsets", "--group", tools.group, "--topic", topic)
    if text.count("GroupSubscribedToTopicException") != PARTITIONS:
        fail(f"--delete-offsets of a group with members:\n{text}")
    for refused, reason in ((tools.ours_refused("group", "delete", tools.group), "NON_EMPTY_GROUP"),
                            (tools.ours_refused("group", "delete-offsets", tools.group, "--topic", topic), "GROUP_SUBSCRIBED_TO_TOPIC"),
                            (tools.ours_refused("group", "reset-offsets", tools.group, "--topic", topic, "--to-earliest", "--execute"),
                             "UNKNOWN_MEMBER_ID")):
        if reason not in refused or tools.group not in refused:
            fail(f"our command says of what is refused:\n{refused}\nwanted {reason}")


def moves_and_deletions(tools, topic):
    tools.kafkas("--reset-offsets", "--to-offset", "7", "--group", tools.group, "--topic", f"{topic}:0,1", "--execute")
    have = tools.committed()
    if (have[0], have[1]) != (7, 7):
        fail(f"after Kafka's tool moved the group to 7: {have}")
    tools.ours("group", "reset-offsets", tools.group, "--topic", f"{topic}:1", "--shift-by", "2", "--execute")
    tools.compare_descriptions()
    if tools.committed()[1] != 9:
        fail(f"after our command moved partition 1 by 2: {tools.committed()}")
    text = tools.kafkas("--delete-offsets", "--group", tools.group, "--topic", f"{topic}:0")
    if not any(row["PARTITION"] == "0" and row["STATUS"] == "Successful" for row in table(text)) or 0 in tools.committed():
        fail(f"--delete-offsets:\n{text}\n{tools.committed()}")
    tools.ours("group", "delete-offsets", tools.group, "--topic", f"{topic}:1")
    tools.compare_descriptions()
    if set(tools.committed()) != {2}:
        fail(f"after our command deleted the offset of partition 1: {tools.committed()}")
    if "successful" not in tools.kafkas("--delete", "--group", tools.group):
        fail("--delete did not delete the group")
    if "GROUP_ID_NOT_FOUND" not in tools.ours_refused("group", "describe", tools.group):
        fail("our command still describes the group that Kafka's tool deleted")
    if tools.group in tools.kafkas("--list").split():
        fail("Kafka's tool still lists the group that it deleted")


def group_tool(options):
    known = programs(options.binaries)
    for name in ("kcat", "java"):
        known[name].require()
    unique = uuid.uuid4().hex[:8]
    topic, group = f"tool-{unique}", f"tool-group-{unique}"
    tools = Tools(options, group)

    def write(count):
        for partition in range(PARTITIONS):
            run([f"{options.binaries}/barnabas", "produce", "-t", topic, "--partition", str(partition), "-b", options.bootstrap],
                "".join(f"{i}\n" for i in range(count)))
    create_topic(options, topic, PARTITIONS)
    write(10)
    commands = {"ours": [f"{options.binaries}/barnabas", "consume", "-b", options.bootstrap, "--group", group, "--topic", topic,
                         "--follow", "--format", "%s\n", "-X", "group.instance.id=till", "-X", "session.timeout.ms=10000"],
                "kcat": ["kcat", "-b", options.bootstrap, "-G", group, "-u", "-q", "-X", "auto.offset.reset=earliest",
                         "-X", "auto.commit.interval.ms=100", topic]}
    with tempfile.TemporaryDirectory() as folder:
        members = [Member(name, command, folder) for name, command in commands.items()]
        try:
            def all_done():
                parts = tools.described()["partitions"] if group in tools.ours("group", "list") else []
                owners = {part["owner"] for part in parts}
                return (len(owners) == 2 and {part["lag"] for part in parts} == {0}) or f"{parts}"
            wait_for("both members with partitions, and all committed", all_done)
            tools.compare_descriptions()
            refusals_of_a_group_in_use(tools, topic)
            for member in members:
                member.end()
        except BaseException:
            for member in members:
                say(member.told())
                member.kill()
            raise
    # The static member stays until its session has ended.
    wait_for("an empty group", lambda: tools.described()["state"] == "Empty" or tools.described()["state"])
    write(20)
    tools.compare_descriptions()
    if [part["lag"] for part in tools.described()["partitions"]] != [20] * PARTITIONS:
        fail(f"20 records behind on each partition: {tools.described()}")
    tools.compare_plans(topic)
    moves_and_deletions(tools, topic)
