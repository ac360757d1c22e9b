"""What HTTP alone costs: an aiohttp server that decodes a JSON body, answers a small one, and does nothing else."""

import asyncio
import contextlib
import socket
import subprocess
import sys
import time

import msgspec
from aiohttp import web

BARE = "bare aiohttp"
HOST, PATH = "127.0.0.1", "/validate"
START_SECONDS, PAUSE_SECONDS = 30.0, 0.01
VERDICT = {
    "id": "v1",
    "decision": "allow",
    "reason": "nothing is looked at",
    "rule": "none",
    "tier": "low",
    "latency_us": 0,
}


class Bare:
    """The server in a process of its own."""

    def __init__(self) -> None:
        with socket.create_server((HOST, 0)) as free:
            self._port = free.getsockname()[1]
        self.address = f"{HOST}:{self._port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; returns when it takes connections."""
        self._process = subprocess.Popen([sys.executable, "-m", "bench.bare", str(self._port)])
        end = time.monotonic() + START_SECONDS
        while True:
            with contextlib.suppress(OSError), socket.create_connection((HOST, self._port)):
                return
            if self._process.poll() is not None or time.monotonic() > end:
                raise RuntimeError("the bare server did not start")
            time.sleep(PAUSE_SECONDS)

    def stop(self) -> None:
        """End it. Twice is fine."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            process.wait(START_SECONDS)


async def _answer(request: web.Request) -> web.Response:
    msgspec.json.decode(await request.read())
    return web.Response(body=msgspec.json.encode(VERDICT), content_type="application/json")


async def _serve(port: int) -> None:
    app = web.Application()
    app.router.add_post(PATH, _answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, HOST, port).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
