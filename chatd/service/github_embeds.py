"""GitHub's events as messages. Docs: resources/webhook, "Execute GitHub-Compatible Webhook".

What is said of an event is a line of the table below; of others, and of actions that go without saying, nothing.
"""

from collections.abc import Callable
from typing import NamedTuple

from msgspec import UNSET

from chatd.model import limits
from chatd.model.markup import clipped
from chatd.model.objects.embed import EmbedAuthor, EmbedParams
from chatd.model.objects.github import (
    GithubCheckRun,
    GithubCheckSuite,
    GithubComment,
    GithubDiscussion,
    GithubEvent,
    GithubIssue,
    GithubRelease,
    GithubRepository,
    GithubReview,
    GithubUser,
)
from chatd.model.objects.message import AllowedMentions
from chatd.model.objects.webhook import WebhookExecute

# Of what people write on GitHub, so much is shown; and so many commits of a push.
TEXT_LENGTH = 1000
COMMITS = 20

_BLUE, _GREEN, _RED, _ORANGE, _PURPLE, _GREY = 0x4078C0, 0x2DA44E, 0xCF222E, 0xE16F24, 0x8250DF, 0x6E7781
_SHA_LENGTH = 7
_NEW_LINE = "\n"


class _Note(NamedTuple):
    title: str
    url: str
    text: str = ""
    color: int = _GREY
    branch: str = ""


class _Line(NamedTuple):
    """`parts`: fields that have to be there, and are given to `say`. `actions`: those worth saying; empty for all."""

    say: Callable[..., _Note | None]
    parts: tuple[str, ...] = ()
    actions: frozenset[str] = frozenset()


def message(name: str, event: GithubEvent) -> WebhookExecute | None:
    """None for what there is nothing to say of. Nobody is mentioned by what people write on GitHub."""
    line = _LINES.get(name)
    if line is None or event.sender is None or event.repository is None:
        return None
    if line.actions and event.action not in line.actions:
        return None
    parts = [getattr(event, part) for part in line.parts]
    note = None if None in parts else line.say(event, *parts)
    if note is None:
        return None
    title = f"[{event.repository.full_name}{note.branch and ':'}{note.branch}] {note.title}"
    embed = EmbedParams(
        title=clipped(title, limits.EMBED_TITLE_LENGTH),
        url=note.url or event.repository.html_url,
        description=clipped(note.text, limits.EMBED_DESCRIPTION_LENGTH) or None,
        color=note.color,
        author=EmbedAuthor(
            name=event.sender.login, url=event.sender.html_url or UNSET, icon_url=event.sender.avatar_url or UNSET
        ),
    )
    return WebhookExecute(embeds=[embed], allowed_mentions=AllowedMentions(parse=[]))


# --- what is said of each --------------------------------------------------------------------------------------------


def _push(event: GithubEvent) -> _Note | None:
    branch = event.ref.removeprefix("refs/heads/")
    if event.forced and event.head_commit is not None:
        title = f"Force-pushed to `{event.head_commit.id[:_SHA_LENGTH]}`"
        return _Note(title, event.compare, color=_RED, branch=branch)
    if not event.commits:
        return None
    lines = [
        f"[`{commit.id[:_SHA_LENGTH]}`]({commit.url}) {clipped(commit.message.partition(_NEW_LINE)[0], 72)}"
        f" - {commit.author.username or commit.author.name}"
        for commit in event.commits[:COMMITS]
    ]
    count = len(event.commits)
    url = event.compare if count > 1 else event.commits[0].url
    return _Note(f"{count} new commit{'s' * (count > 1)}", url, _NEW_LINE.join(lines), _BLUE, branch)


def _created(event: GithubEvent) -> _Note:
    return _Note(f"New {event.ref_type} created: {event.ref}", "")


def _deleted(event: GithubEvent) -> _Note:
    return _Note(f"{event.ref_type.capitalize()} deleted: {event.ref}", "")


def _forked(_: GithubEvent, fork: GithubRepository) -> _Note:
    return _Note(f"Fork created: {fork.full_name}", fork.html_url)


def _published(_: GithubEvent) -> _Note:
    return _Note("Now open sourced!", "")


def _starred(_: GithubEvent) -> _Note:
    return _Note("New star added", "")


def _joined(_: GithubEvent, member: GithubUser) -> _Note:
    return _Note(f"New collaborator added: {member.login}", member.html_url)


def _released(_: GithubEvent, release: GithubRelease) -> _Note:
    return _Note(f"New release published: {release.tag_name}", release.html_url, _excerpt(release.body))


def _commented_on_commit(_: GithubEvent, comment: GithubComment) -> _Note:
    commit = (comment.commit_id or "")[:_SHA_LENGTH]
    return _Note(f"New comment on commit `{commit}`", comment.html_url, _excerpt(comment.body))


