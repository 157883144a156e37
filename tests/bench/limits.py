"""What the machine itself costs: the bound that no broker gets below."""
import os
import socket
import tempfile

import measure

CHUNK = 1024 * 1024  # what a fetch of one partition returns by default


def sendfile_cost(size):
    """CPU seconds of a process that only sends so many bytes of a cached file over loopback; the reader's are not counted."""
    with tempfile.TemporaryFile() as file, socket.create_server(("127.0.0.1", 0)) as server:
        file.write(os.urandom(CHUNK) * min(64, size // CHUNK + 1))
        file.flush()
        length = file.tell()
        reader = os.fork()
        if reader == 0:
            read_all(server.getsockname())
        connection = server.accept()[0]
        before = os.times()
        sent = 0
        while sent < size:
            sent += os.sendfile(connection.fileno(), file.fileno(), sent % length, min(CHUNK, length - sent % length))
        after = os.times()
        connection.close()
        os.waitpid(reader, 0)
        broker = after.user + after.system - before.user - before.system
        return measure.Cost(0, broker, after.elapsed - before.elapsed, 0)


def read_all(address):
    buffer = bytearray(CHUNK)
    with socket.create_connection(address) as connection:
        while connection.recv_into(buffer):
            pass
    os._exit(0)
