"""How scheduled events recur: which rules there may be. Nothing here makes an event happen again.

Docs: resources/guild-scheduled-event, "Guild Scheduled Event Recurrence Rule Object" and its "System limitations".
"""

from collections.abc import Sequence

from chatd.model.objects.scheduled_event import Frequency, NWeekday, RecurrenceRule, RecurrenceRuleParams
from chatd.model.validate import FormErrors, form_error
from chatd.model.wire import parse_timestamp, timestamp

_FIXED = ("end", "by_year_day", "count")
_DAYS = ("by_weekday", "by_n_weekday", "by_month", "by_month_day")

# Which days a rule may name, by its frequency; at other frequencies they make no sense, or Discord's client cannot
# show them. As each frequency has one kind of them, none meets another.
_NAMES: dict[Frequency, frozenset[str]] = {
    Frequency.YEARLY: frozenset(("by_month", "by_month_day")),
    Frequency.MONTHLY: frozenset(("by_n_weekday",)),
    Frequency.WEEKLY: frozenset(("by_weekday",)),
    Frequency.DAILY: frozenset(("by_weekday",)),
}
# Monday is 0: the days off and the working days of various countries.
_DAILY_SETS = tuple(
    frozenset(days) for days in ((0, 1, 2, 3, 4), (1, 2, 3, 4, 5), (6, 0, 1, 2, 3), (4, 5), (5, 6), (6, 0))
)


def rule(body: RecurrenceRuleParams) -> RecurrenceRule:
    """The rule as it is stored. Raises a form error with everything that is wrong with it."""
    errors, frequency = FormErrors(), Frequency(body.frequency)
    for field in _FIXED:
        if getattr(body, field) is not None:
            errors.add(f"recurrence_rule.{field}", "RECURRENCE_RULE_INVALID", "This field cannot be set")
    for field in _DAYS:
        if getattr(body, field) is not None and (problem := _problem(body, frequency, field)):
            errors.add(f"recurrence_rule.{field}", "RECURRENCE_RULE_INVALID", problem)
    interval = 1 if body.interval is None else body.interval
    if interval not in ((1, 2) if frequency is Frequency.WEEKLY else (1,)):
        errors.add("recurrence_rule.interval", "RECURRENCE_RULE_INVALID", "Must be 1, or 2 when the rule is weekly")
    errors.raise_if_any()
    try:
        start = timestamp(parse_timestamp(body.start))
    except ValueError as error:
        raise form_error("recurrence_rule.start", "DATE_TIME_TYPE_PARSE", str(error)) from None
    return RecurrenceRule(
        start=start,
        frequency=body.frequency,
        interval=interval,
        by_weekday=_frozen(body.by_weekday),
        by_n_weekday=None
        if body.by_n_weekday is None
        else tuple(NWeekday(n=d.n, day=d.day) for d in body.by_n_weekday),
        by_month=_frozen(body.by_month),
        by_month_day=_frozen(body.by_month_day),
    )


def _problem(body: RecurrenceRuleParams, frequency: Frequency, field: str) -> str | None:
    """What is wrong with the days that a rule names."""
    if field not in _NAMES[frequency]:
        return f"Not for rules of frequency {body.frequency}"
    if any(getattr(body, other) is None for other in _NAMES[frequency]):
        return "Both by_month and by_month_day must be provided"
    days = getattr(body, field)
    if frequency is Frequency.DAILY:
        is_known = len(set(days)) == len(days) and frozenset(days) in _DAILY_SETS
        return None if is_known else "Not a known set of weekdays"
    return None if len(days) == 1 else "Must be 1 in length."


def _frozen(days: Sequence[int] | None) -> tuple[int, ...] | None:
    return None if days is None else tuple(days)