def _commented(_: GithubEvent, issue: GithubIssue, comment: GithubComment) -> _Note:
    kind = "issue" if issue.pull_request is None else "pull request"
    title = f"New comment on {kind} #{issue.number}: {issue.title}"
    return _Note(title, comment.html_url, _excerpt(comment.body), _ORANGE)


def _issue(event: GithubEvent, issue: GithubIssue) -> _Note:
    return _work(event, "Issue", issue, _ORANGE)


def _pull_request(event: GithubEvent, pull_request: GithubIssue) -> _Note:
    return _work(event, "Pull request", pull_request, _GREEN)


def _work(event: GithubEvent, noun: str, issue: GithubIssue, color: int) -> _Note:
    what = "merged" if event.action == "closed" and issue.merged else event.action
    title = f"{noun} {what}: #{issue.number} {issue.title}"
    if event.action == "opened":
        return _Note(title, issue.html_url, _excerpt(issue.body), color)
    return _Note(title, issue.html_url, color=_PURPLE if what == "merged" else _GREY)


def _reviewed(event: GithubEvent, pull_request: GithubIssue, review: GithubReview) -> _Note:
    state = review.state.replace("_", " ")
    title = f"Pull request review {event.action}: #{pull_request.number} {pull_request.title} ({state})"
    return _Note(title, review.html_url, _excerpt(review.body), _GREEN)


def _reviewed_line(_: GithubEvent, pull_request: GithubIssue, comment: GithubComment) -> _Note:
    title = f"New review comment on pull request #{pull_request.number}: {pull_request.title}"
    return _Note(title, comment.html_url, _excerpt(comment.body), _GREEN)


def _checked(_: GithubEvent, run: GithubCheckRun) -> _Note:
    return _outcome(run.name, run.conclusion, run.check_suite, run.html_url)


def _suite_checked(_: GithubEvent, suite: GithubCheckSuite) -> _Note:
    return _outcome("Checks" if suite.app is None else suite.app.name, suite.conclusion, suite, "")


def _outcome(name: str, conclusion: str | None, suite: GithubCheckSuite, url: str) -> _Note:
    what = (conclusion or "completed").replace("_", " ")
    where = suite.head_branch or suite.head_sha[:_SHA_LENGTH]
    return _Note(f"{name} {what} on {where}", url, color=_CONCLUSIONS.get(conclusion or "", _GREY))


def _discussed(event: GithubEvent, discussion: GithubDiscussion) -> _Note:
    what = "New discussion" if event.action == "created" else f"Discussion {event.action}"
    text = discussion.body if event.answer is None else event.answer.body
    return _Note(f"{what} #{discussion.number}: {discussion.title}", discussion.html_url, _excerpt(text), _BLUE)


def _commented_on_discussion(_: GithubEvent, discussion: GithubDiscussion, comment: GithubComment) -> _Note:
    title = f"New comment on discussion #{discussion.number}: {discussion.title}"
    return _Note(title, comment.html_url, _excerpt(comment.body), _BLUE)


def _excerpt(text: str | None) -> str:
    return clipped(text or "", TEXT_LENGTH)


_CONCLUSIONS = {"success": _GREEN, "failure": _RED, "timed_out": _RED, "action_required": _ORANGE}

_NEW = frozenset(("created",))
_WORK = frozenset(("opened", "closed", "reopened"))
_DONE = frozenset(("completed",))

_LINES = {
    "check_run": _Line(_checked, ("check_run",), _DONE),
    "check_suite": _Line(_suite_checked, ("check_suite",), _DONE),
    "commit_comment": _Line(_commented_on_commit, ("comment",), _NEW),
    "create": _Line(_created),
    "delete": _Line(_deleted),
    "discussion": _Line(_discussed, ("discussion",), frozenset(("created", "answered", "closed", "reopened"))),
    "discussion_comment": _Line(_commented_on_discussion, ("discussion", "comment"), _NEW),
    "fork": _Line(_forked, ("forkee",)),
    "issue_comment": _Line(_commented, ("issue", "comment"), _NEW),
    "issues": _Line(_issue, ("issue",), _WORK),
    "member": _Line(_joined, ("member",), frozenset(("added",))),
    "public": _Line(_published),
    "pull_request": _Line(_pull_request, ("pull_request",), _WORK),
    "pull_request_review": _Line(_reviewed, ("pull_request", "review"), frozenset(("submitted", "dismissed"))),
    "pull_request_review_comment": _Line(_reviewed_line, ("pull_request", "comment"), _NEW),
    "push": _Line(_push),
    "release": _Line(_released, ("release",), frozenset(("published",))),
    "watch": _Line(_starred, actions=frozenset(("started",))),
}
