"""Runs a command and says what it cost: CPU of the client and of the broker, wall time, peak memory."""
import dataclasses
import os
import statistics
import subprocess
import tempfile
import time

TIMEOUT_SECONDS = 600
PROCESS_CPU_CLOCK = 2  # of clock ids that the kernel makes from a process id: CPUCLOCK_SCHED


@dataclasses.dataclass
class Cost:
    client: float  # CPU seconds, user and system, of the whole process from its start to its end
    broker: float  # CPU seconds of the broker meanwhile
    seconds: float
    peak_mb: float


def cpu_seconds_of(pid):
    """User and system time of a running process, ended threads included, in nanoseconds' resolution."""
    return time.clock_gettime(~pid << 3 | PROCESS_CPU_CLOCK)


def resident_mb_of(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS"))


def run_and_read(command, broker_pid):
    """The cost and the output of a command that must succeed; it is ended, and an error, after TIMEOUT_SECONDS."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as complaints:
        broker, started = cpu_seconds_of(broker_pid), time.monotonic()
        process = subprocess.Popen(["timeout", str(TIMEOUT_SECONDS), *command], stdin=subprocess.DEVNULL, stdout=output,
                                   stderr=complaints)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        cost = Cost(usage.ru_utime + usage.ru_stime, cpu_seconds_of(broker_pid) - broker, time.monotonic() - started,
                    usage.ru_maxrss / 1024)
        for file in (output, complaints):
            file.seek(0)
        text = output.read().decode(errors="replace")
        if process.returncode != 0:
            said = (text + complaints.read().decode(errors="replace"))[-2000:]
            raise SystemExit(f"{' '.join(command)}\nexit {process.returncode}: {said}")
        return cost, text


def run(command, broker_pid):
    return run_and_read(command, broker_pid)[0]


def median(costs):
    """Each figure's own median: the run whose client is in the middle need not be the broker's."""
    return Cost(*(statistics.median(getattr(cost, field.name) for cost in costs) for field in dataclasses.fields(Cost)))
