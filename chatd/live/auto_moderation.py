"""A guild's AutoMod rules as they are right now, in the order in which they are looked at, and what they look for."""

from chatd.model import wordsets
from chatd.model.objects.auto_moderation import AutoModerationRule, EventType
from chatd.model.textfilter import TextFilter


class AutoModeration:
    def __init__(self, rules: dict[int, AutoModerationRule]) -> None:
        self.rules = rules
        # Enabled ones by what they watch: a guild without any pays for a look at an empty tuple.
        self.message_rules: tuple[AutoModerationRule, ...] = ()
        self.profile_rules: tuple[AutoModerationRule, ...] = ()
        self._filters: dict[int, TextFilter] = {}  # those compiled so far
        self._arrange()

    def put(self, rule: AutoModerationRule, filter_: TextFilter) -> None:
        """Add or replace a rule; `filter_` is its own."""
        self.rules[rule.id] = rule
        self._filters[rule.id] = filter_
        self._arrange()

    def drop(self, rule_id: int) -> None:
        del self.rules[rule_id]
        self._filters.pop(rule_id, None)
        self._arrange()

    def filter_of(self, rule: AutoModerationRule) -> TextFilter | None:
        """None until it is compiled, for a rule that was loaded from the database."""
        return self._filters.get(rule.id)

    def compiled(self, rule: AutoModerationRule, filter_: TextFilter) -> None:
        """Keep the filter of a loaded rule, unless the rule has changed since."""
        if self.rules.get(rule.id) is rule:
            self._filters[rule.id] = filter_

    def of_type(self, trigger_type: int) -> list[AutoModerationRule]:
        return [rule for rule in self.rules.values() if rule.trigger_type == trigger_type]

    def _arrange(self) -> None:
        enabled = [rule for _, rule in sorted(self.rules.items()) if rule.enabled]
        self.message_rules = tuple(rule for rule in enabled if rule.event_type == EventType.MESSAGE_SEND)
        self.profile_rules = tuple(rule for rule in enabled if rule.event_type == EventType.MEMBER_UPDATE)


def compile_filter(rule: AutoModerationRule) -> TextFilter:
    """What the rule looks for in texts; nothing where it counts instead. Takes milliseconds. Raises InvalidRegex."""
    metadata = rule.trigger_metadata
    return TextFilter(
        [*(metadata.keyword_filter or ()), *wordsets.keywords(metadata.presets or ())],
        metadata.regex_patterns or (),
        metadata.allow_list or (),
    )
