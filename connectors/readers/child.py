"""The child process: give up every right that reading doesn't need, read, answer in JSON."""

from __future__ import annotations

import json
import os
import signal
import sys
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn

from connectors.readers import commerce, media, packaged, vocabularies
from connectors.readers.errors import ReadError
from connectors.readers.limits import Limits
from connectors.readers.source import Source
from connectors.readers.wire import reading_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from connectors.readers.model import Reading

READERS: dict[str, str] = {
    media.PDF: "pdf",
    media.DOCX: "office",
    media.PPTX: "slides",
    media.XLSX: "sheets",
    media.XLS: "sheets",
    media.XLSB: "sheets",
    media.ODS: "sheets",
    media.ODT: "opendocument",
    media.ODP: "opendocument",
    media.EPUB: "epub",
    media.RTF: "rtf",
    media.PNG: "pictures",
    media.JPEG: "pictures",
    media.TIFF: "pictures",
    media.BMP: "pictures",
    media.WEBP: "pictures",
    media.GIF: "pictures",
    media.MSG: "outlook",
    media.CSV: "tables",
    media.TSV: "tables",
    media.HTML: "markup",
    media.MARKDOWN: "markdown",
    media.ASCIIDOC: "asciidoc",
    media.PLAIN: "plain",
    media.EMAIL: "mail",
    media.JSON: "records",
    media.NDJSON: "records",
    media.XML: "elements",
    vocabularies.HL7V2: "health.hl7",
    vocabularies.CDA: "health.cda",
    vocabularies.FHIR_XML: "health.fhir_xml",
    vocabularies.SPL: "health.spl",
    vocabularies.PUBMED: "health.literature",
    vocabularies.JATS: "health.literature",
    vocabularies.TRIAL: "health.trials",
    media.DICOM: "health.dicom",
    vocabularies.AAS_XML: "industry.aas_xml",
    media.AASX: "industry.aasx",
    vocabularies.NODESET: "industry.nodeset",
    vocabularies.MTCONNECT: "industry.mtconnect",
    vocabularies.WORK_ORDERS: "industry.work_orders",
    vocabularies.STEP: "industry.step",
    commerce.ISO20022: "finance.iso20022",
    commerce.MT940: "finance.mt940",
    commerce.OFX: "finance.ofx",
    commerce.ACH: "finance.ach",
    commerce.XBRL: "finance.xbrl",
    commerce.IXBRL: "finance.ixbrl",
    commerce.EPCIS: "retail.epcis",
    commerce.UBL: "retail.ubl",
    commerce.NFE: "retail.nfe",
    commerce.FEED: "retail.merchant",
}
"""Media type → the module of this package whose `read` reads it; imported only when needed.

Other packages add theirs as entry points (`connectors.readers.packaged`).
"""

_REMEDIES = {media.DOC: "save it as .docx", media.PPT: "save it as .pptx"}

ALIVE = b" "
"""What a child writes while it reads a file that takes long."""

_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_REFUSED = frozenset(
    {
        "os.exec",
        "os.fork",
        "os.forkpty",
        "os.kill",
        "os.killpg",
        "os.posix_spawn",
        "os.spawn",
        "os.startfile",
        "os.system",
        "pty.spawn",
        "socket.__new__",
        "socket.bind",
        "socket.connect",
        "socket.getaddrinfo",
        "socket.gethostbyname",
        "socket.sendto",
        "subprocess.Popen",
    }
)
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def read(source: Source) -> Reading:
    """Read a file in this process with the reader of its media type; raises `ReadError`."""
    if source.media_type == media.EMPTY:
        raise ReadError("empty", "The file holds nothing but white space.")
    if source.media_type == media.ENCRYPTED_OFFICE:
        raise ReadError("encrypted", "The file is protected by a password; save it without one.")
    return _reader(source.media_type)(source)


