"""Which recurrence rules there may be: the examples and the limitations of Discord's page."""

import json
from typing import Any

import pytest

from chatd.model.errors import ApiError
from chatd.model.objects.scheduled_event import RecurrenceRuleParams
from chatd.model.wire import convert, encode
from chatd.service import recurrence

YEARLY, MONTHLY, WEEKLY, DAILY = range(4)


def params(frequency: int, **fields: Any) -> RecurrenceRuleParams:
    return convert({"start": "2099-01-02T03:04:05+01:00", "frequency": frequency, **fields}, RecurrenceRuleParams)


@pytest.mark.parametrize(
    ("frequency", "fields"),
    [
        (DAILY, {"interval": 1, "by_weekday": [0, 1, 2, 3, 4]}),
        (DAILY, {"by_weekday": [3, 2, 1, 0, 6]}),
        (DAILY, {}),
        (WEEKLY, {"interval": 1, "by_weekday": [2]}),
        (WEEKLY, {"interval": 2, "by_weekday": [2]}),
        (MONTHLY, {"interval": 1, "by_n_weekday": [{"n": 4, "day": 2}]}),
        (YEARLY, {"interval": 1, "by_month": [7], "by_month_day": [24]}),
        (YEARLY, {"end": None, "count": None, "by_year_day": None}),
    ],
)
def test_rules_are_kept_as_they_are(frequency: int, fields: dict[str, Any]) -> None:
    rule = recurrence.rule(params(frequency, **fields))
    assert rule.start == "2099-01-02T02:04:05.000000+00:00"
    assert (rule.frequency, rule.interval) == (frequency, fields.get("interval", 1))
    shown = json.loads(encode(rule))
    for name in ("by_weekday", "by_n_weekday", "by_month", "by_month_day", "end", "by_year_day", "count"):
        assert shown[name] == fields.get(name)


@pytest.mark.parametrize(
    ("frequency", "fields", "wrong"),
    [
        (DAILY, {"by_weekday": [0, 1]}, ["by_weekday"]),
        (DAILY, {"by_weekday": [4, 4, 5]}, ["by_weekday"]),
        (DAILY, {"interval": 2}, ["interval"]),
        (WEEKLY, {"by_weekday": [0, 1]}, ["by_weekday"]),
        (WEEKLY, {"by_weekday": []}, ["by_weekday"]),
        (WEEKLY, {"interval": 3, "by_weekday": [0]}, ["interval"]),
        (WEEKLY, {"by_n_weekday": [{"n": 1, "day": 1}]}, ["by_n_weekday"]),
        (MONTHLY, {"by_weekday": [0]}, ["by_weekday"]),
        (MONTHLY, {"by_n_weekday": [{"n": 1, "day": 1}, {"n": 2, "day": 1}]}, ["by_n_weekday"]),
        (YEARLY, {"by_month": [7]}, ["by_month"]),
        (YEARLY, {"by_month_day": [7]}, ["by_month_day"]),
        (YEARLY, {"by_month": [1, 2], "by_month_day": [1]}, ["by_month"]),
        (YEARLY, {"by_weekday": [1], "by_month": [1], "by_month_day": [1]}, ["by_weekday"]),
        (DAILY, {"count": 3, "end": "2100-01-01T00:00:00Z", "by_year_day": [1]}, ["end", "by_year_day", "count"]),
        (DAILY, {"start": "soon"}, ["start"]),
    ],
)
def test_rules_that_no_client_can_show_are_refused(frequency: int, fields: dict[str, Any], wrong: list[str]) -> None:
    with pytest.raises(ApiError) as refused:
        recurrence.rule(params(frequency, **fields))
    assert refused.value.errors is not None
    assert list(refused.value.errors["recurrence_rule"]) == wrong
