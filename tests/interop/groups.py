"""Groups whose members and tools are not ours: kcat, and Apache Kafka's own programs."""
import re
import subprocess
import uuid

from programs import fail, java, programs, run

RECORDS = 50
GROUP_TOOL = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"
CONSOLE_CONSUMER = "org.apache.kafka.tools.consumer.ConsoleConsumer"
OFFSETS_FORMATTER = "org.apache.kafka.tools.consumer.OffsetsMessageFormatter"


def read_as_kcat(options, group, topic):
    text = run(["kcat", "-b", options.bootstrap, "-G", group, "-c", str(RECORDS), "-X", "auto.offset.reset=earliest", topic])
    return len(text.splitlines())


def read_as_java(options, group, topic):
    text = run(java(CONSOLE_CONSUMER, "--bootstrap-server", options.bootstrap, "--topic", topic, "--group", group,
                    "--from-beginning", "--max-messages", str(RECORDS), "--timeout-ms", "60000"))
    return len(re.findall(r"^value \d+$", text, re.M))


def check_offsets_topic(options, group, topic):
    """Kafka's formatter reads what the coordinator wrote: the group's last word is that it has read everything."""
    for patience_ms in ("5000", "30000"):  # always spent to the end; a slow machine has not begun to read after the first
        text = run(java(CONSOLE_CONSUMER, "--bootstrap-server", options.bootstrap, "--topic", "__consumer_offsets", "--formatter",
                        OFFSETS_FORMATTER, "--from-beginning", "--timeout-ms", patience_ms))
        word = rf'"group":"{group}","topic":"{topic}","partition":0}}}},"value":{{"version":\d+,"data":{{"offset":(\d+)'
        committed = re.findall(word, text)
        if committed and committed[-1] == str(RECORDS):
            return
    fail(f"the offsets topic says of {group}: {committed}, wanted {RECORDS} in the end:\n{text[:2000]}")


def groups(options):
    known = programs(options.binaries)
    known["kcat"].require()
    known["java"].require()
    unique = uuid.uuid4().hex[:8]
    topic = f"groups-{unique}"
    run([f"{options.binaries}/barnabas", "topic", "create", topic, "--bootstrap-server", options.bootstrap])
    values = "".join(f"value {i}\n" for i in range(RECORDS))
    subprocess.run(["kcat", "-P", "-b", options.bootstrap, "-t", topic], input=values, text=True, check=True, timeout=60)

    def tool(*arguments):
        return run(java(GROUP_TOOL, "--bootstrap-server", options.bootstrap, *arguments))

    for name, read in (("kcat", read_as_kcat), ("java", read_as_java)):
        group = f"{name}-{unique}"
        count = read(options, group, topic)
        if count != RECORDS:
            fail(f"{name} read {count} records in its group, {RECORDS} were written")
        if group not in tool("--list").split():
            fail(f"kafka-consumer-groups --list does not show {group}")
        described = tool("--describe", "--group", group)
        if not re.search(rf"{group}\s+{topic}\s+0\s+{RECORDS}\s+{RECORDS}\s+0\s", described):
            fail(f"kafka-consumer-groups --describe:\n{described}")
        if not re.search(r"\bEmpty\b", tool("--describe", "--group", group, "--state")):
            fail(f"{group} is not empty after its member has left")
        check_offsets_topic(options, group, topic)
        reset = tool("--reset-offsets", "--to-earliest", "--topic", topic, "--group", group, "--execute")
        if not re.search(rf"{group}\s+{topic}\s+0\s+0\b", reset):
            fail(f"kafka-consumer-groups --reset-offsets:\n{reset}")
        tool("--delete", "--group", group)
        if group in tool("--list").split():
            fail(f"{group} is still there after it was deleted")
