"""What can go wrong for whoever asks, sorted by what they should do next.

SteadyError                    every error that is meant to be read; its text is safe to show
  AskAgain                     the same request may work later
    ClusterUnreachable         the API server did not answer
    NotSynced                  the world model has not seen this yet
  AskDifferently               the request itself must change
    UnknownKind                no such kind; says which ones are near
    ObjectNotFound             no such object; says which ones are near
    InvalidArguments           an argument is missing, unknown or malformed
    UnknownCluster             no such context
  Refused                      a rule or a right forbids it; says which
    Forbidden                  the API server said 403
    Unauthorized               the API server said 401: the credentials are expired or wrong
"""

from __future__ import annotations


class SteadyError(Exception):
    """`code` is a stable upper-case word, `retry` says whether the same request makes sense again."""

    code = "ERROR"
    retry = False

    def __init__(self, message: str, *, todo: str = "") -> None:
        super().__init__(f"{message} {todo}".strip())
        self.message = message
        self.todo = todo


class AskAgain(SteadyError):
    code = "UNAVAILABLE"
    retry = True


class ClusterUnreachable(AskAgain):
    code = "CLUSTER_UNREACHABLE"


class NotSynced(AskAgain):
    code = "NOT_SYNCED"


class AskDifferently(SteadyError):
    code = "INVALID"


class UnknownKind(AskDifferently):
    code = "UNKNOWN_KIND"


class ObjectNotFound(AskDifferently):
    code = "NOT_FOUND"


class InvalidArguments(AskDifferently):
    code = "INVALID_ARGUMENTS"


class UnknownCluster(AskDifferently):
    code = "UNKNOWN_CLUSTER"


class Refused(SteadyError):
    code = "REFUSED"


class Forbidden(Refused):
    code = "FORBIDDEN"


class Unauthorized(Refused):
    code = "UNAUTHORIZED"
