"""The figures for Prometheus, in a registry of the bridge's own."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from lighthouse.bridge.schemas import Components
from lighthouse.events import Event

CONTENT_TYPE = "text/plain; version=0.0.4"
# When each counter was made is when the bridge started; as a figure for each label it is only noise.
disable_created_metrics()  # type: ignore[no-untyped-call]

_FAST = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """Counters that the door and the handlers move, and gauges that are read when somebody asks."""

    def __init__(self, version: str) -> None:
        self.registry = CollectorRegistry()
        build = Gauge("lighthouse_build_info", "1, with the version", ["version"], registry=self.registry)
        build.labels(version).set(1)
        self._events = Counter("lighthouse_events", "Events stored since the start", registry=self.registry)
        self.append_seconds = Histogram(
            "lighthouse_event_append_seconds",
            "From an event's arrival to its being on disk",
            buckets=_FAST,
            registry=self.registry,
        )
        self.verdict_seconds = Histogram(
            "lighthouse_verdict_seconds",
            "What judging a tool call took, without its way to the disk",
            buckets=(0.0001, 0.0002, *_FAST),
            registry=self.registry,
        )
        self._requests = Counter(
            "lighthouse_http_requests",
            "Requests answered",
            ["route", "method", "status"],
            registry=self.registry,
        )
        self._request_seconds = Histogram(
            "lighthouse_http_request_seconds",
            "From a request's arrival to its answer; streams excepted",
            ["route"],
            buckets=_FAST,
            registry=self.registry,
        )
        self._counters: dict[tuple[str, str, int], Counter] = {}
        self._histograms: dict[str, Histogram] = {}
        self._health = Gauge(
            "lighthouse_health_component",
            "1 while the component is well, disabled or absent",
            ["component"],
            registry=self.registry,
        )

    def counts(self, name: str, text: str, label: str, read: Callable[[], Mapping[str, int]]) -> None:
        """Counters kept elsewhere, one for each value of `label`, read at the moment somebody asks."""
        self.registry.register(_Counts(name, text, label, read))

    def gauge(self, name: str, text: str, read: Callable[[], float]) -> None:
        """A gauge whose value is `read()` at the moment somebody asks."""
        Gauge(name, text, registry=self.registry).set_function(read)

    def stored(self, events: Sequence[Event]) -> None:
        """A listener of the event store, called on its writer's thread."""
        self._events.inc(len(events))

    def answered(self, route: str, method: str, status: int, seconds: float | None) -> None:
        """Count an answer; `seconds` is None for one that lasts, as streams do."""
        # Looking a child up by its labels costs more than moving it; there are few.
        counter = self._counters.get((route, method, status))
        if counter is None:
            counter = self._requests.labels(route, method, str(status))
            self._counters[route, method, status] = counter
        counter.inc()
        if seconds is not None:
            histogram = self._histograms.get(route)
            if histogram is None:
                histogram = self._histograms[route] = self._request_seconds.labels(route)
            histogram.observe(seconds)

    def healthy(self, components: Components) -> None:
        """Take over the health of each component."""
        for name in components.__struct_fields__:
            well = getattr(components, name).status in ("ok", "disabled", "absent")
            self._health.labels(name).set(1 if well else 0)

    def render(self) -> bytes:
        """All figures in Prometheus' text format."""
        return generate_latest(self.registry)


class _Counts(Collector):
    def __init__(self, name: str, text: str, label: str, read: Callable[[], Mapping[str, int]]) -> None:
        self._family = (name, text, label)
        self._read = read

    def collect(self) -> Iterable[CounterMetricFamily]:
        name, text, label = self._family
        family = CounterMetricFamily(name, text, labels=[label])
        for value, count in sorted(self._read().items()):
            family.add_metric([value], count)
        yield family
