"""One error root; every message says what happened and what to do next.

The command line turns `exit_code` into its exit status, the API turns `status` and `slug` into
an RFC 9457 problem.
"""

from __future__ import annotations

import errno
from typing import ClassVar


class AssistantError(Exception):
    """Something went wrong; run `assistant doctor` to find out what."""

    slug: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip().split("\n", 1)[0])


class SettingsError(AssistantError):
    """A setting is wrong; run `assistant config check` to see which."""

    slug = "settings"
    exit_code = 3


class DependencyError(AssistantError):
    """A service the assistant needs can't be reached; run `assistant doctor`."""

    slug = "dependency-unavailable"
    status = 503
    exit_code = 4


class DatabaseUnavailable(DependencyError):
    """The database can't be reached; check `database.url`, or leave it out for the built-in one."""

    slug = "database-unavailable"


class ModelUnavailable(DependencyError):
    """The model server can't be reached; check `generator.url` and that the server runs."""

    slug = "model-unavailable"


class DeadlineExceeded(DependencyError):
    """The model did not answer in time; ask again or raise `generator.deadline_s`."""

    slug = "deadline-exceeded"
    status = 504


class DiskFull(DependencyError):
    """No space is left on the disk; free some and run the command again: nothing was lost."""

    slug = "disk-full"
    status = 507


def is_disk_full(error: BaseException) -> bool:
    """Tell whether the operating system says with this error that no space is left."""
    return isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}


class AuditUnavailable(DependencyError):
    """The audit log can't be written, so nothing is answered; run `assistant doctor`."""

    slug = "audit-unavailable"


class Stopping(DependencyError):
    """The assistant is being stopped; ask again in a minute."""

    slug = "stopping"


class AuditTampered(AssistantError):
    """The audit log does not verify; keep the database as it is and call the auditor."""

    slug = "audit-tampered"


class BackupUnusable(AssistantError):
    """The backup can't be restored: it was altered, cut short, or is another identity's."""

    slug = "backup-unusable"


class IndexUnusable(AssistantError):
    """The saved index can't be used or written; run `assistant index status`."""

    slug = "index-unusable"


class InvalidRequest(AssistantError):
    """The request is not valid; the message says which part."""

    slug = "invalid-request"
    status = 422
    exit_code = 2


class NotFound(AssistantError):
    """There is no such thing here, or you may not see it."""

    slug = "not-found"
    status = 404


class Unauthenticated(AssistantError):
    """Sign in first: the credentials are missing, wrong or expired."""

    slug = "unauthenticated"
    status = 401


class Forbidden(AssistantError):
    """Your role does not allow this; ask an administrator."""

    slug = "forbidden"
    status = 403


class OnHold(AssistantError):
    """A legal hold forbids the deletion; it must be released first."""

    slug = "on-hold"
    status = 409


class SyncError(AssistantError):
    """The sync run stopped; what it had committed is kept: run it again to go on."""

    slug = "sync"


class Conflict(AssistantError):
    """Somebody else is doing this at the moment; wait for them to finish and try again."""

    slug = "conflict"
    status = 409
