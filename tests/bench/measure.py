"""Runs a command and says what it cost: CPU of the client and of the broker, wall time, peak memory."""
import dataclasses
import os
import subprocess
import tempfile
import time

TIMEOUT_SECONDS = 600


@dataclasses.dataclass
class Cost:
    client: float  # CPU seconds, user and system, of the whole process from its start to its end
    broker: float  # CPU seconds of the broker meanwhile
    seconds: float
    peak_mb: float


def cpu_seconds_of(pid):
    """User and system time of a running process, to the clock tick."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb_of(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS"))


def run(command, broker_pid):
    """The cost of a command that must succeed; it is ended, and an error, after TIMEOUT_SECONDS."""
    with tempfile.TemporaryFile() as output:
        broker, started = cpu_seconds_of(broker_pid), time.monotonic()
        process = subprocess.Popen(["timeout", str(TIMEOUT_SECONDS), *command], stdin=subprocess.DEVNULL, stdout=output,
                                   stderr=output)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        cost = Cost(usage.ru_utime + usage.ru_stime, cpu_seconds_of(broker_pid) - broker, time.monotonic() - started,
                    usage.ru_maxrss / 1024)
        if process.returncode != 0:
            output.seek(0)
            raise SystemExit(f"{' '.join(command)}\nexit {process.returncode}: {output.read()[-2000:].decode(errors='replace')}")
        return cost


def median(costs):
    """The run in the middle by client CPU: its figures belong together."""
    return sorted(costs, key=lambda cost: cost.client)[len(costs) // 2]
