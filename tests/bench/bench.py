#!/usr/bin/env python3
"""Measures the client and the broker: CPU seconds per run, each as a ratio to the peers that are on this machine.

bench.py --binaries DIR [--count N] [--size BYTES] [--repeat N]

One broker of ours serves all. Every row is the minimum of some runs, after one that warms the page cache. Peers: kcat
(librdkafka) and Apache Kafka's own perf tools, where tests/interop/setup.sh has brought them. Machines are noisy: read the
ratios, not the seconds.
"""
import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop"))
import brokers  # noqa: E402  (the interop suite's way to start a broker)

JAVA_PRODUCER = "org.apache.kafka.tools.ProducerPerformance"
JAVA_CONSUMER = "org.apache.kafka.tools.ConsumerPerformance"


def cpu_seconds_of(pid):
    """User and system time of a running process."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(command, broker_pid, stdin=None):
    """CPU seconds of the command and of the broker while it ran, and the wall time."""
    children, broker, started = resource.getrusage(resource.RUSAGE_CHILDREN), cpu_seconds_of(broker_pid), time.time()
    with open(stdin or os.devnull, "rb") as source:
        done = subprocess.run(command, stdin=source, capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}: {done.stdout[-1000:]}{done.stderr[-2000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    client = after.ru_utime + after.ru_stime - children.ru_utime - children.ru_stime
    return {"client": client, "broker": cpu_seconds_of(broker_pid) - broker, "seconds": time.time() - started}


def peers(options, bootstrap, lines):
    """name -> (produce command, its standard input, consume command)."""
    count, size = str(options.count), str(options.size)
    ours = [f"{options.binaries}/barnabas", "bench"]
    common = ["--bootstrap-server", bootstrap, "--count", count, "--json"]
    yield "barnabas", ours + ["produce", "--topic", "bench-barnabas", "--size", size, "--acks", "all"] + common, None, \
        ours + ["consume", "--topic", "bench-barnabas"] + common
    if subprocess.run(["which", "kcat"], capture_output=True).returncode == 0:
        yield "kcat (librdkafka)", ["kcat", "-P", "-b", bootstrap, "-t", "bench-kcat", "-p", "0", "-l", "-X", "acks=all",
                                    "-X", "enable.idempotence=true", lines], None, \
            ["kcat", "-C", "-b", bootstrap, "-t", "bench-kcat", "-p", "0", "-o", "beginning", "-e", "-q", "-f", ""]
    if os.path.exists(f"{brokers.PEERS}/kafka.done"):
        yield "Java producer", brokers.java(JAVA_PRODUCER, "--topic", "bench-java", "--num-records", count, "--record-size", size,
                                            "--throughput", "-1", "--bootstrap-server", bootstrap, heap="512m"), None, None


def best(command, broker_pid, stdin, repeat):
    runs = [measure(command, broker_pid, stdin) for _ in range(repeat + 1)][1:]
    return min(runs, key=lambda run: run["client"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binaries", required=True)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--size", type=int, default=100)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        lines = f"{folder}/lines"
        with open(lines, "w", encoding="ascii") as file:
            file.writelines("x" * options.size + "\n" for _ in range(options.count))
        brokers.start("barnabas", f"{folder}/broker", options.binaries)
        running = brokers.running(f"{folder}/broker")
        try:
            for topic in ("bench-barnabas", "bench-kcat", "bench-java"):
                subprocess.run([f"{options.binaries}/barnabas", "topic", "create", topic, "--partitions", "1",
                                "--bootstrap-server", running["bootstrap"]], check=True, capture_output=True)
            for name, produce, stdin, consume in peers(options, running["bootstrap"], lines):
                rows.append({"who": name, "what": "produce", **best(produce, running["pid"], stdin, options.repeat)})
                if consume:
                    rows.append({"who": name, "what": "consume", **best(consume, running["pid"], None, options.repeat)})
        finally:
            brokers.stop(f"{folder}/broker")
    base = {row["what"]: row["client"] for row in rows if row["who"] == "barnabas"}
    if options.json:
        print(json.dumps(rows))
        return
    print(f"{options.count} records of {options.size} bytes\n")
    print(f"{'who':<20}{'what':<10}{'client CPU s':>14}{'x ours':>9}{'broker CPU s':>14}{'seconds':>9}")
    for row in rows:
        print(f"{row['who']:<20}{row['what']:<10}{row['client']:>14.2f}{row['client'] / max(base[row['what']], 1e-9):>9.1f}"
              f"{row['broker']:>14.2f}{row['seconds']:>9.2f}")


if __name__ == "__main__":
    main()
