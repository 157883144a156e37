"""Starts and stops the broker that a run of interop cases talks to: ours, or Apache Kafka 4.3."""
import base64
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import time

PEERS = os.path.join(os.environ.get("PEERS_DIR") or os.path.expanduser("~/.cache/barnabas-peers"), "interop-1")


def java(*arguments, heap="256m", jvm=()):
    """The command line of a class of Apache Kafka; with no options for the machine, it starts soon instead of running fast."""
    quick = (f"-Xmx{heap}", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
    return ["java", *(jvm or quick), "-cp", f"{PEERS}/kafka/libs/*", *arguments]


def free_ports(count):
    """Below those that the system gives to connections, of which none is to take the port of a broker that is not up yet."""
    ports = []
    for port in random.sample(range(15000, 32000), 1000):
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        ports.append(port)
        if len(ports) == count:
            return ports
    raise SystemExit("there are no free ports")


def barnabas_command(folder, binaries, _=None):
    port = free_ports(1)[0]
    return port, [f"{binaries}/barnabas-broker", "--port", str(port), "--data-dir", f"{folder}/data",
                  "--override", "listeners=PLAINTEXT://127.0.0.1:" + str(port)]


def kafka_command(folder, _, jvm):
    port, controller = free_ports(2)
    settings = {
        "process.roles": "broker,controller", "node.id": 1, "controller.quorum.voters": f"1@127.0.0.1:{controller}",
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}", "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT", "log.dirs": f"{folder}/data",
        "offsets.topic.replication.factor": 1, "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1, "group.initial.rebalance.delay.ms": 0,
        # Records of tests/differential are years old: the first look for expired ones comes after its rows.
        "log.initial.task.delay.ms": 600000,
        "log.roll.hours": 200,  # an older name of a topic's setting: tests/differential sets the same
    }
    properties = f"{folder}/server.properties"
    with open(properties, "w", encoding="utf-8") as file:
        file.writelines(f"{name}={value}\n" for name, value in settings.items())
    cluster_id = base64.urlsafe_b64encode(os.urandom(16)).decode().rstrip("=").replace("-", "A")
    subprocess.run(java("kafka.tools.StorageTool", "format", "--cluster-id", cluster_id, "-c", properties), check=True,
                   capture_output=True, timeout=60)
    return port, java("kafka.Kafka", properties, heap="768m", jvm=jvm)


def run_in(folder, port, command):
    with open(f"{folder}/broker.log", "a", encoding="utf-8") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)
    with open(f"{folder}/broker.json", "w", encoding="utf-8") as file:
        json.dump({"pid": process.pid, "bootstrap": f"127.0.0.1:{port}"}, file)
    return process


def start_again(broker, folder, binaries, jvm=()):
    """Starts one that was stopped on the data that it has; returns its address and process id without waiting."""
    if broker == "kafka":
        port = running(folder)["bootstrap"].rsplit(":", 1)[1]
        command = java("kafka.Kafka", f"{folder}/server.properties", heap="768m", jvm=jvm)
    else:
        port, command = barnabas_command(folder, binaries)
    process = run_in(folder, port, command)
    return running(folder)["bootstrap"], process.pid


def start(broker, folder, binaries, jvm=()):
    """Starts it with an empty data directory and waits until it takes connections; its address goes to folder/broker.json."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    port, command = {"barnabas": barnabas_command, "kafka": kafka_command}[broker](folder, binaries, jvm)
    process = run_in(folder, port, command)
    deadline = time.time() + 60
    while time.time() < deadline:
        if process.poll() is not None:
            break
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    with open(f"{folder}/broker.log", encoding="utf-8") as log:
        raise SystemExit(f"the {broker} broker did not start:\n{log.read()[-3000:]}")


def running(folder):
    with open(f"{folder}/broker.json", encoding="utf-8") as file:
        return json.load(file)


def stop(folder):
    """Ends it as a service manager would; a broker that does not go by itself is an error."""
    pid = running(folder)["pid"]
    os.kill(pid, signal.SIGTERM)
    for _ in range(300):
        try:
            os.kill(pid, 0)
            with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
                if stat.read().rsplit(")", 1)[1].split()[0] == "Z":
                    return
        except OSError:
            return
        time.sleep(0.1)
    os.kill(pid, signal.SIGKILL)
    raise SystemExit("the broker did not stop within 30 s")
