"""GitHub's events become messages, or nothing."""

import pytest

from chatd.model.objects.embed import EmbedParams
from chatd.model.objects.github import GithubEvent
from chatd.model.validate import decode
from chatd.model.wire import encode
from chatd.service import github_embeds
from tests.support.client import Json

URL = "https://code.test/ada/engine"
SENDER = {"id": 1, "login": "ada", "html_url": "https://code.test/ada", "avatar_url": "https://code.test/ada.png"}
COMMON = {"sender": SENDER, "repository": {"id": 2, "name": "engine", "full_name": "ada/engine", "html_url": URL}}
ISSUE = {"id": 3, "number": 7, "title": "It jams", "html_url": f"{URL}/issues/7", "user": SENDER, "body": "Often."}
PULL = {**ISSUE, "title": "Oil it", "html_url": f"{URL}/pull/7"}
COMMENT = {"id": 4, "html_url": f"{URL}#comment", "user": SENDER, "body": "Indeed.", "commit_id": "0123456789abcdef"}
SUITE = {"conclusion": "failure", "head_branch": "main", "head_sha": "0123456789abcdef", "app": {"name": "Mill"}}
RUN = {
    "name": "tests",
    "html_url": f"{URL}/runs/1",
    "conclusion": "timed_out",
    "check_suite": {**SUITE, "head_branch": None},
}
DISCUSSION = {"number": 9, "title": "Cards", "html_url": f"{URL}/discussions/9", "user": SENDER, "body": "Punched?"}
RELEASE = {"id": 6, "tag_name": "v1", "html_url": f"{URL}/v1", "body": "!"}
FORK = {"id": 5, "name": "engine", "full_name": "bob/engine", "html_url": "https://code.test/bob"}
REVIEW = {"user": SENDER, "html_url": f"{URL}#review", "state": "changes_requested", "body": "Not yet."}


def commit(number: int, message: str = "Oil it\n\nall over") -> Json:
    return {
        "id": f"{number:040}",
        "url": f"{URL}/commit/{number}",
        "message": message,
        "author": {"name": "Ada", "username": "ada"},
    }


def embed(name: str, **payload: Json) -> EmbedParams | None:
    event = decode(GithubEvent, encode({**COMMON, **payload}))
    made = github_embeds.message(name, event)
    if made is None:
        return None
    assert made.allowed_mentions is not None
    assert made.allowed_mentions.parse == []
    assert made.embeds is not None
    [found] = made.embeds
    return found


