#!/usr/bin/env python3
"""One interop case: interop.py CASE --broker barnabas|kafka --folder WORK --binaries BIN

  start, stop        the broker of this run
  written_by_X       what X writes (kcat, java, confluent, franz, kafkajs, barnabas), with every codec, all readers read alike
  kcat_queries       kcat -L and -Q tell what is there
  kafka_topics       Kafka's own tool creates, lists, describes and deletes a topic
  dump_log           Kafka's DumpLogSegments reads every segment and index that our broker wrote
  integration        our integration tests and those of our consumers in groups, on this broker
  command_line       our command line's topic, cluster and api-versions
  groups             members of groups that are not ours, and Kafka's own tool for groups
  mixed_group_X      members of several makes in one group, with range, roundrobin or cooperative-sticky: they come, go and die
  rolling_restart    a group of ours and Kafka's members moves from range to cooperative-sticky, one member after the other
  group_tool         Kafka's own tool for groups and our command say the same, and do the same
  differential       tests/differential: what is said to Apache Kafka is said to a broker of ours too, and they do the same

Exit code 77 says that a program is missing (a failure with BARNABAS_REQUIRE_PEERS=1).
"""
import argparse
import glob
import os
import re
import subprocess
import sys
import time

import brokers
from group_tool import group_tool
from groups import groups
from mixed_group import mixed_group, rolling_restart
from programs import Missing, fail, java, programs, run

SKIPPED = 77
FIRST_TIMESTAMP = 1_700_000_000_000


def records_for(codec, program):
    """Ten records: keyed and not, with headers, and (where the writer can say it) a null value and a timestamp."""
    for i in range(10):
        yield {"key": None if i % 3 == 2 else f"{codec}-{i}",
               "value": None if program.nulls and i == 7 else f"value {i} of {codec}: " + "grüße " * 40,
               "timestamp": FIRST_TIMESTAMP + 1000 * i,
               "headers": [["codec", codec], ["number", str(i)]] if program.headers else [["codec", codec]]}


def create_topic(options, topic, partitions=1):
    run([f"{options.binaries}/barnabas", "topic", "create", topic, "--partitions", str(partitions),
         "--bootstrap-server", options.bootstrap])


def compare(reader, got, wanted, writer):
    if len(got) != len(wanted):
        fail(f"{reader} read {len(got)} records, {len(wanted)} were written")
    for index, (have, want) in enumerate(zip(got, wanted)):
        names = ["key", "value", "headers"] + (["timestamp"] if writer.timestamps else [])
        for name in names:
            if have[name] != want[name]:
                fail(f"{reader}, record {index}: {name} is {have[name]!r}, written was {want[name]!r}")
        if have["partition"] != 0 or have["offset"] != index:
            fail(f"{reader}, record {index}: partition {have['partition']}, offset {have['offset']}")


def written_by(options, name):
    known = programs(options.binaries)
    writer = known[name]
    writer.require()
    topic = f"written-by-{name}"
    create_topic(options, topic)
    wanted = []
    for codec in writer.codecs:
        records = list(records_for(codec, writer))
        writer.produce(options.bootstrap, topic, codec, records)
        wanted += records
    timestamps = None
    for reader_name, reader in known.items():
        if not hasattr(reader, "consume"):
            continue
        reader.require()
        got = list(reader.consume(options.bootstrap, topic, len(wanted)))
        compare(reader_name, got, wanted, writer)
        if timestamps not in (None, [record["timestamp"] for record in got]):
            fail(f"{reader_name} reads other timestamps than the readers before it")
        timestamps = [record["timestamp"] for record in got]


def kcat_queries(options):
    known = programs(options.binaries)
    known["kcat"].require()
    create_topic(options, "kcat-queries", 3)
    listing = run(["kcat", "-L", "-b", options.bootstrap])
    if not re.search(r'topic "kcat-queries" with 3 partitions', listing):
        fail(f"kcat -L does not show the topic:\n{listing}")
    known["kcat"].produce(options.bootstrap, "kcat-queries", "none", list(records_for("none", known["kcat"])))
    for wanted_time, wanted_offset in (("-1", 10), ("-2", 0), ("0", 0)):
        answer = run(["kcat", "-Q", "-b", options.bootstrap, "-t", f"kcat-queries:0:{wanted_time}"])
        if f"offset {wanted_offset}" not in answer:
            fail(f"kcat -Q at {wanted_time}: {answer}, wanted offset {wanted_offset}")


def kafka_topics(options):
    programs(options.binaries)["java"].require()
    def tool(*arguments):
        return run(java("org.apache.kafka.tools.TopicCommand", "--bootstrap-server", options.bootstrap, *arguments))
    tool("--create", "--topic", "made-by-java", "--partitions", "4", "--config", "retention.ms=3600000")
    if "made-by-java" not in tool("--list").split():
        fail("kafka-topics --list does not show the topic")
    described = tool("--describe", "--topic", "made-by-java")
    if "PartitionCount: 4" not in described or "retention.ms=3600000" not in described:
        fail(f"kafka-topics --describe: {described}")
    tool("--delete", "--topic", "made-by-java")
    deadline = time.time() + 10
    while "made-by-java" in tool("--list").split():
        if time.time() > deadline:
            fail("the topic is still listed 10 s after it was deleted")