def _reader(media_type: str) -> Callable[[Source], Reading]:
    if media_type in READERS:
        found: Callable[[Source], Reading] = warm(media_type).read
        return found
    entry = packaged.installed().entries.get(media_type)
    if entry is None:
        remedy = _REMEDIES.get(media_type, "convert the file to PDF or text")
        raise ReadError("unsupported", f"There is no reader for {media_type}; {remedy}.")
    return packaged.load(entry)


def warm(media_type: str) -> Any:
    """Import the module of this package that reads a media type; raises KeyError without one."""
    return import_module(f"connectors.readers.{READERS[media_type]}")


def confine(limits: Limits, folder: Path) -> None:
    """Limit this process for good: memory, CPU, core dumps, network, children, files written."""
    import resource

    sys.dont_write_bytecode = True
    for kind, soft, hard in (
        (resource.RLIMIT_CPU, limits.cpu_s, limits.cpu_s + limits.ocr_s + 1),
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_NOFILE, 64, 64),
        (resource.RLIMIT_FSIZE, limits.inflated_bytes, limits.inflated_bytes),
        (resource.RLIMIT_AS, limits.memory_bytes, limits.memory_bytes),
    ):
        try:
            resource.setrlimit(kind, (soft, hard))
        except (ValueError, OSError):  # not on this platform, or already lower
            continue
    if sys.platform == "linux":
        _leave_network()
    sys.addaudithook(_guard(os.path.realpath(folder)))


def _leave_network() -> None:
    """Move into an empty network namespace, where the kernel allows it; the audit hook remains."""
    import ctypes

    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if libc.unshare(_CLONE_NEWNET) != 0:
        libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)


def _guard(folder: str) -> Any:
    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event in _REFUSED:
            raise PermissionError(f"A reader must not use {event}.")
        if event == "open" and isinstance(args[2], int) and args[2] & _WRITING:
            if isinstance(args[0], int):
                return
            target = os.path.realpath(os.fsdecode(args[0]))
            if not target.startswith(folder + os.sep):
                raise PermissionError("A reader must not write outside its folder.")

    return hook


def _alive() -> None:
    """Tell the parent that reading goes on: white space, which JSON ignores."""
    with open(1, "wb", closefd=False) as out:
        out.write(ALIVE)


def _answer(value: dict[str, Any]) -> NoReturn:
    """Write the whole answer at once and leave without tearing libraries down."""
    data = json.dumps(value, ensure_ascii=True, allow_nan=False).encode("ascii") + b"\n"
    with open(1, "wb", closefd=False) as out:
        out.write(data)
    os._exit(0)


def _report_bug(kind: type[BaseException], _: BaseException, trace: TracebackType | None) -> None:
    """Name an unforeseen error by type and place, never by message, which may quote the file."""
    while trace and trace.tb_next:
        trace = trace.tb_next
    place = Path(trace.tb_frame.f_code.co_filename).name if trace else "?"
    line = trace.tb_lineno if trace else 0
    message = f"The reader failed ({kind.__name__} at {place}:{line}): the file is damaged."
    _answer({"error": {"cause": "crashed", "message": message}})


def main(request: dict[str, Any]) -> NoReturn:
    """Read what the request names, answer one line of JSON on standard output, and end."""
    limits = Limits(**request["limits"])
    folder = request["folder"]
    sys.excepthook = _report_bug
    os.chdir(folder)
    confine(limits, Path(folder))
    path = Path(request["path"])
    try:
        media_type = media.sniff(path, hint=request["hint"], name=request["name"])
        reading = read(Source(path, media_type, request["name"], limits, alive=_alive))
        _answer({"reading": reading_json(reading)})
    except ReadError as error:
        _answer({"error": {"cause": error.cause, "message": str(error)}})
    except MemoryError:
        message = f"Reading needs more than {limits.memory_bytes / 1e6:.0f} MB of memory; split it."
        _answer({"error": {"cause": "out_of_memory", "message": message}})
    except RecursionError:
        _answer({"error": {"cause": "bomb", "message": "The file is nested too deeply to read."}})
    except OSError as error:
        message = f"The file can't be opened: {error.strerror or type(error).__name__}."
        _answer({"error": {"cause": "corrupt", "message": message}})