@pytest.mark.parametrize(
    ("name", "payload", "title", "url", "text"),
    [
        (
            "push",
            {"ref": "refs/heads/main", "commits": [commit(1)], "compare": f"{URL}/compare"},
            "[ada/engine:main] 1 new commit",
            f"{URL}/commit/1",
            f"[`0000000`]({URL}/commit/1) Oil it - ada",
        ),
        (
            "push",
            {"ref": "refs/heads/main", "commits": [commit(1), commit(2)], "compare": f"{URL}/compare"},
            "[ada/engine:main] 2 new commits",
            f"{URL}/compare",
            f"[`0000000`]({URL}/commit/1) Oil it - ada\n[`0000000`]({URL}/commit/2) Oil it - ada",
        ),
        (
            "push",
            {"ref": "refs/heads/main", "forced": True, "head_commit": commit(1), "compare": f"{URL}/compare"},
            "[ada/engine:main] Force-pushed to `0000000`",
            f"{URL}/compare",
            None,
        ),
        ("create", {"ref": "v1", "ref_type": "tag"}, "[ada/engine] New tag created: v1", URL, None),
        ("delete", {"ref": "old", "ref_type": "branch"}, "[ada/engine] Branch deleted: old", URL, None),
        ("fork", {"forkee": FORK}, "[ada/engine] Fork created: bob/engine", "https://code.test/bob", None),
        ("public", {}, "[ada/engine] Now open sourced!", URL, None),
        ("watch", {"action": "started"}, "[ada/engine] New star added", URL, None),
        (
            "member",
            {"action": "added", "member": {**SENDER, "login": "bob"}},
            "[ada/engine] New collaborator added: bob",
            "https://code.test/ada",
            None,
        ),
        (
            "release",
            {"action": "published", "release": RELEASE},
            "[ada/engine] New release published: v1",
            f"{URL}/v1",
            "!",
        ),
        (
            "issues",
            {"action": "opened", "issue": ISSUE},
            "[ada/engine] Issue opened: #7 It jams",
            f"{URL}/issues/7",
            "Often.",
        ),
        (
            "issues",
            {"action": "closed", "issue": ISSUE},
            "[ada/engine] Issue closed: #7 It jams",
            f"{URL}/issues/7",
            None,
        ),
        (
            "issue_comment",
            {"action": "created", "issue": ISSUE, "comment": COMMENT},
            "[ada/engine] New comment on issue #7: It jams",
            f"{URL}#comment",
            "Indeed.",
        ),
        (
            "issue_comment",
            {"action": "created", "issue": {**PULL, "pull_request": {}}, "comment": COMMENT},
            "[ada/engine] New comment on pull request #7: Oil it",
            f"{URL}#comment",
            "Indeed.",
        ),
        (
            "commit_comment",
            {"action": "created", "comment": COMMENT},
            "[ada/engine] New comment on commit `0123456`",
            f"{URL}#comment",
            "Indeed.",
        ),
        (
            "pull_request",
            {"action": "opened", "pull_request": PULL},
            "[ada/engine] Pull request opened: #7 Oil it",
            f"{URL}/pull/7",
            "Often.",
        ),
        (
            "pull_request",
            {"action": "closed", "pull_request": {**PULL, "merged": True}},
            "[ada/engine] Pull request merged: #7 Oil it",
            f"{URL}/pull/7",
            None,
        ),
        (
            "pull_request_review",
            {"action": "submitted", "pull_request": PULL, "review": REVIEW},
            "[ada/engine] Pull request review submitted: #7 Oil it (changes requested)",
            f"{URL}#review",
            "Not yet.",
        ),
        (
            "pull_request_review_comment",
            {"action": "created", "pull_request": PULL, "comment": COMMENT},
            "[ada/engine] New review comment on pull request #7: Oil it",
            f"{URL}#comment",
            "Indeed.",
        ),
        ("check_suite", {"action": "completed", "check_suite": SUITE}, "[ada/engine] Mill failure on main", URL, None),
        (
            "check_run",
            {"action": "completed", "check_run": RUN},
            "[ada/engine] tests timed out on 0123456",
            f"{URL}/runs/1",
            None,
        ),
        (
            "discussion",
            {"action": "created", "discussion": DISCUSSION},
            "[ada/engine] New discussion #9: Cards",
            f"{URL}/discussions/9",
            "Punched?",
        ),
        (
            "discussion",
            {"action": "answered", "discussion": DISCUSSION, "answer": COMMENT},
            "[ada/engine] Discussion answered #9: Cards",
            f"{URL}/discussions/9",
            "Indeed.",
        ),
        (
            "discussion_comment",
            {"action": "created", "discussion": DISCUSSION, "comment": COMMENT},
            "[ada/engine] New comment on discussion #9: Cards",
            f"{URL}#comment",
            "Indeed.",
        ),
    ],
)
def test_what_is_said(name: str, payload: Json, title: str, url: str, text: str | None) -> None:
    made = embed(name, **payload)
    assert made is not None
    assert (made.title, made.url, made.description) == (title, url, text)
    assert made.author is not None
    assert (made.author.name, made.author.icon_url) == ("ada", "https://code.test/ada.png")


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        ("ping", {"zen": "Keep it logically awesome."}),
        ("", {}),
        ("workflow_job", {"action": "completed"}),
        ("push", {"ref": "refs/tags/v1", "commits": []}),
        ("issues", {"action": "labeled", "issue": ISSUE}),
        ("issues", {"action": "opened"}),
        ("pull_request", {"action": "synchronize", "pull_request": PULL}),
        ("issue_comment", {"action": "deleted", "issue": ISSUE, "comment": COMMENT}),
        ("check_run", {"action": "created"}),
        ("public", {"sender": None}),
        ("public", {"repository": None}),
    ],
)
def test_what_goes_without_saying(name: str, payload: Json) -> None:
    assert embed(name, **payload) is None


def test_long_texts_are_cut_off() -> None:
    made = embed("issues", action="opened", issue={**ISSUE, "title": "t" * 500, "body": "b" * 5000})
    assert made is not None
    assert (len(made.title or ""), len(made.description or "")) == (256, github_embeds.TEXT_LENGTH)
    pushed = embed("push", ref="refs/heads/main", commits=[commit(number, "m" * 500) for number in range(100)])
    assert pushed is not None
    assert (pushed.description or "").count("\n") == github_embeds.COMMITS - 1
