"""What GitHub sends to webhooks, as far as it is shown (docs.github.com, "Webhook events and payloads")."""

from typing import Any

from chatd.model.wire import Params


class GithubUser(Params, kw_only=True):
    login: str
    html_url: str = ""
    avatar_url: str = ""


class GithubRepository(Params, kw_only=True):
    name: str
    full_name: str
    html_url: str


class GithubAuthor(Params, kw_only=True):
    name: str
    username: str | None = None


class GithubCommit(Params, kw_only=True):
    id: str
    url: str
    message: str
    author: GithubAuthor


class GithubComment(Params, kw_only=True):
    html_url: str
    body: str
    commit_id: str | None = None


class GithubIssue(Params, kw_only=True):
    """An issue or a pull request."""

    number: int
    title: str
    html_url: str
    body: str | None = None
    pull_request: dict[str, Any] | None = None  # of an issue that is a pull request
    merged: bool | None = None


class GithubReview(Params, kw_only=True):
    html_url: str
    state: str
    body: str | None = None


class GithubRelease(Params, kw_only=True):
    tag_name: str
    html_url: str
    body: str | None = None


class GithubCheckApp(Params, kw_only=True):
    name: str


class GithubCheckSuite(Params, kw_only=True):
    head_sha: str
    app: GithubCheckApp | None = None
    head_branch: str | None = None
    conclusion: str | None = None


class GithubCheckRun(Params, kw_only=True):
    name: str
    html_url: str
    check_suite: GithubCheckSuite
    conclusion: str | None = None


class GithubDiscussion(Params, kw_only=True):
    number: int
    title: str
    html_url: str
    body: str | None = None


class GithubEvent(Params, kw_only=True):
    """The body of any event; its name comes in a header."""

    sender: GithubUser | None = None
    repository: GithubRepository | None = None
    action: str = ""
    ref: str = ""
    ref_type: str = ""
    compare: str = ""
    forced: bool = False
    commits: list[GithubCommit] = []
    head_commit: GithubCommit | None = None
    comment: GithubComment | None = None
    issue: GithubIssue | None = None
    pull_request: GithubIssue | None = None
    review: GithubReview | None = None
    release: GithubRelease | None = None
    forkee: GithubRepository | None = None
    member: GithubUser | None = None
    check_run: GithubCheckRun | None = None
    check_suite: GithubCheckSuite | None = None
    discussion: GithubDiscussion | None = None
    answer: GithubComment | None = None
