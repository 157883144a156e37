"""What the machine itself costs: the bound that no broker gets below (sendfile_bound.cc)."""
import glob
import os
import subprocess

import measure
from contestants import PEER


def bytes_of(data, topic):
    """What the logs of a topic hold: what a fetch of all of it sends. A topic of that name that was deleted may still be there."""
    logs = glob.glob(f"{data}/{topic}-*/*.log")
    return sum(os.path.getsize(path) for path in logs if not os.path.dirname(path).endswith("-delete"))


def sendfile_cost(size):
    """CPU seconds of a process that only sends so many bytes of a cached file over loopback."""
    done = subprocess.run([f"{os.path.dirname(PEER)}/sendfile_bound", str(size), str(size)], check=True, capture_output=True, timeout=120)
    return measure.Cost(0, float(done.stdout), 0, 0)
