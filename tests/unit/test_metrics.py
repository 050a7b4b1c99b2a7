import math

import pytest

from chatd.metrics import Registry


def test_counter_and_gauge() -> None:
    registry = Registry()
    sent = registry.counter("chatd_sent_total", "Frames handed to sockets.")
    sessions = registry.gauge("chatd_sessions", "Sessions.")
    sent.value += 2
    sessions.value = 1.5
    assert registry.render() == (
        "# HELP chatd_sent_total Frames handed to sockets.\n"
        "# TYPE chatd_sent_total counter\n"
        "chatd_sent_total 2\n"
        "# HELP chatd_sessions Sessions.\n"
        "# TYPE chatd_sessions gauge\n"
        "chatd_sessions 1.5\n"
    )


def test_reading_is_taken_at_rendering() -> None:
    registry = Registry()
    queue: list[str] = []
    registry.reading("chatd_queue", "Waiting.", lambda: len(queue))
    queue += ["a", "b"]
    assert registry.render().endswith("\nchatd_queue 2\n")


def test_readings_are_taken_for_all_series_at_once() -> None:
    registry = Registry()
    refused = {("rate",): 0}
    registry.readings("chatd_refused_total", "Refused.", ("bound",), lambda: refused, "counter")
    refused |= {("rate",): 3, ("total",): 1}
    assert registry.render().splitlines()[1:] == [
        "# TYPE chatd_refused_total counter",
        'chatd_refused_total{bound="rate"} 3',
        'chatd_refused_total{bound="total"} 1',
    ]


def test_labels_are_escaped_and_series_kept_apart() -> None:
    registry = Registry()
    requests = registry.counters("chatd_requests_total", 'Back\\slash, "quote" and\nline.', ("method", "route"))
    requests.labels("GET", 'a"b\\c\nd').value += 1
    requests.labels("POST", "/").value += 1
    requests.labels("POST", "/").value += 1
    assert registry.render() == (
        '# HELP chatd_requests_total Back\\\\slash, "quote" and\\nline.\n'
        "# TYPE chatd_requests_total counter\n"
        'chatd_requests_total{method="GET",route="a\\"b\\\\c\\nd"} 1\n'
        'chatd_requests_total{method="POST",route="/"} 2\n'
    )


def test_histogram_counts_up_to_and_including_each_bound() -> None:
    registry = Registry()
    seconds = registry.histogram("chatd_seconds", "Time.", (0.5, 1.0))
    for value in (0.5, 0.75, 2.0):
        seconds.observe(value)
    assert registry.render().splitlines()[1:] == [
        "# TYPE chatd_seconds histogram",
        'chatd_seconds_bucket{le="0.5"} 1',
        'chatd_seconds_bucket{le="1.0"} 2',
        'chatd_seconds_bucket{le="+Inf"} 3',
        "chatd_seconds_sum 3.25",
        "chatd_seconds_count 3",
    ]


def test_labelled_histogram_joins_labels() -> None:
    registry = Registry()
    registry.histograms("chatd_seconds", "Time.", ("route",), (1,)).labels("/").observe(2)
    assert registry.render().splitlines()[2:] == [
        'chatd_seconds_bucket{route="/",le="1"} 0',
        'chatd_seconds_bucket{route="/",le="+Inf"} 1',
        'chatd_seconds_sum{route="/"} 2',
        'chatd_seconds_count{route="/"} 1',
    ]


def test_labelled_family_without_series_has_only_its_head() -> None:
    registry = Registry()
    registry.gauges("chatd_up", "Parts that work.", ("part",))
    assert registry.render() == "# HELP chatd_up Parts that work.\n# TYPE chatd_up gauge\n"


def test_special_values() -> None:
    registry = Registry()
    family = registry.gauges("chatd_x", "X.", ("kind",))
    for kind, value in (("up", math.inf), ("down", -math.inf), ("none", math.nan)):
        family.labels(kind).value = value
    assert [line.rpartition(" ")[2] for line in registry.render().splitlines()[2:]] == ["+Inf", "-Inf", "NaN"]


def test_mistakes_show_at_start_up() -> None:
    registry = Registry()
    registry.counter("chatd_sent_total", "Frames.")
    with pytest.raises(ValueError, match="chatd_sent_total is registered twice"):
        registry.gauge("chatd_sent_total", "Frames.")
    with pytest.raises(ValueError, match="values"):
        registry.counters("chatd_requests_total", "Requests.", ("method", "route")).labels("GET")
