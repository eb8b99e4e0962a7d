"""A share of a Windows or Samba server over SMB 2 and 3: folders, security descriptors, bytes.

Nothing leads out of the share: reparse points (links, mount points, DFS links) are opened as what
they are and never followed. Messages are signed; a guest session, which can't sign, is refused.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import uuid4

from smbprotocol import exceptions as smb
from smbprotocol.connection import Connection
from smbprotocol.file_info import FileAttributes, FileInformationClass, InfoType
from smbprotocol.open import (
    CreateDisposition,
    CreateOptions,
    DirectoryAccessMask,
    FilePipePrinterAccessMask,
    ImpersonationLevel,
    Open,
    QueryDirectoryFlags,
    ShareAccess,
    SMB2QueryInfoRequest,
    SMB2QueryInfoResponse,
)
from smbprotocol.session import Session
from smbprotocol.tree import TreeConnect

from connectors.contract import ConnectorError, RetryLater

T = TypeVar("T")

PIECE_BYTES = 1_048_576
_MAX_DESCRIPTOR_BYTES = 65_536
_OWNER_AND_DACL = 0x1 | 0x4
_SKIPPED = (
    FileAttributes.FILE_ATTRIBUTE_HIDDEN
    | FileAttributes.FILE_ATTRIBUTE_SYSTEM
    | FileAttributes.FILE_ATTRIBUTE_REPARSE_POINT
)
_BUSY = (
    smb.InsufficientResources,
    smb.InsuffServerResources,
    smb.RequestNotAccepted,
    smb.ServerUnavailable,
    smb.IOTimeout,
    smb.UserSessionDeleted,
    smb.SMBConnectionClosed,
    TimeoutError,
    ConnectionError,
)
_SIGN_IN = (
    smb.SMBAuthenticationError,
    smb.LogonFailure,
    smb.PasswordExpired,
    smb.WrongPassword,
)
_MISSING = (
    smb.ObjectNameNotFound,
    smb.ObjectPathNotFound,
    smb.NoSuchFile,
    smb.DeletePending,
    smb.ObjectNameInvalid,
    smb.ObjectPathSyntaxBad,
)

logging.getLogger("smbprotocol").setLevel(logging.CRITICAL)
logging.getLogger("spnego").setLevel(logging.CRITICAL)


class Missing(ConnectorError):
    """There is no file or folder of that name."""


class Refused(ConnectorError):
    """The account may not do this here, or the server can't."""


@dataclass(frozen=True, slots=True)
class Server:
    """Which share, and who signs in."""

    host: str
    port: int
    share: str
    username: str
    password: str
    encrypt: bool
    timeout_s: float

    @property
    def name(self) -> str:
        """Return the share as people write it."""
        return rf"\\{self.host}\{self.share}"


@dataclass(frozen=True, slots=True)
class Child:
    """An entry of a folder; `version` changes with the content, but not with the permissions."""

    name: str
    is_folder: bool
    file_id: int
    version: str
    modified_at: datetime