def dump_log(options):
    known = programs(options.binaries)
    known["java"].require()
    create_topic(options, "dumped")
    codecs = ("none", "none", "none", "zstd", "gzip")  # enough bytes for an entry in the offset index
    for codec in codecs:
        known["barnabas"].produce(options.bootstrap, "dumped", codec, list(records_for(codec, known["barnabas"])))
    segments = sorted(glob.glob(f"{options.folder}/data/*/*.log"))
    if not any("/dumped-0/" in path for path in segments):
        fail(f"no segment of the topic below {options.folder}/data")
    for path in segments:
        metadata = ["--cluster-metadata-decoder"] if "__cluster_metadata" in path else []
        text = run(java("org.apache.kafka.tools.DumpLogSegments", "--deep-iteration", "--files", path, *metadata))
        if re.search(r"isvalid: false|error|exception|mismatch|corrupt|invalid", text, re.I):
            fail(f"DumpLogSegments on {path}:\n{text}")
        if "/dumped-0/" in path and len(re.findall(r"^\| offset:", text, re.M)) != 10 * len(codecs):
            fail(f"DumpLogSegments found other than {10 * len(codecs)} records:\n{text}")
    for path in glob.glob(f"{options.folder}/data/dumped-0/*index"):
        text = run(java("org.apache.kafka.tools.DumpLogSegments", "--index-sanity-check", "--files", path))
        # The entries go to the file with a flush: before the first one it is empty.
        if "passed sanity check" not in text and "is empty" not in text:
            fail(f"DumpLogSegments on {path}:\n{text}")


def integration(options):
    environment = {**os.environ, "BARNABAS_TEST_BOOTSTRAP": options.bootstrap}
    # The test with racks starts and ends a broker of its own.
    for program, tests in (("integration_tests", "-*OnlyOurs*"),
                           ("consumer_group_tests", "GroupTest.*-*OnlyOurs*:*_when_replicas_are_in_other_racks")):
        done = subprocess.run([f"{options.binaries}/{program}", f"--gtest_filter={tests}", "--gtest_brief=1"],
                              env=environment, timeout=180)
        if done.returncode != 0:
            fail(f"{program} failed on this broker")


def differential(options):
    environment = {**os.environ, "BARNABAS_DIFFERENTIAL_KAFKA_PORT": options.bootstrap.rsplit(":", maxsplit=1)[1]}
    done = subprocess.run([f"{options.binaries}/differential_tests", "--gtest_brief=1"], env=environment, timeout=300)
    if done.returncode != 0:
        fail("Apache Kafka and our broker do not do the same")


def command_line(options):
    def ours(*arguments):
        return run([f"{options.binaries}/barnabas", *arguments, "--bootstrap-server", options.bootstrap])
    ours("topic", "create", "cli-topic", "--partitions", "2")
    if "cli-topic" not in ours("topic", "list").split():
        fail("topic list does not show the topic")
    if "cli-topic" not in ours("topic", "describe", "cli-topic"):
        fail("topic describe does not name the topic")
    if options.bootstrap.rsplit(":", maxsplit=1)[1] not in ours("cluster"):
        fail("cluster does not show the broker")
    if "ApiVersions" not in ours("api-versions"):
        fail("api-versions does not show ApiVersions")
    ours("topic", "delete", "cli-topic")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("case")
    parser.add_argument("--broker", choices=["barnabas", "kafka"], required=True)
    parser.add_argument("--folder", required=True)
    parser.add_argument("--binaries", required=True)
    options = parser.parse_args()
    try:
        if options.broker == "kafka":
            programs(options.binaries)["java"].require()
        if options.case == "start":
            brokers.start(options.broker, options.folder, options.binaries)
        elif options.case == "stop":
            brokers.stop(options.folder)
        else:
            options.bootstrap = brokers.running(options.folder)["bootstrap"]
            if options.case.startswith("written_by_"):
                written_by(options, options.case[len("written_by_"):])
            elif options.case.startswith("mixed_group_"):
                mixed_group(options, options.case[len("mixed_group_"):])
            else:
                {"kcat_queries": kcat_queries, "kafka_topics": kafka_topics, "dump_log": dump_log,
                 "integration": integration, "command_line": command_line, "groups": groups, "group_tool": group_tool,
                 "rolling_restart": rolling_restart, "differential": differential}[options.case](options)
    except Missing as missing:
        print(f"skipped: {missing}", file=sys.stderr)
        sys.exit(1 if os.environ.get("BARNABAS_REQUIRE_PEERS") == "1" else SKIPPED)


if __name__ == "__main__":
    main()
