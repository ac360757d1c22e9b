"""What can go wrong between a client and the bridge, in the kinds a caller must tell apart."""

from lighthouse.errors import LighthouseError

_HINTS = {
    401: "mint a token with `lighthouse token create` and set LIGHTHOUSE_TOKEN or LIGHTHOUSE_TOKEN_FILE",
    403: "use a token whose role allows it, and act only as its agent",
    429: "send less, and try again after a moment",
    503: "look at `lighthouse doctor`, and try again",
    507: "make room on the disk of the event store",
}


class ClientMisconfigured(LighthouseError):
    """The client's own settings do not make sense: no bridge is asked."""


class BridgeAway(LighthouseError):
    """Nobody answers at the bridge's address, or not in time. `url` is that address."""

    def __init__(self, url: str, reason: str) -> None:
        self.url = url
        super().__init__(
            f"no bridge answers at {url} ({reason})",
            "start it (`systemctl status lighthouse`, or `lighthouse serve`), or correct the address",
        )


class NotABridge(LighthouseError):
    """Something answers at the address, but not as a Lighthouse bridge would."""

    def __init__(self, url: str, reason: str) -> None:
        self.url = url
        super().__init__(
            f"what answers at {url} is no bridge this client understands ({reason})",
            "correct LIGHTHOUSE_BRIDGE_URL, or bring client and bridge to one version",
        )


class Refused(LighthouseError):
    """The bridge said no. `status` is HTTP's, `detail` the reason, `request_id` finds it in the log."""

    def __init__(
        self, status: int, detail: str, *, request_id: str | None = None, retry_after: float | None = None
    ) -> None:
        self.status = status
        self.detail = detail
        self.request_id = request_id
        self.retry_after = retry_after
        super().__init__(f"the bridge refused ({status}): {detail}", _HINTS.get(status))
