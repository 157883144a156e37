#!/usr/bin/env python3
"""A cluster of Apache Kafka 4.3 on this machine, small and quick to notice what happens to its brokers:

  cluster.py start FOLDER [--brokers 3]     a controller of its own, and brokers 1, 2, 3; prints their addresses
  cluster.py broker FOLDER ID               starts a broker that is not running, or the fourth
  cluster.py move FOLDER                    kills all brokers, and starts those that ran on their other ports
  cluster.py kill | pause | resume | stop FOLDER ID
  cluster.py stop FOLDER                    all of it

Each prints a line per broker: its id, whether it runs, and its ports, the one in use first.

Each broker is a rack of its own (broker 1: r1) and has two ports, of which it uses one at a time; FOLDER/cluster.json
says which. tests/interop/setup.sh brings Kafka onto the machine; exit code 77 says that it is not there.
"""
import argparse
import base64
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop"))
from brokers import PEERS, free_ports, java  # noqa: E402

CONTROLLER = 100
MOST_BROKERS = 4
COMMON = {
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "default.replication.factor": 3, "min.insync.replicas": 2, "auto.create.topics.enable": "false",
    "offsets.topic.num.partitions": 1, "offsets.topic.replication.factor": 3,
    "transaction.state.log.replication.factor": 3,
    # A broker that says nothing is given up after two seconds, a follower that does not follow after three.
    "broker.heartbeat.interval.ms": 300, "broker.session.timeout.ms": 2000, "replica.lag.time.max.ms": 3000,
    "replica.socket.timeout.ms": 2000, "replica.fetch.wait.max.ms": 100, "controller.socket.timeout.ms": 2000,
    "auto.leader.rebalance.enable": "false", "unclean.leader.election.interval.ms": 1000,
    "controller.quorum.request.timeout.ms": 1500, "controlled.shutdown.enable": "true",
    "replica.selector.class": "org.apache.kafka.common.replica.RackAwareReplicaSelector",
    "num.network.threads": 2, "num.io.threads": 4, "num.recovery.threads.per.data.dir": 2,
    "log.cleaner.enable": "false", "background.threads": 2,
}


def load(folder):
    with open(f"{folder}/cluster.json", encoding="utf-8") as file:
        return json.load(file)


def save(folder, cluster):
    with open(f"{folder}/cluster.json.new", "w", encoding="utf-8") as file:
        json.dump(cluster, file)
    os.replace(f"{folder}/cluster.json.new", f"{folder}/cluster.json")


def write_properties(folder, name, settings):
    settings = {**COMMON, **settings, "log.dirs": f"{folder}/{name}"}
    with open(f"{folder}/{name}.properties", "w", encoding="utf-8") as file:
        file.writelines(f"{key}={value}\n" for key, value in settings.items())
    return f"{folder}/{name}.properties"


def launch(folder, name, settings, cluster_id):
    """Starts a node; its pid. A new broker learns the cluster's features from the controller: it needs no format."""
    properties = write_properties(folder, name, settings)
    os.makedirs(f"{folder}/{name}", exist_ok=True)
    if not os.path.exists(f"{folder}/{name}/meta.properties"):
        with open(f"{folder}/{name}/meta.properties", "w", encoding="utf-8") as file:
            file.write(f"version=1\ncluster.id={cluster_id}\nnode.id={settings['node.id']}\n")
    with open(f"{folder}/{name}.log", "a", encoding="utf-8") as log:
        return subprocess.Popen(java("kafka.Kafka", properties, heap="320m"), stdout=log, stderr=log,
                                stdin=subprocess.DEVNULL, start_new_session=True).pid


def format_controller(folder, settings, cluster_id):
    """The cluster's features are written into the metadata log before its first start."""
    properties = write_properties(folder, "controller", settings)
    subprocess.run(java("kafka.tools.StorageTool", "format", "--cluster-id", cluster_id, "-c", properties), check=True,
                   capture_output=True, timeout=60)


def is_running(pid):
    try:  # pid 0 is no process: a broker that was never started
        with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def wait_for_port(folder, name, pid, port):
    deadline = time.time() + 90
    while time.time() < deadline and is_running(pid):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    with open(f"{folder}/{name}.log", encoding="utf-8") as log:
        sys.exit(f"{name} did not start:\n{log.read()[-3000:]}")


def start_brokers(folder, numbers):
    for number, (pid, port) in {number: launch_broker(folder, number) for number in numbers}.items():
        wait_for_port(folder, f"broker-{number}", pid, port)