class Share:
    """A share whose questions are answered one after the other, in a thread of its own."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="smb")
        self._connection: Any = None
        self._tree: Any = None

    async def children(self, path: str) -> list[Child]:
        """Return what is in a folder, without hidden entries and links, in the order of names."""
        return await self._ask(f"the folder {path or '/'}", lambda: self._list(path))

    async def descriptor(self, path: str) -> bytes:
        """Return the security descriptor of a file or folder: its owner and its access list."""
        return await self._ask(f"the permissions of {path or '/'}", lambda: self._security(path))

    async def piece(self, path: str, offset: int, version: str) -> bytes:
        """Return at most 1 MiB of a file; raises `ConnectorError` if its version is another."""
        return await self._ask(path, lambda: self._read(path, offset, version))

    async def aclose(self) -> None:
        """Sign off; may be called twice."""
        await asyncio.get_running_loop().run_in_executor(None, self._close)

    async def _ask(self, what: str, question: Callable[[], T]) -> T:
        loop = asyncio.get_running_loop()

        def answer() -> T:
            with _speaking(self._server, what):
                if self._tree is None:
                    self._sign_in()
                return question()

        try:
            waiting = loop.run_in_executor(self._thread, answer)
            return await asyncio.wait_for(asyncio.shield(waiting), self._server.timeout_s)
        except TimeoutError as error:
            await self._give_up()
            raise RetryLater from error
        except RetryLater:
            await self._give_up()
            raise

    async def _give_up(self) -> None:
        """Drop the connection, which ends what its thread waits for."""
        connection, self._connection, self._tree = self._connection, None, None
        if connection is not None:
            await asyncio.to_thread(connection.transport.close)

    def _close(self) -> None:
        connection, self._connection, self._tree = self._connection, None, None
        if connection is not None:
            try:
                connection.disconnect(timeout=5)
            except (smb.SMBException, OSError, ValueError):
                connection.transport.close()
        self._thread.shutdown(wait=False)

    def _sign_in(self) -> None:
        server = self._server
        self._connection = Connection(uuid4(), server.host, server.port, require_signing=True)
        self._connection.connect(timeout=server.timeout_s)
        if server.encrypt and not self._connection.supports_encryption:
            raise Refused(f"{server.host} can't encrypt; update it, or turn encrypt off.")
        session = Session(
            self._connection, server.username, server.password, require_encryption=server.encrypt
        )
        session.connect()
        tree = TreeConnect(session, server.name)
        tree.connect()
        self._tree = tree

    @contextmanager
    def _opened(self, path: str, rights: int, options: int = 0) -> Iterator[Any]:
        found = Open(self._tree, path.replace("/", "\\"))
        found.create(
            ImpersonationLevel.Impersonation,
            rights,
            FileAttributes.FILE_ATTRIBUTE_NORMAL,
            ShareAccess.FILE_SHARE_READ
            | ShareAccess.FILE_SHARE_WRITE
            | ShareAccess.FILE_SHARE_DELETE,
            CreateDisposition.FILE_OPEN,
            options | CreateOptions.FILE_OPEN_REPARSE_POINT,
        )
        try:
            yield found
        finally:
            found.close()

    def _list(self, path: str) -> list[Child]:
        rights = DirectoryAccessMask.FILE_LIST_DIRECTORY | DirectoryAccessMask.FILE_READ_ATTRIBUTES
        found, flags = list[Child](), QueryDirectoryFlags.SMB2_RESTART_SCANS
        with self._opened(path, rights, CreateOptions.FILE_DIRECTORY_FILE) as folder:
            while True:
                try:
                    page = folder.query_directory(
                        "*", FileInformationClass.FILE_ID_FULL_DIRECTORY_INFORMATION, flags=flags
                    )
                except (smb.NoMoreFiles, smb.NoSuchFile):
                    break
                found += [child for entry in page if (child := _child(entry)) is not None]
                flags = 0
        return sorted(found, key=lambda child: child.name)

    def _security(self, path: str) -> bytes:
        with self._opened(path, FilePipePrinterAccessMask.READ_CONTROL) as found:
            request = SMB2QueryInfoRequest()
            request["info_type"] = InfoType.SMB2_0_INFO_SECURITY
            request["output_buffer_length"] = _MAX_DESCRIPTOR_BYTES
            request["additional_information"] = _OWNER_AND_DACL
            request["file_id"] = found.file_id
            connection, tree = found.connection, self._tree
            sent = connection.send(request, tree.session.session_id, tree.tree_connect_id)
            answer = SMB2QueryInfoResponse()
            answer.unpack(connection.receive(sent)["data"].get_value())
            return bytes(answer["buffer"].get_value())

    def _read(self, path: str, offset: int, version: str) -> bytes:
        rights = (
            FilePipePrinterAccessMask.FILE_READ_DATA
            | FilePipePrinterAccessMask.FILE_READ_ATTRIBUTES
        )
        with self._opened(path, rights, CreateOptions.FILE_NON_DIRECTORY_FILE) as file:
            is_link = file.file_attributes & FileAttributes.FILE_ATTRIBUTE_REPARSE_POINT
            at = f"{_stamp(file.last_write_time)}-{file.end_of_file}"
            if is_link or not version.endswith(f"-{at}"):
                raise ConnectorError(f"{path} changed while it was read; the next run reads it.")
            n_bytes = min(PIECE_BYTES, file.connection.max_read_size, file.end_of_file - offset)
            return bytes(file.read(offset, n_bytes)) if n_bytes > 0 else b""


def _child(entry: Any) -> Child | None:
    name = entry["file_name"].get_value().decode("utf-16-le", "replace")
    attributes = entry["file_attributes"].get_value()
    if name in (".", "..") or attributes & _SKIPPED:
        return None
    written = entry["last_write_time"].get_value()
    size, file_id = entry["end_of_file"].get_value(), entry["file_id"].get_value()
    return Child(
        name,
        bool(attributes & FileAttributes.FILE_ATTRIBUTE_DIRECTORY),
        file_id,
        f"{file_id:x}-{_stamp(written)}-{size}",
        written if written.tzinfo else written.replace(tzinfo=UTC),
    )


def _stamp(at: datetime) -> str:
    return at.strftime("%Y%m%dT%H%M%S.%f")


@contextmanager
def _speaking(server: Server, what: str) -> Iterator[None]:
    """Turn what the library raises into what the contract knows."""
    try:
        yield
    except _SIGN_IN as error:
        raise Refused(
            f"{server.name} does not accept the user and password; enter valid ones."
        ) from error
    except smb.BadNetworkName as error:
        raise Refused(
            f"There is no share {server.share} on {server.host}, or the account may not use it."
        ) from error
    except smb.AccessDenied as error:
        raise Refused(f"The account may not read {what}; give it the right to.") from error
    except _MISSING as error:
        raise Missing(f"There is no {what}; it was deleted or renamed.") from error
    except (smb.SharingViolation, smb.FileIsADirectory) as error:
        raise Refused(f"{what} is in use; the next run reads it.") from error
    except _BUSY as error:
        raise RetryLater from error
    except smb.SMBResponseException as error:
        raise Refused(f"{server.host} refuses {what} ({_status(error)}).") from error
    except (smb.SMBException, ValueError, OSError) as error:
        raise _unreachable(server, error) from error


def _status(error: smb.SMBResponseException) -> str:
    return f"status 0x{error.status:08x}"


def _unreachable(server: Server, error: Exception) -> ConnectorError:
    place = f"{server.host}:{server.port}"
    if isinstance(error.__cause__, socket.gaierror):
        return Refused(f"There is no host {server.host}; check the name.")
    if isinstance(error.__cause__, OSError):
        return Refused(f"Nothing answers at {place}; check the host and the port.")
    return Refused(f"{place} can't be talked to in SMB with signatures; check server and account.")