def launch_broker(folder, number):
    cluster = load(folder)
    broker = cluster["brokers"][str(number)]
    if is_running(broker["pid"]):
        sys.exit(f"broker {number} is running")
    port = broker["ports"][0]
    broker["pid"] = launch(folder, f"broker-{number}", {
        "process.roles": "broker", "node.id": number, "broker.rack": f"r{number}",
        "controller.quorum.voters": cluster["voters"], "listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}"}, cluster["id"])
    save(folder, cluster)
    return broker["pid"], port


def pids_of(cluster):
    return [broker["pid"] for broker in cluster["brokers"].values()] + [cluster["controller"]]


def is_ours(pid, folder):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return folder.encode() in file.read()
    except OSError:
        return False


def end_leftovers(folder):
    """What a test that was ended itself could not stop."""
    if os.path.exists(f"{folder}/cluster.json"):
        for pid in pids_of(load(folder)):
            if is_ours(pid, folder):
                end(pid, signal.SIGKILL, 15)


def start(folder, count):
    end_leftovers(folder)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    ports = free_ports(2 * MOST_BROKERS + 1)
    voters = f"{CONTROLLER}@127.0.0.1:{ports[0]}"
    cluster_id = base64.urlsafe_b64encode(os.urandom(16)).decode().rstrip("=").replace("-", "A")
    settings = {"process.roles": "controller", "node.id": CONTROLLER, "controller.quorum.voters": voters,
                "listeners": f"CONTROLLER://127.0.0.1:{ports[0]}"}
    format_controller(folder, settings, cluster_id)
    cluster = {"id": cluster_id, "voters": voters, "controller": launch(folder, "controller", settings, cluster_id),
               "brokers": {str(n): {"pid": 0, "ports": ports[2 * n - 1:2 * n + 1]} for n in range(1, MOST_BROKERS + 1)}}
    save(folder, cluster)
    start_brokers(folder, range(1, count + 1))


def move(folder):
    cluster = load(folder)
    running = [number for number, broker in cluster["brokers"].items() if is_running(broker["pid"])]
    for number in running:
        send(cluster["brokers"][number]["pid"], signal.SIGKILL)
    for number in running:
        end(cluster["brokers"][number]["pid"], signal.SIGKILL, 15)
        cluster["brokers"][number]["ports"].reverse()
    save(folder, cluster)
    start_brokers(folder, running)


def send(pid, number):
    if is_running(pid):
        os.kill(pid, number)


def end(pid, number, patience):
    """Signals the process and waits until it has gone; whether it did."""
    send(pid, signal.SIGCONT)
    send(pid, number)
    deadline = time.time() + patience
    while is_running(pid):
        if time.time() > deadline:
            return False
        time.sleep(0.02)
    return True


def stop(folder, pids):
    for pid in pids:
        if not end(pid, signal.SIGTERM, 15):
            end(pid, signal.SIGKILL, 15)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("verb", choices=["start", "broker", "move", "kill", "pause", "resume", "stop"])
    parser.add_argument("folder")
    parser.add_argument("id", nargs="?", type=int)
    parser.add_argument("--brokers", type=int, default=3)
    options = parser.parse_args()
    if not os.path.exists(f"{PEERS}/kafka.done"):
        print("Apache Kafka is not there: tests/interop/setup.sh", file=sys.stderr)
        sys.exit(1 if os.environ.get("BARNABAS_REQUIRE_PEERS") == "1" else 77)
    folder = os.path.abspath(options.folder)
    if options.verb == "start":
        start(folder, options.brokers)
    elif options.verb == "broker":
        start_brokers(folder, [options.id])
    elif options.verb == "move":
        move(folder)
    else:
        cluster = load(folder)
        if options.id is None:  # without farewells: nobody is to take over
            for pid in pids_of(cluster):
                end(pid, signal.SIGKILL, 15)
            return
        pid = cluster["brokers"][str(options.id)]["pid"]
        if options.verb == "kill":
            end(pid, signal.SIGKILL, 15)
        elif options.verb == "stop":
            stop(folder, [pid])
        else:
            send(pid, signal.SIGSTOP if options.verb == "pause" else signal.SIGCONT)
    for number, broker in load(folder)["brokers"].items():
        state = "running" if is_running(broker["pid"]) else "stopped"
        print(number, state, *broker["ports"])


if __name__ == "__main__":
    main()
